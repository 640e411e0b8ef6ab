/* Rooms in short. */
#include "engine/room_summary.h"

#include "engine/current.h"
#include "engine/restricted.h"
#include "room/visibility.h"

static enum err put_text(struct hs *hs, const struct room *room, const char *type, const char *key,
                         struct json *out, const char *as)
{
    struct json *content;
    TRY(current_content(hs, room, str_of(type), STR(""), &content));
    struct str text = json_get_text(content, key);
    if (text.n > 0) {
        json_put_text(out, as, text);
    }
    return ERR_NONE;
}

static enum err put_alias(struct hs *hs, struct arena *a, const struct room *room, struct json *out)
{
    struct str alias;
    if (json_get_text(out, "canonical_alias").n > 0) {
        return ERR_NONE;
    }
    TRY(store_get_str(hs->store, a, &alias, STMT_ALIAS_LIST, "t", room->id));
    json_put_text(out, "canonical_alias", alias);
    return ERR_NONE;
}

static enum err is_world_readable(struct hs *hs, const struct room *room, bool *is)
{
    struct json *content;
    TRY(current_content(hs, room, STR("m.room.history_visibility"), STR(""), &content));
    *is = visibility_parse(content) == VISIBILITY_WORLD_READABLE;
    return ERR_NONE;
}

enum err room_summary_describe(struct hs *hs, struct arena *a, const struct room *room,
                               struct json *out)
{
    struct json *content;
    bool is_readable;
    int64_t joined;
    json_put_text(out, "room_id", room->id);
    TRY(put_text(hs, room, "m.room.name", "name", out, "name"));
    TRY(put_text(hs, room, "m.room.topic", "topic", out, "topic"));
    TRY(put_text(hs, room, "m.room.avatar", "url", out, "avatar_url"));
    TRY(put_text(hs, room, "m.room.canonical_alias", "alias", out, "canonical_alias"));
    TRY(put_alias(hs, a, room, out));
    TRY(put_text(hs, room, "m.room.join_rules", "join_rule", out, "join_rule"));
    TRY(put_text(hs, room, "m.room.create", "type", out, "room_type"));
    TRY(store_get_int(hs->store, &joined, 0, STMT_ROOM_JOINED, "i", room->nid));
    json_put_int(out, "num_joined_members", joined);
    TRY(is_world_readable(hs, room, &is_readable));
    json_put_bool(out, "world_readable", is_readable);
    TRY(current_content(hs, room, STR("m.room.guest_access"), STR(""), &content));
    json_put_bool(out, "guest_can_join",
                  str_eq(json_get_text(content, "guest_access"), STR("can_join")));
    return ERR_NONE;
}

enum err room_summary_put(struct hs *hs, struct arena *a, const struct room *room, struct json *out)
{
    bool restricted;
    TRY(room_summary_describe(hs, a, room, out));
    json_put_text(out, "room_version", room->version->name);
    TRY(put_text(hs, room, "m.room.encryption", "algorithm", out, "encryption"));
    TRY(restricted_applies(hs, room, &restricted));
    return restricted ? restricted_rooms(hs, room, json_put_array(out, STR("allowed_room_ids")))
                      : ERR_NONE;
}

static bool is_knockable(const struct room *room, struct str rule)
{
    return (room->version->knock && str_eq(rule, STR("knock"))) ||
           (room->version->knock_restricted && str_eq(rule, STR("knock_restricted")));
}

/* Who could come in, or look inside, whoever he is. */
static enum err is_open_to_all(struct hs *hs, const struct room *room, bool *open)
{
    struct json *content;
    TRY(current_content(hs, room, STR("m.room.join_rules"), STR(""), &content));
    struct str rule = json_get_text(content, "join_rule");
    *open = str_eq(rule, STR("public")) || is_knockable(room, rule);
    return *open ? ERR_NONE : is_world_readable(hs, room, open);
}

enum err room_summary_is_open(struct hs *hs, const struct room *room, int64_t user, bool *open)
{
    struct str membership = STR_ABSENT;
    bool known;
    if (user != 0) {
        TRY(current_membership(hs, user, room->nid, hs->turn, &membership, NULL));
    }
    *open = str_eq(membership, STR("join")) || str_eq(membership, STR("invite"));
    if (*open || room->snapshot == 0) {
        return ERR_NONE;
    }
    TRY(is_open_to_all(hs, room, open));
    if (*open && str_eq(membership, STR("ban"))) {
        TRY(is_world_readable(hs, room, open));
    }
    return *open || user == 0 ? ERR_NONE : restricted_fits(hs, room, user, open, &known);
}

enum err room_summary_is_open_to_server(struct hs *hs, const struct room *room, int64_t server,
                                        bool *open)
{
    int64_t user;
    TRY(is_open_to_all(hs, room, open));
    if (*open) {
        return ERR_NONE;
    }
    TRY(store_get_int(hs->store, &user, 0, STMT_MEMBER_GUEST_OF_SERVER, "ii", room->nid, server));
    *open = user != 0;
    return *open ? ERR_NONE : restricted_fits_server(hs, room, server, open);
}

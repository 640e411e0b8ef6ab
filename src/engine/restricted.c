/* Conditions of join rules. */
#include "engine/restricted.h"

#include "engine/current.h"

static enum err rule_of(struct hs *hs, const struct room *room, struct json **content,
                        bool *applies)
{
    TRY(current_content(hs, room, STR("m.room.join_rules"), STR(""), content));
    struct str rule = json_get_text(*content, "join_rule");
    *applies = (room->version->restricted && str_eq(rule, STR("restricted"))) ||
               (room->version->knock_restricted && str_eq(rule, STR("knock_restricted")));
    return ERR_NONE;
}

enum err restricted_applies(struct hs *hs, const struct room *room, bool *applies)
{
    struct json *content;
    return rule_of(hs, room, &content, applies);
}

enum err restricted_rooms(struct hs *hs, const struct room *room, struct json *out)
{
    struct json *content;
    bool applies;
    size_t n = 0;
    TRY(rule_of(hs, room, &content, &applies));
    const struct json *allow = applies ? json_get_array(content, "allow") : NULL;
    for (const struct json *x = json_first(allow); x != NULL && n < RESTRICTED_ROOMS_MAX;
         x = json_next(x)) {
        struct str room_id = json_get_text(x, "room_id");
        if (str_eq(json_get_text(x, "type"), STR("m.room_membership")) && room_id.n > 0) {
            json_push_text(out, room_id);
            n++;
        }
    }
    return ERR_NONE;
}

enum err restricted_fits(struct hs *hs, const struct room *room, int64_t user, bool *fits,
                         bool *known)
{
    struct json *rooms = json_array(hs->turn);
    *fits = false;
    *known = false;
    TRY(restricted_rooms(hs, room, rooms));
    for (const struct json *x = json_first(rooms); x != NULL && !*fits; x = json_next(x)) {
        struct room *other;
        struct str membership;
        bool resident;
        enum err err = room_find(hs, json_text(x), &other);
        if (err == ERR_ABSENT) {
            continue;
        }
        TRY(err);
        TRY(current_is_joined(hs, other->nid, &resident));
        *known = *known || resident;
        TRY(current_membership(hs, user, other->nid, hs->turn, &membership, NULL));
        *fits = resident && str_eq(membership, STR("join"));
    }
    return ERR_NONE;
}

enum err restricted_fits_server(struct hs *hs, const struct room *room, int64_t server, bool *fits)
{
    struct json *rooms = json_array(hs->turn);
    *fits = false;
    TRY(restricted_rooms(hs, room, rooms));
    for (const struct json *x = json_first(rooms); x != NULL && !*fits; x = json_next(x)) {
        struct room *other;
        int64_t user;
        enum err err = room_find(hs, json_text(x), &other);
        if (err == ERR_ABSENT) {
            continue;
        }
        TRY(err);
        TRY(store_get_int(hs->store, &user, 0, STMT_MEMBER_OF_SERVER, "ii", other->nid, server));
        *fits = user != 0;
    }
    return ERR_NONE;
}

enum err restricted_authoriser(struct hs *hs, struct arena *a, const struct room *room,
                               struct str *user_id)
{
    struct query q;
    struct power power;
    int64_t best = 0;
    int64_t highest = 0;
    *user_id = STR_ABSENT;
    TRY(current_power(hs, room, &power));
    int64_t needed = power_for(&power, POWER_INVITE);
    query_start(&q, hs->store, STMT_MEMBER_LOCAL_NAMES, "iti", room->nid, STR("join"),
                hs->identity.server_name);
    while (query_next(&q)) {
        int64_t level = power_of_user(&power, query_str(&q, hs->turn, 1));
        if (level >= needed && (best == 0 || level > highest)) {
            best = query_int(&q, 0);
            highest = level;
        }
    }
    TRY(query_end(&q));
    return best == 0 ? ERR_NONE : store_name_text(hs->store, a, best, user_id);
}

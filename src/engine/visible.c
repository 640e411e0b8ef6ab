/* The facts that room/visibility.h decides by. */
#include "engine/visible.h"

#include "engine/current.h"
#include "engine/snapshot.h"
#include "event/redact.h"
#include "room/visibility.h"

enum {
    BACK_MAX = 64,   /* changes of one state entry that are followed back */
    USERS_MAX = 200, /* of a server, looked at for one event */
};

/* The state entry at the event: that of the state before it, or today's, followed back. *out NULL:
 * there was none, or nobody here knows it. */
static enum err look(struct hs *hs, const struct stored *s, struct str type, struct str state_key,
                     struct stored **out)
{
    int64_t nid = 0;
    struct room *room;
    *out = NULL;
    if (s->before != 0) {
        TRY(snapshot_get(hs, s->before, type, state_key, &nid));
        return nid == 0 ? ERR_NONE : event_get(hs, nid, out);
    }
    if (s->ev->prev_events.n == 0) { /* the create event: nothing is before it */
        return ERR_NONE;
    }
    TRY(room_get(hs, s->room, &room));
    TRY(current_get(hs, room, type, state_key, out));
    for (int i = 0; i < BACK_MAX && *out != NULL && (*out)->ev->depth > s->ev->depth; i++) {
        int64_t before = (*out)->before;
        *out = NULL;
        TRY(before == 0 ? ERR_NONE : snapshot_get(hs, before, type, state_key, &nid));
        if (before != 0 && nid != 0) {
            TRY(event_get(hs, nid, out));
        }
    }
    return ERR_NONE;
}

/* Of today, where the setting at the event is not known. */
static enum err visibility_at(struct hs *hs, const struct stored *s, enum visibility *out)
{
    struct room *room;
    struct stored *setting;
    TRY(look(hs, s, STR("m.room.history_visibility"), STR(""), &setting));
    if (setting == NULL && s->before == 0 && s->ev->prev_events.n > 0) {
        TRY(room_get(hs, s->room, &room));
        TRY(current_get(hs, room, STR("m.room.history_visibility"), STR(""), &setting));
    }
    *out = visibility_parse(setting == NULL ? NULL : setting->ev->content);
    return ERR_NONE;
}

static enum err member_at(struct hs *hs, const struct stored *s, struct str user_id,
                          enum visibility_member *out)
{
    struct stored *member;
    TRY(look(hs, s, STR("m.room.member"), user_id, &member));
    *out = visibility_member_parse(member == NULL ? STR_ABSENT : event_membership(member->ev));
    return ERR_NONE;
}

/* Joined now, or left after the event. */
static enum err was_joined_since(struct hs *hs, const struct stored *s, int64_t user,
                                 struct str user_id, bool *since)
{
    struct query q;
    struct stored *left;
    *since = false;
    enum err err = query_one(&q, hs->store, STMT_MEMBER_GET, "ii", user, s->room);
    if (err == ERR_ABSENT) {
        return ERR_NONE;
    }
    TRY(err);
    struct str membership = query_str(&q, hs->turn, 0);
    int64_t event = query_int(&q, 1);
    int64_t position = query_int(&q, 2);
    TRY(query_end(&q));
    if (str_eq(membership, STR("join"))) {
        *since = true;
        return ERR_NONE;
    }
    if (event == 0 || position <= s->position) {
        return ERR_NONE;
    }
    TRY(event_get(hs, event, &left));
    if (left->before != 0) {
        int64_t nid = 0;
        struct stored *was = NULL;
        TRY(snapshot_get(hs, left->before, STR("m.room.member"), user_id, &nid));
        if (nid != 0) {
            TRY(event_get(hs, nid, &was));
        }
        *since = was != NULL && str_eq(event_membership(was->ev), STR("join"));
    }
    return ERR_NONE;
}

enum err visible_to_all(struct hs *hs, const struct room *room, bool *visible)
{
    struct json *setting;
    TRY(current_content(hs, room, STR("m.room.history_visibility"), STR(""), &setting));
    *visible = room->snapshot != 0 && visibility_parse(setting) == VISIBILITY_WORLD_READABLE;
    return ERR_NONE;
}

enum err visible_to_user(struct hs *hs, const struct stored *s, int64_t user, struct str user_id,
                         bool *visible)
{
    enum visibility visibility;
    enum visibility_member then;
    bool since;
    TRY(visibility_at(hs, s, &visibility));
    TRY(member_at(hs, s, user_id, &then));
    TRY(was_joined_since(hs, s, user, user_id, &since));
    *visible = visibility_allows(s->ev, user_id, visibility, then, since);
    return ERR_NONE;
}

/* The users of a server that have a membership in the room today, joined ones first. */
static enum err users_of(struct hs *hs, int64_t room, int64_t server, struct strs *out)
{
    struct query q;
    struct str *at = arena_array(hs->turn, USERS_MAX, sizeof(*at));
    *out = (struct strs){at, 0};
    query_start(&q, hs->store, STMT_MEMBER_USERS_OF_SERVER, "iii", room, server,
                (int64_t)USERS_MAX);
    while (out->n < USERS_MAX && query_next(&q)) {
        at[out->n] = query_str(&q, hs->turn, 0);
        out->n++;
    }
    return query_end(&q);
}

/* The strongest membership that a user of the server had at the event. */
static enum err membership_at(struct hs *hs, const struct stored *s, int64_t server,
                              enum visibility_member *out)
{
    struct strs users;
    *out = VISIBILITY_NONE;
    TRY(users_of(hs, s->room, server, &users));
    for (size_t i = 0; i < users.n && *out != VISIBILITY_IS_JOINED; i++) {
        enum visibility_member one;
        TRY(member_at(hs, s, users.at[i], &one));
        *out = one > *out ? one : *out;
    }
    return ERR_NONE;
}

enum err visible_was_resident(struct hs *hs, const struct stored *s, int64_t server, bool *was)
{
    enum visibility_member then = VISIBILITY_NONE;
    TRY(s->before == 0 ? ERR_NONE : membership_at(hs, s, server, &then));
    *was = then == VISIBILITY_IS_JOINED;
    return ERR_NONE;
}

enum err visible_to_server(struct hs *hs, const struct stored *s, int64_t server, struct str name,
                           bool *visible)
{
    enum visibility visibility;
    enum visibility_member then = VISIBILITY_NONE;
    TRY(visibility_at(hs, s, &visibility));
    *visible = visibility_allows_server(s->ev, name, visibility, then, true);
    if (*visible) {
        return ERR_NONE;
    }
    TRY(membership_at(hs, s, server, &then));
    *visible = visibility_allows_server(s->ev, name, visibility, then, true);
    return ERR_NONE;
}

enum err visible_pdu(struct hs *hs, struct arena *a, const struct stored *s, int64_t server,
                     struct str name, struct json **out)
{
    bool whole = false;
    if (s->redacted_by.p == NULL) {
        TRY(visible_to_server(hs, s, server, name, &whole));
    }
    *out = whole ? json_copy(a, s->ev->tree) : redact_json(a, s->ev->version, s->ev->tree);
    return ERR_NONE;
}

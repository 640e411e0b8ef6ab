/* New local events. */
#include "engine/send.h"

#include "engine/current.h"
#include "engine/door.h"
#include "room/auth.h"

/* Extremities that an event of ours follows. */
struct cited {
    struct str ids[EVENT_PREV_CITED];
    size_t n;
    int64_t depth, last;
};

static enum err cite(struct query *q, struct arena *a, size_t max, struct cited *c)
{
    while (c->n < max && query_next(q)) {
        c->last = query_int(q, 0);
        c->ids[c->n] = query_str(q, a, 1);
        c->depth = query_int(q, 2) > c->depth ? query_int(q, 2) : c->depth;
        c->n++;
    }
    return query_end(q);
}

/* The newest and, so that none waits for ever behind those that somebody heaps up, the oldest. */
static enum err find_prev(struct hs *hs, struct arena *a, const struct room *room,
                          struct event_parts *out)
{
    struct cited *c = ARENA_NEW(a, struct cited);
    struct query q;
    query_start(&q, hs->store, STMT_EXTREMITY_LIST, "i", room->nid);
    TRY(cite(&q, a, EVENT_PREV_CITED / 2, c));
    query_start(&q, hs->store, STMT_EXTREMITY_OLDEST, "ii", room->nid, c->last);
    TRY(cite(&q, a, EVENT_PREV_CITED, c));
    out->prev_events = (struct strs){c->ids, c->n};
    out->depth = c->depth + (c->depth < EVENT_DEPTH_MAX);
    return ERR_NONE;
}

static enum err find_auth(struct hs *hs, struct arena *a, const struct room *room,
                          const struct send_parts *parts, struct event_parts *out)
{
    struct auth_keys keys =
        auth_needs(a, room->version, parts->type, parts->sender, parts->state_key, parts->content);
    struct str *ids = arena_array(a, keys.n + 1, sizeof(*ids));
    size_t n = 0;
    for (size_t i = 0; i < keys.n; i++) {
        struct stored *s;
        TRY(current_get(hs, room, keys.at[i].type, keys.at[i].state_key, &s));
        if (s != NULL) {
            ids[n] = arena_str(a, s->ev->id);
            n++;
        }
    }
    out->auth_events = (struct strs){ids, n};
    return ERR_NONE;
}

static enum err not_before(struct hs *hs, const struct room *room, struct str type,
                           struct str state_key, int64_t *ms)
{
    struct stored *s;
    TRY(current_get(hs, room, type, state_key, &s));
    if (s != NULL && hs_is_ours(hs, s->ev->sender) && s->ev->origin_server_ts >= *ms) {
        *ms = s->ev->origin_server_ts + 1;
    }
    return ERR_NONE;
}

enum err send_time(struct hs *hs, const struct room *room, const struct send_parts *parts,
                   int64_t *ms)
{
    *ms = hs->now.unix_ms;
    if (str_is_absent(parts->state_key)) {
        return ERR_NONE;
    }
    TRY(not_before(hs, room, parts->type, parts->state_key, ms));
    return not_before(hs, room, STR("m.room.member"), parts->sender, ms);
}

enum err send_place(struct hs *hs, struct arena *a, const struct room *room,
                    const struct send_parts *parts, struct event_parts *out)
{
    bool is_create = str_eq(parts->type, STR("m.room.create"));
    *out = (struct event_parts){.type = parts->type,
                                .sender = parts->sender,
                                .room_id = room->id,
                                .state_key = parts->state_key,
                                .redacts = parts->redacts,
                                .content = parts->content};
    TRY(send_time(hs, room, parts, &out->origin_server_ts));
    if (is_create && room->version->room_id_is_create_hash) {
        out->room_id = STR_ABSENT;
    }
    if (room->version->id_form == VERSION_ID_SERVER) {
        out->id = arena_fmt(a, "$%.*s:%.*s", STR_ARG(hs_random_text(hs, a, 24)),
                            STR_ARG(hs->identity.server));
    }
    TRY(find_prev(hs, a, room, out));
    return find_auth(hs, a, room, parts, out);
}

enum err send_build(struct hs *hs, struct arena *a, struct room *room,
                    const struct send_parts *parts, struct event **out, const char **why)
{
    struct event_parts placed;
    struct event_signer signer = hs_signer(hs);
    TRY(send_place(hs, a, room, parts, &placed));
    return event_build(a, room->version, &placed, &signer, out, why);
}

enum err send_event(struct hs *hs, struct room *room, const struct send_parts *parts,
                    struct verdict *verdict, struct stored **out)
{
    struct event *ev;
    const char *why;
    *out = NULL;
    TRY(send_build(hs, hs->turn, room, parts, &ev, &why));
    TRY(door_admit(hs, room, ev, ARRIVAL_LOCAL, DOOR_STATE_FROM_PREV, verdict));
    return verdict->kind == VERDICT_ACCEPT ? event_find(hs, ev->id, out) : ERR_NONE;
}

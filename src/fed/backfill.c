/* Backfill: one call, the events behind the gap, and the gap moves. */
#include "fed/backfill.h"

#include "base/encode.h"
#include "engine/call.h"
#include "engine/door.h"
#include "engine/gate.h"
#include "event/mxid.h"
#include "fed/incoming.h"

enum { CALL_TIMEOUT_MS = 15000, BACKFILL_MAX = 100 };

struct backfill {
    uint64_t req;
    int64_t room, gap; /* rows of the room and of the event at the gap */
};

/* Newest first, as positions are given going down. */
static size_t parse_sorted(struct hs *hs, struct arena *a, struct room *room,
                           const struct json *pdus, struct event **sorted, enum err *err)
{
    size_t n = 0;
    *err = ERR_NONE;
    for (const struct json *p = json_first(pdus); p != NULL && n < BACKFILL_MAX; p = json_next(p)) {
        struct event *ev;
        const char *why;
        *err = incoming_parse(hs, a, room, json_copy(a, p), &ev, &why);
        if (*err != ERR_NONE) {
            return n;
        }
        if (ev == NULL) {
            continue;
        }
        size_t k = n;
        while (k > 0 && sorted[k - 1]->depth < ev->depth) {
            sorted[k] = sorted[k - 1];
            k--;
        }
        sorted[k] = ev;
        n++;
    }
    return n;
}

/* The events they cite as outliers first, so that each can be decided. */
static enum err admit_all(struct hs *hs, struct room *room, struct event **sorted, size_t n,
                          struct arena *a, const struct json *pdus)
{
    TRY(incoming_outliers(hs, room, pdus, a));
    for (size_t i = 0; i < n; i++) {
        struct verdict verdict;
        TRY(door_admit(hs, room, sorted[i], ARRIVAL_OLD, DOOR_STATE_FROM_PREV, &verdict));
    }
    return ERR_NONE;
}

/* The earliest event that cites what is not here is the new gap. */
static enum err move_gap(struct hs *hs, struct room *room, const struct backfill *b,
                         struct event **sorted, size_t n)
{
    TRY(store_run(hs->store, STMT_GAP_DROP, "ii", room->nid, b->gap));
    for (size_t i = n; i > 0; i--) {
        struct stored *s;
        enum err err = event_find(hs, sorted[i - 1]->id, &s);
        if (err == ERR_ABSENT || (err == ERR_NONE && !s->has_position)) {
            continue;
        }
        TRY(err);
        for (size_t k = 0; k < s->ev->prev_events.n; k++) {
            int64_t nid;
            TRY(store_get_int(hs->store, &nid, 0, STMT_EVENT_FIND, "t", s->ev->prev_events.at[k]));
            if (nid == 0) {
                return store_run(hs->store, STMT_GAP_PUT, "iii", room->nid, s->nid, s->position);
            }
        }
    }
    return ERR_NONE;
}

static enum err on_history(struct hs *hs, struct call *call, int status, struct json *body,
                           const char *why)
{
    const struct backfill *b = call->ctx;
    struct event *sorted[BACKFILL_MAX];
    struct room *room;
    enum err err;
    TRY(room_get(hs, b->room, &room));
    const struct json *pdus = status == 200 ? json_get_array(body, "pdus") : NULL;
    if (pdus == NULL) {
        hs_log(hs, LOG_INFO, "backfill of %.*s from %.*s failed: %d %s", STR_ARG(room->id),
               STR_ARG(call->server), status, why);
    } else {
        size_t n = parse_sorted(hs, call->a, room, pdus, sorted, &err);
        TRY(err);
        TRY(admit_all(hs, room, sorted, n, call->a, pdus));
        TRY(move_gap(hs, room, b, sorted, n));
    }
    struct req *req = gate_find(hs, b->req);
    if (req == NULL || req->resume == NULL) {
        return ERR_NONE;
    }
    TRY(req->resume(hs, req, false));
    return req->reply.status == 0 ? ERR_NONE : gate_finish(hs, req);
}

/* Somebody else in the room whom we can reach; the author of the event at the gap last. */
static enum err choose_server(struct hs *hs, struct arena *a, struct room *room, struct str *out)
{
    struct query q;
    *out = STR_ABSENT;
    query_start(&q, hs->store, STMT_MEMBER_SERVERS, "i", room->nid);
    while (str_is_absent(*out) && query_next(&q)) {
        struct str name = query_str(&q, a, 1);
        if (!str_eq(name, hs->identity.server) && call_is_possible(hs, name)) {
            *out = name;
        }
    }
    return query_end(&q);
}

enum err backfill_remote(struct hs *hs, struct req *req, struct room *room, size_t limit,
                         resume_fn resume, bool *asked)
{
    struct query q;
    struct str server;
    *asked = false;
    enum err err = query_one(&q, hs->store, STMT_GAP_LIST, "ii", room->nid, (int64_t)1);
    if (err == ERR_ABSENT) {
        return ERR_NONE;
    }
    TRY(err);
    int64_t gap = query_int(&q, 0);
    struct str event_id = query_str(&q, req->a, 1);
    TRY(query_end(&q));
    TRY(choose_server(hs, req->a, room, &server));
    if (str_is_absent(server)) {
        return ERR_NONE;
    }
    struct call *call = call_new(hs, server, on_history);
    struct backfill *b = ARENA_NEW(call->a, struct backfill);
    *b = (struct backfill){req->id, room->nid, gap};
    call->ctx = b;
    limit = limit < 20 ? 20 : (limit > BACKFILL_MAX ? BACKFILL_MAX : limit);
    struct str path = arena_fmt(call->a, "/_matrix/federation/v1/backfill/%.*s?v=%.*s&limit=%zu",
                                STR_ARG(percent_write(call->a, room->id)),
                                STR_ARG(percent_write(call->a, event_id)), limit);
    *asked = true;
    TRY(call_send(hs, call, "GET", path, NULL, CALL_TIMEOUT_MS));
    return req_park(req, resume, -1, false);
}

/* Backfill: the events below a gap, from one server after the other until one has them. */
#include "fed/backfill.h"

#include "base/encode.h"
#include "base/map.h"
#include "engine/call.h"
#include "engine/door.h"
#include "engine/gap.h"
#include "engine/gate.h"
#include "fed/incoming.h"
#include "fed/nearby.h"

enum {
    CALL_TIMEOUT_MS = 10000,
    GIVE_UP_MS = 25000, /* no further server is asked for one request */
    EVENTS_MIN = 20,
    EVENTS_MAX = 100,
    ENDS_MAX = 16, /* events at one gap */
    GAPS_MAX = 4,  /* that one answer reaches across */
};

/* In the arena of the parked request. */
struct backfill {
    int64_t room, position; /* of the gap */
    size_t limit;
    int64_t started_ms;
    resume_fn resume;
    struct strs servers;
    size_t tried;
    int64_t ends[ENDS_MAX]; /* the events at the gap */
    struct str ids[ENDS_MAX];
    size_t n_ends;
};

/* A call's. */
struct asked {
    uint64_t req;
    struct backfill *backfill; /* gone with the request */
};

/* What an answer holds of what lies below the gap. */
struct history {
    struct event *sorted[EVENTS_MAX]; /* newest first, as places are given going down */
    size_t n;
    struct map told;           /* by id, what is not sorted in */
    struct gap gaps[GAPS_MAX]; /* that they go into, newest first */
    size_t n_gaps;
};

static enum err parse(struct hs *hs, struct arena *a, struct room *room, const struct json *pdus,
                      struct history *h)
{
    size_t n = 0;
    map_init_in(&h->told, a);
    for (const struct json *p = json_first(pdus); p != NULL && n < EVENTS_MAX; p = json_next(p)) {
        struct event *ev;
        const char *why;
        TRY(incoming_parse(hs, a, room, json_copy(a, p), &ev, &why));
        if (ev != NULL && map_get(&h->told, ev->id) == NULL) {
            map_put(&h->told, ev->id, ev);
            n++;
        }
    }
    return ERR_NONE;
}

static void sort_in(struct history *h, struct event *ev)
{
    size_t k = h->n;
    while (k > 0 && h->sorted[k - 1]->depth < ev->depth) {
        h->sorted[k] = h->sorted[k - 1];
        k--;
    }
    h->sorted[k] = ev;
    h->n++;
}

/* What one of the events at the gap follows, or what that follows: anything else has another place,
 * whoever puts it here. */
static enum err find_ancestors(struct hs *hs, const struct backfill *b, struct history *h)
{
    const struct event *stack[ENDS_MAX + EVENTS_MAX];
    size_t depth = 0;
    for (size_t i = 0; i < b->n_ends; i++) {
        struct stored *end;
        TRY(event_get(hs, b->ends[i], &end));
        stack[depth++] = end->ev;
    }
    while (depth > 0) {
        const struct strs prev = stack[--depth]->prev_events;
        for (size_t i = 0; i < prev.n; i++) {
            struct event *ev = map_remove(&h->told, prev.at[i]);
            if (ev != NULL) {
                sort_in(h, ev);
                stack[depth++] = ev;
            }
        }
    }
    return ERR_NONE;
}

/* Does it follow an event that is not here, or only as part of a state? One that was told badly
 * another server may tell well. */
static enum err has_gap(struct hs *hs, const struct event *ev, bool *has)
{
    *has = false;
    for (size_t k = 0; k < ev->prev_events.n && !*has; k++) {
        struct stored *prev;
        enum err err = event_find(hs, ev->prev_events.at[k], &prev);
        if (err != ERR_ABSENT) {
            TRY(err);
        }
        *has = err == ERR_ABSENT || prev->is_outlier;
    }
    return ERR_NONE;
}

/* Where history that crosses what is here already goes on: below the gap of the older stay. */
static enum err cross(struct hs *hs, struct history *h, const struct event *ev)
{
    struct stored *s;
    struct gap *gap = &h->gaps[h->n_gaps - 1];
    enum err err = event_find(hs, ev->id, &s);
    if (err == ERR_ABSENT || (err == ERR_NONE && (!s->has_position || s->position >= gap->next))) {
        return ERR_NONE;
    }
    TRY(err);
    if (h->n_gaps == GAPS_MAX) {
        return ERR_NONE;
    }
    err = gap_find(hs, gap->room, s->position, &gap[1]);
    h->n_gaps += err == ERR_NONE;
    return err == ERR_ABSENT ? ERR_NONE : err;
}

/* What the events cite as outliers first, so that each can be decided; then each to its place. */
static enum err admit(struct hs *hs, struct room *room, struct history *h, struct arena *a,
                      const struct json *pdus)
{
    TRY(incoming_outliers(hs, room, pdus, a));
    for (size_t i = 0; i < h->n; i++) {
        struct verdict verdict;
        TRY(cross(hs, h, h->sorted[i]));
        TRY(door_admit_old(hs, room, h->sorted[i], DOOR_STATE_FROM_PREV, &h->gaps[h->n_gaps - 1],
                           &verdict));
    }
    return ERR_NONE;
}

/* The events at the gap that cite nothing unknown any more are at none. */
static enum err close_ends(struct hs *hs, const struct backfill *b, bool *closed)
{
    *closed = false;
    for (size_t i = 0; i < b->n_ends; i++) {
        struct stored *s;
        bool open;
        TRY(event_get(hs, b->ends[i], &s));
        TRY(has_gap(hs, s->ev, &open));
        if (!open) {
            *closed = true;
            TRY(store_run(hs->store, STMT_GAP_DROP, "ii", b->room, s->nid));
        }
    }
    return ERR_NONE;
}

/* A new event that cites what is not here stands at the gap it was fetched into. */
static enum err open_end(struct hs *hs, const struct history *h, const struct event *ev)
{
    struct stored *s;
    bool open;
    enum err err = event_find(hs, ev->id, &s);
    if (err == ERR_ABSENT || (err == ERR_NONE && !s->has_position)) {
        return ERR_NONE;
    }
    TRY(err);
    TRY(has_gap(hs, s->ev, &open));
    for (size_t k = 0; open && k < h->n_gaps; k++) {
        if (s->position >= h->gaps[k].position && s->position < h->gaps[k].top) {
            return gap_put(hs, s, h->gaps[k].position);
        }
    }
    return ERR_NONE;
}

/* The gaps are now below what came. */
static enum err move_gaps(struct hs *hs, const struct backfill *b, struct history *h, bool *moved)
{
    TRY(close_ends(hs, b, moved));
    for (size_t i = 0; i < h->n_gaps; i++) {
        *moved = *moved || h->gaps[i].next != h->gaps[i].position;
        TRY(gap_move(hs, &h->gaps[i]));
    }
    for (size_t i = 0; i < h->n; i++) {
        TRY(open_end(hs, h, h->sorted[i]));
    }
    return ERR_NONE;
}

static enum err take(struct hs *hs, struct call *call, const struct backfill *b,
                     const struct json *pdus, bool *moved)
{
    struct room *room;
    struct history *h = ARENA_NEW(call->a, struct history);
    enum err err = gap_find(hs, b->room, b->position, &h->gaps[0]);
    if (err == ERR_ABSENT) { /* another request has filled it meanwhile */
        *moved = true;
        return ERR_NONE;
    }
    TRY(err);
    h->n_gaps = 1;
    TRY(room_get(hs, b->room, &room));
    TRY(parse(hs, call->a, room, pdus, h));
    TRY(find_ancestors(hs, b, h));
    TRY(admit(hs, room, h, call->a, pdus));
    return move_gaps(hs, b, h, moved);
}

/* --- whom to ask ----------------------------------------------------------------------------- */

static enum err ask(struct hs *hs, const struct req *req, struct backfill *b);

static enum err on_history(struct hs *hs, struct call *call, int status, struct json *body,
                           const char *why)
{
    const struct asked *asked = call->ctx;
    struct req *req = gate_find(hs, asked->req);
    bool moved = false;
    if (req == NULL) {
        return ERR_NONE;
    }
    struct backfill *b = asked->backfill;
    const struct json *pdus = status == 200 ? json_get_array(body, "pdus") : NULL;
    if (pdus == NULL) {
        hs_log(hs, LOG_INFO, "backfill from %.*s failed: %d %s", STR_ARG(call->server), status,
               why);
    } else {
        TRY(take(hs, call, b, pdus, &moved));
    }
    bool is_late = hs->now.mono_ms - b->started_ms >= GIVE_UP_MS;
    if (!moved && !is_late && b->tried < b->servers.n) {
        return ask(hs, req, b);
    }
    TRY(b->resume(hs, req, false));
    return req->reply.status == 0 ? ERR_NONE : gate_finish(hs, req);
}

static enum err ask(struct hs *hs, const struct req *req, struct backfill *b)
{
    struct call *call = call_new(hs, b->servers.at[b->tried], on_history);
    struct room *room;
    struct buf path;
    struct asked *asked = ARENA_NEW(call->a, struct asked);
    *asked = (struct asked){req->id, b};
    call->ctx = asked;
    b->tried++;
    enum err err = room_get(hs, b->room, &room);
    if (err != ERR_NONE) {
        arena_free(call->a);
        return err;
    }
    buf_init_in(&path, call->a, HTTP_HEAD_MAX);
    buf_add_fmt(&path, "/_matrix/federation/v1/backfill/%.*s?limit=%zu",
                STR_ARG(percent_write(call->a, room->id)), b->limit);
    for (size_t i = 0; i < b->n_ends; i++) {
        buf_add_fmt(&path, "&v=%.*s", STR_ARG(percent_write(call->a, b->ids[i])));
    }
    return call_send(hs, call, "GET", buf_str(&path), NULL, CALL_TIMEOUT_MS);
}

/* The events at the gap; none: there is no gap. */
static enum err find_ends(struct hs *hs, struct arena *a, const struct backfill_ask *want,
                          struct backfill *b)
{
    struct gap gap;
    struct query q;
    enum err err = gap_find(hs, want->room->nid, want->position, &gap);
    if (err == ERR_ABSENT) {
        return ERR_NONE;
    }
    TRY(err);
    b->position = gap.position;
    query_start(&q, hs->store, STMT_GAP_LIST, "iii", b->room, b->position, (int64_t)ENDS_MAX);
    while (b->n_ends < ENDS_MAX && query_next(&q)) {
        b->ends[b->n_ends] = query_int(&q, 0);
        b->ids[b->n_ends] = query_str(&q, a, 1);
        b->n_ends++;
    }
    return query_end(&q);
}

enum err backfill_remote(struct hs *hs, struct req *req, const struct backfill_ask *want,
                         bool *asked)
{
    struct backfill *b = ARENA_NEW(req->a, struct backfill);
    *asked = false;
    *b = (struct backfill){
        .room = want->room->nid, .started_ms = hs->now.mono_ms, .resume = want->resume};
    b->limit = want->limit < EVENTS_MIN ? EVENTS_MIN : want->limit;
    b->limit = b->limit > EVENTS_MAX ? EVENTS_MAX : b->limit;
    TRY(find_ends(hs, req->a, want, b));
    if (b->n_ends > 0) {
        TRY(nearby_servers(hs, req->a, b->room, &b->servers));
    }
    if (b->servers.n == 0) {
        return ERR_NONE;
    }
    *asked = true;
    TRY(ask(hs, req, b));
    return req_park(req, want->resume, -1, false);
}

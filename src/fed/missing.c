/* One fetch per room at a time; its truth is the table `waiting`. */
#include "fed/missing.h"

#include "base/encode.h"
#include "engine/call.h"
#include "fed/incoming.h"
#include "fed/state_take.h"

enum {
    ROOMS_MAX = 256,
    SERVERS_MAX = 32,
    WAITING_MAX = 500,
    RETRY_MS = 5000,
    CALL_TIMEOUT_MS = 20000
};

enum stage {
    STAGE_EVENTS, /* get_missing_events */
    STAGE_AUTH,   /* event_auth */
    STAGE_STATE,  /* state and event of what comes before, once for each that is missing */
    STAGE_END = STAGE_STATE + EVENT_PREV_MAX,
};

struct fetch {
    int64_t room;
    size_t failures; /* servers that did not answer, since the last that did */
    bool in_flight, is_due;
    uint64_t call; /* in flight */
    int64_t retry_ms;
};

struct missing {
    struct fetch at[ROOMS_MAX];
    size_t n;
};

struct missing *missing_new(void)
{
    return base_alloc(sizeof(struct missing));
}

void missing_free(struct missing *m)
{
    base_free(m);
}

static struct fetch *find(struct missing *m, int64_t room)
{
    for (size_t i = 0; i < m->n; i++) {
        if (m->at[i].room == room) {
            return &m->at[i];
        }
    }
    return NULL;
}

static void due(struct hs *hs, int64_t room, int64_t at_ms)
{
    struct missing *m = hs->missing;
    struct fetch *f = find(m, room);
    if (f == NULL && m->n < ROOMS_MAX) {
        f = &m->at[m->n];
        m->n++;
        *f = (struct fetch){.room = room};
    }
    if (f != NULL) {
        f->is_due = true;
        f->retry_ms = at_ms;
    }
}

enum err missing_load(struct hs *hs)
{
    struct query q;
    query_start(&q, hs->store, STMT_WAITING_ROOMS, "");
    while (query_next(&q)) {
        due(hs, query_int(&q, 0), hs->now.mono_ms + RETRY_MS);
    }
    return query_end(&q);
}

int64_t missing_next_ms(const struct hs *hs)
{
    int64_t next = -1;
    for (size_t i = 0; i < hs->missing->n; i++) {
        const struct fetch *f = &hs->missing->at[i];
        if (f->is_due && !f->in_flight && (next < 0 || f->retry_ms < next)) {
            next = f->retry_ms;
        }
    }
    return next;
}

enum err missing_fetch(struct hs *hs, struct str origin, struct room *room, const struct event *ev)
{
    int64_t n;
    TRY(store_get_int(hs->store, &n, 0, STMT_WAITING_COUNT, "i", room->nid));
    if (n >= WAITING_MAX) {
        hs_log(hs, LOG_WARN, "room %.*s: too many events wait, %.*s is dropped", STR_ARG(room->id),
               STR_ARG(ev->id));
        return ERR_NONE;
    }
    TRY(store_run(hs->store, STMT_WAITING_PUT, "titit", ev->id, room->nid, origin, ev->depth,
                  ev->json));
    due(hs, room->nid, hs->now.mono_ms);
    return ERR_NONE;
}

/* --- one step -------------------------------------------------------------------------------- */

struct step {
    int64_t room;
    struct str event_id, wanted; /* the event that waits; what STAGE_STATE asks for */
    int64_t stage;
};

static enum err on_events(struct hs *hs, struct call *call, int status, struct json *body,
                          const char *why);

static struct str events_path(struct arena *a, const char *what, struct room *room,
                              struct str event_id)
{
    return arena_fmt(a, "/_matrix/federation/v1/%s/%.*s/%.*s", what,
                     STR_ARG(percent_write(a, room->id)), STR_ARG(percent_write(a, event_id)));
}

/* Of the event behind which history is not fetched before somebody reads so far; 0: there is none.
 */
static enum err gap_depth(struct hs *hs, const struct room *room, int64_t *depth)
{
    struct query q;
    struct stored *gap;
    *depth = 0;
    enum err err = query_one(&q, hs->store, STMT_GAP_LIST, "ii", room->nid, (int64_t)1);
    if (err == ERR_ABSENT) {
        return ERR_NONE;
    }
    TRY(err);
    int64_t event = query_int(&q, 0);
    TRY(query_end(&q));
    TRY(event_get(hs, event, &gap));
    *depth = gap->ev->depth > FETCH_DEPTH_MAX ? gap->ev->depth - FETCH_DEPTH_MAX : 0;
    return ERR_NONE;
}

static enum err ask_events(struct hs *hs, struct call *call, struct room *room,
                           const struct event *ev)
{
    struct arena *a = call->a;
    struct query q;
    int64_t depth;
    struct json *body = json_object(a);
    struct json *earliest = json_put_array(body, STR("earliest_events"));
    query_start(&q, hs->store, STMT_EXTREMITY_LIST, "i", room->nid);
    while (query_next(&q)) {
        json_push_text(earliest, query_str(&q, a, 1));
    }
    TRY(query_end(&q));
    json_push_text(json_put_array(body, STR("latest_events")), ev->id);
    json_put_int(body, "limit", MISSING_EVENTS_MAX);
    TRY(gap_depth(hs, room, &depth));
    json_put_int(body, "min_depth", depth);
    struct str path = arena_fmt(a, "/_matrix/federation/v1/get_missing_events/%.*s",
                                STR_ARG(percent_write(a, room->id)));
    return call_send(hs, call, "POST", path, body, CALL_TIMEOUT_MS);
}

/* The event that waits, and how far its fetch has come. */
struct waiting {
    const struct event *ev;
    struct str origin;
    int64_t stage;
    struct strs absent;
};

/* Who sent it; where that one does not answer, the others in the room in turn. */
static enum err choose_server(struct hs *hs, const struct fetch *f, struct str origin,
                              struct str *server)
{
    struct query q;
    size_t n = 0;
    struct str names[SERVERS_MAX];
    *server = origin;
    query_start(&q, hs->store, STMT_MEMBER_SERVERS, "i", f->room);
    while (n < SERVERS_MAX && query_next(&q)) {
        names[n] = query_str(&q, hs->turn, 1);
        n += !str_eq(names[n], hs->identity.server) && !str_eq(names[n], origin);
    }
    TRY(query_end(&q));
    size_t turn = f->failures % (n + 1);
    *server = turn == 0 ? origin : names[turn - 1];
    return ERR_NONE;
}

static enum err ask(struct hs *hs, struct fetch *f, struct room *room, const struct waiting *w)
{
    struct str server;
    TRY(choose_server(hs, f, w->origin, &server));
    struct call *call = call_new(hs, server, on_events);
    struct step *step = ARENA_NEW(call->a, struct step);
    *step = (struct step){.room = room->nid, .stage = w->stage};
    step->event_id = arena_str(call->a, w->ev->id);
    call->ctx = step;
    f->in_flight = true;
    f->call = call->id;
    if (w->stage == STAGE_EVENTS) {
        return ask_events(hs, call, room, w->ev);
    }
    if (w->stage == STAGE_AUTH) {
        return call_send(hs, call, "GET", events_path(call->a, "event_auth", room, w->ev->id), NULL,
                         CALL_TIMEOUT_MS);
    }
    size_t i = (size_t)(w->stage - STAGE_STATE) % w->absent.n;
    step->wanted = arena_str(call->a, w->absent.at[i]);
    struct str path = arena_fmt(call->a, "/_matrix/federation/v1/state/%.*s?event_id=%.*s",
                                STR_ARG(percent_write(call->a, room->id)),
                                STR_ARG(percent_write(call->a, step->wanted)));
    return call_send(hs, call, "GET", path, NULL, CALL_TIMEOUT_MS);
}

/* Tries the oldest that waits. *more: it is decided, look at the next. */
static enum err try_oldest(struct hs *hs, struct fetch *f, bool *more)
{
    struct query q;
    struct room *room;
    struct event *ev;
    struct verdict verdict;
    *more = false;
    enum err err = query_one(&q, hs->store, STMT_WAITING_NEXT, "i", f->room);
    if (err == ERR_ABSENT) {
        return ERR_NONE;
    }
    TRY(err);
    struct str id = query_str(&q, hs->turn, 0);
    struct str origin = query_str(&q, hs->turn, 1);
    int64_t stage = query_int(&q, 2);
    struct str text = query_str(&q, hs->turn, 3);
    TRY(query_end(&q));
    TRY(room_get(hs, f->room, &room));
    TRY(event_load(hs->turn, room->version, id, text, &ev));
    TRY(door_admit(hs, room, ev, ARRIVAL_NEW, DOOR_STATE_FROM_PREV, &verdict));
    if (verdict.kind == VERDICT_MISSING && stage != STAGE_END) {
        struct waiting waiting = {ev, origin, stage, verdict.missing};
        TRY(store_run(hs->store, STMT_WAITING_STAGE, "it", stage + 1, id));
        return ask(hs, f, room, &waiting);
    }
    if (verdict.kind == VERDICT_MISSING) {
        hs_log(hs, LOG_WARN, "event %.*s: nobody has what it cites; dropped", STR_ARG(id));
    }
    *more = true;
    return store_run(hs->store, STMT_WAITING_DROP, "t", id);
}

enum err missing_turn(struct hs *hs)
{
    for (size_t i = 0; i < hs->missing->n; i++) {
        struct fetch *f = &hs->missing->at[i];
        if (f->in_flight && !call_is_open(hs, f->call)) { /* its input was rolled back */
            f->in_flight = false;
            f->is_due = true;
        }
        if (!f->is_due || f->in_flight || hs->now.mono_ms < f->retry_ms) {
            continue;
        }
        bool more = true;
        f->is_due = false;
        for (int n = 0; more && n < WAITING_MAX; n++) {
            TRY(try_oldest(hs, f, &more));
        }
    }
    return ERR_NONE;
}

/* --- what comes back ------------------------------------------------------------------------- */

/* What these cite in turn is asked of the server that answered: it has them, whoever sent them. */
static enum err admit_in_order(struct hs *hs, const struct call *call, struct room *room,
                               const struct json *events)
{
    struct arena *a = call->a;
    struct event *sorted[MISSING_EVENTS_MAX * 2];
    size_t n = 0;
    for (const struct json *e = json_first(events); e != NULL; e = json_next(e)) {
        struct event *ev;
        const char *why;
        TRY(incoming_parse(hs, a, room, json_copy(a, e), &ev, &why));
        if (ev == NULL || n == COUNT_OF(sorted)) {
            continue;
        }
        size_t k = n;
        while (k > 0 && sorted[k - 1]->depth > ev->depth) {
            sorted[k] = sorted[k - 1];
            k--;
        }
        sorted[k] = ev;
        n++;
    }
    for (size_t i = 0; i < n; i++) {
        struct verdict verdict;
        TRY(door_admit(hs, room, sorted[i], ARRIVAL_NEW, DOOR_STATE_FROM_PREV, &verdict));
        if (verdict.kind == VERDICT_MISSING) {
            TRY(missing_fetch(hs, call->server, room, sorted[i]));
        }
    }
    return ERR_NONE;
}

/* An event that is asked for together with the state before it. */
struct placed {
    int64_t room, before;
    struct str event_id;
};

static enum err on_event(struct hs *hs, struct call *call, int status, struct json *body,
                         const char *why);

/* The state before the event that is wanted; now the event itself. */
static enum err take_state(struct hs *hs, struct call *call, struct room *room,
                           const struct json *body)
{
    const struct step *step = call->ctx;
    struct call *next = call_new(hs, call->server, on_event);
    int64_t snapshot;
    enum err err = state_take(hs, room, body, call->a, &snapshot);
    if (err != ERR_NONE || snapshot == 0) {
        arena_free(next->a);
        return err;
    }
    struct placed *placed = ARENA_NEW(next->a, struct placed);
    *placed = (struct placed){room->nid, snapshot, arena_str(next->a, step->wanted)};
    next->ctx = placed;
    struct fetch *f = find(hs->missing, room->nid);
    if (f != NULL) {
        f->in_flight = true;
        f->call = next->id;
    }
    struct str path = arena_fmt(next->a, "/_matrix/federation/v1/event/%.*s",
                                STR_ARG(percent_write(next->a, step->wanted)));
    return call_send(hs, next, "GET", path, NULL, CALL_TIMEOUT_MS);
}

/* An event whose state before it is known: it stands in the timeline behind a gap. */
static enum err on_event(struct hs *hs, struct call *call, int status, struct json *body,
                         const char *why)
{
    const struct placed *placed = call->ctx;
    struct room *room;
    struct event *ev = NULL;
    struct verdict verdict;
    int64_t depth;
    (void)status;
    TRY(room_get(hs, placed->room, &room));
    struct fetch *f = find(hs->missing, room->nid);
    if (f != NULL) {
        f->in_flight = false;
    }
    due(hs, room->nid, hs->now.mono_ms);
    const struct json *pdu = json_first(json_get_array(body, "pdus"));
    if (pdu != NULL) {
        TRY(incoming_parse(hs, call->a, room, json_copy(call->a, pdu), &ev, &why));
    }
    if (ev == NULL || !str_eq(ev->id, placed->event_id)) {
        return ERR_NONE;
    }
    TRY(gap_depth(hs, room, &depth));
    enum arrival how = ev->depth < depth ? ARRIVAL_OLD : ARRIVAL_NEW;
    TRY(door_admit(hs, room, ev, how, placed->before, &verdict));
    struct stored *s;
    enum err err = event_find(hs, ev->id, &s);
    if (err == ERR_NONE && s->has_position) {
        return store_run(hs->store, STMT_GAP_PUT, "iii", room->nid, s->nid, s->position);
    }
    return err == ERR_ABSENT ? ERR_NONE : err;
}

static enum err on_events(struct hs *hs, struct call *call, int status, struct json *body,
                          const char *why)
{
    const struct step *step = call->ctx;
    struct room *room;
    struct fetch *f = find(hs->missing, step->room);
    assert(f != NULL);
    f->in_flight = false;
    TRY(room_get(hs, step->room, &room));
    if (status == 0) { /* nobody there: the same stage again, later */
        hs_log(hs, LOG_INFO, "room %.*s: fetch from %.*s failed: %s", STR_ARG(room->id),
               STR_ARG(call->server), why);
        due(hs, step->room, hs->now.mono_ms + RETRY_MS);
        return store_run(hs->store, STMT_WAITING_STAGE, "it", (int64_t)step->stage, step->event_id);
    }
    due(hs, step->room, hs->now.mono_ms);
    if (status != 200) {
        return ERR_NONE;
    }
    if (step->stage == STAGE_EVENTS) {
        return admit_in_order(hs, call, room, json_get_array(body, "events"));
    }
    if (step->stage == STAGE_AUTH) {
        return incoming_outliers(hs, room, json_get_array(body, "auth_chain"), call->a);
    }
    return take_state(hs, call, room, body);
}

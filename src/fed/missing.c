/* One fetch per room at a time; its truth is the table `waiting`. */
#include "fed/missing.h"

#include "base/encode.h"
#include "engine/call.h"
#include "engine/current.h"
#include "engine/gap.h"
#include "engine/input.h"
#include "fed/attempt.h"
#include "fed/incoming.h"
#include "fed/state_take.h"

#include <string.h>

enum {
    ROOMS_MAX = 256,
    SERVERS_MAX = 32,
    WAITING_MAX = 500,
    HELD_OF_ORIGIN_MAX = 100, /* events of one server kept while we join */
    STRANGERS_EVENTS_MAX = 16,
    ROUNDS_MAX = 3,
    ASKED_MAX = 8, /* servers, for one stage of one event */
    RETRY_MS = 5000,
    RETRY_MAX_MS = 300000,
    CALL_TIMEOUT_MS = 20000
};

enum stage {
    STAGE_EVENTS, /* get_missing_events */
    STAGE_AUTH,   /* event_auth */
    STAGE_STATE,  /* state and event of what comes before, once for each that is missing */
    STAGE_END = STAGE_STATE + EVENT_PREV_MAX,
};

struct fetch {
    int64_t room;             /* 0: a free place */
    size_t turn, servers;     /* whose turn it is to be asked, of how many */
    char event[EVENT_ID_MAX]; /* of which, and at which stage, this is true: */
    size_t event_n;
    int64_t stage;
    size_t asked;                 /* in vain */
    bool is_answered, is_partial; /* by one of them; one could not be reached */
    struct attempt attempt;
    uint64_t join; /* the send_join that lets us in; 0: we are in */
};

struct missing {
    struct fetch at[ROOMS_MAX];
    size_t n;
    bool has_more; /* rooms with waiting events found no place */
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

static bool is_free(const struct hs *hs, const struct fetch *f)
{
    return attempt_is_idle(&f->attempt) && (f->join == 0 || !call_is_open(hs, f->join));
}

static bool has_room(const struct hs *hs)
{
    const struct missing *m = hs->missing;
    bool has = m->n < ROOMS_MAX;
    for (size_t i = 0; !has && i < m->n; i++) {
        has = is_free(hs, &m->at[i]);
    }
    return has;
}

/* The room's place, or that of one with nothing to fetch. NULL: all are busy; its events wait. */
static struct fetch *make(struct hs *hs, int64_t room)
{
    struct missing *m = hs->missing;
    struct fetch *f = find(m, room);
    for (size_t i = 0; f == NULL && i < ROOMS_MAX; i++) {
        if (i == m->n || is_free(hs, &m->at[i])) {
            f = &m->at[i];
            m->n += i == m->n;
            *f = (struct fetch){.room = room};
        }
    }
    m->has_more = m->has_more || f == NULL;
    return f;
}

static void due(struct hs *hs, int64_t room, int64_t at_ms)
{
    struct fetch *f = make(hs, room);
    if (f != NULL) {
        attempt_due(&f->attempt, at_ms);
    }
}

enum err missing_load(struct hs *hs)
{
    struct query q;
    hs->missing->has_more = false;
    query_start(&q, hs->store, STMT_WAITING_ROOMS, "");
    while (query_next(&q)) {
        due(hs, query_int(&q, 0), hs->now.mono_ms);
    }
    return query_end(&q);
}

int64_t missing_next_ms(const struct hs *hs)
{
    int64_t next = -1;
    for (size_t i = 0; i < hs->missing->n; i++) {
        next = attempt_next_ms(&hs->missing->at[i].attempt, next);
    }
    return next;
}

void missing_seen(struct hs *hs)
{
    for (size_t i = 0; i < hs->missing->n; i++) {
        attempt_hasten(hs, &hs->missing->at[i].attempt);
    }
}

/* Of one server at most max; its newest push out its oldest, which they lead back to. */
static enum err put(struct hs *hs, struct str origin, const struct room *room,
                    const struct event *ev, int64_t max)
{
    int64_t all;
    int64_t of_origin;
    TRY(store_get_int(hs->store, &all, 0, STMT_WAITING_COUNT, "i", room->nid));
    TRY(store_get_int(hs->store, &of_origin, 0, STMT_WAITING_OF_ORIGIN, "it", room->nid, origin));
    if (of_origin >= max || (all >= WAITING_MAX && of_origin > 0)) {
        TRY(store_run(hs->store, STMT_WAITING_EVICT, "it", room->nid, origin));
    } else if (all >= WAITING_MAX) {
        hs_log(hs, LOG_WARN, "room %.*s: too many events wait, %.*s is dropped", STR_ARG(room->id),
               STR_ARG(ev->id));
        return ERR_NONE;
    }
    return store_run(hs->store, STMT_WAITING_PUT, "titit", ev->id, room->nid, origin, ev->depth,
                     ev->json);
}

/* A few events of a server that is not joined may wait: its join may still be on its way. */
enum err missing_fetch(struct hs *hs, struct str origin, struct room *room, const struct event *ev)
{
    int64_t name;
    int64_t user;
    TRY(store_name_find(hs->store, origin, &name));
    TRY(store_get_int(hs->store, &user, 0, STMT_MEMBER_OF_SERVER, "ii", room->nid, name));
    TRY(put(hs, origin, room, ev, user != 0 ? WAITING_MAX : STRANGERS_EVENTS_MAX));
    due(hs, room->nid, hs->now.mono_ms);
    return ERR_NONE;
}

/* --- while we join --------------------------------------------------------------------------- */

void missing_hold(struct hs *hs, struct room *room, uint64_t call)
{
    struct fetch *f = make(hs, room->nid);
    if (f != NULL) {
        f->join = call;
    }
}

bool missing_is_held(const struct hs *hs, const struct room *room)
{
    const struct fetch *f = find(hs->missing, room->nid);
    return f != NULL && f->join != 0 && call_is_open(hs, f->join);
}

enum err missing_keep(struct hs *hs, struct str origin, struct room *room, const struct event *ev)
{
    return put(hs, origin, room, ev, HELD_OF_ORIGIN_MAX);
}

void missing_landed(struct hs *hs, const struct room *room)
{
    due(hs, room->nid, hs->now.mono_ms);
}

enum err missing_forget(struct hs *hs, const struct room *room)
{
    return store_run(hs->store, STMT_WAITING_DROP_ROOM, "i", room->nid);
}

/* --- one step -------------------------------------------------------------------------------- */

struct step {
    int64_t room;
    struct str event_id, wanted; /* the event that waits; what STAGE_STATE asks for */
    int64_t stage;
};

static enum err on_events(struct hs *hs, struct call *call, int status, struct json *body,
                          const char *why);

/* Of the event behind which history is not fetched before somebody reads so far; 0: none. */
static enum err gap_depth(struct hs *hs, const struct room *room, int64_t *depth)
{
    struct query q;
    struct stored *gap;
    *depth = 0;
    enum err err = query_one(&q, hs->store, STMT_GAP_BELOW, "ii", room->nid, INT64_MAX);
    if (err == ERR_ABSENT) {
        return ERR_NONE;
    }
    TRY(err);
    int64_t event = query_int(&q, 1);
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

/* Who sent it; where that one has no answer, the others in the room in turn. */
static enum err choose_server(struct hs *hs, struct fetch *f, struct str origin, struct str *server)
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
    f->servers = n + 1;
    f->turn %= f->servers;
    *server = f->turn == 0 ? origin : names[f->turn - 1];
    return ERR_NONE;
}

static void forget_asked(struct fetch *f)
{
    f->asked = 0;
    f->is_answered = f->is_partial = false;
}

/* Another event may have become the oldest since somebody was asked. */
static void begin_stage(struct fetch *f, const struct waiting *w)
{
    if (f->stage != w->stage || !str_eq(str_make(f->event, f->event_n), w->ev->id)) {
        forget_asked(f);
        f->stage = w->stage;
        f->event_n = w->ev->id.n < sizeof(f->event) ? w->ev->id.n : sizeof(f->event);
        memcpy(f->event, w->ev->id.p, f->event_n);
    }
}

static enum err ask(struct hs *hs, struct fetch *f, struct room *room, const struct waiting *w)
{
    struct str server;
    begin_stage(f, w);
    TRY(choose_server(hs, f, w->origin, &server));
    struct call *call = call_new(hs, server, on_events);
    struct step *step = ARENA_NEW(call->a, struct step);
    *step = (struct step){.room = room->nid, .stage = w->stage};
    step->event_id = arena_str(call->a, w->ev->id);
    call->ctx = step;
    attempt_begin(&f->attempt, call->id);
    if (w->stage == STAGE_EVENTS) {
        return ask_events(hs, call, room, w->ev);
    }
    struct str room_id = percent_write(call->a, room->id);
    if (w->stage == STAGE_AUTH) {
        struct str path = arena_fmt(call->a, "/_matrix/federation/v1/event_auth/%.*s/%.*s",
                                    STR_ARG(room_id), STR_ARG(percent_write(call->a, w->ev->id)));
        return call_send(hs, call, "GET", path, NULL, CALL_TIMEOUT_MS);
    }
    size_t i = (size_t)(w->stage - STAGE_STATE) % w->absent.n;
    step->wanted = arena_str(call->a, w->absent.at[i]);
    struct str path = arena_fmt(call->a, "/_matrix/federation/v1/state/%.*s?event_id=%.*s",
                                STR_ARG(room_id), STR_ARG(percent_write(call->a, step->wanted)));
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
    f->attempt.failures = 0;
    return store_run(hs->store, STMT_WAITING_DROP, "t", id);
}

/* An input of its own. */
static enum err try_room(struct hs *hs, void *ctx)
{
    struct fetch *f = ctx;
    bool more = true;
    bool is_joined;
    TRY(current_is_joined(hs, f->room, &is_joined));
    if (!is_joined) {
        attempt_rest(&f->attempt);
        if (f->join != 0 && call_is_open(hs, f->join)) {
            return ERR_NONE; /* what is kept for a join: missing_landed or missing_forget follows */
        }
        return store_run(hs->store, STMT_WAITING_DROP_ROOM, "i", f->room);
    }
    for (int n = 0; more && n < WAITING_MAX; n++) {
        TRY(try_oldest(hs, f, &more));
    }
    if (f->attempt.call == 0) {
        attempt_rest(&f->attempt);
    }
    return ERR_NONE;
}

void missing_turn(struct hs *hs)
{
    struct missing *m = hs->missing;
    if (m->has_more && has_room(hs)) {
        m->has_more = missing_load(hs) != ERR_NONE || m->has_more;
    }
    for (size_t i = 0; i < m->n && !hs->dead; i++) {
        struct fetch *f = &m->at[i];
        attempt_mend(hs, &f->attempt, 0);
        if (!attempt_is_ready(hs, &f->attempt)) {
            continue;
        }
        if (input_run(hs, try_room, f, "fetching events") != ERR_NONE) {
            attempt_failed(hs, &f->attempt, RETRY_MS, RETRY_MAX_MS);
        }
    }
}

/* --- what comes back ------------------------------------------------------------------------- */

/* The answer is here. *is_late: we have left the room meanwhile; what is told is no news. */
static enum err answered(struct hs *hs, struct fetch *f, bool *is_late)
{
    bool is_joined;
    TRY(current_is_joined(hs, f->room, &is_joined));
    *is_late = !is_joined;
    f->attempt.call = 0;
    attempt_due(&f->attempt, hs->now.mono_ms); /* try_room sees what becomes of what waits */
    return ERR_NONE;
}

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
        attempt_begin(&f->attempt, next->id);
    }
    struct str path = arena_fmt(next->a, "/_matrix/federation/v1/event/%.*s",
                                STR_ARG(percent_write(next->a, step->wanted)));
    return call_send(hs, next, "GET", path, NULL, CALL_TIMEOUT_MS);
}

/* At the front, with places between it and what is here. */
static enum err admit_behind(struct hs *hs, struct room *room, const struct event *ev,
                             int64_t before)
{
    struct verdict verdict;
    TRY(gap_open(hs, room));
    return door_admit(hs, room, ev, ARRIVAL_NEW, before, &verdict);
}

/* History that lies deeper than the newest gap. */
static enum err admit_below(struct hs *hs, struct room *room, const struct event *ev,
                            int64_t before)
{
    struct verdict verdict;
    struct gap gap;
    TRY(gap_find(hs, room->nid, INT64_MAX, &gap)); /* gap_depth found it */
    TRY(door_admit_old(hs, room, ev, before, &gap, &verdict));
    return gap_move(hs, &gap);
}

static enum err is_placed(struct hs *hs, const struct event *ev, struct stored **s, bool *placed)
{
    enum err err = event_find(hs, ev->id, s);
    *placed = err == ERR_NONE && (*s)->has_position;
    return err == ERR_ABSENT ? ERR_NONE : err;
}

static enum err place(struct hs *hs, struct room *room, const struct event *ev, int64_t before)
{
    struct stored *s;
    int64_t depth;
    bool was_placed, is_now;
    TRY(is_placed(hs, ev, &s, &was_placed));
    TRY(gap_depth(hs, room, &depth));
    TRY(ev->depth < depth ? admit_below(hs, room, ev, before) : admit_behind(hs, room, ev, before));
    TRY(is_placed(hs, ev, &s, &is_now));
    return is_now && !was_placed ? gap_put(hs, s, s->position) : ERR_NONE;
}

/* An event whose state before it is known: it stands in the timeline behind a gap. */
static enum err on_event(struct hs *hs, struct call *call, int status, struct json *body,
                         const char *why)
{
    const struct placed *placed = call->ctx;
    struct room *room;
    struct event *ev = NULL;
    bool is_late;
    (void)status;
    TRY(room_get(hs, placed->room, &room));
    struct fetch *f = find(hs->missing, room->nid);
    assert(f != NULL);
    attempt_succeeded(&f->attempt);
    TRY(answered(hs, f, &is_late));
    if (is_late) {
        return ERR_NONE;
    }
    const struct json *pdu = json_first(json_get_array(body, "pdus"));
    if (pdu != NULL) {
        TRY(incoming_parse(hs, call->a, room, json_copy(call->a, pdu), &ev, &why));
    }
    if (ev == NULL || !str_eq(ev->id, placed->event_id)) {
        return ERR_NONE;
    }
    return place(hs, room, ev, placed->before);
}

static bool is_helpful(const struct step *step, int status, const struct json *body)
{
    return status == 200 &&
           (step->stage != STAGE_EVENTS || json_count(json_get_array(body, "events")) > 0);
}

/* The same of the next server. When all were asked it is the next stage's turn or, where somebody
 * was not there (a few times; nobody: for ever), the same again later. Who refuses has not heard
 * yet that we are in the room. */
static enum err ask_next(struct hs *hs, struct fetch *f, const struct step *step, int status)
{
    bool has_answer = status != 0 && status != 403;
    f->turn++;
    f->asked++;
    f->is_answered = f->is_answered || has_answer;
    f->is_partial = f->is_partial || !has_answer;
    if (f->asked >= f->servers || f->asked >= ASKED_MAX) {
        bool is_over = f->is_answered && (!f->is_partial || f->attempt.failures >= ROUNDS_MAX);
        forget_asked(f);
        if (is_over) {
            f->attempt.failures = 0;
            return ERR_NONE;
        }
        attempt_failed(hs, &f->attempt, RETRY_MS, RETRY_MAX_MS);
    }
    return store_run(hs->store, STMT_WAITING_STAGE, "it", (int64_t)step->stage, step->event_id);
}

static enum err on_events(struct hs *hs, struct call *call, int status, struct json *body,
                          const char *why)
{
    const struct step *step = call->ctx;
    struct room *room;
    struct fetch *f = find(hs->missing, step->room);
    bool is_late;
    assert(f != NULL);
    TRY(room_get(hs, step->room, &room));
    TRY(answered(hs, f, &is_late));
    if (is_late) {
        return ERR_NONE;
    }
    if (!is_helpful(step, status, body)) {
        hs_log(hs, LOG_INFO, "room %.*s: fetch from %.*s: %d %s", STR_ARG(room->id),
               STR_ARG(call->server), status, why);
        return ask_next(hs, f, step, status);
    }
    forget_asked(f);
    f->attempt.failures = 0;
    if (step->stage == STAGE_EVENTS) {
        return admit_in_order(hs, call, room, json_get_array(body, "events"));
    }
    if (step->stage == STAGE_AUTH) {
        return incoming_outliers(hs, room, json_get_array(body, "auth_chain"), call->a);
    }
    return take_state(hs, call, room, body);
}

/* One fetch per room and server at a time, so that who sends what nobody can decide holds up only
 * himself; its truth is the table `waiting`. */
#include "fed/missing.h"

#include "base/encode.h"
#include "engine/call.h"
#include "engine/current.h"
#include "engine/door.h"
#include "engine/input.h"
#include "fed/attempt.h"
#include "fed/incoming.h"
#include "fed/placed.h"
#include "fed/state_take.h"
#include "fed/waiting.h"

#include <string.h>

enum {
    LANES_MAX = 256,
    SERVERS_MAX = 32,
    HELD_OF_ORIGIN_MAX = 100, /* events of one server kept while we join */
    OF_STRANGER_MAX = 16,
    TRIES_A_TURN = 20,
    ROUNDS_MAX = 3,
    ASKED_MAX = 8, /* servers, for one stage of one event */
    RETRY_MS = 5000,
    RETRY_MAX_MS = 300000,
    CALL_TIMEOUT_MS = 20000,
    PATIENCE_MS = 60000, /* with what is older, before a gap is left behind */
    LOOK_AGAIN_MS = 500
};

enum stage {
    STAGE_EVENTS, /* get_missing_events */
    STAGE_AUTH,   /* event_auth */
    STAGE_STATE,  /* state (its ids, then all of it if they say more than is here) and event of
                   * what comes before, once for each that is missing */
    STAGE_END = STAGE_STATE + EVENT_PREV_MAX,
};

struct fetch {
    int64_t room, origin;     /* whose events wait; 0: the join of the room */
    size_t turn, servers;     /* whose turn it is to be asked, of how many */
    char event[EVENT_ID_MAX]; /* of which, and at which stage, this is true: */
    size_t event_n;
    int64_t stage;
    size_t asked;                 /* in vain */
    bool is_answered, is_refused; /* by one of them */
    int64_t patient_until_ms;     /* 0: not waiting for what is older */
    bool is_partial;              /* one could not be reached, or refused */
    struct attempt attempt;
    uint64_t join; /* the send_join that lets us in; 0: we are in */
};

struct missing {
    struct fetch at[LANES_MAX];
    size_t n;
    bool has_more; /* lanes with waiting events found no place */
};

struct missing *missing_new(void)
{
    return base_alloc(sizeof(struct missing));
}

void missing_free(struct missing *m)
{
    base_free(m);
}

static struct fetch *find(struct missing *m, int64_t room, int64_t origin)
{
    for (size_t i = 0; i < m->n; i++) {
        if (m->at[i].room == room && m->at[i].origin == origin) {
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
    bool has = m->n < LANES_MAX;
    for (size_t i = 0; !has && i < m->n; i++) {
        has = is_free(hs, &m->at[i]);
    }
    return has;
}

/* The lane's place, or that of one with nothing to fetch. NULL: all are busy; its events wait. */
static struct fetch *make(struct hs *hs, int64_t room, int64_t origin)
{
    struct missing *m = hs->missing;
    struct fetch *f = find(m, room, origin);
    for (size_t i = 0; f == NULL && i < LANES_MAX; i++) {
        if (i == m->n || is_free(hs, &m->at[i])) {
            f = &m->at[i];
            m->n += i == m->n;
            *f = (struct fetch){.room = room, .origin = origin};
        }
    }
    m->has_more = m->has_more || f == NULL;
    return f;
}

static void due(struct hs *hs, int64_t room, int64_t origin)
{
    struct fetch *f = make(hs, room, origin);
    if (f != NULL) {
        attempt_due(&f->attempt, hs->now.mono_ms);
    }
}

static enum err due_all(struct hs *hs, struct query *lanes)
{
    while (query_next(lanes)) {
        due(hs, query_int(lanes, 0), query_int(lanes, 1));
    }
    return query_end(lanes);
}

enum err missing_load(struct hs *hs)
{
    struct query q;
    hs->missing->has_more = false;
    query_start(&q, hs->store, STMT_WAITING_LANES, "");
    return due_all(hs, &q);
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

/* A few events of a server that is not joined may wait: its join may still be on its way. */
enum err missing_fetch(struct hs *hs, struct str origin, struct room *room, const struct event *ev)
{
    int64_t name;
    int64_t user;
    struct str server = waiting_lane(hs, origin, ev);
    TRY(store_name(hs->store, server, &name));
    TRY(store_get_int(hs->store, &user, 0, STMT_MEMBER_OF_SERVER, "ii", room->nid, name));
    TRY(waiting_put(hs, server, room, ev, user != 0 ? WAITING_MAX : OF_STRANGER_MAX));
    due(hs, room->nid, name);
    return ERR_NONE;
}

/* --- while we join --------------------------------------------------------------------------- */

void missing_hold(struct hs *hs, struct room *room, uint64_t call)
{
    struct fetch *f = make(hs, room->nid, 0);
    if (f != NULL) {
        f->join = call;
    }
}

bool missing_is_held(const struct hs *hs, const struct room *room)
{
    const struct fetch *f = find(hs->missing, room->nid, 0);
    return f != NULL && f->join != 0 && call_is_open(hs, f->join);
}

/* Nothing of it is checked yet, so it waits in the lane of who told it. */
enum err missing_keep(struct hs *hs, struct str origin, struct room *room, const struct event *ev)
{
    bool has;
    TRY(waiting_has(hs, ev->id, &has));
    return has ? ERR_NONE : waiting_put(hs, origin, room, ev, HELD_OF_ORIGIN_MAX);
}

enum err missing_landed(struct hs *hs, const struct room *room)
{
    struct query q;
    query_start(&q, hs->store, STMT_WAITING_LANES_OF, "i", room->nid);
    return due_all(hs, &q);
}

enum err missing_forget(struct hs *hs, const struct room *room)
{
    return waiting_drop_room(hs, room->nid);
}

/* --- one step -------------------------------------------------------------------------------- */

struct step {
    int64_t room, origin;
    struct str event_id, wanted; /* the event that waits; what STAGE_STATE asks for */
    struct strs absent;          /* what it cites */
    int64_t stage;
    bool is_whole; /* of STAGE_STATE: events, not their ids alone */
};

static enum err on_events(struct hs *hs, struct call *call, int status, struct json *body,
                          const char *why);

static enum err ask_events(struct hs *hs, struct call *call, struct room *room,
                           const struct step *step)
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
    json_push_text(json_put_array(body, STR("latest_events")), step->event_id);
    json_put_int(body, "limit", MISSING_EVENTS_MAX);
    TRY(placed_floor(hs, room, &depth));
    json_put_int(body, "min_depth", depth);
    struct str path = arena_fmt(a, "/_matrix/federation/v1/get_missing_events/%.*s",
                                STR_ARG(percent_write(a, room->id)));
    return call_send(hs, call, "POST", path, body, CALL_TIMEOUT_MS);
}

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
    f->is_answered = f->is_refused = f->is_partial = false;
}

/* Another event may have become the oldest since somebody was asked. */
static void begin_stage(struct fetch *f, const struct waiting *w)
{
    if (f->stage != w->stage || !str_eq(str_make(f->event, f->event_n), w->id)) {
        forget_asked(f);
        f->stage = w->stage;
        f->event_n = w->id.n < sizeof(f->event) ? w->id.n : sizeof(f->event);
        memcpy(f->event, w->id.p, f->event_n);
    }
}

static struct step *step_copy(struct arena *a, const struct step *from)
{
    struct step *step = ARENA_NEW(a, struct step);
    struct str *ids = arena_array(a, from->absent.n, sizeof(*ids));
    for (size_t i = 0; i < from->absent.n; i++) {
        ids[i] = arena_str(a, from->absent.at[i]);
    }
    *step = *from;
    step->absent = (struct strs){ids, from->absent.n};
    step->event_id = arena_str(a, from->event_id);
    step->wanted = arena_str(a, from->wanted);
    return step;
}

static enum err ask_server(struct hs *hs, struct fetch *f, struct room *room, struct str server,
                           const struct step *step)
{
    struct call *call = call_new(hs, server, on_events);
    struct str room_id = percent_write(call->a, room->id);
    call->ctx = step_copy(call->a, step);
    attempt_begin(&f->attempt, call->id);
    hs_log(hs, LOG_DEBUG, "event %.*s waits for %.*s: asking %.*s, stage %lld",
           STR_ARG(step->event_id), STR_ARG(step->absent.at[0]), STR_ARG(server),
           (long long)step->stage);
    if (step->stage == STAGE_EVENTS) {
        return ask_events(hs, call, room, step);
    }
    struct str path =
        step->stage == STAGE_AUTH
            ? arena_fmt(call->a, "/_matrix/federation/v1/event_auth/%.*s/%.*s", STR_ARG(room_id),
                        STR_ARG(percent_write(call->a, step->event_id)))
            : arena_fmt(call->a, "/_matrix/federation/v1/%s/%.*s?event_id=%.*s",
                        step->is_whole ? "state" : "state_ids", STR_ARG(room_id),
                        STR_ARG(percent_write(call->a, step->wanted)));
    return call_send(hs, call, "GET", path, NULL, CALL_TIMEOUT_MS);
}

static enum err ask(struct hs *hs, struct fetch *f, struct room *room, const struct waiting *w,
                    const struct strs *absent)
{
    struct str server;
    struct step step = {.room = f->room, .origin = f->origin, .stage = w->stage};
    assert(absent->n > 0);
    step.absent = *absent;
    step.event_id = w->id;
    if (w->stage >= STAGE_STATE) {
        step.wanted = absent->at[(size_t)(w->stage - STAGE_STATE) % absent->n];
    }
    begin_stage(f, w);
    TRY(choose_server(hs, f, w->origin, &server));
    return ask_server(hs, f, room, server, &step);
}

/* What is put behind a gap is told before all that is fetched later, so that older events, which
 * may still come whole, go first; but not for ever, as anybody may send some that never do. */
static enum err lets_others_go_first(struct hs *hs, struct fetch *f, const struct waiting *w,
                                     bool *lets)
{
    TRY(waiting_has_older(hs, f->room, w, lets));
    if (*lets && f->patient_until_ms == 0) {
        f->patient_until_ms = hs->now.mono_ms + PATIENCE_MS;
    }
    *lets = *lets && hs->now.mono_ms < f->patient_until_ms;
    return ERR_NONE;
}

/* Tries the oldest that waits. *more: it is decided, look at the next. */
static enum err try_oldest(struct hs *hs, struct fetch *f, bool *more)
{
    struct room *room;
    struct waiting w;
    struct verdict verdict;
    *more = false;
    TRY(room_get(hs, f->room, &room));
    enum err err = waiting_next(hs, room, f->origin, &w);
    if (err == ERR_ABSENT) {
        attempt_rest(&f->attempt);
        return ERR_NONE;
    }
    TRY(err);
    TRY(door_admit(hs, room, w.ev, ARRIVAL_NEW, DOOR_STATE_FROM_PREV, &verdict));
    if (verdict.kind == VERDICT_MISSING && w.stage == STAGE_STATE) {
        bool lets;
        TRY(lets_others_go_first(hs, f, &w, &lets));
        if (lets) {
            hs_log(hs, LOG_DEBUG, "event %.*s waits for what is older", STR_ARG(w.id));
            f->attempt.at_ms = hs->now.mono_ms + LOOK_AGAIN_MS;
            return ERR_NONE;
        }
    }
    f->patient_until_ms = 0;
    if (verdict.kind == VERDICT_MISSING && w.stage != STAGE_END) {
        bool has; /* else more would push out what was just fetched: a gap is left there */
        TRY(waiting_has_room(hs, room, w.origin, MISSING_EVENTS_MAX, &has));
        w.stage = has || w.stage != STAGE_EVENTS ? w.stage : STAGE_AUTH;
        return ask(hs, f, room, &w, &(struct strs){verdict.missing.at, verdict.missing.n});
    }
    if (verdict.kind == VERDICT_MISSING) {
        hs_log(hs, LOG_WARN, "event %.*s: nobody has what it cites; dropped", STR_ARG(w.id));
    }
    *more = true;
    f->attempt.failures = 0;
    return waiting_drop(hs, w.id);
}

/* An input of its own. */
static enum err try_lane(struct hs *hs, void *ctx)
{
    struct fetch *f = ctx;
    const struct fetch *join = find(hs->missing, f->room, 0);
    bool more = true;
    bool is_joined;
    TRY(current_is_joined(hs, f->room, &is_joined));
    if (!is_joined) {
        attempt_rest(&f->attempt);
        if (join != NULL && call_is_open(hs, join->join)) {
            return ERR_NONE; /* what is kept for a join: missing_landed or missing_forget follows */
        }
        return waiting_drop_room(hs, f->room);
    }
    for (int n = 0; more && n < TRIES_A_TURN; n++) {
        TRY(try_oldest(hs, f, &more));
    }
    if (more) { /* a new time: the host is not told the same one twice */
        f->attempt.at_ms = hs->now.mono_ms + 1;
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
        if (input_run(hs, try_lane, f, "fetching events") != ERR_NONE) {
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
    attempt_due(&f->attempt, hs->now.mono_ms); /* try_lane sees what becomes of what waits */
    return ERR_NONE;
}

/* Only an answer takes an event a stage further: one who dies while he asks has to ask again. */
static enum err next_stage(struct hs *hs, struct fetch *f, const struct step *step)
{
    forget_asked(f);
    f->attempt.failures = 0;
    return waiting_set_stage(hs, step->event_id, step->stage + 1);
}

/* The same of the next server. When all were asked it is the next stage's turn or, where somebody
 * was not there (a few times; nobody: for ever), the same again later. Who refuses has perhaps not
 * heard yet that we are in the room. */
static enum err ask_next(struct hs *hs, struct fetch *f, const struct step *step, int status)
{
    bool has_answer = status != 0 && status != 403;
    f->turn++;
    f->asked++;
    f->is_answered = f->is_answered || has_answer;
    f->is_refused = f->is_refused || status == 403;
    f->is_partial = f->is_partial || !has_answer;
    if (f->asked >= f->servers || f->asked >= ASKED_MAX) {
        bool is_enough = f->attempt.failures >= ROUNDS_MAX;
        bool is_over =
            (f->is_answered && !f->is_partial) || ((f->is_answered || f->is_refused) && is_enough);
        if (is_over) {
            return next_stage(hs, f, step);
        }
        forget_asked(f);
        attempt_failed(hs, &f->attempt, RETRY_MS, RETRY_MAX_MS);
    }
    return ERR_NONE;
}

/* An event that is asked for together with the state before it. */
struct placed {
    struct step *step;
    int64_t before;
};

static enum err on_event(struct hs *hs, struct call *call, int status, struct json *body,
                         const char *why);

static enum err ask_event(struct hs *hs, const struct call *call, struct fetch *f, int64_t before)
{
    const struct step *step = call->ctx;
    struct call *next = call_new(hs, call->server, on_event);
    struct placed *placed = ARENA_NEW(next->a, struct placed);
    *placed = (struct placed){step_copy(next->a, step), before};
    next->ctx = placed;
    attempt_begin(&f->attempt, next->id);
    struct str path = arena_fmt(next->a, "/_matrix/federation/v1/event/%.*s",
                                STR_ARG(percent_write(next->a, step->wanted)));
    return call_send(hs, next, "GET", path, NULL, CALL_TIMEOUT_MS);
}

/* The state before the event that is wanted; now the event itself. *helps: it is one, or says that
 * there is more to be told. */
static enum err take_state(struct hs *hs, struct call *call, struct fetch *f, struct room *room,
                           const struct json *body, bool *helps)
{
    struct step whole = *(const struct step *)call->ctx;
    int64_t snapshot;
    TRY(whole.is_whole ? state_take(hs, room, body, call->a, &snapshot)
                       : state_take_ids(hs, room, body, call->a, &snapshot));
    *helps = snapshot != 0 || !whole.is_whole;
    whole.is_whole = true;
    if (snapshot != 0) {
        return ask_event(hs, call, f, snapshot);
    }
    return *helps ? ask_server(hs, f, room, call->server, &whole) : ERR_NONE;
}

/* An event whose state before it is known: it stands in the timeline behind a gap. */
static enum err on_event(struct hs *hs, struct call *call, int status, struct json *body,
                         const char *why)
{
    const struct placed *placed = call->ctx;
    const struct step *step = placed->step;
    struct room *room;
    struct event *ev = NULL;
    bool is_late;
    TRY(room_get(hs, step->room, &room));
    struct fetch *f = find(hs->missing, step->room, step->origin);
    assert(f != NULL);
    TRY(answered(hs, f, &is_late));
    if (is_late) {
        return ERR_NONE;
    }
    const struct json *pdu = json_first(json_get_array(body, "pdus"));
    if (pdu != NULL) {
        TRY(incoming_parse(hs, call->a, room, json_copy(call->a, pdu), &ev, &why));
    }
    if (ev == NULL || !str_eq(ev->id, step->wanted)) {
        return ask_next(hs, f, step, status);
    }
    TRY(placed_take(hs, room, ev, placed->before));
    return next_stage(hs, f, step);
}

/* Is any of what was missing here now, or waiting in turn? Whatever else was told is no help. */
static enum err has_come(struct hs *hs, const struct step *step, bool *has)
{
    *has = false;
    for (size_t i = 0; i < step->absent.n && !*has; i++) {
        int64_t nid;
        TRY(waiting_has(hs, step->absent.at[i], has));
        TRY(store_get_int(hs->store, &nid, 0, STMT_EVENT_FIND, "t", step->absent.at[i]));
        *has = *has || nid != 0;
    }
    return ERR_NONE;
}

static enum err take(struct hs *hs, struct call *call, struct fetch *f, struct room *room,
                     const struct json *body, bool *helps)
{
    const struct step *step = call->ctx;
    if (step->stage == STAGE_EVENTS) {
        TRY(incoming_in_order(hs, call->server, room, json_get_array(body, "events"), call->a));
    } else if (step->stage == STAGE_AUTH) {
        TRY(incoming_outliers(hs, room, json_get_array(body, "auth_chain"), call->a));
    } else {
        return take_state(hs, call, f, room, body, helps);
    }
    return has_come(hs, step, helps);
}

/* What came here may be what others wait for. */
static void hasten(struct hs *hs, int64_t room)
{
    for (size_t i = 0; i < hs->missing->n; i++) {
        if (hs->missing->at[i].room == room) {
            attempt_hasten(hs, &hs->missing->at[i].attempt);
        }
    }
}

static enum err on_events(struct hs *hs, struct call *call, int status, struct json *body,
                          const char *why)
{
    const struct step *step = call->ctx;
    struct room *room;
    struct fetch *f = find(hs->missing, step->room, step->origin);
    bool is_late;
    bool helps = false;
    assert(f != NULL);
    TRY(room_get(hs, step->room, &room));
    TRY(answered(hs, f, &is_late));
    if (is_late) {
        return ERR_NONE;
    }
    if (status == 200) {
        TRY(take(hs, call, f, room, body, &helps));
    }
    hs_log(hs, helps ? LOG_DEBUG : LOG_INFO,
           "event %.*s waits, stage %lld: %.*s answers %d %s, which %s", STR_ARG(step->event_id),
           (long long)step->stage, STR_ARG(call->server), status, why,
           helps ? "helps" : "does not help");
    if (!helps) {
        return ask_next(hs, f, step, status);
    }
    hasten(hs, f->room);
    bool is_answered = f->attempt.call == 0; /* else what was asked for is still to come */
    return is_answered ? next_stage(hs, f, step) : ERR_NONE;
}

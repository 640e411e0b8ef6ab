/* The record of an event. */
#include "engine/record.h"

#include "engine/current.h"
#include "engine/publish.h"
#include "engine/relations.h"
#include "engine/snapshot.h"
#include "room/auth.h"

enum { REDACTIONS_LOOKED_AT = 32 };

struct entry {
    struct hs *hs;
    struct room *room;
    const struct event *ev;
    enum arrival how;
    struct gap *gap;
    enum event_status status;
    int64_t before, after;
    int64_t position;
    bool has_position;
    int64_t nid;
};

static bool is_front(const struct entry *e)
{
    return e->status == EVENT_ACCEPTED && (e->how == ARRIVAL_LOCAL || e->how == ARRIVAL_NEW);
}

static enum err place(struct entry *e)
{
    if (e->status != EVENT_ACCEPTED || e->how == ARRIVAL_OUTLIER) {
        return ERR_NONE;
    }
    e->has_position = true;
    if (e->how != ARRIVAL_OLD) {
        return store_position_next(e->hs->store, &e->position);
    }
    return e->gap != NULL ? gap_place(e->hs, e->gap, &e->position)
                          : store_position_before(e->hs->store, &e->position);
}

/* A new row; the `after` of what changes the state follows when the row number is known. */
static enum err insert(struct entry *e)
{
    struct store *store = e->hs->store;
    const struct event *ev = e->ev;
    int64_t type;
    int64_t sender;
    int64_t state_key = 0;
    TRY(store_name(store, ev->type, &type));
    TRY(store_name(store, ev->sender, &sender));
    if (event_is_state(ev)) {
        TRY(store_name(store, ev->state_key, &state_key));
    }
    TRY(store_run(store, STMT_EVENT_PUT, "tiiiiiiiiiiit", ev->id, e->room->nid, type, state_key,
                  sender, ev->depth, ev->origin_server_ts, (int64_t)e->status,
                  (int64_t)(e->how == ARRIVAL_OUTLIER), e->position, e->before, e->after,
                  ev->json));
    e->nid = store_last_id(store);
    for (size_t i = 0; i < ev->prev_events.n; i++) {
        TRY(store_run(store, STMT_EDGE_PUT, "ti", ev->prev_events.at[i], e->nid));
    }
    return ERR_NONE;
}

static bool knows_state(const struct entry *e)
{
    return e->how != ARRIVAL_OUTLIER &&
           (e->how != ARRIVAL_OLD || e->before != 0 || e->ev->prev_events.n == 0);
}

/* The cache has what was just written, so that nobody reads it back. */
static enum err keep(const struct entry *e)
{
    struct stored row = {.nid = e->nid,
                         .room = e->room->nid,
                         .before = e->before,
                         .after = e->after,
                         .position = e->position,
                         .has_position = e->has_position,
                         .is_outlier = e->how == ARRIVAL_OUTLIER,
                         .status = e->status,
                         .redacted_by = STR_ABSENT,
                         .txn_device = STR_ABSENT,
                         .txn_id = STR_ABSENT};
    return event_keep(e->hs, &row, e->ev);
}

static enum err write_row(struct entry *e, const struct stored *known)
{
    struct store *store = e->hs->store;
    bool is_known = knows_state(e);
    e->after = is_known ? e->before : 0;
    if (known == NULL) {
        TRY(insert(e));
    } else {
        e->nid = known->nid;
    }
    if (is_known && event_is_state(e->ev) && e->status != EVENT_REJECTED) {
        TRY(snapshot_with(e->hs, e->before, e->ev->type, e->ev->state_key, e->nid, &e->after));
    }
    if (known != NULL) {
        TRY(store_run(store, STMT_EVENT_PROMOTE, "iiiiti", (int64_t)e->status, e->position,
                      e->before, e->after, e->ev->json, e->nid));
        event_forget(e->hs, known);
    } else if (is_known && e->after != e->before) {
        TRY(store_run(store, STMT_EVENT_SET_STATE, "iii", e->before, e->after, e->nid));
    }
    if (!e->has_position) {
        TRY(store_run(store, STMT_EVENT_UNPLACE, "i", e->nid));
    }
    return known == NULL ? keep(e) : ERR_NONE;
}

static enum err redact(struct hs *hs, const struct room *room, const struct event *redaction,
                       const struct stored *target)
{
    struct current_view now = {.hs = hs, .room = room};
    if (target->room != room->nid || target->redacted_by.p != NULL ||
        event_is(target->ev, STR("m.room.create"), STR("")) ||
        !auth_may_redact(redaction, target->ev, current_view(&now))) {
        return now.err;
    }
    TRY(store_run(hs->store, STMT_EVENT_REDACT, "ti", redaction->id, target->nid));
    event_forget(hs, target);
    TRY(relations_drop(hs, target));
    return now.err;
}

/* A redaction takes effect on its target, whichever of the two came first. */
static enum err redact_target(struct entry *e)
{
    struct stored *target;
    if (str_is_empty(e->ev->redacts) || !e->has_position) {
        return ERR_NONE;
    }
    enum err err = event_find(e->hs, e->ev->redacts, &target);
    return err == ERR_ABSENT ? ERR_NONE
                             : (err != ERR_NONE ? err : redact(e->hs, e->room, e->ev, target));
}

static enum err redacted_before(struct entry *e)
{
    int64_t nids[REDACTIONS_LOOKED_AT];
    size_t n = 0;
    struct query q;
    if (e->how == ARRIVAL_LOCAL) {
        return ERR_NONE;
    }
    query_start(&q, e->hs->store, STMT_RELATION_FIRST, "tti", e->ev->id, STR(RELATION_REDACTS),
                (int64_t)REDACTIONS_LOOKED_AT);
    while (n < REDACTIONS_LOOKED_AT && query_next(&q)) {
        nids[n] = query_int(&q, 0);
        n++;
    }
    TRY(query_end(&q));
    for (size_t i = 0; i < n; i++) { /* the first that is allowed */
        struct stored *redaction;
        struct stored *self;
        TRY(event_get(e->hs, nids[i], &redaction));
        TRY(event_get(e->hs, e->nid, &self));
        if (redaction->room == self->room && self->redacted_by.p == NULL) {
            TRY(redact(e->hs, e->room, redaction->ev, self));
        }
    }
    return ERR_NONE;
}

/* ev takes the place of what it follows, unless something that follows ev is here already. */
static enum err move_extremities(struct entry *e)
{
    struct store *store = e->hs->store;
    int64_t later;
    for (size_t i = 0; i < e->ev->prev_events.n; i++) {
        struct stored *prev;
        enum err err = event_find(e->hs, e->ev->prev_events.at[i], &prev);
        if (err != ERR_ABSENT) {
            TRY(err);
            TRY(store_run(store, STMT_EXTREMITY_DROP, "ii", e->room->nid, prev->nid));
        }
    }
    if (e->how == ARRIVAL_LOCAL) { /* nobody can have followed what was made just now */
        return store_run(store, STMT_EXTREMITY_PUT, "ii", e->room->nid, e->nid);
    }
    TRY(store_get_int(store, &later, 0, STMT_EDGE_NEXT, "ti", e->ev->id, e->room->nid));
    return later != 0 ? ERR_NONE : store_run(store, STMT_EXTREMITY_PUT, "ii", e->room->nid, e->nid);
}

/* However many forks there are, the state after each has its say: some at once, then what came of
 * them together with the next. */
static enum err resolve_current(struct entry *e, int64_t *snapshot)
{
    int64_t after[STATE_SETS_MAX];
    int64_t last = INT64_MAX;
    size_t n = 0;
    bool has_more = true;
    while (has_more) {
        struct query q;
        query_start(&q, e->hs->store, STMT_EXTREMITY_STATES, "iii", e->room->nid, last,
                    (int64_t)(STATE_SETS_MAX - n));
        while (n < STATE_SETS_MAX && query_next(&q)) {
            last = query_int(&q, 0);
            after[n] = last;
            n++;
        }
        TRY(query_end(&q));
        TRY(snapshot_resolve(e->hs, e->room->version, after, n, snapshot));
        has_more = n == STATE_SETS_MAX;
        after[0] = *snapshot;
        n = 1;
    }
    return ERR_NONE;
}

static enum err move_front(struct entry *e)
{
    struct stored *self;
    int64_t snapshot;
    if (!is_front(e)) {
        return ERR_NONE;
    }
    TRY(move_extremities(e));
    TRY(resolve_current(e, &snapshot));
    TRY(event_get(e->hs, e->nid, &self));
    return current_move(e->hs, e->room, snapshot, self, e->position);
}

enum err record(struct hs *hs, struct room *room, const struct event *ev,
                const struct record_place *where, enum verdict_kind verdict,
                const struct stored *known)
{
    struct entry e = {.hs = hs, .room = room, .ev = ev, .how = where->how, .gap = where->gap};
    e.status = verdict == VERDICT_ACCEPT
                   ? EVENT_ACCEPTED
                   : (verdict == VERDICT_SOFT_FAIL ? EVENT_SOFT_FAILED : EVENT_REJECTED);
    e.before = where->before == DOOR_STATE_FROM_PREV ? 0 : where->before;
    TRY(place(&e));
    if (e.has_position) {
        hs_log(hs, LOG_DEBUG, "event %.*s stands at %lld", STR_ARG(ev->id), (long long)e.position);
    }
    TRY(write_row(&e, known));
    TRY(move_front(&e));
    if (!e.has_position) {
        return ERR_NONE;
    }
    TRY(relations_put(hs, room->nid, e.nid, e.position, ev));
    TRY(redact_target(&e));
    TRY(redacted_before(&e));
    struct fact fact = {.room = room,
                        .ev = ev,
                        .event = e.nid,
                        .position = e.position,
                        .is_new = is_front(&e),
                        .is_local = e.how == ARRIVAL_LOCAL};
    return publish(hs, &fact);
}

enum err record_state(struct hs *hs, int64_t before, const struct stored *s)
{
    int64_t after = before;
    if (event_is_state(s->ev) && s->status != EVENT_REJECTED) {
        TRY(snapshot_with(hs, before, s->ev->type, s->ev->state_key, s->nid, &after));
    }
    TRY(store_run(hs->store, STMT_EVENT_SET_STATE, "iii", before, after, s->nid));
    event_forget(hs, s);
    return ERR_NONE;
}

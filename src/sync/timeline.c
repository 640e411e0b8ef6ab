/* The timeline of a room: the newest events since the token that the reader may see and wants. */
#include "sync/stream.h"

#include "engine/gap.h"
#include "engine/snapshot.h"
#include "engine/token.h"
#include "engine/visible.h"

struct scan {
    struct stored **raw, **shown; /* newest first until turned */
    size_t n_raw, n_shown, cap_raw;
    size_t limit;
    bool is_over;    /* nothing more since `since` */
    bool has_create; /* the room begins here */
    bool is_cut;     /* by a gap: what is below it does not follow */
    int64_t since;
    int64_t below; /* the next page ends here */
};

static size_t limit_of(const struct sync *s)
{
    int64_t limit = s->filter->timeline.limit;
    if (limit == 0 && !s->filter->timeline.has_limit) {
        return SYNC_TIMELINE_DEFAULT;
    }
    return limit < SYNC_TIMELINE_MAX ? (size_t)limit : SYNC_TIMELINE_MAX;
}

enum err timeline_shows(struct sync *s, const struct stored *ev, bool *shown)
{
    *shown = false;
    if (!event_filter_allows_event(&s->filter->timeline, ev->ev) ||
        !event_filter_allows_room(&s->filter->timeline, ev->ev->room_id) ||
        (!event_is_state(ev->ev) && sync_is_ignored(s, ev->ev->sender))) {
        return ERR_NONE;
    }
    return visible_to_user(s->hs, ev, s->user, s->user_id, shown);
}

/* One page of rows, newest first. */
static enum err page(struct sync *s, const struct sync_room *r, struct scan *scan, int64_t *nids,
                     size_t *n)
{
    struct query q;
    *n = 0;
    query_start(&q, s->hs->store, STMT_TIMELINE_AFTER, "iiii", r->room->nid, scan->since,
                scan->below, (int64_t)scan->limit + 1);
    while (*n < scan->limit + 1 && query_next(&q)) {
        nids[*n] = query_int(&q, 0);
        scan->below = query_int(&q, 1) - 1;
        (*n)++;
    }
    scan->is_over = *n < scan->limit + 1;
    return query_end(&q);
}

static enum err look(struct sync *s, struct scan *scan, int64_t nid)
{
    struct stored *ev;
    bool shown;
    TRY(event_get(s->hs, nid, &ev));
    if (ev->status != EVENT_ACCEPTED) {
        return ERR_NONE;
    }
    TRY(timeline_shows(s, ev, &shown));
    scan->raw[scan->n_raw] = ev;
    scan->n_raw++;
    scan->has_create = event_is(ev->ev, STR("m.room.create"), STR(""));
    if (shown) {
        scan->shown[scan->n_shown] = ev;
        scan->n_shown++;
        s->bytes_left -= (int64_t)ev->ev->json.n;
    }
    return ERR_NONE;
}

static void turn_round(struct stored **list, size_t n)
{
    for (size_t i = 0; i < n / 2; i++) {
        struct stored *swap = list[i];
        list[i] = list[n - 1 - i];
        list[n - 1 - i] = swap;
    }
}

static enum err stop_at_gap(struct sync *s, const struct sync_room *r, struct scan *scan)
{
    struct gap gap;
    enum err err = gap_find(s->hs, r->room->nid, r->upto, &gap);
    if (err == ERR_NONE && gap.position - 1 > scan->since) {
        scan->is_cut = true;
        scan->since = gap.position - 1;
    }
    return err == ERR_ABSENT ? ERR_NONE : err;
}

/* Each event follows the one before, up to the end: no fork took anything back. */
static bool is_straight(const struct sync_room *r)
{
    for (size_t i = 0; i < r->n_raw; i++) {
        int64_t next = i + 1 < r->n_raw ? r->raw[i + 1]->before : r->end;
        if (r->raw[i]->after != next) {
            return false;
        }
    }
    return true;
}

/* A client takes the last state event that it reads of a type and key for the one in force. What
 * lost against another branch by the end is left to those who read back. */
static enum err drop_undone(struct sync *s, struct sync_room *r)
{
    struct map in_force; /* keys whose event in force is in the timeline */
    size_t first = r->n_shown;
    if (r->end == 0 || is_straight(r)) {
        return ERR_NONE;
    }
    map_init_in(&in_force, s->a);
    for (size_t i = r->n_shown; i > 0; i--) {
        struct stored *ev = r->shown[i - 1];
        if (event_is_state(ev->ev)) {
            int64_t nid = 0;
            struct str key = arena_fmt(s->a, "%zu %.*s%.*s", ev->ev->type.n, STR_ARG(ev->ev->type),
                                       STR_ARG(ev->ev->state_key));
            TRY(snapshot_get(s->hs, r->end, ev->ev->type, ev->ev->state_key, &nid));
            if (nid == ev->nid) {
                map_put(&in_force, key, s);
            } else if (map_get(&in_force, key) == NULL) {
                continue;
            }
        }
        first--;
        r->shown[first] = ev;
    }
    r->shown += first;
    r->n_shown -= first;
    return ERR_NONE;
}

enum err timeline_collect(struct sync *s, struct sync_room *r)
{
    struct scan scan = {.limit = limit_of(s), .below = r->upto, .since = r->since};
    int64_t nids[SYNC_TIMELINE_MAX + 1];
    scan.cap_raw = SYNC_SCAN_MAX + SYNC_TIMELINE_MAX + 1;
    bool is_full = false;
    TRY(stop_at_gap(s, r, &scan));
    /* Nothing since the token is the common case: the arrays are made at the first row. */
    while (!is_full && !scan.is_over && scan.n_raw < SYNC_SCAN_MAX) {
        size_t n;
        TRY(page(s, r, &scan, nids, &n));
        if (n > 0 && scan.raw == NULL) {
            size_t cap = scan.is_over ? n : scan.cap_raw;
            scan.raw = arena_array(s->a, cap, sizeof(struct stored *));
            scan.shown = arena_array(s->a, cap, sizeof(struct stored *));
        }
        for (size_t i = 0; i < n && !is_full; i++) {
            TRY(look(s, &scan, nids[i]));
            is_full = scan.n_shown > scan.limit || (s->bytes_left < 0 && scan.n_shown > 1);
        }
    }
    if (is_full) { /* one too many: it only proved that there is more */
        scan.n_shown--;
        scan.n_raw--;
    }
    r->is_complete = scan.is_over && !is_full && !scan.is_cut;
    r->limited = !r->is_complete || (r->is_whole && r->is_joined && !scan.has_create);
    turn_round(scan.raw, scan.n_raw);
    turn_round(scan.shown, scan.n_shown);
    r->raw = scan.raw;
    r->n_raw = scan.n_raw;
    r->shown = scan.shown;
    r->n_shown = scan.n_shown;
    return drop_undone(s, r);
}

enum err timeline_put(struct sync *s, struct sync_room *r)
{
    if (r->n_shown == 0 && !r->limited && !r->is_whole) {
        return ERR_NONE;
    }
    struct json *timeline = json_put_object(r->json, STR("timeline"));
    struct json *events = json_put_array(timeline, STR("events"));
    for (size_t i = 0; i < r->n_shown; i++) {
        struct json *event;
        TRY(sync_event(s, r->shown[i], &event));
        json_push(events, event);
    }
    int64_t first = r->n_raw > 0 ? r->raw[0]->position : r->upto + 1;
    json_put_bool(timeline, "limited", r->limited);
    json_put_text(timeline, "prev_batch", token_write(s->hs, s->a, first - 1));
    return ERR_NONE;
}

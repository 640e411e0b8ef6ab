/* Places of events whose state before was fetched with them. */
#include "fed/placed.h"

#include "engine/door.h"
#include "engine/gap.h"

enum err placed_floor(struct hs *hs, const struct room *room, int64_t *depth)
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
    TRY(gap_find(hs, room->nid, INT64_MAX, &gap)); /* placed_floor found it */
    TRY(door_admit_old(hs, room, ev, before, &gap, &verdict));
    return gap_move(hs, &gap);
}

static enum err is_placed(struct hs *hs, const struct event *ev, struct stored **s, bool *placed)
{
    enum err err = event_find(hs, ev->id, s);
    *placed = err == ERR_NONE && (*s)->has_position;
    return err == ERR_ABSENT ? ERR_NONE : err;
}

enum err placed_take(struct hs *hs, struct room *room, const struct event *ev, int64_t before)
{
    struct stored *s;
    int64_t depth;
    bool was_placed, is_now;
    TRY(is_placed(hs, ev, &s, &was_placed));
    TRY(placed_floor(hs, room, &depth));
    hs_log(hs, LOG_DEBUG, "event %.*s is placed %s a gap", STR_ARG(ev->id),
           ev->depth < depth ? "below" : "behind");
    TRY(ev->depth < depth ? admit_below(hs, room, ev, before) : admit_behind(hs, room, ev, before));
    TRY(is_placed(hs, ev, &s, &is_now));
    return is_now && !was_placed ? gap_put(hs, s, s->position) : ERR_NONE;
}

/* The one writer of rooms. Local and remote events come in here and meet the same checks, in the
 * order of "Checks performed on receipt of a PDU" (server-server API). */
#ifndef ENGINE_DOOR_H
#define ENGINE_DOOR_H

#include "engine/event_cache.h"
#include "room/verdict.h"

enum arrival {
    ARRIVAL_LOCAL,   /* built and signed here just now; else as NEW */
    ARRIVAL_NEW,     /* at the front of the room */
    ARRIVAL_OLD,     /* fetched history: not at the front */
    ARRIVAL_OUTLIER, /* only cited, or part of a state: no place in the timeline */
};

/* The state before the event is not given: it follows from prev_events. */
#define DOOR_STATE_FROM_PREV (-1)

/* before: DOOR_STATE_FROM_PREV, or the snapshot that is known to be the state before ev (a join
 * through another server, fetched state). An event that is here already is a no-op with its old
 * verdict, unless it was an outlier and gets its place now. VERDICT_MISSING lists event ids to
 * fetch; the event then returns to this door. */
enum err door_admit(struct hs *hs, struct room *room, const struct event *ev, enum arrival how,
                    int64_t before, struct verdict *verdict) MUST_USE;
/* The same for ARRIVAL_OLD, which gets its place below `gap`. */
struct gap;
enum err door_admit_old(struct hs *hs, struct room *room, const struct event *ev, int64_t before,
                        struct gap *gap, struct verdict *verdict) MUST_USE;

#endif

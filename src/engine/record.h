/* Writing a decided event down: its row, edges and relations, the state after it, the extremities,
 * the current state, and the published fact. Only door.c calls this. */
#ifndef ENGINE_RECORD_H
#define ENGINE_RECORD_H

#include "engine/door.h"
#include "engine/gap.h"

struct record_place {
    enum arrival how;
    int64_t before;  /* snapshot, or DOOR_STATE_FROM_PREV: not known */
    struct gap *gap; /* of ARRIVAL_OLD; NULL: before everything that is here */
};

/* known: its row while it was an outlier, else NULL. verdict: ACCEPT, SOFT_FAIL or REJECT. */
enum err record(struct hs *hs, struct room *room, const struct event *ev,
                const struct record_place *place, enum verdict_kind verdict,
                const struct stored *known) MUST_USE;

/* The state before an event that is here without it has become known. */
enum err record_state(struct hs *hs, int64_t before, const struct stored *s) MUST_USE;

#endif

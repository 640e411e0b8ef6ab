/* State resolution, versions 1, 2 and 2.1: several states of a room into one, the same on every
 * server (room versions 1, 2 and 12). */
#ifndef ROOM_RESOLVE_H
#define ROOM_RESOLVE_H

#include "event/event.h"
#include "room/state.h"

/* Where events come from. NULL: it is not here. *rejected tells whether it was rejected. What is
 * given must live as long as the arena of the call. */
struct resolve_source {
    void *ctx;
    const struct event *(*get)(void *ctx, struct str event_id, bool *rejected);
};

/* Fills *out (initialised here, in a). Equal sets resolve at once, without a look at any event.
 * ERR_ABSENT: an event of a state or of an auth chain is not here. ERR_LIMIT: more than
 * STATE_SETS_MAX sets or AUTH_CHAIN_MAX events. */
enum err resolve_state(struct arena *a, const struct room_version *version,
                       const struct state *const *sets, size_t n_sets, struct resolve_source source,
                       struct state *out) MUST_USE;

#endif

/* An event that was fetched together with the state before it, because what it follows is not to be
 * had: it stands in the timeline behind a gap. */
#ifndef FED_PLACED_H
#define FED_PLACED_H

#include "engine/event_cache.h"

/* The depth below which history is not fetched before somebody reads so far; 0: there is no gap. */
enum err placed_floor(struct hs *hs, const struct room *room, int64_t *depth) MUST_USE;
/* before: the snapshot that somebody told. */
enum err placed_take(struct hs *hs, struct room *room, const struct event *ev,
                     int64_t before) MUST_USE;

#endif

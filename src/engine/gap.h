/* Gaps: places in a room's timeline below which history is not here yet. Everything from the gap's
 * position up to the next event of the room is known; what is fetched goes right below it, and the
 * gap moves down with it. */
#ifndef ENGINE_GAP_H
#define ENGINE_GAP_H

#include "engine/event_cache.h"

struct gap {
    int64_t room, position;
    int64_t next; /* the last place given; the gap's position once gap_move was called */
    int64_t top;  /* its position when it was found: what was fetched stands below */
};

/* The newest gap at or below a position. ERR_ABSENT: none. */
enum err gap_find(struct hs *hs, int64_t room, int64_t position, struct gap *out) MUST_USE;
/* The next event of the room will stand behind a gap: keeps places free for what belongs between
 * it and the events that are here. */
enum err gap_open(struct hs *hs, const struct room *room) MUST_USE;
/* s cites what is not here: there is a gap below `position`. */
enum err gap_put(struct hs *hs, const struct stored *s, int64_t position) MUST_USE;
/* The place of the next older event: below the gap, but above what is here of older times. */
enum err gap_place(struct hs *hs, struct gap *gap, int64_t *position) MUST_USE;
/* After gap_place: what is left of the gap lies below. */
enum err gap_move(struct hs *hs, struct gap *gap) MUST_USE;

#endif

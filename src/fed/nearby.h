/* Whom to ask about a room that we are in. */
#ifndef FED_NEARBY_H
#define FED_NEARBY_H

#include "engine/engine.h"

/* Other servers in the room, not too many, those that can be reached right now first. */
enum err nearby_servers(struct hs *hs, struct arena *a, int64_t room, struct strs *out) MUST_USE;

#endif

/* Events of the store as JSON for other servers: states and their auth chains. */
#ifndef FED_CHAIN_H
#define FED_CHAIN_H

#include "engine/event_cache.h"
#include "room/state.h"

/* Every event that the given ones cite, directly or not, without themselves; at most
 * AUTH_CHAIN_MAX. */
enum err chain_of_events(struct hs *hs, struct arena *a, const struct str *ids, size_t n,
                         struct json *out, bool only_ids) MUST_USE;
/* The events of a state and their auth chain as two arrays; what others of the state cite is in
 * both. */
enum err chain_of_state(struct hs *hs, struct arena *a, int64_t snapshot, struct json *state,
                        struct json *chain, bool only_ids) MUST_USE;

#endif

/* The published rooms of this server, as the directory shows them. Serves clients and peers. */
#ifndef ENGINE_PUBLIC_ROOMS_H
#define ENGINE_PUBLIC_ROOMS_H

#include "engine/event_cache.h"

/* An array of PublicRoomsChunk objects. */
enum err public_rooms_ours(struct hs *hs, struct arena *a, struct json **out) MUST_USE;
/* {chunk, total_room_count_estimate, next_batch}: those that fit the term, most members first, from
 * `since` ("o<offset>", absent: the start) at most limit. Each room once. */
struct json *public_rooms_page(struct arena *a, const struct json *chunks, struct str term,
                               struct str since, size_t limit);

#endif

/* The published rooms of this server, as the directory shows them. Serves clients and peers. */
#ifndef ENGINE_PUBLIC_ROOMS_H
#define ENGINE_PUBLIC_ROOMS_H

#include "engine/event_cache.h"

/* One page of the directory: the order is by members, then by room id, the greatest first, and a
 * token is a place in it. So a page neither repeats nor leaves out rooms because others came, went
 * or grew. */
struct public_rooms_ask {
    struct str term;          /* absent: all */
    const struct json *types; /* of rooms to show, null for rooms without; NULL: all */
    size_t limit;
    bool has_place, is_back; /* after the place, or before it */
    int64_t members;         /* the place */
    struct str room_id;
};

/* The body of POST /publicRooms of either API; limit: at most that many, at least one. False:
 * `since` is no token. */
bool public_rooms_parse(const struct json *body, struct arena *a, size_t limit_max,
                        struct public_rooms_ask *out) MUST_USE;
/* Our rooms of that page and one more, an array of PublicRoomsChunk objects. */
enum err public_rooms_ours(struct hs *hs, struct arena *a, const struct public_rooms_ask *ask,
                           struct json **out) MUST_USE;
/* The answer: {chunk, total_room_count_estimate, next_batch, prev_batch} of chunks in any order.
 * Each room once. */
enum err public_rooms_page(struct hs *hs, struct arena *a, const struct json *chunks,
                           const struct public_rooms_ask *ask, struct json **out) MUST_USE;

#endif

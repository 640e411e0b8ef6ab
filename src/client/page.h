/* A page of a room's timeline as one user may see it. */
#ifndef CLIENT_PAGE_H
#define CLIENT_PAGE_H

#include "client/access.h"
#include "engine/client_event.h"
#include "engine/event_filter.h"

struct page {
    struct json *chunk; /* array of client events, in the direction read */
    int64_t start, end; /* positions between which it lies */
    size_t n_read;      /* rows looked at, seen or not */
    bool at_end;        /* nothing lies beyond, */
    bool at_gap;        /* or nothing that is here */
};

/* At most limit events from `from` on. filter: never NULL. Backwards, a reader who is in the room
 * (access->is_joined) stops at a gap. */
enum err page_read(struct hs *hs, struct req *req, const struct access *access, int64_t from,
                   bool backwards, size_t limit, const struct event_filter *filter,
                   struct page *out) MUST_USE;
/* Member events (state) of the senders in a chunk, for lazy loading. */
enum err page_members(struct hs *hs, struct req *req, const struct access *access,
                      const struct json *chunk, struct json *out) MUST_USE;

/* The state that the reader may see (access->snapshot) as client events. */
struct page_state_ask {
    bool only_members, without_members;
    struct str membership, not_membership; /* of members; absent: any */
};
enum err page_state(struct hs *hs, struct req *req, const struct access *access,
                    const struct page_state_ask *ask, struct json *out) MUST_USE;

#endif

/* Read receipts: the newest event each user has read, by room, kind and thread. */
#ifndef ENGINE_RECEIPTS_H
#define ENGINE_RECEIPTS_H

#include "engine/event_cache.h"

struct receipt {
    struct room *room;
    struct str type; /* "m.read" or "m.read.private" */
    struct str user_id;
    struct str thread; /* "": unthreaded; "main"; or the thread's root */
    struct str event_id;
    int64_t ts;
};

/* Is it what a thread is called? */
bool receipt_is_thread(struct str thread);

/* Stores it and wakes the room, unless it goes back behind the one that is there. *moved tells.
 * Of a user's threads in a room the last RECEIPT_THREADS_MAX are kept. */
enum err receipt_put(struct hs *hs, const struct receipt *r, bool *moved) MUST_USE;
/* The same for a user of ours; a public one is told to the other servers in the room. */
enum err receipt_send(struct hs *hs, const struct receipt *r) MUST_USE;

/* What was read since a position, as the content of m.receipt: {event id: {type: {user: {ts,
 * thread_id}}}}. A private receipt is its user's alone. *content NULL: nothing. */
struct receipts_ask {
    int64_t room, since, reader;
    const struct json *ignored; /* an object whose keys are users; NULL: nobody */
};
enum err receipts_content(struct hs *hs, struct arena *a, const struct receipts_ask *ask,
                          struct json **content) MUST_USE;

#endif

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

/* Stores it and wakes the room, unless it goes back behind the one that is there. *moved tells. */
enum err receipt_put(struct hs *hs, const struct receipt *r, bool *moved) MUST_USE;
/* The same for a user of ours; a public one is told to the other servers in the room. */
enum err receipt_send(struct hs *hs, const struct receipt *r) MUST_USE;

#endif

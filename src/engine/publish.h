/* Facts: what was accepted into a room. Subscribers (hs/wiring.c) learn that it happened and where
 * it stands, and read the rest. */
#ifndef ENGINE_PUBLISH_H
#define ENGINE_PUBLISH_H

#include "engine/event_cache.h"

struct fact {
    struct room *room;
    const struct event *ev;
    int64_t event;    /* its row */
    int64_t position; /* in the stream; negative for fetched history */
    bool is_new;      /* not fetched history */
    bool is_local;    /* sent from here */
};

/* Wakes the long polls it concerns and calls the subscribers. */
enum err publish(struct hs *hs, const struct fact *fact) MUST_USE;
/* News for every local member (join or invite) of the room. */
enum err publish_room_news(struct hs *hs, int64_t room) MUST_USE;

#endif

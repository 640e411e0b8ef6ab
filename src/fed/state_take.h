/* A room's state as another server tells it: send_join and /state answers. */
#ifndef FED_STATE_TAKE_H
#define FED_STATE_TAKE_H

#include "engine/event_cache.h"

/* body: {auth_chain, pdus} or {auth_chain, state}. Admits all events as outliers and makes a
 * snapshot of the accepted state. *snapshot 0: it has no create event of this room. */
enum err state_take(struct hs *hs, struct room *room, const struct json *body, struct arena *a,
                    int64_t *snapshot) MUST_USE;

/* body: {pdu_ids}. *snapshot 0: not all of them are here, or there is no create event. */
enum err state_take_ids(struct hs *hs, const struct room *room, const struct json *body,
                        struct arena *a, int64_t *snapshot) MUST_USE;

#endif

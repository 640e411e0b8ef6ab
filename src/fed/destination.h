/* A queue per server: at most one transaction in flight, the same id on retry, back-off with
 * jitter, reset when the peer is seen (server-server API, "Transactions"). */
#ifndef FED_DESTINATION_H
#define FED_DESTINATION_H

#include "engine/engine.h"

struct destinations;
struct destinations *destinations_new(void);
void destinations_free(struct destinations *d);
/* After a start: everything in the outbox is due. */
enum err destinations_load(struct hs *hs) MUST_USE;
/* End of the turn: sends to whom something new or due waits. An input of its own. */
enum err destinations_turn(struct hs *hs) MUST_USE;
/* After destinations_turn. If its input was rolled back, its calls are gone, so nothing of it is in
 * flight. */
void destinations_rolled_back(struct hs *hs);
/* The peer can be reached: its back-off is forgotten. */
void destinations_seen(struct hs *hs, struct str server);
/* mono_ms of the earliest retry; -1: none. */
int64_t destinations_next_ms(const struct hs *hs);

#endif

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
/* End of the turn: sends to whom something new or due waits, each as an input of its own. */
void destinations_turn(struct hs *hs);
/* The peer can be reached: its back-off is forgotten. */
void destinations_seen(struct hs *hs, struct str server);
/* It sent us a transaction, so it is there: the same, where it could not be reached before. A
 * server that refuses what we send gains nothing by sending. */
void destinations_heard(struct hs *hs, struct str server);
/* mono_ms of the earliest retry; -1: none. */
int64_t destinations_next_ms(const struct hs *hs);

#endif

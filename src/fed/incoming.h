/* Events from other servers: their room, their form, the door, and what is missing before them. */
#ifndef FED_INCOMING_H
#define FED_INCOMING_H

#include "engine/door.h"

/* What became of a PDU: NULL, or a sentence for the answer to its transaction. */
enum err incoming_pdu(struct hs *hs, struct str origin, struct json *pdu, struct str *event_id,
                      const char **fault) MUST_USE;
/* Parses a PDU of a room we know; *ev NULL and *why set when it has not the form. */
enum err incoming_parse(struct hs *hs, struct arena *a, const struct room *room, struct json *pdu,
                        struct event **ev, const char **why) MUST_USE;
/* Admits events of an auth chain or a state as outliers, parents first. Those refused are left out.
 */
enum err incoming_outliers(struct hs *hs, struct room *room, const struct json *pdus,
                           struct arena *a) MUST_USE;

/* Events of one branch, in the order of their depth; one that cites what is not here waits with
 * those of its sender, or of origin, who told it (missing_fetch). At most twice MISSING_EVENTS_MAX
 * are taken. */
enum err incoming_in_order(struct hs *hs, struct str origin, struct room *room,
                           const struct json *events, struct arena *a) MUST_USE;

#endif

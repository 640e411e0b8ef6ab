/* Redaction (room versions, "Redactions"): what is left of an event is given by a table per room
 * version. Pure; never changes what it is given. */
#ifndef EVENT_REDACT_H
#define EVENT_REDACT_H

#include "event/event.h"

/* The redacted copy of a PDU, signatures and hashes included, `unsigned` not. */
struct json *redact_json(struct arena *a, const struct room_version *version,
                         const struct json *pdu);
/* The redacted form of an event; it has the same id and the same signatures fit. */
enum err redact_event(struct arena *a, const struct event *ev, struct event **out) MUST_USE;

#endif

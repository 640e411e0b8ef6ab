/* What a server missed that could not be reached for long. Its rows in the outbox are bounded:
 * beyond that only its rooms are remembered, and when it is back it gets the latest events of each
 * room, from which it asks for the rest (server-server API, "PDUs"; get_missing_events, backfill).
 */
#ifndef FED_CATCH_UP_H
#define FED_CATCH_UP_H

#include "engine/engine.h"

/* A transaction with the rows up to last_id failed, so often in a row, and stays; of what comes
 * after it, no more than the bounds is kept. A burst while a server is away for a moment waits
 * whole. */
enum err catch_up_trim(struct hs *hs, int64_t server, int64_t last_id, int64_t failures) MUST_USE;
/* Nothing waits for the server: puts into the outbox what it missed in one room. *has: it did. */
enum err catch_up_next(struct hs *hs, int64_t server, bool *has) MUST_USE;

#endif

/* History from times when we were not in the room, fetched when somebody reads so far. */
#ifndef FED_BACKFILL_H
#define FED_BACKFILL_H

#include "engine/remote.h"

enum err backfill_remote(struct hs *hs, struct req *req, const struct backfill_ask *want,
                         bool *asked);

#endif

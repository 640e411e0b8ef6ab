/* History from before we joined, fetched when somebody reads so far. */
#ifndef FED_BACKFILL_H
#define FED_BACKFILL_H

#include "engine/remote.h"

enum err backfill_remote(struct hs *hs, struct req *req, struct room *room, size_t limit,
                         resume_fn resume, bool *asked);

#endif

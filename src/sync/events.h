/* The old stream of events. */
#ifndef SYNC_EVENTS_H
#define SYNC_EVENTS_H

#include "engine/req.h"

enum err events_get(struct hs *hs, struct req *req);

#endif

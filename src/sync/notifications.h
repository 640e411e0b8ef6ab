/* What one was told of by one's push rules. */
#ifndef SYNC_NOTIFICATIONS_H
#define SYNC_NOTIFICATIONS_H

#include "engine/req.h"

enum err notifications_get(struct hs *hs, struct req *req);

#endif

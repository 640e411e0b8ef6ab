/* Whose devices changed, by two tokens. */
#ifndef SYNC_DEVICES_H
#define SYNC_DEVICES_H

#include "engine/req.h"

enum err keys_changes_get(struct hs *hs, struct req *req);

#endif

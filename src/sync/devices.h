/* What concerns the asking device: its messages, and whose devices changed, by two tokens. */
#ifndef SYNC_DEVICES_H
#define SYNC_DEVICES_H

#include "engine/req.h"

/* The device has everything that an answer with this token told: its messages are dropped. */
enum err to_device_taken(struct hs *hs, const struct req *req, int64_t since) MUST_USE;
enum err keys_changes_get(struct hs *hs, struct req *req);

#endif

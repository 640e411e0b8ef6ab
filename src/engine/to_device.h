/* Messages for one device, kept until it has taken them by /sync. */
#ifndef ENGINE_TO_DEVICE_H
#define ENGINE_TO_DEVICE_H

#include "engine/engine.h"

/* messages: {user: {device or "*": content}}. Those for users of ours go into their inboxes, those
 * for others to their servers. */
enum err to_device_send(struct hs *hs, struct str sender, struct str type, struct str message_id,
                        const struct json *messages) MUST_USE;

#endif

/* EDUs of other servers, as far as the engine keeps what they say. fed/ hands them over; origin is
 * the proven server name, and an EDU that speaks for somebody else's users is ignored. Malformed
 * parts are skipped: an EDU has no answer that could carry a refusal. */
#ifndef ENGINE_EDU_IN_H
#define ENGINE_EDU_IN_H

#include "engine/engine.h"

/* m.receipt: {room: {"m.read": {user: {data: {ts}, event_ids: [...]}}}} */
enum err receipt_receive(struct hs *hs, struct str origin, const struct json *content) MUST_USE;
/* m.typing: {room_id, user_id, typing} */
enum err typing_receive(struct hs *hs, struct str origin, const struct json *content) MUST_USE;
/* m.presence: {push: [{user_id, presence, ...}]} */
enum err presence_receive(struct hs *hs, struct str origin, const struct json *content) MUST_USE;
/* m.direct_to_device: {sender, type, message_id, messages: {user: {device or "*": content}}} */
enum err to_device_receive(struct hs *hs, struct str origin, const struct json *content) MUST_USE;
/* m.device_list_update: {user_id, device_id, stream_id, prev_id, ...}; m.signing_key_update:
 * {user_id, ...}. What they leave stale is told to clients when it has been asked for. */
enum err device_list_receive(struct hs *hs, struct str origin, const struct json *content) MUST_USE;
enum err signing_key_receive(struct hs *hs, struct str origin, const struct json *content) MUST_USE;

#endif

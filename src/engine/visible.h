/* Who may see an event (m.room.history_visibility), with the facts looked up in the store. Where
 * the state at an event is not known (fetched history), the changes that are known decide: today's
 * state, followed back to the depth of the event. */
#ifndef ENGINE_VISIBLE_H
#define ENGINE_VISIBLE_H

#include "engine/event_cache.h"

/* Is the room open to those who are not in it (world_readable), as it is now? */
enum err visible_to_all(struct hs *hs, const struct room *room, bool *visible) MUST_USE;
enum err visible_to_user(struct hs *hs, const struct stored *s, int64_t user, struct str user_id,
                         bool *visible) MUST_USE;
/* server (its number in names) has users in the room today. */
enum err visible_to_server(struct hs *hs, const struct stored *s, int64_t server, struct str name,
                           bool *visible) MUST_USE;

/* Had the server a joined user in the room when the event came, so that it was told of it and may
 * ask for what the event cites? False where the state before the event is not known here. */
enum err visible_was_resident(struct hs *hs, const struct stored *s, int64_t server,
                              bool *was) MUST_USE;

/* The PDU for another server: whole, or redacted when it was redacted or that server may not see
 * it. Id, hash and signatures stay good, and the graph has no hole. */
enum err visible_pdu(struct hs *hs, struct arena *a, const struct stored *s, int64_t server,
                     struct str name, struct json **out) MUST_USE;

#endif

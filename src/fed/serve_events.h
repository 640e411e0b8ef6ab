/* Events, states and history for other servers in the room (server-server API, "Retrieving
 * events", "Backfilling and retrieving missing events"). */
#ifndef FED_SERVE_EVENTS_H
#define FED_SERVE_EVENTS_H

#include "engine/req.h"

enum err fed_event_get(struct hs *hs, struct req *req);
enum err fed_state_get(struct hs *hs, struct req *req);
enum err fed_state_ids_get(struct hs *hs, struct req *req);
enum err fed_event_auth_get(struct hs *hs, struct req *req);
enum err fed_event_at_get(struct hs *hs, struct req *req); /* timestamp_to_event */
enum err fed_backfill_get(struct hs *hs, struct req *req);
enum err fed_missing_post(struct hs *hs, struct req *req);

#endif

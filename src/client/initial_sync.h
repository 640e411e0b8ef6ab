/* The state of things in one answer, as it was asked for before /sync. Deprecated; clients look
 * into open rooms by it. */
#ifndef CLIENT_INITIAL_SYNC_H
#define CLIENT_INITIAL_SYNC_H

#include "client/access.h"

enum err initial_sync_get(struct hs *hs, struct req *req);
enum err room_initial_sync_get(struct hs *hs, struct req *req);
/* GET /events/{eventId}: an event of any room that the reader may see. */
enum err event_any_get(struct hs *hs, struct req *req);

#endif

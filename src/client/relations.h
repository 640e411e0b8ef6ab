/* Children of an event, threads of a room, and the event at a time (client-server API,
 * "Relationships API", "Threading", "Jump to a date"). */
#ifndef CLIENT_RELATIONS_H
#define CLIENT_RELATIONS_H

#include "engine/req.h"

enum err relations_get(struct hs *hs, struct req *req); /* .../relations/{event}[/{rel}[/{type}]] */
enum err threads_get(struct hs *hs, struct req *req);   /* /rooms/{}/threads */
enum err event_at_get(struct hs *hs, struct req *req);  /* /rooms/{}/timestamp_to_event */

#endif

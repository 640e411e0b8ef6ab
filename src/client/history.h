/* Reading rooms: pages of the timeline, one event, its surroundings, members. */
#ifndef CLIENT_HISTORY_H
#define CLIENT_HISTORY_H

#include "client/access.h"

enum err messages_get(struct hs *hs, struct req *req);
enum err event_one_get(struct hs *hs, struct req *req);
enum err context_get(struct hs *hs, struct req *req);
enum err members_get(struct hs *hs, struct req *req);
enum err joined_members_get(struct hs *hs, struct req *req);

#endif

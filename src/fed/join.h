/* Joining rooms of others, knocking there, and leaving them: make_join and send_join at one
 * resident after the other, and so on (server-server API, "Joining Rooms", "Knocking upon a room",
 * "Leaving Rooms"). */
#ifndef FED_JOIN_H
#define FED_JOIN_H

#include "engine/remote.h"

enum err enter_remote(struct hs *hs, struct req *req, enum remote_way way, struct str room_id,
                      struct strs servers, const struct json *content);
enum err leave_remote(struct hs *hs, struct req *req, struct room *room, struct strs servers);

#endif

/* Joining and leaving rooms of others: make_join and send_join at one resident after the other,
 * make_leave and send_leave (server-server API, "Joining Rooms", "Leaving Rooms"). */
#ifndef FED_JOIN_H
#define FED_JOIN_H

#include "engine/remote.h"

enum err join_remote(struct hs *hs, struct req *req, struct str room_id, struct strs servers,
                     const struct json *content);
enum err leave_remote(struct hs *hs, struct req *req, struct room *room, struct str server);

#endif

/* Spaces, and rooms in short (client-server API, "Spaces", "Room summary"), and the rooms that two
 * users share. */
#ifndef CLIENT_HIERARCHY_H
#define CLIENT_HIERARCHY_H

#include "engine/req.h"

enum err hierarchy_get(struct hs *hs, struct req *req);    /* /rooms/{}/hierarchy */
enum err room_summary_get(struct hs *hs, struct req *req); /* /room_summary/{id or alias} */
enum err mutual_rooms_get(struct hs *hs, struct req *req); /* /mutual_rooms */

#endif

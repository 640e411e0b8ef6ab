/* POST /rooms/{}/upgrade (client-server API, "Room Upgrades"). */
#ifndef CLIENT_UPGRADE_H
#define CLIENT_UPGRADE_H

#include "engine/event_cache.h"
#include "engine/req.h"

enum err upgrade_post(struct hs *hs, struct req *req);
/* The user has just entered the room: what he said of its predecessor (tags, whether it is direct)
 * is said of it too. */
enum err upgrade_carry(struct hs *hs, struct req *req, const struct room *room) MUST_USE;

#endif

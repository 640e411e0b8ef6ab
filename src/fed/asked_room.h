/* The room that another server asks about (params[0]), and whether it may ask at all. */
#ifndef FED_ASKED_ROOM_H
#define FED_ASKED_ROOM_H

#include "engine/event_cache.h"
#include "engine/req.h"

/* *room NULL, or *ok false: the refusal is set. A server that the room's access control list keeps
 * out is refused everywhere. */

/* A room that we are in. */
enum err asked_room_of_resident(struct hs *hs, struct req *req, struct room **room) MUST_USE;
/* A room that the asking server is in. */
enum err asked_room_of_member(struct hs *hs, struct req *req, struct room **room) MUST_USE;
/* The same, or one that it was in at each of these events: what it was told then, that its user was
 * thrown out say, it may ask about. None: only the former. */
enum err asked_room_of_witness(struct hs *hs, struct req *req, struct strs events,
                               struct room **room) MUST_USE;
/* A room that we may never have heard of. */
enum err asked_room_of_invite(struct hs *hs, struct req *req, bool *ok) MUST_USE;

#endif

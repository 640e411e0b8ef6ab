/* The room that another server asks about (params[0]), and whether it may ask at all. */
#ifndef FED_ASKED_ROOM_H
#define FED_ASKED_ROOM_H

#include "engine/event_cache.h"
#include "engine/req.h"

/* *room NULL: the refusal is set. */

/* A room that we are in. */
enum err asked_room_of_resident(struct hs *hs, struct req *req, struct room **room) MUST_USE;
/* A room that the asking server is in. */
enum err asked_room_of_member(struct hs *hs, struct req *req, struct room **room) MUST_USE;

#endif

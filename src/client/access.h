/* What many handlers begin with: find the room, see whether the user may. A refusal is set as the
 * reply, and *ok is false. */
#ifndef CLIENT_ACCESS_H
#define CLIENT_ACCESS_H

#include "engine/event_cache.h"
#include "engine/req.h"
#include "engine/send.h"

/* The room of params[0], of which the user is a member. */
enum err access_joined(struct hs *hs, struct req *req, struct room **room, bool *ok) MUST_USE;
enum err access_joined_in(struct hs *hs, struct req *req, struct str room_id, struct room **room,
                          bool *ok) MUST_USE;
/* The room of params[0], when anybody of ours is in it. */
enum err access_resident(struct hs *hs, struct req *req, struct room **room, bool *ok) MUST_USE;
/* The room as the user may read it: joined: the current state; left or banned: the state at that
 * time; world readable: the current one. *position: how far the timeline may be read. */
struct access {
    struct room *room;
    int64_t snapshot;
    int64_t position;
    bool is_joined;
    bool is_past;          /* as it was when the reader left */
    struct str membership; /* of the reader; absent: never there */
};
/* *ok false: the reader may not; nothing is replied. */
enum err access_room(struct hs *hs, struct req *req, struct room *room, struct access *access,
                     bool *ok) MUST_USE;
/* The same for params[0], with the refusal. */
enum err access_read(struct hs *hs, struct req *req, struct access *access, bool *ok) MUST_USE;

/* The event of params[1], when the user may see it; NULL: the refusal is set. */
enum err access_event(struct hs *hs, struct req *req, struct access *access,
                      struct stored **out) MUST_USE;

/* Sends an event and sets the refusal if there is one; *out NULL then. */
enum err access_send(struct hs *hs, struct req *req, struct room *room,
                     const struct send_parts *parts, struct stored **out) MUST_USE;
/* params[i] must be the user himself. */
bool access_is_self(struct req *req, size_t i);

#endif

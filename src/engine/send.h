/* A new event of a user of ours: built on the room's extremities, signed, through the door. */
#ifndef ENGINE_SEND_H
#define ENGINE_SEND_H

#include "engine/event_cache.h"
#include "room/verdict.h"

struct send_parts {
    struct str sender;
    struct str type;
    struct str state_key; /* absent: a message */
    struct str redacts;   /* of an m.room.redaction */
    const struct json *content;
};

/* verdict->kind ACCEPT: it is in the room, and its row in *out. Else nothing was written, and
 * verdict->why says why. ERR_LIMIT and ERR_SYNTAX: too large, or not canonical. */
enum err send_event(struct hs *hs, struct room *room, const struct send_parts *parts,
                    struct verdict *verdict, struct stored **out) MUST_USE;
/* Builds without admitting: for make_join and invites over federation. signed: with our signature.
 */
enum err send_build(struct hs *hs, struct arena *a, struct room *room,
                    const struct send_parts *parts, struct event **out, const char **why) MUST_USE;
/* The parts of an event on the room's extremities (prev_events, auth_events, depth, time). */
enum err send_place(struct hs *hs, struct arena *a, const struct room *room,
                    const struct send_parts *parts, struct event_parts *out) MUST_USE;
/* Its origin_server_ts. State resolution puts what two branches say of one key in order of time: a
 * state event of ours is later than our own that it replaces, and than its sender's membership,
 * though the clock was set back meanwhile. */
enum err send_time(struct hs *hs, const struct room *room, const struct send_parts *parts,
                   int64_t *ms) MUST_USE;

#endif

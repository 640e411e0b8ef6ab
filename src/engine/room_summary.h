/* A room in short for those who are not in it: directory, summary, hierarchy of spaces. */
#ifndef ENGINE_ROOM_SUMMARY_H
#define ENGINE_ROOM_SUMMARY_H

#include "engine/event_cache.h"

/* Puts the members of a PublicRoomsChunk. */
enum err room_summary_describe(struct hs *hs, struct arena *a, const struct room *room,
                               struct json *out) MUST_USE;
/* The same, with room_version, encryption and allowed_room_ids. */
enum err room_summary_put(struct hs *hs, struct arena *a, const struct room *room,
                          struct json *out) MUST_USE;
/* May the user know of the room: is he in it, invited, could he join or knock, or is it world
 * readable? user 0: nobody in particular. */
enum err room_summary_is_open(struct hs *hs, const struct room *room, int64_t user,
                              bool *open) MUST_USE;
/* The same for a server: has it a user in the room or invited, or could one come in? */
enum err room_summary_is_open_to_server(struct hs *hs, const struct room *room, int64_t server,
                                        bool *open) MUST_USE;

#endif

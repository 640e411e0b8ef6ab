/* Rooms that members of other rooms may enter: the join rules restricted and knock_restricted. */
#ifndef ENGINE_RESTRICTED_H
#define ENGINE_RESTRICTED_H

#include "engine/event_cache.h"

/* Does the join rule let in who fulfils a condition? */
enum err restricted_applies(struct hs *hs, const struct room *room, bool *applies) MUST_USE;
/* Is the user a member of one of the rooms that the join rule names? *known: at least one of them
 * is a room that we are in, so that the answer means something. */
enum err restricted_fits(struct hs *hs, const struct room *room, int64_t user, bool *fits,
                         bool *known) MUST_USE;
/* Has the server a user in one of those rooms, as far as we are in them? */
enum err restricted_fits_server(struct hs *hs, const struct room *room, int64_t server,
                                bool *fits) MUST_USE;
/* A joined user of ours who may invite; absent: there is none. */
enum err restricted_authoriser(struct hs *hs, struct arena *a, const struct room *room,
                               struct str *user_id) MUST_USE;
/* The ids of the rooms that the join rule names, pushed to out. */
enum err restricted_rooms(struct hs *hs, const struct room *room, struct json *out) MUST_USE;

#endif

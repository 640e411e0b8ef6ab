/* The current state of a room as rows, and who is in it: kept in step with the room's snapshot. */
#ifndef ENGINE_CURRENT_H
#define ENGINE_CURRENT_H

#include "engine/event_cache.h"
#include "room/auth.h"
#include "room/power.h"

/* snapshot becomes the room's current state. ev, when not NULL, is the event that brings it; its
 * own change is all there is when the state before it was the current one. */
enum err current_move(struct hs *hs, struct room *room, int64_t snapshot, const struct stored *ev,
                      int64_t position) MUST_USE;

/* The state event, *out NULL when there is none. */
enum err current_get(struct hs *hs, const struct room *room, struct str type, struct str state_key,
                     struct stored **out) MUST_USE;
/* Content of the state event, redacted when it was, for this turn; NULL when there is none. */
enum err current_content(struct hs *hs, const struct room *room, struct str type,
                         struct str state_key, struct json **out) MUST_USE;

/* May this server speak to us of the room (m.room.server_acl)? */
enum err current_allows_server(struct hs *hs, const struct room *room, struct str server,
                               bool *allows) MUST_USE;

/* The current state as the rules' view; the first error is kept. */
struct current_view {
    struct hs *hs;
    const struct room *room;
    enum err err;
};
struct auth_view current_view(struct current_view *view);
enum err current_power(struct hs *hs, const struct room *room, struct power *out) MUST_USE;

/* "join", "invite", "leave", "ban", "knock"; absent: never there. forgotten may be NULL. */
enum err current_membership(struct hs *hs, int64_t user, int64_t room, struct arena *a,
                            struct str *membership, bool *forgotten) MUST_USE;
/* An invite or knock to a room we are not in: stripped is a JSON array of stripped state. Also the
 * end of one ("leave", "ban"): then it is an array of the event of it, as clients see events.
 * event: 0, or the row of the member event. */
enum err current_put_outside(struct hs *hs, struct room *room, struct str user_id,
                             struct str membership, int64_t event, struct str stripped) MUST_USE;
/* Is any user of ours joined? */
enum err current_is_joined(struct hs *hs, int64_t room, bool *joined) MUST_USE;

#endif

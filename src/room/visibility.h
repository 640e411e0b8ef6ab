/* Who may read an event: m.room.history_visibility (client-server API, "Room history visibility").
 * Pure: the caller looks the four facts up. */
#ifndef ROOM_VISIBILITY_H
#define ROOM_VISIBILITY_H

#include "event/event.h"

enum visibility {
    VISIBILITY_WORLD_READABLE,
    VISIBILITY_SHARED,
    VISIBILITY_INVITED,
    VISIBILITY_JOINED,
};

/* Of a content; "shared" for anything unknown or NULL. */
enum visibility visibility_parse(const struct json *content);

enum visibility_member {
    VISIBILITY_NONE, /* left, banned, knocking, never there */
    VISIBILITY_IS_INVITED,
    VISIBILITY_IS_JOINED,
};
/* From content.membership. */
enum visibility_member visibility_member_parse(struct str membership);

/* ev is seen by the reader, if
 *   visibility   that of the state at ev (for a change of visibility: before it)
 *   then         is the reader's membership in the state at ev (before it, when ev is his own)
 *   joined_since tells that the reader is joined or was so at some time after ev.
 * A change of visibility or of the reader's own membership counts in its old and its new form. */
bool visibility_allows(const struct event *ev, struct str reader, enum visibility visibility,
                       enum visibility_member then, bool joined_since);
/* The same for a server: `then` is the highest membership of any of its users. */
bool visibility_allows_server(const struct event *ev, struct str server, enum visibility visibility,
                              enum visibility_member then, bool joined_since);

#endif

/* Events as clients see them: no hashes, signatures or auth data, redactions applied, `unsigned`
 * added (client-server API, "Room event format"). */
#ifndef ENGINE_CLIENT_EVENT_H
#define ENGINE_CLIENT_EVENT_H

#include "engine/event_cache.h"

/* For whom; user 0: nobody in particular (no transaction_id). */
struct client_view {
    int64_t user;
    struct str device_id;
    bool without_room_id;   /* inside /sync */
    bool without_relations; /* no bundled aggregations */
};

/* The event, redacted when it was, with age, transaction_id for the device that sent it,
 * prev_content and replaces_state of state events, redacted_because (and its id alone,
 * redacted_by), bundled aggregations. A redaction has `redacts` at the top and in content, whatever
 * the version. */
enum err client_event(struct hs *hs, struct arena *a, const struct stored *s,
                      const struct client_view *view, struct json **out) MUST_USE;
/* What its content shows: without what a redaction took away. Borrowed from s, or in a. */
struct json *client_content(struct arena *a, const struct stored *s);
/* Stripped state of a room for an invite or a knock: an array of {type, state_key, sender,
 * content}. ev, when not NULL, is the member event, put last. */
enum err client_event_stripped(struct hs *hs, struct arena *a, const struct room *room,
                               const struct event *ev, struct json **out) MUST_USE;
struct json *client_event_strip(struct arena *a, const struct event *ev);

#endif

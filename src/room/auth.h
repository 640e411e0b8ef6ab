/* The authorization rules of every room version, as pure functions: what they need of the room they
 * ask through a view, so the same code checks an event against the events it cites, the state
 * before it and the current state. Touches no store.
 *
 * To decide on an event (checks on receipt of a PDU, 4 to 6):
 *   auth_check_alone(a, ev, create, cited, n)           its form, and the list it cites
 *   auth_check(a, ev, auth_view_cited(&cited_events))   4: by the events it cites
 *   auth_check(a, ev, <view of the state before>)       5
 *   auth_check(a, ev, <view of the current state>)      6: else soft-failed
 * Texts of refusals are static and name the rule. */
#ifndef ROOM_AUTH_H
#define ROOM_AUTH_H

#include "event/event.h"
#include "room/verdict.h"

/* One state of the room. get gives NULL for no such state event. From version 12 on get must find
 * m.room.create although no event cites it. */
struct auth_view {
    void *ctx;
    const struct event *(*get)(void *ctx, struct str type, struct str state_key);
};

/* The events that an event cites, as a view. */
struct auth_cited {
    const struct event *const *events;
    size_t n;
    const struct event *create; /* of the room; version 12 finds it here; may be NULL before */
};
struct auth_view auth_view_cited(struct auth_cited *cited);

/* The rules that need no state: rule 1 (create), and the list of cited events: of this room, none
 * rejected (the caller: rejected[i]; NULL: none is), no two for one key, none but those that
 * auth_needs names. create: the accepted create event of the room (version 12), else NULL. */
struct verdict auth_check_alone(struct arena *a, const struct event *ev, const struct event *create,
                                const struct event *const *cited, const bool *rejected, size_t n);
/* All other rules, against one state. a is scratch. */
struct verdict auth_check(struct arena *a, const struct event *ev, struct auth_view view);

struct auth_key {
    struct str type, state_key;
};
struct auth_keys {
    const struct auth_key *at;
    size_t n;
};
/* Server-server API, "Auth events selection": the state that an event must cite. content may be
 * NULL. state_key absent: a message. At most EVENT_AUTH_MAX; texts are borrowed from the
 * arguments. */
struct auth_keys auth_needs(struct arena *a, const struct room_version *version, struct str type,
                            struct str sender, struct str state_key, const struct json *content);

/* May `redaction` (allowed in the room) take effect on `target`? By power, or of one's own server
 * (versions 1 and 2 decide in auth_check; there it is true as well). */
bool auth_may_redact(const struct event *redaction, const struct event *target,
                     struct auth_view view);

#endif

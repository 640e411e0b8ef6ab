/* Filters of clients (client-server API, "Filtering"): parsed once, then asked for each event.
 * Pure: no store. Everything borrows from the JSON it was parsed from. */
#ifndef ENGINE_EVENT_FILTER_H
#define ENGINE_EVENT_FILTER_H

#include "event/event.h"

/* EventFilter and RoomEventFilter in one. An absent list lets everything through. */
struct event_filter {
    int64_t limit; /* 0: not given, unless has_limit says so */
    bool has_limit;
    const struct json *types, *not_types;
    const struct json *senders, *not_senders;
    const struct json *rooms, *not_rooms;
    const struct json *contains_url; /* a boolean; NULL: either */
    bool lazy_load_members, include_redundant_members, unread_thread_notifications;
};

/* The whole of a stored or inline filter. */
struct sync_filter {
    struct event_filter presence, account_data;
    const struct json *rooms, *not_rooms;
    struct event_filter ephemeral, state, timeline, room_account_data;
    bool include_leave;
    bool is_federation_format;
    const struct json *event_fields; /* NULL: all */
};

/* NULL gives the filter that lets everything through. *why names the first wrong member. */
enum err event_filter_parse(const struct json *node, struct event_filter *out,
                            const char **why) MUST_USE;
enum err sync_filter_parse(const struct json *node, struct sync_filter *out,
                           const char **why) MUST_USE;

bool event_filter_allows_room(const struct event_filter *f, struct str room_id);
/* Type ('*' in the filter takes anything), sender (may be absent), contains_url (content may be
 * NULL). The room is the caller's to ask for. */
bool event_filter_allows(const struct event_filter *f, struct str type, struct str sender,
                         const struct json *content);
bool event_filter_allows_event(const struct event_filter *f, const struct event *ev);
bool sync_filter_allows_room(const struct sync_filter *f, struct str room_id);

/* The event with only the fields listed (paths like "content.body", "\." for a dot in a name). */
struct json *event_fields_pick(struct arena *a, const struct json *fields,
                               const struct json *event);

#endif

/* A user's own data, global (room 0) or of a room. A change is news for that user alone. */
#ifndef ENGINE_ACCOUNT_DATA_H
#define ENGINE_ACCOUNT_DATA_H

#include "engine/engine.h"
#include "engine/event_filter.h"

/* The content, NULL when there is none. A tree of the caller's own. */
enum err account_data_get(struct hs *hs, struct arena *a, int64_t user, int64_t room,
                          struct str type, struct json **out) MUST_USE;
enum err account_data_put(struct hs *hs, int64_t user, int64_t room, struct str type,
                          const struct json *content) MUST_USE;

/* Rows changed after `since` that the filter lets through, as {type, content} added to an array.
 * room 0: the user's global data. */
struct account_data_ask {
    int64_t user, room, since;
    const struct event_filter *filter;
};
enum err account_data_list(struct hs *hs, struct arena *a, const struct account_data_ask *ask,
                           struct json *events) MUST_USE;
/* One such event, when the filter lets it through. */
void account_data_event(const struct event_filter *filter, struct str type, struct json *content,
                        struct json *events);

#endif

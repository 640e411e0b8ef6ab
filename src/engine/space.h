/* Rooms that hold others (client-server API, "Spaces"). Serves clients and peers. */
#ifndef ENGINE_SPACE_H
#define ENGINE_SPACE_H

#include "engine/event_cache.h"

struct space_child {
    struct str room_id, order;
    const struct stored *s;
};
struct space_children {
    struct space_child at[HIERARCHY_CHILDREN_MAX];
    size_t n;
};

/* The valid children, in their order; none of a room that is no space. */
enum err space_children(struct hs *hs, struct arena *a, const struct room *room,
                        bool suggested_only, struct space_children **out) MUST_USE;
/* The room's summary with children_state. */
enum err space_put(struct hs *hs, struct arena *a, const struct room *room,
                   const struct space_children *children, struct json *out) MUST_USE;

#endif

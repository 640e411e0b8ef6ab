/* History visibility as a table of memberships and settings. */
#include "room/visibility.h"

#include "event/mxid.h"

static const struct {
    struct str name;
    enum visibility visibility;
} names[] = {
    {STR_INIT("world_readable"), VISIBILITY_WORLD_READABLE},
    {STR_INIT("shared"), VISIBILITY_SHARED},
    {STR_INIT("invited"), VISIBILITY_INVITED},
    {STR_INIT("joined"), VISIBILITY_JOINED},
};

enum visibility visibility_parse(const struct json *content)
{
    struct str name = json_get_text(content, "history_visibility");
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (str_eq(names[i].name, name)) {
            return names[i].visibility;
        }
    }
    return VISIBILITY_SHARED;
}

enum visibility_member visibility_member_parse(struct str membership)
{
    if (str_eq(membership, STR("join"))) {
        return VISIBILITY_IS_JOINED;
    }
    return str_eq(membership, STR("invite")) ? VISIBILITY_IS_INVITED : VISIBILITY_NONE;
}

static bool is_open(enum visibility visibility, enum visibility_member then, bool joined_since)
{
    switch (visibility) {
    case VISIBILITY_WORLD_READABLE:
        return true;
    case VISIBILITY_SHARED:
        return then == VISIBILITY_IS_JOINED || joined_since;
    case VISIBILITY_INVITED:
        return then != VISIBILITY_NONE;
    case VISIBILITY_JOINED:
        return then == VISIBILITY_IS_JOINED;
    }
    return false;
}

/* The more open of the old and the new setting counts for the change itself. */
static enum visibility widest(const struct event *ev, enum visibility visibility)
{
    if (!event_is(ev, STR("m.room.history_visibility"), STR(""))) {
        return visibility;
    }
    enum visibility changed = visibility_parse(ev->content);
    return changed < visibility ? changed : visibility;
}

bool visibility_allows(const struct event *ev, struct str reader, enum visibility visibility,
                       enum visibility_member then, bool joined_since)
{
    if (event_is(ev, STR("m.room.member"), reader)) {
        enum visibility_member after = visibility_member_parse(event_membership(ev));
        then = after > then ? after : then;
    }
    return is_open(widest(ev, visibility), then, joined_since);
}

bool visibility_allows_server(const struct event *ev, struct str server, enum visibility visibility,
                              enum visibility_member then, bool joined_since)
{
    if (event_is_state(ev) && str_eq(ev->type, STR("m.room.member")) &&
        str_eq(mxid_server(ev->state_key), server)) {
        enum visibility_member after = visibility_member_parse(event_membership(ev));
        then = after > then ? after : then;
    }
    return is_open(widest(ev, visibility), then, joined_since);
}

/* Power levels: who may do what (client-server API, m.room.power_levels; room versions 10 and 12
 * for integers and creators). Reads the content as it is, with the defaults of the specification.
 */
#ifndef ROOM_POWER_H
#define ROOM_POWER_H

#include "event/event.h"

/* The power of a creator in version 12: above every level that can be written. */
#define POWER_CREATOR INT64_MAX

enum power_action {
    POWER_INVITE, /* default 0 */
    POWER_KICK,   /* default 50, as the next two */
    POWER_BAN,
    POWER_REDACT,
    POWER_NOTIFY_ROOM, /* notifications.room: @room */
};

struct power {
    const struct room_version *version;
    const struct event *create; /* NULL: nobody is a creator */
    const struct json *levels;  /* content of m.room.power_levels, NULL: there is none */
};

/* Either event may be NULL. */
struct power power_of(const struct event *create, const struct event *power_levels);
bool power_is_creator(const struct power *p, struct str user);
int64_t power_of_user(const struct power *p, struct str user);
int64_t power_to_send(const struct power *p, struct str type, bool is_state);
int64_t power_for(const struct power *p, enum power_action action);
/* A level as this room version writes them: an integer, before version 10 also text or a fraction.
 * False: not a level. */
bool power_parse(const struct room_version *version, const struct json *node, int64_t *level);

#endif

/* The rules in pieces, for the files of room/ that make up auth.h. */
#ifndef ROOM_RULES_H
#define ROOM_RULES_H

#include "room/auth.h"
#include "room/power.h"

/* What every rule looks at, fetched once. */
struct rules {
    struct arena *a;
    const struct event *ev;
    struct auth_view view;
    const struct event *create;
    struct power power;
};

const struct event *rules_get(const struct rules *r, const char *type, struct str state_key);
/* content.membership of a user; absent: never there. */
struct str rules_membership(const struct rules *r, struct str user);
/* m.federate: may users of this server take part? */
bool rules_may_federate(const struct rules *r, struct str server);
/* auth_member.c: rule "m.room.member". */
struct verdict rules_check_member(const struct rules *r);
/* auth_power.c: rule "m.room.power_levels". */
struct verdict rules_check_power_levels(const struct rules *r);

#endif

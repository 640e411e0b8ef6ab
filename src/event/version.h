/* Room versions 1 to 12 as rows of one table (Matrix specification, "Room Versions"). What differs
 * between versions is a field here and never an `if` on the name elsewhere. */
#ifndef EVENT_VERSION_H
#define EVENT_VERSION_H

#include "base/str.h"

enum version_id_form {
    VERSION_ID_SERVER,     /* 1, 2: "$opaque:server", carried in the event */
    VERSION_ID_BASE64,     /* 3: "$" and the reference hash in base64 */
    VERSION_ID_BASE64_URL, /* 4 on: the same in the URL-safe alphabet */
};

enum version_resolution {
    VERSION_RESOLUTION_1,
    VERSION_RESOLUTION_2,
    VERSION_RESOLUTION_2_1,
};

struct room_version {
    struct str name; /* "11" */
    enum version_id_form id_form;
    enum version_resolution resolution;
    bool strict_json;            /* 6: canonical JSON is enforced, integers only */
    bool key_validity;           /* 5: a signing key must be valid at origin_server_ts */
    bool aliases_rule;           /* 1-5: m.room.aliases has its own auth rule and redaction */
    bool notifications_rule;     /* 6: `notifications` counts in checks of power levels */
    bool knock;                  /* 7: the join rule and the membership */
    bool restricted;             /* 8: the join rule `restricted` */
    bool restricted_redaction;   /* 9: redaction keeps join_authorised_via_users_server */
    bool knock_restricted;       /* 10 */
    bool integer_power;          /* 10: power levels are integers, never text */
    bool implicit_creator;       /* 11: the creator is the sender of m.room.create */
    bool redacts_in_content;     /* 11 */
    bool redaction_11;           /* 11: the updated list of what redaction keeps */
    bool room_id_is_create_hash; /* 12: and the create event is not among auth_events */
    bool privileged_creators;    /* 12: infinite power, additional_creators */
};

/* NULL: a version that is not served. */
const struct room_version *room_version_find(struct str name);
/* Version 11, what new rooms get. */
const struct room_version *room_version_default(void);
/* Row i of the table, NULL past the last: for the capabilities and `ver` of make_join. */
const struct room_version *room_version_at(size_t i);

#endif

/* Which servers a room talks to (client-server API, "Server Access Control Lists (ACLs) for
 * rooms").
 */
#ifndef ROOM_ACL_H
#define ROOM_ACL_H

#include "json/json.h"

/* content: of m.room.server_acl; NULL: there is none, and everybody is let in. */
bool acl_allows(const struct json *content, struct str server);

#endif

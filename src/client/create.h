/* POST createRoom (client-server API, "Creation"). */
#ifndef CLIENT_CREATE_H
#define CLIENT_CREATE_H

#include "client/access.h"

enum err create_room_post(struct hs *hs, struct req *req);

/* A new room id of this server (before version 12). */
struct str create_room_id(struct hs *hs, struct arena *a);
/* A room as a body of createRoom describes it, without a preset; its room_version is one that is
 * served. room_id absent: a new one. *out NULL: the refusal is set. */
enum err create_like(struct hs *hs, struct req *req, const struct json *body, struct str room_id,
                     struct room **out) MUST_USE;

#endif

/* Questions of our users that other servers answer: aliases, profiles, public rooms. */
#ifndef FED_LOOKUP_H
#define FED_LOOKUP_H

#include "engine/remote.h"

enum err lookup_alias(struct hs *hs, struct req *req, struct str alias, enum remote_way way);
enum err lookup_profile(struct hs *hs, struct req *req, struct str user_id, struct str field);
enum err lookup_public_rooms(struct hs *hs, struct req *req, const struct public_rooms_ask *ask,
                             struct str server);

#endif

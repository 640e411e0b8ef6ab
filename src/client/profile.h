/* Profiles (client-server API, "Profiles"); a change spreads into the rooms one is in. */
#ifndef CLIENT_PROFILE_H
#define CLIENT_PROFILE_H

#include "client/access.h"

enum err profile_get(struct hs *hs, struct req *req);
enum err profile_field_get(struct hs *hs, struct req *req);
enum err profile_field_put(struct hs *hs, struct req *req);
enum err profile_field_delete(struct hs *hs, struct req *req);

#endif

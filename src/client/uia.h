/* User-interactive authentication (client-server API, "User-Interactive Authentication API"). Each
 * flow has one stage, so a session needs no memory: the stage comes whole with the request. */
#ifndef CLIENT_UIA_H
#define CLIENT_UIA_H

#include "engine/req.h"

/* m.login.dummy; *ok false: the 401 with the flows is set. */
enum err uia_dummy(struct hs *hs, struct req *req, bool *ok) MUST_USE;
/* m.login.password of the user himself. */
enum err uia_password(struct hs *hs, struct req *req, bool *ok) MUST_USE;
/* Does the password fit the account? Costs the same for one that is not there. user 0: nobody. */
enum err uia_check_password(struct hs *hs, struct arena *a, int64_t user, struct str password,
                            bool *fits) MUST_USE;

#endif

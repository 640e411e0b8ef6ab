/* Questions of other servers that are not about events: version, directory, profiles, public
 * rooms. */
#ifndef FED_QUERY_H
#define FED_QUERY_H

#include "engine/req.h"

enum err version_get(struct hs *hs, struct req *req);
/* query/{type} of a type that the specification does not name. */
enum err query_unknown_get(struct hs *hs, struct req *req);
enum err query_directory_get(struct hs *hs, struct req *req);
enum err query_profile_get(struct hs *hs, struct req *req);
/* Whose an OpenID token is; asked by anyone who was given one. */
enum err openid_userinfo_get(struct hs *hs, struct req *req);
enum err fed_public_rooms_get(struct hs *hs, struct req *req);
enum err fed_public_rooms_post(struct hs *hs, struct req *req);

#endif

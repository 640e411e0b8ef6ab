/* Login, logout, whoami, change of password (client-server API, "Client Authentication"). */
#ifndef CLIENT_LOGIN_H
#define CLIENT_LOGIN_H

#include "engine/req.h"

enum err login_get(struct hs *hs, struct req *req);
enum err login_post(struct hs *hs, struct req *req);
enum err logout_post(struct hs *hs, struct req *req);
enum err logout_all_post(struct hs *hs, struct req *req);
enum err whoami_get(struct hs *hs, struct req *req);
enum err password_post(struct hs *hs, struct req *req);

/* A device (the body's device_id, or a new one) and a token for it: user_id, access_token,
 * device_id and home_server go into out. */
enum err login_device(struct hs *hs, struct req *req, int64_t user, struct str user_id,
                      struct json *out) MUST_USE;

#endif

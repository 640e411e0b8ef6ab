/* Registration, and the end of an account (client-server API, "Account registration"). */
#ifndef CLIENT_REGISTER_H
#define CLIENT_REGISTER_H

#include "engine/req.h"

enum err register_post(struct hs *hs, struct req *req);
enum err register_available_get(struct hs *hs, struct req *req);
/* Is a token good for m.login.registration_token, asked by a client before it begins? */
enum err registration_token_get(struct hs *hs, struct req *req);
/* /_synapse/admin/v1/register: with the shared secret of --registration-secret-file. */
enum err register_nonce_get(struct hs *hs, struct req *req);
enum err register_secret_post(struct hs *hs, struct req *req);

#endif

/* Registration, and the end of an account (client-server API, "Account registration"). */
#ifndef CLIENT_REGISTER_H
#define CLIENT_REGISTER_H

#include "engine/req.h"

enum err register_post(struct hs *hs, struct req *req);
enum err register_available_get(struct hs *hs, struct req *req);
/* Is a token good for m.login.registration_token, asked by a client before it begins? */
enum err registration_token_get(struct hs *hs, struct req *req);
/* An account that somebody else makes. *user 0: the name or password cannot be had, and the refusal
 * is set, or the request waits for its turn to hash. */
struct register_wish {
    struct str username, password;
    bool is_admin;
};
enum err register_account(struct hs *hs, struct req *req, const struct register_wish *wish,
                          int64_t *user, struct str *user_id) MUST_USE;
/* As accounts keep it. */
struct str register_hash(struct hs *hs, struct arena *a, struct str password);
/* /_synapse/admin/v1/register: with the shared secret of --registration-secret-file. */
enum err register_nonce_get(struct hs *hs, struct req *req);
enum err register_secret_post(struct hs *hs, struct req *req);

#endif

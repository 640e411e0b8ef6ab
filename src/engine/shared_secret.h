/* Registration by a secret that an administrator and the homeserver share, in the form that
 * administration tools know. */
#ifndef ENGINE_SHARED_SECRET_H
#define ENGINE_SHARED_SECRET_H

#include "engine/engine.h"

/* What the tool says about the new account. */
struct secret_claim {
    struct str nonce, username, password;
    bool is_admin;
    struct str mac; /* HMAC-SHA-1 of the others, in hex */
};

/* Is the claim made with settings.registration_secret? False for claims that are too long. */
bool shared_secret_fits(struct hs *hs, struct arena *a, const struct secret_claim *claim);

#endif

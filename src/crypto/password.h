/* Password hashes: argon2id in PHC strings that we write ourselves, salts from the caller. */
#ifndef CRYPTO_PASSWORD_H
#define CRYPTO_PASSWORD_H

#include "base/arena.h"

enum { PASSWORD_SALT_SIZE = 16 };

struct password_cost {
    uint32_t memory_kib; /* m: 19456 in earnest, 8 in the simulator and cases */
    uint32_t passes;     /* t: 2 */
};

/* "$argon2id$v=19$m=19456,t=2,p=1$<salt>$<hash>" */
struct str password_hash(struct arena *a, struct str password, struct password_cost cost,
                         const uint8_t salt[PASSWORD_SALT_SIZE]);
/* ERR_REFUSED: wrong password. ERR_SYNTAX: not a PHC string of ours. *outdated tells that the cost
 * differs from `cost`, so the caller can hash anew at login. */
enum err password_check(struct str phc, struct str password, struct password_cost cost,
                        bool *outdated) MUST_USE;

#endif

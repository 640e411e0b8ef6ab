/* Ed25519. Keys come from seeds that the host's randomness made. */
#ifndef CRYPTO_SIGN_H
#define CRYPTO_SIGN_H

#include "base/str.h"

enum { SIGN_SEED_SIZE = 32, SIGN_PUBLIC_SIZE = 32, SIGN_SIZE = 64 };

struct sign_key {
    uint8_t seed[SIGN_SEED_SIZE];
    uint8_t public_key[SIGN_PUBLIC_SIZE];
};

void sign_key_from_seed(struct sign_key *key, const uint8_t seed[SIGN_SEED_SIZE]);
void sign_make(uint8_t out[SIGN_SIZE], const struct sign_key *key, struct str message);
/* ERR_REFUSED when it does not verify. */
enum err sign_check(const uint8_t public_key[SIGN_PUBLIC_SIZE], struct str message,
                    const uint8_t signature[SIGN_SIZE]) MUST_USE;

#endif

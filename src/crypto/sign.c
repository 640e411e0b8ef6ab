/* Ed25519 by libsodium, whose secret key is the seed and the public key side by side. */
#include "crypto/sign.h"

#include <sodium.h>
#include <string.h>

void sign_key_from_seed(struct sign_key *key, const uint8_t seed[SIGN_SEED_SIZE])
{
    unsigned char secret[crypto_sign_SECRETKEYBYTES];
    memcpy(key->seed, seed, SIGN_SEED_SIZE);
    (void)crypto_sign_seed_keypair(key->public_key, secret, seed);
    sodium_memzero(secret, sizeof(secret));
}

void sign_make(uint8_t out[SIGN_SIZE], const struct sign_key *key, struct str message)
{
    unsigned char secret[crypto_sign_SECRETKEYBYTES];
    memcpy(secret, key->seed, SIGN_SEED_SIZE);
    memcpy(secret + SIGN_SEED_SIZE, key->public_key, SIGN_PUBLIC_SIZE);
    (void)crypto_sign_detached(out, NULL, (const unsigned char *)message.p, message.n, secret);
    sodium_memzero(secret, sizeof(secret));
}

enum err sign_check(const uint8_t public_key[SIGN_PUBLIC_SIZE], struct str message,
                    const uint8_t signature[SIGN_SIZE])
{
    return crypto_sign_verify_detached(signature, (const unsigned char *)message.p, message.n,
                                       public_key) == 0
               ? ERR_NONE
               : ERR_REFUSED;
}

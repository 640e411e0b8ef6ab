/* SHA-256 and HMAC-SHA-256 by libsodium. */
#ifndef CRYPTO_HASH_H
#define CRYPTO_HASH_H

#include "base/str.h"

enum { HASH_SIZE = 32 };

/* Call once before anything in crypto/; starts libsodium without touching its random source. */
void crypto_start(void);

void hash_sha256(uint8_t out[HASH_SIZE], struct str bytes);
/* Two pieces hashed as one. */
void hash_sha256_pair(uint8_t out[HASH_SIZE], struct str first, struct str second);
void hash_hmac(uint8_t out[HASH_SIZE], struct str key, struct str bytes);
/* Same time whatever differs; false at once only when the lengths differ. */
bool hash_eq(struct str a, struct str b);

#endif

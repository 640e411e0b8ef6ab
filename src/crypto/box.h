/* X25519 and ChaCha20-Poly1305 (IETF), the pieces of Noise. */
#ifndef CRYPTO_BOX_H
#define CRYPTO_BOX_H

#include "base/str.h"

enum { BOX_KEY_SIZE = 32, BOX_TAG_SIZE = 16 };

void box_public(uint8_t out[BOX_KEY_SIZE], const uint8_t private_key[BOX_KEY_SIZE]);
/* ERR_REFUSED for an all-zero result (RFC 7748 section 6.1). */
enum err box_shared(uint8_t out[BOX_KEY_SIZE], const uint8_t private_key[BOX_KEY_SIZE],
                    const uint8_t public_key[BOX_KEY_SIZE]) MUST_USE;
/* out has room for plain.n + BOX_TAG_SIZE. The nonce is 4 zero bytes and the counter, little
 * endian. */
void box_seal(uint8_t *out, struct str plain, struct str ad, uint64_t counter,
              const uint8_t key[BOX_KEY_SIZE]);
/* out has room for cipher.n - BOX_TAG_SIZE. ERR_REFUSED for a wrong tag, ERR_SYNTAX if too short.
 */
enum err box_open(uint8_t *out, struct str cipher, struct str ad, uint64_t counter,
                  const uint8_t key[BOX_KEY_SIZE]) MUST_USE;

#endif

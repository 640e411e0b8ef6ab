/* X25519 and ChaCha20-Poly1305 by libsodium. */
#include "crypto/box.h"

#include <sodium.h>
#include <string.h>

enum { NONCE_SIZE = 12 };

void box_public(uint8_t out[BOX_KEY_SIZE], const uint8_t private_key[BOX_KEY_SIZE])
{
    (void)crypto_scalarmult_curve25519_base(out, private_key);
}

enum err box_shared(uint8_t out[BOX_KEY_SIZE], const uint8_t private_key[BOX_KEY_SIZE],
                    const uint8_t public_key[BOX_KEY_SIZE])
{
    return crypto_scalarmult_curve25519(out, private_key, public_key) == 0 ? ERR_NONE : ERR_REFUSED;
}

static void nonce_write(uint8_t nonce[NONCE_SIZE], uint64_t counter)
{
    memset(nonce, 0, 4);
    for (size_t i = 4; i < NONCE_SIZE; i++) {
        nonce[i] = (uint8_t)(counter >> (8 * (i - 4)));
    }
}

void box_seal(uint8_t *out, struct str plain, struct str ad, uint64_t counter,
              const uint8_t key[BOX_KEY_SIZE])
{
    uint8_t nonce[NONCE_SIZE];
    nonce_write(nonce, counter);
    (void)crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, (const unsigned char *)plain.p,
                                                    plain.n, (const unsigned char *)ad.p, ad.n,
                                                    NULL, nonce, key);
}

enum err box_open(uint8_t *out, struct str cipher, struct str ad, uint64_t counter,
                  const uint8_t key[BOX_KEY_SIZE])
{
    uint8_t nonce[NONCE_SIZE];
    if (cipher.n < BOX_TAG_SIZE) {
        return ERR_SYNTAX;
    }
    nonce_write(nonce, counter);
    int opened = crypto_aead_chacha20poly1305_ietf_decrypt(
        out, NULL, NULL, (const unsigned char *)cipher.p, cipher.n, (const unsigned char *)ad.p,
        ad.n, nonce, key);
    return opened == 0 ? ERR_NONE : ERR_REFUSED;
}

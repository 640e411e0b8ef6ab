/* HMAC (RFC 2104) over SHA-1, which the tools demand. */
#include "engine/shared_secret.h"

#include "base/encode.h"
#include "crypto/hash.h"
#include "room/sha1.h"

#include <string.h>

enum { BLOCK = 64, CLAIM_MAX = 4096 };

/* The key's block, each byte combined with a pad. */
static struct str padded(struct arena *a, const uint8_t block[BLOCK], uint8_t pad)
{
    uint8_t *out = arena_alloc(a, BLOCK);
    for (size_t i = 0; i < BLOCK; i++) {
        out[i] = block[i] ^ pad;
    }
    return str_make(out, BLOCK);
}

static struct str hmac_sha1(struct arena *a, struct str key, struct str text)
{
    uint8_t block[BLOCK] = {0};
    uint8_t *inner = arena_alloc(a, SHA1_SIZE);
    uint8_t *outer = arena_alloc(a, SHA1_SIZE);
    if (key.n > BLOCK) {
        sha1(block, str_sub(key, 0, CLAIM_MAX));
    } else if (key.n > 0) {
        memcpy(block, key.p, key.n);
    }
    sha1(inner, arena_join(a, padded(a, block, 0x36), text, STR("")));
    sha1(outer, arena_join(a, padded(a, block, 0x5c), str_make(inner, SHA1_SIZE), STR("")));
    return str_make(outer, SHA1_SIZE);
}

bool shared_secret_fits(struct hs *hs, struct arena *a, const struct secret_claim *claim)
{
    static const char zero[1] = {0};
    struct str nul = str_make(zero, 1);
    struct str role = claim->is_admin ? STR("admin") : STR("notadmin");
    if (str_is_empty(hs->settings.registration_secret) ||
        claim->nonce.n + claim->username.n + claim->password.n > CLAIM_MAX) {
        return false;
    }
    struct str names = arena_join(a, claim->nonce, nul, claim->username);
    struct str rest = arena_join(a, claim->password, nul, role);
    struct str mac =
        hmac_sha1(a, hs->settings.registration_secret, arena_join(a, names, nul, rest));
    return hash_eq(hex_write(a, mac), claim->mac);
}

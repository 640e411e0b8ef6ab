/* SHA-256, HMAC, and the start of libsodium with no randomness behind it. */
#include "crypto/hash.h"

#include <sodium.h>
#include <string.h>

static const char *source_name(void)
{
    return "none";
}

/* libsodium fills the canary of its guarded heap at the start. We never use that heap. */
static void fill_at_start(void *const p, const size_t n)
{
    memset(p, 0, n);
}

/* Whoever draws randomness inside the core has a bug: it comes from the host. */
static void refuse_to_fill(void *const p, const size_t n)
{
    (void)p;
    (void)n;
    assert(false && "randomness drawn from libsodium");
}

static uint32_t refuse_to_draw(void)
{
    assert(false && "randomness drawn from libsodium");
    return 0;
}

static void stir(void)
{
}

void crypto_start(void)
{
    static struct randombytes_implementation start = {
        .implementation_name = source_name,
        .random = refuse_to_draw,
        .stir = stir,
        .buf = fill_at_start,
    };
    static struct randombytes_implementation later = {
        .implementation_name = source_name,
        .random = refuse_to_draw,
        .stir = stir,
        .buf = refuse_to_fill,
    };
    (void)randombytes_set_implementation(&start);
    int started = sodium_init();
    assert(started >= 0);
    (void)started;
    (void)randombytes_set_implementation(&later);
}

static const unsigned char *bytes_of(struct str s)
{
    return (const unsigned char *)(s.n == 0 ? "" : s.p);
}

void hash_sha256(uint8_t out[HASH_SIZE], struct str bytes)
{
    (void)crypto_hash_sha256(out, bytes_of(bytes), bytes.n);
}

void hash_sha256_pair(uint8_t out[HASH_SIZE], struct str first, struct str second)
{
    crypto_hash_sha256_state state;
    (void)crypto_hash_sha256_init(&state);
    (void)crypto_hash_sha256_update(&state, bytes_of(first), first.n);
    (void)crypto_hash_sha256_update(&state, bytes_of(second), second.n);
    (void)crypto_hash_sha256_final(&state, out);
}

void hash_hmac(uint8_t out[HASH_SIZE], struct str key, struct str bytes)
{
    crypto_auth_hmacsha256_state state;
    (void)crypto_auth_hmacsha256_init(&state, bytes_of(key), key.n);
    (void)crypto_auth_hmacsha256_update(&state, bytes_of(bytes), bytes.n);
    (void)crypto_auth_hmacsha256_final(&state, out);
}

bool hash_eq(struct str a, struct str b)
{
    return a.n == b.n && sodium_memcmp(bytes_of(a), bytes_of(b), a.n) == 0;
}

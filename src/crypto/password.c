/* Argon2id. libsodium's own PHC writer draws a salt by itself, so the strings are ours. */
#include "crypto/password.h"

#include <sodium.h>

#include "base/encode.h"
#include "crypto/hash.h"

/* What a row of ours can ask for at most; anything above is damage. */
enum { MEMORY_MAX_KIB = 1024 * 1024, PASSES_MAX = 64, SALT_MAX = 64 };

static const char PREFIX[] = "$argon2id$v=19$";

static void derive(uint8_t out[HASH_SIZE], struct str password, struct password_cost cost,
                   const uint8_t salt[PASSWORD_SALT_SIZE])
{
    int done =
        crypto_pwhash(out, HASH_SIZE, password.n == 0 ? "" : password.p, password.n, salt,
                      cost.passes, (size_t)cost.memory_kib * 1024, crypto_pwhash_ALG_ARGON2ID13);
    assert(done == 0); /* fails only for a cost out of range or without memory */
    (void)done;
}

struct str password_hash(struct arena *a, struct str password, struct password_cost cost,
                         const uint8_t salt[PASSWORD_SALT_SIZE])
{
    uint8_t hash[HASH_SIZE];
    derive(hash, password, cost, salt);
    struct str salt_text = base64_write(a, str_make(salt, PASSWORD_SALT_SIZE));
    struct str hash_text = base64_write(a, str_make(hash, sizeof(hash)));
    return arena_fmt(a, "%sm=%u,t=%u,p=1$%.*s$%.*s", PREFIX, (unsigned)cost.memory_kib,
                     (unsigned)cost.passes, STR_ARG(salt_text), STR_ARG(hash_text));
}

/* "m=19456" with the letter given, up to the next separator. */
static bool take_number(struct str *text, struct str name, char sep, uint32_t max, uint32_t *out)
{
    struct str head;
    int64_t value;
    if (!str_cut(*text, sep, &head, text) || !str_starts(head, name) ||
        !str_to_i64(str_from(head, name.n), &value) || value < 1 || value > max) {
        return false;
    }
    *out = (uint32_t)value;
    return true;
}

static enum err check(struct arena *a, struct str phc, struct str password,
                      struct password_cost *cost)
{
    struct str prefix = STR(PREFIX);
    struct str rest = str_from(phc, prefix.n);
    struct str salt_text, salt, hash;
    uint32_t lanes;
    uint8_t made[HASH_SIZE];
    if (!str_starts(phc, prefix) ||
        !take_number(&rest, STR("m="), ',', MEMORY_MAX_KIB, &cost->memory_kib) ||
        !take_number(&rest, STR("t="), ',', PASSES_MAX, &cost->passes) ||
        !take_number(&rest, STR("p="), '$', 1, &lanes) || cost->memory_kib < 8 ||
        !str_cut(rest, '$', &salt_text, &rest) || salt_text.n > SALT_MAX || rest.n > SALT_MAX) {
        return ERR_SYNTAX;
    }
    TRY(base64_parse(a, salt_text, &salt));
    TRY(base64_parse(a, rest, &hash));
    if (salt.n != PASSWORD_SALT_SIZE || hash.n != HASH_SIZE) {
        return ERR_SYNTAX;
    }
    derive(made, password, *cost, (const uint8_t *)salt.p);
    return hash_eq(str_make(made, sizeof(made)), hash) ? ERR_NONE : ERR_REFUSED;
}

enum err password_check(struct str phc, struct str password, struct password_cost cost,
                        bool *outdated)
{
    struct arena *a = arena_new();
    struct password_cost used = {0};
    enum err err = check(a, phc, password, &used);
    *outdated = used.memory_kib != cost.memory_kib || used.passes != cost.passes;
    arena_free(a);
    return err;
}

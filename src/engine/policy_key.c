/* A second key from the identity's seed. */
#include "engine/policy_key.h"

#include "crypto/hash.h"

void policy_key(const struct hs *hs, struct sign_key *out)
{
    uint8_t seed[HASH_SIZE];
    static_assert((int)HASH_SIZE == (int)SIGN_SEED_SIZE, "a hash is a seed");
    const struct sign_key *own = &hs->identity.key;
    hash_hmac(seed, str_make(own->seed, sizeof(own->seed)), STR("policy server"));
    sign_key_from_seed(out, seed);
}

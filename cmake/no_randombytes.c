/* libsodium without randomness, for wasm. The core draws only from host.random, so whatever asks
 * here is a bug and ends the instance. One call is let through: sodium_init fills the canary of
 * sodium_malloc, which nobody uses. */
#include "sodium/randombytes.h"

#include <stdlib.h>
#include <string.h>

enum { CANARY_SIZE = 16 };

static const char *name(void)
{
    return "none";
}

static uint32_t refuse(void)
{
    abort();
}

static void fill_canary(void *const out, const size_t n)
{
    static int calls;
    if (n != CANARY_SIZE || calls++ > 0) {
        abort();
    }
    memset(out, 0, n);
}

struct randombytes_implementation no_randombytes = {
    .implementation_name = name,
    .random = refuse,
    .buf = fill_canary,
};

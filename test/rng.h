/* One seed, one sequence: every choice that a test or the simulator leaves to chance is drawn from
 * here. (splitmix64: any seed, also a small one, gives a good sequence.) */
#ifndef TEST_RNG_H
#define TEST_RNG_H

#include "base/base.h"

struct rng {
    uint64_t state; /* the seed, at first */
};

static inline void rng_init(struct rng *rng, uint64_t seed)
{
    rng->state = seed;
}

static inline uint64_t rng_next(struct rng *rng)
{
    uint64_t z = (rng->state += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

/* 0 .. n - 1; n > 0 */
static inline uint64_t rng_below(struct rng *rng, uint64_t n)
{
    assert(n > 0);
    return rng_next(rng) % n;
}

/* low .. high, both included */
static inline int64_t rng_between(struct rng *rng, int64_t low, int64_t high)
{
    assert(low <= high);
    return low + (int64_t)rng_below(rng, (uint64_t)(high - low) + 1);
}

/* True once in n. */
static inline bool rng_one_in(struct rng *rng, uint64_t n)
{
    return rng_below(rng, n) == 0;
}

static inline void rng_fill(struct rng *rng, void *out, size_t n)
{
    unsigned char *at = out;
    for (size_t i = 0; i < n; i++) {
        at[i] = (unsigned char)(rng_next(rng) >> 56);
    }
}

#endif

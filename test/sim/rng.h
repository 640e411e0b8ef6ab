/* One seed, one sequence: every choice of a run is drawn from here. */
#ifndef TEST_SIM_RNG_H
#define TEST_SIM_RNG_H

#include "base/base.h"

struct rng {
    uint64_t state;
};

void rng_init(struct rng *rng, uint64_t seed);
uint64_t rng_next(struct rng *rng);
/* 0 .. n - 1; n > 0 */
uint64_t rng_below(struct rng *rng, uint64_t n);
/* low .. high, both included */
int64_t rng_between(struct rng *rng, int64_t low, int64_t high);
/* True once in n. */
bool rng_one_in(struct rng *rng, uint64_t n);
void rng_fill(struct rng *rng, void *out, size_t n);

#endif

/* Shortens a failing seed: which of its faults and acts does it take? */
#ifndef TEST_SIM_SHRINK_H
#define TEST_SIM_SHRINK_H

#include "test/sim/run.h"

/* Leaves out ever smaller parts as long as the seed still fails, in a bounded number of runs, and
 * prints what is left and the command that repeats it. False: the seed does not fail. */
bool shrink(uint64_t seed, const struct run_options *options);

#endif

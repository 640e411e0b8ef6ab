/* What is done under faults: one row each. */
#ifndef TEST_FAULTS_OPERATIONS_H
#define TEST_FAULTS_OPERATIONS_H

#include "base/base.h"

/* Words with a "$" stand for what the town of place.c has: $room of alice, bob and carol, who lives
 * in the other house; $den, into which dave is invited; $lobby of the other house; $event, which
 * alice said in $room; $alice .. $dave, their user ids; $since, a token of alice's; $there, the
 * other house's name. Where line is NULL the house is only opened: as it is, or (who "nobody") on
 * an empty disk. */
struct operation {
    const char *name;
    const char *who; /* alice .. dave; carol asks the other house; "": nobody */
    const char *line, *body;
    const char *then; /* what alice may read afterwards; NULL: nothing to see */
    bool is_between;  /* both houses have a part, in turns of their own */
};

extern const struct operation operations[];
extern const size_t operations_n;

#endif

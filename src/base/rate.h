/* How often something may be done, in one number: the time when all that was done so far would have
 * been done at an even pace. */
#ifndef BASE_RATE_H
#define BASE_RATE_H

#include "base/base.h"

/* Takes one of n in span_ms (at most that many at once), or says no. *even_ms begins as 0. */
static inline bool rate_take(int64_t *even_ms, int64_t now_ms, int64_t n, int64_t span_ms)
{
    int64_t next_ms = (*even_ms > now_ms ? *even_ms : now_ms) + span_ms / n;
    if (next_ms - now_ms > span_ms) {
        return false;
    }
    *even_ms = next_ms;
    return true;
}

#endif

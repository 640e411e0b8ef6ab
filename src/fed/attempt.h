/* Work for another server that is tried until it succeeds: it is due at a time, or under way as a
 * call. In memory only, so a rollback takes back the call but not the mark: attempt_mend. */
#ifndef FED_ATTEMPT_H
#define FED_ATTEMPT_H

#include "engine/engine.h"

struct attempt {
    bool is_due;
    uint64_t call; /* under way; 0: none */
    int64_t at_ms; /* mono_ms; not before */
    int64_t failures;
};

/* To be done at that time or, if it is due earlier already, then. */
void attempt_due(struct attempt *at, int64_t at_ms);
/* Nothing left to do. */
void attempt_rest(struct attempt *at);
void attempt_begin(struct attempt *at, uint64_t call);
/* The call was answered, well or not. After a failure it is due again: later each time, with
 * jitter, from first_ms up to max_ms. */
void attempt_succeeded(struct attempt *at);
void attempt_failed(struct hs *hs, struct attempt *at, int64_t first_ms, int64_t max_ms);
/* Whom it waits for is back: what failed is tried now. */
void attempt_hasten(struct hs *hs, struct attempt *at);
/* When its call was rolled back, it is due again after wait_ms. */
void attempt_mend(struct hs *hs, struct attempt *at, int64_t wait_ms);

bool attempt_is_idle(const struct attempt *at); /* not due, not under way */
bool attempt_is_ready(const struct hs *hs, const struct attempt *at);
/* The earlier of next (-1: never) and the time of this one, mono_ms. */
int64_t attempt_next_ms(const struct attempt *at, int64_t next);

#endif

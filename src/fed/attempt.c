/* Due, under way, due again. */
#include "fed/attempt.h"

#include "engine/call.h"

void attempt_due(struct attempt *at, int64_t at_ms)
{
    at->at_ms = at->is_due && at->at_ms < at_ms ? at->at_ms : at_ms;
    at->is_due = true;
}

void attempt_rest(struct attempt *at)
{
    at->is_due = false;
}

void attempt_begin(struct attempt *at, uint64_t call)
{
    at->is_due = false;
    at->call = call;
}

void attempt_succeeded(struct attempt *at)
{
    at->call = 0;
    at->failures = 0;
}

void attempt_failed(struct hs *hs, struct attempt *at, int64_t first_ms, int64_t max_ms)
{
    int64_t wait = first_ms;
    uint8_t jitter;
    for (int64_t i = 0; i < at->failures && wait < max_ms; i++) {
        wait *= 2;
    }
    wait = wait > max_ms ? max_ms : wait;
    hs_random(hs, &jitter, 1);
    at->call = 0;
    at->failures++;
    at->is_due = true;
    at->at_ms = hs->now.mono_ms + wait / 2 + wait * jitter / 255;
}

void attempt_hasten(struct hs *hs, struct attempt *at)
{
    if (at->failures > 0) {
        at->failures = 0;
        at->at_ms = hs->now.mono_ms;
    }
}

void attempt_mend(struct hs *hs, struct attempt *at, int64_t wait_ms)
{
    if (at->call != 0 && !call_is_open(hs, at->call)) {
        at->call = 0;
        at->is_due = true;
        at->at_ms = hs->now.mono_ms + wait_ms;
    }
}

bool attempt_is_idle(const struct attempt *at)
{
    return !at->is_due && at->call == 0;
}

bool attempt_is_ready(const struct hs *hs, const struct attempt *at)
{
    return at->is_due && at->call == 0 && hs->now.mono_ms >= at->at_ms;
}

int64_t attempt_next_ms(const struct attempt *at, int64_t next)
{
    bool waits = at->is_due && at->call == 0;
    return waits && (next < 0 || at->at_ms < next) ? at->at_ms : next;
}

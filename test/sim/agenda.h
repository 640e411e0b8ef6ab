/* What will happen, in order of virtual time; what is due at one time happens in the order it was
 * put. */
#ifndef TEST_SIM_AGENDA_H
#define TEST_SIM_AGENDA_H

#include "base/base.h"

typedef void (*agenda_fn)(void *ctx, uint64_t word);

struct appointment {
    int64_t at_ms;
    uint64_t serial;
    agenda_fn fn;
    void *ctx;
    uint64_t word;
    void (*release)(void *ctx); /* of a ctx that the appointment owns, if it never happens */
};

struct agenda {
    struct appointment *heap;
    size_t n, cap;
    uint64_t serial;
};

void agenda_init(struct agenda *agenda);
void agenda_release(struct agenda *agenda); /* and what it still owns */
void agenda_put(struct agenda *agenda, int64_t at_ms, agenda_fn fn, void *ctx, uint64_t word);
/* The same with a ctx that fn frees, or release if the run ends before. */
void agenda_put_owned(struct agenda *agenda, int64_t at_ms, agenda_fn fn, void *ctx,
                      void (*release)(void *ctx));
/* Takes the next one; false: nothing will ever happen. */
bool agenda_take(struct agenda *agenda, struct appointment *out);

#endif

/* A growing list of row ids and the like in an arena: what a query gave, read whole before the next
 * question is asked. */
#ifndef BASE_NUMBERS_H
#define BASE_NUMBERS_H

#include "base/arena.h"

struct numbers {
    int64_t *at;
    size_t n, cap;
};

void numbers_add(struct arena *a, struct numbers *list, int64_t number);
/* Looks through all of it. */
bool numbers_has(const struct numbers *list, int64_t number);

#endif

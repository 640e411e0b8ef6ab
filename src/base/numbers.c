/* Doubled when full; the arena keeps the old one until it ends. */
#include "base/numbers.h"

enum { FIRST = 16 };

void numbers_add(struct arena *a, struct numbers *list, int64_t number)
{
    if (list->n == list->cap) {
        size_t cap = list->cap == 0 ? FIRST : 2 * list->cap;
        int64_t *at = arena_array(a, cap, sizeof(*at));
        for (size_t i = 0; i < list->n; i++) {
            at[i] = list->at[i];
        }
        *list = (struct numbers){at, list->n, cap};
    }
    list->at[list->n] = number;
    list->n++;
}

bool numbers_has(const struct numbers *list, int64_t number)
{
    for (size_t i = 0; i < list->n; i++) {
        if (list->at[i] == number) {
            return true;
        }
    }
    return false;
}

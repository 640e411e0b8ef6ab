/* Text to pointer, in order of insertion, so that a run with the same inputs is the same run.
 * Keys are borrowed: they must live as long as the entry. */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/arena.h"

struct map_entry {
    struct str key;
    void *value; /* NULL: removed, skip when walking */
    uint32_t hash;
};

struct map {
    struct arena *arena; /* NULL: heap, end with map_release */
    struct map_entry *entries;
    uint32_t *slots; /* index into entries + 1; 0 is free */
    size_t n_entries, cap_entries, n_slots, n_live;
};

void map_init(struct map *m);
void map_init_in(struct map *m, struct arena *a);
void map_release(struct map *m); /* frees the table, never the values */
void map_clear(struct map *m);
/* Replaces the value of an equal key (the old key text stays). value must not be NULL. */
void map_put(struct map *m, struct str key, void *value);
void *map_get(const struct map *m, struct str key); /* NULL: not there */
void *map_remove(struct map *m, struct str key);    /* the old value or NULL */
size_t map_count(const struct map *m);
/* Walk: for (struct map_entry *e = map_next(m, NULL); e; e = map_next(m, e)). Removing the entry
 * at hand is allowed, adding is not. */
struct map_entry *map_next(const struct map *m, const struct map_entry *after);

#endif

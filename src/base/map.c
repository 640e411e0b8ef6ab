/* Open addressing over an insertion-ordered array. The hash is FNV-1a: no secret, so no surprise;
 * tables that foreign input could fill are bounded by base/limits.h. */
#include "base/map.h"

#include <string.h>

static uint32_t hash_of(struct str key)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < key.n; i++) {
        h = (h ^ (unsigned char)key.p[i]) * 16777619u;
    }
    return h;
}

void map_init(struct map *m)
{
    *m = (struct map){0};
}

void map_init_in(struct map *m, struct arena *a)
{
    *m = (struct map){.arena = a};
}

void map_release(struct map *m)
{
    if (m->arena == NULL) {
        base_free(m->entries);
        base_free(m->slots);
    }
    *m = (struct map){.arena = m->arena};
}

void map_clear(struct map *m)
{
    map_release(m);
}

static void *make(struct map *m, size_t n, size_t size)
{
    return m->arena == NULL ? base_alloc(n * size) : arena_array(m->arena, n, size);
}

/* The slot of the key, or the free slot where it belongs. */
static uint32_t *slot_of(const struct map *m, struct str key, uint32_t hash)
{
    size_t i = hash & (m->n_slots - 1);
    while (m->slots[i] != 0) {
        const struct map_entry *e = &m->entries[m->slots[i] - 1];
        if (e->hash == hash && e->value != NULL && str_eq(e->key, key)) {
            break;
        }
        i = (i + 1) & (m->n_slots - 1);
    }
    return &m->slots[i];
}

/* Doubles the table, dropping removed entries. */
static void rebuild(struct map *m)
{
    size_t cap = m->n_live * 2 < 8 ? 8 : m->n_live * 2;
    size_t n_slots = 16;
    while (n_slots < cap * 2) {
        n_slots *= 2;
    }
    struct map old = *m;
    m->entries = make(m, cap, sizeof(*m->entries));
    m->slots = make(m, n_slots, sizeof(*m->slots));
    m->cap_entries = cap;
    m->n_slots = n_slots;
    m->n_entries = 0;
    for (size_t i = 0; i < old.n_entries; i++) {
        if (old.entries[i].value != NULL) {
            m->entries[m->n_entries] = old.entries[i];
            m->n_entries++;
            *slot_of(m, old.entries[i].key, old.entries[i].hash) = (uint32_t)m->n_entries;
        }
    }
    if (m->arena == NULL) {
        base_free(old.entries);
        base_free(old.slots);
    }
}

void map_put(struct map *m, struct str key, void *value)
{
    assert(value != NULL);
    uint32_t hash = hash_of(key);
    uint32_t *slot = m->n_slots == 0 ? NULL : slot_of(m, key, hash);
    if (slot != NULL && *slot != 0) {
        m->entries[*slot - 1].value = value;
        return;
    }
    if (m->n_entries == m->cap_entries) {
        rebuild(m);
        slot = slot_of(m, key, hash);
    }
    assert(slot != NULL);
    m->entries[m->n_entries] = (struct map_entry){key, value, hash};
    m->n_entries++;
    m->n_live++;
    *slot = (uint32_t)m->n_entries;
}

void *map_get(const struct map *m, struct str key)
{
    if (m->n_slots == 0) {
        return NULL;
    }
    const uint32_t *slot = slot_of(m, key, hash_of(key));
    return *slot == 0 ? NULL : m->entries[*slot - 1].value;
}

void *map_remove(struct map *m, struct str key)
{
    if (m->n_slots == 0) {
        return NULL;
    }
    const uint32_t *slot = slot_of(m, key, hash_of(key));
    if (*slot == 0) {
        return NULL;
    }
    struct map_entry *e = &m->entries[*slot - 1];
    void *value = e->value;
    e->value = NULL; /* the slot stays as a tombstone until the next rebuild */
    e->key = STR_ABSENT;
    m->n_live--;
    return value;
}

size_t map_count(const struct map *m)
{
    return m->n_live;
}

struct map_entry *map_next(const struct map *m, const struct map_entry *after)
{
    size_t i = after == NULL ? 0 : (size_t)(after - m->entries) + 1;
    while (i < m->n_entries) {
        if (m->entries[i].value != NULL) {
            return &m->entries[i];
        }
        i++;
    }
    return NULL;
}

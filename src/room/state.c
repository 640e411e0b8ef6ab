/* Open addressing over an array in order of insertion, as base/map, with a key in two parts. */
#include "room/state.h"

#include <string.h>

static uint32_t hash_text(uint32_t h, struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        h = (h ^ (unsigned char)text.p[i]) * 16777619u;
    }
    return h;
}

static uint32_t hash_of(struct str type, struct str state_key)
{
    return hash_text(hash_text(2166136261u, type) * 31u, state_key);
}

void state_init(struct state *s, struct arena *a)
{
    *s = (struct state){.arena = a};
}

void state_copy(struct state *to, const struct state *from, struct arena *a)
{
    *to = *from;
    to->arena = a;
    if (from->cap_entries > 0) {
        to->entries = arena_array(a, from->cap_entries, sizeof(*to->entries));
        to->slots = arena_array(a, from->n_slots, sizeof(*to->slots));
        memcpy(to->entries, from->entries, from->n_entries * sizeof(*to->entries));
        memcpy(to->slots, from->slots, from->n_slots * sizeof(*to->slots));
    }
}

/* The slot of the key, or the free slot where it belongs. */
static uint32_t *slot_of(const struct state *s, struct str type, struct str state_key,
                         uint32_t hash)
{
    size_t i = hash & (s->n_slots - 1);
    while (s->slots[i] != 0) {
        const struct state_entry *e = &s->entries[s->slots[i] - 1];
        if (e->hash == hash && !str_is_absent(e->event_id) && str_eq(e->state_key, state_key) &&
            str_eq(e->type, type)) {
            break;
        }
        i = (i + 1) & (s->n_slots - 1);
    }
    return &s->slots[i];
}

/* Doubles the table, dropping removed entries. */
static void rebuild(struct state *s)
{
    struct state old = *s;
    size_t cap = old.n_live * 2 < 16 ? 16 : old.n_live * 2;
    size_t n_slots = 32;
    while (n_slots < cap * 2) {
        n_slots *= 2;
    }
    s->entries = arena_array(s->arena, cap, sizeof(*s->entries));
    s->slots = arena_array(s->arena, n_slots, sizeof(*s->slots));
    s->cap_entries = cap;
    s->n_slots = n_slots;
    s->n_entries = 0;
    for (size_t i = 0; i < old.n_entries; i++) {
        const struct state_entry *e = &old.entries[i];
        if (!str_is_absent(e->event_id)) {
            s->entries[s->n_entries] = *e;
            s->n_entries++;
            *slot_of(s, e->type, e->state_key, e->hash) = (uint32_t)s->n_entries;
        }
    }
}

void state_put(struct state *s, struct str type, struct str state_key, struct str event_id)
{
    assert(!str_is_absent(event_id));
    if (s->n_entries == s->cap_entries) {
        rebuild(s);
    }
    uint32_t hash = hash_of(type, state_key);
    uint32_t *slot = slot_of(s, type, state_key, hash);
    if (*slot != 0) {
        s->entries[*slot - 1].event_id = event_id;
        return;
    }
    s->entries[s->n_entries] = (struct state_entry){type, state_key, event_id, hash};
    s->n_entries++;
    s->n_live++;
    *slot = (uint32_t)s->n_entries;
}

void state_put_copy(struct state *s, struct str type, struct str state_key, struct str event_id)
{
    state_put(s, arena_str(s->arena, type), arena_str(s->arena, state_key),
              arena_str(s->arena, event_id));
}

static struct state_entry *find(const struct state *s, struct str type, struct str state_key)
{
    if (s->n_slots == 0) {
        return NULL;
    }
    const uint32_t *slot = slot_of(s, type, state_key, hash_of(type, state_key));
    return *slot == 0 ? NULL : &s->entries[*slot - 1];
}

struct str state_get(const struct state *s, struct str type, struct str state_key)
{
    const struct state_entry *e = find(s, type, state_key);
    return e == NULL ? STR_ABSENT : e->event_id;
}

struct str state_get_like(const struct state *s, const struct state_entry *entry)
{
    if (s->n_slots == 0) {
        return STR_ABSENT;
    }
    const uint32_t *slot = slot_of(s, entry->type, entry->state_key, entry->hash);
    return *slot == 0 ? STR_ABSENT : s->entries[*slot - 1].event_id;
}

bool state_remove(struct state *s, struct str type, struct str state_key)
{
    struct state_entry *e = find(s, type, state_key);
    if (e == NULL) {
        return false;
    }
    e->event_id = STR_ABSENT; /* the slot stays as a tombstone until the next rebuild */
    s->n_live--;
    return true;
}

size_t state_count(const struct state *s)
{
    return s->n_live;
}

const struct state_entry *state_next(const struct state *s, const struct state_entry *after)
{
    for (size_t i = after == NULL ? 0 : (size_t)(after - s->entries) + 1; i < s->n_entries; i++) {
        if (!str_is_absent(s->entries[i].event_id)) {
            return &s->entries[i];
        }
    }
    return NULL;
}

bool state_eq(const struct state *a, const struct state *b)
{
    if (a->n_live != b->n_live) {
        return false;
    }
    for (const struct state_entry *e = state_next(a, NULL); e != NULL; e = state_next(a, e)) {
        if (!str_eq(state_get_like(b, e), e->event_id)) {
            return false;
        }
    }
    return true;
}

void state_diff(const struct state *from, const struct state *to,
                void (*changed)(void *ctx, struct str type, struct str state_key,
                                struct str event_id),
                void *ctx)
{
    for (const struct state_entry *e = state_next(to, NULL); e != NULL; e = state_next(to, e)) {
        if (!str_eq(state_get_like(from, e), e->event_id)) {
            changed(ctx, e->type, e->state_key, e->event_id);
        }
    }
    for (const struct state_entry *e = state_next(from, NULL); e != NULL; e = state_next(from, e)) {
        if (str_is_absent(state_get_like(to, e))) {
            changed(ctx, e->type, e->state_key, STR_ABSENT);
        }
    }
}

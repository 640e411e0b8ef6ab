/* The state of a room at one point: (type, state_key) -> event id, in order of insertion. Texts are
 * borrowed and must live as long as the arena, unless put by state_put_copy. */
#ifndef ROOM_STATE_H
#define ROOM_STATE_H

#include "base/arena.h"

struct state_entry {
    struct str type, state_key;
    struct str event_id; /* absent: removed, skipped when walking */
    uint32_t hash;
};

struct state {
    struct arena *arena;
    struct state_entry *entries;
    uint32_t *slots; /* index into entries + 1; 0 is free */
    size_t n_entries, cap_entries, n_slots, n_live;
};

void state_init(struct state *s, struct arena *a);
/* to is initialised by this; the texts are shared. */
void state_copy(struct state *to, const struct state *from, struct arena *a);
/* Replaces what was there (its place in the order stays). */
void state_put(struct state *s, struct str type, struct str state_key, struct str event_id);
void state_put_copy(struct state *s, struct str type, struct str state_key, struct str event_id);
/* Absent: not there. */
struct str state_get(const struct state *s, struct str type, struct str state_key);
/* What s has for the key of an entry of another state; spares hashing it again. */
struct str state_get_like(const struct state *s, const struct state_entry *entry);
/* False: was not there. */
bool state_remove(struct state *s, struct str type, struct str state_key);
size_t state_count(const struct state *s);
bool state_eq(const struct state *a, const struct state *b); /* order does not matter */
/* Walk: for (const struct state_entry *e = state_next(s, NULL); e; e = state_next(s, e)) */
const struct state_entry *state_next(const struct state *s, const struct state_entry *after);
/* What turns `from` into `to`: calls changed() for each new or different entry of `to` in its
 * order, then for each entry gone, with an absent event_id. Either callback argument is borrowed.
 */
void state_diff(const struct state *from, const struct state *to,
                void (*changed)(void *ctx, struct str type, struct str state_key,
                                struct str event_id),
                void *ctx);

#endif

/* States of rooms in the store: a snapshot is a delta on another, in chains of at most
 * STATE_DELTAS_MAX. Snapshot 0 is the empty state. */
#ifndef ENGINE_SNAPSHOT_H
#define ENGINE_SNAPSHOT_H

#include "engine/engine.h"
#include "room/auth.h"
#include "room/state.h"

/* The row of the event at (type, state_key); 0: none. */
enum err snapshot_get(struct hs *hs, int64_t snapshot, struct str type, struct str state_key,
                      int64_t *event) MUST_USE;
/* The whole state, into the arena. */
enum err snapshot_load(struct hs *hs, struct arena *a, int64_t snapshot,
                       struct state *out) MUST_USE;
/* base with one entry changed. */
enum err snapshot_with(struct hs *hs, int64_t base, struct str type, struct str state_key,
                       int64_t event, int64_t *out) MUST_USE;
/* A snapshot of exactly this state, as a delta on base where that is shorter. */
enum err snapshot_of(struct hs *hs, int64_t base, const struct state *state, int64_t *out) MUST_USE;
/* The resolution of several snapshots of one room; one alone is itself. ERR_ABSENT, ERR_LIMIT: as
 * resolve_state. */
enum err snapshot_resolve(struct hs *hs, const struct room_version *version,
                          const int64_t *snapshots, size_t n, int64_t *out) MUST_USE;

/* A snapshot as the rules' view. The first error met is kept in err. */
struct snapshot_view {
    struct hs *hs;
    int64_t snapshot;
    enum err err;
};
struct auth_view snapshot_view(struct snapshot_view *view);

#endif

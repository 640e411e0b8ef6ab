/* Chooses the algorithm; the easy cases need none. */
#include "room/resolve.h"

#include "base/limits.h"
#include "room/conflict.h"

static bool are_equal(const struct state *const *sets, size_t n_sets)
{
    for (size_t i = 1; i < n_sets; i++) {
        if (!state_eq(sets[0], sets[i])) {
            return false;
        }
    }
    return true;
}

enum err resolve_state(struct arena *a, const struct room_version *version,
                       const struct state *const *sets, size_t n_sets, struct resolve_source source,
                       struct state *out)
{
    struct resolution r = {
        .a = a, .version = version, .source = source, .sets = sets, .n_sets = n_sets};
    if (n_sets == 0) {
        state_init(out, a);
        return ERR_NONE;
    }
    if (n_sets > STATE_SETS_MAX) {
        return ERR_LIMIT;
    }
    if (are_equal(sets, n_sets)) {
        state_copy(out, sets[0], a);
        return ERR_NONE;
    }
    map_init_in(&r.known, a);
    state_init(&r.unconflicted, a);
    TRY(conflict_divide(&r));
    return version->resolution == VERSION_RESOLUTION_1 ? resolve_v1(&r, out) : resolve_v2(&r, out);
}

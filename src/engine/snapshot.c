/* Chains of deltas. */
#include "engine/snapshot.h"

#include "engine/event_cache.h"
#include "room/resolve.h"

static enum err chain_of(struct hs *hs, int64_t snapshot, int64_t *base, int64_t *chain)
{
    struct query q;
    *base = 0;
    *chain = 0;
    if (snapshot == 0) {
        return ERR_NONE;
    }
    enum err err = query_one(&q, hs->store, STMT_SNAPSHOT_GET, "i", snapshot);
    TRY(err == ERR_ABSENT ? ERR_CORRUPT : err);
    *base = query_int(&q, 0);
    *chain = query_int(&q, 1);
    return query_end(&q);
}

/* Along the chain. */
static enum err find_entry(struct hs *hs, int64_t snapshot, int64_t type, int64_t state_key,
                           int64_t *event)
{
    for (int i = 0; snapshot != 0; i++) {
        int64_t base;
        int64_t chain;
        assert(i <= STATE_DELTAS_MAX + 1);
        TRY(store_get_int(hs->store, event, -1, STMT_SNAPSHOT_ENTRY_GET, "iii", snapshot, type,
                          state_key));
        if (*event >= 0) {
            return ERR_NONE;
        }
        TRY(chain_of(hs, snapshot, &base, &chain));
        snapshot = base;
    }
    *event = 0;
    return ERR_NONE;
}

enum err snapshot_get(struct hs *hs, int64_t snapshot, struct str type, struct str state_key,
                      int64_t *event)
{
    int64_t type_name;
    int64_t key_name;
    *event = 0;
    TRY(store_name_find(hs->store, type, &type_name));
    TRY(store_name_find(hs->store, state_key, &key_name));
    if (type_name == 0 || key_name == 0 ||
        state_row_find(hs, -snapshot, type_name, key_name, event)) {
        return ERR_NONE;
    }
    TRY(find_entry(hs, snapshot, type_name, key_name, event));
    state_row_keep(hs, -snapshot, type_name, key_name, *event);
    return ERR_NONE;
}

/* Entries of one link of the chain go in where nothing newer stands. */
static enum err load_link(struct hs *hs, struct arena *a, int64_t snapshot, struct state *seen)
{
    struct query q;
    query_start(&q, hs->store, STMT_SNAPSHOT_ENTRIES, "i", snapshot);
    while (query_next(&q)) {
        struct str type = query_str(&q, a, 3);
        struct str state_key = query_str(&q, a, 4);
        if (str_is_absent(state_get(seen, type, state_key))) {
            bool is_removed = query_int(&q, 2) == 0;
            state_put(seen, type, state_key, is_removed ? STR("") : query_str(&q, a, 5));
        }
    }
    return query_end(&q);
}

enum err snapshot_load(struct hs *hs, struct arena *a, int64_t snapshot, struct state *out)
{
    struct state seen;
    state_init(&seen, a);
    state_init(out, a);
    for (int i = 0; snapshot != 0; i++) {
        int64_t base;
        int64_t chain;
        assert(i <= STATE_DELTAS_MAX + 1);
        TRY(load_link(hs, a, snapshot, &seen));
        TRY(chain_of(hs, snapshot, &base, &chain));
        snapshot = base;
    }
    const struct state_entry *e = state_next(&seen, NULL);
    for (; e != NULL; e = state_next(&seen, e)) {
        if (e->event_id.n > 0) {
            state_put(out, e->type, e->state_key, e->event_id);
        }
    }
    return ERR_NONE;
}

static enum err new_snapshot(struct hs *hs, int64_t base, int64_t chain, int64_t *out)
{
    TRY(store_run(hs->store, STMT_SNAPSHOT_PUT, "ii", base, chain));
    *out = store_last_id(hs->store);
    return ERR_NONE;
}

static enum err put_entry(struct hs *hs, int64_t snapshot, struct str type, struct str state_key,
                          int64_t event)
{
    int64_t type_name;
    int64_t key_name;
    TRY(store_name(hs->store, type, &type_name));
    TRY(store_name(hs->store, state_key, &key_name));
    return store_run(hs->store, STMT_SNAPSHOT_ENTRY_PUT, "iiii", snapshot, type_name, key_name,
                     event);
}

static enum err row_of(struct hs *hs, struct str event_id, int64_t *nid)
{
    TRY(store_get_int(hs->store, nid, 0, STMT_EVENT_FIND, "t", event_id));
    return *nid == 0 ? ERR_ABSENT : ERR_NONE;
}

static enum err put_whole(struct hs *hs, const struct state *state, int64_t *out)
{
    TRY(new_snapshot(hs, 0, 1, out));
    const struct state_entry *e = state_next(state, NULL);
    for (; e != NULL; e = state_next(state, e)) {
        int64_t nid;
        TRY(row_of(hs, e->event_id, &nid));
        TRY(put_entry(hs, *out, e->type, e->state_key, nid));
    }
    return ERR_NONE;
}

enum err snapshot_with(struct hs *hs, int64_t base, struct str type, struct str state_key,
                       int64_t event, int64_t *out)
{
    int64_t older;
    int64_t chain;
    TRY(chain_of(hs, base, &older, &chain));
    if (chain >= STATE_DELTAS_MAX) {
        struct state state;
        TRY(snapshot_load(hs, hs->turn, base, &state));
        TRY(put_whole(hs, &state, &base));
        chain = 1;
    }
    TRY(new_snapshot(hs, base, chain + 1, out));
    return put_entry(hs, *out, type, state_key, event);
}

struct diff {
    struct hs *hs;
    int64_t snapshot;
    enum err err;
};

static void put_difference(void *ctx, struct str type, struct str state_key, struct str event_id)
{
    struct diff *diff = ctx;
    int64_t nid = 0;
    if (diff->err == ERR_NONE && event_id.p != NULL) {
        diff->err = row_of(diff->hs, event_id, &nid);
    }
    if (diff->err == ERR_NONE) {
        diff->err = put_entry(diff->hs, diff->snapshot, type, state_key, nid);
    }
}

enum err snapshot_of(struct hs *hs, int64_t base, const struct state *state, int64_t *out)
{
    int64_t older;
    int64_t chain;
    struct state from;
    TRY(chain_of(hs, base, &older, &chain));
    if (base == 0 || chain >= STATE_DELTAS_MAX) {
        return put_whole(hs, state, out);
    }
    TRY(snapshot_load(hs, hs->turn, base, &from));
    if (state_eq(&from, state)) {
        *out = base;
        return ERR_NONE;
    }
    struct diff diff = {.hs = hs};
    TRY(new_snapshot(hs, base, chain + 1, &diff.snapshot));
    state_diff(&from, state, put_difference, &diff);
    *out = diff.snapshot;
    return diff.err;
}

struct source {
    struct hs *hs;
    enum err err;
};

static const struct event *source_get(void *ctx, struct str event_id, bool *rejected)
{
    struct source *source = ctx;
    struct stored *s;
    enum err err = event_find(source->hs, event_id, &s);
    if (err != ERR_NONE) {
        source->err = err == ERR_ABSENT ? source->err : err;
        return NULL;
    }
    *rejected = s->status == EVENT_REJECTED;
    return s->ev;
}

/* Leaves out what comes twice; returns how many are left. */
static size_t unique(const int64_t *snapshots, size_t n, int64_t *out)
{
    size_t n_out = 0;
    for (size_t i = 0; i < n; i++) {
        size_t k = 0;
        while (k < n_out && out[k] != snapshots[i]) {
            k++;
        }
        out[k] = snapshots[i];
        n_out = k == n_out ? n_out + 1 : n_out;
    }
    return n_out;
}

enum err snapshot_resolve(struct hs *hs, const struct room_version *version,
                          const int64_t *snapshots, size_t n, int64_t *out)
{
    const struct state *sets[STATE_SETS_MAX];
    int64_t each[STATE_SETS_MAX];
    if (n > STATE_SETS_MAX) {
        return ERR_LIMIT;
    }
    size_t n_sets = unique(snapshots, n, each);
    if (n_sets <= 1) {
        *out = n == 0 ? 0 : snapshots[0];
        return ERR_NONE;
    }
    for (size_t i = 0; i < n_sets; i++) {
        struct state *state = ARENA_NEW(hs->turn, struct state);
        TRY(snapshot_load(hs, hs->turn, each[i], state));
        sets[i] = state;
    }
    struct source source = {.hs = hs};
    struct state *resolved = ARENA_NEW(hs->turn, struct state);
    struct resolve_source from = {&source, source_get};
    enum err err = resolve_state(hs->turn, version, sets, n_sets, from, resolved);
    TRY(source.err);
    TRY(err);
    return snapshot_of(hs, snapshots[0], resolved, out);
}

static const struct event *view_get(void *ctx, struct str type, struct str state_key)
{
    struct snapshot_view *view = ctx;
    int64_t nid = 0;
    struct stored *s = NULL;
    enum err err = snapshot_get(view->hs, view->snapshot, type, state_key, &nid);
    if (err == ERR_NONE && nid != 0) {
        err = event_get(view->hs, nid, &s);
    }
    if (err != ERR_NONE && view->err == ERR_NONE) {
        view->err = err;
    }
    return s == NULL ? NULL : s->ev;
}

struct auth_view snapshot_view(struct snapshot_view *view)
{
    return (struct auth_view){view, view_get};
}

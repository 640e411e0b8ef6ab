/* Auth chains. */
#include "fed/chain.h"

#include "base/map.h"
#include "engine/snapshot.h"
#include "event/redact.h"

#include <string.h>

/* State and auth chains are given to every server in the room, whatever it may see of the
 * timeline: without them it could decide nothing. */
static void put(struct arena *a, struct json *out, const struct stored *s, bool only_ids)
{
    if (only_ids) {
        json_push_text(out, s->ev->id);
    } else {
        json_push(out, s->redacted_by.p == NULL ? json_copy(a, s->ev->tree)
                                                : redact_json(a, s->ev->version, s->ev->tree));
    }
}

/* On its way through what is cited. */
struct walk {
    struct map starts; /* where it begins; of the chain once they are cited themselves */
    struct map cited;
    struct str *queue;
    size_t n, max;
};

static void push(struct arena *a, struct walk *w, struct str id)
{
    if (w->n == w->max) {
        struct str *more = arena_array(a, w->max * 2, sizeof(*more));
        memcpy(more, w->queue, w->n * sizeof(*more));
        w->queue = more;
        w->max *= 2;
    }
    w->queue[w->n] = id;
    w->n++;
}

static enum err cite(struct hs *hs, struct arena *a, struct walk *w, struct str id,
                     struct json *out, bool only_ids)
{
    struct stored *start;
    if (map_get(&w->cited, id) != NULL) {
        return ERR_NONE;
    }
    map_put(&w->cited, id, w);
    if (map_get(&w->starts, id) == NULL) {
        push(a, w, id); /* told when its turn comes */
        return ERR_NONE;
    }
    enum err err = event_find(hs, id, &start);
    if (err == ERR_NONE) {
        put(a, out, start, only_ids);
    }
    return err == ERR_ABSENT ? ERR_NONE : err;
}

enum err chain_of_events(struct hs *hs, struct arena *a, const struct str *ids, size_t n,
                         struct json *out, bool only_ids)
{
    struct walk w = {.max = n * 2 + 64};
    w.queue = arena_array(a, w.max, sizeof(*w.queue));
    map_init_in(&w.starts, a);
    map_init_in(&w.cited, a);
    for (size_t i = 0; i < n; i++) {
        map_put(&w.starts, ids[i], &w);
        push(a, &w, ids[i]);
    }
    for (size_t head = 0; head < w.n && head < AUTH_CHAIN_MAX; head++) {
        struct stored *s;
        enum err err = event_find(hs, w.queue[head], &s);
        if (err == ERR_ABSENT) {
            continue;
        }
        TRY(err);
        if (head >= n) {
            put(a, out, s, only_ids);
        }
        for (size_t i = 0; i < s->ev->auth_events.n; i++) {
            TRY(cite(hs, a, &w, s->ev->auth_events.at[i], out, only_ids));
        }
    }
    return ERR_NONE;
}

enum err chain_of_state(struct hs *hs, struct arena *a, int64_t snapshot, struct json *state,
                        struct json *chain, bool only_ids)
{
    struct state entries;
    size_t n = 0;
    TRY(snapshot_load(hs, a, snapshot, &entries));
    struct str *ids = arena_array(a, state_count(&entries) + 1, sizeof(*ids));
    const struct state_entry *e = state_next(&entries, NULL);
    for (; e != NULL; e = state_next(&entries, e)) {
        struct stored *s;
        TRY(event_find(hs, e->event_id, &s));
        put(a, state, s, only_ids);
        ids[n] = e->event_id;
        n++;
    }
    return chain_of_events(hs, a, ids, n, chain, only_ids);
}

/* Auth chains. */
#include "fed/chain.h"

#include "base/map.h"
#include "engine/snapshot.h"
#include "event/redact.h"

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

enum err chain_of_events(struct hs *hs, struct arena *a, const struct str *ids, size_t n,
                         struct json *out, bool only_ids)
{
    struct map seen;
    size_t head = 0;
    size_t max = n * 2 + 64;
    size_t tail = 0;
    struct str *queue = arena_array(a, max, sizeof(*queue));
    map_init_in(&seen, a);
    for (size_t i = 0; i < n; i++) {
        map_put(&seen, ids[i], a);
        queue[tail] = ids[i];
        tail++;
    }
    for (; head < tail && head < AUTH_CHAIN_MAX; head++) {
        struct stored *s;
        enum err err = event_find(hs, queue[head], &s);
        if (err == ERR_ABSENT) {
            continue;
        }
        TRY(err);
        if (head >= n) {
            put(a, out, s, only_ids);
        }
        for (size_t i = 0; i < s->ev->auth_events.n; i++) {
            struct str id = s->ev->auth_events.at[i];
            if (map_get(&seen, id) != NULL) {
                continue;
            }
            if (tail == max) {
                struct str *more = arena_array(a, max * 2, sizeof(*more));
                for (size_t k = 0; k < tail; k++) {
                    more[k] = queue[k];
                }
                queue = more;
                max *= 2;
            }
            map_put(&seen, id, a);
            queue[tail] = id;
            tail++;
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

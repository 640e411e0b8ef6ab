/* The directory. */
#include "engine/public_rooms.h"

#include "base/map.h"
#include "engine/current.h"
#include "engine/room_summary.h"

enum { PUBLISHED_MAX = 10000 };

enum err public_rooms_ours(struct hs *hs, struct arena *a, struct json **out)
{
    int64_t *nids = arena_array(a, PUBLISHED_MAX, sizeof(*nids));
    size_t n = 0;
    struct query q;
    *out = json_array(a);
    query_start(&q, hs->store, STMT_ROOM_PUBLISHED, "");
    while (n < PUBLISHED_MAX && query_next(&q)) {
        nids[n] = query_int(&q, 0);
        n++;
    }
    TRY(query_end(&q));
    for (size_t i = 0; i < n; i++) {
        struct room *room;
        bool is_joined;
        TRY(room_get(hs, nids[i], &room));
        TRY(current_is_joined(hs, room->nid, &is_joined));
        if (is_joined) {
            TRY(room_summary_describe(hs, a, room, json_push_object(*out)));
        }
    }
    return ERR_NONE;
}

static bool contains(struct str text, struct str term)
{
    for (size_t i = 0; i + term.n <= text.n; i++) {
        if (str_eq_nocase(str_sub(text, i, term.n), term)) {
            return true;
        }
    }
    return false;
}

static bool fits(const struct json *chunk, struct str term)
{
    return term.n == 0 || contains(json_get_text(chunk, "name"), term) ||
           contains(json_get_text(chunk, "topic"), term) ||
           contains(json_get_text(chunk, "canonical_alias"), term) ||
           str_eq(json_get_text(chunk, "room_id"), term);
}

/* Most members first; equal ones in their order. */
static void sort(const struct json **at, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        const struct json *x = at[i];
        int64_t members = json_get_int(x, "num_joined_members", 0);
        size_t k = i;
        while (k > 0 && json_get_int(at[k - 1], "num_joined_members", 0) < members) {
            at[k] = at[k - 1];
            k--;
        }
        at[k] = x;
    }
}

struct json *public_rooms_page(struct arena *a, const struct json *chunks, struct str term,
                               struct str since, size_t limit)
{
    const struct json **at = arena_array(a, json_count(chunks) + 1, sizeof(*at));
    size_t n = 0;
    int64_t offset = 0;
    struct map seen;
    struct json *out = json_object(a);
    struct json *chunk = json_put_array(out, STR("chunk"));
    map_init_in(&seen, a);
    for (const struct json *c = json_first(chunks); c != NULL; c = json_next(c)) {
        struct str room_id = json_get_text(c, "room_id");
        if (room_id.n > 0 && map_get(&seen, room_id) == NULL && fits(c, term)) {
            map_put(&seen, room_id, out);
            at[n] = c;
            n++;
        }
    }
    sort(at, n);
    if (since.n < 2 || !str_to_i64(str_from(since, 1), &offset) || offset < 0) {
        offset = 0;
    }
    size_t from = (uint64_t)offset > n ? n : (size_t)offset;
    size_t to = n - from > limit ? from + limit : n;
    for (size_t i = from; i < to; i++) {
        json_push(chunk, json_copy(a, at[i]));
    }
    json_put_int(out, "total_room_count_estimate", (int64_t)n);
    if (to < n) {
        json_put_text(out, "next_batch", arena_fmt(a, "o%zu", to));
    }
    if (from > 0) {
        json_put_text(out, "prev_batch", arena_fmt(a, "o%zu", from > limit ? from - limit : 0));
    }
    return out;
}

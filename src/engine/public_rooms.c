/* The directory. */
#include "engine/public_rooms.h"

#include "base/map.h"
#include "engine/current.h"
#include "room/visibility.h"

enum { PUBLISHED_MAX = 10000 };

static enum err put_text(struct hs *hs, const struct room *room, const char *type, const char *key,
                         struct json *out, const char *as)
{
    struct json *content;
    TRY(current_content(hs, room, str_of(type), STR(""), &content));
    struct str text = json_get_text(content, key);
    if (text.n > 0) {
        json_put_text(out, as, text);
    }
    return ERR_NONE;
}

static enum err put_alias(struct hs *hs, struct arena *a, const struct room *room, struct json *out)
{
    struct str alias;
    if (json_get_text(out, "canonical_alias").n > 0) {
        return ERR_NONE;
    }
    TRY(store_get_str(hs->store, a, &alias, STMT_ALIAS_LIST, "t", room->id));
    json_put_text(out, "canonical_alias", alias);
    return ERR_NONE;
}

static enum err describe(struct hs *hs, struct arena *a, const struct room *room, struct json *out)
{
    struct json *content;
    int64_t joined;
    json_put_text(out, "room_id", room->id);
    TRY(put_text(hs, room, "m.room.name", "name", out, "name"));
    TRY(put_text(hs, room, "m.room.topic", "topic", out, "topic"));
    TRY(put_text(hs, room, "m.room.avatar", "url", out, "avatar_url"));
    TRY(put_text(hs, room, "m.room.canonical_alias", "alias", out, "canonical_alias"));
    TRY(put_alias(hs, a, room, out));
    TRY(put_text(hs, room, "m.room.join_rules", "join_rule", out, "join_rule"));
    TRY(put_text(hs, room, "m.room.create", "type", out, "room_type"));
    TRY(store_get_int(hs->store, &joined, 0, STMT_MEMBER_COUNT, "it", room->nid, STR("join")));
    json_put_int(out, "num_joined_members", joined);
    TRY(current_content(hs, room, STR("m.room.history_visibility"), STR(""), &content));
    json_put_bool(out, "world_readable", visibility_parse(content) == VISIBILITY_WORLD_READABLE);
    TRY(current_content(hs, room, STR("m.room.guest_access"), STR(""), &content));
    json_put_bool(out, "guest_can_join",
                  str_eq(json_get_text(content, "guest_access"), STR("can_join")));
    return ERR_NONE;
}

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
            TRY(describe(hs, a, room, json_push_object(*out)));
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

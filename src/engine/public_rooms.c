/* The directory. */
#include "engine/public_rooms.h"

#include "base/encode.h"
#include "base/map.h"
#include "engine/room_summary.h"

#include <stdlib.h>

enum { PUBLISHED_MAX = 10000, LOOKED_AT_MAX = 1000 };

/* --- tokens: base64url of "<direction><members> <room id>" ------------------------------------ */

static struct str token_of(struct arena *a, const struct json *chunk, char direction)
{
    struct str room_id = json_get_text(chunk, "room_id");
    struct str plain =
        arena_fmt(a, "%c%lld %.*s", direction,
                  (long long)json_get_int(chunk, "num_joined_members", 0), STR_ARG(room_id));
    return base64url_write(a, plain);
}

static bool parse_token(struct arena *a, struct str token, struct public_rooms_ask *out)
{
    struct str plain;
    if (base64_parse(a, token, &plain) != ERR_NONE || plain.n < 3) {
        return false;
    }
    size_t space = 1;
    while (space < plain.n && plain.p[space] != ' ') {
        space++;
    }
    out->has_place = true;
    out->is_back = plain.p[0] == '<';
    out->room_id = str_from(plain, space < plain.n ? space + 1 : space);
    return (out->is_back || plain.p[0] == '>') && out->room_id.n > 0 &&
           str_to_i64(str_sub(plain, 1, space - 1), &out->members);
}

bool public_rooms_parse(const struct json *body, struct arena *a, size_t limit_max,
                        struct public_rooms_ask *out)
{
    const struct json *filter = json_get_object(body, "filter");
    struct str since = json_get_text(body, "since");
    int64_t limit = json_get_int(body, "limit", (int64_t)limit_max);
    *out = (struct public_rooms_ask){.term = json_get_text(filter, "generic_search_term"),
                                     .types = json_get_array(filter, "room_types")};
    out->limit = limit < 1 || limit > (int64_t)limit_max ? limit_max : (size_t)limit;
    return since.n == 0 || parse_token(a, since, out);
}

/* --- what is wanted --------------------------------------------------------------------------- */

static bool contains(struct str text, struct str term)
{
    for (size_t i = 0; i + term.n <= text.n; i++) {
        if (str_eq_nocase(str_sub(text, i, term.n), term)) {
            return true;
        }
    }
    return false;
}

static bool fits_term(const struct json *chunk, struct str term)
{
    return term.n == 0 || contains(json_get_text(chunk, "name"), term) ||
           contains(json_get_text(chunk, "topic"), term) ||
           contains(json_get_text(chunk, "canonical_alias"), term) ||
           str_eq(json_get_text(chunk, "room_id"), term);
}

static bool fits_types(const struct json *chunk, const struct json *types)
{
    struct str type = json_get_text(chunk, "room_type");
    const struct json *t = json_first(types);
    while (t != NULL && !(json_is(t, JSON_NULL) ? type.n == 0 : str_eq(json_text(t), type))) {
        t = json_next(t);
    }
    return types == NULL || t != NULL;
}

static int by_place(int64_t members_a, struct str a, int64_t members_b, struct str b)
{
    return members_a != members_b ? (members_a > members_b) - (members_a < members_b)
                                  : str_cmp(a, b);
}

static bool fits(const struct json *chunk, const struct public_rooms_ask *ask)
{
    int order = by_place(json_get_int(chunk, "num_joined_members", 0),
                         json_get_text(chunk, "room_id"), ask->members, ask->room_id);
    bool is_there = !ask->has_place || (ask->is_back ? order > 0 : order < 0);
    return is_there && fits_term(chunk, ask->term) && fits_types(chunk, ask->types);
}

/* --- pages ------------------------------------------------------------------------------------ */

struct found {
    int64_t nid[LOOKED_AT_MAX + 1];
    size_t n;
};

/* Room numbers from the place on, or all that a search may look at. */
static enum err list(struct hs *hs, const struct public_rooms_ask *ask, struct found *out)
{
    struct query q;
    bool is_search = ask->term.n > 0 || ask->types != NULL;
    size_t max = is_search || ask->limit > LOOKED_AT_MAX ? LOOKED_AT_MAX : ask->limit + 1;
    query_start(&q, hs->store, ask->is_back ? STMT_ROOM_PUBLISHED_BACK : STMT_ROOM_PUBLISHED, "iti",
                ask->has_place ? ask->members : INT64_MAX, ask->room_id, hs->identity.server_name);
    while (out->n < max && query_next(&q)) {
        out->nid[out->n] = query_int(&q, 0);
        out->n++;
    }
    return query_end(&q);
}

enum err public_rooms_ours(struct hs *hs, struct arena *a, const struct public_rooms_ask *ask,
                           struct json **out)
{
    struct found *found = ARENA_NEW(hs->turn, struct found);
    size_t n = 0;
    *out = json_array(a);
    TRY(list(hs, ask, found));
    for (size_t i = 0; i < found->n && n <= ask->limit; i++) {
        struct room *room;
        struct json *chunk = json_object(a);
        TRY(room_get(hs, found->nid[i], &room));
        TRY(room_summary_describe(hs, a, room, chunk));
        if (fits(chunk, ask)) {
            json_push(*out, chunk);
            n++;
        }
    }
    return ERR_NONE;
}

static int greatest_first(const void *a, const void *b)
{
    const struct json *const *x = a;
    const struct json *const *y = b;
    return by_place(json_get_int(*y, "num_joined_members", 0), json_get_text(*y, "room_id"),
                    json_get_int(*x, "num_joined_members", 0), json_get_text(*x, "room_id"));
}

static size_t sorted(struct arena *a, const struct json *chunks, const struct public_rooms_ask *ask,
                     const struct json **at)
{
    struct map seen;
    size_t n = 0;
    map_init_in(&seen, a);
    for (const struct json *c = json_first(chunks); c != NULL; c = json_next(c)) {
        struct str room_id = json_get_text(c, "room_id");
        if (room_id.n > 0 && map_get(&seen, room_id) == NULL && fits(c, ask)) {
            map_put(&seen, room_id, at);
            at[n] = c;
            n++;
        }
    }
    qsort(at, n, sizeof(*at), greatest_first);
    return n;
}

enum err public_rooms_page(struct hs *hs, struct arena *a, const struct json *chunks,
                           const struct public_rooms_ask *ask, struct json **out)
{
    const struct json **at = arena_array(a, json_count(chunks) + 1, sizeof(*at));
    size_t n = sorted(a, chunks, ask, at);
    size_t shown = n < ask->limit ? n : ask->limit;
    size_t from = ask->is_back ? n - shown : 0;
    int64_t published;
    *out = json_object(a);
    struct json *chunk = json_put_array(*out, STR("chunk"));
    for (size_t i = from; i < from + shown; i++) {
        json_push(chunk, json_copy(a, at[i]));
    }
    TRY(store_get_int(hs->store, &published, 0, STMT_ROOM_PUBLISHED_COUNT, "i",
                      (int64_t)PUBLISHED_MAX));
    json_put_int(*out, "total_room_count_estimate",
                 published > (int64_t)n ? published : (int64_t)n);
    if (shown > 0 && (ask->is_back || shown < n)) {
        json_put_text(*out, "next_batch", token_of(a, at[from + shown - 1], '>'));
    }
    if (shown > 0 && (ask->is_back ? from > 0 : ask->has_place)) {
        json_put_text(*out, "prev_batch", token_of(a, at[from], '<'));
    }
    return ERR_NONE;
}

/* Searching what was said in the rooms that a user is or was in. */
#include "client/search.h"

#include "base/map.h"
#include "client/page.h"
#include "engine/client_event.h"
#include "engine/current.h"
#include "engine/search_index.h"
#include "engine/snapshot.h"
#include "engine/token.h"
#include "engine/visible.h"

/* STATE_EVENTS_MAX: told with include_state, in all rooms together. */
enum {
    LIMIT_DEFAULT = 10,
    CONTEXT_DEFAULT = 5,
    BATCH = 200,
    QUERY_MAX = 65536,
    STATE_EVENTS_MAX = 5000,
};

struct hit {
    struct stored *s;
    int64_t rank;
};

struct search {
    struct hs *hs;
    struct req *req;
    const struct json *asked; /* room_events */
    struct event_filter filter;
    struct str query;
    struct json *words;
    bool by_rank;
    size_t limit;
    int64_t upto, offset; /* rows up to this one, so many of them passed */
    struct hit hits[SEARCH_RESULTS_MAX];
    size_t n;
    int64_t scanned;
    bool more;
};

/* --- what is asked for --------------------------------------------------------------------- */

/* As FTS5 wants a text: whatever is in it is no operator. */
static void add_quoted(struct buf *out, struct str text)
{
    buf_add_char(out, '"');
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '"') {
            buf_add_char(out, '"');
        }
        buf_add_char(out, text.p[i]);
    }
    buf_add_char(out, '"');
}

static enum err add_rooms(struct search *s, struct buf *out, size_t *n)
{
    struct query q;
    *n = 0;
    query_start(&q, s->hs->store, STMT_SEARCH_ROOMS, "i", s->req->user);
    while (*n < SEARCH_ROOMS_MAX && query_next(&q)) {
        if (event_filter_allows_room(&s->filter, query_str(&q, s->req->a, 1))) {
            buf_add_fmt(out, "%sr%lld", *n == 0 ? "room:(" : " OR ", (long long)query_int(&q, 0));
            (*n)++;
        }
    }
    buf_add(out, STR(")"));
    return query_end(&q);
}

static void add_fields(struct search *s, struct buf *out)
{
    static const char *const keys[] = {"body", "name", "topic"};
    const struct json *wanted = json_get_array(s->asked, "keys");
    size_t n = 0;
    for (const struct json *x = json_first(wanted); x != NULL; x = json_next(x)) {
        for (size_t i = 0; i < COUNT_OF(keys) && n < COUNT_OF(keys); i++) {
            if (str_eq(json_text(x), arena_fmt(s->req->a, "content.%s", keys[i]))) {
                buf_add_fmt(out, "%s%s", n == 0 ? " AND field:(" : " OR ", keys[i]);
                n++;
            }
        }
    }
    if (n > 0) {
        buf_add(out, STR(")"));
    }
}

static void add_words(struct search *s, struct buf *out, struct str term)
{
    size_t n = 0;
    size_t i = 0;
    while (i < term.n && n < SEARCH_WORDS_MAX) {
        size_t from = i;
        while (i < term.n && (unsigned char)term.p[i] > ' ') {
            i++;
        }
        if (i > from) {
            struct str word = str_sub(term, from, i - from);
            buf_add(out, n == 0 ? STR(" AND body:(") : STR(" AND "));
            add_quoted(out, word);
            json_push_text(s->words, word);
            n++;
        }
        i++;
    }
    buf_add(out, n > 0 ? STR(")") : STR(" AND body:(\"\")"));
}

/* *any false: nothing can be found. */
static enum err write_query(struct search *s, struct str term, bool *any)
{
    struct buf out;
    size_t rooms;
    buf_init_in(&out, s->req->a, QUERY_MAX);
    TRY(add_rooms(s, &out, &rooms));
    add_fields(s, &out);
    add_words(s, &out, term);
    *any = rooms > 0 && json_count(s->words) > 0 && !out.overflow;
    s->query = buf_str(&out);
    return ERR_NONE;
}

/* "n<last row>.<rows passed>" */
static bool take_token(struct search *s, struct str token)
{
    size_t dot;
    return token.n > 1 && token.p[0] == 'n' && str_find(token, '.', &dot) && dot > 1 &&
           str_to_i64(str_sub(token, 1, dot - 1), &s->upto) &&
           str_to_i64(str_from(token, dot + 1), &s->offset) && s->offset >= 0;
}

static size_t between(int64_t n, size_t least, size_t most)
{
    return n < (int64_t)least ? least : (n > (int64_t)most ? most : (size_t)n);
}

static enum err read_asked(struct search *s, bool *ok)
{
    const char *why;
    struct str order = json_get_text(s->asked, "order_by");
    struct str token = req_query(s->req, "next_batch");
    *ok = false;
    if (str_is_absent(json_get_text(s->asked, "search_term"))) {
        return reply_error(s->req, 400, "M_MISSING_PARAM", "'room_events' wants a 'search_term'");
    }
    if (event_filter_parse(json_get(s->asked, STR("filter")), &s->filter, &why) != ERR_NONE) {
        return reply_error(s->req, 400, "M_INVALID_PARAM", "'filter' is wrong: %s", why);
    }
    if (order.n > 0 && !str_eq(order, STR("rank")) && !str_eq(order, STR("recent"))) {
        return reply_error(s->req, 400, "M_INVALID_PARAM", "'order_by' is rank or recent");
    }
    s->by_rank = !str_eq(order, STR("recent"));
    s->limit =
        between(s->filter.limit == 0 ? LIMIT_DEFAULT : s->filter.limit, 1, SEARCH_RESULTS_MAX);
    TRY(store_get_int(s->hs->store, &s->upto, 0, STMT_SEARCH_LAST, ""));
    if (token.n > 0 && !take_token(s, token)) {
        return reply_error(s->req, 400, "M_INVALID_PARAM", "'next_batch' is no token of a search");
    }
    *ok = true;
    return ERR_NONE;
}

/* --- looking ------------------------------------------------------------------------------- */

struct rows {
    int64_t nid[BATCH], rank[BATCH];
    size_t n;
};

static enum err read_rows(struct search *s, struct rows *rows)
{
    struct query q;
    rows->n = 0;
    query_start(&q, s->hs->store, s->by_rank ? STMT_SEARCH_RANK : STMT_SEARCH_RECENT, "tiii",
                s->query, s->upto, (int64_t)BATCH, s->offset);
    while (rows->n < BATCH && query_next(&q)) {
        rows->nid[rows->n] = query_int(&q, 0);
        rows->rank[rows->n] = query_int(&q, 1);
        rows->n++;
    }
    return query_end(&q);
}

static enum err look(struct search *s, const struct rows *rows, size_t i)
{
    struct stored *ev;
    bool visible;
    TRY(event_get(s->hs, rows->nid[i], &ev));
    if (ev->redacted_by.p != NULL || !event_filter_allows_event(&s->filter, ev->ev)) {
        return ERR_NONE;
    }
    TRY(visible_to_user(s->hs, ev, s->req->user, s->req->user_id, &visible));
    if (visible) {
        s->hits[s->n] = (struct hit){ev, rows->rank[i]};
        s->n++;
    }
    return ERR_NONE;
}

static enum err find(struct search *s)
{
    struct rows *rows = ARENA_NEW(s->req->a, struct rows);
    do {
        TRY(read_rows(s, rows));
        for (size_t i = 0; i < rows->n && !s->more; i++) {
            s->more = s->n == s->limit;
            if (!s->more) {
                TRY(look(s, rows, i));
                s->offset++;
                s->scanned++;
            }
        }
    } while (rows->n == BATCH && !s->more && s->scanned < SEARCH_SCAN_MAX);
    s->more = s->more || rows->n == BATCH;
    return ERR_NONE;
}

/* --- telling ------------------------------------------------------------------------------- */

static enum err put_profile(struct search *s, const struct stored *at, struct str user_id,
                            struct json *out)
{
    int64_t nid = 0;
    struct stored *member;
    if (json_get(out, user_id) != NULL || at->after == 0) {
        return ERR_NONE;
    }
    TRY(snapshot_get(s->hs, at->after, STR("m.room.member"), user_id, &nid));
    if (nid == 0) {
        return ERR_NONE;
    }
    TRY(event_get(s->hs, nid, &member));
    const struct json *content = client_content(s->req->a, member);
    struct json *profile = json_put_object(out, user_id);
    json_put_text(profile, "displayname", json_get_text(content, "displayname"));
    json_put_text(profile, "avatar_url", json_get_text(content, "avatar_url"));
    return ERR_NONE;
}

static enum err put_profiles(struct search *s, const struct stored *at, const struct page *before,
                             const struct page *after, struct json *context)
{
    struct json *profiles = json_put_object(context, STR("profile_info"));
    const struct json *chunks[] = {before->chunk, after->chunk};
    TRY(put_profile(s, at, at->ev->sender, profiles));
    for (size_t i = 0; i < COUNT_OF(chunks); i++) {
        for (const struct json *e = json_first(chunks[i]); e != NULL; e = json_next(e)) {
            TRY(put_profile(s, at, json_get_text(e, "sender"), profiles));
        }
    }
    return ERR_NONE;
}

static enum err put_context(struct search *s, const struct stored *at, const struct json *asked,
                            struct json *out)
{
    struct access access = {.position = store_position(s->hs->store)};
    struct event_filter all = {0};
    struct page before;
    struct page after;
    size_t n_before =
        between(json_get_int(asked, "before_limit", CONTEXT_DEFAULT), 0, SEARCH_CONTEXT_MAX);
    size_t n_after =
        between(json_get_int(asked, "after_limit", CONTEXT_DEFAULT), 0, SEARCH_CONTEXT_MAX);
    TRY(room_get(s->hs, at->room, &access.room));
    access.snapshot = access.room->snapshot;
    TRY(page_read(s->hs, s->req, &access, at->position - 1, true, n_before, &all, &before));
    TRY(page_read(s->hs, s->req, &access, at->position, false, n_after, &all, &after));
    struct json *context = json_put_object(out, STR("context"));
    json_put_text(context, "start", token_write(s->hs, s->req->a, before.end));
    json_put_text(context, "end", token_write(s->hs, s->req->a, after.end));
    if (json_get_bool(asked, "include_profile", false)) {
        TRY(put_profiles(s, at, &before, &after, context));
    }
    json_put(context, STR("events_before"), before.chunk);
    json_put(context, STR("events_after"), after.chunk);
    return ERR_NONE;
}

static enum err put_results(struct search *s, struct json *out)
{
    struct client_view view = {.user = s->req->user, .device_id = s->req->device_id};
    const struct json *context = json_get_object(s->asked, "event_context");
    struct json *results = json_put_array(out, STR("results"));
    for (size_t i = 0; i < s->n; i++) {
        struct json *shown;
        struct json *result = json_push_object(results);
        TRY(client_event(s->hs, s->req->a, s->hits[i].s, &view, &shown));
        json_put_int(result, "rank", s->hits[i].rank);
        json_put(result, STR("result"), shown);
        if (context != NULL) {
            TRY(put_context(s, s->hits[i].s, context, result));
        }
    }
    return ERR_NONE;
}

static void put_group(struct search *s, struct str key, struct json *groups)
{
    bool by_room = str_eq(key, STR("room_id"));
    if ((!by_room && !str_eq(key, STR("sender"))) || json_get(groups, key) != NULL) {
        return;
    }
    struct json *values = json_put_object(groups, key);
    for (size_t i = 0; i < s->n; i++) {
        const struct event *ev = s->hits[i].s->ev;
        struct str value = by_room ? ev->room_id : ev->sender;
        struct json *group = json_get(values, value);
        if (group == NULL) {
            group = json_put_object(values, value);
            json_put_int(group, "order", (int64_t)i + 1);
            (void)json_put_array(group, STR("results"));
        }
        json_push_text(json_get_array(group, "results"), ev->id);
    }
}

static enum err put_state(struct search *s, struct json *out)
{
    struct client_view view = {.user = s->req->user, .device_id = s->req->device_id};
    struct json *states = json_put_object(out, STR("state"));
    size_t told = 0;
    for (size_t i = 0; i < s->n && told < STATE_EVENTS_MAX; i++) {
        struct room *room;
        struct state state;
        struct str membership;
        TRY(room_get(s->hs, s->hits[i].s->room, &room));
        if (json_get(states, room->id) != NULL) {
            continue;
        }
        struct json *list = json_put_array(states, room->id);
        TRY(current_membership(s->hs, s->req->user, room->nid, s->req->a, &membership, NULL));
        bool joined = str_eq(membership, STR("join"));
        TRY(snapshot_load(s->hs, s->req->a, joined ? room->snapshot : s->hits[i].s->after, &state));
        const struct state_entry *e = state_next(&state, NULL);
        for (; e != NULL && told < STATE_EVENTS_MAX; e = state_next(&state, e)) {
            struct stored *ev;
            struct json *shown;
            told++;
            TRY(event_find(s->hs, e->event_id, &ev));
            TRY(client_event(s->hs, s->req->a, ev, &view, &shown));
            json_push(list, shown);
        }
    }
    return ERR_NONE;
}

static enum err reply_found(struct search *s)
{
    struct json *out = json_object(s->req->a);
    struct json *events =
        json_put_object(json_put_object(out, STR("search_categories")), STR("room_events"));
    json_put_int(events, "count", (int64_t)s->n + (s->more ? s->offset : 0));
    TRY(put_results(s, events));
    json_put(events, STR("highlights"), s->words);
    const struct json *by = json_get_array(json_get_object(s->asked, "groupings"), "group_by");
    struct json *groups = json_put_object(events, STR("groups"));
    for (const struct json *x = json_first(by); x != NULL; x = json_next(x)) {
        put_group(s, json_get_text(x, "key"), groups);
    }
    if (json_get_bool(s->asked, "include_state", false)) {
        TRY(put_state(s, events));
    }
    if (s->more) {
        json_put_text(events, "next_batch",
                      arena_fmt(s->req->a, "n%lld.%lld", (long long)s->upto, (long long)s->offset));
    }
    return reply_json(s->req, out);
}

enum err search_post(struct hs *hs, struct req *req)
{
    struct search *s = ARENA_NEW(req->a, struct search);
    bool ok;
    bool any;
    s->hs = hs;
    s->req = req;
    s->words = json_array(req->a);
    s->asked = json_get_object(json_get_object(req->body, "search_categories"), "room_events");
    if (s->asked == NULL) {
        struct json *out = json_object(req->a);
        (void)json_put_object(out, STR("search_categories"));
        return reply_json(req, out);
    }
    TRY(search_index_catch_up(hs));
    TRY(read_asked(s, &ok));
    if (!ok) {
        return ERR_NONE;
    }
    TRY(write_query(s, json_get_text(s->asked, "search_term"), &any));
    if (any) {
        TRY(find(s));
    }
    return reply_found(s);
}

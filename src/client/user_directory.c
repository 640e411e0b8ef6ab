/* The users whom one may find: who shares a room with the one who asks, or is in an open one. */
#include "client/user_directory.h"

#include "base/numbers.h"
#include "engine/current.h"
#include "engine/visible.h"

enum { LIMIT_DEFAULT = 10, LOOKED_AT_MAX = 500, ROOMS_LOOKED_AT_MAX = 100 };

/* "%term%" for LIKE, its own signs escaped. */
static struct str pattern_of(struct arena *a, struct str term)
{
    struct buf out;
    buf_init_in(&out, a, 2 * term.n + 8);
    buf_add_char(&out, '%');
    for (size_t i = 0; i < term.n; i++) {
        if (term.p[i] == '%' || term.p[i] == '_' || term.p[i] == '\\') {
            buf_add_char(&out, '\\');
        }
        buf_add_char(&out, term.p[i]);
    }
    buf_add_char(&out, '%');
    return buf_str(&out);
}

struct found {
    struct str user_id, display_name, avatar_url;
};

/* What was found out about rooms while one request looks. */
struct look {
    struct numbers open, closed;
};

/* May anybody come in, or read? */
static enum err is_open(struct hs *hs, struct req *req, int64_t nid, struct look *look, bool *open)
{
    struct room *room;
    struct json *rule;
    *open = numbers_has(&look->open, nid);
    if (*open || numbers_has(&look->closed, nid)) {
        return ERR_NONE;
    }
    TRY(room_get(hs, nid, &room));
    TRY(visible_to_all(hs, room, open));
    TRY(current_content(hs, room, STR("m.room.join_rules"), STR(""), &rule));
    *open =
        *open || (room->snapshot != 0 && str_eq(json_get_text(rule, "join_rule"), STR("public")));
    numbers_add(req->a, *open ? &look->open : &look->closed, nid);
    return ERR_NONE;
}

/* Who shares a room with the one who asks, or is in a room that is open to all. */
static enum err is_known(struct hs *hs, struct req *req, struct str user_id, struct look *look,
                         bool *known)
{
    struct query q;
    struct numbers rooms = {0};
    int64_t user;
    int64_t shared = 0;
    TRY(store_name_find(hs->store, user_id, &user));
    if (user != req->user) { /* whom others find, finds himself */
        TRY(store_get_int(hs->store, &shared, 0, STMT_MEMBER_SHARE_ONE, "ii", req->user, user));
    }
    *known = shared != 0;
    if (*known) {
        return ERR_NONE;
    }
    query_start(&q, hs->store, STMT_MEMBER_ROOMS_OF, "it", user, STR("join"));
    while (rooms.n < ROOMS_LOOKED_AT_MAX && query_next(&q)) {
        numbers_add(req->a, &rooms, query_int(&q, 0));
    }
    TRY(query_end(&q));
    for (size_t i = 0; i < rooms.n && !*known; i++) {
        TRY(is_open(hs, req, rooms.at[i], look, known));
    }
    return ERR_NONE;
}

static enum err search(struct hs *hs, struct req *req, struct str term, struct found *out,
                       size_t *n)
{
    struct query q;
    *n = 0;
    query_start(&q, hs->store, STMT_PROFILE_SEARCH, "ti", pattern_of(req->a, term),
                (int64_t)LOOKED_AT_MAX);
    while (*n < LOOKED_AT_MAX && query_next(&q)) {
        out[*n] = (struct found){query_str(&q, req->a, 0), query_str(&q, req->a, 1),
                                 query_str(&q, req->a, 2)};
        (*n)++;
    }
    return query_end(&q);
}

enum err user_search_post(struct hs *hs, struct req *req)
{
    struct found *found = arena_array(req->a, LOOKED_AT_MAX, sizeof(*found));
    int64_t limit = json_get_int(req->body, "limit", LIMIT_DEFAULT);
    struct str term = json_get_text(req->body, "search_term");
    struct look look = {0};
    size_t n;
    limit = limit < USER_SEARCH_MAX ? limit : USER_SEARCH_MAX;
    struct json *out = json_object(req->a);
    struct json *results = json_put_array(out, STR("results"));
    TRY(search(hs, req, term, found, &n));
    bool limited = false;
    for (size_t i = 0; i < n && !limited; i++) {
        bool known;
        TRY(is_known(hs, req, found[i].user_id, &look, &known));
        if (!known) {
            continue;
        }
        limited = (int64_t)json_count(results) >= limit;
        if (!limited) {
            struct json *user = json_push_object(results);
            json_put_text(user, "user_id", found[i].user_id);
            json_put_text(user, "display_name", found[i].display_name);
            json_put_text(user, "avatar_url", found[i].avatar_url);
        }
    }
    json_put_bool(out, "limited", limited || n == LOOKED_AT_MAX);
    return reply_json(req, out);
}

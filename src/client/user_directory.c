/* The users we know of: those of ours, and those who share a room with the one who asks. */
#include "client/user_directory.h"

enum { LIMIT_DEFAULT = 10, LOOKED_AT_MAX = 500 };

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

static enum err is_known(struct hs *hs, struct req *req, struct str user_id, bool *known)
{
    int64_t user;
    int64_t shared;
    *known = hs_is_ours(hs, user_id);
    if (*known) {
        return ERR_NONE;
    }
    TRY(store_name_find(hs->store, user_id, &user));
    TRY(store_get_int(hs->store, &shared, 0, STMT_MEMBER_SHARE_ONE, "ii", req->user, user));
    *known = shared != 0;
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
    size_t n;
    limit = limit < USER_SEARCH_MAX ? limit : USER_SEARCH_MAX;
    struct json *out = json_object(req->a);
    struct json *results = json_put_array(out, STR("results"));
    TRY(search(hs, req, term, found, &n));
    bool limited = false;
    for (size_t i = 0; i < n && !limited; i++) {
        bool known;
        TRY(is_known(hs, req, found[i].user_id, &known));
        if (!known || str_eq(found[i].user_id, req->user_id)) {
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

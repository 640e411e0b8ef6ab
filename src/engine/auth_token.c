/* Access tokens. */
#include "engine/auth_token.h"

#include "crypto/hash.h"

#define ACCESS_MS ((int64_t)3600 * 1000)             /* of a session that can refresh */
#define REFRESH_MS ((int64_t)365 * 24 * 3600 * 1000) /* unused */

static struct str token_of(struct req *req)
{
    struct str header = http_header(req->head, STR("authorization"));
    struct str bearer = STR("Bearer ");
    if (header.n > bearer.n && str_eq_nocase(str_sub(header, 0, bearer.n), bearer)) {
        return str_trim(str_from(header, bearer.n));
    }
    return req_query(req, "access_token");
}

static struct str hash_of(struct arena *a, struct str token)
{
    uint8_t *hash = arena_alloc(a, HASH_SIZE);
    hash_sha256(hash, token);
    return str_make(hash, HASH_SIZE);
}

/* A page of another site whose name was made to lead here sends that name: an address, localhost
 * and our own name cannot be such a one. */
static bool is_own_host(const struct hs *hs, struct str host)
{
    struct str name = host, port;
    size_t n_digits = 0;
    if (str_is_empty(host)) {
        return false;
    }
    if (host.p[0] == '[' || str_eq_nocase(host, hs->identity.server)) {
        return true;
    }
    (void)str_cut(host, ':', &name, &port);
    while (n_digits < name.n &&
           (name.p[n_digits] == '.' || (name.p[n_digits] >= '0' && name.p[n_digits] <= '9'))) {
        n_digits++;
    }
    return (name.n > 0 && n_digits == name.n) || str_eq_nocase(name, STR("localhost")) ||
           str_eq_nocase(name, hs->identity.server);
}

static enum err check_admin(struct hs *hs, struct req *req)
{
    if (str_is_empty(hs->settings.admin_token)) {
        return ERR_NONE; /* in a worker: only pages of its own origin reach it */
    }
    if (!is_own_host(hs, http_header(req->head, STR("host")))) {
        return reply_forbidden(req, "ask this by an address, by localhost or by the server name");
    }
    if (hash_eq(hash_of(req->a, token_of(req)), hash_of(req->a, hs->settings.admin_token))) {
        return ERR_NONE;
    }
    return reply_error(req, 401, "M_UNKNOWN_TOKEN",
                       "this wants the token in the file admin-token of the data directory");
}

enum err auth_token_check(struct hs *hs, struct req *req)
{
    if (req->route->who == WHO_ANYONE) {
        return ERR_NONE;
    }
    if (req->route->who == WHO_ADMIN) {
        return check_admin(hs, req);
    }
    struct str token = token_of(req);
    if (str_is_empty(token)) {
        return req->route->who == WHO_OPTIONAL
                   ? ERR_NONE
                   : reply_error(req, 401, "M_MISSING_TOKEN", "this wants an access token");
    }
    struct query q;
    struct str hash = hash_of(req->a, token);
    enum err err = query_one(&q, hs->store, STMT_TOKEN_GET, "b", hash);
    req->token_hash = hash;
    if (err == ERR_ABSENT) {
        return reply_error(req, 401, "M_UNKNOWN_TOKEN", "this access token is not known; log in");
    }
    TRY(err);
    req->user = query_int(&q, 0);
    req->device_id = query_str(&q, req->a, 1);
    req->user_id = query_str(&q, req->a, 2);
    req->is_admin = query_int(&q, 3) != 0;
    req->is_guest = query_int(&q, 4) != 0;
    bool is_over = !query_is_null(&q, 5) && query_int(&q, 5) <= hs->now.unix_ms;
    TRY(query_end(&q));
    if (is_over) {
        TRY(reply_error(req, 401, "M_UNKNOWN_TOKEN", "this access token has ended; refresh it"));
        json_put_bool(req->reply.json, "soft_logout", true);
    } else if (req->is_guest && req->route->who == WHO_USER) {
        return reply_error(req, 403, "M_GUEST_ACCESS_FORBIDDEN",
                           "guests may not do this; register");
    }
    return ERR_NONE;
}

enum err auth_guest_find(struct hs *hs, struct arena *a, struct str token, int64_t *user,
                         struct str *user_id)
{
    struct query q;
    TRY(query_one(&q, hs->store, STMT_TOKEN_GET, "b", hash_of(a, token)));
    *user = query_int(&q, 0);
    *user_id = query_str(&q, a, 2);
    bool is_guest = query_int(&q, 4) != 0;
    TRY(query_end(&q));
    return is_guest ? ERR_NONE : ERR_ABSENT;
}

enum err auth_token_pair(struct hs *hs, struct arena *a, int64_t user, struct str device_id,
                         bool refreshable, struct json *out)
{
    struct str refresh;
    struct str token = arena_join(a, STR("nrt_"), hs_random_text(hs, a, 40), STR(""));
    TRY(store_run(hs->store, STMT_TOKEN_PUT, "bit", hash_of(a, token), user, device_id));
    json_put_text(out, "access_token", token);
    if (!refreshable) {
        return ERR_NONE;
    }
    TRY(store_run(hs->store, STMT_TOKEN_EXPIRES, "ib", hs->now.unix_ms + ACCESS_MS,
                  hash_of(a, token)));
    TRY(auth_special_new(hs, a, "refresh", user, device_id, REFRESH_MS, &refresh));
    json_put_text(out, "refresh_token", refresh);
    json_put_int(out, "expires_in_ms", ACCESS_MS);
    return ERR_NONE;
}

enum err auth_special_new(struct hs *hs, struct arena *a, const char *kind, int64_t user,
                          struct str device_id, int64_t lives_ms, struct str *token)
{
    *token = arena_join(a, STR("nrs_"), hs_random_text(hs, a, 40), STR(""));
    TRY(store_run(hs->store, STMT_SPECIAL_EXPIRE, "i", hs->now.unix_ms));
    return store_run(hs->store, STMT_SPECIAL_PUT, "btiti", hash_of(a, *token), str_of(kind), user,
                     device_id, hs->now.unix_ms + lives_ms);
}

enum err auth_special_find(struct hs *hs, struct arena *a, const char *kind, struct str token,
                           struct special_token *out)
{
    struct query q;
    *out = (struct special_token){.hash = hash_of(a, token)};
    TRY(query_one(&q, hs->store, STMT_SPECIAL_GET, "bti", out->hash, str_of(kind),
                  hs->now.unix_ms));
    out->user = query_int(&q, 0);
    out->device_id = query_str(&q, a, 1);
    return query_end(&q);
}

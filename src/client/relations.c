/* Reading relations. */
#include "client/relations.h"

#include "base/encode.h"
#include "client/access.h"
#include "engine/client_event.h"
#include "engine/remote.h"
#include "engine/token.h"
#include "engine/visible.h"
#include "event/mxid.h"

enum { RELATIONS_DEFAULT = 5, THREADS_DEFAULT = 20, LEVELS = 3, LOOKED_AT_MAX = 500 };

static size_t limit_of(struct req *req, int64_t fallback)
{
    int64_t limit = req_query_int(req, "limit", fallback);
    return limit < 1 ? 1 : (limit > MESSAGES_MAX ? MESSAGES_MAX : (size_t)limit);
}

struct rows {
    int64_t nid[LOOKED_AT_MAX], position[LOOKED_AT_MAX];
    size_t n;
};

/* What is asked for: children between two positions. */
struct asked {
    struct access access;
    struct str rel_type;
    int64_t type; /* of the children, a number of names; 0: any */
    int64_t above, upto;
    int64_t from; /* where it begins, for prev_batch */
    size_t limit;
    bool forwards, recurse, has_from;
};

/* *ok false: the refusal is set. */
static enum err read_position(struct hs *hs, struct req *req, const char *key, int64_t *position,
                              bool *ok)
{
    struct str token = req_query(req, key);
    *ok = token.n == 0 || token_parse(hs, token, position);
    return *ok ? ERR_NONE
               : reply_error(req, 400, "M_INVALID_PARAM", "'%s' is no token of this homeserver",
                             key);
}

static enum err read_asked(struct hs *hs, struct req *req, struct asked *q, bool *ok)
{
    struct str dir = req_query(req, "dir");
    struct str type = req->n_params > 3 ? req->params[3] : STR_ABSENT;
    q->forwards = str_eq(dir, STR("f"));
    q->recurse = str_eq(req_query(req, "recurse"), STR("true"));
    q->rel_type = req->n_params > 2 ? req->params[2] : STR("");
    q->above = INT64_MIN;
    q->upto = q->access.position;
    q->limit = limit_of(req, RELATIONS_DEFAULT);
    q->has_from = req_query(req, "from").n > 0;
    *ok = dir.n == 0 || q->forwards || str_eq(dir, STR("b"));
    if (!*ok) {
        return reply_error(req, 400, "M_INVALID_PARAM", "'dir' is b or f");
    }
    TRY(read_position(hs, req, "from", q->forwards ? &q->above : &q->upto, ok));
    if (*ok) {
        TRY(read_position(hs, req, "to", q->forwards ? &q->upto : &q->above, ok));
    }
    q->from = q->forwards ? q->above : q->upto;
    q->upto = q->upto < q->access.position ? q->upto : q->access.position;
    if (*ok && type.p != NULL) {
        TRY(store_name_find(hs->store, type, &q->type));
        q->type = q->type == 0 ? -1 : q->type; /* never named: nothing has it */
    }
    return ERR_NONE;
}

static enum err read_rows(struct hs *hs, const struct req *req, const struct asked *asked,
                          struct rows *out)
{
    static const struct {
        enum stmt back, forward;
        const char *given; /* after room, event and two positions come limit, relation, type */
    } shapes[] = {
        {STMT_RELATION_BACK, STMT_RELATION_FORWARD, "itiii"},
        {STMT_RELATION_BACK_REL, STMT_RELATION_FORWARD_REL, "itiiit"},
        {STMT_RELATION_BACK_TYPE, STMT_RELATION_FORWARD_TYPE, "itiiiti"},
        {STMT_RELATION_TREE_BACK, STMT_RELATION_TREE_FORWARD, "itiiiti"},
    };
    size_t named = asked->type != 0 ? 2 : (asked->rel_type.n > 0 ? 1 : 0);
    size_t i = asked->recurse ? COUNT_OF(shapes) - 1 : named;
    struct query q;
    query_start(&q, hs->store, asked->forwards ? shapes[i].forward : shapes[i].back,
                shapes[i].given, asked->access.room->nid, req->params[1], asked->upto, asked->above,
                (int64_t)asked->limit + 1, asked->rel_type, asked->type);
    while (out->n <= asked->limit && query_next(&q)) {
        out->nid[out->n] = query_int(&q, 0);
        out->position[out->n] = query_int(&q, 1);
        out->n++;
    }
    return query_end(&q);
}

static enum err reply_rows(struct hs *hs, struct req *req, const struct asked *asked,
                           const struct rows *rows)
{
    struct client_view view = {.user = req->user, .device_id = req->device_id};
    struct json *out = json_object(req->a);
    struct json *chunk = json_put_array(out, STR("chunk"));
    bool more = rows->n > asked->limit;
    size_t n = more ? asked->limit : rows->n;
    for (size_t i = 0; i < n; i++) {
        struct stored *s;
        struct json *shown;
        bool visible;
        TRY(event_get(hs, rows->nid[i], &s));
        TRY(visible_to_user(hs, s, req->user, req->user_id, &visible));
        if (visible) {
            TRY(client_event(hs, req->a, s, &view, &shown));
            json_push(chunk, shown);
        }
    }
    if (more) {
        int64_t last = rows->position[n - 1];
        json_put_text(out, "next_batch",
                      token_write(hs, req->a, asked->forwards ? last : last - 1));
    }
    if (asked->has_from) {
        json_put_text(out, "prev_batch", token_write(hs, req->a, asked->from));
    }
    if (asked->recurse) {
        json_put_int(out, "recursion_depth", LEVELS);
    }
    return reply_json(req, out);
}

enum err relations_get(struct hs *hs, struct req *req)
{
    struct asked *asked = ARENA_NEW(req->a, struct asked);
    struct rows *rows = ARENA_NEW(req->a, struct rows);
    struct stored *parent;
    bool ok;
    TRY(access_event(hs, req, &asked->access, &parent));
    if (parent == NULL) { /* the specification has one answer for both */
        return reply_not_found(req, "there is no such event, or you may not see it");
    }
    TRY(read_asked(hs, req, asked, &ok));
    if (!ok) {
        return ERR_NONE;
    }
    TRY(read_rows(hs, req, asked, rows));
    return reply_rows(hs, req, asked, rows);
}

/* --- threads ------------------------------------------------------------------------------ */

struct roots {
    struct str id[LOOKED_AT_MAX];
    int64_t position[LOOKED_AT_MAX];
    size_t n;
};

static enum err list_roots(struct hs *hs, struct req *req, int64_t room, int64_t upto,
                           struct roots *out)
{
    struct query q;
    query_start(&q, hs->store, STMT_THREAD_LIST, "iii", room, upto, (int64_t)LOOKED_AT_MAX);
    while (out->n < LOOKED_AT_MAX && query_next(&q)) {
        out->id[out->n] = query_str(&q, req->a, 0);
        out->position[out->n] = query_int(&q, 1);
        out->n++;
    }
    return query_end(&q);
}

/* The root, when the user may see it and, if asked so, takes part in the thread. */
static enum err find_root(struct hs *hs, struct req *req, const struct access *access,
                          struct str event_id, bool participated, struct stored **root)
{
    bool wanted;
    enum err err = event_find(hs, event_id, root);
    wanted = err == ERR_NONE && (*root)->room == access->room->nid && (*root)->has_position &&
             (*root)->position <= access->position;
    if (err != ERR_ABSENT) {
        TRY(err);
    }
    if (wanted) {
        TRY(visible_to_user(hs, *root, req->user, req->user_id, &wanted));
    }
    if (wanted && participated && !str_eq((*root)->ev->sender, req->user_id)) {
        int64_t own;
        TRY(store_get_int(hs->store, &own, 0, STMT_RELATION_BY_SENDER, "ittii", access->room->nid,
                          event_id, STR("m.thread"), req->user, (int64_t)1));
        wanted = own != 0;
    }
    *root = wanted ? *root : NULL;
    return ERR_NONE;
}

enum err threads_get(struct hs *hs, struct req *req)
{
    struct access access;
    struct client_view view = {.user = req->user, .device_id = req->device_id};
    struct str include = req_query(req, "include");
    bool participated = str_eq(include, STR("participated"));
    size_t limit = limit_of(req, THREADS_DEFAULT);
    bool ok;
    TRY(access_read(hs, req, &access, &ok));
    if (!ok) {
        return ERR_NONE;
    }
    int64_t upto = access.position;
    if (include.n > 0 && !participated && !str_eq(include, STR("all"))) {
        return reply_error(req, 400, "M_INVALID_PARAM", "'include' is all or participated");
    }
    TRY(read_position(hs, req, "from", &upto, &ok));
    if (!ok) {
        return ERR_NONE;
    }
    struct roots *roots = ARENA_NEW(req->a, struct roots);
    TRY(list_roots(hs, req, access.room->nid, upto < access.position ? upto : access.position,
                   roots));
    struct json *out = json_object(req->a);
    struct json *chunk = json_put_array(out, STR("chunk"));
    size_t i = 0;
    for (; i < roots->n && json_count(chunk) < limit; i++) {
        struct stored *root;
        struct json *shown;
        TRY(find_root(hs, req, &access, roots->id[i], participated, &root));
        if (root != NULL) {
            TRY(client_event(hs, req->a, root, &view, &shown));
            json_push(chunk, shown);
        }
    }
    if (i < roots->n || roots->n == LOOKED_AT_MAX) {
        json_put_text(out, "next_batch", token_write(hs, req->a, roots->position[i - 1] - 1));
    }
    return reply_json(req, out);
}

/* --- the event at a time ------------------------------------------------------------------ */

/* The nearest event in the direction that the user may see. */
static enum err find_at(struct hs *hs, struct req *req, const struct access *access, int64_t ts,
                        bool forwards, struct stored **out)
{
    struct query q;
    struct rows *rows = ARENA_NEW(req->a, struct rows);
    query_start(&q, hs->store, forwards ? STMT_TIME_FORWARD : STMT_TIME_BACK, "iii",
                access->room->nid, ts, (int64_t)LOOKED_AT_MAX);
    while (rows->n < LOOKED_AT_MAX && query_next(&q)) {
        rows->nid[rows->n] = query_int(&q, 0);
        rows->n++;
    }
    TRY(query_end(&q));
    *out = NULL;
    for (size_t i = 0; i < rows->n && *out == NULL; i++) {
        struct stored *s;
        bool visible;
        TRY(event_get(hs, rows->nid[i], &s));
        TRY(visible_to_user(hs, s, req->user, req->user_id, &visible));
        *out = visible && s->position <= access->position ? s : NULL;
    }
    return ERR_NONE;
}

static enum err reply_at(struct req *req, struct str event_id, int64_t ts)
{
    struct json *out = json_object(req->a);
    json_put_text(out, "event_id", event_id);
    json_put_int(out, "origin_server_ts", ts);
    return reply_json(req, out);
}

static enum err told_at(struct hs *hs, struct req *req, bool is_time_up)
{
    const struct remote_ask *ask = req->ctx;
    struct str event_id = json_get_text(ask->answer, "event_id");
    (void)hs;
    (void)is_time_up;
    return mxid_is_event(event_id)
               ? reply_at(req, event_id, json_get_int(ask->answer, "origin_server_ts", 0))
               : reply_not_found(req, "there is no event in that direction");
}

/* Others have history that was never fetched. */
static enum err ask_at(struct hs *hs, struct req *req, const struct room *room, int64_t ts,
                       bool forwards)
{
    bool asked;
    struct remote_ask *ask = ARENA_NEW(req->a, struct remote_ask);
    *ask = (struct remote_ask){.room = room->nid, .resume = told_at};
    ask->path =
        arena_fmt(req->a, "/_matrix/federation/v1/timestamp_to_event/%.*s?ts=%lld&dir=%s",
                  STR_ARG(percent_write(req->a, room->id)), (long long)ts, forwards ? "f" : "b");
    req->ctx = ask;
    TRY(hs->remote->get(hs, req, ask, &asked));
    return asked ? ERR_NONE : told_at(hs, req, false);
}

enum err event_at_get(struct hs *hs, struct req *req)
{
    struct access access;
    struct stored *found;
    struct str dir = req_query(req, "dir");
    bool forwards = str_eq(dir, STR("f"));
    bool ok;
    int64_t ts;
    if (!str_to_i64(req_query(req, "ts"), &ts)) {
        return reply_error(req, 400, "M_MISSING_PARAM", "'ts' is a time in milliseconds");
    }
    if (!forwards && !str_eq(dir, STR("b"))) {
        return reply_error(req, 400, "M_MISSING_PARAM", "'dir' is b or f");
    }
    TRY(access_read(hs, req, &access, &ok));
    if (!ok) {
        return ERR_NONE;
    }
    TRY(find_at(hs, req, &access, ts, forwards, &found));
    if (found == NULL && access.is_joined) {
        return ask_at(hs, req, access.room, ts, forwards);
    }
    return found == NULL ? reply_not_found(req, "there is no event in that direction")
                         : reply_at(req, found->ev->id, found->ev->origin_server_ts);
}

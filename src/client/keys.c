/* Keys of our users from the store, those of others from their servers: a query waits until each
 * server has answered or failed. */
#include "client/keys.h"

#include "base/map.h"
#include "engine/call.h"
#include "engine/cross_keys.h"
#include "engine/device_keys.h"
#include "engine/device_lists.h"
#include "engine/gate.h"
#include "event/mxid.h"

enum { SERVERS_ASKED_MAX = 256, TIMEOUT_MAX_MS = 20000, TIMEOUT_DEFAULT_MS = 10000 };

/* --- upload ------------------------------------------------------------------------------- */

static enum err put_device_keys(struct hs *hs, struct req *req)
{
    const struct json *keys = json_get_object(req->body, "device_keys");
    struct str old;
    if (keys == NULL) {
        return ERR_NONE;
    }
    if (!str_eq(json_get_text(keys, "user_id"), req->user_id) ||
        !str_eq(json_get_text(keys, "device_id"), req->device_id)) {
        return reply_error(req, 400, "M_INVALID_PARAM",
                           "device_keys must name the user and device of the access token");
    }
    struct str text = json_str(req->a, keys);
    TRY(store_get_str(hs->store, req->a, &old, STMT_DEVICE_KEYS_GET, "it", req->user,
                      req->device_id));
    if (str_eq(old, text)) {
        return ERR_NONE;
    }
    TRY(store_run(hs->store, STMT_KEY_SIGNATURES_DROP, "it", req->user, req->device_id));
    TRY(store_run(hs->store, STMT_DEVICE_KEYS_PUT, "itt", req->user, req->device_id, text));
    return device_list_changed(hs, req->user, req->user_id, req->device_id);
}

static enum err put_one_time_keys(struct hs *hs, struct req *req)
{
    const struct json *keys = json_get_object(req->body, "one_time_keys");
    for (const struct json *x = json_first(keys); x != NULL; x = json_next(x)) {
        enum one_time_put result;
        TRY(one_time_key_put(hs, req->user, req->device_id, json_key(x), x, &result));
        if (result == ONE_TIME_FULL) {
            return reply_error(req, 400, "M_LIMIT_EXCEEDED", "a device keeps at most %d of them",
                               ONE_TIME_KEYS_MAX);
        }
        if (result == ONE_TIME_CLASH) {
            return reply_error(req, 400, "M_INVALID_PARAM",
                               "one_time_keys: '%.*s' is malformed or another key's name",
                               STR_ARG(json_key(x)));
        }
    }
    return ERR_NONE;
}

/* One fallback key an algorithm; a new one is unused. */
static enum err put_fallback_keys(struct hs *hs, struct req *req)
{
    const struct json *keys = json_get_object(req->body, "fallback_keys");
    for (const struct json *x = json_first(keys); x != NULL; x = json_next(x)) {
        struct str algorithm;
        struct str id;
        if (!str_cut(json_key(x), ':', &algorithm, &id)) {
            return reply_error(req, 400, "M_INVALID_PARAM", "a key's name is algorithm:id");
        }
        TRY(store_run(hs->store, STMT_FALLBACK_PUT, "itttt", req->user, req->device_id, algorithm,
                      id, json_str(req->a, x)));
    }
    return ERR_NONE;
}

enum err keys_upload_post(struct hs *hs, struct req *req)
{
    static enum err (*const steps[])(struct hs *, struct req *) = {
        put_device_keys, put_one_time_keys, put_fallback_keys};
    struct query q;
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        TRY(steps[i](hs, req));
        if (req->reply.status != 0) {
            return ERR_NONE;
        }
    }
    struct json *out = json_object(req->a);
    struct json *counts = json_put_object(out, STR("one_time_key_counts"));
    query_start(&q, hs->store, STMT_ONE_TIME_COUNT, "it", req->user, req->device_id);
    while (query_next(&q)) {
        json_put_int(counts, query_str(&q, req->a, 0).p, query_int(&q, 1));
    }
    TRY(query_end(&q));
    return reply_json(req, out);
}

/* --- asking everybody --------------------------------------------------------------------- */

/* The two questions differ in the member that carries them, both ways, and in the path. */
struct question {
    const char *member, *path;
    enum err (*local)(struct hs *hs, struct req *req, const struct json *user, struct json *found);
};

struct asked {
    const struct question *question;
    struct json *out, *found, *failures;
    size_t waiting;
};

/* The context of a call. */
struct asking {
    uint64_t request;
};

static enum err finish(struct req *req, struct asked *asked)
{
    return reply_json(req, asked->out);
}

/* The asked users of that server in an object of its answer, into ours. */
static void merge(struct req *req, const struct asked *asked, struct str server,
                  const struct json *users, struct json *into)
{
    const struct json *wanted = json_get(req->body, str_of(asked->question->member));
    for (const struct json *x = json_first(users); x != NULL; x = json_next(x)) {
        if (str_eq(mxid_server(json_key(x)), server) && json_get(wanted, json_key(x)) != NULL &&
            json_is(x, JSON_OBJECT)) {
            json_put(into, json_key(x), json_copy(req->a, x));
        }
    }
}

/* Cross-signing keys of elsewhere, and what the asking user said of them. */
static enum err merge_cross_keys(struct hs *hs, struct req *req, const struct asked *asked,
                                 struct str server, const struct json *body)
{
    static const char *const members[] = {"master_keys", "self_signing_keys"};
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        const struct json *users = json_get_object(body, members[i]);
        struct json *into = json_get(asked->out, str_of(members[i]));
        if (users == NULL) {
            continue;
        }
        into = into == NULL ? json_put_object(asked->out, str_of(members[i])) : into;
        merge(req, asked, server, users, into);
    }
    for (struct json *x = json_first(json_get(asked->out, STR("master_keys"))); x != NULL;
         x = json_next(x)) {
        struct str key = json_text(json_first(json_get_object(x, "keys")));
        int64_t user;
        if (str_eq(mxid_server(json_key(x)), server) && key.p != NULL) {
            TRY(store_name_find(hs->store, json_key(x), &user));
            TRY(key_signatures_put(hs, req->a, user, key, req->user, x));
        }
    }
    return ERR_NONE;
}

static enum err answered(struct hs *hs, struct call *call, int status, struct json *body,
                         const char *why)
{
    const struct asking *asking = call->ctx;
    struct req *req = gate_find(hs, asking->request);
    if (req == NULL) {
        return ERR_NONE;
    }
    struct asked *asked = req->ctx;
    if (status == 200 && json_is(body, JSON_OBJECT)) {
        merge(req, asked, call->server, json_get_object(body, asked->question->member),
              asked->found);
        TRY(merge_cross_keys(hs, req, asked, call->server, body));
    } else {
        struct json *failure = json_put_object(asked->failures, call->server);
        json_put_int(failure, "status", status);
        json_put_text(failure, "message", str_of(why));
    }
    asked->waiting--;
    if (asked->waiting > 0) {
        return ERR_NONE;
    }
    TRY(finish(req, asked));
    return gate_finish(hs, req);
}

static enum err ask_server(struct hs *hs, struct req *req, struct str server, struct json *users)
{
    struct asked *asked = req->ctx;
    int64_t timeout_ms = json_get_int(req->body, "timeout", TIMEOUT_DEFAULT_MS);
    timeout_ms = timeout_ms < 1000 ? 1000 : timeout_ms;
    timeout_ms = timeout_ms < TIMEOUT_MAX_MS ? timeout_ms : TIMEOUT_MAX_MS;
    if (!call_is_possible(hs, server) || asked->waiting == SERVERS_ASKED_MAX) {
        struct json *failure = json_put_object(asked->failures, server);
        json_put_text(failure, "message", STR("this server cannot be reached"));
        return ERR_NONE;
    }
    struct call *call = call_new(hs, server, answered);
    struct asking *asking = ARENA_NEW(call->a, struct asking);
    *asking = (struct asking){req->id};
    call->ctx = asking;
    struct json *body = json_object(call->a);
    json_put(body, str_of(asked->question->member), json_copy(call->a, users));
    asked->waiting++;
    return call_send(hs, call, "POST", str_of(asked->question->path), body, timeout_ms);
}

static struct json *users_of(struct req *req, struct map *servers, struct str server)
{
    struct json *users = map_get(servers, server);
    if (users == NULL) {
        users = json_object(req->a);
        map_put(servers, server, users);
    }
    return users;
}

static enum err ask_all(struct hs *hs, struct req *req, const struct question *question)
{
    struct asked *asked = ARENA_NEW(req->a, struct asked);
    struct map servers;
    asked->question = question;
    asked->out = json_object(req->a);
    asked->found = json_put_object(asked->out, str_of(question->member));
    asked->failures = json_put_object(asked->out, STR("failures"));
    req->ctx = asked;
    map_init_in(&servers, req->a);
    const struct json *wanted = json_get(req->body, str_of(question->member));
    for (const struct json *x = json_first(wanted); x != NULL; x = json_next(x)) {
        struct str server = mxid_server(json_key(x));
        if (!mxid_is_user(json_key(x))) {
            continue;
        }
        if (hs_is_ours(hs, json_key(x))) {
            TRY(question->local(hs, req, x, asked->found));
        } else {
            json_put(users_of(req, &servers, server), json_key(x), json_copy(req->a, x));
        }
    }
    for (const struct map_entry *e = map_next(&servers, NULL); e != NULL;
         e = map_next(&servers, e)) {
        TRY(ask_server(hs, req, e->key, e->value));
    }
    return asked->waiting == 0 ? finish(req, asked) : req_park(req, NULL, -1, false);
}

/* --- query and claim ---------------------------------------------------------------------- */

static enum err query_local(struct hs *hs, struct req *req, const struct json *user,
                            struct json *found)
{
    struct json *devices;
    TRY(device_keys_get(hs, req->a, json_key(user), user, &devices));
    json_put(found, json_key(user), devices);
    const struct asked *asked = req->ctx;
    return cross_keys_put(hs, req->a, json_key(user), req->user, asked->out);
}

enum err keys_query_post(struct hs *hs, struct req *req)
{
    static const struct question question = {"device_keys",
                                             "/_matrix/federation/v1/user/keys/query", query_local};
    const struct json *wanted = json_get(req->body, STR("device_keys"));
    for (const struct json *x = json_first(wanted); x != NULL; x = json_next(x)) {
        if (!json_is(x, JSON_ARRAY)) {
            return reply_error(req, 400, "M_BAD_JSON", "device_keys is {user: [device, ...]}");
        }
    }
    return ask_all(hs, req, &question);
}

static enum err claim_local(struct hs *hs, struct req *req, const struct json *user,
                            struct json *found)
{
    struct json *devices = json_object(req->a);
    for (const struct json *x = json_first(user); x != NULL; x = json_next(x)) {
        struct json *key;
        TRY(one_time_key_take(hs, req->a, json_key(user), json_key(x), json_text(x), &key));
        if (key != NULL) {
            json_put(devices, json_key(x), key);
        }
    }
    if (json_count(devices) > 0) {
        json_put(found, json_key(user), devices);
    }
    return ERR_NONE;
}

enum err keys_claim_post(struct hs *hs, struct req *req)
{
    static const struct question question = {"one_time_keys",
                                             "/_matrix/federation/v1/user/keys/claim", claim_local};
    const struct json *wanted = json_get(req->body, STR("one_time_keys"));
    for (const struct json *user = json_first(wanted); user != NULL; user = json_next(user)) {
        for (const struct json *x = json_first(user); x != NULL; x = json_next(x)) {
            if (!json_is(user, JSON_OBJECT) || !json_is(x, JSON_TEXT)) {
                return reply_error(req, 400, "M_BAD_JSON",
                                   "one_time_keys is {user: {device: algorithm}}");
            }
        }
    }
    return ask_all(hs, req, &question);
}

/* Keys of our users from the store, and those of others that are kept; the rest from their servers:
 * a query waits until each server has answered or failed. */
#include "client/keys.h"

#include "base/encode.h"
#include "base/map.h"
#include "engine/call.h"
#include "engine/cross_keys.h"
#include "engine/device_keys.h"
#include "engine/device_lists.h"
#include "engine/gate.h"
#include "engine/remote_keys.h"
#include "event/mxid.h"

enum {
    CALLS_MAX = 256,         /* of one request */
    DEVICES_ASKED_MAX = 100, /* of them, for one user each */
    DEVICES_OF_SERVER_MAX = 16,
    TIMEOUT_MAX_MS = 20000,
    TIMEOUT_DEFAULT_MS = 10000
};

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
    TRY(store_run(hs->store, STMT_DEVICE_KEYS_PUT, "ittt", req->user, req->device_id, text,
                  STR_ABSENT));
    return reply_limit(req, device_list_changed(hs, req->user, req->user_id, req->device_id));
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
    int64_t n;
    for (const struct json *x = json_first(keys); x != NULL; x = json_next(x)) {
        struct str algorithm;
        struct str id;
        if (!str_cut(json_key(x), ':', &algorithm, &id)) {
            return reply_error(req, 400, "M_INVALID_PARAM", "a key's name is algorithm:id");
        }
        TRY(store_run(hs->store, STMT_FALLBACK_PUT, "itttt", req->user, req->device_id, algorithm,
                      id, json_str(req->a, x)));
    }
    TRY(store_get_int(hs->store, &n, 0, STMT_FALLBACK_COUNT, "it", req->user, req->device_id));
    return n <= FALLBACK_KEYS_MAX
               ? ERR_NONE
               : reply_error(req, 400, "M_LIMIT_EXCEEDED",
                             "a device has fallback keys of at most %d algorithms",
                             FALLBACK_KEYS_MAX);
}

static bool is_small(struct arena *a, const struct json *key)
{
    return json_key(key).n + json_str(a, key).n <= REMOTE_KEYS_SIZE_MAX;
}

static enum err check_sizes(struct hs *hs, struct req *req)
{
    static const char *const members[] = {"one_time_keys", "fallback_keys"};
    const struct json *device = json_get_object(req->body, "device_keys");
    bool are_small = device == NULL || is_small(req->a, device);
    (void)hs;
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        const struct json *keys = json_get_object(req->body, members[i]);
        for (const struct json *x = json_first(keys); x != NULL; x = json_next(x)) {
            are_small = are_small && is_small(req->a, x);
        }
    }
    return are_small ? ERR_NONE
                     : reply_error(req, 413, "M_TOO_LARGE", "a key has at most %d bytes",
                                   REMOTE_KEYS_SIZE_MAX);
}

enum err keys_upload_post(struct hs *hs, struct req *req)
{
    static enum err (*const steps[])(struct hs *, struct req *) = {
        check_sizes, put_device_keys, put_one_time_keys, put_fallback_keys};
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
    bool is_kept; /* answers may be: engine/remote_keys.h */
};

struct asked {
    const struct question *question;
    struct json *out, *found, *failures;
    int64_t until_ms; /* mono_ms */
    size_t waiting, devices;
};

/* The context of a call: about those users of its server, {user: [device, ...]}. */
struct asking {
    uint64_t request;
    struct json *users;
    struct map lists; /* struct remote_keys of those whose answer may be kept */
    bool is_devices;  /* GET /user/devices, for one of them */
};

static enum err finish(struct req *req, struct asked *asked)
{
    return reply_json(req, asked->out);
}

/* The asked users of that server in an object of its answer, into ours. */
static void merge(struct req *req, const struct asking *asking, const struct json *users,
                  struct json *into)
{
    for (const struct json *x = json_first(users); x != NULL; x = json_next(x)) {
        if (json_get(asking->users, json_key(x)) != NULL && json_is(x, JSON_OBJECT)) {
            json_put(into, json_key(x), json_copy(req->a, x));
        }
    }
}

/* Of all the devices of a user those that were asked for. */
static void pick_devices(const struct asking *asking, struct json *found)
{
    for (const struct json *user = json_first(asking->users); user != NULL;
         user = json_next(user)) {
        struct json *devices = json_get(found, json_key(user));
        struct json *x = json_first(devices);
        while (x != NULL) {
            struct json *next = json_next(x);
            if (!device_keys_is_wanted(user, json_key(x))) {
                json_remove(devices, json_key(x));
            }
            x = next;
        }
    }
}

/* Cross-signing keys of elsewhere, and what the asking user said of them. */
static enum err merge_cross_keys(struct hs *hs, struct req *req, const struct asking *asking,
                                 const struct json *answer)
{
    static const char *const members[] = {"master_keys", "self_signing_keys"};
    struct asked *asked = req->ctx;
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        const struct json *users = json_get_object(answer, members[i]);
        struct json *into = json_get(asked->out, str_of(members[i]));
        if (users == NULL) {
            continue;
        }
        into = into == NULL ? json_put_object(asked->out, str_of(members[i])) : into;
        merge(req, asking, users, into);
    }
    for (struct json *x = json_first(json_get(asked->out, STR("master_keys"))); x != NULL;
         x = json_next(x)) {
        struct str key = json_text(json_first(json_get_object(x, "keys")));
        int64_t user;
        if (json_get(asking->users, json_key(x)) != NULL && key.p != NULL) {
            TRY(store_name_find(hs->store, json_key(x), &user));
            TRY(key_signatures_put(hs, req->a, user, key, req->user, x));
        }
    }
    return ERR_NONE;
}

static enum err keep(struct hs *hs, const struct asking *asking, const struct json *answer,
                     int64_t stream_id)
{
    for (const struct map_entry *e = map_next(&asking->lists, NULL); e != NULL;
         e = map_next(&asking->lists, e)) {
        bool taken;
        TRY(remote_keys_take(hs, e->value, e->key, answer, stream_id, &taken));
    }
    return ERR_NONE;
}

static enum err take(struct hs *hs, struct req *req, struct call *call, const struct json *body)
{
    const struct asking *asking = call->ctx;
    struct asked *asked = req->ctx;
    const struct json *answer = body;
    int64_t stream_id = 0;
    if (asking->is_devices) {
        answer = remote_keys_of_devices(call->a, json_key(json_first(asking->users)), body);
        stream_id = json_get_int(body, "stream_id", 0);
    }
    TRY(keep(hs, asking, answer, stream_id));
    merge(req, asking, json_get_object(answer, asked->question->member), asked->found);
    if (asking->is_devices) {
        pick_devices(asking, asked->found);
    }
    return merge_cross_keys(hs, req, asking, answer);
}

static void fail(struct asked *asked, struct str server, int status, const char *why)
{
    struct json *failure = json_put_object(asked->failures, server);
    json_put_int(failure, "status", status);
    json_put_text(failure, "message", str_of(why));
}

static enum err ask_users(struct hs *hs, struct req *req, struct str server,
                          const struct json *users);

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
        TRY(take(hs, req, call, body));
    } else if (asking->is_devices && status != 0) {
        TRY(ask_users(hs, req, call->server, asking->users)); /* perhaps it tells that way */
    } else {
        fail(asked, call->server, status, why);
    }
    asked->waiting--;
    if (asked->waiting > 0) {
        return ERR_NONE;
    }
    TRY(finish(req, asked));
    return gate_finish(hs, req);
}

static struct call *call_about(struct hs *hs, struct req *req, struct str server)
{
    struct call *call = call_new(hs, server, answered);
    struct asking *asking = ARENA_NEW(call->a, struct asking);
    asking->request = req->id;
    asking->users = json_object(call->a);
    map_init_in(&asking->lists, call->a);
    call->ctx = asking;
    return call;
}

static void add_user(struct call *call, const struct json *user, const struct remote_keys *keys)
{
    struct asking *asking = call->ctx;
    json_put(asking->users, json_key(user), json_copy(call->a, user));
    if (keys->list != 0) {
        struct remote_keys *copy = ARENA_NEW(call->a, struct remote_keys);
        *copy = *keys;
        map_put(&asking->lists, arena_str(call->a, json_key(user)), copy);
    }
}

static int64_t time_left(const struct hs *hs, const struct asked *asked)
{
    int64_t left_ms = asked->until_ms - hs->now.mono_ms;
    return left_ms < 1000 ? 1000 : left_ms;
}

/* All that is told of one user, with the stream_id by which the next change is known to follow. */
static enum err ask_devices(struct hs *hs, struct req *req, struct str server,
                            const struct json *user, const struct remote_keys *keys)
{
    struct asked *asked = req->ctx;
    struct call *call = call_about(hs, req, server);
    struct asking *asking = call->ctx;
    asking->is_devices = true;
    add_user(call, user, keys);
    struct str path = arena_fmt(call->a, "/_matrix/federation/v1/user/devices/%.*s",
                                STR_ARG(percent_write(call->a, json_key(user))));
    TRY(call_send(hs, call, "GET", path, NULL, time_left(hs, asked)));
    asked->waiting++;
    asked->devices++;
    return ERR_NONE;
}

/* The question as it came. Only who is asked for whole may be kept. */
static enum err ask_users(struct hs *hs, struct req *req, struct str server,
                          const struct json *users)
{
    struct asked *asked = req->ctx;
    struct call *call = call_about(hs, req, server);
    const struct asking *asking = call->ctx;
    for (const struct json *x = json_first(users); x != NULL; x = json_next(x)) {
        struct remote_keys keys = {0};
        if (asked->question->is_kept && json_count(x) == 0) {
            enum err err = remote_keys_open(hs, json_key(x), &keys);
            if (err != ERR_NONE) {
                arena_free(call->a);
                return err;
            }
        }
        add_user(call, x, &keys);
    }
    struct json *body = json_object(call->a);
    json_put(body, str_of(asked->question->member), json_copy(call->a, asking->users));
    TRY(call_send(hs, call, "POST", str_of(asked->question->path), body, time_left(hs, asked)));
    asked->waiting++;
    return ERR_NONE;
}

static enum err ask_server(struct hs *hs, struct req *req, struct str server,
                           const struct json *users)
{
    struct asked *asked = req->ctx;
    struct json *rest = json_object(req->a);
    size_t n = 0;
    if (!call_is_possible(hs, server) || asked->waiting >= CALLS_MAX) {
        fail(asked, server, 0, "this server cannot be reached");
        return ERR_NONE;
    }
    for (const struct json *x = json_first(users); x != NULL; x = json_next(x)) {
        struct remote_keys keys = {0};
        if (asked->question->is_kept && n < DEVICES_OF_SERVER_MAX &&
            asked->devices < DEVICES_ASKED_MAX) {
            TRY(remote_keys_open(hs, json_key(x), &keys));
        }
        if (keys.list == 0) {
            json_put(rest, json_key(x), json_copy(req->a, x));
        } else {
            TRY(ask_devices(hs, req, server, x, &keys));
            n++;
        }
    }
    return json_count(rest) == 0 ? ERR_NONE : ask_users(hs, req, server, rest);
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

/* Is it known here what the user's server would answer? */
static enum err is_known(struct hs *hs, const struct question *question, struct str user_id,
                         bool *known)
{
    struct remote_keys keys;
    *known = hs_is_ours(hs, user_id);
    if (*known || !question->is_kept) {
        return ERR_NONE;
    }
    TRY(remote_keys_find(hs, user_id, &keys));
    *known = keys.list != 0 && !keys.is_stale;
    return ERR_NONE;
}

static struct asked *asked_new(const struct hs *hs, struct req *req,
                               const struct question *question)
{
    struct asked *asked = ARENA_NEW(req->a, struct asked);
    int64_t timeout_ms = json_get_int(req->body, "timeout", TIMEOUT_DEFAULT_MS);
    timeout_ms = timeout_ms < TIMEOUT_MAX_MS ? timeout_ms : TIMEOUT_MAX_MS;
    asked->question = question;
    asked->until_ms = hs->now.mono_ms + timeout_ms;
    asked->out = json_object(req->a);
    asked->found = json_put_object(asked->out, str_of(question->member));
    asked->failures = json_put_object(asked->out, STR("failures"));
    return asked;
}

static enum err ask_all(struct hs *hs, struct req *req, const struct question *question)
{
    struct asked *asked = asked_new(hs, req, question);
    struct map servers;
    req->ctx = asked;
    map_init_in(&servers, req->a);
    const struct json *wanted = json_get(req->body, str_of(question->member));
    for (const struct json *x = json_first(wanted); x != NULL; x = json_next(x)) {
        bool known;
        if (!mxid_is_user(json_key(x))) {
            continue;
        }
        TRY(is_known(hs, question, json_key(x), &known));
        if (known) {
            TRY(question->local(hs, req, x, asked->found));
        } else {
            struct str server = mxid_server(json_key(x));
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
    static const struct question question = {
        "device_keys", "/_matrix/federation/v1/user/keys/query", query_local, true};
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
    return one_time_keys_claim(hs, req->a, user, found);
}

enum err keys_claim_post(struct hs *hs, struct req *req)
{
    static const struct question question = {
        "one_time_keys", "/_matrix/federation/v1/user/keys/claim", claim_local, false};
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

/* Showing and vouching for keys. */
#include "fed/notary.h"

#include "base/encode.h"
#include "engine/call.h"
#include "engine/gate.h"
#include "engine/parked.h"
#include "engine/server_keys.h"
#include "event/seal.h"

enum {
    KEYS_VALID_MS = 24 * 60 * 60 * 1000,
    CALL_TIMEOUT_MS = 10000,
    WAIT_MS = CALL_TIMEOUT_MS + 1000,
    ASKED_MAX = 32,            /* servers, for one request */
    WAITING_MAX = 24,          /* requests that have others asked, of all; */
    WAITING_OF_ADDRESS_MAX = 4 /* the rest are told what is known */
};

static enum err own_keys(struct hs *hs, struct req *req, struct json *out)
{
    struct event_signer signer = hs_signer(hs);
    struct str key = base64_write(
        req->a, str_make(hs->identity.key.public_key, sizeof(hs->identity.key.public_key)));
    json_put_text(out, "server_name", hs->identity.server);
    json_put_int(out, "valid_until_ts", hs->now.unix_ms + KEYS_VALID_MS);
    struct json *keys = json_put_object(out, STR("verify_keys"));
    json_put_text(json_put_object(keys, hs->identity.key_id), "key", key);
    (void)json_put_object(out, STR("old_verify_keys"));
    return seal_json_sign(req->a, out, &signer);
}

enum err server_keys_get(struct hs *hs, struct req *req)
{
    struct json *out = json_object(req->a);
    TRY(own_keys(hs, req, out));
    return reply_json(req, out);
}

/* What the answers add up to; in the parked request's arena. */
struct notary {
    size_t open; /* answers still out */
    bool may_ask;
    struct json *out, *list;
};

/* In the call's arena. */
struct ask {
    uint64_t req;
    bool is_counted; /* an answer that fails is told a second time */
};

static enum err vouch(struct hs *hs, struct req *req, struct json *keys)
{
    const struct notary *notary = req->ctx;
    struct event_signer signer = hs_signer(hs);
    TRY(seal_json_sign(req->a, keys, &signer));
    json_push(notary->list, keys);
    return ERR_NONE;
}

static enum err on_keys(struct hs *hs, struct call *call, int status, struct json *body,
                        const char *why)
{
    struct ask *ask = call->ctx;
    struct req *req = gate_find(hs, ask->req);
    struct json *last;
    bool is_first = !ask->is_counted;
    (void)why;
    if (req == NULL) {
        return ERR_NONE;
    }
    struct notary *notary = req->ctx;
    notary->open -= is_first;
    ask->is_counted = true;
    if (status == 200 && server_keys_are_of(call->a, body, call->server)) {
        TRY(vouch(hs, req, json_copy(req->a, body)));
    } else if (is_first) {
        TRY(server_keys_told(hs, req->a, call->server, &last));
        TRY(last == NULL ? ERR_NONE : vouch(hs, req, last));
    }
    if (notary->open > 0) {
        return ERR_NONE;
    }
    (void)reply_json(req, notary->out);
    return gate_finish(hs, req);
}

/* Whoever has not answered by now does without. */
static enum err finish(struct hs *hs, struct req *req, bool is_time_up)
{
    const struct notary *notary = req->ctx;
    (void)hs;
    (void)is_time_up;
    return reply_json(req, notary->out);
}

static void notary_begin(struct hs *hs, struct req *req)
{
    struct notary *notary = ARENA_NEW(req->a, struct notary);
    size_t of_address;
    size_t waiting = parked_waiting(hs->parked, finish, req->address, &of_address);
    notary->may_ask = waiting < WAITING_MAX && of_address < WAITING_OF_ADDRESS_MAX;
    notary->out = json_object(req->a);
    notary->list = json_put_array(notary->out, STR("server_keys"));
    req->ctx = notary;
}

/* What the server told before is told on, if it holds at the time that is asked for; else the
 * server is asked. */
static enum err add(struct hs *hs, struct req *req, struct str server, int64_t at_ms)
{
    struct notary *notary = req->ctx;
    struct json *told;
    if (str_eq(server, hs->identity.server)) {
        return own_keys(hs, req, json_push_object(notary->list));
    }
    TRY(server_keys_told(hs, req->a, server, &told));
    bool may_ask = call_is_possible(hs, server) && notary->may_ask && notary->open < ASKED_MAX;
    if (told != NULL && (!may_ask || json_get_int(told, "valid_until_ts", 0) > at_ms)) {
        return vouch(hs, req, told);
    }
    if (!may_ask) {
        return ERR_NONE;
    }
    struct call *call = call_new(hs, server, on_keys);
    struct ask *ask = ARENA_NEW(call->a, struct ask);
    ask->req = req->id;
    call->ctx = ask;
    notary->open++;
    return call_send(hs, call, "GET", STR("/_matrix/key/v2/server"), NULL, CALL_TIMEOUT_MS);
}

static enum err answer(struct hs *hs, struct req *req)
{
    const struct notary *notary = req->ctx;
    return notary->open > 0 ? req_park(req, finish, hs->now.mono_ms + WAIT_MS, false)
                            : reply_json(req, notary->out);
}

/* The greatest minimum_valid_until_ts of the keys asked for; now without one. */
static int64_t latest_asked(const struct hs *hs, const struct json *keys)
{
    int64_t at_ms = 0;
    for (const struct json *k = json_first(keys); k != NULL; k = json_next(k)) {
        int64_t asked_ms = json_get_int(k, "minimum_valid_until_ts", hs->now.unix_ms);
        at_ms = asked_ms > at_ms ? asked_ms : at_ms;
    }
    return at_ms > 0 ? at_ms : hs->now.unix_ms;
}

enum err server_keys_of_get(struct hs *hs, struct req *req)
{
    notary_begin(hs, req);
    int64_t at_ms = req_query_int(req, "minimum_valid_until_ts", hs->now.unix_ms);
    TRY(add(hs, req, req->params[0], at_ms));
    return answer(hs, req);
}

enum err server_keys_post(struct hs *hs, struct req *req)
{
    const struct json *wanted = json_get_object(req->body, "server_keys");
    notary_begin(hs, req);
    for (const struct json *x = json_first(wanted); x != NULL; x = json_next(x)) {
        TRY(add(hs, req, json_key(x), latest_asked(hs, x)));
    }
    return answer(hs, req);
}

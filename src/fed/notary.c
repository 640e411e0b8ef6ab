/* Showing and vouching for keys. */
#include "fed/notary.h"

#include "base/encode.h"
#include "engine/call.h"
#include "engine/gate.h"
#include "engine/server_keys.h"
#include "event/seal.h"

enum { KEYS_VALID_MS = 24 * 60 * 60 * 1000, CALL_TIMEOUT_MS = 10000, ASKED_MAX = 32 };

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
    struct json *out, *list;
};

/* In the call's arena. */
struct ask {
    uint64_t req;
    bool is_counted; /* an answer that fails is told a second time */
};

static enum err on_keys(struct hs *hs, struct call *call, int status, struct json *body,
                        const char *why)
{
    struct ask *ask = call->ctx;
    struct req *req = gate_find(hs, ask->req);
    struct event_signer signer = hs_signer(hs);
    (void)why;
    if (req == NULL) {
        return ERR_NONE;
    }
    struct notary *notary = req->ctx;
    notary->open -= !ask->is_counted;
    ask->is_counted = true;
    if (status == 200 && server_keys_are_of(call->a, body, call->server)) {
        struct json *keys = json_copy(req->a, body);
        TRY(seal_json_sign(req->a, keys, &signer));
        json_push(notary->list, keys);
    }
    if (notary->open > 0) {
        return ERR_NONE;
    }
    (void)reply_json(req, notary->out);
    return gate_finish(hs, req);
}

static struct notary *notary_new(struct req *req)
{
    struct notary *notary = ARENA_NEW(req->a, struct notary);
    notary->out = json_object(req->a);
    notary->list = json_put_array(notary->out, STR("server_keys"));
    req->ctx = notary;
    return notary;
}

static enum err add(struct hs *hs, struct req *req, struct str server)
{
    struct notary *notary = req->ctx;
    if (str_eq(server, hs->identity.server)) {
        return own_keys(hs, req, json_push_object(notary->list));
    }
    if (!call_is_possible(hs, server) || notary->open == ASKED_MAX) {
        return ERR_NONE;
    }
    struct call *call = call_new(hs, server, on_keys);
    struct ask *ask = ARENA_NEW(call->a, struct ask);
    ask->req = req->id;
    call->ctx = ask;
    notary->open++;
    return call_send(hs, call, "GET", STR("/_matrix/key/v2/server"), NULL, CALL_TIMEOUT_MS);
}

static enum err answer(struct req *req)
{
    const struct notary *notary = req->ctx;
    return notary->open > 0 ? req_park(req, NULL, -1, false) : reply_json(req, notary->out);
}

enum err server_keys_of_get(struct hs *hs, struct req *req)
{
    (void)notary_new(req);
    TRY(add(hs, req, req->params[0]));
    return answer(req);
}

enum err server_keys_post(struct hs *hs, struct req *req)
{
    const struct json *wanted = json_get_object(req->body, "server_keys");
    (void)notary_new(req);
    for (const struct json *x = json_first(wanted); x != NULL; x = json_next(x)) {
        TRY(add(hs, req, json_key(x)));
    }
    return answer(req);
}

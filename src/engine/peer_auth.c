/* The X-Matrix header of a peer's request. */
#include "engine/peer_auth.h"

#include "engine/server_keys.h"
#include "event/mxid.h"
#include "event/seal.h"

struct x_matrix {
    struct str origin, destination, key, sig;
};

/* Parameters "name=value" or "name="value"", separated by commas. */
static bool parse(struct str header, struct x_matrix *out)
{
    struct str scheme = STR("X-Matrix ");
    if (header.n < scheme.n || !str_eq_nocase(str_sub(header, 0, scheme.n), scheme)) {
        return false;
    }
    struct str rest = str_from(header, scheme.n);
    while (rest.n > 0) {
        struct str pair = rest;
        struct str name;
        struct str value;
        if (!str_cut(rest, ',', &pair, &rest)) {
            rest.n = 0;
        }
        if (!str_cut(str_trim(pair), '=', &name, &value)) {
            return false;
        }
        if (value.n >= 2 && value.p[0] == '"' && value.p[value.n - 1] == '"') {
            value = str_sub(value, 1, value.n - 2);
        }
        if (str_eq_nocase(name, STR("origin"))) {
            out->origin = value;
        } else if (str_eq_nocase(name, STR("destination"))) {
            out->destination = value;
        } else if (str_eq_nocase(name, STR("key"))) {
            out->key = value;
        } else if (str_eq_nocase(name, STR("sig"))) {
            out->sig = value;
        }
    }
    return out->origin.n > 0 && out->key.n > 0 && out->sig.n > 0;
}

static enum err check_signature(struct hs *hs, struct req *req, const struct x_matrix *x,
                                struct str destination)
{
    uint8_t key[SIGN_PUBLIC_SIZE];
    TRY(server_key_find(hs, x->origin, x->key, hs->now.unix_ms, key));
    struct seal_request request = {req->head->method_text, req->head->target, destination,
                                   str_is_empty(req->body_text) ? NULL : req->body};
    struct seal_request_claim claim = {x->origin, x->key, x->sig};
    return seal_request_check(req->a, &request, &claim, key);
}

enum err peer_auth_check(struct hs *hs, struct req *req)
{
    struct x_matrix x = {0};
    struct str header = http_header(req->head, STR("authorization"));
    if (!parse(header, &x)) {
        return reply_error(req, 401, "M_UNAUTHORIZED", "this wants an X-Matrix authorization");
    }
    if (req->door == DOOR_PEER && !str_eq(x.origin, req->origin)) {
        return reply_error(req, 401, "M_UNAUTHORIZED",
                           "the origin is not the peer at the other end of this connection");
    }
    if (!mxid_is_server(x.origin)) {
        return reply_error(req, 400, "M_INVALID_PARAM", "the origin is not the name of a server");
    }
    if (req->door == DOOR_SERVER && mxid_is_peer(x.origin, NULL)) {
        return reply_error(req, 401, "M_UNAUTHORIZED",
                           "the origin is not the name of a server on the web");
    }
    if (x.destination.n > 0 && !str_eq(x.destination, hs->identity.server)) {
        return reply_error(req, 401, "M_UNAUTHORIZED", "the destination is another server");
    }
    enum err err = check_signature(hs, req, &x, hs->identity.server);
    if (err == ERR_REFUSED || err == ERR_ABSENT || err == ERR_SYNTAX) {
        return reply_error(req, 401, "M_UNAUTHORIZED", "the signature does not fit the request");
    }
    TRY(err);
    if (req->door == DOOR_SERVER) {
        req->origin = x.origin;
    }
    return store_name(hs->store, req->origin, &req->origin_name);
}

bool peer_auth_signer(const struct req *req, struct str *server, struct str *key_id)
{
    struct x_matrix x = {0};
    bool is_named = parse(http_header(req->head, STR("authorization")), &x);
    *server = x.origin;
    *key_id = x.key;
    return is_named;
}

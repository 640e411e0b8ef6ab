/* Login, logout, and who one is. */
#include "client/login.h"

#include "client/uia.h"
#include "engine/admission.h"
#include "engine/auth_token.h"
#include "engine/device_lists.h"
#include "event/mxid.h"

enum { DEVICE_ID_LENGTH = 10 };

enum err login_get(struct hs *hs, struct req *req)
{
    (void)hs;
    struct json *body = json_object(req->a);
    struct json *flows = json_put_array(body, STR("flows"));
    json_put_text(json_push_object(flows), "type", STR("m.login.password"));
    struct json *by_token = json_push_object(flows);
    json_put_text(by_token, "type", STR("m.login.token"));
    json_put_bool(by_token, "get_login_token", true);
    return reply_json(req, body);
}

enum err login_device(struct hs *hs, struct req *req, int64_t user, struct str user_id,
                      struct json *out)
{
    struct str device_id = json_get_text(req->body, "device_id");
    struct str name = json_get_text(req->body, "initial_device_display_name");
    struct query q;
    if (str_is_empty(device_id)) {
        device_id = hs_random_text(hs, req->a, DEVICE_ID_LENGTH);
    }
    enum err err = query_one(&q, hs->store, STMT_DEVICE_GET, "it", user, device_id);
    if (err == ERR_ABSENT) {
        TRY(store_run(hs->store, STMT_DEVICE_PUT, "ittit", user, device_id, name, hs->now.unix_ms,
                      str_is_empty(req->address) ? STR_ABSENT : req->address));
        TRY(device_list_changed(hs, user, user_id, device_id)); /* it is seen before it has keys */
    } else {
        TRY(err);
        TRY(query_end(&q));
        TRY(store_run(hs->store, STMT_TOKEN_DROP_DEVICE, "it", user, device_id));
        TRY(store_run(hs->store, STMT_SPECIAL_DROP_DEVICE, "it", user, device_id));
    }
    json_put_text(out, "user_id", user_id);
    TRY(auth_token_pair(hs, req->a, user, device_id,
                        json_get_bool(req->body, "refresh_token", false), out));
    json_put_text(out, "device_id", device_id);
    json_put_text(out, "home_server", hs->identity.server);
    return ERR_NONE;
}

/* A token of /login/get_token, once. */
static enum err login_by_token(struct hs *hs, struct req *req)
{
    struct special_token token;
    struct str user_id;
    struct str text = json_get_text(req->body, "token");
    if (text.p == NULL) {
        return reply_error(req, 400, "M_MISSING_PARAM", "this login wants a token");
    }
    enum err err = auth_special_find(hs, req->a, "login", text, &token);
    if (err == ERR_ABSENT) {
        return reply_forbidden(req, "this login token is not known, was used, or is too old");
    }
    TRY(err);
    TRY(store_run(hs->store, STMT_SPECIAL_DROP, "b", token.hash));
    TRY(store_name_text(hs->store, req->a, token.user, &user_id));
    struct json *out = json_object(req->a);
    TRY(login_device(hs, req, token.user, user_id, out));
    return reply_json(req, out);
}

enum err login_post(struct hs *hs, struct req *req)
{
    const struct json *identifier = json_get_object(req->body, "identifier");
    struct str named =
        identifier == NULL ? json_get_text(req->body, "user") : json_get_text(identifier, "user");
    struct str password = json_get_text(req->body, "password");
    bool fits = false;
    bool go;
    int64_t user = 0;
    if (str_eq(json_get_text(req->body, "type"), STR("m.login.token"))) {
        return login_by_token(hs, req);
    }
    if (!str_eq(json_get_text(req->body, "type"), STR("m.login.password"))) {
        return reply_error(req, 400, "M_UNKNOWN",
                           "the login types are m.login.password and m.login.token");
    }
    if (identifier != NULL && !str_eq(json_get_text(identifier, "type"), STR("m.id.user"))) {
        return reply_error(req, 400, "M_UNKNOWN", "the only identifier type is m.id.user");
    }
    if (str_is_absent(named) || str_is_absent(password)) {
        return reply_error(req, 400, "M_MISSING_PARAM", "a login wants a user and a password");
    }
    struct str user_id =
        named.n > 0 && named.p[0] == '@'
            ? named
            : arena_fmt(req->a, "@%.*s:%.*s", STR_ARG(named), STR_ARG(hs->identity.server));
    TRY(store_name_find(hs->store, user_id, &user));
    TRY(admission_trial(hs, req, user));
    if (req->reply.status != 0) {
        return ERR_NONE;
    }
    TRY(admission_password(hs, req, &go));
    if (!go) {
        return ERR_NONE;
    }
    TRY(uia_check_password(hs, req->a, user, password, &fits));
    if (!fits) {
        return reply_forbidden(req, "user or password do not fit");
    }
    struct json *out = json_object(req->a);
    TRY(login_device(hs, req, user, user_id, out));
    return reply_json(req, out);
}

enum err logout_post(struct hs *hs, struct req *req)
{
    TRY(store_run(hs->store, STMT_TOKEN_DROP, "b", req->token_hash));
    TRY(device_remove(hs, req->user, req->user_id, req->device_id));
    return reply_empty(req);
}

enum err logout_all_post(struct hs *hs, struct req *req)
{
    TRY(device_remove_all(hs, req->user, req->user_id, STR_ABSENT));
    return reply_empty(req);
}

enum err whoami_get(struct hs *hs, struct req *req)
{
    (void)hs;
    struct json *body = json_object(req->a);
    json_put_text(body, "user_id", req->user_id);
    json_put_text(body, "device_id", req->device_id);
    json_put_bool(body, "is_guest", req->is_guest);
    return reply_json(req, body);
}

enum err password_post(struct hs *hs, struct req *req)
{
    bool ok;
    uint8_t salt[PASSWORD_SALT_SIZE];
    struct str fresh = json_get_text(req->body, "new_password");
    TRY(uia_password(hs, req, &ok));
    if (!ok) {
        return ERR_NONE;
    }
    if (str_is_empty(fresh) || fresh.n > PASSWORD_MAX) {
        return reply_error(req, 400, "M_WEAK_PASSWORD", "a password has 1 to %d bytes",
                           PASSWORD_MAX);
    }
    hs_random(hs, salt, sizeof(salt));
    TRY(store_run(hs->store, STMT_ACCOUNT_PASSWORD, "ti",
                  password_hash(req->a, fresh, hs->settings.password_cost, salt), req->user));
    if (json_get_bool(req->body, "logout_devices", true)) {
        TRY(device_remove_all(hs, req->user, req->user_id, req->device_id));
    }
    return reply_empty(req);
}

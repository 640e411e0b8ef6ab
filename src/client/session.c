/* Refreshing, logging in another device, proving who one is to others, and going for good. */
#include "client/session.h"

#include "client/access.h"
#include "client/membership.h"
#include "client/uia.h"
#include "engine/auth_token.h"
#include "engine/device_lists.h"

enum { LOGIN_TOKEN_MS = 120 * 1000, OPENID_TOKEN_S = 3600 };

enum err refresh_post(struct hs *hs, struct req *req)
{
    struct special_token old;
    struct str refresh = json_get_text(req->body, "refresh_token");
    struct json *out = json_object(req->a);
    enum err err = auth_special_find(hs, req->a, "refresh", refresh, &old);
    if (err == ERR_ABSENT) {
        return reply_error(req, 401, "M_UNKNOWN_TOKEN",
                           "this refresh token is not known, or was used; log in");
    }
    TRY(err);
    /* The one that was used stays until its successor is used: this answer may be lost. */
    TRY(store_run(hs->store, STMT_SPECIAL_DROP_OTHERS, "itb", old.user, old.device_id, old.hash));
    TRY(store_run(hs->store, STMT_TOKEN_DROP_DEVICE, "it", old.user, old.device_id));
    TRY(auth_token_pair(hs, req->a, old.user, old.device_id, true, out));
    return reply_json(req, out);
}

enum err login_token_post(struct hs *hs, struct req *req)
{
    bool ok;
    struct str token;
    TRY(uia_password(hs, req, &ok));
    if (!ok) {
        return ERR_NONE;
    }
    TRY(auth_special_new(hs, req->a, "login", req->user, STR(""), LOGIN_TOKEN_MS, &token));
    struct json *out = json_object(req->a);
    json_put_text(out, "login_token", token);
    json_put_int(out, "expires_in_ms", LOGIN_TOKEN_MS);
    return reply_json(req, out);
}

enum err openid_post(struct hs *hs, struct req *req)
{
    struct str token;
    if (!access_is_self(req, 0)) {
        return reply_forbidden(req, "one can only speak for oneself");
    }
    TRY(auth_special_new(hs, req->a, "openid", req->user, req->device_id,
                         (int64_t)OPENID_TOKEN_S * 1000, &token));
    struct json *out = json_object(req->a);
    json_put_text(out, "access_token", token);
    json_put_text(out, "token_type", STR("Bearer"));
    json_put_text(out, "matrix_server_name", hs->identity.server);
    json_put_int(out, "expires_in", OPENID_TOKEN_S);
    return reply_json(req, out);
}

/* --- the end -------------------------------------------------------------------------------- */

/* A room that does not let the user leave keeps him: there is nobody to tell. */
static enum err leave_all(struct hs *hs, struct req *req, const char *membership)
{
    struct json *content = json_object(req->a);
    json_put_text(content, "membership", STR("leave"));
    return membership_everywhere(hs, req, membership, content);
}

enum err session_end(struct hs *hs, struct req *req, bool erase)
{
    static const enum stmt drops[] = {STMT_ACCOUNT_DATA_DROP_USER, STMT_BACKUP_DROP_USER,
                                      STMT_PUSHER_DROP_USER, STMT_PROFILE_FIELD_DROP_USER};
    TRY(leave_all(hs, req, "join"));
    TRY(leave_all(hs, req, "invite"));
    TRY(device_remove_all(hs, req->user, req->user_id, STR_ABSENT));
    TRY(store_run(hs->store, STMT_SPECIAL_DROP_USER, "i", req->user));
    TRY(store_run(hs->store, STMT_ACCOUNT_DEACTIVATE, "i", req->user));
    if (erase) {
        TRY(store_run(hs->store, STMT_PROFILE_PUT, "itt", req->user, STR_ABSENT, STR_ABSENT));
        for (size_t i = 0; i < COUNT_OF(drops); i++) {
            TRY(store_run(hs->store, drops[i], "i", req->user));
        }
    }
    hs_log(hs, LOG_INFO, "deactivated %.*s", STR_ARG(req->user_id));
    return ERR_NONE;
}

enum err deactivate_post(struct hs *hs, struct req *req)
{
    bool ok;
    TRY(uia_password(hs, req, &ok));
    if (!ok) {
        return ERR_NONE;
    }
    TRY(session_end(hs, req, json_get_bool(req->body, "erase", false)));
    struct json *out = json_object(req->a);
    json_put_text(out, "id_server_unbind_result", STR("success")); /* there are none to unbind */
    return reply_json(req, out);
}

/* --- who is that ---------------------------------------------------------------------------- */

enum err whois_get(struct hs *hs, struct req *req)
{
    struct query q;
    int64_t user;
    if (!access_is_self(req, 0) && !req->is_admin) {
        return reply_forbidden(req, "only administrators look at others");
    }
    TRY(store_name_find(hs->store, req->params[0], &user));
    struct json *out = json_object(req->a);
    json_put_text(out, "user_id", req->params[0]);
    struct json *devices = json_put_object(out, STR("devices"));
    query_start(&q, hs->store, STMT_DEVICE_LIST, "i", user);
    while (query_next(&q)) {
        struct json *device = json_put_object(devices, query_str(&q, req->a, 0));
        struct json *session = json_push_object(json_put_array(device, STR("sessions")));
        struct json *seen = json_push_object(json_put_array(session, STR("connections")));
        json_put_int(seen, "last_seen", query_int(&q, 2));
        json_put_text(seen, "ip", query_str(&q, req->a, 3));
    }
    TRY(query_end(&q));
    return reply_json(req, out);
}

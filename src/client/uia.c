/* One-stage authentication flows. */
#include "client/uia.h"

#include "engine/admission.h"

enum { SESSION_LENGTH = 24 };

static enum err ask(struct hs *hs, struct req *req, const char *stage, const char *why)
{
    struct str session = json_get_text(json_get_object(req->body, "auth"), "session");
    struct json *body = json_object(req->a);
    struct json *flows = json_put_array(body, STR("flows"));
    struct json *stages = json_put_array(json_push_object(flows), STR("stages"));
    json_push_text(stages, str_of(stage));
    (void)json_put_object(body, STR("params"));
    json_put_text(body, "session",
                  session.n > 0 ? session : hs_random_text(hs, req->a, SESSION_LENGTH));
    if (why != NULL) {
        json_put_text(body, "errcode", STR("M_FORBIDDEN"));
        json_put_text(body, "error", str_of(why));
    }
    req->reply.status = 401;
    req->reply.json = body;
    return ERR_NONE;
}

enum err uia_dummy(struct hs *hs, struct req *req, bool *ok)
{
    const struct json *auth = json_get_object(req->body, "auth");
    *ok = str_eq(json_get_text(auth, "type"), STR("m.login.dummy"));
    return *ok ? ERR_NONE : ask(hs, req, "m.login.dummy", NULL);
}

enum err uia_check_password(struct hs *hs, struct arena *a, int64_t user, struct str password,
                            bool *fits)
{
    struct str phc;
    bool outdated = false;
    *fits = false;
    TRY(store_get_str(hs->store, a, &phc, STMT_ACCOUNT_GET, "i", user));
    if (str_is_absent(phc) || password.n > PASSWORD_MAX) {
        static const uint8_t salt[PASSWORD_SALT_SIZE] = {0};
        (void)password_hash(a, str_sub(password, 0, PASSWORD_MAX), hs->settings.password_cost,
                            salt);
        return ERR_NONE;
    }
    enum err err = password_check(phc, password, hs->settings.password_cost, &outdated);
    if (err != ERR_NONE) {
        return err == ERR_REFUSED ? ERR_NONE : err;
    }
    *fits = true;
    if (outdated) {
        uint8_t salt[PASSWORD_SALT_SIZE];
        hs_random(hs, salt, sizeof(salt));
        struct str anew = password_hash(a, password, hs->settings.password_cost, salt);
        TRY(store_run(hs->store, STMT_ACCOUNT_PASSWORD, "ti", anew, user));
    }
    return ERR_NONE;
}

enum err uia_password(struct hs *hs, struct req *req, bool *ok)
{
    const struct json *auth = json_get_object(req->body, "auth");
    *ok = false;
    if (!str_eq(json_get_text(auth, "type"), STR("m.login.password"))) {
        return ask(hs, req, "m.login.password", NULL);
    }
    struct str named = json_get_text(json_get_object(auth, "identifier"), "user");
    named = str_is_absent(named) ? json_get_text(auth, "user") : named;
    bool is_self =
        str_is_absent(named) || str_eq(named, req->user_id) ||
        str_starts(str_from(req->user_id, 1), arena_join(req->a, named, STR(":"), STR("")));
    if (is_self) {
        bool go;
        TRY(admission_trial(hs, req, req->user));
        if (req->reply.status != 0) {
            return ERR_NONE;
        }
        TRY(admission_password(hs, req, &go));
        if (!go) {
            return ERR_NONE;
        }
        TRY(uia_check_password(hs, req->a, req->user, json_get_text(auth, "password"), ok));
    }
    return *ok ? ERR_NONE : ask(hs, req, "m.login.password", "the password does not fit");
}

/* Registration. */
#include "client/register.h"

#include "client/login.h"
#include "client/uia.h"
#include "engine/admission.h"
#include "engine/auth_token.h"
#include "engine/shared_secret.h"
#include "event/mxid.h"

enum { GENERATED_LENGTH = 12, NONCE_MS = 60 * 1000 };

/* *ok false: the name cannot be had, and the refusal is set. Asking leaves nothing in the store. */
static enum err check_name(struct hs *hs, struct req *req, struct str local, struct str *user_id,
                           bool *ok)
{
    struct query q;
    int64_t user;
    *ok = false;
    if (!mxid_is_new_local(local, hs->identity.server)) {
        return reply_error(req, 400, "M_INVALID_USERNAME",
                           "a username has only a-z, 0-9 and . _ = - / +");
    }
    *user_id = arena_fmt(req->a, "@%.*s:%.*s", STR_ARG(local), STR_ARG(hs->identity.server));
    TRY(store_name_find(hs->store, *user_id, &user));
    enum err err = query_one(&q, hs->store, STMT_ACCOUNT_GET, "i", user);
    *ok = err == ERR_ABSENT;
    if (*ok) {
        return ERR_NONE;
    }
    TRY(err);
    TRY(query_end(&q));
    return reply_error(req, 400, "M_USER_IN_USE", "this username is taken; choose another");
}

static struct str lower(struct arena *a, struct str text)
{
    char *out = arena_alloc(a, text.n + 1);
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        out[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    return str_make(out, text.n);
}

/* An account that is to be. */
struct account {
    struct str user_id, local, password; /* password: its hash; absent: none */
    int64_t user;                        /* of the guest who becomes it, 0: it is new */
    bool is_admin, is_guest;
};

struct str register_hash(struct hs *hs, struct arena *a, struct str password)
{
    uint8_t salt[PASSWORD_SALT_SIZE];
    hs_random(hs, salt, sizeof(salt));
    return password_hash(a, password, hs->settings.password_cost, salt);
}

static enum err make(struct hs *hs, struct account *account)
{
    if (account->user != 0) {
        return store_run(hs->store, STMT_ACCOUNT_UPGRADE, "ti", account->password, account->user);
    }
    TRY(store_name(hs->store, account->user_id, &account->user));
    TRY(store_run(hs->store, STMT_ACCOUNT_PUT, "itiii", account->user, account->password,
                  hs->now.unix_ms, (int64_t)account->is_admin, (int64_t)account->is_guest));
    return store_run(hs->store, STMT_PROFILE_PUT, "itt", account->user, account->local, STR_ABSENT);
}

static enum err register_guest(struct hs *hs, struct req *req)
{
    struct account account = {.is_guest = true};
    bool ok;
    if (!hs->settings.guests) {
        return reply_error(req, 403, "M_GUEST_ACCESS_FORBIDDEN", "there are no guests here");
    }
    account.local = lower(req->a, hs_random_text(hs, req->a, GENERATED_LENGTH));
    TRY(check_name(hs, req, account.local, &account.user_id, &ok));
    if (!ok) {
        return ERR_NONE;
    }
    TRY(make(hs, &account));
    struct json *out = json_object(req->a);
    TRY(login_device(hs, req, account.user, account.user_id, out));
    return reply_json(req, out);
}

/* The name that is asked for, or that of the guest who wants to keep his own. *ok false: it cannot
 * be had, and the refusal is set. */
static enum err find_name(struct hs *hs, struct req *req, struct account *account, bool *ok)
{
    struct str username = json_get_text(req->body, "username");
    struct str guest_token = json_get_text(req->body, "guest_access_token");
    *ok = false;
    if (str_is_absent(guest_token)) {
        username =
            str_is_absent(username) ? hs_random_text(hs, req->a, GENERATED_LENGTH) : username;
        account->local = lower(req->a, username);
        return check_name(hs, req, account->local, &account->user_id, ok);
    }
    enum err err = auth_guest_find(hs, req->a, guest_token, &account->user, &account->user_id);
    if (err == ERR_ABSENT) {
        return reply_forbidden(req, "'guest_access_token' is no guest's token");
    }
    TRY(err);
    account->local = mxid_local(account->user_id);
    *ok = str_is_absent(username) || str_eq(lower(req->a, username), account->local);
    return *ok ? ERR_NONE : reply_forbidden(req, "a guest keeps the name that he has");
}

static enum err reply_account(struct hs *hs, struct req *req, const struct account *account)
{
    struct json *out = json_object(req->a);
    if (json_get_bool(req->body, "inhibit_login", false)) {
        json_put_text(out, "user_id", account->user_id);
        json_put_text(out, "home_server", hs->identity.server);
    } else {
        TRY(login_device(hs, req, account->user, account->user_id, out));
    }
    hs_log(hs, LOG_INFO, "registered %.*s", STR_ARG(account->user_id));
    return reply_json(req, out);
}

/* What later requests of a session need not repeat; the password is remembered as its hash. */
static struct json *remembered(struct req *req)
{
    static const char *const keys[] = {"username", "device_id", "initial_device_display_name",
                                       "inhibit_login", "refresh_token"};
    struct json *params = json_object(req->a);
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        const struct json *value = json_get(req->body, str_of(keys[i]));
        if (value != NULL) {
            json_put(params, str_of(keys[i]), json_copy(req->a, value));
        }
    }
    return params;
}

/* account->password: of the request, or of the session; absent: neither. *ok false: a refusal is
 * set, or the request waits. */
static enum err find_password(struct hs *hs, struct req *req, const struct uia_session *session,
                              struct account *account, bool *ok)
{
    struct str password = json_get_text(req->body, "password");
    *ok = false;
    if (password.n > PASSWORD_MAX || (password.p != NULL && password.n == 0)) {
        return reply_error(req, 400, "M_WEAK_PASSWORD", "a password has 1 to %d bytes",
                           PASSWORD_MAX);
    }
    account->password = session->password;
    if (password.p == NULL) {
        *ok = true;
        return ERR_NONE;
    }
    TRY(admission_password(hs, req, ok));
    if (*ok) {
        account->password = register_hash(hs, req->a, password);
    }
    return ERR_NONE;
}

/* The lost answer once more: the session has made its account. */
static enum err repeat(struct hs *hs, struct req *req, const struct uia_session *session)
{
    struct account account = {.user = session->made};
    struct str username = json_get_text(req->body, "username");
    TRY(store_name_text(hs->store, req->a, account.user, &account.user_id));
    if (username.p != NULL && !str_eq(lower(req->a, username), mxid_local(account.user_id))) {
        return reply_forbidden(req, "this session has made its account; begin without one");
    }
    return reply_account(hs, req, &account);
}

static enum err register_user(struct hs *hs, struct req *req, struct uia_session *session)
{
    struct account account = {0};
    bool ok;
    TRY(find_name(hs, req, &account, &ok));
    if (!ok) {
        return ERR_NONE;
    }
    TRY(find_password(hs, req, session, &account, &ok));
    if (!ok) {
        return ERR_NONE;
    }
    session->params = remembered(req);
    session->password = account.password;
    if (json_str(req->a, session->params).n > AUTH_PARAMS_MAX) {
        return reply_error(req, 400, "M_INVALID_PARAM", "the parameters are too long");
    }
    TRY(uia_step(hs, req, session, hs->settings.registration_tokens ? UIA_TOKEN : UIA_DUMMY, &ok));
    if (!ok) {
        return ERR_NONE;
    }
    if (str_is_absent(account.password)) {
        req->reply.keep = session->id.n > 0; /* there the stage stays passed */
        return reply_error(req, 400, "M_MISSING_PARAM", "the body lacks 'password'");
    }
    TRY(make(hs, &account));
    TRY(uia_made(hs, session, account.user));
    return reply_account(hs, req, &account);
}

enum err register_post(struct hs *hs, struct req *req)
{
    struct uia_session session;
    struct str kind = req_query(req, "kind");
    bool ok;
    if (str_eq(kind, STR("guest"))) {
        return register_guest(hs, req);
    }
    if (kind.p != NULL && !str_eq(kind, STR("user"))) {
        return reply_error(req, 400, "M_INVALID_PARAM", "'kind' is user or guest");
    }
    TRY(uia_recall(hs, req, &session, &ok));
    if (!ok) {
        return ERR_NONE;
    }
    return session.made != 0 ? repeat(hs, req, &session) : register_user(hs, req, &session);
}

enum err register_available_get(struct hs *hs, struct req *req)
{
    struct str user_id;
    bool ok;
    TRY(check_name(hs, req, req_query(req, "username"), &user_id, &ok));
    if (!ok) {
        return ERR_NONE;
    }
    struct json *out = json_object(req->a);
    json_put_bool(out, "available", true);
    return reply_json(req, out);
}

enum err registration_token_get(struct hs *hs, struct req *req)
{
    int64_t valid;
    struct str token = req_query(req, "token");
    if (token.p == NULL) {
        return reply_error(req, 400, "M_MISSING_PARAM", "the query lacks 'token'");
    }
    TRY(store_get_int(hs->store, &valid, 0, STMT_REGISTRATION_TOKEN_GET, "ti", token,
                      hs->now.unix_ms));
    struct json *out = json_object(req->a);
    json_put_bool(out, "valid", valid != 0);
    return reply_json(req, out);
}

/* --- by others ------------------------------------------------------------------------------ */

enum err register_account(struct hs *hs, struct req *req, const struct register_wish *wish,
                          int64_t *user, struct str *user_id)
{
    struct account account = {.local = lower(req->a, wish->username), .is_admin = wish->is_admin};
    bool ok;
    *user = 0;
    TRY(check_name(hs, req, account.local, &account.user_id, &ok));
    if (!ok) {
        return ERR_NONE;
    }
    if (wish->password.n == 0 || wish->password.n > PASSWORD_MAX) {
        return reply_error(req, 400, "M_WEAK_PASSWORD", "a password has 1 to %d bytes",
                           PASSWORD_MAX);
    }
    TRY(admission_password(hs, req, &ok));
    if (!ok) {
        return ERR_NONE;
    }
    account.password = register_hash(hs, req->a, wish->password);
    TRY(make(hs, &account));
    *user = account.user;
    *user_id = account.user_id;
    return ERR_NONE;
}

/* --- by shared secret ------------------------------------------------------------------------- */

static enum err no_secret(struct req *req)
{
    return reply_error(req, 400, "M_UNKNOWN", "registration by a shared secret is off");
}

enum err register_nonce_get(struct hs *hs, struct req *req)
{
    struct str nonce;
    if (str_is_empty(hs->settings.registration_secret)) {
        return no_secret(req);
    }
    TRY(auth_special_new(hs, req->a, "nonce", 0, STR(""), NONCE_MS, &nonce));
    struct json *out = json_object(req->a);
    json_put_text(out, "nonce", nonce);
    return reply_json(req, out);
}

/* The nonce and the proof; *ok false: the refusal is set. */
static enum err check_claim(struct hs *hs, struct req *req, const struct secret_claim *claim,
                            struct special_token *nonce, bool *ok)
{
    *ok = false;
    if (str_is_empty(hs->settings.registration_secret)) {
        return no_secret(req);
    }
    enum err err = auth_special_find(hs, req->a, "nonce", claim->nonce, nonce);
    if (err == ERR_ABSENT) {
        return reply_error(req, 400, "M_UNKNOWN", "this nonce is not known, or was used");
    }
    TRY(err);
    if (!shared_secret_fits(hs, req->a, claim)) {
        return reply_forbidden(req, "the mac does not fit the secret");
    }
    *ok = true;
    return ERR_NONE;
}

enum err register_secret_post(struct hs *hs, struct req *req)
{
    struct secret_claim claim = {.nonce = json_get_text(req->body, "nonce"),
                                 .username = json_get_text(req->body, "username"),
                                 .password = json_get_text(req->body, "password"),
                                 .is_admin = json_get_bool(req->body, "admin", false),
                                 .mac = json_get_text(req->body, "mac")};
    struct special_token nonce;
    struct str user_id;
    int64_t user;
    bool ok;
    TRY(check_claim(hs, req, &claim, &nonce, &ok));
    if (!ok) {
        return ERR_NONE;
    }
    struct register_wish wish = {claim.username, claim.password, claim.is_admin};
    TRY(register_account(hs, req, &wish, &user, &user_id));
    if (user == 0) {
        return ERR_NONE;
    }
    TRY(store_run(hs->store, STMT_SPECIAL_DROP, "b", nonce.hash));
    struct json *out = json_object(req->a);
    TRY(login_device(hs, req, user, user_id, out));
    hs_log(hs, LOG_INFO, "registered %.*s by the shared secret", STR_ARG(user_id));
    return reply_json(req, out);
}

/* Stages and sessions. A stage is a row: its type and what passes it. */
#include "client/uia.h"

#include "engine/admission.h"

enum { SESSION_LENGTH = 24, SESSION_MS = 60 * 60 * 1000, MADE_MS = 5 * 60 * 1000 };

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

/* --- stages --------------------------------------------------------------------------------- */

static enum err pass_dummy(struct hs *hs, struct req *req, const struct json *auth, bool *ok)
{
    (void)hs;
    (void)req;
    (void)auth;
    *ok = true;
    return ERR_NONE;
}

/* A use is counted here: whoever passed may finish, whatever others do meanwhile. */
static enum err pass_token(struct hs *hs, struct req *req, const struct json *auth, bool *ok)
{
    (void)req;
    TRY(store_run(hs->store, STMT_REGISTRATION_TOKEN_USE, "ti", json_get_text(auth, "token"),
                  hs->now.unix_ms));
    *ok = store_changes(hs->store) == 1;
    return ERR_NONE;
}

static enum err pass_password(struct hs *hs, struct req *req, const struct json *auth, bool *ok)
{
    struct str named = json_get_text(json_get_object(auth, "identifier"), "user");
    named = str_is_absent(named) ? json_get_text(auth, "user") : named;
    bool is_self =
        str_is_absent(named) || str_eq(named, req->user_id) ||
        str_eq(arena_fmt(req->a, "@%.*s:%.*s", STR_ARG(named), STR_ARG(hs->identity.server)),
               req->user_id);
    bool go;
    if (!is_self) {
        return reply_forbidden(req, "one can only prove to be oneself");
    }
    TRY(admission_trial(hs, req, req->user));
    if (req->reply.status != 0) {
        return ERR_NONE;
    }
    TRY(admission_password(hs, req, &go));
    return go ? uia_check_password(hs, req->a, req->user, json_get_text(auth, "password"), ok)
              : ERR_NONE;
}

static const struct stage {
    const char *type;
    const char *why; /* when it is not passed */
    enum err (*pass)(struct hs *hs, struct req *req, const struct json *auth, bool *ok);
} stages[] = {
    [UIA_DUMMY] = {"m.login.dummy", "", pass_dummy},
    [UIA_TOKEN] = {"m.login.registration_token",
                   "this registration token is not known, or has no uses left", pass_token},
    [UIA_PASSWORD] = {"m.login.password", "the password does not fit", pass_password},
};

/* --- sessions ------------------------------------------------------------------------------- */

static struct str operation_of(struct req *req)
{
    return arena_fmt(req->a, "%.*s %.*s", STR_ARG(req->head->method_text),
                     STR_ARG(req->head->path));
}

static enum err put_missing(struct req *req, struct str params)
{
    struct json *said;
    TRY(json_parse(req->a, params, &said, NULL) == ERR_NONE ? ERR_NONE : ERR_CORRUPT);
    for (const struct json *x = json_first(said); x != NULL; x = json_next(x)) {
        if (json_get(req->body, json_key(x)) == NULL) {
            json_put(req->body, json_key(x), json_copy(req->a, x));
        }
    }
    return ERR_NONE;
}

enum err uia_recall(struct hs *hs, struct req *req, struct uia_session *session, bool *ok)
{
    struct query q;
    struct str id = json_get_text(json_get_object(req->body, "auth"), "session");
    *session = (struct uia_session){.password = STR_ABSENT};
    *ok = true;
    enum err err = id.n == 0
                       ? ERR_ABSENT
                       : query_one(&q, hs->store, STMT_AUTH_SESSION_GET, "ti", id, hs->now.unix_ms);
    if (err == ERR_ABSENT) {
        return ERR_NONE;
    }
    TRY(err);
    *ok = query_int(&q, 0) == req->user && str_eq(query_str(&q, req->a, 1), operation_of(req));
    struct str params = query_str(&q, req->a, 2);
    session->id = id;
    session->password = query_str(&q, req->a, 3);
    session->is_completed = query_int(&q, 4) != 0;
    session->made = query_int(&q, 5);
    TRY(query_end(&q));
    return *ok ? put_missing(req, params)
               : reply_forbidden(req, "this session is for another operation; begin without one");
}

static enum err session_begin(struct hs *hs, struct req *req, struct uia_session *session)
{
    struct str params = session->params == NULL ? STR("{}") : json_str(req->a, session->params);
    session->id = hs_random_text(hs, req->a, SESSION_LENGTH);
    TRY(store_run(hs->store, STMT_AUTH_SESSION_EXPIRE, "i", hs->now.unix_ms));
    TRY(store_run(hs->store, STMT_AUTH_SESSION_TRIM, "i", (int64_t)AUTH_SESSIONS_MAX - 1));
    return store_run(hs->store, STMT_AUTH_SESSION_PUT, "tittti", session->id, req->user,
                     operation_of(req), params, session->password, hs->now.unix_ms + SESSION_MS);
}

static enum err ask(struct hs *hs, struct req *req, struct uia_session *session,
                    enum uia_stage stage, const char *why)
{
    if (session->id.n == 0) {
        TRY(session_begin(hs, req, session));
    }
    struct json *body = json_object(req->a);
    struct json *flows = json_put_array(body, STR("flows"));
    json_push_text(json_put_array(json_push_object(flows), STR("stages")),
                   str_of(stages[stage].type));
    (void)json_put_object(body, STR("params"));
    (void)json_put_array(body, STR("completed"));
    json_put_text(body, "session", session->id);
    if (why != NULL) {
        json_put_text(body, "errcode", STR("M_FORBIDDEN"));
        json_put_text(body, "error", str_of(why));
    }
    req->reply.status = 401;
    req->reply.json = body;
    req->reply.keep = true; /* the session */
    return ERR_NONE;
}

enum err uia_step(struct hs *hs, struct req *req, struct uia_session *session, enum uia_stage stage,
                  bool *ok)
{
    const struct json *auth = json_get_object(req->body, "auth");
    *ok = session->is_completed;
    if (*ok) {
        return ERR_NONE;
    }
    if (!str_eq(json_get_text(auth, "type"), str_of(stages[stage].type))) {
        return ask(hs, req, session, stage, NULL);
    }
    TRY(stages[stage].pass(hs, req, auth, ok));
    if (*ok) {
        return store_run(hs->store, STMT_AUTH_SESSION_COMPLETE, "t", session->id);
    }
    bool is_answered = req->reply.status != 0 || req->reply.parked;
    return is_answered ? ERR_NONE : ask(hs, req, session, stage, stages[stage].why);
}

enum err uia_made(struct hs *hs, const struct uia_session *session, int64_t user)
{
    return store_run(hs->store, STMT_AUTH_SESSION_MADE, "iit", user, hs->now.unix_ms + MADE_MS,
                     session->id);
}

enum err uia_password(struct hs *hs, struct req *req, bool *ok)
{
    struct uia_session session;
    TRY(uia_recall(hs, req, &session, ok));
    if (!*ok) {
        return ERR_NONE;
    }
    TRY(uia_step(hs, req, &session, UIA_PASSWORD, ok));
    return *ok ? store_run(hs->store, STMT_AUTH_SESSION_DROP, "t", session.id) : ERR_NONE;
}

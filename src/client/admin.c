/* Orders are rows of a table, which is the help as well. An order about a user is carried out as
 * if that user asked. */
#include "client/admin.h"

#include "base/encode.h"
#include "client/register.h"
#include "client/session.h"
#include "engine/admission.h"
#include "engine/device_lists.h"

enum {
    WORDS_MAX = 4,
    PASSWORD_LENGTH = 20,
    TOKEN_LENGTH = 16,
    USES_MAX = 1000000,
    DAYS_MAX = 3650,
    DAY_MS = 24 * 60 * 60 * 1000,
};

struct order {
    struct str words[WORDS_MAX];
    size_t n;
    struct buf out;
};

static struct str word_at(const struct order *order, size_t i)
{
    return i < order->n ? order->words[i] : STR_ABSENT;
}

/* --- users ------------------------------------------------------------------------------------ */

/* The request becomes that of the account named. *ok false: the refusal is set. */
static enum err become(struct hs *hs, struct req *req, struct str name, bool *ok)
{
    struct query q;
    *ok = false;
    req->user_id = name.n > 0 && name.p[0] == '@' ? name
                                                  : arena_fmt(req->a, "@%.*s:%.*s", STR_ARG(name),
                                                              STR_ARG(hs->identity.server));
    TRY(store_name_find(hs->store, req->user_id, &req->user));
    enum err err = query_one(&q, hs->store, STMT_ACCOUNT_GET, "i", req->user);
    if (err == ERR_ABSENT) {
        return reply_not_found(req, "there is no such user here");
    }
    TRY(err);
    *ok = query_int(&q, 3) == 0;
    TRY(query_end(&q));
    return *ok ? ERR_NONE : reply_not_found(req, "this user is deactivated");
}

static enum err list_users(struct hs *hs, struct req *req, struct order *order)
{
    struct query q;
    struct str from = word_at(order, 1);
    query_start(&q, hs->store, STMT_ACCOUNT_LIST, "ti", str_is_absent(from) ? STR("") : from,
                (int64_t)ADMIN_LIST_MAX);
    while (query_next(&q)) {
        buf_add(&order->out, query_str(&q, req->a, 0));
        buf_add(&order->out, query_int(&q, 1) != 0 ? STR(" admin") : STR(""));
        buf_add(&order->out, query_int(&q, 2) != 0 ? STR(" guest") : STR(""));
        buf_add(&order->out, query_int(&q, 3) != 0 ? STR(" deactivated\n") : STR("\n"));
    }
    return query_end(&q);
}

static enum err create_user(struct hs *hs, struct req *req, struct order *order)
{
    struct register_wish wish = {.username = order->words[1],
                                 .password = hs_random_text(hs, req->a, PASSWORD_LENGTH),
                                 .is_admin = str_eq(word_at(order, 2), STR("admin"))};
    int64_t user;
    struct str user_id;
    if (order->n > 2 && !wish.is_admin) {
        return reply_error(req, 400, "M_INVALID_PARAM", "a user is made, or made an admin");
    }
    TRY(register_account(hs, req, &wish, &user, &user_id));
    if (user != 0) {
        buf_add_fmt(&order->out, "%.*s\npassword %.*s\n", STR_ARG(user_id), STR_ARG(wish.password));
    }
    return ERR_NONE;
}

static enum err reset_password(struct hs *hs, struct req *req, struct order *order)
{
    struct str password = hs_random_text(hs, req->a, PASSWORD_LENGTH);
    bool ok;
    TRY(become(hs, req, order->words[1], &ok));
    if (!ok) {
        return ERR_NONE;
    }
    TRY(admission_password(hs, req, &ok));
    if (!ok) {
        return ERR_NONE;
    }
    TRY(store_run(hs->store, STMT_ACCOUNT_PASSWORD, "ti", register_hash(hs, req->a, password),
                  req->user));
    TRY(device_remove_all(hs, req->user, req->user_id, STR_ABSENT));
    buf_add_fmt(&order->out, "%.*s\npassword %.*s\n", STR_ARG(req->user_id), STR_ARG(password));
    return ERR_NONE;
}

static enum err deactivate(struct hs *hs, struct req *req, struct order *order)
{
    bool ok;
    bool erase = str_eq(word_at(order, 2), STR("erase"));
    if (order->n > 2 && !erase) {
        return reply_error(req, 400, "M_INVALID_PARAM", "a user is deactivated, or erased as well");
    }
    TRY(become(hs, req, order->words[1], &ok));
    return ok ? session_end(hs, req, erase) : ERR_NONE;
}

static enum err set_admin(struct hs *hs, struct req *req, struct order *order)
{
    bool ok;
    bool is = str_eq(order->words[2], STR("yes"));
    if (!is && !str_eq(order->words[2], STR("no"))) {
        return reply_error(req, 400, "M_INVALID_PARAM", "a user is an admin: yes or no");
    }
    TRY(become(hs, req, order->words[1], &ok));
    return ok ? store_run(hs->store, STMT_ACCOUNT_ADMIN, "ii", (int64_t)is, req->user) : ERR_NONE;
}

/* --- registration tokens ---------------------------------------------------------------------- */

static enum err list_tokens(struct hs *hs, struct req *req, struct order *order)
{
    struct query q;
    struct str from = word_at(order, 1);
    query_start(&q, hs->store, STMT_REGISTRATION_TOKEN_LIST, "ti",
                str_is_absent(from) ? STR("") : from, (int64_t)ADMIN_LIST_MAX);
    while (query_next(&q)) {
        buf_add_fmt(&order->out, "%.*s used %lld", STR_ARG(query_str(&q, req->a, 0)),
                    (long long)query_int(&q, 1));
        if (!query_is_null(&q, 2)) {
            buf_add_fmt(&order->out, " of %lld", (long long)query_int(&q, 2));
        }
        if (!query_is_null(&q, 3)) {
            int64_t left_ms = query_int(&q, 3) - hs->now.unix_ms;
            if (left_ms > 0) {
                buf_add_fmt(&order->out, ", %lld days left",
                            (long long)((left_ms + DAY_MS - 1) / DAY_MS));
            } else {
                buf_add(&order->out, STR(", too old"));
            }
        }
        buf_add_char(&order->out, '\n');
    }
    return query_end(&q);
}

/* A word that may be left out, 0 then. False: it is no number from 1 to max. */
static bool count_at(const struct order *order, size_t i, int64_t max, int64_t *out)
{
    *out = 0;
    return i >= order->n || (str_to_i64(order->words[i], out) && *out >= 1 && *out <= max);
}

static enum err make_token(struct hs *hs, struct req *req, struct order *order)
{
    struct str token = hs_random_text(hs, req->a, TOKEN_LENGTH);
    int64_t uses, days;
    if (!count_at(order, 1, USES_MAX, &uses) || !count_at(order, 2, DAYS_MAX, &days)) {
        return reply_error(req, 400, "M_INVALID_PARAM",
                           "a token has 1 to %d uses and lives 1 to %d days", USES_MAX, DAYS_MAX);
    }
    TRY(store_run(hs->store, STMT_REGISTRATION_TOKEN_PUT, "tii", token, uses,
                  days == 0 ? 0 : hs->now.unix_ms + days * DAY_MS));
    buf_add_fmt(&order->out, "%.*s\n", STR_ARG(token));
    return ERR_NONE;
}

static enum err revoke_token(struct hs *hs, struct req *req, struct order *order)
{
    TRY(store_run(hs->store, STMT_REGISTRATION_TOKEN_DROP, "t", order->words[1]));
    return store_changes(hs->store) == 1 ? ERR_NONE
                                         : reply_not_found(req, "there is no such token");
}

/* --- the table -------------------------------------------------------------------------------- */

static enum err help(struct hs *hs, struct req *req, struct order *order);

/* clang-format off */
static const struct row {
    const char *word;
    size_t least, most; /* words, with its own */
    const char *usage;
    enum err (*run)(struct hs *hs, struct req *req, struct order *order);
} rows[] = {
    {"users",          1, 2, "users [AFTER]                all of them, 1000 at a time",           list_users},
    {"create-user",    2, 3, "create-user NAME [admin]     prints the password",                   create_user},
    {"reset-password", 2, 2, "reset-password NAME          prints it, and logs out everywhere",    reset_password},
    {"deactivate",     2, 3, "deactivate NAME [erase]      for good; erase: with what it kept",    deactivate},
    {"set-admin",      3, 3, "set-admin NAME yes|no        who may look at others' sessions",      set_admin},
    {"tokens",         1, 2, "tokens [AFTER]               those that registration may want",      list_tokens},
    {"make-token",     1, 3, "make-token [USES [DAYS]]     prints it; any number without",         make_token},
    {"revoke-token",   2, 2, "revoke-token TOKEN",                                                 revoke_token},
    {"help",           1, 1, "help",                                                               help},
};
/* clang-format on */

static enum err help(struct hs *hs, struct req *req, struct order *order)
{
    (void)hs;
    (void)req;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        buf_add_fmt(&order->out, "%s\n", rows[i].usage);
    }
    return ERR_NONE;
}

/* False: more words than any order has. */
static bool words_split(struct str body, struct order *order)
{
    order->n = 0;
    while (body.n > 0) {
        if (order->n == WORDS_MAX) {
            return false;
        }
        size_t end;
        if (!str_find(body, '\n', &end)) {
            end = body.n;
        }
        order->words[order->n] = str_sub(body, 0, end);
        order->n++;
        body = str_from(body, end + 1);
    }
    return true;
}

static enum err run(struct hs *hs, struct req *req, struct order *order)
{
    if (words_split(req->body_text, order)) {
        for (size_t i = 0; i < COUNT_OF(rows); i++) {
            const struct row *row = &rows[i];
            if (str_eq(word_at(order, 0), str_of(row->word)) && order->n >= row->least &&
                order->n <= row->most) {
                return row->run(hs, req, order);
            }
        }
    }
    return reply_error(req, 400, "M_UNRECOGNIZED", "there is no such order; see help");
}

enum err admin_post(struct hs *hs, struct req *req)
{
    struct order order = {.n = 0};
    buf_init_in(&order.out, req->a, HTTP_ANSWER_MAX);
    if (!utf8_is_valid(req->body_text)) {
        return reply_error(req, 400, "M_BAD_JSON", "the words are not UTF-8");
    }
    TRY(run(hs, req, &order));
    if (req->reply.parked) {
        return ERR_NONE;
    }
    if (req->reply.status >= 400) {
        buf_clear(&order.out);
        buf_add_fmt(&order.out, "%.*s\n", STR_ARG(json_get_text(req->reply.json, "error")));
    } else {
        hs_log(hs, LOG_INFO, "administered: %.*s", STR_ARG(order.words[0]));
        req->reply.status = 200;
    }
    req->reply.json = NULL;
    req->reply.text = buf_str(&order.out);
    req->reply.content_type = "text/plain; charset=utf-8";
    return ERR_NONE;
}

/* Display names and avatars, which spread into rooms, and what else users say of themselves. */
#include "client/profile.h"

#include "client/membership.h"
#include "engine/remote.h"
#include "engine/user_profile.h"
#include "event/mxid.h"

enum {
    PROFILE_VALUE_MAX = 1024,
    PROFILE_MAX = 64 * 1024, /* all custom fields */
    FIELD_NAME_MAX = 255,
    FIELDS_MAX = 1024, /* told of one user */
};

/* Those that rooms show. */
static bool is_shown(struct str field)
{
    return str_eq(field, STR("displayname")) || str_eq(field, STR("avatar_url"));
}

static bool is_word_start(char c)
{
    return c >= 'a' && c <= 'z';
}

/* m.tz, or a name as others may make one up: "org.example.pronouns". */
static bool is_custom(struct str field)
{
    size_t dots = 0;
    bool is_start = true;
    if (str_eq(field, STR("m.tz"))) {
        return true;
    }
    for (size_t i = 0; i < field.n; i++) {
        char c = field.p[i];
        if (is_start ? !is_word_start(c)
                     : !is_word_start(c) && !(c >= '0' && c <= '9') && c != '_' && c != '.') {
            return false;
        }
        is_start = c == '.';
        dots += c == '.';
    }
    return dots > 0 && !is_start;
}

static enum err parse_field(struct hs *hs, struct req *req, int64_t user, struct str name,
                            struct json *out)
{
    struct str text;
    struct json *value;
    TRY(store_get_str(hs->store, req->a, &text, STMT_PROFILE_FIELD_GET, "it", user, name));
    if (text.p == NULL) {
        return ERR_NONE;
    }
    TRY(json_parse(req->a, text, &value, NULL) == ERR_NONE ? ERR_NONE : ERR_CORRUPT);
    json_put(out, name, json_copy(req->a, json_get(value, STR("value"))));
    return ERR_NONE;
}

static enum err put_custom(struct hs *hs, struct req *req, int64_t user, struct json *out)
{
    struct query q;
    struct str names[FIELDS_MAX];
    size_t n = 0;
    query_start(&q, hs->store, STMT_PROFILE_FIELD_LIST, "i", user);
    while (n < FIELDS_MAX && query_next(&q)) {
        names[n] = query_str(&q, req->a, 0);
        n++;
    }
    TRY(query_end(&q));
    for (size_t i = 0; i < n; i++) {
        TRY(parse_field(hs, req, user, names[i], out));
    }
    return ERR_NONE;
}

/* field absent: all of them. */
static enum err get(struct hs *hs, struct req *req, struct str field)
{
    struct str user_id = req->params[0];
    struct user_profile profile;
    int64_t user;
    if (!mxid_is_user(user_id)) {
        return reply_error(req, 400, "M_INVALID_PARAM", "this is no user id");
    }
    if (!hs_is_ours(hs, user_id)) {
        return hs->remote->profile(hs, req, user_id, field);
    }
    TRY(store_name_find(hs->store, user_id, &user));
    enum err err = user_profile_find(hs, req->a, user, &profile);
    if (err == ERR_ABSENT) {
        return reply_not_found(req, "there is no such user");
    }
    TRY(err);
    struct json *out = json_object(req->a);
    user_profile_put(out, &profile, field);
    TRY(str_is_absent(field) ? put_custom(hs, req, user, out)
                             : parse_field(hs, req, user, field, out));
    return str_is_absent(field) || is_shown(field) || json_count(out) > 0
               ? reply_json(req, out)
               : reply_not_found(req, "the profile has no such field");
}

enum err profile_get(struct hs *hs, struct req *req)
{
    return get(hs, req, STR_ABSENT);
}

enum err profile_field_get(struct hs *hs, struct req *req)
{
    if (!is_shown(req->params[1]) && !is_custom(req->params[1])) {
        return reply_not_found(req, "a profile has no field of such a name");
    }
    return get(hs, req, req->params[1]);
}

/* A new member event in each room that shows another profile. */
static enum err spread(struct hs *hs, struct req *req)
{
    struct json *content;
    TRY(membership_content(hs, req->a, req->user, "join", &content));
    return membership_everywhere(hs, req, "join", content);
}

static enum err put_shown(struct hs *hs, struct req *req, struct str field)
{
    const struct json *value = json_get(req->body, field);
    struct user_profile profile;
    if (value != NULL && !json_is(value, JSON_TEXT) && !json_is(value, JSON_NULL)) {
        return reply_error(req, 400, "M_BAD_JSON", "'%.*s' must be a string", STR_ARG(field));
    }
    if (json_text(value).n > PROFILE_VALUE_MAX) {
        return reply_error(req, 400, "M_TOO_LARGE", "'%.*s' has at most %d bytes", STR_ARG(field),
                           PROFILE_VALUE_MAX);
    }
    enum err err = user_profile_find(hs, req->a, req->user, &profile);
    if (err != ERR_ABSENT) {
        TRY(err);
    }
    struct str text = json_text(value).n == 0 ? STR_ABSENT : json_text(value);
    if (str_eq(field, STR("displayname"))) {
        profile.displayname = text;
    } else {
        profile.avatar_url = text;
    }
    TRY(store_run(hs->store, STMT_PROFILE_PUT, "itt", req->user, profile.displayname,
                  profile.avatar_url));
    TRY(spread(hs, req));
    return reply_empty(req);
}

/* A value of any kind is kept as {"value": ...}: a text of its own is an object or an array. */
static enum err put_other(struct hs *hs, struct req *req, struct str field)
{
    int64_t others;
    const struct json *value = json_get(req->body, field);
    if (value == NULL) {
        return reply_error(req, 400, "M_MISSING_PARAM", "the body lacks '%.*s'", STR_ARG(field));
    }
    struct json *kept = json_object(req->a);
    json_put(kept, STR("value"), json_copy(req->a, value));
    struct str text = json_str(req->a, kept);
    TRY(store_get_int(hs->store, &others, 0, STMT_PROFILE_FIELD_SIZE, "it", req->user, field));
    if (others + (int64_t)(field.n + text.n) > PROFILE_MAX) {
        return reply_error(req, 400, "M_PROFILE_TOO_LARGE", "a profile has at most %d bytes",
                           PROFILE_MAX);
    }
    TRY(store_run(hs->store, STMT_PROFILE_FIELD_PUT, "itt", req->user, field, text));
    return reply_empty(req);
}

/* May the one who asks change the field? A refusal is set when not. */
static enum err check_own(struct req *req, struct str field, bool *ok)
{
    *ok = false;
    if (!access_is_self(req, 0)) {
        return reply_forbidden(req, "this is another user's profile");
    }
    if (field.n > FIELD_NAME_MAX) {
        return reply_error(req, 400, "M_KEY_TOO_LARGE", "a field's name has at most %d bytes",
                           FIELD_NAME_MAX);
    }
    if (!is_shown(field) && !is_custom(field)) {
        return reply_error(req, 400, "M_INVALID_PARAM",
                           "a field is displayname, avatar_url, m.tz or a name like org.example.x");
    }
    *ok = true;
    return ERR_NONE;
}

enum err profile_field_put(struct hs *hs, struct req *req)
{
    struct str field = req->params[1];
    bool ok;
    TRY(check_own(req, field, &ok));
    if (!ok) {
        return ERR_NONE;
    }
    return is_shown(field) ? put_shown(hs, req, field) : put_other(hs, req, field);
}

enum err profile_field_delete(struct hs *hs, struct req *req)
{
    struct str field = req->params[1];
    bool ok;
    TRY(check_own(req, field, &ok));
    if (!ok || is_shown(field)) {
        return ok ? put_shown(hs, req, field) : ERR_NONE; /* there is no body */
    }
    TRY(store_run(hs->store, STMT_PROFILE_FIELD_DROP, "it", req->user, field));
    return reply_empty(req);
}

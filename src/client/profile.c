/* Display names and avatars. */
#include "client/profile.h"

#include "client/membership.h"
#include "engine/remote.h"
#include "engine/user_profile.h"
#include "event/mxid.h"

enum { PROFILE_VALUE_MAX = 1024 };

static bool is_field(struct str field)
{
    return str_eq(field, STR("displayname")) || str_eq(field, STR("avatar_url"));
}

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
    return reply_json(req, out);
}

enum err profile_get(struct hs *hs, struct req *req)
{
    return get(hs, req, STR_ABSENT);
}

enum err profile_field_get(struct hs *hs, struct req *req)
{
    if (!is_field(req->params[1])) {
        return reply_not_found(req, "profiles have displayname and avatar_url");
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

enum err profile_field_put(struct hs *hs, struct req *req)
{
    struct str field = req->params[1];
    const struct json *value = json_get(req->body, field);
    struct user_profile profile;
    if (!access_is_self(req, 0)) {
        return reply_forbidden(req, "this is another user's profile");
    }
    if (!is_field(field)) {
        return reply_error(req, 400, "M_INVALID_PARAM", "profiles have displayname and avatar_url");
    }
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

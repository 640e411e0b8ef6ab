/* Answers about this server and its users. */
#include "fed/query.h"

#include "engine/auth_token.h"
#include "engine/public_rooms.h"
#include "engine/user_profile.h"
#include "event/mxid.h"

enum { PUBLIC_ROOMS_MAX = 500 };

enum err version_get(struct hs *hs, struct req *req)
{
    struct json *out = json_object(req->a);
    struct json *server = json_put_object(out, STR("server"));
    json_put_text(server, "name", STR("Neurite"));
    json_put_text(server, "version",
                  hs->settings.build_id.n > 0 ? hs->settings.build_id : STR("dev"));
    return reply_json(req, out);
}

enum err query_unknown_get(struct hs *hs, struct req *req)
{
    (void)hs;
    return reply_not_found(req, "there is no query of this type");
}

enum err openid_userinfo_get(struct hs *hs, struct req *req)
{
    struct special_token token;
    struct str user_id;
    struct str given = req_query(req, "access_token");
    if (str_is_empty(given)) {
        return reply_error(req, 401, "M_MISSING_TOKEN", "the query lacks 'access_token'");
    }
    enum err err = auth_special_find(hs, req->a, "openid", given, &token);
    if (err == ERR_ABSENT) {
        return reply_error(req, 401, "M_UNKNOWN_TOKEN", "this OpenID token is unknown or too old");
    }
    TRY(err);
    TRY(store_name_text(hs->store, req->a, token.user, &user_id));
    struct json *out = json_object(req->a);
    json_put_text(out, "sub", user_id);
    return reply_json(req, out);
}

enum err query_directory_get(struct hs *hs, struct req *req)
{
    struct str alias = req_query(req, "room_alias");
    struct str room_id;
    if (mxid_server(alias).n == 0 && alias.n > 1) { /* a bare alias, asked of every known peer */
        alias = arena_fmt(req->a, "%.*s:%.*s", STR_ARG(alias), STR_ARG(hs->identity.server));
    }
    TRY(store_get_str(hs->store, req->a, &room_id, STMT_ALIAS_GET, "t", alias));
    if (room_id.p == NULL) {
        return reply_not_found(req, "there is no room with this alias");
    }
    struct json *out = json_object(req->a);
    json_put_text(out, "room_id", room_id);
    struct json *servers = json_put_array(out, STR("servers"));
    json_push_text(servers, hs->identity.server);
    return reply_json(req, out);
}

enum err query_profile_get(struct hs *hs, struct req *req)
{
    struct str user_id = req_query(req, "user_id");
    struct str field = req_query(req, "field");
    int64_t user;
    struct user_profile profile;
    if (!mxid_is_user(user_id) || !hs_is_ours(hs, user_id)) {
        return reply_error(req, 400, "M_INVALID_PARAM", "'user_id' is not a user of this server");
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

enum err fed_public_rooms_post(struct hs *hs, struct req *req)
{
    struct json *ours;
    struct json *out;
    struct public_rooms_ask ask;
    if (!public_rooms_parse(req->body, req->a, PUBLIC_ROOMS_MAX, &ask)) {
        return reply_error(req, 400, "M_INVALID_PARAM", "'since' is no token of a room list");
    }
    TRY(public_rooms_ours(hs, req->a, &ask, &ours));
    TRY(public_rooms_page(hs, req->a, ours, &ask, &out));
    return reply_json(req, out);
}

enum err fed_public_rooms_get(struct hs *hs, struct req *req)
{
    req->body = json_object(req->a); /* one shape for both methods */
    json_put_text(req->body, "since", req_query(req, "since"));
    json_put_int(req->body, "limit", req_query_int(req, "limit", PUBLIC_ROOMS_MAX));
    return fed_public_rooms_post(hs, req);
}

/* Answers about this server and its users. */
#include "fed/query.h"

#include "base/encode.h"
#include "engine/public_rooms.h"
#include "engine/user_profile.h"
#include "event/mxid.h"
#include "event/seal.h"

enum { KEYS_VALID_MS = 24 * 60 * 60 * 1000, PUBLIC_ROOMS_MAX = 500 };

enum err version_get(struct hs *hs, struct req *req)
{
    struct json *out = json_object(req->a);
    struct json *server = json_put_object(out, STR("server"));
    json_put_text(server, "name", STR("Neurite"));
    json_put_text(server, "version",
                  hs->settings.build_id.n > 0 ? hs->settings.build_id : STR("dev"));
    return reply_json(req, out);
}

static enum err own_keys(struct hs *hs, struct req *req, struct json *out)
{
    struct event_signer signer = hs_signer(hs);
    struct str key = base64_write(
        req->a, str_make(hs->identity.key.public_key, sizeof(hs->identity.key.public_key)));
    json_put_text(out, "server_name", hs->identity.server);
    json_put_int(out, "valid_until_ts", hs->now.unix_ms + KEYS_VALID_MS);
    struct json *keys = json_put_object(out, STR("verify_keys"));
    json_put_text(json_put_object(keys, hs->identity.key_id), "key", key);
    (void)json_put_object(out, STR("old_verify_keys"));
    return seal_json_sign(req->a, out, &signer);
}

enum err server_keys_get(struct hs *hs, struct req *req)
{
    struct json *out = json_object(req->a);
    TRY(own_keys(hs, req, out));
    return reply_json(req, out);
}

static enum err reply_keys(struct hs *hs, struct req *req, bool is_ours)
{
    struct json *out = json_object(req->a);
    struct json *list = json_put_array(out, STR("server_keys"));
    TRY(is_ours ? own_keys(hs, req, json_push_object(list)) : ERR_NONE);
    return reply_json(req, out);
}

enum err server_keys_of_get(struct hs *hs, struct req *req)
{
    return reply_keys(hs, req, str_eq(req->params[0], hs->identity.server));
}

enum err server_keys_post(struct hs *hs, struct req *req)
{
    const struct json *wanted = json_get_object(req->body, "server_keys");
    return reply_keys(hs, req, json_get(wanted, hs->identity.server) != NULL);
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

static enum err public_rooms(struct hs *hs, struct req *req, struct str term, struct str since,
                             int64_t limit)
{
    struct json *ours;
    TRY(public_rooms_ours(hs, req->a, &ours));
    limit = limit < 1 || limit > PUBLIC_ROOMS_MAX ? PUBLIC_ROOMS_MAX : limit;
    return reply_json(req, public_rooms_page(req->a, ours, term, since, (size_t)limit));
}

enum err fed_public_rooms_get(struct hs *hs, struct req *req)
{
    return public_rooms(hs, req, STR(""), req_query(req, "since"),
                        req_query_int(req, "limit", PUBLIC_ROOMS_MAX));
}

enum err fed_public_rooms_post(struct hs *hs, struct req *req)
{
    const struct json *filter = json_get_object(req->body, "filter");
    return public_rooms(hs, req, json_get_text(filter, "generic_search_term"),
                        json_get_text(req->body, "since"),
                        json_get_int(req->body, "limit", PUBLIC_ROOMS_MAX));
}

enum err user_devices_get(struct hs *hs, struct req *req)
{
    struct query q;
    int64_t user;
    int64_t stream_id;
    TRY(store_name_find(hs->store, req->params[0], &user));
    if (user == 0 || !hs_is_ours(hs, req->params[0])) {
        return reply_not_found(req, "there is no such user");
    }
    TRY(store_get_int(hs->store, &stream_id, 0, STMT_DEVICE_CHANGE_GET, "i", user));
    struct json *out = json_object(req->a);
    json_put_text(out, "user_id", req->params[0]);
    json_put_int(out, "stream_id", stream_id);
    struct json *devices = json_put_array(out, STR("devices"));
    query_start(&q, hs->store, STMT_DEVICE_KEYS_LIST, "i", user);
    while (query_next(&q)) {
        struct json *keys;
        if (json_parse(req->a, query_str(&q, req->a, 1), &keys, NULL) == ERR_NONE) {
            struct json *device = json_push_object(devices);
            json_put_text(device, "device_id", query_str(&q, req->a, 0));
            json_put(device, STR("keys"), keys);
        }
    }
    TRY(query_end(&q));
    return reply_json(req, out);
}

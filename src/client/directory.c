/* Aliases and the directory. */
#include "client/directory.h"

#include "engine/current.h"
#include "engine/public_rooms.h"
#include "engine/remote.h"
#include "engine/send.h"
#include "event/mxid.h"

enum { PUBLIC_ROOMS_DEFAULT = 100, PUBLIC_ROOMS_MAX = 500 };

enum err alias_get(struct hs *hs, struct req *req)
{
    struct str alias = req->params[0];
    struct str server = mxid_server(alias);
    struct str room_id;
    if (alias.n < 2 || alias.p[0] != '#') {
        return reply_error(req, 400, "M_INVALID_PARAM", "this is no room alias");
    }
    struct str whole =
        server.n > 0 ? alias
                     : arena_fmt(req->a, "%.*s:%.*s", STR_ARG(alias), STR_ARG(hs->identity.server));
    TRY(store_get_str(hs->store, req->a, &room_id, STMT_ALIAS_GET, "t", whole));
    if (room_id.p == NULL) {
        return server.n > 0 && hs_is_ours(hs, alias)
                   ? reply_not_found(req, "there is no room with this alias")
                   : hs->remote->alias(hs, req, alias, REMOTE_LOOK);
    }
    struct json *out = json_object(req->a);
    json_put_text(out, "room_id", room_id);
    json_push_text(json_put_array(out, STR("servers")), hs->identity.server);
    return reply_json(req, out);
}

enum err alias_put(struct hs *hs, struct req *req)
{
    struct str alias = req->params[0];
    struct str room_id = json_get_text(req->body, "room_id");
    struct str taken;
    struct room *room;
    bool ok;
    if (!mxid_is_alias(alias)) {
        return reply_error(req, 400, "M_INVALID_PARAM", "this is no room alias");
    }
    if (!hs_is_ours(hs, alias)) {
        return reply_error(req, 400, "M_INVALID_PARAM", "aliases are made on their own server");
    }
    if (!mxid_is_room(room_id)) {
        return reply_error(req, 400, "M_INVALID_PARAM", "'room_id' is no room id");
    }
    TRY(access_joined_in(hs, req, room_id, &room, &ok));
    if (!ok) { /* names would lead where the rooms' members do not want them to */
        return ERR_NONE;
    }
    TRY(store_get_str(hs->store, req->a, &taken, STMT_ALIAS_GET, "t", alias));
    if (taken.p != NULL) {
        return reply_error(req, 409, "M_UNKNOWN", "this alias is taken");
    }
    TRY(store_run(hs->store, STMT_ALIAS_PUT, "ttt", alias, room_id, req->user_id));
    return reply_empty(req);
}

/* The room's event that names the alias names it no longer, when the user may say so. */
static enum err unname_alias(struct hs *hs, struct req *req, struct room *room, struct str alias)
{
    struct json *now;
    struct verdict verdict;
    struct stored *sent;
    TRY(current_content(hs, room, STR("m.room.canonical_alias"), STR(""), &now));
    const struct json *had = json_get_array(now, "alt_aliases");
    struct json *content = now == NULL ? NULL : json_copy(req->a, now);
    struct json *left = json_array(req->a);
    for (const struct json *x = json_first(had); x != NULL; x = json_next(x)) {
        if (!str_eq(json_text(x), alias)) {
            json_push(left, json_copy(req->a, x));
        }
    }
    bool is_named = str_eq(json_get_text(content, "alias"), alias);
    if (!is_named && json_count(left) == json_count(had)) {
        return ERR_NONE;
    }
    if (is_named) {
        json_remove(content, STR("alias"));
    }
    if (had != NULL) {
        json_put(content, STR("alt_aliases"), left);
    }
    struct send_parts parts = {.sender = req->user_id,
                               .type = STR("m.room.canonical_alias"),
                               .state_key = STR(""),
                               .content = content};
    return send_event(hs, room, &parts, &verdict, &sent); /* refused: the alias goes all the same */
}

enum err alias_delete(struct hs *hs, struct req *req)
{
    struct query q;
    struct room *room;
    enum err err = query_one(&q, hs->store, STMT_ALIAS_GET, "t", req->params[0]);
    if (err == ERR_ABSENT) {
        return reply_not_found(req, "there is no room with this alias");
    }
    TRY(err);
    struct str room_id = query_str(&q, req->a, 0);
    bool may = str_eq(query_str(&q, req->a, 1), req->user_id);
    TRY(query_end(&q));
    err = room_find(hs, room_id, &room);
    if (!may && err == ERR_NONE) {
        struct power power;
        TRY(current_power(hs, room, &power));
        may = power_of_user(&power, req->user_id) >=
              power_to_send(&power, STR("m.room.canonical_alias"), true);
    }
    if (!may) {
        return reply_forbidden(req, "another user made this alias");
    }
    TRY(store_run(hs->store, STMT_ALIAS_DROP, "t", req->params[0]));
    if (err == ERR_NONE) {
        TRY(unname_alias(hs, req, room, req->params[0]));
    }
    return reply_empty(req);
}

enum err room_aliases_get(struct hs *hs, struct req *req)
{
    struct access access;
    struct query q;
    bool ok;
    TRY(access_read(hs, req, &access, &ok));
    if (!ok) {
        return ERR_NONE;
    }
    struct json *out = json_object(req->a);
    struct json *aliases = json_put_array(out, STR("aliases"));
    query_start(&q, hs->store, STMT_ALIAS_LIST, "t", access.room->id);
    while (query_next(&q)) {
        json_push_text(aliases, query_str(&q, req->a, 0));
    }
    TRY(query_end(&q));
    return reply_json(req, out);
}

enum err visibility_get(struct hs *hs, struct req *req)
{
    struct room *room;
    enum err err = room_find(hs, req->params[0], &room);
    if (err == ERR_ABSENT) {
        return reply_not_found(req, "that room is not here");
    }
    TRY(err);
    struct json *out = json_object(req->a);
    json_put_text(out, "visibility", room->is_published ? STR("public") : STR("private"));
    return reply_json(req, out);
}

enum err visibility_put(struct hs *hs, struct req *req)
{
    struct room *room;
    struct power power;
    bool ok;
    struct str visibility = json_get_text(req->body, "visibility");
    bool is_public = str_is_absent(visibility) || str_eq(visibility, STR("public"));
    if (!is_public && !str_eq(visibility, STR("private"))) {
        return reply_error(req, 400, "M_INVALID_PARAM", "'visibility' is public or private");
    }
    enum err err = room_find(hs, req->params[0], &room);
    if (err == ERR_ABSENT) {
        return reply_not_found(req, "that room is not here");
    }
    TRY(err);
    TRY(access_joined(hs, req, &room, &ok));
    if (!ok) {
        return ERR_NONE;
    }
    TRY(current_power(hs, room, &power));
    if (power_of_user(&power, req->user_id) <
        power_to_send(&power, STR("m.room.canonical_alias"), true)) {
        return reply_forbidden(req, "your power is not enough to publish this room");
    }
    TRY(room_publish(hs, room, is_public));
    return reply_empty(req);
}

static enum err public_rooms(struct hs *hs, struct req *req, struct str server)
{
    struct public_rooms_ask *ask = ARENA_NEW(req->a, struct public_rooms_ask);
    if (!public_rooms_parse(req->body, req->a, PUBLIC_ROOMS_MAX, ask)) {
        return reply_error(req, 400, "M_INVALID_PARAM", "'since' is no token of a room list");
    }
    return hs->remote->public_rooms(hs, req, ask, server);
}

enum err public_rooms_get(struct hs *hs, struct req *req)
{
    req->body = json_object(req->a); /* one shape for both methods */
    json_put_text(req->body, "since", req_query(req, "since"));
    json_put_int(req->body, "limit", req_query_int(req, "limit", PUBLIC_ROOMS_DEFAULT));
    return public_rooms(hs, req, req_query(req, "server"));
}

enum err public_rooms_post(struct hs *hs, struct req *req)
{
    return public_rooms(hs, req, req_query(req, "server"));
}

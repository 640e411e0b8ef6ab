/* Who types, who is here. */
#include "client/typing.h"

#include "engine/outbox.h"
#include "engine/presence.h"
#include "engine/typing.h"

enum { TYPING_TIMEOUT_DEFAULT_MS = 30000 };

static enum err tell_servers(struct hs *hs, struct req *req, const struct room *room,
                             bool is_typing)
{
    struct json *content = json_object(req->a);
    struct str key =
        arena_fmt(req->a, "typing %lld %.*s", (long long)room->nid, STR_ARG(req->user_id));
    json_put_text(content, "room_id", room->id);
    json_put_text(content, "user_id", req->user_id);
    json_put_bool(content, "typing", is_typing);
    return outbox_edu_room(hs, room->nid, STR("m.typing"), content, key);
}

enum err typing_put(struct hs *hs, struct req *req)
{
    struct room *room;
    bool ok;
    bool is_typing = json_get_bool(req->body, "typing", false);
    int64_t timeout_ms = json_get_int(req->body, "timeout", TYPING_TIMEOUT_DEFAULT_MS);
    if (!access_is_self(req, 1)) {
        return reply_forbidden(req, "you type only for yourself");
    }
    if (timeout_ms < 0) {
        return reply_error(req, 400, "M_INVALID_PARAM", "timeout must not be negative");
    }
    TRY(access_joined(hs, req, &room, &ok));
    if (!ok) {
        return ERR_NONE;
    }
    TRY(typing_set(hs, room, req->user, is_typing, timeout_ms));
    TRY(tell_servers(hs, req, room, is_typing));
    return reply_empty(req);
}

enum err presence_get(struct hs *hs, struct req *req)
{
    struct json *content;
    int64_t user;
    int64_t shared = 0;
    TRY(store_name_find(hs->store, req->params[0], &user));
    if (user != 0 && user != req->user) {
        TRY(store_get_int(hs->store, &shared, 0, STMT_MEMBER_SHARE_ONE, "ii", req->user, user));
    }
    if (user != req->user && shared == 0) {
        return reply_forbidden(req, "you share no room with that user");
    }
    TRY(presence_content(hs, req->a, user, &content));
    if (content == NULL) {
        content = json_object(req->a);
        json_put_text(content, "presence", STR("offline"));
    }
    return reply_json(req, content);
}

enum err presence_put(struct hs *hs, struct req *req)
{
    struct str presence = json_get_text(req->body, "presence");
    struct str status_msg = json_get_text(req->body, "status_msg");
    if (!access_is_self(req, 0)) {
        return reply_forbidden(req, "the presence of others is their own");
    }
    if (!presence_is_word(presence)) {
        return reply_error(req, 400, "M_INVALID_PARAM",
                           "presence is online, unavailable or offline");
    }
    if (status_msg.n > PRESENCE_STATUS_MAX) {
        return reply_error(req, 400, "M_TOO_LARGE", "'status_msg' has at most %d bytes",
                           PRESENCE_STATUS_MAX);
    }
    TRY(presence_set(hs, req->user, req->user_id, presence, status_msg));
    return reply_empty(req);
}

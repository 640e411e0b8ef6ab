/* Knocking. */
#include "client/knock.h"

#include "client/access.h"
#include "client/membership.h"
#include "engine/current.h"
#include "engine/remote.h"
#include "event/mxid.h"

static enum err knock_here(struct hs *hs, struct req *req, struct room *room)
{
    struct json *content;
    struct stored *sent;
    struct str membership;
    struct send_parts parts = {
        .sender = req->user_id, .type = STR("m.room.member"), .state_key = req->user_id};
    TRY(current_membership(hs, req->user, room->nid, req->a, &membership, NULL));
    if (!str_eq(membership, STR("knock"))) {
        TRY(membership_content(hs, req->a, req->user, "knock", &content));
        json_put_text(content, "reason", json_get_text(req->body, "reason"));
        parts.content = content;
        TRY(access_send(hs, req, room, &parts, &sent));
        if (sent == NULL) {
            return ERR_NONE;
        }
    }
    struct json *out = json_object(req->a);
    json_put_text(out, "room_id", room->id);
    return reply_json(req, out);
}

static enum err knock_elsewhere(struct hs *hs, struct req *req, struct str room_id,
                                const struct room *room)
{
    struct strs servers;
    struct json *content;
    TRY(membership_servers(hs, req, room_id, room, &servers));
    TRY(membership_content(hs, req->a, req->user, "knock", &content));
    json_put_text(content, "reason", json_get_text(req->body, "reason"));
    return hs->remote->enter(hs, req, REMOTE_KNOCK, room_id, servers, content);
}

enum err knock_post(struct hs *hs, struct req *req)
{
    struct str room_id = req->params[0];
    struct room *room = NULL;
    bool resident = false;
    if (room_id.n > 0 && room_id.p[0] == '#') {
        TRY(store_get_str(hs->store, req->a, &room_id, STMT_ALIAS_GET, "t", req->params[0]));
        if (room_id.p == NULL) {
            return hs_is_ours(hs, req->params[0])
                       ? reply_not_found(req, "there is no room with this alias")
                       : hs->remote->alias(hs, req, req->params[0], REMOTE_KNOCK);
        }
    } else if (!mxid_is_room(room_id)) {
        return reply_error(req, 400, "M_INVALID_PARAM", "this is neither a room id nor an alias");
    }
    enum err err = room_find(hs, room_id, &room);
    if (err != ERR_ABSENT) {
        TRY(err);
        TRY(current_is_joined(hs, room->nid, &resident));
    }
    return resident ? knock_here(hs, req, room) : knock_elsewhere(hs, req, room_id, room);
}

/* Knocking at rooms that this server is in. */
#include "client/knock.h"

#include "client/access.h"
#include "client/membership.h"
#include "engine/current.h"
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

enum err knock_post(struct hs *hs, struct req *req)
{
    struct str room_id = req->params[0];
    struct room *room;
    bool resident = false;
    if (room_id.n > 0 && room_id.p[0] == '#') {
        TRY(store_get_str(hs->store, req->a, &room_id, STMT_ALIAS_GET, "t", req->params[0]));
        if (room_id.p == NULL) {
            return reply_not_found(req, "there is no room here with this alias");
        }
    } else if (!mxid_is_room(room_id)) {
        return reply_error(req, 400, "M_INVALID_PARAM", "this is neither a room id nor an alias");
    }
    enum err err = room_find(hs, room_id, &room);
    if (err != ERR_ABSENT) {
        TRY(err);
        TRY(current_is_joined(hs, room->nid, &resident));
    }
    return resident ? knock_here(hs, req, room)
                    : reply_not_found(req, "this server is not in that room");
}

/* Rooms that others ask about. */
#include "fed/asked_room.h"

#include "engine/current.h"

enum err asked_room_of_resident(struct hs *hs, struct req *req, struct room **room)
{
    bool joined = false;
    enum err err = room_find(hs, req->params[0], room);
    if (err != ERR_ABSENT) {
        TRY(err);
        TRY(current_is_joined(hs, (*room)->nid, &joined));
    }
    if (!joined) {
        *room = NULL;
        return reply_not_found(req, "this server is not in that room");
    }
    return ERR_NONE;
}

enum err asked_room_of_member(struct hs *hs, struct req *req, struct room **room)
{
    int64_t member;
    enum err err = room_find(hs, req->params[0], room);
    if (err == ERR_ABSENT) {
        *room = NULL;
        return reply_not_found(req, "that room is not here");
    }
    TRY(err);
    TRY(store_get_int(hs->store, &member, 0, STMT_MEMBER_OF_SERVER, "ii", (*room)->nid,
                      req->origin_name));
    if (member == 0) {
        *room = NULL;
        return reply_forbidden(req, "your server is not in that room");
    }
    return ERR_NONE;
}

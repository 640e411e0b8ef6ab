/* Rooms that others ask about. */
#include "fed/asked_room.h"

#include "engine/current.h"
#include "engine/visible.h"

/* *room becomes NULL when the room's list of servers keeps the asking one out. */
static enum err check_acl(struct hs *hs, struct req *req, struct room **room)
{
    bool allows;
    TRY(current_allows_server(hs, *room, req->origin, &allows));
    if (!allows) {
        *room = NULL;
        return reply_forbidden(req, "the room's access control list keeps your server out");
    }
    return ERR_NONE;
}

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
    return check_acl(hs, req, room);
}

/* Was the server in the room at every one of the events? */
static enum err is_witness(struct hs *hs, struct req *req, const struct room *room,
                           struct strs events, bool *is)
{
    *is = events.n > 0;
    for (size_t i = 0; i < events.n && *is; i++) {
        struct stored *s;
        enum err err = event_find(hs, events.at[i], &s);
        *is = err == ERR_NONE && s->room == room->nid;
        TRY(err == ERR_ABSENT ? ERR_NONE : err);
        TRY(*is ? visible_was_resident(hs, s, req->origin_name, is) : ERR_NONE);
    }
    return ERR_NONE;
}

enum err asked_room_of_witness(struct hs *hs, struct req *req, struct strs events,
                               struct room **room)
{
    int64_t member;
    bool is = true;
    enum err err = room_find(hs, req->params[0], room);
    if (err == ERR_ABSENT) {
        *room = NULL;
        return reply_not_found(req, "that room is not here");
    }
    TRY(err);
    TRY(store_get_int(hs->store, &member, 0, STMT_MEMBER_OF_SERVER, "ii", (*room)->nid,
                      req->origin_name));
    if (member == 0) {
        TRY(is_witness(hs, req, *room, events, &is));
    }
    if (!is) {
        *room = NULL;
        return reply_forbidden(req, "your server is not in that room");
    }
    return check_acl(hs, req, room);
}

enum err asked_room_of_member(struct hs *hs, struct req *req, struct room **room)
{
    return asked_room_of_witness(hs, req, (struct strs){0}, room);
}

enum err asked_room_of_invite(struct hs *hs, struct req *req, bool *ok)
{
    struct room *room;
    enum err err = room_find(hs, req->params[0], &room);
    *ok = true;
    if (err == ERR_ABSENT) {
        return ERR_NONE;
    }
    TRY(err);
    TRY(check_acl(hs, req, &room));
    *ok = room != NULL;
    return ERR_NONE;
}

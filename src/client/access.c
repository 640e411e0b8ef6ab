/* Rooms and who may look into them. */
#include "client/access.h"

#include "engine/current.h"
#include "engine/snapshot.h"
#include "engine/visible.h"

enum { MEMBERSHIPS_BACK = 16 }; /* changes of one user's, followed to when he was joined */

enum err access_joined(struct hs *hs, struct req *req, struct room **room, bool *ok)
{
    return access_joined_in(hs, req, req->params[0], room, ok);
}

enum err access_joined_in(struct hs *hs, struct req *req, struct str room_id, struct room **room,
                          bool *ok)
{
    struct str membership = STR_ABSENT;
    *ok = false;
    enum err err = room_find(hs, room_id, room);
    if (err != ERR_ABSENT) {
        TRY(err);
        TRY(current_membership(hs, req->user, (*room)->nid, req->a, &membership, NULL));
    }
    *ok = str_eq(membership, STR("join"));
    return *ok ? ERR_NONE : reply_forbidden(req, "you are not in that room");
}

enum err access_resident(struct hs *hs, struct req *req, struct room **room, bool *ok)
{
    *ok = false;
    enum err err = room_find(hs, req->params[0], room);
    if (err != ERR_ABSENT) {
        TRY(err);
        TRY(current_is_joined(hs, (*room)->nid, ok));
    }
    return *ok ? ERR_NONE : reply_forbidden(req, "you are not in that room");
}

/* The member event by which the user, who is not joined, ended being it, followed back from the
 * newest; *out NULL: he never was joined, or nobody here knows. */
static enum err find_leaving(struct hs *hs, struct req *req, int64_t event, struct stored **out)
{
    *out = NULL;
    for (int i = 0; i < MEMBERSHIPS_BACK && event != 0; i++) {
        struct stored *left;
        struct stored *was = NULL;
        int64_t before = 0;
        TRY(event_get(hs, event, &left));
        if (left->before != 0) {
            TRY(snapshot_get(hs, left->before, STR("m.room.member"), req->user_id, &before));
        }
        if (before != 0) {
            TRY(event_get(hs, before, &was));
        }
        if (was != NULL && str_eq(event_membership(was->ev), STR("join"))) {
            *out = left;
            return ERR_NONE;
        }
        event = before;
    }
    return ERR_NONE;
}

/* What a user who left may still see: the room when he left. Who was only invited, knocked or was
 * banned unseen was never there. */
static enum err at_leaving(struct hs *hs, struct req *req, struct access *access, bool *ok)
{
    struct query q;
    struct stored *left;
    TRY(query_one(&q, hs->store, STMT_MEMBER_GET, "ii", req->user, access->room->nid));
    int64_t event = query_int(&q, 1);
    TRY(query_end(&q));
    TRY(find_leaving(hs, req, event, &left));
    if (left != NULL) {
        access->snapshot = left->after;
        access->position = left->position;
        access->is_past = true;
        *ok = left->after != 0 && left->has_position;
    }
    return ERR_NONE;
}

enum err access_room(struct hs *hs, struct req *req, struct room *room, struct access *access,
                     bool *ok)
{
    bool forgotten = false;
    *access = (struct access){
        .room = room, .snapshot = room->snapshot, .position = store_position(hs->store)};
    TRY(current_membership(hs, req->user, room->nid, req->a, &access->membership, &forgotten));
    access->is_joined = str_eq(access->membership, STR("join"));
    if (access->is_joined) {
        *ok = true;
        return ERR_NONE;
    }
    TRY(visible_to_all(hs, room, ok));
    bool was_there =
        str_eq(access->membership, STR("leave")) || str_eq(access->membership, STR("ban"));
    return !*ok && was_there && !forgotten ? at_leaving(hs, req, access, ok) : ERR_NONE;
}

enum err access_read(struct hs *hs, struct req *req, struct access *access, bool *ok)
{
    struct room *room;
    *ok = false;
    enum err err = room_find(hs, req->params[0], &room);
    if (err == ERR_ABSENT) {
        return reply_forbidden(req, "you are not in that room, or it is not here");
    }
    TRY(err);
    TRY(access_room(hs, req, room, access, ok));
    return *ok ? ERR_NONE : reply_forbidden(req, "you are not in that room");
}

enum err access_event(struct hs *hs, struct req *req, struct access *access, struct stored **out)
{
    bool ok;
    *out = NULL;
    TRY(access_read(hs, req, access, &ok));
    if (!ok) {
        return ERR_NONE;
    }
    enum err err = event_find(hs, req->params[1], out);
    ok = err == ERR_NONE && (*out)->room == access->room->nid && (*out)->has_position &&
         (*out)->position <= access->position;
    if (err != ERR_NONE && err != ERR_ABSENT) {
        return err;
    }
    if (ok) {
        TRY(visible_to_user(hs, *out, req->user, req->user_id, &ok));
    }
    if (!ok) {
        *out = NULL;
        return reply_not_found(req, "there is no such event, or you may not see it");
    }
    return ERR_NONE;
}

enum err access_send(struct hs *hs, struct req *req, struct room *room,
                     const struct send_parts *parts, struct stored **out)
{
    struct verdict verdict;
    enum err err = send_event(hs, room, parts, &verdict, out);
    if (err == ERR_LIMIT) {
        return reply_error(req, 413, "M_TOO_LARGE", "an event has at most %d bytes",
                           EVENT_SIZE_MAX);
    }
    if (err == ERR_SYNTAX) {
        return reply_error(req, 400, "M_BAD_JSON",
                           "the content has no canonical form: numbers must be integers");
    }
    TRY(err);
    return *out != NULL ? ERR_NONE
                        : reply_forbidden(req, verdict.why == NULL ? "refused" : verdict.why);
}

bool access_is_self(struct req *req, size_t i)
{
    return str_eq(req->params[i], req->user_id);
}

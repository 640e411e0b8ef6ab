/* A space and what it holds, one level deep. */
#include "fed/serve_space.h"

#include "engine/current.h"
#include "engine/room_summary.h"
#include "engine/space.h"

/* *room NULL: it is not here. */
static enum err find(struct hs *hs, struct str room_id, struct room **room)
{
    bool is_joined = false;
    enum err err = room_find(hs, room_id, room);
    if (err != ERR_ABSENT) {
        TRY(err);
        TRY(current_is_joined(hs, (*room)->nid, &is_joined));
    }
    *room = is_joined ? *room : NULL;
    return ERR_NONE;
}

static enum err put_child(struct hs *hs, struct req *req, struct str room_id, struct json *children,
                          struct json *closed)
{
    struct room *room;
    bool open;
    TRY(find(hs, room_id, &room));
    if (room == NULL) {
        return ERR_NONE; /* others know more of it */
    }
    TRY(room_summary_is_open_to_server(hs, room, req->origin_name, &open));
    if (!open) {
        json_push_text(closed, room_id);
        return ERR_NONE;
    }
    return room_summary_put(hs, req->a, room, json_push_object(children));
}

enum err fed_hierarchy_get(struct hs *hs, struct req *req)
{
    struct room *room;
    struct space_children *children;
    bool open = false;
    TRY(find(hs, req->params[0], &room));
    if (room != NULL) {
        TRY(room_summary_is_open_to_server(hs, room, req->origin_name, &open));
    }
    if (!open) {
        return reply_not_found(req, "there is no such room here, or it is closed to your server");
    }
    TRY(space_children(hs, req->a, room, str_eq(req_query(req, "suggested_only"), STR("true")),
                       &children));
    struct json *out = json_object(req->a);
    TRY(space_put(hs, req->a, room, children, json_put_object(out, STR("room"))));
    struct json *told = json_put_array(out, STR("children"));
    struct json *closed = json_put_array(out, STR("inaccessible_children"));
    for (size_t i = 0; i < children->n; i++) {
        TRY(put_child(hs, req, children->at[i].room_id, told, closed));
    }
    return reply_json(req, out);
}

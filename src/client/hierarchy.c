/* Walks a space depth first. A page's token says how many rooms came before it, with the settings
 * of the first page; the walk is done anew for each page, so nothing is remembered between them. */
#include "client/hierarchy.h"

#include "base/map.h"
#include "engine/current.h"
#include "engine/room_summary.h"
#include "engine/space.h"
#include "event/mxid.h"

enum { MUTUAL_PAGE = 100 };

struct walk {
    struct hs *hs;
    struct req *req;
    struct map seen;
    struct json *rooms;
    bool suggested_only;
    int64_t max_depth, skip, limit;
    int64_t met; /* rooms told or skipped */
    bool more;
};

/* What is still to be visited, deepest last. */
struct place {
    struct str room_id;
    int64_t depth;
};
struct places {
    struct place at[HIERARCHY_ROOMS_MAX];
    size_t n;
};

/* Tells the room, and puts its children on the list, the first one last. */
static enum err visit(struct walk *w, const struct room *room, int64_t depth, struct places *places)
{
    struct space_children *children;
    TRY(space_children(w->hs, w->req->a, room, w->suggested_only, &children));
    w->more = w->met >= w->skip + w->limit;
    if (w->met >= w->skip && !w->more) {
        TRY(space_put(w->hs, w->req->a, room, children, json_push_object(w->rooms)));
    }
    w->met++;
    for (size_t n = children->n; n > 0 && depth < w->max_depth && places->n < HIERARCHY_ROOMS_MAX;
         n--) {
        places->at[places->n] = (struct place){children->at[n - 1].room_id, depth + 1};
        places->n++;
    }
    return ERR_NONE;
}

static enum err find_open(struct walk *w, struct str room_id, struct room **room)
{
    bool open = false;
    *room = NULL;
    enum err err = room_find(w->hs, room_id, room);
    if (err == ERR_ABSENT) {
        return ERR_NONE;
    }
    TRY(err);
    if ((*room)->snapshot != 0) {
        TRY(room_summary_is_open(w->hs, *room, w->req->user, &open));
    }
    *room = open ? *room : NULL;
    return ERR_NONE;
}

static enum err walk_on(struct walk *w, struct places *places)
{
    size_t looked_at = 0;
    while (places->n > 0 && !w->more && looked_at < HIERARCHY_ROOMS_MAX) {
        struct room *room;
        places->n--;
        struct place place = places->at[places->n];
        if (map_get(&w->seen, place.room_id) != NULL) {
            continue;
        }
        map_put(&w->seen, place.room_id, w);
        looked_at++;
        TRY(find_open(w, place.room_id, &room));
        if (room != NULL) {
            TRY(visit(w, room, place.depth, places));
        }
    }
    return ERR_NONE;
}

/* "h<rooms before>.<max_depth>.<suggested_only>" */
static struct str token_of(const struct walk *w)
{
    long long told = w->skip + w->limit;
    return arena_fmt(w->req->a, "h%lld.%lld.%d", told, (long long)w->max_depth, w->suggested_only);
}

static bool take_token(struct walk *w, struct str token)
{
    size_t dot;
    if (!str_find(token, '.', &dot) || token.p[0] != 'h' || dot < 2 ||
        !str_to_i64(str_sub(token, 1, dot - 1), &w->skip) || w->skip < 0 ||
        w->skip > HIERARCHY_ROOMS_MAX) {
        return false;
    }
    struct str same = arena_fmt(w->req->a, "%lld.%d", (long long)w->max_depth, w->suggested_only);
    return str_eq(str_from(token, dot + 1), same);
}

enum err hierarchy_get(struct hs *hs, struct req *req)
{
    struct walk w = {.hs = hs, .req = req};
    struct room *root;
    struct places *places = ARENA_NEW(req->a, struct places);
    struct str from = req_query(req, "from");
    w.suggested_only = str_eq(req_query(req, "suggested_only"), STR("true"));
    w.max_depth = req_query_int(req, "max_depth", HIERARCHY_DEPTH_MAX);
    w.limit = req_query_int(req, "limit", HIERARCHY_PAGE_MAX);
    if (w.max_depth < 0 || w.limit < 1) {
        return reply_error(req, 400, "M_INVALID_PARAM",
                           "max_depth is not negative, and limit is at least 1");
    }
    w.max_depth = w.max_depth < HIERARCHY_DEPTH_MAX ? w.max_depth : HIERARCHY_DEPTH_MAX;
    w.limit = w.limit < HIERARCHY_PAGE_MAX ? w.limit : HIERARCHY_PAGE_MAX;
    if (from.n > 0 && !take_token(&w, from)) {
        return reply_error(req, 400, "M_INVALID_PARAM",
                           "'from' is no token of this walk; suggested_only and max_depth stay "
                           "what they were");
    }
    TRY(find_open(&w, req->params[0], &root));
    if (root == NULL) {
        return reply_forbidden(req, "you may not look into that room, or it is not here");
    }
    struct json *out = json_object(req->a);
    w.rooms = json_put_array(out, STR("rooms"));
    map_init_in(&w.seen, req->a);
    places->at[0] = (struct place){root->id, 0};
    places->n = 1;
    TRY(walk_on(&w, places));
    if (w.more) {
        json_put_text(out, "next_batch", token_of(&w));
    }
    return reply_json(req, out);
}

/* --- one room ----------------------------------------------------------------------------- */

enum err room_summary_get(struct hs *hs, struct req *req)
{
    struct walk w = {.hs = hs, .req = req};
    struct str room_id = req->params[0];
    struct str membership = STR_ABSENT;
    struct room *room;
    if (room_id.n > 0 && room_id.p[0] == '#') {
        TRY(store_get_str(hs->store, req->a, &room_id, STMT_ALIAS_GET, "t", req->params[0]));
    } else if (!mxid_is_room(room_id)) {
        return reply_error(req, 400, "M_INVALID_PARAM", "this is neither a room id nor an alias");
    }
    TRY(find_open(&w, room_id, &room));
    if (room == NULL) {
        return reply_not_found(req, "there is no such room here, or it is closed to you");
    }
    struct json *out = json_object(req->a);
    TRY(room_summary_put(hs, req->a, room, out));
    if (req->user != 0) {
        TRY(current_membership(hs, req->user, room->nid, req->a, &membership, NULL));
        json_put_text(out, "membership", membership.p == NULL ? STR("leave") : membership);
    }
    return reply_json(req, out);
}

/* --- rooms that two users share ----------------------------------------------------------- */

enum err mutual_rooms_get(struct hs *hs, struct req *req)
{
    struct str user_id = req_query(req, "user_id");
    struct str from = req_query(req, "from");
    struct query q;
    int64_t after = 0;
    int64_t last = 0;
    int64_t user;
    int64_t count = 0;
    if (!mxid_is_user(user_id) || str_eq(user_id, req->user_id)) {
        return reply_error(req, 400, "M_INVALID_PARAM", "'user_id' is the id of another user");
    }
    if (from.n > 0 && (from.p[0] != 'm' || !str_to_i64(str_from(from, 1), &after))) {
        return reply_error(req, 400, "M_INVALID_PARAM", "'from' is no token of this list");
    }
    TRY(store_name_find(hs->store, user_id, &user));
    struct json *out = json_object(req->a);
    struct json *joined = json_put_array(out, STR("joined"));
    query_start(&q, hs->store, STMT_MEMBER_MUTUAL, "ii", req->user, user);
    while (query_next(&q)) {
        count++;
        if (query_int(&q, 0) > after && json_count(joined) < MUTUAL_PAGE) {
            json_push_text(joined, query_str(&q, req->a, 1));
            last = query_int(&q, 0);
        } else if (query_int(&q, 0) > after && last > 0) {
            json_put_text(out, "next_batch", arena_fmt(req->a, "m%lld", (long long)last));
        }
    }
    TRY(query_end(&q));
    json_put_int(out, "count", count);
    return reply_json(req, out);
}

/* Walks a space depth first. A page's token says how many rooms came before it, with the settings
 * of the first page; the walk is done anew for each page, so nothing is remembered between them. */
#include "client/hierarchy.h"

#include "base/map.h"
#include "client/elsewhere.h"
#include "engine/current.h"
#include "engine/room_summary.h"
#include "engine/space.h"
#include "event/mxid.h"

enum { MUTUAL_PAGE = 100 };

static enum err hierarchy_again(struct hs *hs, struct req *req, bool is_time_up);

struct walk {
    struct hs *hs;
    struct req *req;
    struct map seen;
    struct json *rooms;
    bool suggested_only;
    int64_t max_depth, skip, limit;
    int64_t met;      /* rooms told or skipped */
    bool more, waits; /* waits: for another server, and then it begins anew */
};

/* What is still to be visited, deepest last. */
struct place {
    struct str room_id;
    struct strs via; /* servers to ask when the room is not here */
    int64_t depth;
};
struct places {
    struct place at[HIERARCHY_ROOMS_MAX];
    size_t n;
};

/* One room more. True: it is on this page. */
static bool meet(struct walk *w)
{
    w->more = w->met >= w->skip + w->limit;
    w->met++;
    return w->met > w->skip && !w->more;
}

static void put_place(const struct walk *w, struct places *places, struct place place)
{
    if (place.depth <= w->max_depth && places->n < HIERARCHY_ROOMS_MAX) {
        places->at[places->n] = place;
        places->n++;
    }
}

/* Tells the room, and puts its children on the list, the first one last. */
static enum err visit(struct walk *w, const struct room *room, int64_t depth, struct places *places)
{
    struct space_children *children;
    TRY(space_children(w->hs, w->req->a, room, w->suggested_only, &children));
    if (meet(w)) {
        TRY(space_put(w->hs, w->req->a, room, children, json_push_object(w->rooms)));
    }
    for (size_t n = children->n; n > 0; n--) {
        const struct space_child *child = &children->at[n - 1];
        struct strs via = elsewhere_via(w->req->a, json_get_array(child->s->ev->content, "via"));
        put_place(w, places, (struct place){child->room_id, via, depth + 1});
    }
    return ERR_NONE;
}

static bool is_wanted(const struct walk *w, const struct json *child)
{
    return mxid_is_room(json_get_text(child, "state_key")) &&
           (!w->suggested_only ||
            json_get_bool(json_get_object(child, "content"), "suggested", false));
}

/* The same for a room of which another server told. */
static void visit_told(struct walk *w, const struct json *room, int64_t depth,
                       struct places *places)
{
    const struct json *children = json_get_array(room, "children_state");
    const struct json *wanted[HIERARCHY_CHILDREN_MAX] = {NULL};
    size_t n = 0;
    if (meet(w)) {
        json_push(w->rooms, json_copy(w->req->a, room));
    }
    for (const struct json *x = json_first(children); x != NULL && n < COUNT_OF(wanted);
         x = json_next(x)) {
        if (is_wanted(w, x)) {
            wanted[n] = x;
            n++;
        }
    }
    for (; n > 0; n--) {
        const struct json *child = wanted[n - 1];
        const struct json *via = json_get_array(json_get_object(child, "content"), "via");
        put_place(w, places,
                  (struct place){json_get_text(child, "state_key"), elsewhere_via(w->req->a, via),
                                 depth + 1});
    }
}

/* *room NULL: not here, or (*is_here) closed to the user. */
static enum err find_open(struct hs *hs, const struct req *req, struct str room_id,
                          struct room **room, bool *is_here)
{
    bool open = false;
    *is_here = false;
    *room = NULL;
    enum err err = room_find(hs, room_id, room);
    if (err == ERR_ABSENT) {
        return ERR_NONE;
    }
    TRY(err);
    *is_here = (*room)->snapshot != 0;
    if (*is_here) {
        TRY(room_summary_is_open(hs, *room, req->user, &open));
    }
    *room = open ? *room : NULL;
    return ERR_NONE;
}

static enum err visit_place(struct walk *w, const struct place *place, struct places *places)
{
    struct room *room;
    struct json *told;
    bool is_here;
    TRY(find_open(w->hs, w->req, place->room_id, &room, &is_here));
    if (room != NULL) {
        return visit(w, room, place->depth, places);
    }
    if (is_here) {
        return ERR_NONE;
    }
    TRY(elsewhere_room(w->hs, w->req, place->room_id, place->via, hierarchy_again, &told,
                       &w->waits));
    if (told != NULL) {
        visit_told(w, told, place->depth, places);
    }
    return ERR_NONE;
}

static enum err walk_on(struct walk *w, struct places *places)
{
    size_t looked_at = 0;
    while (places->n > 0 && !w->more && !w->waits && looked_at < HIERARCHY_ROOMS_MAX) {
        places->n--;
        struct place place = places->at[places->n];
        if (map_get(&w->seen, place.room_id) != NULL) {
            continue;
        }
        map_put(&w->seen, place.room_id, w);
        looked_at++;
        TRY(visit_place(w, &place, places));
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

/* Servers that the client names, and the room id's own. */
static struct strs via_of(struct req *req, struct str room_id)
{
    struct strs named = http_query_all(req->a, req->head->query, STR("via"));
    struct str *at = arena_array(req->a, named.n + 1, sizeof(*at));
    size_t n = 0;
    for (; n < named.n; n++) {
        at[n] = named.at[n];
    }
    at[n] = mxid_server(room_id);
    n += at[n].n > 0;
    return (struct strs){at, n};
}

enum err hierarchy_get(struct hs *hs, struct req *req)
{
    struct walk w = {.hs = hs, .req = req};
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
    struct json *out = json_object(req->a);
    w.rooms = json_put_array(out, STR("rooms"));
    map_init_in(&w.seen, req->a);
    put_place(&w, places, (struct place){req->params[0], via_of(req, req->params[0]), 0});
    TRY(walk_on(&w, places));
    if (w.waits) {
        return ERR_NONE;
    }
    if (w.met == 0) {
        return reply_forbidden(req, "you may not look into that room, or nobody tells of it");
    }
    if (w.more) {
        json_put_text(out, "next_batch", token_of(&w));
    }
    return reply_json(req, out);
}

static enum err hierarchy_again(struct hs *hs, struct req *req, bool is_time_up)
{
    (void)is_time_up;
    return hierarchy_get(hs, req);
}

/* --- one room ----------------------------------------------------------------------------- */

static enum err room_summary_again(struct hs *hs, struct req *req, bool is_time_up)
{
    (void)is_time_up;
    return room_summary_get(hs, req);
}

static enum err put_membership(struct hs *hs, struct req *req, struct str room_id, struct json *out)
{
    struct str membership = STR_ABSENT;
    struct room *room;
    if (req->user == 0) {
        return ERR_NONE;
    }
    enum err err = room_find(hs, room_id, &room);
    if (err == ERR_NONE) {
        err = current_membership(hs, req->user, room->nid, req->a, &membership, NULL);
    }
    json_put_text(out, "membership", membership.p == NULL ? STR("leave") : membership);
    return err == ERR_ABSENT ? ERR_NONE : err;
}

enum err room_summary_get(struct hs *hs, struct req *req)
{
    struct str room_id = req->params[0];
    struct room *room;
    struct json *told = NULL;
    bool is_here;
    bool asked = false;
    if (room_id.n > 0 && room_id.p[0] == '#') {
        TRY(store_get_str(hs->store, req->a, &room_id, STMT_ALIAS_GET, "t", req->params[0]));
    } else if (!mxid_is_room(room_id)) {
        return reply_error(req, 400, "M_INVALID_PARAM", "this is neither a room id nor an alias");
    }
    TRY(find_open(hs, req, room_id, &room, &is_here));
    if (room != NULL) {
        told = json_object(req->a);
        TRY(room_summary_put(hs, req->a, room, told));
    } else if (!is_here && room_id.n > 0) {
        TRY(elsewhere_room(hs, req, room_id, via_of(req, room_id), room_summary_again, &told,
                           &asked));
    }
    if (asked) {
        return ERR_NONE;
    }
    if (told == NULL) {
        return reply_not_found(req, "nobody tells of such a room, or it is closed to you");
    }
    json_remove(told, STR("children_state"));
    TRY(put_membership(hs, req, room_id, told));
    return reply_json(req, told);
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

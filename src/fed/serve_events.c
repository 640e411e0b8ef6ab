/* Giving events away. */
#include "fed/serve_events.h"

#include "base/map.h"
#include "engine/visible.h"
#include "fed/asked_room.h"
#include "fed/chain.h"

enum { BACKFILL_MAX = 100, WALK_MAX = 1000, NEAREST_MAX = 32 };

static struct json *envelope(struct hs *hs, struct req *req)
{
    struct json *out = json_object(req->a);
    json_put_text(out, "origin", hs->identity.server);
    json_put_int(out, "origin_server_ts", hs->now.unix_ms);
    return out;
}

/* As the server that asks may see it. */
static enum err push(struct hs *hs, struct req *req, const struct stored *s, struct json *out)
{
    struct json *pdu;
    TRY(visible_pdu(hs, req->a, s, req->origin_name, req->origin, &pdu));
    json_push(out, pdu);
    return ERR_NONE;
}

/* The stored event of that id in that room, *s NULL and the refusal set otherwise. */
static enum err event_of_room(struct hs *hs, struct req *req, struct room *room, struct str id,
                              struct stored **s)
{
    enum err err = event_find(hs, id, s);
    if (err == ERR_ABSENT || (err == ERR_NONE && (*s)->room != room->nid)) {
        *s = NULL;
        return reply_not_found(req, "there is no such event");
    }
    return err;
}

enum err fed_event_get(struct hs *hs, struct req *req)
{
    struct stored *s;
    struct room *room;
    enum err err = event_find(hs, req->params[0], &s);
    if (err == ERR_ABSENT || (err == ERR_NONE && s->status == EVENT_REJECTED)) {
        return reply_not_found(req, "there is no such event");
    }
    TRY(err);
    TRY(room_get(hs, s->room, &room));
    req->params[0] = room->id;
    TRY(asked_room_of_member(hs, req, &room));
    if (room == NULL) {
        return ERR_NONE;
    }
    struct json *out = envelope(hs, req);
    TRY(push(hs, req, s, json_put_array(out, STR("pdus"))));
    return reply_json(req, out);
}

static enum err state(struct hs *hs, struct req *req, bool only_ids)
{
    struct room *room;
    struct stored *s;
    struct str event_id = req_query(req, "event_id");
    if (str_is_absent(event_id)) {
        return reply_error(req, 400, "M_MISSING_PARAM", "event_id says at which event");
    }
    TRY(asked_room_of_witness(hs, req, (struct strs){&event_id, 1}, &room));
    if (room == NULL) {
        return ERR_NONE;
    }
    TRY(event_of_room(hs, req, room, event_id, &s));
    if (s == NULL) {
        return ERR_NONE;
    }
    if (s->is_outlier || s->status == EVENT_REJECTED ||
        (s->before == 0 && s->ev->prev_events.n > 0)) {
        return reply_not_found(req, "the state at that event is not known here");
    }
    struct json *out = json_object(req->a);
    struct json *pdus = json_put_array(out, only_ids ? STR("pdu_ids") : STR("pdus"));
    struct json *chain = json_put_array(out, only_ids ? STR("auth_chain_ids") : STR("auth_chain"));
    TRY(chain_of_state(hs, req->a, s->before, pdus, chain, only_ids));
    return reply_json(req, out);
}

enum err fed_state_get(struct hs *hs, struct req *req)
{
    return state(hs, req, false);
}

enum err fed_state_ids_get(struct hs *hs, struct req *req)
{
    return state(hs, req, true);
}

enum err fed_event_auth_get(struct hs *hs, struct req *req)
{
    struct room *room;
    struct stored *s;
    TRY(asked_room_of_witness(hs, req, (struct strs){&req->params[1], 1}, &room));
    if (room == NULL) {
        return ERR_NONE;
    }
    TRY(event_of_room(hs, req, room, req->params[1], &s));
    if (s == NULL) {
        return ERR_NONE;
    }
    struct json *out = json_object(req->a);
    struct json *chain = json_put_array(out, STR("auth_chain"));
    TRY(chain_of_events(hs, req->a, &s->ev->id, 1, chain, false));
    return reply_json(req, out);
}

/* The event nearest to a time that the server may see; *s NULL: there is none. */
static enum err nearest(struct hs *hs, struct req *req, const struct room *room, bool forwards,
                        struct stored **s)
{
    int64_t nids[NEAREST_MAX];
    size_t n = 0;
    struct query q;
    bool visible = false;
    query_start(&q, hs->store, forwards ? STMT_TIME_FORWARD : STMT_TIME_BACK, "iii", room->nid,
                req_query_int(req, "ts", 0), (int64_t)NEAREST_MAX);
    while (n < NEAREST_MAX && query_next(&q)) {
        nids[n] = query_int(&q, 0);
        n++;
    }
    TRY(query_end(&q));
    *s = NULL;
    for (size_t i = 0; i < n && !visible; i++) {
        TRY(event_get(hs, nids[i], s));
        TRY(visible_to_server(hs, *s, req->origin_name, req->origin, &visible));
    }
    *s = visible ? *s : NULL;
    return ERR_NONE;
}

enum err fed_event_at_get(struct hs *hs, struct req *req)
{
    struct room *room;
    struct stored *s;
    struct str dir = req_query(req, "dir");
    TRY(asked_room_of_member(hs, req, &room));
    if (room == NULL) {
        return ERR_NONE;
    }
    bool forwards = str_eq(dir, STR("f"));
    if (req_query(req, "ts").n == 0 || (!forwards && !str_eq(dir, STR("b")))) {
        return reply_error(req, 400, "M_INVALID_PARAM", "this wants 'ts', and 'dir' f or b");
    }
    TRY(nearest(hs, req, room, forwards, &s));
    if (s == NULL) {
        return reply_not_found(req, "there is no event on that side of that time");
    }
    struct json *out = json_object(req->a);
    json_put_text(out, "event_id", s->ev->id);
    json_put_int(out, "origin_server_ts", s->ev->origin_server_ts);
    return reply_json(req, out);
}

/* --- walking back ------------------------------------------------------------------------- */

struct walk {
    struct map seen;
    struct str queue[WALK_MAX];
    size_t head, tail;
    size_t skip;       /* the first ones are known to who asks */
    int64_t min_depth; /* what lies deeper is neither given nor followed */
};

static void visit(struct walk *w, struct req *req, struct str id)
{
    if (w->tail < WALK_MAX && map_get(&w->seen, id) == NULL) {
        map_put(&w->seen, id, req);
        w->queue[w->tail] = id;
        w->tail++;
    }
}

static struct walk *walk_new(struct req *req)
{
    struct walk *w = ARENA_NEW(req->a, struct walk);
    map_init_in(&w->seen, req->a);
    return w;
}

/* Breadth first through prev_events; gives at most limit events. */
static enum err walk(struct hs *hs, struct req *req, struct walk *w, const struct room *room,
                     size_t limit, struct json *out)
{
    for (; w->head < w->tail && json_count(out) < limit; w->head++) {
        struct stored *s;
        enum err err = event_find(hs, w->queue[w->head], &s);
        if (err == ERR_ABSENT) {
            continue;
        }
        TRY(err);
        if (s->room != room->nid || s->is_outlier || s->ev->depth < w->min_depth) {
            continue;
        }
        if (w->head >= w->skip && s->status != EVENT_REJECTED) {
            TRY(push(hs, req, s, out));
        }
        for (size_t i = 0; i < s->ev->prev_events.n; i++) {
            visit(w, req, s->ev->prev_events.at[i]);
        }
    }
    return ERR_NONE;
}

enum err fed_backfill_get(struct hs *hs, struct req *req)
{
    struct room *room;
    TRY(asked_room_of_member(hs, req, &room));
    if (room == NULL) {
        return ERR_NONE;
    }
    int64_t limit = req_query_int(req, "limit", BACKFILL_MAX);
    struct strs from = http_query_all(req->a, req->head->query, STR("v"));
    if (limit < 1 || from.n == 0) {
        return reply_error(req, 400, "M_MISSING_PARAM",
                           "backfill wants 'v' and a positive 'limit'");
    }
    struct walk *w = walk_new(req);
    for (size_t i = 0; i < from.n; i++) {
        visit(w, req, from.at[i]);
    }
    struct json *out = envelope(hs, req);
    struct json *pdus = json_put_array(out, STR("pdus"));
    TRY(walk(hs, req, w, room, limit > BACKFILL_MAX ? BACKFILL_MAX : (size_t)limit, pdus));
    return reply_json(req, out);
}

static struct strs texts_of(struct req *req, const struct json *list)
{
    struct str *at = arena_array(req->a, json_count(list) + 1, sizeof(*at));
    struct strs out = {at, 0};
    for (const struct json *e = json_first(list); e != NULL && out.n < WALK_MAX; e = json_next(e)) {
        at[out.n++] = json_text(e);
    }
    return out;
}

enum err fed_missing_post(struct hs *hs, struct req *req)
{
    struct room *room;
    const struct json *latest = json_get_array(req->body, "latest_events");
    TRY(asked_room_of_witness(hs, req, texts_of(req, latest), &room));
    if (room == NULL) {
        return ERR_NONE;
    }
    int64_t limit = json_get_int(req->body, "limit", 10);
    limit = limit < 1 ? 1 : (limit > MISSING_EVENTS_MAX ? MISSING_EVENTS_MAX : limit);
    struct walk *w = walk_new(req);
    const struct json *known = json_get_array(req->body, "earliest_events");
    for (const struct json *e = json_first(known); e != NULL; e = json_next(e)) {
        if (json_text(e).n > 0) {
            map_put(&w->seen, json_text(e), req);
        }
    }
    for (const struct json *e = json_first(latest); e != NULL; e = json_next(e)) {
        if (json_text(e).n > 0) {
            visit(w, req, json_text(e));
        }
    }
    w->skip = w->tail;
    w->min_depth = json_get_int(req->body, "min_depth", 0);
    struct json *out = json_object(req->a);
    struct json *newest_first = json_array(req->a);
    TRY(walk(hs, req, w, room, (size_t)limit, newest_first));
    struct json *events = json_put_array(out, STR("events"));
    struct json *reversed[MISSING_EVENTS_MAX];
    size_t n = 0;
    for (struct json *e = json_first(newest_first); e != NULL; e = json_next(e)) {
        reversed[n] = e;
        n++;
    }
    for (; n > 0; n--) {
        json_push(events, json_copy(req->a, reversed[n - 1]));
    }
    return reply_json(req, out);
}

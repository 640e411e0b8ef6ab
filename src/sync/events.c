/* GET /events: the news that /sync tells, as one list in the order of the stream (client-server
 * API, "Listen on the event stream"). Deprecated; clients use it to look into rooms that anybody
 * may read. Values (receipts, presence, own data) are told as they are now. */
#include "sync/events.h"

#include "engine/client_event.h"
#include "engine/token.h"
#include "engine/visible.h"
#include "sync/stream.h"

#include <stdlib.h>

enum { CHUNK_MAX = 100 }; /* timeline events of one answer */

struct ask {
    int64_t from;
    int64_t room; /* 0: all those of the reader */
};

struct row {
    int64_t position, event;
};

struct look {
    struct sync s;
    struct row *rows; /* of the timelines, of all rooms */
    size_t n, cap;
    struct json *chunk;
};

static void add_row(struct look *l, int64_t position, int64_t event)
{
    if (l->n == l->cap) {
        size_t cap = l->cap == 0 ? CHUNK_MAX + 1 : 2 * l->cap;
        struct row *rows = arena_array(l->s.a, cap, sizeof(*rows));
        for (size_t i = 0; i < l->n; i++) {
            rows[i] = l->rows[i];
        }
        l->rows = rows;
        l->cap = cap;
    }
    l->rows[l->n] = (struct row){position, event};
    l->n++;
}

static enum err add_timeline(struct look *l, int64_t room)
{
    struct query q;
    query_start(&q, l->s.hs->store, STMT_TIMELINE_FORWARD, "iii", room, l->s.since,
                (int64_t)CHUNK_MAX + 1);
    while (query_next(&q)) {
        add_row(l, query_int(&q, 1), query_int(&q, 0));
    }
    return query_end(&q);
}

/* Moves what a stream put under `key` into the chunk. */
static void take(struct look *l, struct json *part, const char *key, struct str room_id)
{
    const struct json *events = json_get_array(json_get(part, str_of(key)), "events");
    for (const struct json *e = json_first(events); e != NULL; e = json_next(e)) {
        struct json *event = json_copy(l->s.a, e);
        struct json *content = json_get(event, STR("content"));
        json_put_text(event, "room_id", room_id);
        if (str_is_absent(room_id) && json_get(event, STR("sender")) != NULL) {
            json_put_text(content, "user_id", json_get_text(event, "sender"));
        }
        json_push(l->chunk, event);
    }
}

/* Inside: what came, who types, what was read, own data. Outside: one's own invite or leave. */
static enum err look_into(struct look *l, int64_t nid)
{
    struct sync_member member;
    struct room *room;
    TRY(sync_member_get(&l->s, nid, &member));
    TRY(room_get(l->s.hs, nid, &room));
    if (nid != l->s.peeked && !str_eq(member.word, STR("join"))) {
        if (member.position > l->s.since && member.event != 0) {
            add_row(l, member.position, member.event);
        }
        return ERR_NONE;
    }
    struct sync_room r = {.room = room, .is_joined = true, .since = l->s.since, .upto = l->s.upto};
    r.json = json_object(l->s.a);
    TRY(add_timeline(l, nid));
    TRY(ephemeral_put(&l->s, &r));
    TRY(account_data_put_room(&l->s, &r));
    take(l, r.json, "ephemeral", room->id);
    take(l, r.json, "account_data", room->id);
    return ERR_NONE;
}

static int compare(const void *a, const void *b)
{
    const struct row *x = a;
    const struct row *y = b;
    return (x->position > y->position) - (x->position < y->position);
}

/* The oldest rows that fit; what is left is told after *end. */
static enum err put_rows(struct look *l, struct json *chunk, int64_t *end)
{
    struct client_view view = {.user = l->s.user, .device_id = l->s.device_id};
    size_t n = l->n > CHUNK_MAX ? CHUNK_MAX : l->n;
    if (l->n > 0) {
        qsort(l->rows, l->n, sizeof(*l->rows), compare);
    }
    *end = l->n > n ? l->rows[n - 1].position : l->s.upto;
    for (size_t i = 0; i < n; i++) {
        struct stored *ev;
        struct json *event;
        bool shown;
        TRY(event_get(l->s.hs, l->rows[i].event, &ev));
        shown = event_is(ev->ev, STR("m.room.member"), l->s.user_id); /* an invite, say */
        if (!shown) {
            TRY(timeline_shows(&l->s, ev, &shown));
        }
        if (shown && ev->status == EVENT_ACCEPTED) {
            TRY(client_event(l->s.hs, l->s.a, ev, &view, &event));
            json_push(chunk, event);
        }
    }
    return ERR_NONE;
}

static enum err look_at_all(struct look *l)
{
    struct numbers rooms = {0};
    if (l->s.peeked != 0) {
        numbers_add(l->s.a, &rooms, l->s.peeked);
    } else {
        TRY(rooms_with_news(&l->s, &rooms));
        TRY(account_data_changed(&l->s));
    }
    for (size_t i = 0; i < rooms.n; i++) {
        TRY(look_into(l, rooms.at[i]));
    }
    TRY(presence_changed(&l->s));
    take(l, l->s.out, "account_data", STR_ABSENT);
    take(l, l->s.out, "presence", STR_ABSENT);
    return ERR_NONE;
}

static enum err evaluate(struct hs *hs, const struct req *req, struct json **out, bool *news)
{
    const struct ask *ask = req->ctx;
    struct sync_filter everything = {0};
    struct look l = {0};
    int64_t end;
    TRY(sync_open(&l.s, hs, req, ask->from, &everything));
    l.s.peeked = ask->room;
    l.chunk = json_array(l.s.a);
    TRY(look_at_all(&l));
    struct json *chunk = json_array(l.s.a);
    TRY(put_rows(&l, chunk, &end));
    for (const struct json *e = json_first(l.chunk); e != NULL; e = json_next(e)) {
        json_push(chunk, json_copy(l.s.a, e));
    }
    *news = json_count(chunk) > 0 || end < l.s.upto; /* a page of what is not his to see */
    *out = json_object(l.s.a);
    json_put_text(*out, "start", token_write(hs, l.s.a, ask->from));
    json_put_text(*out, "end", token_write(hs, l.s.a, end));
    json_put(*out, STR("chunk"), chunk);
    return ERR_NONE;
}

/* The room that is asked for must be open, or the reader's. */
static enum err may_look(struct hs *hs, struct req *req, const struct room *room, bool *may)
{
    int64_t joined;
    TRY(visible_to_all(hs, room, may));
    if (!*may) {
        TRY(store_get_int(hs->store, &joined, 0, STMT_MEMBER_IS_JOINED, "ii", req->user,
                          room->nid));
        *may = joined != 0;
    }
    return *may ? ERR_NONE : reply_forbidden(req, "you are not in that room");
}

static enum err resume(struct hs *hs, struct req *req, bool is_time_up)
{
    const struct ask *ask = req->ctx;
    struct room *room;
    struct json *out;
    bool ok;
    bool news;
    TRY(sync_is_logged_in(hs, req, &ok));
    if (ok && ask->room != 0) {
        TRY(room_get(hs, ask->room, &room));
        TRY(may_look(hs, req, room, &ok));
    }
    if (!ok) {
        return ERR_NONE;
    }
    TRY(evaluate(hs, req, &out, &news));
    return news || is_time_up ? reply_json(req, out) : ERR_NONE;
}

static enum err read_room(struct hs *hs, struct req *req, struct ask *ask, bool *ok)
{
    struct room *room;
    struct str room_id = req_query(req, "room_id");
    *ok = false;
    if (str_is_absent(room_id)) {
        *ok = !req->is_guest;
        return *ok ? ERR_NONE
                   : reply_error(req, 403, "M_GUEST_ACCESS_FORBIDDEN",
                                 "guests name the room that they want to look into: room_id");
    }
    enum err err = room_find(hs, room_id, &room);
    if (err == ERR_ABSENT) {
        return reply_forbidden(req, "you are not in that room, or it is not here");
    }
    TRY(err);
    ask->room = room->nid;
    return may_look(hs, req, room, ok);
}

enum err events_get(struct hs *hs, struct req *req)
{
    struct ask *ask = ARENA_NEW(req->a, struct ask);
    struct str from = req_query(req, "from");
    int64_t timeout_ms = req_query_int(req, "timeout", 0);
    struct json *out;
    bool ok;
    bool news;
    req->ctx = ask;
    ask->from = store_position(hs->store);
    if ((!str_is_empty(from) && !token_parse(hs, from, &ask->from)) || timeout_ms < 0) {
        return reply_error(req, 400, "M_INVALID_PARAM",
                           "'from' or 'timeout' is not what it may be");
    }
    TRY(read_room(hs, req, ask, &ok));
    if (!ok) {
        return ERR_NONE;
    }
    TRY(evaluate(hs, req, &out, &news));
    if (news || timeout_ms == 0) {
        return reply_json(req, out);
    }
    req->watched = ask->room;
    return sync_wait(hs, req, resume, timeout_ms);
}

/* Rooms as they are now, with the newest messages (client-server API, deprecated). */
#include "client/initial_sync.h"

#include "base/numbers.h"
#include "client/history.h"
#include "client/page.h"
#include "engine/account_data.h"
#include "engine/presence.h"
#include "engine/receipts.h"
#include "engine/token.h"

enum { MESSAGES_DEFAULT = 20, OLD_ROOMS_MAX = 1000 };

static const struct event_filter everything;

static size_t limit_of(struct req *req)
{
    int64_t limit = req_query_int(req, "limit", MESSAGES_DEFAULT);
    return limit < 0 ? 0 : (limit > MESSAGES_MAX ? MESSAGES_MAX : (size_t)limit);
}

/* The newest events, oldest first. */
static enum err put_messages(struct hs *hs, struct req *req, const struct access *access,
                             struct json *out)
{
    struct page page;
    TRY(page_read(hs, req, access, access->position, true, limit_of(req), &everything, &page));
    struct json *messages = json_put_object(out, STR("messages"));
    json_put_text(messages, "start", token_write(hs, req->a, page.end));
    json_put_text(messages, "end", token_write(hs, req->a, page.start));
    struct json *chunk = json_put_array(messages, STR("chunk"));
    size_t n = json_count(page.chunk);
    struct json **newest_first = arena_array(req->a, n + 1, sizeof(*newest_first));
    size_t i = 0;
    for (struct json *e = json_first(page.chunk); e != NULL; e = json_next(e)) {
        newest_first[i] = e;
        i++;
    }
    for (; i > 0; i--) {
        json_push(chunk, json_copy(req->a, newest_first[i - 1]));
    }
    return ERR_NONE;
}

static enum err put_presence(struct hs *hs, struct req *req, enum stmt stmt, int64_t of,
                             struct json *out)
{
    struct query q;
    struct numbers users = {0};
    query_start(&q, hs->store, stmt, "ii", of, (int64_t)PRESENCE_TOLD_MAX);
    while (query_next(&q)) {
        numbers_add(req->a, &users, query_int(&q, 0));
    }
    TRY(query_end(&q));
    for (size_t i = 0; i < users.n; i++) {
        struct str user_id;
        struct json *event;
        TRY(store_name_text(hs->store, req->a, users.at[i], &user_id));
        TRY(presence_event(hs, req->a, users.at[i], user_id, &event));
        json_put_text(json_get(event, STR("content")), "user_id", user_id);
        json_push(out, event);
    }
    return ERR_NONE;
}

static enum err put_receipts(struct hs *hs, struct req *req, const struct room *room,
                             struct json *out)
{
    struct json *content;
    struct receipts_ask ask = {.room = room->nid, .reader = req->user};
    TRY(receipts_content(hs, req->a, &ask, &content));
    if (content != NULL) {
        struct json *event = json_push_object(out);
        json_put_text(event, "type", STR("m.receipt"));
        json_put_text(event, "room_id", room->id);
        json_put(event, STR("content"), content);
    }
    return ERR_NONE;
}

static enum err put_account_data(struct hs *hs, struct req *req, int64_t room, struct json *out)
{
    struct account_data_ask ask = {req->user, room, 0, &everything};
    return account_data_list(hs, req->a, &ask, json_put_array(out, STR("account_data")));
}

/* What both answers tell of a room. */
static enum err put_room(struct hs *hs, struct req *req, const struct access *access,
                         struct json *out)
{
    struct page_state_ask whole = {0};
    json_put_text(out, "room_id", access->room->id);
    json_put_text(out, "membership", access->membership);
    json_put_text(out, "visibility", access->room->is_published ? STR("public") : STR("private"));
    TRY(put_messages(hs, req, access, out));
    TRY(page_state(hs, req, access, &whole, json_put_array(out, STR("state"))));
    return put_account_data(hs, req, access->room->nid, out);
}

enum err room_initial_sync_get(struct hs *hs, struct req *req)
{
    struct access access;
    bool ok;
    TRY(access_read(hs, req, &access, &ok));
    if (!ok) {
        return ERR_NONE;
    }
    struct json *out = json_object(req->a);
    TRY(put_room(hs, req, &access, out));
    struct json *presence = json_put_array(out, STR("presence"));
    struct json *receipts = json_put_array(out, STR("receipts"));
    if (!access.is_past) { /* who left is told nothing that is newer */
        TRY(put_presence(hs, req, STMT_PRESENCE_IN_ROOM, access.room->nid, presence));
        TRY(put_receipts(hs, req, access.room, receipts));
    }
    return reply_json(req, out);
}

/* --- all rooms -------------------------------------------------------------------------------- */

static enum err put_invite(struct hs *hs, struct req *req, const struct room *room,
                           struct json *rooms)
{
    struct query q;
    struct stored *s;
    struct json *event;
    struct client_view view = {.user = req->user, .device_id = req->device_id};
    TRY(query_one(&q, hs->store, STMT_MEMBER_GET, "ii", req->user, room->nid));
    int64_t nid = query_int(&q, 1);
    TRY(query_end(&q));
    struct json *out = json_push_object(rooms);
    json_put_text(out, "room_id", room->id);
    json_put_text(out, "membership", STR("invite"));
    if (nid != 0) {
        TRY(event_get(hs, nid, &s));
        TRY(client_event(hs, req->a, s, &view, &event));
        json_put(out, STR("invite"), event);
    }
    return ERR_NONE;
}

static enum err put_one(struct hs *hs, struct req *req, int64_t nid, struct json *out)
{
    struct room *room;
    struct access access;
    bool ok;
    bool archived = str_eq(req_query(req, "archived"), STR("true"));
    TRY(room_get(hs, nid, &room));
    TRY(access_room(hs, req, room, &access, &ok));
    if (str_eq(access.membership, STR("invite"))) {
        return put_invite(hs, req, room, json_get(out, STR("rooms")));
    }
    if (!ok || (!access.is_joined && !archived)) {
        return ERR_NONE;
    }
    TRY(put_room(hs, req, &access, json_push_object(json_get(out, STR("rooms")))));
    return access.is_joined ? put_receipts(hs, req, room, json_get(out, STR("receipts")))
                            : ERR_NONE;
}

enum err initial_sync_get(struct hs *hs, struct req *req)
{
    struct query q;
    struct numbers rooms = {0};
    struct json *out = json_object(req->a);
    json_put_text(out, "end", token_write(hs, req->a, store_position(hs->store)));
    (void)json_put_array(out, STR("rooms"));
    (void)json_put_array(out, STR("receipts"));
    query_start(&q, hs->store, STMT_MEMBER_ROOMS, "i", req->user);
    while (rooms.n < OLD_ROOMS_MAX && query_next(&q)) {
        if (query_int(&q, 4) == 0) { /* not forgotten */
            numbers_add(req->a, &rooms, query_int(&q, 0));
        }
    }
    TRY(query_end(&q));
    for (size_t i = 0; i < rooms.n; i++) {
        TRY(put_one(hs, req, rooms.at[i], out));
    }
    struct json *presence = json_put_array(out, STR("presence"));
    TRY(put_presence(hs, req, STMT_PRESENCE_SHARED, req->user, presence));
    TRY(put_account_data(hs, req, 0, out));
    return reply_json(req, out);
}

enum err event_any_get(struct hs *hs, struct req *req)
{
    struct stored *s;
    struct room *room;
    enum err err = event_find(hs, req->params[0], &s);
    if (err == ERR_ABSENT) {
        return reply_not_found(req, "there is no such event, or you may not see it");
    }
    TRY(err);
    TRY(room_get(hs, s->room, &room));
    req->params[1] = req->params[0];
    req->params[0] = room->id;
    return event_one_get(hs, req);
}

/* Receipts: rows that only go forward. */
#include "engine/receipts.h"

#include "engine/current.h"
#include "engine/edu_in.h"
#include "engine/outbox.h"
#include "engine/publish.h"
#include "event/mxid.h"

bool receipt_is_thread(struct str thread)
{
    return str_eq(thread, STR("main")) || mxid_is_event(thread);
}

/* Does it go back? An event that is not here counts as new. */
static enum err is_behind(struct hs *hs, const struct receipt *r, int64_t user, int64_t position,
                          bool *behind)
{
    struct query q;
    *behind = false;
    enum err err =
        query_one(&q, hs->store, STMT_RECEIPT_GET, "itit", r->room->nid, r->type, user, r->thread);
    if (err == ERR_ABSENT) {
        return ERR_NONE;
    }
    TRY(err);
    int64_t old = query_int(&q, 1);
    *behind = str_eq(query_str(&q, hs->turn, 0), r->event_id) || (position != 0 && position < old);
    return query_end(&q);
}

/* Who reads in many threads is remembered in the last of them. */
static enum err forget_old_threads(struct hs *hs, const struct receipt *r, int64_t user)
{
    return r->thread.n == 0 ? ERR_NONE
                            : store_run(hs->store, STMT_RECEIPT_TRIM, "itii", r->room->nid, r->type,
                                        user, (int64_t)RECEIPT_THREADS_MAX);
}

enum err receipt_put(struct hs *hs, const struct receipt *r, bool *moved)
{
    struct stored *ev = NULL;
    int64_t user;
    int64_t position;
    bool behind;
    *moved = false;
    enum err err = event_find(hs, r->event_id, &ev);
    if (err != ERR_ABSENT) {
        TRY(err);
    }
    bool is_here = err == ERR_NONE && ev->room == r->room->nid && ev->has_position;
    int64_t at = is_here ? ev->position : 0;
    TRY(store_name(hs->store, r->user_id, &user));
    TRY(is_behind(hs, r, user, at, &behind));
    if (behind) {
        return ERR_NONE;
    }
    TRY(store_position_next(hs->store, &position));
    TRY(store_run(hs->store, STMT_RECEIPT_PUT, "itittiii", r->room->nid, r->type, user, r->thread,
                  r->event_id, at, r->ts, position));
    TRY(forget_old_threads(hs, r, user));
    TRY(room_touch(hs, r->room, position));
    *moved = true;
    return publish_room_news(hs, r->room->nid);
}

static enum err tell(struct hs *hs, const struct receipt *r)
{
    struct json *content = json_object(hs->turn);
    struct json *of_type = json_put_object(json_put_object(content, r->room->id), r->type);
    struct json *receipt = json_put_object(of_type, r->user_id);
    json_push_text(json_put_array(receipt, STR("event_ids")), r->event_id);
    struct json *data = json_put_object(receipt, STR("data"));
    json_put_int(data, "ts", r->ts);
    if (r->thread.n > 0) {
        json_put_text(data, "thread_id", r->thread);
    }
    struct str key = arena_fmt(hs->turn, "receipt %lld %.*s %.*s", (long long)r->room->nid,
                               STR_ARG(r->user_id), STR_ARG(r->thread));
    return outbox_edu_room(hs, r->room->nid, STR("m.receipt"), content, key);
}

enum err receipt_send(struct hs *hs, const struct receipt *r)
{
    bool moved;
    TRY(receipt_put(hs, r, &moved));
    return moved && str_eq(r->type, STR("m.read")) ? tell(hs, r) : ERR_NONE;
}

static enum err receive_one(struct hs *hs, struct room *room, const struct json *one)
{
    const struct json *data = json_get_object(one, "data");
    struct str event_id = json_text(json_first(json_get_array(one, "event_ids")));
    struct str thread = json_get_text(data, "thread_id");
    struct str membership;
    int64_t user;
    bool moved;
    if (!mxid_is_event(event_id) || !(thread.p == NULL || receipt_is_thread(thread))) {
        return ERR_NONE;
    }
    TRY(store_name_find(hs->store, json_key(one), &user));
    TRY(store_get_str(hs->store, hs->turn, &membership, STMT_MEMBER_GET, "ii", user, room->nid));
    if (!str_eq(membership, STR("join"))) {
        return ERR_NONE;
    }
    struct receipt r = {.room = room,
                        .type = STR("m.read"),
                        .user_id = json_key(one),
                        .thread = thread.p == NULL ? STR("") : thread,
                        .event_id = event_id,
                        .ts = json_get_int(data, "ts", hs->now.unix_ms)};
    return receipt_put(hs, &r, &moved);
}

static enum err receive_room(struct hs *hs, struct str origin, const struct json *of_room,
                             size_t *n)
{
    struct room *room;
    bool is_allowed;
    enum err err = room_find(hs, json_key(of_room), &room);
    if (err == ERR_ABSENT) {
        return ERR_NONE;
    }
    TRY(err);
    TRY(current_allows_server(hs, room, origin, &is_allowed));
    if (!is_allowed) {
        return ERR_NONE;
    }
    for (const struct json *one = json_first(json_get_object(of_room, "m.read"));
         one != NULL && *n < RECEIPTS_MAX; one = json_next(one)) {
        (*n)++;
        if (str_eq(mxid_server(json_key(one)), origin)) {
            TRY(receive_one(hs, room, one));
        }
    }
    return ERR_NONE;
}

enum err receipt_receive(struct hs *hs, struct str origin, const struct json *content)
{
    size_t n = 0;
    for (const struct json *x = json_first(content); x != NULL; x = json_next(x)) {
        TRY(receive_room(hs, origin, x, &n));
    }
    return ERR_NONE;
}

static struct json *child(struct json *parent, struct str key)
{
    struct json *node = json_get(parent, key);
    return node == NULL ? json_put_object(parent, key) : node;
}

enum err receipts_content(struct hs *hs, struct arena *a, const struct receipts_ask *ask,
                          struct json **content)
{
    struct query q;
    *content = NULL;
    query_start(&q, hs->store, STMT_RECEIPT_AFTER, "ii", ask->room, ask->since);
    while (query_next(&q)) {
        struct str type = query_str(&q, a, 0);
        struct str user_id = query_str(&q, a, 1);
        struct str thread = query_str(&q, a, 2);
        if (query_int(&q, 5) != ask->reader &&
            (str_eq(type, STR("m.read.private")) || json_get(ask->ignored, user_id) != NULL)) {
            continue;
        }
        *content = *content == NULL ? json_object(a) : *content;
        struct json *of_event = child(*content, query_str(&q, a, 3));
        struct json *receipt = child(child(of_event, type), user_id);
        json_put_int(receipt, "ts", query_int(&q, 4));
        if (thread.n > 0) {
            json_put_text(receipt, "thread_id", thread);
        }
    }
    return query_end(&q);
}

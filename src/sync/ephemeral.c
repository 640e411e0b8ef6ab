/* Who types in a room, and who has read what. */
#include "sync/stream.h"

#include "engine/typing.h"

static void add(struct sync *s, struct sync_room *r, const char *type, struct json *content)
{
    if (!event_filter_allows(&s->filter->ephemeral, str_of(type), STR_ABSENT, content)) {
        return;
    }
    struct json *event = json_push_object(sync_events(r->json, "ephemeral"));
    json_put_text(event, "type", str_of(type));
    json_put(event, STR("content"), content);
}

static enum err add_typing(struct sync *s, struct sync_room *r)
{
    int64_t position = typing_position(s->hs, r->room->nid);
    if (position == 0 || (!r->is_whole && position <= r->since)) {
        return ERR_NONE;
    }
    struct json *content = json_object(s->a);
    struct json *users = json_put_array(content, STR("user_ids"));
    TRY(typing_list(s->hs, s->a, r->room->nid, users));
    if (!r->is_whole || json_count(users) > 0) {
        add(s, r, "m.typing", content);
    }
    return ERR_NONE;
}

static struct json *child(struct json *parent, struct str key)
{
    struct json *node = json_get(parent, key);
    return node == NULL ? json_put_object(parent, key) : node;
}

/* {event id: {type: {user: {ts, thread_id}}}}; a private receipt is its user's alone. */
static enum err add_receipts(struct sync *s, struct sync_room *r)
{
    struct query q;
    struct json *content = NULL;
    query_start(&q, s->hs->store, STMT_RECEIPT_AFTER, "ii", r->room->nid,
                r->is_whole ? 0 : r->since);
    while (query_next(&q)) {
        struct str type = query_str(&q, s->a, 0);
        struct str user_id = query_str(&q, s->a, 1);
        struct str thread = query_str(&q, s->a, 2);
        if ((str_eq(type, STR("m.read.private")) && query_int(&q, 5) != s->user) ||
            sync_is_ignored(s, user_id)) {
            continue;
        }
        content = content == NULL ? json_object(s->a) : content;
        struct json *of_event = child(content, query_str(&q, s->a, 3));
        struct json *receipt = child(child(of_event, type), user_id);
        json_put_int(receipt, "ts", query_int(&q, 4));
        if (thread.n > 0) {
            json_put_text(receipt, "thread_id", thread);
        }
    }
    TRY(query_end(&q));
    if (content != NULL) {
        add(s, r, "m.receipt", content);
    }
    return ERR_NONE;
}

enum err ephemeral_put(struct sync *s, struct sync_room *r)
{
    if (!event_filter_allows_room(&s->filter->ephemeral, r->room->id)) {
        return ERR_NONE;
    }
    TRY(add_typing(s, r));
    return add_receipts(s, r);
}

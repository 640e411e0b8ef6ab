/* Who types in a room, and who has read what. */
#include "sync/stream.h"

#include "engine/receipts.h"
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

static enum err add_receipts(struct sync *s, struct sync_room *r)
{
    struct json *content;
    struct receipts_ask ask = {r->room->nid, r->is_whole ? 0 : r->since, s->user, s->ignored};
    TRY(receipts_content(s->hs, s->a, &ask, &content));
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

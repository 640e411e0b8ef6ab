/* The user's own data, global and of rooms. */
#include "sync/stream.h"

#include "engine/account_data.h"
#include "engine/push_rules.h"

/* One row into {"events": [...]} under parent. The text was checked when it was written. */
static enum err add(struct sync *s, const struct event_filter *filter, struct json *parent,
                    struct str type, struct str text)
{
    struct json *content;
    if (json_parse(s->a, text, &content, NULL) != ERR_NONE) {
        return ERR_CORRUPT;
    }
    if (event_filter_allows(filter, type, STR_ABSENT, content)) {
        struct json *event = json_push_object(sync_events(parent, "account_data"));
        json_put_text(event, "type", type);
        json_put(event, STR("content"), content);
    }
    return ERR_NONE;
}

static enum err add_rows(struct sync *s, const struct event_filter *filter, struct json *parent,
                         int64_t room, int64_t since)
{
    struct query q;
    enum err err = ERR_NONE;
    query_start(&q, s->hs->store, STMT_ACCOUNT_DATA_ROOM_AFTER, "iii", s->user, room, since);
    while (err == ERR_NONE && query_next(&q)) {
        struct str type = query_str(&q, s->a, 0);
        err = add(s, filter, parent, type, query_str(&q, s->a, 1));
    }
    enum err ended = query_end(&q);
    return err != ERR_NONE ? err : ended;
}

enum err account_data_put_room(struct sync *s, struct sync_room *r)
{
    const struct event_filter *filter = &s->filter->room_account_data;
    if (!event_filter_allows_room(filter, r->room->id)) {
        return ERR_NONE;
    }
    return add_rows(s, filter, r->json, r->room->nid, r->is_whole ? 0 : r->since);
}

enum err account_data_changed(struct sync *s)
{
    TRY(add_rows(s, &s->filter->account_data, s->out, 0, s->since));
    s->has_news = s->has_news || json_get(s->out, STR("account_data")) != NULL;
    return ERR_NONE;
}

enum err account_data_initial(struct sync *s)
{
    struct json *stored;
    TRY(account_data_changed(s));
    TRY(account_data_get(s->hs, s->a, s->user, 0, STR("m.push_rules"), &stored));
    if (stored != NULL) {
        return ERR_NONE;
    }
    struct str defaults = json_str(s->a, push_rules_default(s->a, s->user_id));
    return add(s, &s->filter->account_data, s->out, STR("m.push_rules"), defaults);
}

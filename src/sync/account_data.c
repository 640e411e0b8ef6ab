/* The user's own data, global and of rooms. */
#include "sync/stream.h"

#include "engine/account_data.h"
#include "engine/push_rules.h"

/* Rows of a room, or with room 0 the global ones, into {"events": [...]} under parent. */
static enum err add_rows(struct sync *s, const struct event_filter *filter, struct json *parent,
                         int64_t room, int64_t since)
{
    struct account_data_ask ask = {s->user, room, since, filter};
    struct json *events = json_array(s->a);
    TRY(account_data_list(s->hs, s->a, &ask, events));
    if (json_count(events) > 0) {
        json_put(json_put_object(parent, STR("account_data")), STR("events"), events);
    }
    return ERR_NONE;
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
    if (stored == NULL) {
        account_data_event(&s->filter->account_data, STR("m.push_rules"),
                           push_rules_default(s->a, s->user_id),
                           sync_events(s->out, "account_data"));
    }
    return ERR_NONE;
}

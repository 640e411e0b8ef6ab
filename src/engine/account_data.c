/* Account data: one row a type. */
#include "engine/account_data.h"

#include "engine/gate.h"
#include "engine/unread.h"

enum err account_data_get(struct hs *hs, struct arena *a, int64_t user, int64_t room,
                          struct str type, struct json **out)
{
    struct str text;
    *out = NULL;
    TRY(store_get_str(hs->store, a, &text, STMT_ACCOUNT_DATA_GET, "iit", user, room, type));
    if (text.p == NULL) {
        return ERR_NONE;
    }
    return json_parse(a, text, out, NULL) == ERR_NONE ? ERR_NONE : ERR_CORRUPT;
}

enum err account_data_put(struct hs *hs, int64_t user, int64_t room, struct str type,
                          const struct json *content)
{
    int64_t position;
    struct str text = json_str(hs->turn, content);
    TRY(store_position_next(hs->store, &position));
    TRY(store_run(hs->store, STMT_ACCOUNT_DATA_PUT, "iitti", user, room, type, text, position));
    gate_news(hs, user);
    if (str_eq(type, STR("m.push_rules")) || str_eq(type, STR("m.ignored_user_list"))) {
        unread_forget(hs, user);
    }
    return ERR_NONE;
}

void account_data_event(const struct event_filter *filter, struct str type, struct json *content,
                        struct json *events)
{
    if (event_filter_allows(filter, type, STR_ABSENT, content)) {
        struct json *event = json_push_object(events);
        json_put_text(event, "type", type);
        json_put(event, STR("content"), content);
    }
}

enum err account_data_list(struct hs *hs, struct arena *a, const struct account_data_ask *ask,
                           struct json *events)
{
    struct query q;
    struct json *content;
    bool is_whole = true;
    query_start(&q, hs->store, STMT_ACCOUNT_DATA_ROOM_AFTER, "iii", ask->user, ask->room,
                ask->since);
    while (is_whole && query_next(&q)) {
        struct str type = query_str(&q, a, 0);
        is_whole = json_parse(a, query_str(&q, a, 1), &content, NULL) == ERR_NONE;
        if (is_whole) {
            account_data_event(ask->filter, type, content, events);
        }
    }
    TRY(query_end(&q));
    return is_whole ? ERR_NONE : ERR_CORRUPT;
}

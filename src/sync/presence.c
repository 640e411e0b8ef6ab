/* Presence of the users one shares a room with. */
#include "sync/stream.h"

#include "engine/presence.h"

static enum err add(struct sync *s, int64_t user, struct str user_id)
{
    struct json *content;
    TRY(presence_content(s->hs, s->a, user, &content));
    if (content == NULL ||
        (s->is_initial && str_eq(json_get_text(content, "presence"), STR("offline"))) ||
        !event_filter_allows(&s->filter->presence, STR("m.presence"), user_id, content)) {
        return ERR_NONE;
    }
    struct json *event = json_push_object(sync_events(s->out, "presence"));
    json_put_text(event, "type", STR("m.presence"));
    json_put_text(event, "sender", user_id);
    json_put(event, STR("content"), content);
    return ERR_NONE;
}

struct users {
    int64_t *at;
    size_t n, cap;
};

/* Rows are read whole before the next question is asked. */
static void keep(struct sync *s, struct users *list, int64_t user)
{
    if (list->n == list->cap) {
        size_t cap = list->cap == 0 ? 16 : 2 * list->cap;
        int64_t *at = arena_array(s->a, cap, sizeof(*at));
        for (size_t i = 0; i < list->n; i++) {
            at[i] = list->at[i];
        }
        *list = (struct users){at, list->n, cap};
    }
    list->at[list->n] = user;
    list->n++;
}

/* since 0: of everybody who is not offline. */
static enum err list_changed(struct sync *s, struct users *out)
{
    struct query q;
    query_start(&q, s->hs->store, STMT_PRESENCE_AFTER, "i", s->since);
    while (query_next(&q)) {
        keep(s, out, query_int(&q, 0));
    }
    return query_end(&q);
}

enum err presence_changed(struct sync *s)
{
    struct users users = {0};
    TRY(list_changed(s, &users));
    for (size_t i = 0; i < users.n; i++) {
        struct str user_id;
        int64_t shared = users.at[i] == s->user;
        if (shared == 0) {
            TRY(store_get_int(s->hs->store, &shared, 0, STMT_MEMBER_SHARE_ONE, "ii", s->user,
                              users.at[i]));
        }
        if (shared != 0) {
            TRY(store_name_text(s->hs->store, s->a, users.at[i], &user_id));
            TRY(add(s, users.at[i], user_id));
        }
    }
    s->has_news = s->has_news || json_get(s->out, STR("presence")) != NULL;
    return ERR_NONE;
}

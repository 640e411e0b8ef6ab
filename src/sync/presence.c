/* Presence of the users one shares a room with: what changed, and that of those met by a join. */
#include "sync/stream.h"

#include "engine/presence.h"

static enum err add(struct sync *s, struct map *told, int64_t user, struct str user_id)
{
    struct json *event;
    if (map_get(told, user_id) != NULL) {
        return ERR_NONE;
    }
    map_put(told, user_id, s);
    TRY(presence_event(s->hs, s->a, user, user_id, &event));
    const struct json *content = json_get(event, STR("content"));
    if ((s->is_initial && str_eq(json_get_text(content, "presence"), STR("offline"))) ||
        !event_filter_allows(&s->filter->presence, STR("m.presence"), user_id, content)) {
        return ERR_NONE;
    }
    json_push(sync_events(s->out, "presence"), event);
    return ERR_NONE;
}

/* since 0: of everybody who is not offline. */
static enum err list_changed(struct sync *s, struct numbers *out)
{
    struct query q;
    query_start(&q, s->hs->store, STMT_PRESENCE_AFTER, "i", s->since);
    while (query_next(&q)) {
        numbers_add(s->a, out, query_int(&q, 0));
    }
    return query_end(&q);
}

/* Oneself, who shares a room, and who is in the room that is looked at from outside. */
static enum err concerns(struct sync *s, int64_t user, bool *does)
{
    int64_t shared = user == s->user;
    if (s->peeked != 0) {
        TRY(store_get_int(s->hs->store, &shared, 0, STMT_MEMBER_IS_JOINED, "ii", user, s->peeked));
    } else if (shared == 0) {
        TRY(store_get_int(s->hs->store, &shared, 0, STMT_MEMBER_SHARE_ONE, "ii", s->user, user));
    }
    *does = shared != 0;
    return ERR_NONE;
}

/* Those who came into a room of the reader's, and all of the rooms that he came into. */
static enum err add_met(struct sync *s, struct map *told)
{
    struct numbers users = {0};
    struct query q;
    for (size_t i = 0; i < s->entered.n; i++) {
        query_start(&q, s->hs->store, STMT_PRESENCE_IN_ROOM, "ii", s->entered.at[i],
                    (int64_t)PRESENCE_TOLD_MAX);
        while (query_next(&q)) {
            numbers_add(s->a, &users, query_int(&q, 0));
        }
        TRY(query_end(&q));
    }
    for (size_t i = 0; i < users.n; i++) {
        struct str user_id;
        TRY(store_name_text(s->hs->store, s->a, users.at[i], &user_id));
        TRY(add(s, told, users.at[i], user_id));
    }
    for (const struct map_entry *e = map_next(&s->met, NULL); e != NULL; e = map_next(&s->met, e)) {
        int64_t user;
        TRY(store_name_find(s->hs->store, e->key, &user));
        TRY(add(s, told, user, e->key));
    }
    return ERR_NONE;
}

enum err presence_changed(struct sync *s)
{
    struct numbers users = {0};
    struct map told;
    map_init_in(&told, s->a);
    TRY(list_changed(s, &users));
    for (size_t i = 0; i < users.n; i++) {
        struct str user_id;
        bool does;
        TRY(concerns(s, users.at[i], &does));
        if (does) {
            TRY(store_name_text(s->hs->store, s->a, users.at[i], &user_id));
            TRY(add(s, &told, users.at[i], user_id));
        }
    }
    if (!s->is_initial) {
        TRY(add_met(s, &told));
    }
    s->has_news = s->has_news || json_get(s->out, STR("presence")) != NULL;
    return ERR_NONE;
}

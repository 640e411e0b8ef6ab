/* Who is in a room, in short. */
#include "sync/stream.h"

#include "engine/current.h"

static enum err is_named(struct sync *s, const struct sync_room *r, bool *named)
{
    struct json *name;
    struct json *alias;
    TRY(current_content(s->hs, r->room, STR("m.room.name"), STR(""), &name));
    TRY(current_content(s->hs, r->room, STR("m.room.canonical_alias"), STR(""), &alias));
    *named = json_get_text(name, "name").n > 0 || json_get_text(alias, "alias").n > 0;
    return ERR_NONE;
}

/* Without them, clients cannot name a room that has no name of its own. */
enum err summary_heroes(struct sync *s, const struct sync_room *r, struct strs *heroes)
{
    struct query q;
    struct str *at = arena_array(s->a, SYNC_HEROES, sizeof(*at));
    bool named;
    *heroes = (struct strs){at, 0};
    TRY(is_named(s, r, &named));
    if (named) {
        return ERR_NONE;
    }
    query_start(&q, s->hs->store, STMT_MEMBER_HEROES, "iii", r->room->nid, s->user,
                (int64_t)SYNC_HEROES);
    while (heroes->n < SYNC_HEROES && query_next(&q)) {
        at[heroes->n] = query_str(&q, s->a, 0);
        heroes->n++;
    }
    return query_end(&q);
}

static enum err put_count(struct sync *s, const struct sync_room *r, const char *membership,
                          struct json *summary, const char *key)
{
    int64_t n;
    TRY(store_get_int(s->hs->store, &n, 0, STMT_MEMBER_COUNT, "it", r->room->nid,
                      str_of(membership)));
    json_put_int(summary, key, n);
    return ERR_NONE;
}

enum err summary_put(struct sync *s, struct sync_room *r)
{
    struct strs heroes;
    struct json *summary = json_put_object(r->json, STR("summary"));
    TRY(summary_heroes(s, r, &heroes));
    struct json *list = heroes.n == 0 ? NULL : json_put_array(summary, STR("m.heroes"));
    for (size_t i = 0; i < heroes.n; i++) {
        json_push_text(list, heroes.at[i]);
    }
    TRY(put_count(s, r, "join", summary, "m.joined_member_count"));
    return put_count(s, r, "invite", summary, "m.invited_member_count");
}

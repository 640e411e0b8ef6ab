/* Who is in a room, in short, and what is unread there. */
#include "sync/stream.h"

#include "engine/current.h"
#include "engine/push_rules.h"
#include "engine/unread.h"

/* Without them, clients cannot name a room that has no name of its own. */
enum err summary_heroes(struct sync *s, const struct sync_room *r, struct strs *heroes)
{
    struct query q;
    struct str *at = arena_array(s->a, SYNC_HEROES, sizeof(*at));
    *heroes = (struct strs){at, 0};
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
    struct json *list = json_put_array(summary, STR("m.heroes"));
    for (size_t i = 0; i < heroes.n; i++) {
        json_push_text(list, heroes.at[i]);
    }
    TRY(put_count(s, r, "join", summary, "m.joined_member_count"));
    return put_count(s, r, "invite", summary, "m.invited_member_count");
}

/* What others sent after a position, newest first. */
static enum err list_unread(struct sync *s, const struct sync_room *r, int64_t after, int64_t *nids,
                            size_t *n)
{
    struct query q;
    *n = 0;
    query_start(&q, s->hs->store, STMT_UNREAD_LIST, "iiii", r->room->nid, after, s->user,
                (int64_t)SYNC_UNREAD_MAX);
    while (*n < SYNC_UNREAD_MAX && query_next(&q)) {
        nids[*n] = query_int(&q, 0);
        (*n)++;
    }
    return query_end(&q);
}

/* Only whether two are in the room matters to the default rules, so counting stops early. */
enum { MEMBERS_COUNTED = 50 };

static enum err context_of(struct sync *s, const struct sync_room *r, struct power *power,
                           struct push_context *out)
{
    struct json *member;
    *out = (struct push_context){.user_id = s->user_id, .power = power};
    TRY(current_power(s->hs, r->room, power));
    TRY(current_content(s->hs, r->room, STR("m.room.member"), s->user_id, &member));
    out->display_name = json_get_text(member, "displayname");
    return store_get_int(s->hs->store, &out->member_count, 0, STMT_MEMBER_COUNT_FEW, "iti",
                         r->room->nid, STR("join"), (int64_t)MEMBERS_COUNTED);
}

static enum err judge(struct sync *s, const struct sync_room *r, const int64_t *nids, size_t n,
                      struct unread_count *count)
{
    struct push_context context;
    struct power power;
    TRY(context_of(s, r, &power, &context));
    if (s->push_rules == NULL) {
        TRY(push_rules_get(s->hs, s->a, s->user, s->user_id, &s->push_rules));
    }
    for (size_t i = 0; i < n; i++) {
        struct stored *ev;
        TRY(event_get(s->hs, nids[i], &ev));
        if (ev->redacted_by.p != NULL || sync_is_ignored(s, ev->ev->sender)) {
            continue;
        }
        struct push_verdict v = push_rules_judge(s->push_rules, ev->ev, &context);
        count->notify += v.notify;
        count->highlight += v.highlight;
    }
    return ERR_NONE;
}

static void put_capped(struct json *unread, const char *key, int64_t n)
{
    json_put_int(unread, key, n < SYNC_UNREAD_MAX ? n : SYNC_UNREAD_MAX);
}

/* After the reader's last receipt, or since he came. */
enum err unread_put(struct sync *s, struct sync_room *r)
{
    int64_t nids[SYNC_UNREAD_MAX];
    size_t n;
    int64_t read;
    struct unread_count count;
    TRY(store_get_int(s->hs->store, &read, 0, STMT_RECEIPT_READ_UP_TO, "ii", r->room->nid,
                      s->user));
    read = read != 0 ? read : r->member_position;
    if (!unread_get(s->hs, s->user, r->room->nid, read, &count)) {
        count = (struct unread_count){.read = read, .upto = read};
    }
    TRY(list_unread(s, r, count.upto, nids, &n));
    if (n > 0) {
        TRY(judge(s, r, nids, n, &count));
    }
    count.upto = s->upto > read ? s->upto : read;
    unread_keep(s->hs, s->user, r->room->nid, &count);
    struct json *unread = json_put_object(r->json, STR("unread_notifications"));
    put_capped(unread, "highlight_count", count.highlight);
    put_capped(unread, "notification_count", count.notify);
    return ERR_NONE;
}

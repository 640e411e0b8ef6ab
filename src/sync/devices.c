/* What concerns the asking device and the devices of others: to-device messages, lists of changed
 * devices, counts of one-time keys. */
#include "sync/devices.h"

#include "engine/token.h"
#include "sync/stream.h"

/* An answer with no room for all has a token of its own, under which is kept what it told; and so
 * has the last of them, though nothing else is new. */
static enum err keep_told(struct sync *s, int64_t last, bool is_limited)
{
    struct store *store = s->hs->store;
    if (!is_limited && s->upto > s->since) {
        return ERR_NONE;
    }
    assert(s->upto == store_position(store)); /* streams only read */
    TRY(store_position_next(store, &s->upto));
    if (!is_limited) {
        return ERR_NONE;
    }
    TRY(store_run(store, STMT_INBOX_TOLD_PUT, "itii", s->user, s->device_id, s->upto, last));
    return store_run(store, STMT_INBOX_TOLD_TRIM, "iti", s->user, s->device_id,
                     (int64_t)TO_DEVICE_TOLD_MAX);
}

/* The position up to which who has this token was told. */
static enum err find_told(struct hs *hs, int64_t user, struct str device_id, int64_t since,
                          int64_t *upto)
{
    return store_get_int(hs->store, upto, since, STMT_INBOX_TOLD_GET, "iti", user, device_id,
                         since);
}

enum err to_device_taken(struct hs *hs, const struct req *req, int64_t since)
{
    int64_t first;
    int64_t upto;
    TRY(find_told(hs, req->user, req->device_id, since, &upto));
    TRY(store_get_int(hs->store, &first, -1, STMT_INBOX_LIST, "itii", req->user, req->device_id,
                      (int64_t)0, (int64_t)1));
    if (first < 0 || first > upto) {
        return ERR_NONE;
    }
    TRY(store_run(hs->store, STMT_INBOX_TOLD_DROP, "iti", req->user, req->device_id, since));
    return store_run(hs->store, STMT_INBOX_DROP, "iti", req->user, req->device_id, upto);
}

static enum err put_message(struct sync *s, struct str text)
{
    struct json *event;
    TRY(json_parse(s->a, text, &event, NULL) == ERR_NONE ? ERR_NONE : ERR_CORRUPT);
    json_push(sync_events(s->out, "to_device"), event);
    s->has_news = true;
    return ERR_NONE;
}

/* Anybody may write to a device, so they are counted in bytes as well. */
enum err to_device_pending(struct sync *s)
{
    struct query q;
    size_t n = 0;
    int64_t last;
    int64_t bytes_left = SYNC_TO_DEVICE_BYTES_MAX;
    bool is_full = false;
    enum err err = ERR_NONE;
    TRY(find_told(s->hs, s->user, s->device_id, s->since, &last));
    query_start(&q, s->hs->store, STMT_INBOX_LIST, "itii", s->user, s->device_id, last,
                (int64_t)SYNC_TO_DEVICE_MAX);
    while (err == ERR_NONE && !is_full && query_next(&q)) {
        struct str text = query_str(&q, s->a, 1);
        bytes_left -= (int64_t)text.n;
        is_full = n > 0 && bytes_left < 0;
        if (!is_full) {
            err = put_message(s, text);
            last = query_int(&q, 0);
            n++;
        }
    }
    enum err ended = query_end(&q);
    TRY(err != ERR_NONE ? err : ended);
    return n > 0 ? keep_told(s, last, is_full || n == SYNC_TO_DEVICE_MAX) : ERR_NONE;
}

/* Changed users of the server, before it is known whom they concern. */
static enum err add_changed(struct sync *s)
{
    struct query q;
    query_start(&q, s->hs->store, STMT_DEVICE_CHANGE_AFTER, "ii", s->since, s->upto);
    while (query_next(&q)) {
        map_put(&s->met, query_str(&q, s->a, 1), s);
    }
    return query_end(&q);
}

static enum err is_shared(struct sync *s, struct str user_id, bool *shared)
{
    int64_t user;
    int64_t row = 0;
    TRY(store_name_find(s->hs->store, user_id, &user));
    if (user != s->user && user != 0) {
        TRY(store_get_int(s->hs->store, &row, 0, STMT_MEMBER_SHARE_ONE, "ii", s->user, user));
    }
    *shared = row != 0 || user == s->user;
    return ERR_NONE;
}

static struct json *list_of(struct sync *s, const char *key)
{
    struct json *lists = json_get(s->out, STR("device_lists"));
    lists = lists == NULL ? json_put_object(s->out, STR("device_lists")) : lists;
    struct json *list = json_get(lists, str_of(key));
    s->has_news = true;
    return list == NULL ? json_put_array(lists, str_of(key)) : list;
}

enum err device_lists_changed(struct sync *s)
{
    TRY(add_changed(s));
    for (const struct map_entry *e = map_next(&s->met, NULL); e != NULL; e = map_next(&s->met, e)) {
        bool shared;
        TRY(is_shared(s, e->key, &shared));
        if (shared) {
            json_push_text(list_of(s, "changed"), e->key);
        }
    }
    for (const struct map_entry *e = map_next(&s->parted, NULL); e != NULL;
         e = map_next(&s->parted, e)) {
        bool shared;
        TRY(is_shared(s, e->key, &shared));
        if (!shared) {
            json_push_text(list_of(s, "left"), e->key);
        }
    }
    return ERR_NONE;
}

enum err key_counts(struct sync *s)
{
    struct query q;
    struct json *counts = json_put_object(s->out, STR("device_one_time_keys_count"));
    query_start(&q, s->hs->store, STMT_ONE_TIME_COUNT, "it", s->user, s->device_id);
    while (query_next(&q)) {
        json_put_int(counts, query_str(&q, s->a, 0).p, query_int(&q, 1));
    }
    TRY(query_end(&q));
    struct json *unused = json_put_array(s->out, STR("device_unused_fallback_key_types"));
    query_start(&q, s->hs->store, STMT_FALLBACK_UNUSED, "it", s->user, s->device_id);
    while (query_next(&q)) {
        json_push_text(unused, query_str(&q, s->a, 0));
    }
    return query_end(&q);
}

/* The two lists are what a /sync from the one token would tell. What came after the other token is
 * told too early, which asks for keys once too often and never once too little. */
enum err keys_changes_get(struct hs *hs, struct req *req)
{
    struct sync s;
    struct sync_filter everything = {0};
    int64_t from;
    int64_t to;
    if (!token_parse(hs, req_query(req, "from"), &from) ||
        !token_parse(hs, req_query(req, "to"), &to)) {
        return reply_error(req, 400, "M_INVALID_PARAM", "from and to are tokens of /sync");
    }
    TRY(sync_open(&s, hs, req, from, &everything));
    TRY(rooms_changed(&s));
    TRY(device_lists_changed(&s));
    (void)list_of(&s, "changed");
    (void)list_of(&s, "left");
    return reply_json(req, json_get(s.out, STR("device_lists")));
}

/* Presence: rows, who was seen, and whom it concerns. */
#include "engine/presence.h"

#include "engine/edu_in.h"
#include "engine/gate.h"
#include "engine/outbox.h"
#include "engine/share.h"
#include "event/mxid.h"

struct seen {
    int64_t user, mono_ms;
};

struct presence {
    struct seen seen[PRESENCE_SEEN_MAX];
    size_t n;
    bool is_loaded; /* who was here before the start counts as seen at the start */
};

struct presence *presence_new(void)
{
    return base_alloc(sizeof(struct presence));
}

void presence_free(struct presence *presence)
{
    base_free(presence);
}

bool presence_is_word(struct str presence)
{
    return str_eq(presence, STR("online")) || str_eq(presence, STR("unavailable")) ||
           str_eq(presence, STR("offline"));
}

static enum err read_row(struct hs *hs, struct arena *a, int64_t user, struct str *presence,
                         struct str *status_msg, int64_t *active_ms)
{
    struct query q;
    *presence = STR_ABSENT;
    *status_msg = STR_ABSENT;
    *active_ms = 0;
    enum err err = query_one(&q, hs->store, STMT_PRESENCE_GET, "i", user);
    if (err == ERR_ABSENT) {
        return ERR_NONE;
    }
    TRY(err);
    *presence = query_str(&q, a, 0);
    *status_msg = query_str(&q, a, 1);
    *active_ms = query_int(&q, 2);
    return query_end(&q);
}

enum err presence_content(struct hs *hs, struct arena *a, int64_t user, struct json **out)
{
    struct str presence;
    struct str status_msg;
    int64_t active_ms;
    *out = NULL;
    TRY(read_row(hs, a, user, &presence, &status_msg, &active_ms));
    if (presence.p == NULL) {
        return ERR_NONE;
    }
    int64_t ago = hs->now.unix_ms - active_ms;
    *out = json_object(a);
    json_put_text(*out, "presence", presence);
    json_put_text(*out, "status_msg", status_msg);
    json_put_int(*out, "last_active_ago", ago > 0 ? ago : 0);
    json_put_bool(*out, "currently_active", str_eq(presence, STR("online")));
    return ERR_NONE;
}

enum err presence_event(struct hs *hs, struct arena *a, int64_t user, struct str user_id,
                        struct json **out)
{
    struct json *content;
    TRY(presence_content(hs, a, user, &content));
    if (content == NULL) {
        content = json_object(a);
        json_put_text(content, "presence", STR("offline"));
    }
    *out = json_object(a);
    json_put_text(*out, "type", STR("m.presence"));
    json_put_text(*out, "sender", user_id);
    json_put(*out, STR("content"), content);
    return ERR_NONE;
}

static enum err write_row(struct hs *hs, int64_t user, struct str presence, struct str status_msg,
                          int64_t active_ms)
{
    int64_t position;
    TRY(store_position_next(hs->store, &position));
    TRY(store_run(hs->store, STMT_PRESENCE_PUT, "ittii", user, presence, status_msg, active_ms,
                  position));
    return share_news(hs, user);
}

static enum err tell_servers(struct hs *hs, int64_t user, struct str user_id)
{
    struct json *content = json_object(hs->turn);
    struct json *push = json_put_array(content, STR("push"));
    struct json *one;
    TRY(presence_content(hs, hs->turn, user, &one));
    json_put_text(one, "user_id", user_id);
    json_push(push, one);
    return share_edu(hs, user, STR("m.presence"), content,
                     arena_join(hs->turn, STR("presence "), user_id, STR("")));
}

enum err presence_set(struct hs *hs, int64_t user, struct str user_id, struct str presence,
                      struct str status_msg)
{
    struct str old;
    struct str old_msg;
    int64_t active_ms;
    TRY(read_row(hs, hs->turn, user, &old, &old_msg, &active_ms));
    bool is_same = str_eq(old, presence) && str_eq(old_msg, status_msg) &&
                   (old_msg.p == NULL) == (status_msg.p == NULL);
    active_ms = str_eq(presence, STR("online")) || active_ms == 0 ? hs->now.unix_ms : active_ms;
    if (is_same) {
        return ERR_NONE;
    }
    TRY(write_row(hs, user, presence, status_msg, active_ms));
    return tell_servers(hs, user, user_id);
}

static void mark_seen(struct hs *hs, int64_t user, bool is_here)
{
    struct presence *p = hs->presence;
    size_t i = 0;
    while (i < p->n && p->seen[i].user != user) {
        i++;
    }
    if (!is_here) {
        if (i < p->n) {
            p->n--;
            p->seen[i] = p->seen[p->n];
        }
    } else if (i < PRESENCE_SEEN_MAX) {
        p->seen[i] = (struct seen){user, hs->now.mono_ms};
        p->n += i == p->n;
    }
}

enum err presence_seen(struct hs *hs, int64_t user, struct str user_id, struct str presence)
{
    struct str old;
    struct str status_msg;
    int64_t active_ms;
    presence = presence.p == NULL ? STR("online") : presence;
    if (str_eq(presence, STR("offline"))) {
        return ERR_NONE; /* it asks not to be marked */
    }
    mark_seen(hs, user, true);
    TRY(read_row(hs, hs->turn, user, &old, &status_msg, &active_ms));
    /* "online" by a poll lifts nobody out of an absence he told of himself. */
    if (str_eq(old, presence) ||
        (str_eq(presence, STR("online")) && str_eq(old, STR("unavailable")))) {
        return ERR_NONE;
    }
    return presence_set(hs, user, user_id, presence, status_msg);
}

int64_t presence_next_ms(const struct hs *hs)
{
    const struct presence *p = hs->presence;
    int64_t next = -1;
    for (size_t i = 0; i < p->n; i++) {
        int64_t at = p->seen[i].mono_ms + PRESENCE_IDLE_MS;
        next = next < 0 || at < next ? at : next;
    }
    return next;
}

static enum err load(struct hs *hs)
{
    struct query q;
    query_start(&q, hs->store, STMT_PRESENCE_AFTER, "i", (int64_t)0);
    while (query_next(&q)) {
        if (hs_is_ours(hs, query_str(&q, hs->turn, 1)) &&
            !str_eq(query_str(&q, hs->turn, 2), STR("offline"))) {
            mark_seen(hs, query_int(&q, 0), true);
        }
    }
    return query_end(&q);
}

enum err presence_turn(struct hs *hs)
{
    struct presence *p = hs->presence;
    if (!p->is_loaded) {
        TRY(load(hs));
        p->is_loaded = true;
    }
    for (size_t i = p->n; i > 0; i--) {
        struct seen seen = p->seen[i - 1];
        if (seen.mono_ms + PRESENCE_IDLE_MS > hs->now.mono_ms) {
            continue;
        }
        struct str user_id;
        struct str old;
        struct str status_msg;
        int64_t active_ms;
        mark_seen(hs, seen.user, false);
        TRY(store_name_text(hs->store, hs->turn, seen.user, &user_id));
        TRY(read_row(hs, hs->turn, seen.user, &old, &status_msg, &active_ms));
        TRY(presence_set(hs, seen.user, user_id, STR("offline"), status_msg));
    }
    return ERR_NONE;
}

static enum err receive_one(struct hs *hs, struct str origin, const struct json *one)
{
    struct str user_id = json_get_text(one, "user_id");
    struct str presence = json_get_text(one, "presence");
    struct str status_msg = json_get_text(one, "status_msg");
    int64_t ago = json_get_int(one, "last_active_ago", 0);
    int64_t user;
    if (!mxid_is_user(user_id) || !str_eq(mxid_server(user_id), origin) ||
        !presence_is_word(presence) || ago < 0) {
        return ERR_NONE;
    }
    TRY(store_name_find(hs->store, user_id, &user));
    if (user == 0) {
        return ERR_NONE; /* nobody we have heard of */
    }
    status_msg = status_msg.n > PRESENCE_STATUS_MAX ? STR_ABSENT : status_msg;
    return write_row(hs, user, presence, status_msg, hs->now.unix_ms - ago);
}

enum err presence_receive(struct hs *hs, struct str origin, const struct json *content)
{
    size_t n = 0;
    for (const struct json *x = json_first(json_get_array(content, "push"));
         x != NULL && n < RECEIPTS_MAX; x = json_next(x), n++) {
        TRY(receive_one(hs, origin, x));
    }
    return ERR_NONE;
}

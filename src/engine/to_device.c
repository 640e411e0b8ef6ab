/* Inboxes of devices. */
#include "engine/to_device.h"

#include "base/map.h"
#include "engine/edu_in.h"
#include "engine/gate.h"
#include "engine/outbox.h"
#include "event/mxid.h"

struct message {
    struct str sender, type;
    int64_t sender_name;
    const struct json *content;
    int64_t bytes_left; /* that all of the request may take */
};

/* Whoever has most in the inbox loses the oldest of it, so that nobody pushes out what others sent.
 */
static enum err make_room(struct hs *hs, int64_t user, struct str device_id)
{
    int64_t bytes;
    int64_t crowder;
    TRY(store_get_int(hs->store, &bytes, 0, STMT_INBOX_SIZE, "it", user, device_id));
    while (bytes > INBOX_BYTES_MAX) {
        TRY(store_get_int(hs->store, &crowder, 0, STMT_INBOX_CROWDER, "it", user, device_id));
        TRY(store_run(hs->store, STMT_INBOX_DROP_OLDEST, "iti", user, device_id, crowder));
        TRY(store_changes(hs->store) > 0 ? ERR_NONE : ERR_CORRUPT);
        TRY(store_get_int(hs->store, &bytes, 0, STMT_INBOX_SIZE, "it", user, device_id));
    }
    return ERR_NONE;
}

static enum err put(struct hs *hs, int64_t user, struct str device_id, struct message *m)
{
    int64_t position;
    struct json *event = json_object(hs->turn);
    json_put_text(event, "sender", m->sender);
    json_put_text(event, "type", m->type);
    json_put(event, STR("content"), json_copy(hs->turn, m->content));
    struct str text = json_str(hs->turn, event);
    m->bytes_left -= (int64_t)text.n;
    if (m->bytes_left < 0) {
        return ERR_LIMIT;
    }
    TRY(store_position_next(hs->store, &position));
    TRY(store_run(hs->store, STMT_INBOX_PUT, "itiit", user, device_id, position, m->sender_name,
                  text));
    TRY(make_room(hs, user, device_id));
    gate_news(hs, user);
    return ERR_NONE;
}

struct devices {
    struct str at[DEVICES_MAX];
    size_t n;
};

static enum err list_devices(struct hs *hs, int64_t user, struct devices *out)
{
    struct query q;
    out->n = 0;
    query_start(&q, hs->store, STMT_DEVICE_LIST, "i", user);
    while (out->n < DEVICES_MAX && query_next(&q)) {
        out->at[out->n] = query_str(&q, hs->turn, 0);
        out->n++;
    }
    return query_end(&q);
}

static bool is_meant(struct str key, struct str device_id)
{
    return str_eq(key, STR("*")) || str_eq(key, device_id);
}

static enum err put_devices(struct hs *hs, int64_t user, const struct devices *own,
                            struct message *m, struct str key)
{
    for (size_t i = 0; i < own->n; i++) {
        if (is_meant(key, own->at[i])) {
            TRY(put(hs, user, own->at[i], m));
        }
    }
    return ERR_NONE;
}

/* A device that is not there gets nothing. */
static enum err put_user(struct hs *hs, struct str user_id, const struct json *devices,
                         struct message *m)
{
    int64_t user;
    TRY(store_name_find(hs->store, user_id, &user));
    if (user == 0) {
        return ERR_NONE;
    }
    struct devices *own = ARENA_NEW(hs->turn, struct devices);
    TRY(list_devices(hs, user, own));
    for (const struct json *x = json_first(devices); x != NULL; x = json_next(x)) {
        m->content = x;
        if (json_is(x, JSON_OBJECT)) {
            TRY(put_devices(hs, user, own, m, json_key(x)));
        }
    }
    return ERR_NONE;
}

/* One EDU a server, with all its users. */
static void sort_out(struct hs *hs, struct map *servers, const struct json *user)
{
    struct str server = mxid_server(json_key(user));
    struct json *messages = map_get(servers, server);
    if (messages == NULL) {
        messages = json_object(hs->turn);
        map_put(servers, server, messages);
    }
    json_put(messages, json_key(user), json_copy(hs->turn, user));
}

enum err to_device_send(struct hs *hs, struct str sender, struct str type, struct str message_id,
                        const struct json *messages)
{
    struct map servers;
    struct message m = {.sender = sender, .type = type, .bytes_left = TO_DEVICE_BYTES_MAX};
    map_init_in(&servers, hs->turn);
    TRY(store_name(hs->store, sender, &m.sender_name));
    for (const struct json *x = json_first(messages); x != NULL; x = json_next(x)) {
        if (!mxid_is_user(json_key(x)) || !json_is(x, JSON_OBJECT)) {
            continue;
        }
        if (hs_is_ours(hs, json_key(x))) {
            TRY(put_user(hs, json_key(x), x, &m));
        } else {
            sort_out(hs, &servers, x);
        }
    }
    for (const struct map_entry *e = map_next(&servers, NULL); e != NULL;
         e = map_next(&servers, e)) {
        struct json *content = json_object(hs->turn);
        json_put_text(content, "sender", sender);
        json_put_text(content, "type", type);
        json_put_text(content, "message_id", message_id);
        json_put(content, STR("messages"), e->value);
        TRY(outbox_edu_server(hs, e->key, STR("m.direct_to_device"), content, STR_ABSENT));
    }
    return ERR_NONE;
}

enum err to_device_receive(struct hs *hs, struct str origin, const struct json *content)
{
    struct message m = {.sender = json_get_text(content, "sender"),
                        .type = json_get_text(content, "type"),
                        .bytes_left = TO_DEVICE_BYTES_MAX};
    if (!mxid_is_user(m.sender) || !str_eq(mxid_server(m.sender), origin) || m.type.p == NULL) {
        return ERR_NONE;
    }
    TRY(store_name(hs->store, m.sender, &m.sender_name));
    enum err err = ERR_NONE;
    for (const struct json *x = json_first(json_get_object(content, "messages"));
         x != NULL && err == ERR_NONE; x = json_next(x)) {
        if (json_is(x, JSON_OBJECT) && hs_is_ours(hs, json_key(x))) {
            err = put_user(hs, json_key(x), x, &m);
        }
    }
    return err == ERR_LIMIT ? ERR_NONE : err; /* the rest of too much is dropped */
}

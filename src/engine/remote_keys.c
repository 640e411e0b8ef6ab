/* Rows of lists of devices. */
#include "engine/remote_keys.h"

#include "engine/current.h"
#include "event/mxid.h"

static const struct {
    const char *usage, *device_member, *query_member;
} usages[] = {
    {"master", "master_key", "master_keys"},
    {"self_signing", "self_signing_key", "self_signing_keys"},
};

static enum err find(struct hs *hs, struct remote_keys *out)
{
    struct query q;
    enum err err = query_one(&q, hs->store, STMT_REMOTE_LIST_GET, "i", out->user);
    if (err == ERR_ABSENT) {
        return ERR_NONE;
    }
    TRY(err);
    out->list = query_int(&q, 0);
    out->is_stale = query_int(&q, 1) != 0;
    out->stream_id = query_int(&q, 2);
    out->failures = query_int(&q, 3);
    out->doubts = query_int(&q, 4);
    return query_end(&q);
}

enum err remote_keys_find(struct hs *hs, struct str user_id, struct remote_keys *out)
{
    *out = (struct remote_keys){0};
    TRY(store_name_find(hs->store, user_id, &out->user));
    return out->user == 0 ? ERR_NONE : find(hs, out);
}

static enum err is_shared(struct hs *hs, int64_t user, bool *shared)
{
    int64_t row;
    TRY(store_get_int(hs->store, &row, 0, STMT_MEMBER_SHARE_SERVER, "ii", user,
                      hs->identity.server_name));
    *shared = row != 0;
    return ERR_NONE;
}

/* A list that is still to be asked for, when the user shares a room with us. */
static enum err make(struct hs *hs, struct str user_id, struct remote_keys *keys)
{
    bool shared;
    int64_t server;
    TRY(is_shared(hs, keys->user, &shared));
    if (!shared) {
        return ERR_NONE;
    }
    TRY(store_name(hs->store, mxid_server(user_id), &server));
    TRY(store_run(hs->store, STMT_REMOTE_LIST_PUT, "ii", keys->user, server));
    keys->list = store_last_id(hs->store);
    keys->is_stale = true;
    return store_run(hs->store, STMT_REMOTE_LIST_TRIM, "i", keys->list - REMOTE_LISTS_MAX);
}

enum err remote_keys_open(struct hs *hs, struct str user_id, struct remote_keys *out)
{
    TRY(remote_keys_find(hs, user_id, out));
    return out->user == 0 || out->list != 0 ? ERR_NONE : make(hs, user_id, out);
}

enum err remote_keys_drop(struct hs *hs, int64_t user)
{
    return store_run(hs->store, STMT_REMOTE_LIST_DROP, "i", user);
}

/* --- what is told -------------------------------------------------------------------------------
 */

struct json *remote_keys_of_devices(struct arena *a, struct str user_id, const struct json *body)
{
    struct json *out = json_object(a);
    const struct json *told = json_get_array(body, "devices");
    if (told == NULL) {
        return out;
    }
    struct json *devices = json_put_object(json_put_object(out, STR("device_keys")), user_id);
    for (const struct json *x = json_first(told); x != NULL; x = json_next(x)) {
        struct str id = json_get_text(x, "device_id");
        if (id.p != NULL && json_get_object(x, "keys") != NULL) {
            struct json *keys = json_copy(a, json_get(x, STR("keys")));
            json_put_text(json_put_object(keys, STR("unsigned")), "device_display_name",
                          json_get_text(x, "device_display_name"));
            json_put(devices, id, keys);
        }
    }
    for (size_t i = 0; i < COUNT_OF(usages); i++) {
        const struct json *key = json_get_object(body, usages[i].device_member);
        if (key != NULL) {
            json_put(json_put_object(out, str_of(usages[i].query_member)), user_id,
                     json_copy(a, key));
        }
    }
    return out;
}

static enum err put_device(struct hs *hs, int64_t user, struct str device_id,
                           const struct json *keys, struct str name)
{
    if (!json_is(keys, JSON_OBJECT)) {
        return ERR_NONE;
    }
    struct json *bare = json_copy(hs->turn, keys);
    json_remove(bare, STR("unsigned"));
    struct str text = json_str(hs->turn, bare);
    if (device_id.n + text.n + name.n > REMOTE_KEYS_SIZE_MAX) {
        return ERR_NONE;
    }
    return store_run(hs->store, STMT_DEVICE_KEYS_PUT, "ittt", user, device_id, text, name);
}

static enum err put_devices(struct hs *hs, int64_t user, const struct json *devices)
{
    size_t n = 0;
    for (const struct json *x = json_first(devices); x != NULL && n < DEVICES_MAX;
         x = json_next(x), n++) {
        TRY(put_device(hs, user, json_key(x), x,
                       json_get_text(json_get_object(x, "unsigned"), "device_display_name")));
    }
    return ERR_NONE;
}

static enum err put_cross_key(struct hs *hs, int64_t user, const char *usage,
                              const struct json *object)
{
    struct str key = json_text(json_first(json_get_object(object, "keys")));
    struct str text = key.p == NULL ? STR("") : json_str(hs->turn, object);
    if (key.p == NULL || text.n > REMOTE_KEYS_SIZE_MAX) {
        return ERR_NONE;
    }
    return store_run(hs->store, STMT_CROSS_KEY_PUT, "ittt", user, str_of(usage), key, text);
}

enum err remote_keys_take(struct hs *hs, const struct remote_keys *keys, struct str user_id,
                          const struct json *answer, int64_t stream_id, bool *taken)
{
    const struct json *devices = json_get(json_get_object(answer, "device_keys"), user_id);
    *taken = false;
    if (!json_is(devices, JSON_OBJECT)) {
        return ERR_NONE;
    }
    TRY(store_run(hs->store, STMT_REMOTE_LIST_TAKEN, "iii", stream_id, keys->list, keys->doubts));
    *taken = store_changes(hs->store) != 0;
    if (!*taken) {
        return ERR_NONE;
    }
    TRY(store_run(hs->store, STMT_DEVICE_KEYS_DROP_ALL, "i", keys->user));
    TRY(store_run(hs->store, STMT_CROSS_KEY_DROP_ALL, "i", keys->user));
    TRY(put_devices(hs, keys->user, devices));
    for (size_t i = 0; i < COUNT_OF(usages); i++) {
        const struct json *users = json_get_object(answer, usages[i].query_member);
        TRY(put_cross_key(hs, keys->user, usages[i].usage, json_get(users, user_id)));
    }
    return ERR_NONE;
}

/* --- what changes -------------------------------------------------------------------------------
 */

/* Is it the next one after what is kept? Several prev_ids are of a server that lost count itself.
 */
static bool follows(const struct remote_keys *keys, const struct json *content)
{
    const struct json *prev = json_get_array(content, "prev_id");
    int64_t before;
    return keys->list != 0 && !keys->is_stale && keys->stream_id != 0 && json_count(prev) == 1 &&
           json_int(json_first(prev), &before) && before == keys->stream_id;
}

static enum err apply(struct hs *hs, const struct remote_keys *keys, const struct json *content)
{
    struct str device_id = json_get_text(content, "device_id");
    const struct json *device = json_get_object(content, "keys");
    TRY(store_run(hs->store, STMT_REMOTE_LIST_FOLLOWS, "ii", json_get_int(content, "stream_id", 0),
                  keys->list));
    TRY(store_run(hs->store, STMT_DEVICE_KEYS_DROP, "it", keys->user, device_id));
    if (device == NULL || json_get_bool(content, "deleted", false)) {
        return ERR_NONE;
    }
    return put_device(hs, keys->user, device_id, device,
                      json_get_text(content, "device_display_name"));
}

enum err remote_keys_update(struct hs *hs, struct str user_id, const struct json *content,
                            bool *is_true)
{
    struct remote_keys keys;
    int64_t n;
    TRY(remote_keys_find(hs, user_id, &keys));
    TRY(store_get_int(hs->store, &n, 0, STMT_DEVICE_KEYS_COUNT, "i", keys.user));
    *is_true =
        follows(&keys, content) && n < DEVICES_MAX && json_get_text(content, "device_id").p != NULL;
    return *is_true ? apply(hs, &keys, content) : remote_keys_doubt(hs, user_id, is_true);
}

enum err remote_keys_doubt(struct hs *hs, struct str user_id, bool *is_true)
{
    struct remote_keys keys = {0};
    TRY(store_name_find(hs->store, user_id, &keys.user));
    TRY(store_run(hs->store, STMT_REMOTE_LIST_DOUBT, "i", keys.user));
    bool was_kept = store_changes(hs->store) != 0;
    if (!was_kept && keys.user != 0) {
        TRY(make(hs, user_id, &keys));
    }
    *is_true = !was_kept && keys.list == 0;
    return ERR_NONE;
}

enum err remote_keys_parted(struct hs *hs, int64_t user, int64_t room, bool is_ours)
{
    bool is_in;
    if (is_ours) {
        TRY(current_is_joined(hs, room, &is_in));
        return is_in ? ERR_NONE
                     : store_run(hs->store, STMT_REMOTE_LIST_DROP_ROOM, "ii", room,
                                 hs->identity.server_name);
    }
    TRY(is_shared(hs, user, &is_in));
    return is_in ? ERR_NONE : remote_keys_drop(hs, user);
}

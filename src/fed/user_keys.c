/* Keys of our users, asked by the server of somebody who writes to them. */
#include "fed/user_keys.h"

#include "engine/cross_keys.h"
#include "engine/device_keys.h"

/* Bounds the work of one request: a claim writes. */
static bool is_too_much(const struct json *users)
{
    size_t n = 0;
    for (const struct json *x = json_first(users); x != NULL; x = json_next(x)) {
        n += 1 + json_count(x);
    }
    return n > DEVICES_MAX;
}

static enum err too_much(struct req *req)
{
    return reply_error(req, 400, "M_LIMIT_EXCEEDED", "at most %d users and devices at once",
                       DEVICES_MAX);
}

enum err user_keys_query_post(struct hs *hs, struct req *req)
{
    const struct json *wanted = json_get_object(req->body, "device_keys");
    struct json *out = json_object(req->a);
    struct json *found = json_put_object(out, STR("device_keys"));
    if (is_too_much(wanted)) {
        return too_much(req);
    }
    for (const struct json *x = json_first(wanted); x != NULL; x = json_next(x)) {
        struct json *devices;
        if (!hs_is_ours(hs, json_key(x)) || !json_is(x, JSON_ARRAY)) {
            continue;
        }
        TRY(device_keys_get(hs, req->a, json_key(x), x, &devices));
        json_put(found, json_key(x), devices);
        TRY(cross_keys_put(hs, req->a, json_key(x), 0, out));
    }
    return reply_json(req, out);
}

enum err user_keys_claim_post(struct hs *hs, struct req *req)
{
    const struct json *wanted = json_get_object(req->body, "one_time_keys");
    struct json *out = json_object(req->a);
    struct json *found = json_put_object(out, STR("one_time_keys"));
    if (is_too_much(wanted)) {
        return too_much(req);
    }
    for (const struct json *x = json_first(wanted); x != NULL; x = json_next(x)) {
        if (hs_is_ours(hs, json_key(x)) && json_is(x, JSON_OBJECT)) {
            TRY(one_time_keys_claim(hs, req->a, x, found));
        }
    }
    return reply_json(req, out);
}

static enum err put_cross_keys(struct hs *hs, struct req *req, struct str user_id, struct json *out)
{
    static const char *const rows[][2] = {{"master_keys", "master_key"},
                                          {"self_signing_keys", "self_signing_key"}};
    struct json *keys = json_object(req->a);
    TRY(cross_keys_put(hs, req->a, user_id, 0, keys));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct json *key = json_get(json_get(keys, str_of(rows[i][0])), user_id);
        if (key != NULL) {
            json_put(out, str_of(rows[i][1]), json_copy(req->a, key));
        }
    }
    return ERR_NONE;
}

enum err user_devices_get(struct hs *hs, struct req *req)
{
    int64_t user;
    int64_t stream_id;
    struct json *keys;
    struct str user_id = req->params[0];
    TRY(store_name_find(hs->store, user_id, &user));
    if (user == 0 || !hs_is_ours(hs, user_id)) {
        return reply_not_found(req, "there is no such user");
    }
    TRY(store_get_int(hs->store, &stream_id, 0, STMT_DEVICE_CHANGE_TOLD, "i", user));
    TRY(device_keys_get(hs, req->a, user_id, NULL, &keys));
    struct json *out = json_object(req->a);
    json_put_text(out, "user_id", user_id);
    json_put_int(out, "stream_id", stream_id);
    struct json *devices = json_put_array(out, STR("devices"));
    for (const struct json *x = json_first(keys); x != NULL; x = json_next(x)) {
        struct json *device = json_push_object(devices);
        json_put_text(device, "device_id", json_key(x));
        json_put(device, STR("keys"), json_copy(req->a, x));
        json_put_text(device, "device_display_name",
                      json_get_text(json_get_object(x, "unsigned"), "device_display_name"));
    }
    TRY(put_cross_keys(hs, req, user_id, out));
    return reply_json(req, out);
}

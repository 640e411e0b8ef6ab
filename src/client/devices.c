/* The user's devices. Deleting one asks for the password again. */
#include "client/devices.h"

#include "client/uia.h"
#include "engine/device_lists.h"

/* Columns from `first` on: display_name, last_seen_ms, last_seen_ip. */
static void describe(const struct query *q, int first, struct arena *a, struct json *device)
{
    json_put_text(device, "display_name", query_str(q, a, first));
    if (!query_is_null(q, first + 1)) {
        json_put_int(device, "last_seen_ts", query_int(q, first + 1));
    }
    json_put_text(device, "last_seen_ip", query_str(q, a, first + 2));
}

enum err devices_get(struct hs *hs, struct req *req)
{
    struct query q;
    struct json *out = json_object(req->a);
    struct json *list = json_put_array(out, STR("devices"));
    query_start(&q, hs->store, STMT_DEVICE_LIST, "i", req->user);
    while (query_next(&q)) {
        struct json *device = json_push_object(list);
        json_put_text(device, "device_id", query_str(&q, req->a, 0));
        describe(&q, 1, req->a, device);
    }
    TRY(query_end(&q));
    return reply_json(req, out);
}

static enum err no_device(struct req *req)
{
    return reply_not_found(req, "you have no such device");
}

enum err device_get(struct hs *hs, struct req *req)
{
    struct query q;
    enum err err = query_one(&q, hs->store, STMT_DEVICE_GET, "it", req->user, req->params[0]);
    if (err == ERR_ABSENT) {
        return no_device(req);
    }
    TRY(err);
    struct json *out = json_object(req->a);
    json_put_text(out, "device_id", req->params[0]);
    describe(&q, 0, req->a, out);
    TRY(query_end(&q));
    return reply_json(req, out);
}

enum err device_put(struct hs *hs, struct req *req)
{
    struct str name = json_get_text(req->body, "display_name");
    struct query q;
    enum err err = query_one(&q, hs->store, STMT_DEVICE_GET, "it", req->user, req->params[0]);
    if (err == ERR_ABSENT) {
        return no_device(req);
    }
    TRY(err);
    TRY(query_end(&q));
    if (name.p != NULL) {
        TRY(store_run(hs->store, STMT_DEVICE_NAME, "tit", name, req->user, req->params[0]));
        TRY(reply_limit(req, device_list_changed(hs, req->user, req->user_id, req->params[0])));
    }
    return req->reply.status != 0 ? ERR_NONE : reply_empty(req);
}

enum err device_delete(struct hs *hs, struct req *req)
{
    bool ok;
    TRY(uia_password(hs, req, &ok));
    if (!ok) {
        return ERR_NONE;
    }
    TRY(device_remove(hs, req->user, req->user_id, req->params[0]));
    return reply_empty(req);
}

enum err devices_delete_post(struct hs *hs, struct req *req)
{
    const struct json *devices = json_get_array(req->body, "devices");
    bool ok;
    if (json_count(devices) > DEVICES_MAX) {
        return reply_error(req, 400, "M_LIMIT_EXCEEDED", "these are too many devices at once");
    }
    for (const struct json *x = json_first(devices); x != NULL; x = json_next(x)) {
        if (!json_is(x, JSON_TEXT)) {
            return reply_error(req, 400, "M_BAD_JSON", "devices must be an array of strings");
        }
    }
    TRY(uia_password(hs, req, &ok));
    if (!ok) {
        return ERR_NONE;
    }
    for (const struct json *x = json_first(devices); x != NULL; x = json_next(x)) {
        TRY(device_remove(hs, req->user, req->user_id, json_text(x)));
    }
    return reply_empty(req);
}

/* Rows of pushers, each as the client gave it. */
#include "client/pushers.h"

enum { PUSHKEY_MAX = 512, APP_ID_MAX = 64 };

enum err pushers_get(struct hs *hs, struct req *req)
{
    struct query q;
    struct json *out = json_object(req->a);
    struct json *list = json_put_array(out, STR("pushers"));
    enum err err = ERR_NONE;
    query_start(&q, hs->store, STMT_PUSHER_LIST, "i", req->user);
    while (err == ERR_NONE && query_next(&q)) {
        struct json *pusher;
        err = json_parse(req->a, query_str(&q, req->a, 0), &pusher, NULL) == ERR_NONE ? ERR_NONE
                                                                                      : ERR_CORRUPT;
        if (err == ERR_NONE) {
            json_push(list, pusher);
        }
    }
    enum err ended = query_end(&q);
    TRY(err != ERR_NONE ? err : ended);
    return reply_json(req, out);
}

/* What is wrong with a pusher that is to be kept; NULL: nothing. */
static const char *fault_of(const struct json *body)
{
    static const char *const wanted[] = {"app_display_name", "device_display_name", "lang"};
    const struct json *data = json_get_object(body, "data");
    struct str url = json_get_text(data, "url");
    if (!str_eq(json_get_text(body, "kind"), STR("http"))) {
        return "the only kind of pusher is http";
    }
    for (size_t i = 0; i < COUNT_OF(wanted); i++) {
        if (json_get_text(body, wanted[i]).p == NULL) {
            return "a pusher wants app_display_name, device_display_name and lang";
        }
    }
    if (!str_starts(url, STR("https://")) && !str_starts(url, STR("http://"))) {
        return "a pusher wants the url of a push gateway in its data";
    }
    return str_ends(url, STR("/_matrix/push/v1/notify")) ? NULL
                                                         : "a push gateway's url ends in "
                                                           "/_matrix/push/v1/notify";
}

static struct json *pusher_of(struct req *req)
{
    static const char *const kept[] = {
        "pushkey",     "kind", "app_id", "app_display_name", "device_display_name",
        "profile_tag", "lang", "data"};
    struct json *pusher = json_object(req->a);
    for (size_t i = 0; i < COUNT_OF(kept); i++) {
        const struct json *value = json_get(req->body, str_of(kept[i]));
        if (value != NULL) {
            json_put(pusher, str_of(kept[i]), json_copy(req->a, value));
        }
    }
    return pusher;
}

enum err pushers_set_post(struct hs *hs, struct req *req)
{
    struct str app_id = json_get_text(req->body, "app_id");
    struct str pushkey = json_get_text(req->body, "pushkey");
    const struct json *kind = json_get(req->body, STR("kind"));
    int64_t count;
    if (app_id.n > APP_ID_MAX || pushkey.n > PUSHKEY_MAX || kind == NULL) {
        return reply_error(req, 400, kind == NULL ? "M_MISSING_PARAM" : "M_INVALID_PARAM",
                           "a pusher has a kind, an app_id of at most %d bytes and a pushkey of "
                           "at most %d",
                           APP_ID_MAX, PUSHKEY_MAX);
    }
    if (json_is(kind, JSON_NULL)) {
        TRY(store_run(hs->store, STMT_PUSHER_DROP, "itt", req->user, app_id, pushkey));
        return reply_empty(req);
    }
    const char *fault = fault_of(req->body);
    if (fault != NULL) {
        return reply_error(req, 400, "M_INVALID_PARAM", "%s", fault);
    }
    if (!json_get_bool(req->body, "append", false)) {
        TRY(store_run(hs->store, STMT_PUSHER_DROP_OTHERS, "tti", app_id, pushkey, req->user));
    }
    TRY(store_run(hs->store, STMT_PUSHER_PUT, "itttt", req->user, app_id, pushkey, req->device_id,
                  json_str(req->a, pusher_of(req))));
    TRY(store_get_int(hs->store, &count, 0, STMT_PUSHER_COUNT, "i", req->user));
    return count <= PUSHERS_MAX ? reply_empty(req)
                                : reply_error(req, 400, "M_LIMIT_EXCEEDED",
                                              "a user has at most %d pushers", PUSHERS_MAX);
}

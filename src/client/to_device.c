/* Messages for devices; the same transaction id sends once. */
#include "client/to_device.h"

#include "client/once.h"
#include "engine/to_device.h"

enum { MESSAGE_ID_LENGTH = 16 };

static bool is_well_formed(const struct json *messages)
{
    size_t n = 0;
    for (const struct json *user = json_first(messages); user != NULL; user = json_next(user)) {
        if (!json_is(user, JSON_OBJECT)) {
            return false;
        }
        for (const struct json *x = json_first(user); x != NULL; x = json_next(x)) {
            n++;
            if (!json_is(x, JSON_OBJECT) || n > TO_DEVICE_MAX) {
                return false;
            }
        }
    }
    return true;
}

enum err to_device_put(struct hs *hs, struct req *req)
{
    struct str before;
    struct str scope = arena_join(req->a, STR("to-device "), req->params[0], STR(""));
    const struct json *messages = json_get_object(req->body, "messages");
    if (!is_well_formed(messages)) {
        return reply_error(req, 400, "M_BAD_JSON", "messages is {user: {device: content}}");
    }
    TRY(once_find(hs, req, scope, req->params[1], &before));
    if (before.p != NULL) {
        return reply_empty(req);
    }
    TRY(once_keep(hs, req, scope, req->params[1], STR("")));
    TRY(reply_limit(req, to_device_send(hs, req->user_id, req->params[0],
                                        hs_random_text(hs, req->a, MESSAGE_ID_LENGTH), messages)));
    return req->reply.status != 0 ? ERR_NONE : reply_empty(req);
}

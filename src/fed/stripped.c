/* Stripped state of others. */
#include "fed/stripped.h"

#include "engine/client_event.h"

enum { STRIPPED_MAX = 32, EVENT_ID_LENGTH = 43 /* as long as a hash */ };

struct json *stripped_take(struct arena *a, const struct json *given, const struct event *ev)
{
    struct json *out = json_array(a);
    for (const struct json *e = json_first(given); e != NULL; e = json_next(e)) {
        struct str type = json_get_text(e, "type");
        struct str sender = json_get_text(e, "sender");
        struct str state_key = json_get_text(e, "state_key");
        const struct json *content = json_get_object(e, "content");
        if (type.p == NULL || sender.p == NULL || state_key.p == NULL || content == NULL ||
            json_count(out) == STRIPPED_MAX) {
            continue;
        }
        struct json *kept = json_push_object(out);
        json_put(kept, STR("content"), json_copy(a, content));
        json_put_text(kept, "sender", sender);
        json_put_text(kept, "state_key", state_key);
        json_put_text(kept, "type", type);
    }
    json_push(out, client_event_strip(a, ev));
    return out;
}

struct str stripped_end(struct hs *hs, struct arena *a, struct str user_id, const struct event *ev)
{
    struct json *out = json_array(a);
    struct json *end = json_push_object(out);
    if (ev != NULL) {
        json_put(end, STR("content"), json_copy(a, ev->content));
        json_put_text(end, "event_id", ev->id);
        json_put_int(end, "origin_server_ts", ev->origin_server_ts);
        json_put_text(end, "sender", ev->sender);
    } else {
        json_put_text(json_put_object(end, STR("content")), "membership", STR("leave"));
        json_put_text(end, "event_id",
                      arena_join(a, STR("$"), hs_random_text(hs, a, EVENT_ID_LENGTH), STR("")));
        json_put_int(end, "origin_server_ts", hs->now.unix_ms);
        json_put_text(end, "sender", user_id);
    }
    json_put_text(end, "state_key", user_id);
    json_put_text(end, "type", STR("m.room.member"));
    return json_str(a, out);
}

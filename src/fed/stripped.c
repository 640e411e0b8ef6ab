/* Stripped state of others. */
#include "fed/stripped.h"

#include "engine/client_event.h"

enum { STRIPPED_MAX = 32 };

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

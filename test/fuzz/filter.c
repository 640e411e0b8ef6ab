/* A client's filter for /sync, and a query's for /messages, asked about an event. */
#include "engine/event_filter.h"
#include "event/version.h"
#include "test/fuzz/fuzz.h"

static const char event_text[] =
    "{\"type\":\"m.room.message\",\"sender\":\"@a:b\",\"room_id\":\"!r:b\",\"origin_server_ts\":1,"
    "\"content\":{\"body\":\"x\",\"url\":\"mxc://b/x\",\"m.relates_to\":{\"event_id\":\"$e\"}}}";

static void ask(const struct event_filter *f, const struct json *event)
{
    const struct json *content = json_get_object(event, "content");
    (void)event_filter_allows_room(f, json_get_text(event, "room_id"));
    (void)event_filter_allows(f, json_get_text(event, "type"), json_get_text(event, "sender"),
                              content);
    (void)event_filter_allows(f, STR(""), STR_ABSENT, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new();
    struct json *node = NULL;
    struct json *event = NULL;
    const char *why = NULL;
    struct sync_filter sync;
    struct event_filter query;
    enum err err = json_parse(a, STR(event_text), &event, &why);
    assert(err == ERR_NONE);
    if (json_parse(a, str_make(data, size), &node, &why) == ERR_NONE) {
        if (event_filter_parse(node, &query, &why) == ERR_NONE) {
            ask(&query, event);
        }
        if (sync_filter_parse(node, &sync, &why) == ERR_NONE) {
            ask(&sync.presence, event);
            ask(&sync.timeline, event);
            ask(&sync.state, event);
            (void)sync_filter_allows_room(&sync, STR("!r:b"));
            if (sync.event_fields != NULL) {
                (void)event_fields_pick(a, sync.event_fields, event);
            }
        } else {
            assert(why != NULL);
        }
    }
    arena_free(a);
    return 0;
}

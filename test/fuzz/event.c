/* A stranger's event, in each room version: it is refused, or its fields are within their limits.
 */
#include "event/event.h"
#include "base/limits.h"
#include "event/version.h"
#include "test/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_make(data, size);
    for (size_t i = 0; room_version_at(i) != NULL; i++) {
        struct arena *a = arena_new();
        struct event *ev = NULL;
        const char *why = NULL;
        if (event_parse_text(a, room_version_at(i), text, &ev, &why) == ERR_NONE) {
            assert(ev != NULL && ev->id.n > 0 && ev->id.n <= EVENT_ID_MAX);
            assert(ev->type.n <= EVENT_ID_MAX && ev->sender.n <= EVENT_ID_MAX);
            (void)event_is_state(ev);
            (void)event_membership(ev);
        } else {
            assert(ev == NULL);
        }
        arena_free(a);
    }
    return 0;
}

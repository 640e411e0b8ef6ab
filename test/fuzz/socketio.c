/* What a relay says: engine.io and socket.io packets, each input's lines as messages of their own.
 */
#include "net/socketio.h"
#include "test/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = str_make(data, size);
    struct socketio s;
    socketio_init(&s);
    while (rest.n > 0) {
        struct arena *a = arena_new();
        struct socketio_packet packet;
        struct str line = rest;
        struct str tail = STR("");
        (void)str_cut(rest, '\n', &line, &tail);
        bool is_text = line.n == 0 || line.p[0] != '\x04';
        enum err err = socketio_read(&s, a, line, is_text, &packet);
        arena_free(a);
        if (err != ERR_NONE) {
            break;
        }
        rest = tail;
    }
    socketio_release(&s);
    return 0;
}

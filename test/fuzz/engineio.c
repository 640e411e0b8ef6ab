/* What the relay is told: a body of long polling as text and as bytes, each of its packets as
 * engine.io has it, and a message of these as socket.io has it. */
#include "relay/engineio.h"
#include "relay/payload.h"
#include "relay/socketio.h"
#include "test/fuzz/fuzz.h"

static void read_message(struct arena *a, struct str text)
{
    struct socketio_packet packet;
    struct json *payload = NULL;
    struct str rest = STR_ABSENT;
    if (socketio_read(text, &packet) != ERR_NONE) {
        return;
    }
    assert(packet.json.n <= text.n && packet.space.n > 0);
    (void)socketio_name(packet.json, &rest);
    if (socketio_payload(a, packet.json, &payload) == ERR_NONE) {
        assert(json_is(payload, JSON_ARRAY));
        (void)socketio_placeholders_fit(payload, packet.n_attachments);
        (void)socketio_is_true(payload);
    }
}

static void read_packet(struct arena *a, struct frame *frame)
{
    struct engineio_packet packet = engineio_read(a, frame);
    if (packet.kind == ENGINEIO_MESSAGE && !packet.is_binary) {
        read_message(a, packet.data);
    }
    frame_drop(engineio_base64(a, frame));
}

/* What was read is written and read again: the same packets. */
static void read_body(struct arena *a, struct str body, bool is_binary)
{
    struct str rest = body;
    struct frame *packet = NULL;
    while (payload_next(&rest, is_binary, &packet) == ERR_NONE && packet != NULL) {
        struct buf out;
        struct frame *again = NULL;
        read_packet(a, packet);
        buf_init_in(&out, a, 2 * body.n + 64);
        payload_add(&out, packet, is_binary);
        struct str written = buf_str(&out);
        enum err err = payload_next(&written, is_binary, &again);
        assert(err == ERR_NONE && again != NULL && written.n == 0);
        assert(str_eq(frame_payload(again), frame_payload(packet)));
        frame_drop(again);
        frame_drop(packet);
        packet = NULL;
    }
    assert(rest.n <= body.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new();
    struct str body = str_make(data, size);
    struct frame *frame = frame_of(body);
    read_packet(a, frame);
    frame_drop(frame);
    read_message(a, body);
    read_body(a, body, false);
    read_body(a, body, true);
    arena_free(a);
    return 0;
}

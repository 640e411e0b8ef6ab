/* What clients say: engine.io's packets, socket.io's in them, and attachments that follow. */
#include "relay/engineio.h"
#include "relay/socketio.h"
#include "relay/state.h"

/* --- attachments -------------------------------------------------------------------------- */

void message_forget(struct conn *conn)
{
    frame_drop(conn->pending.header);
    frame_drop(conn->pending.chunk);
    heap_free(conn->pending.name);
    heap_free(conn->pending.refuse_ack);
    conn->pending = (struct pending){0};
}

static const struct str STREAM_QUEUE = STR_INIT("socket.io-pull-stream.queue.");
static const struct str STREAM_ACCEPT = STR_INIT("socket.io-pull-stream.accept.");
static const struct str STREAM_ERROR = STR_INIT("socket.io-pull-stream.error.");
static const struct str ONE_PLACEHOLDER = STR_INIT(",{\"_placeholder\":true,\"num\":0}]");

/* All attachments of a binary event are there. */
static void pending_finish(struct relay *relay, struct now now, struct conn *conn)
{
    struct pending *p = &conn->pending;
    if (!str_is_absent(p->name) && p->chunk != NULL) {
        stream_chunk(relay, now, conn, p->name, p->header, p->chunk);
    } else if (!str_is_absent(p->refuse_ack)) {
        /* A refusal in bytes: there is no text for it. */
        struct json *text = NULL;
        if (json_parse(relay->scratch, STR("\"refused\""), &text, NULL) == ERR_NONE) {
            stream_answer(relay, conn, p->refuse_ack, text);
        }
    }
    message_forget(conn);
}

/* bytes: behind engine.io's type. whole: the message, if it is the frame to pass on. */
static void on_attachment(struct relay *relay, struct now now, struct conn *conn, struct str bytes,
                          struct frame *whole)
{
    struct pending *p = &conn->pending;
    if (p->n == 0) {
        relay_bad(relay, conn);
        return;
    }
    if (p->n_have == p->wanted && !str_is_absent(p->name)) {
        if (whole != NULL) {
            p->chunk = frame_hold(whole);
        } else {
            struct frame *chunk = frame_new(FRAME_BINARY, bytes.n + 1);
            chunk = frame_add(chunk, "\x04", 1);
            p->chunk = frame_add(chunk, bytes.p, bytes.n);
            frame_seal(p->chunk);
        }
    }
    p->n_have++;
    if (p->n_have == p->n) {
        pending_finish(relay, now, conn);
    }
}

/* --- packets ------------------------------------------------------------------------------ */

/* A chunk's header just as the real client writes it: no JSON to parse, no copy of it to make. */
static bool on_plain_header(struct conn *conn, const struct socketio_packet *packet,
                            struct frame *message)
{
    struct str rest;
    struct str name = socketio_name(packet->json, &rest);
    if (packet->kind != SOCKETIO_BINARY_EVENT || packet->n_attachments != 1 ||
        !str_is_absent(packet->ack) || str_is_absent(name) || !str_starts(name, STREAM_QUEUE) ||
        !str_eq(rest, ONE_PLACEHOLDER)) {
        return false;
    }
    conn->pending = (struct pending){.n = 1};
    name = str_from(name, STREAM_QUEUE.n);
    if (stream_is_sender(conn, name)) {
        conn->pending.name = heap_str(name);
        conn->pending.header = frame_hold(message);
    }
    return true;
}

/* The second element of an event, or the first of an ack. */
static struct json *value_of(const struct json *payload, bool is_event)
{
    struct json *x = json_first(payload);
    return is_event && x != NULL ? json_next(x) : x;
}

static void on_binary(struct relay *relay, struct conn *conn, const struct socketio_packet *packet,
                      const struct json *payload)
{
    bool is_event = packet->kind == SOCKETIO_BINARY_EVENT;
    int64_t number;
    conn->pending = (struct pending){.n = packet->n_attachments, .wanted = packet->n_attachments};
    if (!socketio_placeholders_fit(payload, packet->n_attachments)) {
        relay_bad(relay, conn);
        return;
    }
    struct str name = json_text(json_first(payload));
    if (!is_event && !str_is_absent(packet->ack)) {
        conn->pending.refuse_ack = heap_str(packet->ack);
    } else if (is_event && str_starts(name, STREAM_QUEUE) &&
               socketio_placeholder(value_of(payload, true), &number)) {
        name = str_from(name, STREAM_QUEUE.n);
        if (stream_is_sender(conn, name)) {
            conn->pending.name = heap_str(name);
            conn->pending.wanted = (unsigned)number;
        }
    }
}

/* Old browser clients send a chunk as text; anything else that is no bytes is dropped. */
static void on_text_chunk(struct relay *relay, struct now now, struct conn *conn, struct str name,
                          const struct json *value)
{
    struct str text = json_text(value);
    if (str_is_absent(text)) {
        metrics_add(&relay->metrics, METRIC_IGNORED, 1);
        return;
    }
    struct frame *chunk = frame_add(frame_new(FRAME_BINARY, text.n + 1), "\x04", 1);
    chunk = frame_add(chunk, text.p, text.n);
    frame_seal(chunk);
    stream_chunk(relay, now, conn, name, NULL, chunk);
    frame_drop(chunk);
}

static void on_event(struct relay *relay, struct now now, struct conn *conn,
                     const struct json *payload, struct str ack)
{
    struct str name = json_text(json_first(payload));
    const struct json *value = value_of(payload, true);
    if (json_first(payload) == NULL || json_is(json_first(payload), JSON_NULL)) {
        relay_bad(relay, conn);
    } else if (str_is_absent(name)) {
        return; /* a number is a name nobody listens to */
    } else if (str_starts(name, STREAM_ACCEPT)) {
        stream_accept(relay, conn, str_from(name, STREAM_ACCEPT.n));
    } else if (str_starts(name, STREAM_QUEUE)) {
        on_text_chunk(relay, now, conn, str_from(name, STREAM_QUEUE.n), value);
    } else if (str_starts(name, STREAM_ERROR)) {
        if (socketio_is_true(value)) {
            struct frame *error = socketio_value(relay->scratch, name, value);
            stream_end(relay, conn, str_from(name, STREAM_ERROR.n), error);
            frame_drop(error);
        }
    } else {
        star_event(relay, now, conn, name, payload, ack);
    }
}

/* What socket.io's DISCONNECT does: the websocket stays, its events count for nothing. */
static void on_disconnect(struct relay *relay, struct conn *conn)
{
    conn->has_left = true;
    stream_gone(relay, conn, true);
    star_gone(relay, conn);
}

static void on_packet(struct relay *relay, struct now now, struct conn *conn, struct str text,
                      struct frame *message)
{
    struct socketio_packet packet;
    struct json *payload = NULL;
    enum err err = socketio_read(text, &packet);
    if (err == ERR_ABSENT) {
        return;
    }
    bool is_ours = str_eq(packet.space, STR("/")) && !conn->has_left;
    if (err == ERR_NONE && is_ours && on_plain_header(conn, &packet, message)) {
        return;
    }
    if (err == ERR_NONE && packet.json.n > 0) {
        bool is_listed = packet.kind != SOCKETIO_CONNECT && packet.kind != SOCKETIO_DISCONNECT &&
                         packet.kind != SOCKETIO_ERROR;
        err = is_listed ? socketio_payload(relay->scratch, packet.json, &payload) : ERR_NONE;
    }
    if (err != ERR_NONE) {
        relay_bad(relay, conn);
        return;
    }
    switch (packet.kind) {
    case SOCKETIO_CONNECT:
        if (!str_eq(packet.space, STR("/"))) {
            conn_send_new(relay, conn, socketio_no_space(relay->scratch, packet.space));
        }
        return;
    case SOCKETIO_DISCONNECT:
        if (is_ours) {
            on_disconnect(relay, conn);
        }
        return;
    case SOCKETIO_EVENT:
        if (is_ours && payload != NULL) {
            on_event(relay, now, conn, payload, packet.ack);
        }
        return;
    case SOCKETIO_ACK:
        if (is_ours && payload != NULL) {
            stream_answer(relay, conn, packet.ack, value_of(payload, false));
        }
        return;
    case SOCKETIO_BINARY_EVENT:
    case SOCKETIO_BINARY_ACK:
        if (is_ours) {
            on_binary(relay, conn, &packet, payload);
        } else {
            conn->pending = (struct pending){.n = packet.n_attachments};
        }
        return;
    case SOCKETIO_ERROR:
        return;
    }
}

static void on_message(struct relay *relay, struct now now, struct conn *conn,
                       struct frame *message)
{
    struct engineio_packet packet = engineio_read(relay->scratch, message);
    switch (packet.kind) {
    case ENGINEIO_PING:
        conn_send_new(relay, conn, frame_of(STR("3")));
        return;
    case ENGINEIO_MESSAGE:
        if (packet.is_binary) {
            on_attachment(relay, now, conn, packet.data,
                          message->kind == FRAME_BINARY ? message : NULL);
        } else if (conn->pending.n > 0) {
            relay_bad(relay, conn); /* an attachment was due */
        } else {
            on_packet(relay, now, conn, packet.data, message);
        }
        return;
    case ENGINEIO_BAD:
        relay_bad(relay, conn);
        return;
    case ENGINEIO_OPEN:
    case ENGINEIO_CLOSE:
    case ENGINEIO_PONG:
    case ENGINEIO_UPGRADE:
    case ENGINEIO_NOOP:
    case ENGINEIO_IGNORE:
        return;
    }
}

void relay_message(struct relay *relay, struct now now, struct conn *conn, struct frame *message)
{
    assert(message->n <= RELAY_MESSAGE_MAX);
    conn->heard_ms = now.mono_ms;
    if (conn->closing == CONN_OPEN) {
        on_message(relay, now, conn, message);
        roster_tick(relay, now);
    }
    frame_drop(message);
    if (arena_size(relay->scratch) > 0) {
        arena_clear(relay->scratch);
    }
}

/* Connections: their messages in, their queues out, their timers. */
#include "relay/relay.h"

#include "base/encode.h"
#include "relay/engineio.h"
#include "relay/socketio.h"
#include "relay/state.h"

#include <string.h>

/* --- small things ------------------------------------------------------------------------- */

struct str heap_str(struct str s)
{
    char *copy = base_realloc(NULL, s.n + 1);
    if (s.n > 0) {
        memcpy(copy, s.p, s.n);
    }
    copy[s.n] = 0;
    return str_make(copy, s.n);
}

void heap_free(struct str s)
{
    union {
        const char *borrowed;
        void *own;
    } p = {.borrowed = s.p};
    base_free(p.own);
}

void conn_touch(struct relay *relay, struct conn *conn)
{
    if (!conn->is_changed) {
        conn->is_changed = true;
        TAILQ_INSERT_TAIL(&relay->changed, conn, changed);
    }
}

void conn_close(struct relay *relay, struct conn *conn, enum conn_closing how)
{
    if (conn->closing < how) {
        conn->closing = how;
        conn_touch(relay, conn);
    }
    if (how == CONN_KILLED) {
        queue_release(&conn->out);
    }
}

void conn_send(struct relay *relay, struct conn *conn, struct frame *f)
{
    if (conn->closing != CONN_OPEN) {
        return;
    }
    if (conn->is_base64) {
        struct frame *text = engineio_base64(relay->scratch, f);
        queue_push(&conn->out, text);
        frame_drop(text);
    } else {
        queue_push(&conn->out, f);
    }
    conn_touch(relay, conn);
    if ((int64_t)conn->out.bytes > relay->config.limits.queue_max) {
        metrics_add(&relay->metrics, METRIC_CLOSED_SLOW, 1);
        conn_close(relay, conn, CONN_KILLED);
    }
}

void conn_send_new(struct relay *relay, struct conn *conn, struct frame *f)
{
    conn_send(relay, conn, f);
    frame_drop(f);
}

static void close_bad(struct relay *relay, struct conn *conn)
{
    metrics_add(&relay->metrics, METRIC_CLOSED_BAD, 1);
    conn_close(relay, conn, CONN_CLOSING);
}

/* --- making and ending -------------------------------------------------------------------- */

struct relay *relay_new(const struct relay_config *config)
{
    struct relay *relay = base_alloc(sizeof(*relay));
    relay->config = *config;
    relay->scratch = arena_new();
    TAILQ_INIT(&relay->conns);
    TAILQ_INIT(&relay->changed);
    TAILQ_INIT(&relay->due);
    TAILQ_INIT(&relay->listeners);
    map_init(&relay->moved);
    TAILQ_INIT(&relay->ringing);
    map_init(&relay->ips);
    map_init(&relay->addresses);
    return relay;
}

void relay_free(struct relay *relay)
{
    assert(TAILQ_EMPTY(&relay->conns));
    star_free(relay);
    roster_free(relay);
    map_release(&relay->ips);
    arena_free(relay->scratch);
    base_free(relay);
}

/* The counter of a network address with room for one more, or NULL. */
static struct ip *ip_enter(struct relay *relay, struct str text)
{
    struct ip *ip = map_get(&relay->ips, text);
    if (ip == NULL) {
        ip = base_alloc(sizeof(*ip));
        ip->text = heap_str(text);
        map_put(&relay->ips, ip->text, ip);
    }
    if ((int64_t)ip->n >= relay->config.limits.connections_per_ip) {
        return NULL; /* it has others, so it stays in the map */
    }
    ip->n++;
    return ip;
}

static void ip_leave(struct relay *relay, struct ip *ip)
{
    ip->n--;
    if (ip->n == 0) {
        (void)map_remove(&relay->ips, ip->text);
        heap_free(ip->text);
        base_free(ip);
    }
}

/* A connection that is counted; NULL: a limit says no. */
static struct conn *conn_new(struct relay *relay, struct now now, struct str ip)
{
    struct ip *entered = NULL;
    if ((int64_t)relay->n_conns < relay->config.limits.connections) {
        entered = ip_enter(relay, ip);
    }
    if (entered == NULL) {
        metrics_add(&relay->metrics, METRIC_CONNECTIONS_REFUSED, 1);
        return NULL;
    }
    struct conn *conn = base_alloc(sizeof(*conn));
    conn->ip = entered;
    conn->heard_ms = now.mono_ms;
    TAILQ_INIT(&conn->blocked);
    TAILQ_INIT(&conn->addresses);
    TAILQ_INIT(&conn->challenges);
    TAILQ_INSERT_TAIL(&relay->conns, conn, all);
    relay->n_conns++;
    return conn;
}

/* The two first packets; returns the session's name, in the scratch arena. */
static struct str greet(struct relay *relay, struct conn *conn)
{
    uint8_t bytes[ENGINEIO_SID_BYTES];
    relay->config.random(relay->config.random_arg, bytes, sizeof(bytes));
    struct str sid = base64url_write(relay->scratch, str_make(bytes, sizeof(bytes)));
    conn_send_new(relay, conn, engineio_open(relay->scratch, sid, conn->polling != NULL));
    conn_send_new(relay, conn, frame_of(STR("40")));
    return sid;
}

struct conn *relay_open(struct relay *relay, struct now now, struct str ip, bool is_base64,
                        void *socket)
{
    struct conn *conn = conn_new(relay, now, ip);
    if (conn != NULL) {
        conn->socket = socket;
        conn->is_base64 = is_base64;
        (void)greet(relay, conn);
        arena_clear(relay->scratch);
    }
    return conn;
}

struct conn *relay_open_polling(struct relay *relay, struct now now, struct str ip, bool is_base64,
                                char sid[POLLING_SID_SIZE], struct polling *polling)
{
    struct conn *conn = conn_new(relay, now, ip);
    if (conn != NULL) {
        conn->polling = polling;
        conn->is_base64 = is_base64;
        struct str text = greet(relay, conn);
        assert(text.n == POLLING_SID_SIZE);
        memcpy(sid, text.p, POLLING_SID_SIZE);
        arena_clear(relay->scratch);
    }
    return conn;
}

void conn_upgrade(struct relay *relay, struct conn *conn, void *socket, bool is_base64)
{
    conn->socket = socket;
    conn->polling = NULL;
    conn->is_base64 = is_base64;
    conn_touch(relay, conn);
}

void relay_bad(struct relay *relay, struct conn *conn)
{
    close_bad(relay, conn);
}

static void pending_clear(struct conn *conn)
{
    frame_drop(conn->pending.header);
    frame_drop(conn->pending.chunk);
    heap_free(conn->pending.name);
    heap_free(conn->pending.refuse_ack);
    conn->pending = (struct pending){0};
}

void relay_gone(struct relay *relay, struct now now, struct conn *conn)
{
    conn_close(relay, conn, CONN_KILLED); /* nothing below is sent to it */
    star_gone(relay, now, conn);
    roster_gone(relay, conn);
    roster_tick(relay, now);
    stream_gone(relay, conn, false);
    pending_clear(conn);
    map_release(&conn->streams);
    queue_release(&conn->out);
    if (conn->is_changed) {
        TAILQ_REMOVE(&relay->changed, conn, changed);
    }
    TAILQ_REMOVE(&relay->conns, conn, all);
    relay->n_conns--;
    ip_leave(relay, conn->ip);
    base_free(conn);
    arena_clear(relay->scratch);
}

/* --- messages ----------------------------------------------------------------------------- */

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
    pending_clear(conn);
}

/* bytes: behind engine.io's type. whole: the message, if it is the frame to pass on. */
static void on_attachment(struct relay *relay, struct now now, struct conn *conn, struct str bytes,
                          struct frame *whole)
{
    struct pending *p = &conn->pending;
    if (p->n == 0) {
        close_bad(relay, conn);
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
        close_bad(relay, conn);
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
        close_bad(relay, conn);
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
static void on_disconnect(struct relay *relay, struct now now, struct conn *conn)
{
    conn->has_left = true;
    stream_gone(relay, conn, true);
    star_gone(relay, now, conn);
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
        close_bad(relay, conn);
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
            on_disconnect(relay, now, conn);
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
            close_bad(relay, conn); /* an attachment was due */
        } else {
            on_packet(relay, now, conn, packet.data, message);
        }
        return;
    case ENGINEIO_BAD:
        close_bad(relay, conn);
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

/* --- time --------------------------------------------------------------------------------- */

/* Idle ends a connection; a paused one cannot be heard and gets a sign of life instead. */
static void scan(struct relay *relay, struct now now, struct conn *conn)
{
    if (conn->n_paused_by > 0) {
        conn->heard_ms = now.mono_ms;
        if (conn->noop_ms + relay->config.limits.noop_ms <= now.mono_ms) {
            conn->noop_ms = now.mono_ms;
            conn_send_new(relay, conn, frame_of(STR("6")));
        }
    } else if (conn->heard_ms + RELAY_PING_INTERVAL_MS + RELAY_PING_TIMEOUT_MS <= now.mono_ms &&
               conn->closing == CONN_OPEN) {
        metrics_add(&relay->metrics, METRIC_CLOSED_IDLE, 1);
        conn_close(relay, conn, CONN_CLOSING);
    }
    stream_scan(relay, now, conn);
}

void relay_tick(struct relay *relay, struct now now)
{
    stream_tick(relay, now);
    star_tick(relay, now);
    roster_tick(relay, now);
    if (relay->scan_ms + RELAY_SCAN_MS <= now.mono_ms) {
        struct conn *conn = TAILQ_FIRST(&relay->conns);
        relay->scan_ms = now.mono_ms;
        while (conn != NULL) {
            scan(relay, now, conn);
            conn = TAILQ_NEXT(conn, all);
        }
    }
    arena_clear(relay->scratch);
}

int64_t relay_due_ms(const struct relay *relay)
{
    int64_t due_ms = relay->scan_ms + RELAY_SCAN_MS, roster_ms = roster_due_ms(relay);
    due_ms = roster_ms < due_ms ? roster_ms : due_ms;
    const struct address *address = TAILQ_FIRST(&relay->due);
    const struct stream *stream = TAILQ_FIRST(&relay->ringing);
    if (address != NULL && address->due_ms < due_ms) {
        due_ms = address->due_ms;
    }
    if (stream != NULL && stream->deadline_ms < due_ms) {
        due_ms = stream->deadline_ms;
    }
    return due_ms;
}

/* --- outputs ------------------------------------------------------------------------------ */

struct conn *relay_changed(struct relay *relay)
{
    struct conn *conn = TAILQ_FIRST(&relay->changed);
    if (conn != NULL) {
        TAILQ_REMOVE(&relay->changed, conn, changed);
        conn->is_changed = false;
    }
    return conn;
}

void *conn_socket(const struct conn *conn)
{
    return conn->socket;
}

struct polling *conn_polling(const struct conn *conn)
{
    return conn->polling;
}

bool conn_is_paused(const struct conn *conn)
{
    return conn->n_paused_by > 0;
}

enum conn_closing conn_closing(const struct conn *conn)
{
    return conn->closing;
}

struct frame *conn_first(const struct conn *conn)
{
    return queue_first(&conn->out);
}

void conn_sent(struct relay *relay, struct conn *conn)
{
    queue_pop(&conn->out);
    stream_drained(relay, conn);
}

const struct metrics *relay_metrics(struct relay *relay)
{
    const struct conn *conn = TAILQ_FIRST(&relay->conns);
    uint64_t n_paused = 0, bytes = 0;
    while (conn != NULL) {
        n_paused += conn->n_paused_by > 0 ? 1 : 0;
        bytes += conn->out.bytes + conn->unaccepted_bytes;
        conn = TAILQ_NEXT(conn, all);
    }
    metrics_set(&relay->metrics, METRIC_PEERS, relay->n_list);
    metrics_set(&relay->metrics, METRIC_CONNECTIONS, relay->n_conns);
    metrics_set(&relay->metrics, METRIC_STREAMS, relay->n_streams);
    metrics_set(&relay->metrics, METRIC_PAUSED, n_paused);
    metrics_set(&relay->metrics, METRIC_QUEUE_BYTES, bytes);
    return &relay->metrics;
}

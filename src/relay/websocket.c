/* A websocket of libwebsockets and the relay's connection behind it. What comes in, libwebsockets
 * has unframed; what goes out is framed already and leaves in batches. */
#include "relay/host.h"

#include <string.h>

enum { CLOSE_TIMEOUT_S = 5 }; /* for the other end's Close */

_Static_assert(FRAME_HEADROOM - FRAME_HEADER_MAX >= LWS_PRE, "frames have room for LWS_PRE");

void websocket_apply(struct conn *conn)
{
    struct lws *wsi = conn_socket(conn);
    struct session *session = lws_wsi_user(wsi);
    if (conn_is_paused(conn) != session->is_paused) {
        session->is_paused = conn_is_paused(conn);
        (void)lws_rx_flow_control(wsi, session->is_paused ? 0 : 1);
    }
    if (conn_closing(conn) == CONN_KILLED) {
        hang_up(wsi);
    } else if (conn_first(conn) != NULL || conn_closing(conn) == CONN_CLOSING) {
        (void)lws_callback_on_writable(wsi);
    }
}

void websocket_refuse(void *ctx, void *socket)
{
    struct lws *wsi = socket;
    struct session *session = lws_wsi_user(wsi);
    (void)ctx;
    session->is_probe = false;
    session->polling = NULL;
    session->wants_close = true;
    (void)lws_callback_on_writable(wsi);
}

int websocket_open(struct server *server, struct lws *wsi, struct session *session)
{
    char ip[64];
    if (session->has_sid) {
        session->polling = polling_find(server->pollings, str_make(session->sid, POLLING_SID_SIZE));
        session->is_probe =
            session->polling != NULL && polling_probe(session->polling, now_get(), wsi);
        if (!session->is_probe) {
            websocket_refuse(server, wsi);
        }
        return 0;
    }
    session->conn = relay_open(server->relay, now_get(), ip_of(wsi, ip), session->is_base64, wsi);
    if (session->conn == NULL) {
        return -1;
    }
    server->n_sessions++;
    settle(server);
    return 0;
}

void websocket_closed(struct server *server, struct session *session)
{
    frame_drop(session->message);
    session->message = NULL;
    if (session->is_probe) {
        polling_probe_gone(session->polling);
    } else if (session->conn != NULL) {
        server->n_sessions--;
        if (!session->got_close && conn_closing(session->conn) == CONN_OPEN) {
            relay_count(server->relay, METRIC_BROKEN);
        }
        relay_gone(server->relay, now_get(), session->conn);
        if (session->polling != NULL) {
            polling_forget(server->pollings, session->polling);
        }
    }
    session->conn = NULL;
    session->polling = NULL;
    session->is_probe = false;
    settle(server);
}

/* A message of a websocket that wants to take over a session. */
static void on_probe(struct server *server, struct lws *wsi, struct session *session,
                     struct frame *message)
{
    struct polling *polling = session->polling;
    switch (polling_probe_message(server->pollings, polling, message, session->is_base64)) {
    case POLLING_PONG:
        session->wants_pong = true;
        (void)lws_callback_on_writable(wsi);
        polling_settle(server->pollings, now_get(), polling);
        return;
    case POLLING_UPGRADED:
        session->is_probe = false;
        session->conn = polling_conn(polling);
        server->n_sessions++;
        return;
    case POLLING_REFUSED:
        websocket_refuse(server, wsi);
        return;
    }
}

static int refuse_large(struct server *server, struct lws *wsi, struct session *session)
{
    if (session->conn != NULL) {
        relay_bad(server->relay, session->conn);
    }
    lws_close_reason(wsi, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, NULL, 0);
    return -1;
}

int websocket_bytes(struct server *server, struct lws *wsi, struct session *session,
                    const void *bytes, size_t n)
{
    size_t rest = lws_remaining_packet_payload(wsi);
    if ((session->conn == NULL && !session->is_probe) || session->sent_close) {
        return 0;
    }
    if (session->message == NULL) {
        if (n + rest > RELAY_MESSAGE_MAX) {
            return refuse_large(server, wsi, session);
        }
        session->message =
            frame_new(lws_frame_is_binary(wsi) ? FRAME_BINARY : FRAME_TEXT, n + rest);
    }
    if (session->message->n + n + rest > RELAY_MESSAGE_MAX) {
        return refuse_large(server, wsi, session);
    }
    session->message = frame_add(session->message, bytes, n);
    if (lws_is_final_fragment(wsi)) {
        struct frame *message = session->message;
        session->message = NULL;
        frame_seal(message);
        if (session->is_probe) {
            on_probe(server, wsi, session, message);
        } else {
            relay_message(server->relay, now_get(), session->conn, message);
        }
        settle(server);
    }
    return 0;
}

/* A Close frame with no code in it, as engine.io sends it. libwebsockets has none. */
static int send_close(struct server *server, struct lws *wsi)
{
    static const unsigned char close_frame[] = {0x88, 0x00};
    memcpy(server->batch + LWS_PRE, close_frame, sizeof(close_frame));
    return lws_write(wsi, server->batch + LWS_PRE, sizeof(close_frame), LWS_WRITE_RAW);
}

/* Fills the batch with whole frames; a frame too large for it goes alone. 0: nothing to send. */
static int send_batch(struct server *server, struct lws *wsi, struct session *session)
{
    size_t n = 0;
    struct frame *f = conn_first(session->conn);
    while (f != NULL && frame_wire_size(f) <= BATCH_SIZE - n) {
        memcpy(server->batch + LWS_PRE + n, frame_wire(f), frame_wire_size(f));
        n += frame_wire_size(f);
        conn_sent(server->relay, session->conn);
        f = conn_first(session->conn);
    }
    if (n > 0) {
        return lws_write(wsi, server->batch + LWS_PRE, n, LWS_WRITE_RAW);
    }
    if (f == NULL) {
        return 0;
    }
    /* Shared frames are sent from their own memory: its headroom is nobody's. */
    int sent = lws_write(wsi, frame_wire(f), frame_wire_size(f), LWS_WRITE_RAW);
    conn_sent(server->relay, session->conn);
    return sent;
}

/* Closes it, and waits for the other end's Close. */
static int close_session(struct server *server, struct lws *wsi, struct session *session)
{
    session->sent_close = true;
    if (send_close(server, wsi) < 0) {
        return -1;
    }
    lws_set_timeout(wsi, PENDING_TIMEOUT_CLOSE_ACK, CLOSE_TIMEOUT_S);
    return 0;
}

/* A websocket that has no connection (yet). */
static int on_writable_probe(struct server *server, struct lws *wsi, struct session *session)
{
    static const unsigned char pong[] = {0x81, 6, '3', 'p', 'r', 'o', 'b', 'e'};
    if (session->wants_pong) {
        session->wants_pong = false;
        memcpy(server->batch + LWS_PRE, pong, sizeof(pong));
        if (lws_write(wsi, server->batch + LWS_PRE, sizeof(pong), LWS_WRITE_RAW) < 0) {
            return -1;
        }
    }
    return session->wants_close ? close_session(server, wsi, session) : 0;
}

int websocket_writable(struct server *server, struct lws *wsi, struct session *session)
{
    if (session->sent_close) {
        return 0;
    }
    if (server->is_stopping) {
        (void)send_close(server, wsi);
        return -1;
    }
    if (session->conn == NULL) {
        return on_writable_probe(server, wsi, session);
    }
    if (send_batch(server, wsi, session) < 0) {
        return -1;
    }
    if (conn_first(session->conn) != NULL) {
        (void)lws_callback_on_writable(wsi);
    } else if (conn_closing(session->conn) == CONN_CLOSING &&
               close_session(server, wsi, session) < 0) {
        return -1;
    }
    settle(server);
    return 0;
}

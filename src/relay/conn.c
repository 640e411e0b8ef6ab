/* Connections: how they begin and end, and what waits to be sent to them. */
#include "base/encode.h"
#include "relay/engineio.h"
#include "relay/state.h"

#include <string.h>

/* --- what goes out ------------------------------------------------------------------------ */

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
        LIMIT_HIT(relay, queue_max);
        conn_close(relay, conn, CONN_KILLED);
    }
}

void conn_send_new(struct relay *relay, struct conn *conn, struct frame *f)
{
    conn_send(relay, conn, f);
    frame_drop(f);
}

void relay_bad(struct relay *relay, struct conn *conn)
{
    metrics_add(&relay->metrics, METRIC_CLOSED_BAD, 1);
    log_fact(&relay->config.log, LOG_DEBUG, "closed for what it sent",
             conn->ip == NULL ? STR("") : conn->ip->text);
    conn_close(relay, conn, CONN_CLOSING);
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

/* --- making and ending -------------------------------------------------------------------- */

static struct ip *ip_make(struct relay *relay, struct str text)
{
    struct ip *ip = map_get(&relay->ips, text);
    if (ip == NULL) {
        ip = base_alloc(sizeof(*ip));
        ip->text = heap_str(text);
        map_put(&relay->ips, ip->text, ip);
    }
    return ip;
}

static void ip_drop_if_unused(struct relay *relay, struct ip *ip)
{
    if (ip->n == 0 && ip->n_sockets == 0) {
        (void)map_remove(&relay->ips, ip->text);
        heap_free(ip->text);
        base_free(ip);
    }
}

struct ip *relay_socket_open(struct relay *relay, struct str text)
{
    struct ip *ip = ip_make(relay, text);
    int64_t most = relay->config.limits.connections_per_ip + relay->config.limits.sockets_spare;
    if ((int64_t)ip->n_sockets >= most) {
        LIMIT_HIT(relay, sockets_spare);
        return NULL; /* it has others, so it stays in the map */
    }
    ip->n_sockets++;
    relay->n_sockets++;
    return ip;
}

void relay_socket_gone(struct relay *relay, struct ip *ip)
{
    ip->n_sockets--;
    relay->n_sockets--;
    ip_drop_if_unused(relay, ip);
}

/* The counter of a network address with room for one more, or NULL. */
static struct ip *ip_enter(struct relay *relay, struct str text)
{
    struct ip *ip = ip_make(relay, text);
    if ((int64_t)ip->n >= relay->config.limits.connections_per_ip) {
        LIMIT_HIT(relay, connections_per_ip);
        return NULL; /* it has others, so it stays in the map */
    }
    ip->n++;
    return ip;
}

static void ip_leave(struct relay *relay, struct ip *ip)
{
    ip->n--;
    ip_drop_if_unused(relay, ip);
}

struct conn *conn_make(struct relay *relay, struct now now, struct ip *ip)
{
    struct conn *conn = base_alloc(sizeof(*conn));
    conn->ip = ip;
    conn->heard_ms = now.mono_ms;
    TAILQ_INIT(&conn->blocked);
    TAILQ_INIT(&conn->addresses);
    TAILQ_INIT(&conn->challenges);
    TAILQ_INSERT_TAIL(&relay->conns, conn, all);
    relay->n_conns += ip == NULL ? 0 : 1;
    return conn;
}

/* A connection of a network address; NULL: a limit says no. */
static struct conn *conn_new(struct relay *relay, struct now now, struct str ip)
{
    struct ip *entered = NULL;
    if ((int64_t)relay->n_conns < relay->config.limits.connections) {
        entered = ip_enter(relay, ip);
    } else {
        LIMIT_HIT(relay, connections);
    }
    if (entered == NULL) {
        metrics_add(&relay->metrics, METRIC_CONNECTIONS_REFUSED, 1);
        return NULL;
    }
    return conn_make(relay, now, entered);
}

/* The two first packets; returns the session's name, in the scratch arena. */
static struct str greet(struct relay *relay, struct conn *conn)
{
    uint8_t bytes[ENGINEIO_SID_BYTES];
    relay->config.random(relay->config.random_arg, bytes, sizeof(bytes));
    struct str sid = base64url_write(relay->scratch, str_make(bytes, sizeof(bytes)));
    conn_send_new(relay, conn,
                  engineio_open(relay->scratch, sid, conn->polling != NULL, &relay->config.limits));
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

void relay_gone(struct relay *relay, struct now now, struct conn *conn)
{
    conn_close(relay, conn, CONN_KILLED); /* nothing below is sent to it */
    star_gone(relay, conn);
    roster_gone(relay, conn);
    roster_tick(relay, now);
    stream_gone(relay, conn, false);
    message_forget(conn);
    map_release(&conn->streams);
    queue_release(&conn->out);
    if (conn->is_changed) {
        TAILQ_REMOVE(&relay->changed, conn, changed);
    }
    TAILQ_REMOVE(&relay->conns, conn, all);
    if (conn->ip != NULL) {
        relay->n_conns--;
        ip_leave(relay, conn->ip);
    }
    base_free(conn);
    arena_clear(relay->scratch);
}

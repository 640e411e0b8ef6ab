/* The relay as a whole: its making, what is due, who has something to do, what it counts. */
#include "relay/relay.h"

#include "relay/state.h"

#include <string.h>

struct str heap_str(struct str s)
{
    char *copy = base_realloc(NULL, s.n + 1);
    if (s.n > 0) {
        memcpy(copy, s.p, s.n);
    }
    copy[s.n] = 0;
    return str_make(copy, s.n);
}

void *heap_of(struct str copy)
{
    union {
        const char *borrowed;
        void *own;
    } p = {.borrowed = copy.p};
    return p.own;
}

void heap_free(struct str s)
{
    base_free(heap_of(s));
}

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

/* --- time --------------------------------------------------------------------------------- */

/* Idle ends a connection; a paused one cannot be heard and gets a sign of life instead. */
static void scan(struct relay *relay, struct now now, struct conn *conn)
{
    const struct limits *limits = &relay->config.limits;
    if (conn->is_remote) {
        conn->heard_ms = now.mono_ms;
    } else if (conn->n_paused_by > 0) {
        conn->heard_ms = now.mono_ms;
        if (conn->noop_ms + limits->noop_ms <= now.mono_ms) {
            conn->noop_ms = now.mono_ms;
            conn_send_new(relay, conn, frame_of(STR("6")));
        }
    } else if (conn->heard_ms + limits->ping_interval_ms + limits->ping_timeout_ms <= now.mono_ms &&
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
        log_sums(&relay->config.log, now, &relay->metrics);
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

void relay_count(struct relay *relay, enum metric which)
{
    metrics_add(&relay->metrics, which, 1);
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
    metrics_set(&relay->metrics, METRIC_PEERS, relay->n_here);
    metrics_set(&relay->metrics, METRIC_CONNECTIONS, relay->n_conns);
    metrics_set(&relay->metrics, METRIC_SOCKETS, relay->n_sockets);
    metrics_set(&relay->metrics, METRIC_STREAMS, relay->n_streams);
    metrics_set(&relay->metrics, METRIC_PAUSED, n_paused);
    metrics_set(&relay->metrics, METRIC_QUEUE_BYTES, bytes);
    if (relay->config.cluster.count != NULL) {
        relay->config.cluster.count(relay->config.cluster.arg, &relay->metrics);
    }
    return &relay->metrics;
}

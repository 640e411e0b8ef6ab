/* Names of the counters. */
#include "relay/metrics.h"

struct metric_row {
    const char *name, *type, *help;
};

/* clang-format off */
static const struct metric_row rows[METRIC_COUNT] = {
    [METRIC_PEERS]         = { "rendezvous_peers", "gauge", "peers online now" },
    [METRIC_DIALS]         = { "rendezvous_dials_total", "counter", "all dials since server started" },
    [METRIC_DIALS_SUCCESS] = { "rendezvous_dials_total_success", "counter", "sucessfully completed dials since server started" },
    [METRIC_DIALS_FAILURE] = { "rendezvous_dials_total_failure", "counter", "failed dials since server started" },
    [METRIC_JOINS]         = { "rendezvous_joins_total", "counter", "all joins since server started" },
    [METRIC_JOINS_SUCCESS] = { "rendezvous_joins_total_success", "counter", "sucessfully completed joins since server started" },
    [METRIC_JOINS_FAILURE] = { "rendezvous_joins_total_failure", "counter", "failed joins since server started" },
    [METRIC_CONNECTIONS]   = { "rendezvous_connections", "gauge", "open websockets" },
    [METRIC_SOCKETS]       = { "rendezvous_sockets", "gauge", "open sockets, whatever they say" },
    [METRIC_CONNECTIONS_REFUSED] = { "rendezvous_connections_refused_total", "counter", "websockets refused by a limit" },
    [METRIC_STREAMS]       = { "rendezvous_streams", "gauge", "streams open or ringing" },
    [METRIC_PAUSED]        = { "rendezvous_paused_connections", "gauge", "connections not read until a receiver catches up" },
    [METRIC_QUEUE_BYTES]   = { "rendezvous_queue_bytes", "gauge", "bytes waiting for receivers" },
    [METRIC_RELAYED_BYTES] = { "rendezvous_relayed_bytes_total", "counter", "bytes of chunks passed on" },
    [METRIC_RELAYED_CHUNKS] = { "rendezvous_relayed_chunks_total", "counter", "chunks passed on" },
    [METRIC_ANNOUNCEMENTS] = { "rendezvous_announcements_total", "counter", "ws-peer and ss-peers messages sent" },
    [METRIC_STREAMS_CUT]   = { "rendezvous_streams_cut_total", "counter", "streams ended because their receiver was too slow" },
    [METRIC_DIALS_TIMED_OUT] = { "rendezvous_dials_timed_out_total", "counter", "dials that nobody answered" },
    [METRIC_IGNORED]       = { "rendezvous_ignored_total", "counter", "chunks ignored because they were neither bytes nor text" },
    [METRIC_CLOSED_BAD]    = { "rendezvous_closed_bad_total", "counter", "connections closed for what they sent" },
    [METRIC_CLOSED_IDLE]   = { "rendezvous_closed_idle_total", "counter", "connections closed for their silence" },
    [METRIC_CLOSED_SLOW]   = { "rendezvous_closed_slow_total", "counter", "connections closed because too much waited for them" },
    [METRIC_BROKEN]        = { "rendezvous_broken_total", "counter", "websockets that ended without a Close: lost, or not the protocol" },
    [METRIC_HTTP_REFUSED]  = { "rendezvous_http_refused_total", "counter", "requests answered by 400 or above" },
    [METRIC_SITES]         = { "rendezvous_cluster_relays", "gauge", "other relays of the cluster" },
    [METRIC_CALLS]         = { "rendezvous_cluster_calls", "gauge", "streams that cross to other relays of the cluster" },
};
/* clang-format on */

void metrics_add(struct metrics *m, enum metric which, uint64_t n)
{
    m->value[which] += n;
}

void metrics_set(struct metrics *m, enum metric which, uint64_t n)
{
    m->value[which] = n;
}

void metrics_hit(struct metrics *m, size_t limit_offset)
{
    m->hits[limit_offset / sizeof(int64_t)]++;
}

void metrics_write(const struct metrics *m, struct buf *out)
{
    for (size_t i = 0; i < METRIC_COUNT; i++) {
        buf_add_fmt(out, "# HELP %s %s\n# TYPE %s %s\n%s %llu\n", rows[i].name, rows[i].help,
                    rows[i].name, rows[i].type, rows[i].name, (unsigned long long)m->value[i]);
    }
    buf_add(out, STR("# HELP rendezvous_limit_hits_total how often a limit said no\n"
                     "# TYPE rendezvous_limit_hits_total counter\n"));
    for (size_t i = 0; i < n_limit_rows; i++) {
        buf_add_fmt(out, "rendezvous_limit_hits_total{limit=\"%.*s\"} %llu\n",
                    STR_ARG(limit_rows[i].name),
                    (unsigned long long)m->hits[limit_rows[i].offset / sizeof(int64_t)]);
    }
}

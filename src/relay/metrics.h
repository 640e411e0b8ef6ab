/* What the relay counts, and its Prometheus text. The first seven are npm's series. */
#ifndef RELAY_METRICS_H
#define RELAY_METRICS_H

#include "base/buf.h"
#include "relay/limits.h"

enum metric {
    METRIC_PEERS, /* gauge: addresses joined */
    METRIC_DIALS,
    METRIC_DIALS_SUCCESS,
    METRIC_DIALS_FAILURE,
    METRIC_JOINS,
    METRIC_JOINS_SUCCESS,
    METRIC_JOINS_FAILURE,
    METRIC_CONNECTIONS,         /* gauge */
    METRIC_SOCKETS,             /* gauge */
    METRIC_CONNECTIONS_REFUSED, /* by a limit */
    METRIC_STREAMS,             /* gauge */
    METRIC_PAUSED,              /* gauge: connections that are not read for now */
    METRIC_QUEUE_BYTES,         /* gauge: bytes waiting for receivers */
    METRIC_RELAYED_BYTES,       /* of chunks passed on */
    METRIC_RELAYED_CHUNKS,
    METRIC_ANNOUNCEMENTS,
    METRIC_STREAMS_CUT, /* ended because the receiver was too slow */
    METRIC_DIALS_TIMED_OUT,
    METRIC_IGNORED,    /* chunks that were none */
    METRIC_CLOSED_BAD, /* connections closed for what they sent */
    METRIC_CLOSED_IDLE,
    METRIC_CLOSED_SLOW, /* above queue-max */
    METRIC_BROKEN,      /* ended without a Close of either side: lost, or not the protocol */
    METRIC_HTTP_REFUSED,
    METRIC_SITES, /* gauge: other relays of the cluster */
    METRIC_CALLS, /* gauge: calls with their clients */
    METRIC_COUNT,
};

struct metrics {
    uint64_t value[METRIC_COUNT];
    uint64_t hits[sizeof(struct limits) / sizeof(int64_t)]; /* by the limit's place in its struct */
};

void metrics_add(struct metrics *m, enum metric which, uint64_t n);
void metrics_set(struct metrics *m, enum metric which, uint64_t n);
/* A limit said no: the one at that offset of struct limits. */
void metrics_hit(struct metrics *m, size_t limit_offset);
/* The text format of Prometheus, version 0.0.4. */
void metrics_write(const struct metrics *m, struct buf *out);

#endif

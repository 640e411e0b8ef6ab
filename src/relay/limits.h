/* What one client may ask of the relay: every number in one table, each settable by
 * `--limit NAME=VALUE`. */
#ifndef RELAY_LIMITS_H
#define RELAY_LIMITS_H

#include "base/str.h"

/* Fixed by the protocol and by the npm relay's defaults. */
#define RELAY_ANNOUNCE_MS 10000
#define RELAY_MESSAGE_MAX 1000000 /* bytes of a websocket message, engine.io's type included */
#define RELAY_EVENT_MAX 65536     /* of a text message that carries JSON */
#define RELAY_JSON_DEPTH_MAX 32
#define RELAY_PEERS_SIZE 900000 /* of the list that a client gets when it joins */
#define RELAY_ATTACHMENTS_MAX 10
#define RELAY_SCAN_MS 1000 /* how often idle, paused and stalled connections are looked for */

struct limits {
    int64_t connections;
    int64_t connections_per_ip;
    int64_t sockets_spare; /* sockets above that, for requests and for what never says a word */
    int64_t addresses_per_connection;
    int64_t address_size;
    int64_t joins;         /* of one connection in a minute */
    int64_t join_attempts; /* wrong signatures for one nonce, then the key has to be sent again */
    int64_t streams_per_connection;
    int64_t ringing_per_connection; /* dials not answered yet, to one listener or by one dialer */
    int64_t dial_id_size;
    int64_t dial_timeout_ms;
    int64_t queue_high;     /* bytes waiting for one receiver: its senders are paused above this, */
    int64_t queue_low;      /* go on below this, */
    int64_t queue_max;      /* and above this the receiver is closed */
    int64_t unaccepted_max; /* bytes kept for a stream that its receiver has not accepted yet */
    int64_t stall_ms;       /* a paused sender's stream is ended after this */
    int64_t noop_ms;        /* a paused sender gets a sign of life this often */
    int64_t ping_interval_ms, ping_timeout_ms;
    int64_t head_timeout_ms;
    int64_t announcements; /* of one address, to others, in one round of 10 s */
};

struct limit_row {
    struct str name; /* as the flag has it */
    size_t offset;   /* of an int64_t in struct limits */
    int64_t standard, least, most;
    const char *meaning;
};

extern const struct limit_row limit_rows[];
extern const size_t n_limit_rows;

/* The standard values. */
struct limits limits_standard(void);
/* Sets one by "name=value". ERR_ABSENT: no such name, ERR_SYNTAX: no number, ERR_LIMIT: outside of
 * what the row allows. */
enum err limits_set(struct limits *limits, struct str name_value) MUST_USE;

#endif

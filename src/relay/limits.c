/* The table of limits. */
#include "relay/limits.h"

#include <string.h>

/* clang-format off */
#define ROW(name, field, standard, least, most, meaning) \
    { STR_INIT(name), offsetof(struct limits, field), standard, least, most, meaning }

const struct limit_row limit_rows[] = {
    ROW("connections",    connections,              32768,   1, 1000000,    "open websockets"),
    ROW("per-ip",         connections_per_ip,       16384,   1, 1000000,    "open websockets from one address"),
    ROW("sockets-spare",  sockets_spare,            256,     8, 1000000,    "sockets above that, without a websocket"),
    ROW("addresses",      addresses_per_connection, 8,       1, 1024,       "addresses joined by one connection"),
    ROW("address-size",   address_size,             512,     64, 4096,      "bytes of an address"),
    ROW("joins",          joins,                    240,     1, 1000000,    "ss-join events of one connection in a minute"),
    ROW("join-attempts",  join_attempts,            3,       1, 1000,       "wrong signatures for one nonce"),
    ROW("streams",        streams_per_connection,   1024,    1, 100000,     "streams open at one connection"),
    ROW("ringing",        ringing_per_connection,   256,     1, 100000,     "unanswered dials of one connection"),
    ROW("dial-id-size",   dial_id_size,             128,     36, 1024,      "bytes of a dial id"),
    ROW("dial-timeout",   dial_timeout_ms,          30000,   100, 3600000,  "ms until an unanswered dial fails"),
    ROW("queue-high",     queue_high,               1048576, 1024, 1 << 30, "bytes waiting: pause the senders"),
    ROW("queue-low",      queue_low,                262144,  0, 1 << 30,    "bytes waiting: senders go on"),
    ROW("queue-max",      queue_max,                8388608, 65536, 1 << 30, "bytes waiting: close the receiver"),
    ROW("unaccepted",     unaccepted_max,           262144,  1024, 1 << 30, "bytes kept for an unaccepted stream"),
    ROW("stall",          stall_ms,                 30000,   100, 3600000,  "ms paused until a stream is ended"),
    ROW("noop",           noop_ms,                  15000,   100, 40000,    "ms between signs of life while paused"),
    ROW("ping-interval",  ping_interval_ms,         25000,   100, 3600000,  "ms between a client's pings, as it is told"),
    ROW("ping-timeout",   ping_timeout_ms,          20000,   100, 3600000,  "ms of silence after that: closed"),
    ROW("head-timeout",   head_timeout_ms,          10000,   1000, 3600000, "ms for a request's head, or a handshake"),
    ROW("announcements",  announcements,            100,     1, 1000000,    "others told of an address in 10 s"),
};
/* clang-format on */

const size_t n_limit_rows = COUNT_OF(limit_rows);

static int64_t *field(struct limits *limits, const struct limit_row *row)
{
    return (int64_t *)(void *)((char *)limits + row->offset);
}

struct limits limits_standard(void)
{
    struct limits limits;
    memset(&limits, 0, sizeof(limits));
    for (size_t i = 0; i < n_limit_rows; i++) {
        *field(&limits, &limit_rows[i]) = limit_rows[i].standard;
    }
    return limits;
}

enum err limits_set(struct limits *limits, struct str name_value)
{
    struct str name, value;
    int64_t number;
    if (!str_cut(name_value, '=', &name, &value) || !str_to_i64(value, &number)) {
        return ERR_SYNTAX;
    }
    for (size_t i = 0; i < n_limit_rows; i++) {
        const struct limit_row *row = &limit_rows[i];
        if (str_eq(row->name, name)) {
            if (number < row->least || number > row->most) {
                return ERR_LIMIT;
            }
            *field(limits, row) = number;
            return ERR_NONE;
        }
    }
    return ERR_ABSENT;
}

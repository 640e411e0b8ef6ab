/* For the tests of the relay as a machine: clients that speak in frames, a clock that is set, and
 * randomness that is given. Wants test/test.h before it. */
#ifndef RELAY_TESTBED_H
#define RELAY_TESTBED_H

#include "base/encode.h"
#include "crypto/hash.h"
#include "relay/relay.h"

#define SP "socket.io-pull-stream"
#define ADDR(id) "/ip4/127.0.0.1/tcp/9090/ws/p2p-websocket-star/ipfs/" id
#define ID_A "12D3KooWA4Xop1JaT3MHxwYMkCepYsv4iPVopMXwCz5iHYdBfeSB"
#define ID_B "12D3KooWCd3eX8r5ihRvzK7P1yPq5aakaBJhG5GNj18YTztPhoCa"
#define ADDR_A ADDR(ID_A)
#define ADDR_B ADDR(ID_B)
#define KEY_A "0801122003a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8"
#define KEY_B "0801122029acbae141bccaf0b22e1a94d34d0bc7361e526d0bfe12c89794bc9322966dd7"

struct bed {
    struct relay *relay;
    struct arena *a;
    struct now now;
    struct str random; /* hex and dashes; what is left of it. Counts up when it is used up */
    uint8_t next;
};

static inline void bed_random(void *arg, void *out, size_t n)
{
    struct bed *bed = arg;
    uint8_t *p = out;
    for (size_t i = 0; i < n; i++) {
        while (str_starts(bed->random, STR("-"))) {
            bed->random = str_from(bed->random, 1);
        }
        struct str byte;
        if (bed->random.n >= 2 &&
            hex_parse(bed->a, str_sub(bed->random, 0, 2), &byte) == ERR_NONE) {
            p[i] = (uint8_t)byte.p[0];
            bed->random = str_from(bed->random, 2);
        } else {
            p[i] = bed->next;
            bed->next++;
        }
    }
}

static inline void bed_start_with(struct bed *bed, bool has_challenge, const struct limits *limits)
{
    struct relay_config config = {.has_challenge = has_challenge,
                                  .is_strict = true,
                                  .limits = *limits,
                                  .random = bed_random,
                                  .random_arg = bed};
    *bed = (struct bed){.a = arena_new(), .now = {1000000, 5}, .random = STR("")};
    crypto_start();
    bed->relay = relay_new(&config);
}

static inline void bed_start(struct bed *bed, bool has_challenge)
{
    struct limits limits = limits_standard();
    bed_start_with(bed, has_challenge, &limits);
}

/* All given connections must be gone. */
static inline void bed_end(struct bed *bed)
{
    while (relay_changed(bed->relay) != NULL) {
    }
    relay_free(bed->relay);
    arena_free(bed->a);
}

static inline struct conn *bed_open(struct bed *bed)
{
    return relay_open(bed->relay, bed->now, STR("192.0.2.1"), false, bed);
}

static inline void bed_gone(struct bed *bed, struct conn *conn)
{
    relay_gone(bed->relay, bed->now, conn);
}

static inline void bed_frame(struct bed *bed, struct conn *conn, enum frame_kind kind,
                             struct str bytes)
{
    struct frame *f = frame_add(frame_new(kind, bytes.n), bytes.p, bytes.n);
    frame_seal(f);
    relay_message(bed->relay, bed->now, conn, f);
}

static inline void bed_say(struct bed *bed, struct conn *conn, const char *text)
{
    bed_frame(bed, conn, FRAME_TEXT, str_of(text));
}

static inline void bed_bytes(struct bed *bed, struct conn *conn, const char *hex)
{
    struct str bytes = STR("");
    CHECK(hex_parse(bed->a, str_of(hex), &bytes) == ERR_NONE);
    bed_frame(bed, conn, FRAME_BINARY, bytes);
}

/* The next frame for conn: text as it is, a binary one as "B <hex>", "" when there is none. */
static inline struct str bed_hear(struct bed *bed, struct conn *conn)
{
    struct frame *f = conn_first(conn);
    if (f == NULL) {
        return STR("");
    }
    struct str payload = frame_payload(f);
    struct str heard = f->kind == FRAME_TEXT
                           ? arena_str(bed->a, payload)
                           : arena_join(bed->a, STR("B "), hex_write(bed->a, payload), STR(""));
    conn_sent(bed->relay, conn);
    return heard;
}

#define HEARS(bed, conn, text) CHECK_STR(bed_hear(bed, conn), str_of(text))

static inline void bed_skip(struct bed *bed, struct conn *conn)
{
    while (conn_first(conn) != NULL) {
        conn_sent(bed->relay, conn);
    }
}

/* Lets time pass, a second at a time. */
static inline void bed_wait(struct bed *bed, int64_t ms)
{
    while (ms > 0) {
        int64_t step = ms < 1000 ? ms : 1000;
        bed->now.mono_ms += step;
        ms -= step;
        relay_tick(bed->relay, bed->now);
    }
}

/* A client joined without challenge, its queue empty. */
static inline struct conn *bed_join(struct bed *bed, const char *address)
{
    struct conn *conn = bed_open(bed);
    bed_say(bed, conn, arena_fmt(bed->a, "420[\"ss-join\",\"%s\",\"00\"]", address).p);
    bed_skip(bed, conn);
    return conn;
}

/* An open stream "ID" from a (at ADDR_A) to b (at ADDR_B), accepted by both, queues empty. */
static inline void bed_stream(struct bed *bed, struct conn *a, struct conn *b)
{
    bed_say(bed, a, "422[\"ss-dial\",\"" ADDR_A "\",\"" ADDR_B "\",\"ID\"]");
    struct str ask = bed_hear(bed, b);
    while (!str_starts(ask, STR("42")) || ask.p[2] == '[') {
        ask = bed_hear(bed, b);
    }
    size_t at = 0;
    CHECK(str_find(ask, '[', &at));
    bed_say(bed, b, "42[\"" SP ".accept.ID.dialer\"]");
    bed_say(bed, b, arena_fmt(bed->a, "43%.*s[]", (int)at - 2, ask.p + 2).p);
    bed_say(bed, a, "42[\"" SP ".accept.ID.listener\"]");
    bed_skip(bed, a);
    bed_skip(bed, b);
}

#endif

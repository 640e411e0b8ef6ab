/* Vectors: p2p-wire.md 4.5, made with @chainsafe/libp2p-yamux. */
#include "net/yamux.h"

#include "base/encode.h"
#include "test/rng.h"
#include "test/test.h"

enum { STREAMS = 8, PULL_MAX = 65000 };

struct stream {
    struct side *side;
    uint32_t id;
    struct buf got;
    bool is_used, has_ended, is_reset, keeps_window;
};

struct side {
    struct yamux *y;
    struct stream streams[STREAMS];
    struct buf wire;
    bool refuses, keeps_windows;
};

static struct stream *new_stream(struct side *s)
{
    for (size_t i = 0; i < STREAMS; i++) {
        if (!s->streams[i].is_used) {
            s->streams[i].is_used = true;
            s->streams[i].side = s;
            buf_init(&s->streams[i].got, 8 << 20);
            return &s->streams[i];
        }
    }
    return NULL;
}

static void *opened(void *ctx, uint32_t id)
{
    struct side *s = ctx;
    struct stream *stream = s->refuses ? NULL : new_stream(s);
    if (stream != NULL) {
        stream->id = id;
    }
    return stream;
}

static void data(void *ctx, void *user, struct str bytes)
{
    struct side *s = ctx;
    struct stream *stream = user;
    buf_add(&stream->got, bytes);
    if (!s->keeps_windows) {
        yamux_consume(s->y, stream->id, bytes.n);
    }
}

static void ended(void *ctx, void *user)
{
    struct stream *stream = user;
    CHECK(ctx == stream->side);
    CHECK(!stream->has_ended);
    stream->has_ended = true;
}

static void was_reset(void *ctx, void *user)
{
    struct stream *stream = user;
    CHECK(ctx == stream->side);
    stream->is_reset = true;
}

static void side_init(struct side *s, bool is_dialer)
{
    *s = (struct side){0};
    s->y = yamux_new(is_dialer, &(struct yamux_calls){s, opened, data, ended, was_reset});
    buf_init(&s->wire, 1 << 20);
}

static void side_release(struct side *s)
{
    yamux_free(s->y);
    for (size_t i = 0; i < STREAMS; i++) {
        buf_release(&s->streams[i].got);
    }
    buf_release(&s->wire);
}

static struct stream *open_stream(struct side *s)
{
    struct stream *stream = new_stream(s);
    assert(stream != NULL);
    stream->id = yamux_open(s->y, stream);
    CHECK(stream->id != 0);
    return stream;
}

static enum err feed_hex(struct side *s, const char *text)
{
    struct arena *a = arena_new();
    struct str bytes = STR("");
    CHECK(hex_parse(a, str_of(text), &bytes) == ERR_NONE);
    enum err err = yamux_feed(s->y, bytes, 0);
    arena_free(a);
    return err;
}

static void check_says(struct side *s, const char *want)
{
    struct arena *a = arena_new();
    buf_clear(&s->wire);
    yamux_pull(s->y, &s->wire, PULL_MAX);
    CHECK_STR(hex_write(a, buf_str(&s->wire)), str_of(want));
    CHECK(!yamux_has_output(s->y));
    arena_free(a);
}

/* Moves what both have to say, `piece` bytes at a time, until neither has more. */
static void exchange(struct side *a, struct side *b, size_t piece)
{
    struct side *sides[] = {a, b};
    bool is_moving = true;
    while (is_moving) {
        is_moving = false;
        for (int i = 0; i < 2; i++) {
            struct buf *wire = &sides[i]->wire;
            buf_clear(wire);
            if (yamux_pull(sides[i]->y, wire, PULL_MAX)) {
                is_moving = true;
            }
            struct str rest = buf_str(wire);
            while (rest.n > 0) {
                CHECK(yamux_feed(sides[1 - i]->y, str_sub(rest, 0, piece), 0) == ERR_NONE);
                rest = str_from(rest, piece);
            }
        }
    }
}

TEST(answers_a_ping_with_its_value)
{
    struct side b;
    side_init(&b, false);
    CHECK(feed_hex(&b, "000200010000000000000000") == ERR_NONE);
    check_says(&b, "000200020000000000000000");
    CHECK(feed_hex(&b, "00020001000000000000beef") == ERR_NONE);
    check_says(&b, "00020002000000000000beef");
    side_release(&b);
}

TEST(listens_like_the_captured_listener)
{
    struct side b;
    side_init(&b, false);
    CHECK(feed_hex(&b, "000100010000000100000000") == ERR_NONE);
    CHECK(feed_hex(&b, "000000000000000100000021"
                       "132f6d756c746973747265616d2f312e302e300a0c2f746573742f312e302e300a") ==
          ERR_NONE);
    check_says(&b, "000100020000000100000021"); /* ACK, and the 33 bytes granted again */
    CHECK(b.streams[0].got.n == 33);
    CHECK(yamux_write(b.y, 1, str_from(buf_str(&b.streams[0].got), 20)) == ERR_NONE);
    check_says(&b, "00000000000000010000000d"
                   "0c2f746573742f312e302e300a");
    CHECK(feed_hex(&b, "000100000000000100040014"
                       "00010000000000010008000d"
                       "000000000000000100000005"
                       "70696e6721") == ERR_NONE);
    CHECK_STR(str_from(buf_str(&b.streams[0].got), 33), STR("ping!"));
    CHECK(feed_hex(&b, "000100040000000100000000") == ERR_NONE);
    CHECK(b.streams[0].has_ended);
    yamux_end(b.y, 1);
    check_says(&b, "000100040000000100000000");
    CHECK(yamux_stream_count(b.y) == 0);
    CHECK(feed_hex(&b, "000300000000000000000000") == ERR_NONE);
    CHECK(yamux_is_going_away(b.y));
    side_release(&b);
}

TEST(dials_like_the_captured_dialer)
{
    struct side a;
    side_init(&a, true);
    yamux_ping(a.y, 100);
    check_says(&a, "000200010000000000000000");
    struct stream *s = open_stream(&a);
    CHECK(yamux_write(a.y, s->id, STR("ping!")) == ERR_NONE);
    check_says(&a, "000100010000000100000000"
                   "000000000000000100000005"
                   "70696e6721");
    yamux_reset(a.y, s->id);
    check_says(&a, "000100080000000100000000");
    CHECK(yamux_rtt_ms(a.y) == -1);
    CHECK(yamux_is_ping_open(a.y));
    struct arena *arena = arena_new();
    struct str pong;
    CHECK(hex_parse(arena, STR("000200020000000000000000"), &pong) == ERR_NONE);
    CHECK(yamux_feed(a.y, pong, 142) == ERR_NONE);
    CHECK(yamux_rtt_ms(a.y) == 42);
    arena_free(arena);
    yamux_go_away(a.y);
    check_says(&a, "000300000000000000000000");
    side_release(&a);
}

TEST(carries_megabytes_both_ways_in_pieces)
{
    for (size_t piece = 1; piece < 70000; piece = piece * 5 + 2) {
        struct side a, b;
        struct buf text;
        side_init(&a, true);
        side_init(&b, false);
        buf_init(&text, 1 << 20);
        for (int i = 0; i < (piece == 1 ? 300000 : 1 << 20); i++) {
            buf_add_char(&text, (char)(i * 31 >> 3));
        }
        struct stream *to = open_stream(&a), *from = open_stream(&b);
        CHECK(yamux_write(a.y, to->id, buf_str(&text)) == ERR_NONE);
        CHECK(yamux_write(b.y, from->id, buf_str(&text)) == ERR_NONE);
        yamux_end(a.y, to->id);
        exchange(&a, &b, piece);
        CHECK_STR(buf_str(&b.streams[1].got), buf_str(&text));
        CHECK_STR(buf_str(&a.streams[1].got), buf_str(&text));
        CHECK(b.streams[1].has_ended);
        CHECK(!a.streams[1].has_ended);
        CHECK(yamux_stream_count(a.y) == 2);
        yamux_end(b.y, b.streams[1].id);
        yamux_end(b.y, from->id);
        yamux_end(a.y, a.streams[1].id);
        exchange(&a, &b, piece);
        CHECK(yamux_stream_count(a.y) == 0);
        CHECK(yamux_stream_count(b.y) == 0);
        buf_release(&text);
        side_release(&a);
        side_release(&b);
    }
}

TEST(sends_no_more_than_the_window_until_the_reader_is_done)
{
    struct side a, b;
    struct buf text;
    side_init(&a, true);
    side_init(&b, false);
    b.keeps_windows = true;
    buf_init(&text, 1 << 20);
    CHECK(buf_reserve(&text, 1 << 20) != NULL);
    memset(text.p, 'x', 1 << 20);
    text.n = 1 << 20;
    struct stream *s = open_stream(&a);
    CHECK(yamux_write(a.y, s->id, buf_str(&text)) == ERR_NONE);
    exchange(&a, &b, 1000);
    CHECK(b.streams[0].got.n == YAMUX_WINDOW);
    CHECK(yamux_queued(a.y) == (1 << 20) - YAMUX_WINDOW);
    yamux_consume(b.y, s->id, YAMUX_WINDOW);
    b.keeps_windows = false;
    exchange(&a, &b, 1000);
    CHECK(b.streams[0].got.n == 1 << 20);
    buf_release(&text);
    side_release(&a);
    side_release(&b);
}

TEST(shares_the_connection_between_streams)
{
    struct side a;
    char text[100000];
    side_init(&a, true);
    memset(text, 'x', sizeof(text));
    struct stream *s = open_stream(&a), *t = open_stream(&a);
    CHECK(yamux_write(a.y, s->id, str_make(text, sizeof(text))) == ERR_NONE);
    CHECK(yamux_write(a.y, t->id, str_make(text, sizeof(text))) == ERR_NONE);
    CHECK(yamux_pull(a.y, &a.wire, PULL_MAX));
    CHECK(a.wire.n <= PULL_MAX && a.wire.n > PULL_MAX - 12);
    CHECK(yamux_queued(a.y) > 135000);
    yamux_reset(a.y, s->id);
    CHECK(yamux_queued(a.y) > 60000 && yamux_queued(a.y) < 70000); /* t had its half */
    side_release(&a);
}

TEST(tells_of_a_reset_and_forgets_the_stream)
{
    struct side a, b;
    side_init(&a, true);
    side_init(&b, false);
    struct stream *s = open_stream(&a);
    exchange(&a, &b, 99);
    yamux_reset(a.y, s->id);
    CHECK(yamux_write(b.y, s->id, STR("in flight")) == ERR_NONE);
    exchange(&a, &b, 99);
    CHECK(b.streams[0].is_reset);
    CHECK(s->got.n == 0);
    CHECK(yamux_stream_count(a.y) == 0 && yamux_stream_count(b.y) == 0);
    side_release(&a);
    side_release(&b);
}

TEST(resets_streams_that_are_refused_or_too_many)
{
    struct side b;
    side_init(&b, false);
    b.refuses = true;
    CHECK(feed_hex(&b, "000000010000000100000001"
                       "61") == ERR_NONE);
    check_says(&b, "000100080000000100000000");
    CHECK(yamux_stream_count(b.y) == 0);
    side_release(&b);
}

TEST(ends_the_session_on_a_protocol_error)
{
    static const char *const bad[] = {
        "010000000000000100000000",                         /* version */
        "000400000000000100000000",                         /* type */
        "000000000000000000000001",                         /* data of stream 0 */
        "000100010000000200000000",                         /* a stream with our parity */
        "000200010000000100000000",                         /* ping with an id */
        "000200030000000000000000",                         /* ping SYN and ACK */
        "000200020000000000000000",                         /* pong unasked for */
        "000300000000000100000000",                         /* go away with an id */
        "000000000000000700040001",                         /* unknown stream, more than a window */
        "000000010000000100040001",                         /* more than the window */
        "000100100000000100000000",                         /* unknown flag */
        "000100010000000100000000000100010000000100000000", /* opened twice */
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct side b;
        side_init(&b, false);
        CHECK(feed_hex(&b, bad[i]) == ERR_SYNTAX);
        buf_clear(&b.wire);
        CHECK(yamux_pull(b.y, &b.wire, PULL_MAX));
        CHECK(str_ends(buf_str(&b.wire), str_make("\0\3\0\0\0\0\0\0\0\0\0\1", 12)) ||
              b.wire.n > 12); /* an ACK may follow */
        side_release(&b);
    }
}

TEST(skips_frames_of_unknown_streams)
{
    struct side b;
    side_init(&b, false);
    CHECK(feed_hex(&b, "000000000000000900000003"
                       "616263"
                       "000100000000000900000010"
                       "000100080000000900000000"
                       "000100010000000100000000") == ERR_NONE);
    CHECK(yamux_stream_count(b.y) == 1);
    side_release(&b);
}

TEST(resets_what_is_forgotten_and_never_ended_by_the_peer)
{
    struct side a, b;
    side_init(&a, true);
    side_init(&b, false);
    struct stream *s = open_stream(&a), *t = open_stream(&a);
    exchange(&a, &b, 99);
    yamux_end(a.y, s->id);
    yamux_end(a.y, t->id);
    yamux_forget(a.y, s->id, 1000);
    yamux_forget(a.y, t->id, 1000);
    CHECK(yamux_write(b.y, s->id, STR("late")) == ERR_NONE);
    yamux_end(b.y, t->id);
    exchange(&a, &b, 99);
    CHECK(s->got.n == 0);
    CHECK(!t->has_ended);
    CHECK(yamux_stream_count(a.y) == 1);
    yamux_tidy(a.y, 10999);
    CHECK(yamux_stream_count(a.y) == 1);
    yamux_tidy(a.y, 11000);
    CHECK(yamux_stream_count(a.y) == 0);
    exchange(&a, &b, 99);
    CHECK(b.streams[0].is_reset);
    side_release(&a);
    side_release(&b);
}

TEST(gives_up_on_a_flood_of_pings_that_nobody_can_answer)
{
    struct side b;
    side_init(&b, false);
    enum err err = ERR_NONE;
    int n = 0;
    while (err == ERR_NONE && n < 100000) {
        err = feed_hex(&b, "000200010000000000000000");
        n++;
    }
    CHECK(err == ERR_LIMIT);
    CHECK(n < 6000);
    side_release(&b);
}

TEST(opens_a_thousand_streams_at_most)
{
    struct side a;
    side_init(&a, true);
    int n = 0;
    while (n < 2000 && yamux_open(a.y, &a) != 0) {
        n++;
    }
    CHECK(n == YAMUX_STREAMS_MAX);
    side_release(&a);
}

TEST(survives_random_frames)
{
    struct rng rng = {99};
    int errors = 0;
    for (int round = 0; round < 5000; round++) {
        struct side b;
        uint8_t bytes[240];
        side_init(&b, round % 2 == 0);
        for (size_t i = 0; i < sizeof(bytes); i++) {
            uint8_t random = (uint8_t)rng_next(&rng);
            size_t at = i % 12; /* mostly well-formed, small ids and lengths */
            bytes[i] = at == 1    ? random % 4
                       : at == 3  ? random % 16
                       : at == 7  ? random % 4
                       : at == 11 ? (random % 3 == 0 ? 12 : 0)
                                  : (random > 253);
        }
        errors += yamux_feed(b.y, str_make(bytes, sizeof(bytes)), 0) != ERR_NONE;
        buf_clear(&b.wire);
        yamux_pull(b.y, &b.wire, PULL_MAX);
        side_release(&b);
    }
    CHECK(errors > 0);
}

TEST_MAIN(TEST_ROW(answers_a_ping_with_its_value), TEST_ROW(listens_like_the_captured_listener),
          TEST_ROW(dials_like_the_captured_dialer), TEST_ROW(carries_megabytes_both_ways_in_pieces),
          TEST_ROW(sends_no_more_than_the_window_until_the_reader_is_done),
          TEST_ROW(shares_the_connection_between_streams),
          TEST_ROW(tells_of_a_reset_and_forgets_the_stream),
          TEST_ROW(resets_streams_that_are_refused_or_too_many),
          TEST_ROW(ends_the_session_on_a_protocol_error), TEST_ROW(skips_frames_of_unknown_streams),
          TEST_ROW(resets_what_is_forgotten_and_never_ended_by_the_peer),
          TEST_ROW(gives_up_on_a_flood_of_pings_that_nobody_can_answer),
          TEST_ROW(opens_a_thousand_streams_at_most), TEST_ROW(survives_random_frames))

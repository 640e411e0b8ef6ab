/* Vectors: the frames of p2p-wire.md section 2, captured between the npm relay and client. */
#include "net/wsstar.h"

#include "base/encode.h"
#include "crypto/hash.h"
#include "test/rng.h"
#include "test/test.h"

#define RELAY "/ip4/127.0.0.1/tcp/9090/ws/p2p-websocket-star/ipfs/"
#define ADDR_A RELAY "12D3KooWA4Xop1JaT3MHxwYMkCepYsv4iPVopMXwCz5iHYdBfeSB"
#define ADDR_B RELAY "12D3KooWCd3eX8r5ihRvzK7P1yPq5aakaBJhG5GNj18YTztPhoCa"
#define ID "fde24d56-352a-497b-b81e-947192655498"
#define SP "socket.io-pull-stream"
#define HANDSHAKE                                                                                  \
    "0{\"sid\":\"VATxp9ZHJgEu6lqZAAB8\",\"upgrades\":[],\"pingInterval\":25000,"                   \
    "\"pingTimeout\":20000}"
#define NONCE_A "e6ec2a24-7cf9-4440-9022-74245869457552408b6c-34e3-4f65-89ed-97dbfcfccc3e"
#define JOIN_A_KEY                                                                                 \
    "[\"ss-join\",\"" ADDR_A                                                                       \
    "\",\"0801122003a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8\"]"
#define JOIN_A_SIGNATURE                                                                           \
    "[\"ss-join\",\"" ADDR_A "\",\"5542e0f691576f8e2d0de966b2f6207797ea16d918f3089882634abd3c89ba" \
    "ada22f26ceeb33542f4b626c2c7434c89fddc4a25988e75a129875eda883649304\"]"

#define PRESENCE "42[\"ss-presence\"]\n"

/* A client, and what it did: messages joined by newlines (binary ones in hex behind "B "). */
struct client {
    struct wsstar *w;
    struct buf said, seen;
    struct wsstar_stream *stream;
    struct buf data;
    bool refuses;
    uint8_t random;
};

static void random_bytes(void *ctx, void *out, size_t n)
{
    struct client *c = ctx;
    memset(out, c->random, n);
    c->random++;
}

static void send(void *ctx, struct str message, bool is_text)
{
    struct client *c = ctx;
    struct arena *a = arena_new();
    buf_add(&c->said, is_text ? message : arena_join(a, STR("B "), hex_write(a, message), STR("")));
    buf_add_char(&c->said, '\n');
    arena_free(a);
}

static void joined(void *ctx)
{
    struct client *c = ctx;
    buf_add(&c->seen, STR("joined\n"));
}

static void peer(void *ctx, struct str address)
{
    struct client *c = ctx;
    buf_add_fmt(&c->seen, "peer %.*s\n", STR_ARG(address));
}

static void peer_left(void *ctx, struct str address)
{
    struct client *c = ctx;
    buf_add_fmt(&c->seen, "left %.*s\n", STR_ARG(address));
}

static void *incoming(void *ctx, struct wsstar_stream *stream, struct str from)
{
    struct client *c = ctx;
    buf_add_fmt(&c->seen, "incoming %.*s\n", STR_ARG(from));
    c->stream = stream;
    return c->refuses ? NULL : c;
}

static void dialled(void *ctx, void *user, struct str why)
{
    struct client *c = ctx;
    CHECK(user == c);
    buf_add_fmt(&c->seen, "dialled %.*s\n", (int)why.n, why.n == 0 ? "" : why.p);
}

static void data(void *ctx, void *user, struct str bytes)
{
    struct client *c = ctx;
    CHECK(user == c);
    buf_add(&c->data, bytes);
}

static void ended(void *ctx, void *user)
{
    struct client *c = ctx;
    CHECK(user == c);
    buf_add(&c->seen, STR("ended\n"));
    c->stream = NULL;
}

static void client_init(struct client *c, uint8_t seed_from, const char *address)
{
    struct sign_key key;
    uint8_t seed[SIGN_SEED_SIZE];
    crypto_start();
    for (size_t i = 0; i < sizeof(seed); i++) {
        seed[i] = (uint8_t)(seed_from + i);
    }
    sign_key_from_seed(&key, seed);
    *c = (struct client){0};
    buf_init(&c->said, 1 << 20);
    buf_init(&c->seen, 1 << 20);
    buf_init(&c->data, 1 << 20);
    c->w = wsstar_new(&key, str_of(address),
                      &(struct wsstar_calls){c, random_bytes, send, joined, peer, peer_left,
                                             incoming, dialled, data, ended});
}

static void client_release(struct client *c)
{
    wsstar_free(c->w);
    buf_release(&c->said);
    buf_release(&c->seen);
    buf_release(&c->data);
}

static enum err hears(struct client *c, const char *text)
{
    return wsstar_message(c->w, str_of(text), true, 0);
}

static enum err hears_bytes(struct client *c, const char *bytes, size_t n)
{
    return wsstar_message(c->w, str_make(bytes, n), false, 0);
}

static void check_said(struct client *c, const char *want)
{
    CHECK_STR(buf_str(&c->said), str_of(want));
    buf_clear(&c->said);
}

static void check_seen(struct client *c, const char *want)
{
    CHECK_STR(buf_str(&c->seen), str_of(want));
    buf_clear(&c->seen);
}

/* A as in section 2.1, joined; the next ack id is 2. */
static void join(struct client *c)
{
    client_init(c, 0, ADDR_A);
    wsstar_up(c->w, 0);
    CHECK(hears(c, HANDSHAKE) == ERR_NONE);
    CHECK(hears(c, "40") == ERR_NONE);
    CHECK(hears(c, "430[null,\"" NONCE_A "\"]") == ERR_NONE);
    CHECK(hears(c, "431[null,null,[]]") == ERR_NONE);
    CHECK(wsstar_is_joined(c->w));
    buf_clear(&c->said);
    buf_clear(&c->seen);
}

TEST(joins_with_the_captured_signatures)
{
    struct client a;
    client_init(&a, 0, ADDR_A);
    wsstar_up(a.w, 0);
    CHECK(hears(&a, HANDSHAKE) == ERR_NONE);
    check_said(&a, "");
    CHECK(hears(&a, "40") == ERR_NONE);
    check_said(&a, PRESENCE "420" JOIN_A_KEY "\n");
    CHECK(hears(&a, "430[null,\"" NONCE_A "\"]") == ERR_NONE);
    check_said(&a, "421" JOIN_A_SIGNATURE "\n");
    CHECK(!wsstar_is_joined(a.w));
    CHECK(hears(&a, "431[null,null,[\"" ADDR_B "\",\"junk\",7,\"" ADDR_A "\"]]") == ERR_NONE);
    check_seen(&a, "joined\npeer " ADDR_B "\n");
    CHECK(hears(&a, "42[\"ws-peer\",\"" ADDR_B "\"]") == ERR_NONE);
    check_seen(&a, "peer " ADDR_B "\n");
    client_release(&a);
}

TEST(is_told_of_departures_by_a_relay_that_knows_presence)
{
    struct client a;
    client_init(&a, 0, ADDR_A);
    wsstar_up(a.w, 0);
    CHECK(hears(&a, HANDSHAKE) == ERR_NONE);
    CHECK(hears(&a, "40") == ERR_NONE);
    CHECK(!wsstar_has_presence(a.w));
    CHECK(hears(&a, "42[\"ss-presence\"]") == ERR_NONE);
    CHECK(wsstar_has_presence(a.w));
    CHECK(hears(&a, "430[null,\"" NONCE_A "\"]") == ERR_NONE);
    CHECK(hears(&a, "431[null,null,[]]") == ERR_NONE);
    CHECK(hears(&a, "42[\"ss-peers\",[\"" ADDR_A "\",\"" ADDR_B "\"],[]]") == ERR_NONE);
    check_seen(&a, "joined\npeer " ADDR_B "\n");
    CHECK(hears(&a, "42[\"ss-peers\",[],[\"" ADDR_B "\"]]") == ERR_NONE);
    check_seen(&a, "left " ADDR_B "\n");
    CHECK(hears(&a, "42[\"ss-peers\"]") == ERR_NONE);
    CHECK(hears(&a, "42[\"ss-peers\",7,{\"a\":[]}]") == ERR_NONE);
    check_seen(&a, "");
    wsstar_down(a.w);
    wsstar_up(a.w, 0);
    CHECK(!wsstar_has_presence(a.w)); /* the next one may be npm's */
    client_release(&a);
}

TEST(joins_again_from_the_public_key_and_counts_on)
{
    struct client a;
    join(&a);
    wsstar_down(a.w);
    CHECK(!wsstar_is_joined(a.w));
    wsstar_up(a.w, 50000);
    CHECK(hears(&a, HANDSHAKE) == ERR_NONE);
    CHECK(hears(&a, "40") == ERR_NONE);
    check_said(&a, PRESENCE "422" JOIN_A_KEY "\n");
    CHECK(hears(&a, "432[null,\"" NONCE_A "\"]") == ERR_NONE);
    check_said(&a, "423" JOIN_A_SIGNATURE "\n");
    CHECK(hears(&a, "433[null,null,[]]") == ERR_NONE);
    check_seen(&a, "joined\n");
    client_release(&a);
}

TEST(joins_a_relay_without_challenge)
{
    struct client a;
    client_init(&a, 0, ADDR_A);
    wsstar_up(a.w, 0);
    CHECK(hears(&a, HANDSHAKE) == ERR_NONE);
    CHECK(hears(&a, "40") == ERR_NONE);
    CHECK(hears(&a, "430[null,null,[\"" ADDR_B "\"]]") == ERR_NONE);
    check_seen(&a, "joined\npeer " ADDR_B "\n");
    client_release(&a);
}

TEST(says_why_it_may_not_join)
{
    static const struct {
        const char *ack, *why;
    } rows[] = {
        {"430[\"Invalid multiaddr\"]", "Invalid multiaddr"},
        {"430[{}]", "the relay does not accept our key"},
        {"430[]", "the relay's answer to ss-join makes no sense"},
        {"430[null,7]", "the relay's answer to ss-join makes no sense"},
        {"41", "the relay sent us away"},
        {"9x", "the relay does not speak socket.io"},
        {"42[", "the relay does not speak socket.io"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct client a;
        client_init(&a, 0, ADDR_A);
        wsstar_up(a.w, 0);
        CHECK(hears(&a, HANDSHAKE) == ERR_NONE);
        CHECK(hears(&a, "40") == ERR_NONE);
        CHECK(hears(&a, rows[i].ack) != ERR_NONE);
        CHECK_STR(wsstar_why(a.w), str_of(rows[i].why));
        client_release(&a);
    }
}

TEST(listens_in_the_captured_order)
{
    struct client b;
    client_init(&b, 32, ADDR_B);
    wsstar_up(b.w, 0);
    CHECK(hears(&b, HANDSHAKE) == ERR_NONE);
    CHECK(hears(&b, "40") == ERR_NONE);
    CHECK(hears(&b, "430[null,\"e2389dae-5c59-40ae-8bd0-c04b1c033a4249bc68cb-775c-4d24-8901-935b03b"
                    "b54d1\"]") == ERR_NONE);
    check_said(&b, PRESENCE
               "420[\"ss-join\",\"" ADDR_B
               "\",\"0801122029acbae141bccaf0b22e1a94d34d0bc7361e526d0bfe12c89794bc9322966dd7\"]\n"
               "421[\"ss-join\",\"" ADDR_B
               "\",\"80c2af141a2a226e9bc9ecb84ad6ccd5628d8e3daf665a55a3fdc74982ecdc1911ab3ca65d4813"
               "4ef674b195fe36a6fff9e3e2bcfd33f5516dc30104e6f02905\"]\n");
    CHECK(hears(&b, "431[null,null,[\"" ADDR_A "\"]]") == ERR_NONE);
    buf_clear(&b.seen);
    CHECK(hears(&b, "428[\"ss-incomming\",\"" ID "\",\"" ADDR_A "\"]") == ERR_NONE);
    check_said(&b, "42[\"" SP ".accept." ID ".dialer\"]\n438[]\n");
    check_seen(&b, "incoming " ADDR_A "\n");
    CHECK(!wsstar_is_writable(b.stream));
    CHECK(hears(&b, "42[\"" SP ".accept." ID ".listener\"]") == ERR_NONE);
    CHECK(wsstar_is_writable(b.stream));
    CHECK(hears(&b, "451-[\"" SP ".queue." ID ".dialer\",{\"_placeholder\":true,\"num\":0}]") ==
          ERR_NONE);
    CHECK(hears(&b, "3") == ERR_NONE); /* a pong may come in between */
    CHECK(hears_bytes(&b, "\4hello", 6) == ERR_NONE);
    CHECK_STR(buf_str(&b.data), STR("hello"));
    CHECK(wsstar_write(b.stream, STR("hello")) == 117);
    check_said(&b, "451-[\"" SP ".queue." ID ".listener\",{\"_placeholder\":true,\"num\":0}]\n"
                   "B 0468656c6c6f\n");
    CHECK(hears(&b, "42[\"" SP ".error." ID ".dialer\",true]") == ERR_NONE);
    check_said(&b, "42[\"" SP ".error." ID ".listener\",true]\n");
    check_seen(&b, "ended\n");
    client_release(&b);
}

/* Our first dial id: sixteen bytes 00 made a version 4 UUID. */
#define MY_ID "00000000-0000-4000-8000-000000000000"

TEST(dials_in_the_captured_order)
{
    struct client a;
    join(&a);
    a.stream = wsstar_dial(a.w, STR(ADDR_B), &a, 0);
    check_said(&a, "422[\"ss-dial\",\"" ADDR_A "\",\"" ADDR_B "\",\"" MY_ID "\"]\n");
    CHECK(hears(&a, "42[\"" SP ".accept." MY_ID ".dialer\"]") == ERR_NONE);
    CHECK(!wsstar_is_writable(a.stream)); /* not before the dial has its answer */
    CHECK(hears(&a, "432[]") == ERR_NONE);
    check_seen(&a, "dialled \n");
    check_said(&a, "42[\"" SP ".accept." MY_ID ".listener\"]\n");
    CHECK(wsstar_is_writable(a.stream));
    wsstar_write(a.stream, STR("hello"));
    check_said(&a, "451-[\"" SP ".queue." MY_ID ".dialer\",{\"_placeholder\":true,\"num\":0}]\n"
                   "B 0468656c6c6f\n");
    wsstar_end(a.stream);
    check_said(&a, "42[\"" SP ".error." MY_ID ".dialer\",true]\n");
    CHECK(hears(&a, "42[\"" SP ".error." MY_ID ".listener\",true]") == ERR_NONE);
    check_said(&a, "");
    check_seen(&a, "");
    client_release(&a);
}

TEST(takes_chunks_in_every_spelling)
{
    static const struct {
        const char *header, *text;
        const char *binary;
        const char *want;
    } rows[] = {
        {"451-[\"" SP ".queue." MY_ID ".listener\",{\"_placeholder\":true,\"num\":0}]", NULL,
         "\4abc", "abc"},
        {"451-[ \"" SP ".queue." MY_ID ".listener\" , {\"num\":0,\"_placeholder\":true} ]", NULL,
         "\4abc", "abc"},
        {"451-[\"" SP ".que\\u0075e." MY_ID ".listener\",{\"_placeholder\":true,\"num\":0}]",
         "b4aGVsbG8=", NULL, "hello"},
        {"451-[\"" SP ".queue." MY_ID ".listener\",{\"_placeholder\":true,\"num\":0}]", NULL, "\4",
         ""},
        {"451-[\"" SP ".queue.other.listener\",{\"_placeholder\":true,\"num\":0}]", NULL, "\4abc",
         ""},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct client a;
        join(&a);
        a.stream = wsstar_dial(a.w, STR(ADDR_B), &a, 0);
        CHECK(hears(&a, "432[]") == ERR_NONE);
        CHECK(hears(&a, rows[i].header) == ERR_NONE);
        CHECK(rows[i].text != NULL
                  ? hears(&a, rows[i].text) == ERR_NONE
                  : hears_bytes(&a, rows[i].binary, strlen(rows[i].binary)) == ERR_NONE);
        CHECK_STR(buf_str(&a.data), str_of(rows[i].want));
        client_release(&a);
    }
}

TEST(reports_a_dial_that_fails)
{
    struct client a;
    join(&a);
    CHECK(wsstar_dial(a.w, STR(ADDR_B), &a, 0) != NULL);
    CHECK(hears(&a, "432[\"Peer not found\"]") == ERR_NONE);
    check_seen(&a, "dialled Peer not found\n");
    CHECK(wsstar_dial(a.w, STR(ADDR_B), &a, 0) != NULL);
    CHECK(hears(&a, "42[\"" SP ".accept.01010101-0101-4101-8101-010101010101.dialer\"]") ==
          ERR_NONE);
    buf_clear(&a.said);
    CHECK(wsstar_tick(a.w, WSSTAR_DIAL_TIMEOUT_MS - 1) == ERR_NONE);
    check_seen(&a, "");
    CHECK(wsstar_next_ms(a.w) == WSSTAR_DIAL_TIMEOUT_MS);
    CHECK(wsstar_tick(a.w, WSSTAR_DIAL_TIMEOUT_MS) == ERR_NONE);
    check_seen(&a, "dialled the dial was not answered\n");
    check_said(&a, "42[\"" SP ".error.01010101-0101-4101-8101-010101010101.dialer\",true]\n");
    CHECK(hears(&a, "433[]") == ERR_NONE); /* too late */
    check_seen(&a, "");
    client_release(&a);
}

TEST(refuses_dials_it_cannot_take)
{
    struct client a;
    join(&a);
    CHECK(hears(&a, "421[\"ss-incomming\",\"x\\\"y\",\"" ADDR_B "\"]") == ERR_NONE);
    check_said(&a, "431[\"Invalid multiaddr\"]\n");
    CHECK(hears(&a, "422[\"ss-incomming\",\"x\",\"nowhere\"]") == ERR_NONE);
    check_said(&a, "432[\"Invalid multiaddr\"]\n");
    CHECK(hears(&a, "42[\"ss-incomming\",\"x\",\"" ADDR_B "\"]") == ERR_NONE);
    check_said(&a, "");
    CHECK(hears(&a, "423[\"ss-incomming\",\"x\",\"" ADDR_B "\"]") == ERR_NONE);
    check_said(&a, "42[\"" SP ".accept.x.dialer\"]\n433[]\n");
    CHECK(hears(&a, "424[\"ss-incomming\",\"x\",\"" ADDR_B "\"]") == ERR_NONE);
    check_said(&a, "434[\"Dial id already in use\"]\n");
    a.refuses = true;
    CHECK(hears(&a, "425[\"ss-incomming\",\"y\",\"" ADDR_B "\"]") == ERR_NONE);
    check_said(&a, "435[\"Refused\"]\n");
    client_release(&a);
}

TEST(pings_on_the_interval_of_the_handshake_and_notices_silence)
{
    struct client a;
    client_init(&a, 0, ADDR_A);
    wsstar_up(a.w, 1000);
    CHECK(wsstar_message(a.w, STR("0{\"sid\":\"x\",\"pingInterval\":3000,\"pingTimeout\":2000}"),
                         true, 1000) == ERR_NONE);
    CHECK(wsstar_message(a.w, STR("40"), true, 1000) == ERR_NONE);
    CHECK(wsstar_message(a.w, STR("430[null,null,[]]"), true, 1000) == ERR_NONE);
    buf_clear(&a.said);
    CHECK(wsstar_next_ms(a.w) == 4000);
    CHECK(wsstar_tick(a.w, 3999) == ERR_NONE);
    check_said(&a, "");
    CHECK(wsstar_tick(a.w, 4000) == ERR_NONE);
    check_said(&a, "2\n");
    CHECK(wsstar_message(a.w, STR("6"), true, 5000) == ERR_NONE); /* a noop is a sign of life */
    CHECK(wsstar_tick(a.w, 9999) == ERR_NONE);
    CHECK(wsstar_tick(a.w, 10000) == ERR_ABSENT);
    CHECK_STR(wsstar_why(a.w), STR("the relay is silent"));
    client_release(&a);
}

TEST(gives_up_on_a_relay_that_never_lets_it_join)
{
    struct client a;
    client_init(&a, 0, ADDR_A);
    wsstar_up(a.w, 0);
    CHECK(hears(&a, HANDSHAKE) == ERR_NONE);
    CHECK(wsstar_tick(a.w, WSSTAR_JOIN_TIMEOUT_MS) == ERR_ABSENT);
    client_release(&a);
}

TEST(ends_its_streams_with_the_websocket)
{
    struct client a;
    join(&a);
    CHECK(wsstar_dial(a.w, STR(ADDR_B), &a, 0) != NULL);
    CHECK(hears(&a, "429[\"ss-incomming\",\"x\",\"" ADDR_B "\"]") == ERR_NONE);
    buf_clear(&a.seen);
    wsstar_down(a.w);
    check_seen(&a, "dialled the relay is gone\nended\n");
    CHECK(wsstar_dial(a.w, STR(ADDR_B), &a, 0) == NULL);
    CHECK(wsstar_next_ms(a.w) == -1);
    client_release(&a);
}

TEST(ignores_what_it_does_not_know)
{
    static const char *const odd[] = {
        "6",
        "1",
        "48",
        "42",
        "42[\"nothing\"]",
        "42[7]",
        "42/foo,[\"x\"]",
        "44/foo,\"Invalid namespace\"",
        "4399[]",
        "42[\"ws-peer\"]",
        "42[\"ws-peer\",{}]",
        "42[\"" SP ".accept\"]",
        "42[\"" SP ".accept.x\"]",
        "42[\"" SP ".queue.x.dialer\",\"text\"]",
        "40",
        "0{}",
    };
    struct client a;
    join(&a);
    for (size_t i = 0; i < COUNT_OF(odd); i++) {
        CHECK(hears(&a, odd[i]) == ERR_NONE);
    }
    CHECK(hears_bytes(&a, "", 0) == ERR_NONE);
    CHECK(hears_bytes(&a, "\7x", 2) == ERR_NONE);
    CHECK(hears(&a, "452-[\"x\",{\"_placeholder\":true,\"num\":1}]") == ERR_NONE);
    CHECK(hears_bytes(&a, "\4x", 2) == ERR_NONE);
    CHECK(hears_bytes(&a, "\4y", 2) == ERR_NONE);
    check_said(&a, "");
    check_seen(&a, "");
    client_release(&a);
}

TEST(leaves_a_relay_that_breaks_the_protocol)
{
    static const char *const bad[] = {
        "",      "x",          "4",          "42{}", "42[]", "45", "450-[\"x\"]", "4511-[\"x\"]",
        "b4!!!", "b4aGVsbG8=", "451[\"x\"]",
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct client a;
        join(&a);
        CHECK(hears(&a, bad[i]) != ERR_NONE);
        client_release(&a);
    }
    struct client a;
    join(&a);
    CHECK(hears_bytes(&a, "\4x", 2) != ERR_NONE);
    client_release(&a);
    join(&a);
    CHECK(hears(&a, "451-[\"x\",{\"_placeholder\":true,\"num\":0}]") == ERR_NONE);
    CHECK(hears(&a, "42[\"x\"]") != ERR_NONE);
    client_release(&a);
}

TEST(survives_random_messages)
{
    static const char *const pieces[] = {
        "42",      "43",           "451-", "[",      "]",       "\"",     ",",    "null",
        "ss-dial", "ss-incomming", SP,     ".queue", ".accept", ".error", ADDR_B, MY_ID,
        ".dialer", ".listener",    "0",    "1",      "2",       "{",      "}",    "true",
        "ws-peer", "b4",           "6",    "40",     "41",      "\\u00",  "[\"",  "\",\"",
    };
    struct rng rng = {5};
    int errors = 0;
    for (int round = 0; round < 3000; round++) {
        struct client a;
        join(&a);
        CHECK(wsstar_dial(a.w, STR(ADDR_B), &a, 0) != NULL);
        enum err err = ERR_NONE;
        for (int k = 0; k < 12 && err == ERR_NONE; k++) {
            struct buf text;
            buf_init(&text, 10000);
            for (int i = 0; i < 8; i++) {
                buf_add(&text, str_of(pieces[rng_below(&rng, COUNT_OF(pieces))]));
            }
            err = wsstar_message(a.w, buf_str(&text), !rng_one_in(&rng, 5), 0);
            buf_release(&text);
        }
        errors += err != ERR_NONE;
        wsstar_down(a.w);
        client_release(&a);
    }
    CHECK(errors > 0);
}

TEST_MAIN(TEST_ROW(joins_with_the_captured_signatures),
          TEST_ROW(is_told_of_departures_by_a_relay_that_knows_presence),
          TEST_ROW(joins_again_from_the_public_key_and_counts_on),
          TEST_ROW(joins_a_relay_without_challenge), TEST_ROW(says_why_it_may_not_join),
          TEST_ROW(listens_in_the_captured_order), TEST_ROW(dials_in_the_captured_order),
          TEST_ROW(takes_chunks_in_every_spelling), TEST_ROW(reports_a_dial_that_fails),
          TEST_ROW(refuses_dials_it_cannot_take),
          TEST_ROW(pings_on_the_interval_of_the_handshake_and_notices_silence),
          TEST_ROW(gives_up_on_a_relay_that_never_lets_it_join),
          TEST_ROW(ends_its_streams_with_the_websocket), TEST_ROW(ignores_what_it_does_not_know),
          TEST_ROW(leaves_a_relay_that_breaks_the_protocol), TEST_ROW(survives_random_messages))

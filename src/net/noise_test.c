/* Vectors: p2p-wire.md 4.2, made with @chainsafe/libp2p-noise and fixed keys. */
#include "net/noise.h"

#include "base/encode.h"
#include "test/rng.h"
#include "test/test.h"

static const char MESSAGE_A[] =
    "0020493e82fc74464a59268817623d2053c5eb8e2cc4a988b4fee179ec6b010d531d";
static const char MESSAGE_B_EMPTY[] =
    "00ca605a725d2a4adfeeb1a29e17edd621c1b7593ee8cdbc44ac6c4ab6e2f805d23c6b0e173c7c7af5198345"
    "a35f7935b2416574d31f81b81848ed02dc9de76d3e12a3220487faf57ef04163648b495eda4b7298162b7bbd"
    "0ec71e2a3a4da6360d41a2c21e7f4bed4fa19537d502362d4a3025105d21d7ba7502e1550885afc925240653"
    "2c4f6850a3db3e0e7159d013b3b5631c910adbae1d06dc4156141705baa5ede81ea3dede35f2e82070ddc667"
    "29f8079b8c34591e67de409bccadc7a4229023da1d0ecfa90d1e9037";
static const char MESSAGE_C_EMPTY[] =
    "00aa379d0acee9a3e3165c66a8e866476229ae67f5b017a18c743579698e09d76932bef7f0ded66de4d89ecd"
    "6383e4e41961625b76a4fd61eddab20b93f8b6b2fefb3844e73a0ee7b09fa7f0100cbcbb3dd802790a7007c8"
    "c68ac558632c1589cc929c2d14cd1225cff72f7d6c7982465c085716998fe74853f7b3b40ec822942a2b6c40"
    "3f0099eba1ca7cb59c32af3270b5b5c8b40bf8be4dcba222680848d24badd6149fa03bdc66965303";
static const char MESSAGE_B_YAMUX[] =
    "00d8605a725d2a4adfeeb1a29e17edd621c1b7593ee8cdbc44ac6c4ab6e2f805d23c6b0e173c7c7af5198345"
    "a35f7935b2416574d31f81b81848ed02dc9de76d3e12a3220487faf57ef04163648b495eda4b7298162b7bbd"
    "0ec71e2a3a4da6360d41a2c21e7f4bed4fa19537d502362d4a3025105d21d7ba7502e1550885afc925240653"
    "2c4f6850a3db3e0e7159d013b3b5631c910adbae1d06dc4156141705baa5ede81ea3dede35f2e82070ddc667"
    "29f8079b8c34591e67de40953eb7438b177a61e2c66a69bb8d1971c4a4eb795081121eedac25bfe3099f";
static const char MESSAGE_C_YAMUX[] =
    "00b8379d0acee9a3e3165c66a8e866476229ae67f5b017a18c743579698e09d76932e48faf892a4ce2540ed1"
    "2d94a3d517c8625b76a4fd61eddab20b93f8b6b2fefb3844e73a0ee7b09fa7f0100cbcbb3dd802790a7007c8"
    "c68ac558632c1589cc929c2d14cd1225cff72f7d6c7982465c085716998fe74853f7b3b40ec822942a2b6c40"
    "3f0099eba1ca7cb59c32af3270b5b5c8b40bf8be4dcba22c6830bcc316283d77ad64d49beccdfd9682f5552a"
    "a3d4a57a8febf389c68d";

static const struct {
    bool from_initiator;
    const char *text, *wire;
} transport[] = {
    {true, "hello from initiator",
     "002481fdbb7eb192cfadcb5caaeb93a7822f8d2ff0bd129f7a055b5f4e8df0e51678374b78a2"},
    {false, "hello from responder",
     "00246440da5ac586c450923a02e3b057a6af6ce472404429b7752d42f4c916db727a98b43c0d"},
    {true, "second", "0016908ea1a2d76c614735a4d35137222676c54b49feffdd"},
};

struct side {
    struct sign_key identity;
    struct noise noise;
    struct buf wire, plain;
};

static void count_up(uint8_t out[32], uint8_t from)
{
    for (uint8_t i = 0; i < 32; i++) {
        out[i] = (uint8_t)(from + i);
    }
}

static void side_init(struct side *s, bool is_initiator, enum noise_offer offer,
                      const uint8_t *expected)
{
    struct noise_keys keys = {.identity = &s->identity};
    uint8_t seed[32];
    crypto_start();
    count_up(seed, is_initiator ? 0x00 : 0x20);
    sign_key_from_seed(&s->identity, seed);
    count_up(keys.static_key, is_initiator ? 0x40 : 0x60);
    count_up(keys.ephemeral_key, is_initiator ? 0x80 : 0xa0);
    buf_init(&s->wire, 1 << 20);
    buf_init(&s->plain, 1 << 20);
    noise_init(&s->noise, is_initiator, &keys, offer, expected, &s->wire);
}

static void side_release(struct side *s)
{
    noise_release(&s->noise);
    buf_release(&s->wire);
    buf_release(&s->plain);
}

static void check_wire(struct side *s, const char *want)
{
    struct arena *a = arena_new();
    CHECK_STR(hex_write(a, buf_str(&s->wire)), str_of(want));
    arena_free(a);
}

/* All that one side has written, in pieces of at most `piece` bytes. */
static enum err pass(struct side *from, struct side *to, size_t piece)
{
    struct str rest = buf_str(&from->wire);
    enum err err = ERR_NONE;
    while (rest.n > 0 && err == ERR_NONE) {
        err = noise_feed(&to->noise, str_sub(rest, 0, piece), &to->wire, &to->plain);
        rest = str_from(rest, piece);
    }
    buf_clear(&from->wire);
    return err;
}

static void replay(enum noise_offer offer, const char *b, const char *c, size_t piece)
{
    struct side i, r;
    side_init(&i, true, offer, NULL);
    side_init(&r, false, offer, NULL);
    check_wire(&i, MESSAGE_A);
    CHECK(pass(&i, &r, piece) == ERR_NONE);
    check_wire(&r, b);
    CHECK(pass(&r, &i, piece) == ERR_NONE);
    check_wire(&i, c);
    CHECK(i.noise.state == NOISE_OPEN);
    CHECK(pass(&i, &r, piece) == ERR_NONE);
    CHECK(r.noise.state == NOISE_OPEN);
    CHECK(i.noise.is_yamux_agreed == (offer == NOISE_OFFERS_YAMUX));
    CHECK(r.noise.is_yamux_agreed == (offer == NOISE_OFFERS_YAMUX));
    CHECK(memcmp(i.noise.peer_key, r.identity.public_key, SIGN_PUBLIC_SIZE) == 0);
    CHECK(memcmp(r.noise.peer_key, i.identity.public_key, SIGN_PUBLIC_SIZE) == 0);
    for (size_t k = 0; k < COUNT_OF(transport); k++) {
        struct side *from = transport[k].from_initiator ? &i : &r;
        struct side *to = transport[k].from_initiator ? &r : &i;
        CHECK(noise_write(&from->noise, str_of(transport[k].text), &from->wire) == ERR_NONE);
        check_wire(from, transport[k].wire);
        CHECK(pass(from, to, piece) == ERR_NONE);
        CHECK_STR(buf_str(&to->plain), str_of(transport[k].text));
        buf_clear(&to->plain);
    }
    side_release(&i);
    side_release(&r);
}

TEST(makes_transcript_1_byte_for_byte)
{
    replay(NOISE_OFFERS_NONE, MESSAGE_B_EMPTY, MESSAGE_C_EMPTY, 100000);
}

TEST(makes_transcript_2_byte_for_byte)
{
    replay(NOISE_OFFERS_YAMUX, MESSAGE_B_YAMUX, MESSAGE_C_YAMUX, 100000);
}

TEST(reads_messages_in_pieces_of_any_size)
{
    for (size_t piece = 1; piece < 220; piece += 13) {
        replay(NOISE_OFFERS_YAMUX, MESSAGE_B_YAMUX, MESSAGE_C_YAMUX, piece);
    }
}

TEST(falls_back_to_multistream_when_one_side_offers_nothing)
{
    struct side i, r;
    side_init(&i, true, NOISE_OFFERS_YAMUX, NULL);
    side_init(&r, false, NOISE_OFFERS_NONE, NULL);
    CHECK(pass(&i, &r, 999) == ERR_NONE);
    CHECK(pass(&r, &i, 999) == ERR_NONE);
    CHECK(pass(&i, &r, 999) == ERR_NONE);
    CHECK(i.noise.state == NOISE_OPEN && r.noise.state == NOISE_OPEN);
    CHECK(!i.noise.is_yamux_agreed && !r.noise.is_yamux_agreed);
    side_release(&i);
    side_release(&r);
}

TEST(refuses_a_peer_that_is_not_the_expected_one)
{
    struct side i, r;
    uint8_t expected[SIGN_PUBLIC_SIZE];
    side_init(&r, false, NOISE_OFFERS_YAMUX, NULL);
    memcpy(expected, r.identity.public_key, sizeof(expected));
    expected[31] ^= 1;
    side_init(&i, true, NOISE_OFFERS_YAMUX, expected);
    CHECK(pass(&i, &r, 999) == ERR_NONE);
    CHECK(pass(&r, &i, 999) == ERR_REFUSED);
    CHECK(i.noise.state == NOISE_FAILED);
    CHECK(i.wire.n == 0);
    side_release(&i);
    side_release(&r);
}

/* Flips one byte of one handshake message; nobody may end up open with a wrong view. */
TEST(refuses_a_handshake_with_any_byte_flipped)
{
    for (int message = 0; message < 3; message++) {
        size_t size = message == 0 ? 34 : (message == 1 ? 218 : 186);
        for (size_t at = 2; at < size; at++) {
            struct side i, r;
            side_init(&i, true, NOISE_OFFERS_YAMUX, NULL);
            side_init(&r, false, NOISE_OFFERS_YAMUX, NULL);
            struct side *from = message == 1 ? &r : &i;
            enum err err = ERR_NONE;
            for (int k = 0; k < 3 && err == ERR_NONE; k++) {
                if (k == message) {
                    from->wire.p[at] ^= 0x40;
                }
                err = k == 1 ? pass(&r, &i, 999) : pass(&i, &r, 999);
            }
            CHECK(err != ERR_NONE);
            CHECK(i.noise.state == NOISE_FAILED || r.noise.state == NOISE_FAILED);
            side_release(&i);
            side_release(&r);
        }
    }
}

static void open_both(struct side *i, struct side *r)
{
    side_init(i, true, NOISE_OFFERS_YAMUX, NULL);
    side_init(r, false, NOISE_OFFERS_YAMUX, NULL);
    CHECK(pass(i, r, 999) == ERR_NONE);
    CHECK(pass(r, i, 999) == ERR_NONE);
    CHECK(pass(i, r, 999) == ERR_NONE);
}

TEST(refuses_a_flipped_repeated_or_short_message)
{
    for (int kind = 0; kind < 3; kind++) {
        struct side i, r;
        open_both(&i, &r);
        CHECK(noise_write(&i.noise, STR("hello"), &i.wire) == ERR_NONE);
        if (kind == 0) {
            i.wire.p[10] ^= 1;
        } else if (kind == 1) {
            CHECK(noise_feed(&r.noise, buf_str(&i.wire), &r.wire, &r.plain) == ERR_NONE);
        } else {
            buf_clear(&i.wire);
            buf_add_bytes(&i.wire, "\0\3abc", 5);
        }
        CHECK(pass(&i, &r, 999) != ERR_NONE);
        CHECK(r.noise.state == NOISE_FAILED);
        CHECK(noise_feed(&r.noise, STR("x"), &r.wire, &r.plain) != ERR_NONE);
        side_release(&i);
        side_release(&r);
    }
}

TEST(cuts_long_writes_into_messages)
{
    struct side i, r;
    struct buf text;
    open_both(&i, &r);
    buf_init(&text, 200000);
    for (int k = 0; k < 150000; k++) {
        buf_add_char(&text, (char)(k * 7));
    }
    CHECK(noise_write(&i.noise, buf_str(&text), &i.wire) == ERR_NONE);
    CHECK(i.wire.n == 150000 + 3 * (2 + BOX_TAG_SIZE));
    CHECK(pass(&i, &r, 4096) == ERR_NONE);
    CHECK_STR(buf_str(&r.plain), buf_str(&text));
    buf_release(&text);
    side_release(&i);
    side_release(&r);
}

TEST(refuses_an_ephemeral_key_of_zeros)
{
    struct side r;
    uint8_t message[34] = {0, 32};
    side_init(&r, false, NOISE_OFFERS_YAMUX, NULL);
    CHECK(noise_feed(&r.noise, str_make(message, sizeof(message)), &r.wire, &r.plain) ==
          ERR_REFUSED);
    side_release(&r);
}

TEST(survives_random_bytes)
{
    struct rng rng = {7};
    int errors = 0;
    for (int round = 0; round < 400; round++) {
        struct side s;
        uint8_t bytes[700];
        side_init(&s, round % 2 == 0, NOISE_OFFERS_YAMUX, NULL);
        rng_fill(&rng, bytes, sizeof(bytes));
        bytes[0] = 0; /* a message that ends within what follows */
        errors +=
            noise_feed(&s.noise, str_make(bytes, sizeof(bytes)), &s.wire, &s.plain) != ERR_NONE;
        side_release(&s);
    }
    CHECK(errors > 100);
}

TEST_MAIN(TEST_ROW(makes_transcript_1_byte_for_byte), TEST_ROW(makes_transcript_2_byte_for_byte),
          TEST_ROW(reads_messages_in_pieces_of_any_size),
          TEST_ROW(falls_back_to_multistream_when_one_side_offers_nothing),
          TEST_ROW(refuses_a_peer_that_is_not_the_expected_one),
          TEST_ROW(refuses_a_handshake_with_any_byte_flipped),
          TEST_ROW(refuses_a_flipped_repeated_or_short_message),
          TEST_ROW(cuts_long_writes_into_messages), TEST_ROW(refuses_an_ephemeral_key_of_zeros),
          TEST_ROW(survives_random_bytes))

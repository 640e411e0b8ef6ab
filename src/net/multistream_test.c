/* Vectors: p2p-wire.md 4.1. */
#include "net/multistream.h"

#include "base/encode.h"
#include "test/rng.h"
#include "test/test.h"

#define HEADER_HEX "132f6d756c746973747265616d2f312e302e300a"
#define NOISE_HEX "072f6e6f6973650a"
#define NA_HEX "036e610a"

struct side {
    struct arena *a;
    struct multistream m;
    struct buf out;
};

static struct side side_new(bool is_initiator)
{
    struct side s = {.a = arena_new()};
    buf_init_in(&s.out, s.a, 4096);
    multistream_start(&s.m, is_initiator, STR("/noise"), &s.out);
    return s;
}

static struct str hex(struct side *s, const char *text)
{
    struct str bytes = STR("");
    CHECK(hex_parse(s->a, str_of(text), &bytes) == ERR_NONE);
    return bytes;
}

TEST(writes_the_header_and_the_proposal_at_once)
{
    struct side s = side_new(true);
    CHECK_STR(hex_write(s.a, buf_str(&s.out)), STR(HEADER_HEX NOISE_HEX));
    arena_free(s.a);
}

TEST(agrees_at_every_cut_and_leaves_the_rest)
{
    for (int role = 0; role < 2; role++) {
        for (size_t cut = 0; cut <= 28; cut++) {
            struct side s = side_new(role == 1);
            struct str all = hex(&s, HEADER_HEX NOISE_HEX "00ff");
            struct str first = str_sub(all, 0, cut), second = str_from(all, cut);
            CHECK(multistream_feed(&s.m, &first, &s.out) == ERR_NONE);
            CHECK(first.n == 0);
            CHECK(multistream_feed(&s.m, &second, &s.out) == ERR_NONE);
            CHECK(s.m.state == MULTISTREAM_AGREED);
            CHECK(second.n == 2);
            CHECK_STR(hex_write(s.a, buf_str(&s.out)), STR(HEADER_HEX NOISE_HEX));
            arena_free(s.a);
        }
    }
}

TEST(answers_na_to_what_it_does_not_speak)
{
    struct side s = side_new(false);
    struct str in = hex(&s, HEADER_HEX "0d2f79616d75782f312e302e300a" NOISE_HEX);
    CHECK(multistream_feed(&s.m, &in, &s.out) == ERR_NONE);
    CHECK(s.m.state == MULTISTREAM_AGREED);
    CHECK_STR(hex_write(s.a, buf_str(&s.out)), STR(HEADER_HEX NA_HEX NOISE_HEX));
    arena_free(s.a);
}

TEST(lists_its_protocol)
{
    struct side s = side_new(false);
    struct str in = hex(&s, HEADER_HEX "036c730a");
    CHECK(multistream_feed(&s.m, &in, &s.out) == ERR_NONE);
    CHECK_STR(hex_write(s.a, buf_str(&s.out)), STR(HEADER_HEX "09" NOISE_HEX "0a"));
    CHECK(s.m.state == MULTISTREAM_PROTOCOL);
    arena_free(s.a);
}

TEST(gives_up_when_refused)
{
    struct side s = side_new(true);
    struct str in = hex(&s, HEADER_HEX NA_HEX);
    CHECK(multistream_feed(&s.m, &in, &s.out) == ERR_REFUSED);
    CHECK(s.m.state == MULTISTREAM_FAILED);
    in = hex(&s, HEADER_HEX);
    CHECK(multistream_feed(&s.m, &in, &s.out) != ERR_NONE);
    arena_free(s.a);
}

TEST(refuses_malformed_messages)
{
    static const char *const bad[] = {
        "00",                                       /* empty */
        "132f6d756c746973747265616d2f312e302e3000", /* no newline */
        "8108",                                     /* 1025 bytes */
        "ffffff",                                   /* endless length */
        "072f6e6f6973650a",                         /* no header first */
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct side s = side_new(false);
        struct str in = hex(&s, bad[i]);
        CHECK(multistream_feed(&s.m, &in, &s.out) != ERR_NONE);
        CHECK(s.m.state == MULTISTREAM_FAILED);
        arena_free(s.a);
    }
}

TEST(refuses_the_hundredth_proposal)
{
    struct side s = side_new(false);
    struct str header = hex(&s, HEADER_HEX);
    CHECK(multistream_feed(&s.m, &header, &s.out) == ERR_NONE);
    int refused = 0;
    for (int i = 0; i < 100; i++) {
        struct str in = hex(&s, NA_HEX);
        refused += multistream_feed(&s.m, &in, &s.out) != ERR_NONE;
    }
    CHECK(refused > 80);
    CHECK(s.out.n < 200);
    arena_free(s.a);
}

TEST(survives_random_bytes)
{
    struct rng rng = {1};
    int errors = 0;
    for (int round = 0; round < 2000; round++) {
        struct side s = side_new(round % 2 == 0);
        char bytes[64];
        struct str header = hex(&s, HEADER_HEX);
        if (round % 3 == 0) {
            CHECK(multistream_feed(&s.m, &header, &s.out) == ERR_NONE);
        }
        for (int k = 0; k < 40; k++) {
            for (size_t i = 0; i < sizeof(bytes); i++) {
                bytes[i] = (char)rng_below(&rng, round % 5 == 0 ? 8 : 256);
            }
            struct str in = str_make(bytes, sizeof(bytes));
            errors += multistream_feed(&s.m, &in, &s.out) != ERR_NONE;
        }
        arena_free(s.a);
    }
    CHECK(errors > 0);
}

TEST_MAIN(TEST_ROW(writes_the_header_and_the_proposal_at_once),
          TEST_ROW(agrees_at_every_cut_and_leaves_the_rest),
          TEST_ROW(answers_na_to_what_it_does_not_speak), TEST_ROW(lists_its_protocol),
          TEST_ROW(gives_up_when_refused), TEST_ROW(refuses_malformed_messages),
          TEST_ROW(refuses_the_hundredth_proposal), TEST_ROW(survives_random_bytes))

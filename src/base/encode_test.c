#include "base/encode.h"
#include "test/test.h"

static struct arena *arena;

static void begin(void)
{
    arena = arena_new();
}

static void end(void)
{
    arena_free(arena);
}

TEST(base64_is_the_rfc_4648_one_without_padding)
{
    static const struct {
        struct str bytes, text;
    } rows[] = {
        {STR_INIT(""), STR_INIT("")},
        {STR_INIT("f"), STR_INIT("Zg")},
        {STR_INIT("fo"), STR_INIT("Zm8")},
        {STR_INIT("foo"), STR_INIT("Zm9v")},
        {STR_INIT("foob"), STR_INIT("Zm9vYg")},
        {STR_INIT("fooba"), STR_INIT("Zm9vYmE")},
        {STR_INIT("foobar"), STR_INIT("Zm9vYmFy")},
    };
    begin();
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct str back = STR_ABSENT;
        CHECK_STR(base64_write(arena, rows[i].bytes), rows[i].text);
        CHECK(base64_parse(arena, rows[i].text, &back) == ERR_NONE);
        CHECK_STR(back, rows[i].bytes);
    }
    CHECK_STR(base64_write(arena, STR("\xFB\xFF\xFE")), STR("+//+"));
    CHECK_STR(base64url_write(arena, STR("\xFB\xFF\xFE")), STR("-__-"));
    end();
}

TEST(base64_is_read_in_either_alphabet_padded_or_not)
{
    struct str out = STR_ABSENT;
    begin();
    CHECK(base64_parse(arena, STR("-__-"), &out) == ERR_NONE);
    CHECK_STR(out, STR("\xFB\xFF\xFE"));
    CHECK(base64_parse(arena, STR("Zg=="), &out) == ERR_NONE);
    CHECK_STR(out, STR("f"));
    CHECK(base64_parse(arena, STR("Zm8="), &out) == ERR_NONE);
    CHECK_STR(out, STR("fo"));
    end();
}

TEST(base64_refuses_what_it_never_writes)
{
    static const struct str bad[] = {
        STR_INIT("Z"),     STR_INIT("Zg="),   STR_INIT("Zm8=="),  STR_INIT("="),
        STR_INIT("===="),  STR_INIT("Zg==="), STR_INIT("Z g"),    STR_INIT("Zm9v\n"),
        STR_INIT("Zm9vY"), STR_INIT("Zm.v"),  STR_INIT("Zg==Zg"), STR_INIT("Zm\0v"),
    };
    begin();
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct str out = STR("kept");
        CHECK(base64_parse(arena, bad[i], &out) == ERR_SYNTAX);
        CHECK_STR(out, STR("kept"));
    }
    end();
}

TEST(hex_goes_both_ways)
{
    struct str out = STR_ABSENT;
    begin();
    CHECK_STR(hex_write(arena, STR("\x00\x7F\xFF")), STR("007fff"));
    CHECK(hex_parse(arena, STR("007FfF"), &out) == ERR_NONE);
    CHECK_STR(out, STR("\x00\x7F\xFF"));
    CHECK(hex_parse(arena, STR(""), &out) == ERR_NONE && out.n == 0);
    CHECK(hex_parse(arena, STR("0"), &out) == ERR_SYNTAX);
    CHECK(hex_parse(arena, STR("0g"), &out) == ERR_SYNTAX);
    end();
}

/* The first three are of draft-msporny-base58; the others count the zeros at the front. */
TEST(base58_writes_and_reads_the_published_examples)
{
    static const struct {
        struct str bytes, text;
    } rows[] = {
        {STR_INIT("Hello World!"), STR_INIT("2NEpo7TZRRrLZSi2U")},
        {STR_INIT("The quick brown fox jumps over the lazy dog."),
         STR_INIT("USm3fpXnKG5EUBx2ndxBDMPVciP5hGey2Jh4NDv6gmeo1LkMeiKrLJUUBk6Z")},
        {STR_INIT("\x00\x00\x28\x7f\xb4\xcd"), STR_INIT("11233QC4")},
        {STR_INIT(""), STR_INIT("")},
        {STR_INIT("\x00"), STR_INIT("1")},
        {STR_INIT("\x00\x00\x00\x01"), STR_INIT("1112")},
        {STR_INIT("\xFF"), STR_INIT("5Q")},
    };
    begin();
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct str out = STR_ABSENT;
        CHECK(base58_write(arena, rows[i].bytes, &out) == ERR_NONE);
        CHECK_STR(out, rows[i].text);
        CHECK(base58_parse(arena, rows[i].text, &out) == ERR_NONE);
        CHECK_STR(out, rows[i].bytes);
    }
    end();
}

TEST(base58_refuses_foreign_letters_and_more_than_128_bytes)
{
    static const char ones[] = "11111111111111111111111111111111111111111111111111111111111111111"
                               "1111111111111111111111111111111111111111111111111111111111111111"
                               "1111111111111111111111111111111111111111111111111111111111111111";
    unsigned char high[129];
    struct str out = STR_ABSENT;
    begin();
    CHECK(base58_parse(arena, STR("0"), &out) == ERR_SYNTAX);
    CHECK(base58_parse(arena, STR("O"), &out) == ERR_SYNTAX);
    CHECK(base58_parse(arena, STR("I"), &out) == ERR_SYNTAX);
    CHECK(base58_parse(arena, STR("l"), &out) == ERR_SYNTAX);
    CHECK(base58_parse(arena, STR("2\0"), &out) == ERR_SYNTAX);
    CHECK(base58_parse(arena, STR("2 "), &out) == ERR_SYNTAX);
    memset(high, 0xFF, sizeof(high));
    CHECK(base58_write(arena, str_make(high, 129), &out) == ERR_LIMIT);
    CHECK(base58_write(arena, str_make(high, 128), &out) == ERR_NONE);
    CHECK(base58_parse(arena, out, &out) == ERR_NONE);
    CHECK_STR(out, str_make(high, 128));
    CHECK(base58_parse(arena, str_make(ones, 128), &out) == ERR_NONE && out.n == 128);
    CHECK(base58_parse(arena, str_make(ones, 129), &out) == ERR_LIMIT);
    CHECK(base58_parse(arena, str_make(ones, 190), &out) == ERR_LIMIT);
    end();
}

TEST(percent_escapes_are_read_and_plus_only_where_asked)
{
    struct str out = STR_ABSENT;
    begin();
    CHECK(percent_parse(arena, STR("%23foo%3Ab+c%2f"), false, &out) == ERR_NONE);
    CHECK_STR(out, STR("#foo:b+c/"));
    CHECK(percent_parse(arena, STR("a+b%2B"), true, &out) == ERR_NONE);
    CHECK_STR(out, STR("a b+"));
    CHECK(percent_parse(arena, STR("%00"), false, &out) == ERR_NONE);
    CHECK_STR(out, STR("\0"));
    CHECK(percent_parse(arena, STR("%"), false, &out) == ERR_SYNTAX);
    CHECK(percent_parse(arena, STR("%2"), false, &out) == ERR_SYNTAX);
    CHECK(percent_parse(arena, STR("a%2"), false, &out) == ERR_SYNTAX);
    CHECK(percent_parse(arena, STR("%2g"), false, &out) == ERR_SYNTAX);
    end();
}

TEST(percent_writes_all_but_unreserved_characters)
{
    begin();
    CHECK_STR(percent_write(arena, STR("!r:a.b-c_d~e/f \xC3\xA9%")),
              STR("%21r%3Aa.b-c_d~e%2Ff%20%C3%A9%25"));
    CHECK_STR(percent_write(arena, STR("")), STR(""));
    end();
}

TEST(varints_are_read_back_at_every_length)
{
    struct buf b;
    buf_init(&b, 16);
    for (unsigned bit = 0; bit < 63; bit++) {
        uint64_t value = UINT64_C(1) << bit;
        uint64_t back = 0;
        buf_clear(&b);
        varint_write(&b, value);
        CHECK(b.n == bit / 7 + 1);
        CHECK(varint_read(buf_str(&b), &back) == (int)b.n && back == value);
        for (size_t n = 0; n < b.n; n++) {
            CHECK(varint_read(str_sub(buf_str(&b), 0, n), &back) == 0);
        }
    }
    buf_release(&b);
}

TEST(varints_that_are_too_long_are_bad)
{
    uint64_t value = 7;
    CHECK(varint_read(STR("\x80\x00"), &value) == -1);
    CHECK(varint_read(STR("\x80\x80\x80\x80\x80\x80\x80\x80\x80"), &value) == -1);
    CHECK(varint_read(STR("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F"), &value) == 9);
    CHECK(value == INT64_MAX);
    CHECK(varint_read(STR("\x00"), &value) == 1 && value == 0);
}

TEST(utf8_accepts_the_ends_of_each_length)
{
    static const struct {
        uint32_t code_point;
        struct str bytes;
    } rows[] = {
        {0x00, STR_INIT("\0")},
        {0x7F, STR_INIT("\x7F")},
        {0x80, STR_INIT("\xC2\x80")},
        {0x7FF, STR_INIT("\xDF\xBF")},
        {0x800, STR_INIT("\xE0\xA0\x80")},
        {0xD7FF, STR_INIT("\xED\x9F\xBF")},
        {0xE000, STR_INIT("\xEE\x80\x80")},
        {0xFFFF, STR_INIT("\xEF\xBF\xBF")},
        {0x10000, STR_INIT("\xF0\x90\x80\x80")},
        {0x10FFFF, STR_INIT("\xF4\x8F\xBF\xBF")},
    };
    struct buf b;
    buf_init(&b, 16);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        size_t at = 0;
        buf_clear(&b);
        utf8_write(&b, rows[i].code_point);
        CHECK_STR(buf_str(&b), rows[i].bytes);
        CHECK(utf8_is_valid(rows[i].bytes));
        CHECK(utf8_next(rows[i].bytes, &at) == rows[i].code_point && at == rows[i].bytes.n);
    }
    buf_release(&b);
}

TEST(utf8_refuses_overlong_surrogate_cut_and_stray_bytes)
{
    static const struct str bad[] = {
        STR_INIT("\x80"),
        STR_INIT("\xC0\x80"),
        STR_INIT("\xC1\xBF"),
        STR_INIT("\xE0\x9F\xBF"),
        STR_INIT("\xF0\x8F\xBF\xBF"),
        STR_INIT("\xED\xA0\x80"),
        STR_INIT("\xED\xBF\xBF"),
        STR_INIT("\xF4\x90\x80\x80"),
        STR_INIT("\xF5\x80\x80\x80"),
        STR_INIT("\xFF"),
        STR_INIT("a\xC3"),
        STR_INIT("\xE2\x82"),
        STR_INIT("\xC3\xC3"),
        STR_INIT("\xF0\x9F\x98"),
        STR_INIT("\xE2\x28\xA1"),
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        CHECK(!utf8_is_valid(bad[i]));
    }
    CHECK(utf8_is_valid(STR("")));
    CHECK(utf8_is_valid(STR_ABSENT));
}

TEST_MAIN(TEST_ROW(base64_is_the_rfc_4648_one_without_padding),
          TEST_ROW(base64_is_read_in_either_alphabet_padded_or_not),
          TEST_ROW(base64_refuses_what_it_never_writes), TEST_ROW(hex_goes_both_ways),
          TEST_ROW(base58_writes_and_reads_the_published_examples),
          TEST_ROW(base58_refuses_foreign_letters_and_more_than_128_bytes),
          TEST_ROW(percent_escapes_are_read_and_plus_only_where_asked),
          TEST_ROW(percent_writes_all_but_unreserved_characters),
          TEST_ROW(varints_are_read_back_at_every_length),
          TEST_ROW(varints_that_are_too_long_are_bad),
          TEST_ROW(utf8_accepts_the_ends_of_each_length),
          TEST_ROW(utf8_refuses_overlong_surrogate_cut_and_stray_bytes))

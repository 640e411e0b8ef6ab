#include "base/str.h"
#include "test/test.h"

TEST(absent_and_empty_are_told_apart)
{
    CHECK(str_is_absent(STR_ABSENT));
    CHECK(str_is_empty(STR_ABSENT));
    CHECK(str_is_absent(str_of(NULL)));
    CHECK(!str_is_absent(STR("")));
    CHECK(str_is_empty(STR("")));
    CHECK(!str_is_empty(STR("a")));
    CHECK(str_of("abc").n == 3);
}

TEST(texts_are_equal_by_bytes)
{
    CHECK(str_eq(STR("abc"), str_of("abc")));
    CHECK(str_eq(STR("a\0b"), str_make("a\0b", 3)));
    CHECK(!str_eq(STR("a\0b"), STR("a\0c")));
    CHECK(!str_eq(STR("abc"), STR("ab")));
    CHECK(!str_eq(STR("abc"), STR("ABC")));
    CHECK(str_eq(STR(""), STR_ABSENT));
}

TEST(order_is_bytewise_and_the_shorter_comes_first)
{
    CHECK(str_cmp(STR("a"), STR("b")) < 0);
    CHECK(str_cmp(STR("b"), STR("a")) > 0);
    CHECK(str_cmp(STR("a"), STR("ab")) < 0);
    CHECK(str_cmp(STR("ab"), STR("a")) > 0);
    CHECK(str_cmp(STR("ab"), STR("ab")) == 0);
    CHECK(str_cmp(STR("z"), STR("\xC3\xA9")) < 0);
    CHECK(str_cmp(STR_ABSENT, STR("")) == 0);
}

TEST(prefixes_and_suffixes_are_found)
{
    CHECK(str_starts(STR("m.room.create"), STR("m.room.")));
    CHECK(str_starts(STR("m.room"), STR("")));
    CHECK(!str_starts(STR("m"), STR("m.room")));
    CHECK(str_ends(STR("a.json"), STR(".json")));
    CHECK(str_ends(STR("a"), STR("")));
    CHECK(!str_ends(STR("json"), STR(".json")));
}

TEST(parts_are_clamped_to_the_text)
{
    CHECK_STR(str_from(STR("abc"), 1), STR("bc"));
    CHECK_STR(str_from(STR("abc"), 9), STR(""));
    CHECK_STR(str_sub(STR("abcdef"), 2, 3), STR("cde"));
    CHECK_STR(str_sub(STR("abcdef"), 4, 9), STR("ef"));
    CHECK_STR(str_sub(STR("abcdef"), 9, 9), STR(""));
    CHECK(str_is_absent(str_sub(STR_ABSENT, 1, 1)));
}

TEST(trim_takes_spaces_and_tabs_from_both_ends)
{
    CHECK_STR(str_trim(STR(" \t a b\t ")), STR("a b"));
    CHECK_STR(str_trim(STR(" \t ")), STR(""));
    CHECK_STR(str_trim(STR("a\r\n")), STR("a\r\n"));
}

TEST(find_gives_the_first_and_find_last_the_last)
{
    size_t at = 99;
    CHECK(str_find(STR("a:b:c"), ':', &at) && at == 1);
    CHECK(str_find_last(STR("a:b:c"), ':', &at) && at == 3);
    CHECK(!str_find(STR("abc"), ':', &at) && at == 3);
    CHECK(!str_find_last(STR_ABSENT, ':', &at) && at == 3);
    CHECK(!str_find(STR_ABSENT, ':', &at));
}

TEST(cut_splits_at_the_first_separator_or_leaves_all_alone)
{
    struct str head = STR("h");
    struct str tail = STR("t");
    CHECK(!str_cut(STR("abc"), ':', &head, &tail));
    CHECK_STR(head, STR("h"));
    CHECK(str_cut(STR("@a:b:8448"), ':', &head, &tail));
    CHECK_STR(head, STR("@a"));
    CHECK_STR(tail, STR("b:8448"));
    CHECK(str_cut(STR(":"), ':', &head, &tail));
    CHECK(head.n == 0 && tail.n == 0);
}

TEST(case_is_ignored_for_ascii_letters_only)
{
    CHECK(str_eq_nocase(STR("Content-Type"), STR("content-type")));
    CHECK(!str_eq_nocase(STR("a"), STR("ab")));
    CHECK(!str_eq_nocase(STR("@"), STR("`")));
    CHECK(!str_eq_nocase(STR("["), STR("{")));
    CHECK(!str_eq_nocase(STR("\xC3\x89"), STR("\xC3\xA9")));
}

TEST(whole_decimal_numbers_are_read_to_the_ends_of_the_range)
{
    int64_t v = 7;
    CHECK(str_to_i64(STR("0"), &v) && v == 0);
    CHECK(str_to_i64(STR("-15"), &v) && v == -15);
    CHECK(str_to_i64(STR("9223372036854775807"), &v) && v == INT64_MAX);
    CHECK(str_to_i64(STR("-9223372036854775808"), &v) && v == INT64_MIN);
}

TEST(what_is_no_number_is_refused_and_leaves_the_result_alone)
{
    const struct str bad[] = {
        STR(""),    STR("-"),   STR("+1"),
        STR(" 1"),  STR("1 "),  STR("1.0"),
        STR("0x1"), STR("--1"), STR("9223372036854775808"),
        STR("1e3"), STR("a"),   STR("-9223372036854775809"),
        STR_ABSENT, STR("1\0"), STR("99999999999999999999999"),
    };
    int64_t v = 7;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        CHECK(!str_to_i64(bad[i], &v) && v == 7);
    }
}

TEST(every_error_has_its_name)
{
    CHECK_STR(str_of(err_name(ERR_NONE)), STR("none"));
    CHECK_STR(str_of(err_name(ERR_FULL)), STR("full"));
    CHECK_STR(str_of(err_name(ERR_CORRUPT)), STR("corrupt"));
}

TEST_MAIN(TEST_ROW(absent_and_empty_are_told_apart), TEST_ROW(texts_are_equal_by_bytes),
          TEST_ROW(order_is_bytewise_and_the_shorter_comes_first),
          TEST_ROW(prefixes_and_suffixes_are_found), TEST_ROW(parts_are_clamped_to_the_text),
          TEST_ROW(trim_takes_spaces_and_tabs_from_both_ends),
          TEST_ROW(find_gives_the_first_and_find_last_the_last),
          TEST_ROW(cut_splits_at_the_first_separator_or_leaves_all_alone),
          TEST_ROW(case_is_ignored_for_ascii_letters_only),
          TEST_ROW(whole_decimal_numbers_are_read_to_the_ends_of_the_range),
          TEST_ROW(what_is_no_number_is_refused_and_leaves_the_result_alone),
          TEST_ROW(every_error_has_its_name))

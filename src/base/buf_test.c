#include "base/buf.h"
#include "test/test.h"

TEST(an_untouched_buffer_is_empty_and_not_absent)
{
    struct buf b;
    buf_init(&b, 10);
    CHECK_STR(buf_str(&b), STR(""));
    CHECK(!str_is_absent(buf_str(&b)));
    buf_add(&b, STR_ABSENT);
    CHECK(buf_str(&b).n == 0 && !b.overflow);
    buf_release(&b);
}

TEST(bytes_are_added_in_order_and_the_buffer_grows)
{
    struct buf b;
    buf_init(&b, 100000);
    for (int i = 0; i < 1000; i++) {
        buf_add_fmt(&b, "%03d,", i);
    }
    CHECK(b.n == 4000 && !b.overflow);
    CHECK_STR(str_sub(buf_str(&b), 3996, 4), STR("999,"));
    buf_release(&b);
    CHECK(b.n == 0 && b.p == NULL);
}

TEST(numbers_are_written_in_network_order)
{
    struct buf b;
    buf_init(&b, 64);
    buf_add_u16be(&b, 0x0102);
    buf_add_u32be(&b, 0xF3F4F5F6);
    CHECK_STR(buf_str(&b), STR("\x01\x02\xF3\xF4\xF5\xF6"));
    buf_clear(&b);
    buf_add_i64(&b, INT64_MIN);
    CHECK_STR(buf_str(&b), STR("-9223372036854775808"));
    buf_release(&b);
}

TEST(a_buffer_can_be_filled_to_its_maximum_exactly)
{
    struct buf b;
    buf_init(&b, 6);
    buf_add(&b, STR("abc"));
    buf_add_fmt(&b, "%s", "def");
    CHECK_STR(buf_str(&b), STR("abcdef"));
    CHECK(!b.overflow);
    CHECK(buf_reserve(&b, 0) != NULL);
    buf_release(&b);
}

TEST(past_the_maximum_everything_is_dropped_until_cleared)
{
    struct buf b;
    buf_init(&b, 4);
    buf_add(&b, STR("abc"));
    buf_add(&b, STR("de"));
    CHECK(b.overflow);
    buf_add_char(&b, 'f');
    buf_add_fmt(&b, "%d", 1);
    CHECK_STR(buf_str(&b), STR("abc"));
    CHECK(buf_reserve(&b, 1) == NULL);
    buf_clear(&b);
    buf_add(&b, STR("wxyz"));
    CHECK_STR(buf_str(&b), STR("wxyz"));
    CHECK(!b.overflow);
    CHECK(buf_reserve(&b, SIZE_MAX) == NULL && b.overflow);
    buf_release(&b);
}

TEST(dropping_keeps_the_rest)
{
    struct buf b;
    buf_init(&b, 10);
    buf_drop(&b, 0);
    buf_add(&b, STR("abcdef"));
    buf_drop(&b, 2);
    CHECK_STR(buf_str(&b), STR("cdef"));
    buf_drop(&b, 4);
    CHECK_STR(buf_str(&b), STR(""));
    buf_add(&b, STR("0123456789"));
    CHECK(!b.overflow);
    buf_release(&b);
}

TEST(reserved_room_counts_once_the_caller_says_so)
{
    struct arena *a = arena_new();
    struct buf b;
    buf_init_in(&b, a, 1000);
    buf_add(&b, STR("x"));
    unsigned char *room = buf_reserve(&b, 500);
    CHECK(room != NULL);
    memset(room, 'y', 500);
    CHECK(b.n == 1);
    b.n += 500;
    CHECK_STR(str_sub(buf_str(&b), 499, 9), STR("yy"));
    buf_release(&b);
    arena_free(a);
}

TEST_MAIN(TEST_ROW(an_untouched_buffer_is_empty_and_not_absent),
          TEST_ROW(bytes_are_added_in_order_and_the_buffer_grows),
          TEST_ROW(numbers_are_written_in_network_order),
          TEST_ROW(a_buffer_can_be_filled_to_its_maximum_exactly),
          TEST_ROW(past_the_maximum_everything_is_dropped_until_cleared),
          TEST_ROW(dropping_keeps_the_rest), TEST_ROW(reserved_room_counts_once_the_caller_says_so))

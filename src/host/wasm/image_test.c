#include "host/wasm/image.h"
#include "test/test.h"

static uint32_t batch(struct image *image, uint32_t *first)
{
    uint32_t n;
    const uint32_t *pages = image_flush_pages(image, &n);
    *first = n > 0 ? pages[0] : UINT32_MAX;
    return n;
}

static bool put(struct image *image, uint64_t offset, const char *text)
{
    return image_write(image, offset, text, (uint32_t)strlen(text));
}

TEST(reads_back_what_was_written_across_extents)
{
    struct image *image = image_new();
    char got[16];
    CHECK(put(image, IMAGE_EXTENT - 3, "abcdefgh"));
    CHECK(image_size(image) == IMAGE_EXTENT + 5);
    CHECK(image_read(image, IMAGE_EXTENT - 5, got, 12) == 10);
    CHECK(memcmp(got, "\0\0abcdefgh\0\0", 12) == 0);
    image_free(image);
}

TEST(a_new_image_is_clean_and_empty)
{
    struct image *image = image_new();
    char got[4] = "xxx";
    CHECK(!image_is_dirty(image));
    CHECK(image_size(image) == 0);
    CHECK(image_read(image, 0, got, 4) == 0);
    CHECK(memcmp(got, "\0\0\0\0", 4) == 0);
    image_free(image);
}

TEST(a_batch_names_each_dirty_page_once_in_ascending_order)
{
    struct image *image = image_new();
    uint32_t n;
    CHECK(put(image, 9 * IMAGE_PAGE, "nine"));
    image_flush_begin(image);
    image_flush_end(image, true);
    CHECK(!image_is_dirty(image));
    CHECK(put(image, 7 * IMAGE_PAGE - 1, "both") && put(image, 6 * IMAGE_PAGE, "again"));
    CHECK(put(image, 2 * IMAGE_PAGE, "two"));
    image_flush_begin(image);
    const uint32_t *pages = image_flush_pages(image, &n);
    CHECK(n == 3 && pages[0] == 2 && pages[1] == 6 && pages[2] == 7);
    CHECK(memcmp(image_page(image, 2), "two", 3) == 0);
    image_flush_end(image, true);
    image_free(image);
}

TEST(a_write_during_a_flush_goes_into_the_next_one)
{
    struct image *image = image_new();
    uint32_t first;
    CHECK(put(image, 0, "one"));
    image_flush_begin(image);
    CHECK(!image_is_dirty(image));
    CHECK(put(image, 1, "later"));
    CHECK(image_is_dirty(image));
    image_flush_end(image, true);
    CHECK(image_is_dirty(image));
    image_flush_begin(image);
    CHECK(batch(image, &first) == 1 && first == 0);
    image_flush_end(image, true);
    image_free(image);
}

TEST(pages_of_a_failed_flush_are_dirty_again)
{
    struct image *image = image_new();
    uint32_t first;
    CHECK(put(image, 3 * IMAGE_PAGE, "three"));
    image_flush_begin(image);
    image_flush_end(image, false);
    CHECK(image_is_dirty(image));
    image_flush_begin(image);
    CHECK(batch(image, &first) == 4 && first == 0);
    image_flush_end(image, true);
    CHECK(!image_is_dirty(image));
    image_free(image);
}

TEST(a_gap_before_a_write_is_dirty_too)
{
    struct image *image = image_new();
    uint32_t first;
    CHECK(put(image, 0, "x"));
    image_flush_begin(image);
    image_flush_end(image, true);
    CHECK(put(image, 4 * IMAGE_PAGE, "far"));
    image_flush_begin(image);
    CHECK(batch(image, &first) == 5 && first == 0);
    image_flush_end(image, true);
    image_free(image);
}

TEST(what_was_cut_off_reads_as_zeros_when_the_file_grows_again)
{
    struct image *image = image_new();
    char got[4];
    uint32_t first;
    CHECK(put(image, 0, "keep") && put(image, 2 * IMAGE_PAGE, "old"));
    image_flush_begin(image);
    image_flush_end(image, true);
    image_truncate(image, 4);
    CHECK(image_is_dirty(image));
    CHECK(image_size(image) == 4);
    CHECK(put(image, 5 * IMAGE_PAGE, "new"));
    CHECK(image_read(image, 2 * IMAGE_PAGE, got, 4) == 4);
    CHECK(memcmp(got, "\0\0\0\0", 4) == 0);
    image_flush_begin(image);
    CHECK(batch(image, &first) == 6); /* the zeros over "old" among them */
    image_flush_end(image, true);
    image_free(image);
}

TEST(a_change_of_size_alone_is_dirty)
{
    struct image *image = image_new();
    uint32_t first;
    CHECK(put(image, 0, "abcd"));
    image_flush_begin(image);
    image_flush_end(image, true);
    image_truncate(image, 0);
    CHECK(image_is_dirty(image));
    image_flush_begin(image);
    CHECK(batch(image, &first) == 0);
    image_flush_end(image, false);
    CHECK(image_is_dirty(image));
    image_free(image);
}

TEST(refuses_a_write_past_the_bound_and_stays_as_it_was)
{
    struct image *image = image_new();
    CHECK(!put(image, IMAGE_SIZE_MAX - 2, "abc"));
    CHECK(!put(image, UINT64_MAX - 1, "abc"));
    CHECK(image_size(image) == 0);
    CHECK(!image_is_dirty(image));
    CHECK(image_extent(image, IMAGE_EXTENTS_MAX) == NULL);
    CHECK(!image_loaded(image, (uint64_t)IMAGE_SIZE_MAX + 1));
    CHECK(put(image, IMAGE_SIZE_MAX - 3, "abc"));
    CHECK(image_size(image) == IMAGE_SIZE_MAX);
    image_free(image);
}

TEST(a_loaded_image_is_clean)
{
    struct image *image = image_new();
    char got[5];
    unsigned char *extent = image_extent(image, 1);
    CHECK(extent != NULL);
    memcpy(extent + IMAGE_PAGE, "hello", 5);
    CHECK(image_loaded(image, IMAGE_EXTENT + IMAGE_PAGE + 5));
    CHECK(!image_is_dirty(image));
    CHECK(image_read(image, IMAGE_EXTENT + IMAGE_PAGE, got, 5) == 5);
    CHECK(memcmp(got, "hello", 5) == 0);
    CHECK(image_page(image, 0)[0] == 0);
    image_free(image);
}

TEST_MAIN(TEST_ROW(reads_back_what_was_written_across_extents),
          TEST_ROW(a_new_image_is_clean_and_empty),
          TEST_ROW(a_batch_names_each_dirty_page_once_in_ascending_order),
          TEST_ROW(a_write_during_a_flush_goes_into_the_next_one),
          TEST_ROW(pages_of_a_failed_flush_are_dirty_again),
          TEST_ROW(a_gap_before_a_write_is_dirty_too),
          TEST_ROW(what_was_cut_off_reads_as_zeros_when_the_file_grows_again),
          TEST_ROW(a_change_of_size_alone_is_dirty),
          TEST_ROW(refuses_a_write_past_the_bound_and_stays_as_it_was),
          TEST_ROW(a_loaded_image_is_clean))

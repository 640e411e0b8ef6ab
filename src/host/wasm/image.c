/* The database file in memory: extents that never move, and the set of pages not yet durable. */
#include "host/wasm/image.h"

#include <string.h>

struct image {
    uint32_t size;
    bool size_dirty;
    bool in_flight;
    bool size_in_flight;
    uint32_t batch_n;
    uint32_t *batch;                           /* page numbers of the flush in flight */
    unsigned char *extents[IMAGE_EXTENTS_MAX]; /* NULL: all zeros */
    unsigned char dirty[IMAGE_PAGES_MAX / 8];
};

static const unsigned char zeros[IMAGE_PAGE];

struct image *image_new(void)
{
    return base_alloc(sizeof(struct image));
}

void image_free(struct image *image)
{
    if (image == NULL) {
        return;
    }
    for (size_t i = 0; i < IMAGE_EXTENTS_MAX; i++) {
        base_free(image->extents[i]);
    }
    base_free(image->batch);
    base_free(image);
}

uint32_t image_size(const struct image *image)
{
    return image->size;
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* How much of n bytes at offset lies in offset's own extent. */
static uint32_t within_extent(uint32_t offset, uint32_t n)
{
    return smaller(n, IMAGE_EXTENT - offset % IMAGE_EXTENT);
}

static void mark(struct image *image, uint32_t from, uint32_t to)
{
    for (uint32_t page = from / IMAGE_PAGE; page < (to + IMAGE_PAGE - 1) / IMAGE_PAGE; page++) {
        image->dirty[page / 8] |= (unsigned char)(1u << page % 8);
    }
}

uint32_t image_read(const struct image *image, uint64_t offset, void *out, uint32_t n)
{
    uint32_t inside = offset >= image->size ? 0 : smaller(n, image->size - (uint32_t)offset);
    unsigned char *to = out;
    for (uint32_t done = 0; done < inside;) {
        uint32_t at = (uint32_t)offset + done;
        uint32_t step = within_extent(at, inside - done);
        const unsigned char *extent = image->extents[at / IMAGE_EXTENT];
        if (extent == NULL) {
            memset(to + done, 0, step);
        } else {
            memcpy(to + done, extent + at % IMAGE_EXTENT, step);
        }
        done += step;
    }
    memset(to + inside, 0, n - inside);
    return inside;
}

bool image_write(struct image *image, uint64_t offset, const void *bytes, uint32_t n)
{
    if (offset > IMAGE_SIZE_MAX || n > IMAGE_SIZE_MAX - offset) {
        return false;
    }
    uint32_t start = (uint32_t)offset;
    const unsigned char *from = bytes;
    for (uint32_t done = 0; done < n;) {
        uint32_t at = start + done;
        uint32_t step = within_extent(at, n - done);
        memcpy(image_extent(image, at / IMAGE_EXTENT) + at % IMAGE_EXTENT, from + done, step);
        done += step;
    }
    mark(image, smaller(start, image->size), start + n);
    if (start + n > image->size) {
        image->size = start + n;
        image->size_dirty = true;
    }
    return true;
}

void image_truncate(struct image *image, uint64_t size)
{
    if (size >= image->size) {
        return;
    }
    uint32_t cut = (uint32_t)size;
    for (uint32_t at = cut; at < image->size;) {
        uint32_t step = within_extent(at, image->size - at);
        unsigned char *extent = image->extents[at / IMAGE_EXTENT];
        if (extent != NULL) {
            memset(extent + at % IMAGE_EXTENT, 0, step);
        }
        at += step;
    }
    /* The zeros must be durable too: the file may grow again over what the durable copy holds. */
    mark(image, cut, image->size);
    image->size = cut;
    image->size_dirty = true;
}

unsigned char *image_extent(struct image *image, uint32_t index)
{
    if (index >= IMAGE_EXTENTS_MAX) {
        return NULL;
    }
    if (image->extents[index] == NULL) {
        image->extents[index] = base_alloc(IMAGE_EXTENT);
    }
    return image->extents[index];
}

bool image_loaded(struct image *image, uint64_t size)
{
    if (size > IMAGE_SIZE_MAX) {
        return false;
    }
    image->size = (uint32_t)size;
    return true;
}

/* Counts the dirty pages inside the file; lists them where list is given. */
static uint32_t collect(const struct image *image, uint32_t *list)
{
    uint32_t pages = (image->size + IMAGE_PAGE - 1) / IMAGE_PAGE;
    uint32_t n = 0;
    for (uint32_t page = 0; page < pages; page++) {
        if (image->dirty[page / 8] == 0) {
            page |= 7; /* none of these eight */
        } else if ((image->dirty[page / 8] >> page % 8 & 1) != 0) {
            if (list != NULL) {
                list[n] = page;
            }
            n++;
        }
    }
    return n;
}

bool image_is_dirty(const struct image *image)
{
    return image->size_dirty || collect(image, NULL) > 0;
}

void image_flush_begin(struct image *image)
{
    assert(!image->in_flight);
    image->in_flight = true;
    image->batch_n = collect(image, NULL);
    image->batch = base_realloc(image->batch, image->batch_n * sizeof(*image->batch));
    collect(image, image->batch);
    image->size_in_flight = image->size_dirty;
    image->size_dirty = false;
    /* Pages past the end keep their mark: their zeros become durable should the file grow again. */
    for (uint32_t i = 0; i < image->batch_n; i++) {
        image->dirty[image->batch[i] / 8] &= (unsigned char)~(1u << image->batch[i] % 8);
    }
}

const uint32_t *image_flush_pages(const struct image *image, uint32_t *n)
{
    assert(image->in_flight);
    *n = image->batch_n;
    return image->batch;
}

void image_flush_end(struct image *image, bool ok)
{
    assert(image->in_flight);
    image->in_flight = false;
    if (!ok) {
        image->size_dirty |= image->size_in_flight;
        for (uint32_t i = 0; i < image->batch_n; i++) {
            mark(image, image->batch[i] * IMAGE_PAGE, image->batch[i] * IMAGE_PAGE + 1);
        }
    }
    image->batch_n = 0;
}

const unsigned char *image_page(const struct image *image, uint32_t page)
{
    assert(page < (image->size + IMAGE_PAGE - 1) / IMAGE_PAGE);
    const unsigned char *extent = image->extents[page / IMAGE_PAGES_OF_EXTENT];
    return extent == NULL ? zeros : extent + page % IMAGE_PAGES_OF_EXTENT * IMAGE_PAGE;
}

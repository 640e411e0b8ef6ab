/* A database that somebody made, or bytes that were torn: it is refused with a sentence, or opened
 * and read. The first byte says how much of a good one is kept in front of the rest. */
#include "base/arena.h"
#include "host/wasm/image.h"
#include "host/wasm/vfs.h"
#include "store/store.h"
#include "test/fuzz/fuzz.h"

#include <string.h>

enum { GOOD_MAX = 1024 * 1024 };

struct good {
    unsigned char bytes[GOOD_MAX];
    uint32_t n;
};

static void no_random(void *out, size_t n)
{
    memset(out, 0x5A, n);
}

static void image_put(struct image *image, uint32_t at, const unsigned char *bytes, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++, at++) {
        image_extent(image, at / IMAGE_EXTENT)[at % IMAGE_EXTENT] = bytes[i];
    }
}

/* An empty database as this build makes it. */
static void good_make(struct good *good)
{
    struct store *store = NULL;
    const char *why = "";
    struct image *image = image_new();
    struct vfs *vfs = vfs_new("good", image, no_random);
    enum err err = store_open(&store, STR("neurite.db"), "good", true, &why);
    assert(err == ERR_NONE && image_size(image) <= GOOD_MAX);
    store_close(store);
    good->n = image_size(image);
    (void)image_read(image, 0, good->bytes, good->n);
    vfs_free(vfs);
    image_free(image);
}

static void read_some(struct store *store)
{
    struct arena *a = arena_new();
    struct str text = STR_ABSENT;
    int64_t id = 0;
    (void)!store_check(store);
    (void)!store_meta_get(store, a, "identity", &text);
    if (store_begin(store) == ERR_NONE) {
        enum store_wrote wrote;
        (void)!store_name(store, STR("@a:b"), &id);
        (void)!store_name_text(store, a, 1, &text);
        (void)!store_commit(store, &wrote);
    }
    arena_free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct good good;
    struct store *store = NULL;
    const char *why = NULL;
    if (good.n == 0) {
        good_make(&good);
    }
    uint32_t at = size == 0 ? 0 : data[0] * 16u;
    uint32_t n = size == 0 ? 0 : (uint32_t)size - 1;
    struct image *image = image_new();
    if (at > 0) { /* a good one with some bytes of it written over */
        image_put(image, 0, good.bytes, good.n);
    }
    image_put(image, at, data + (size > 0), n);
    bool fits = image_loaded(image, at > 0 && good.n > at + n ? good.n : at + n);
    assert(fits);
    struct vfs *vfs = vfs_new("foreign", image, no_random);
    enum err err = store_open(&store, STR("neurite.db"), "foreign", true, &why);
    assert((err == ERR_NONE) == (store != NULL) && why != NULL);
    if (store != NULL) {
        read_some(store);
        store_close(store);
    }
    vfs_free(vfs);
    image_free(image);
    return 0;
}

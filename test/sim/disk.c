/* The image and its VFS are those of the browser's host; here is what stands for IndexedDB. */
#include "test/sim/disk.h"

#include "host/wasm/image.h"
#include "host/wasm/vfs.h"

#include <string.h>

struct flush {
    bool is_open;
    uint64_t generation;
    uint32_t size; /* of the file */
    uint32_t n, cap;
    uint32_t *numbers;
    unsigned char *pages; /* n of IMAGE_PAGE bytes */
};

struct disk {
    const char *name;
    unsigned char *durable;
    uint32_t size, cap;
    uint64_t generation; /* of who mounted it last */
    struct flush flush, late;
    struct image *image; /* NULL: not mounted */
    struct vfs *vfs;
};

/* sqlite's generator is seeded by the run; its file system has no other part in randomness. */
static void no_random(void *out, size_t n)
{
    memset(out, 0x5A, n);
}

struct disk *disk_new(const char *name)
{
    struct disk *disk = base_alloc(sizeof(*disk));
    disk->name = name;
    return disk;
}

static void flush_free(struct flush *flush)
{
    base_free(flush->numbers);
    base_free(flush->pages);
    *flush = (struct flush){0};
}

void disk_free(struct disk *disk)
{
    if (disk->image != NULL) {
        disk_unmount(disk, FATE_LOST);
    }
    base_free(disk->durable);
    flush_free(&disk->flush);
    flush_free(&disk->late);
    base_free(disk);
}

void disk_mount(struct disk *disk)
{
    assert(disk->image == NULL);
    disk->generation++;
    disk->image = image_new();
    for (uint32_t at = 0; at < disk->size; at += IMAGE_EXTENT) {
        uint32_t n = disk->size - at < IMAGE_EXTENT ? disk->size - at : IMAGE_EXTENT;
        unsigned char *extent = image_extent(disk->image, at / IMAGE_EXTENT);
        assert(extent != NULL);
        memcpy(extent, disk->durable + at, n);
    }
    bool fits = image_loaded(disk->image, disk->size);
    assert(fits);
    disk->vfs = vfs_new(disk->name, disk->image, no_random);
}

void disk_flush_begin(struct disk *disk)
{
    struct flush *flush = &disk->flush;
    assert(!flush->is_open);
    image_flush_begin(disk->image);
    const uint32_t *numbers = image_flush_pages(disk->image, &flush->n);
    if (flush->n > flush->cap) {
        flush->cap = flush->n;
        flush->numbers = base_realloc(flush->numbers, flush->cap * sizeof(*flush->numbers));
        flush->pages = base_realloc(flush->pages, (size_t)flush->cap * IMAGE_PAGE);
    }
    for (uint32_t i = 0; i < flush->n; i++) {
        flush->numbers[i] = numbers[i];
        memcpy(flush->pages + (size_t)i * IMAGE_PAGE, image_page(disk->image, numbers[i]),
               IMAGE_PAGE);
    }
    flush->size = image_size(disk->image);
    flush->generation = disk->generation;
    flush->is_open = true;
}

static void flush_apply(struct disk *disk, const struct flush *flush)
{
    if (flush->generation != disk->generation) {
        return; /* the fence */
    }
    uint32_t pages = (flush->size + IMAGE_PAGE - 1) / IMAGE_PAGE;
    if (pages * IMAGE_PAGE > disk->cap) {
        uint32_t cap = pages * IMAGE_PAGE * 2;
        disk->durable = base_realloc(disk->durable, cap);
        memset(disk->durable + disk->cap, 0, cap - disk->cap);
        disk->cap = cap;
    }
    if (flush->size < disk->size) {
        memset(disk->durable + flush->size, 0, disk->size - flush->size);
    }
    disk->size = flush->size;
    for (uint32_t i = 0; i < flush->n; i++) {
        memcpy(disk->durable + (size_t)flush->numbers[i] * IMAGE_PAGE,
               flush->pages + (size_t)i * IMAGE_PAGE, IMAGE_PAGE);
    }
}

void disk_flush_end(struct disk *disk, bool ok)
{
    assert(disk->flush.is_open);
    if (ok) {
        flush_apply(disk, &disk->flush);
    }
    disk->flush.is_open = false;
    image_flush_end(disk->image, ok);
}

bool disk_is_flushing(const struct disk *disk)
{
    return disk->flush.is_open;
}

void disk_late(struct disk *disk)
{
    if (disk->late.is_open) {
        flush_apply(disk, &disk->late);
        flush_free(&disk->late);
    }
}

void disk_unmount(struct disk *disk, enum fate fate)
{
    if (disk->flush.is_open && fate == FATE_LATE && !disk->late.is_open) {
        disk->late = disk->flush;
        disk->flush = (struct flush){0};
        image_flush_end(disk->image, false);
    } else if (disk->flush.is_open) {
        disk_flush_end(disk, fate == FATE_DONE);
    }
    vfs_free(disk->vfs);
    image_free(disk->image);
    disk->vfs = NULL;
    disk->image = NULL;
}

uint32_t disk_size(const struct disk *disk)
{
    return disk->size;
}

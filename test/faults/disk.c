/* Files as two texts each, and sqlite's methods over them. Locks are not kept: there is one
 * connection. */
#include "test/faults/disk.h"

#include "test/faults/faults.h"
#include "test/rng.h"

#include <sqlite3.h>
#include <string.h>

enum { FILES_MAX = 8, NAME_MAX_ = 64, REGIONS_MAX = 64, BLOCK = 4096 };

struct content {
    unsigned char *p;
    size_t n, cap;
};

struct file {
    char name[NAME_MAX_]; /* empty: not there */
    struct content written, flushed;
    void *regions[REGIONS_MAX]; /* the index of a write-ahead log, which is never durable */
};

struct disk {
    sqlite3_vfs base; /* first: sqlite hands back a pointer to it */
    struct file files[FILES_MAX];
    void (*watch)(void *ctx);
    void *watch_ctx;
};

struct handle {
    sqlite3_file base; /* first, as above */
    struct disk *disk;
    struct file *file;
};

/* --- contents --------------------------------------------------------------------------------- */

/* Behind the end all is zero. */
static void content_size(struct content *c, size_t n)
{
    if (n > c->cap) {
        size_t cap = n * 2;
        c->p = base_realloc(c->p, cap);
        memset(c->p + c->cap, 0, cap - c->cap);
        c->cap = cap;
    }
    if (n < c->n) {
        memset(c->p + n, 0, c->n - n);
    }
    c->n = n;
}

static void content_copy(struct content *to, const struct content *from)
{
    content_size(to, from->n);
    if (from->n > 0) {
        memcpy(to->p, from->p, from->n);
    }
}

static void content_free(struct content *c)
{
    base_free(c->p);
    *c = (struct content){0};
}

static void regions_free(struct file *f)
{
    for (size_t i = 0; i < REGIONS_MAX; i++) {
        base_free(f->regions[i]);
        f->regions[i] = NULL;
    }
}

static void file_drop(struct file *f)
{
    content_free(&f->written);
    content_free(&f->flushed);
    regions_free(f);
    f->name[0] = '\0';
}

static struct file *file_find(struct disk *disk, const char *name)
{
    for (size_t i = 0; i < FILES_MAX; i++) {
        if (strcmp(disk->files[i].name, name) == 0) {
            return &disk->files[i];
        }
    }
    return NULL;
}

/* --- methods of a file ------------------------------------------------------------------------ */

static struct file *file_of(sqlite3_file *base)
{
    return ((struct handle *)base)->file;
}

static int on_close(sqlite3_file *base)
{
    (void)base;
    return SQLITE_OK;
}

static int on_read(sqlite3_file *base, void *out, int n, sqlite3_int64 offset)
{
    const struct content *c = &file_of(base)->written;
    size_t at = (size_t)offset;
    size_t there = at >= c->n ? 0 : c->n - at;
    if (fault_strikes(FAULT_READ)) {
        return SQLITE_IOERR_READ;
    }
    size_t got = there < (size_t)n ? there : (size_t)n;
    if (got > 0) {
        memcpy(out, c->p + at, got);
    }
    memset((unsigned char *)out + got, 0, (size_t)n - got);
    return got == (size_t)n ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

static int on_write(sqlite3_file *base, const void *bytes, int n, sqlite3_int64 offset)
{
    struct content *c = &file_of(base)->written;
    size_t end = (size_t)offset + (size_t)n;
    if (fault_strikes(FAULT_WRITE)) {
        return SQLITE_IOERR_WRITE;
    }
    if (fault_strikes(FAULT_FULL)) {
        return SQLITE_FULL;
    }
    if (end > c->n) {
        content_size(c, end);
    }
    memcpy(c->p + offset, bytes, (size_t)n);
    return SQLITE_OK;
}

static int on_truncate(sqlite3_file *base, sqlite3_int64 size)
{
    if (fault_strikes(FAULT_WRITE)) {
        return SQLITE_IOERR_TRUNCATE;
    }
    content_size(&file_of(base)->written, (size_t)size);
    return SQLITE_OK;
}

static int on_sync(sqlite3_file *base, int flags)
{
    struct disk *disk = ((struct handle *)base)->disk;
    struct file *f = file_of(base);
    (void)flags;
    if (fault_strikes(FAULT_FLUSH)) {
        return SQLITE_IOERR_FSYNC;
    }
    content_copy(&f->flushed, &f->written);
    if (disk->watch != NULL) {
        disk->watch(disk->watch_ctx);
    }
    return SQLITE_OK;
}

static int on_size(sqlite3_file *base, sqlite3_int64 *size)
{
    *size = (sqlite3_int64)file_of(base)->written.n;
    return SQLITE_OK;
}

static int on_lock(sqlite3_file *base, int level)
{
    (void)base;
    (void)level;
    return SQLITE_OK;
}

static int on_is_reserved(sqlite3_file *base, int *reserved)
{
    (void)base;
    *reserved = 0;
    return SQLITE_OK;
}

static int on_control(sqlite3_file *base, int op, void *arg)
{
    (void)base;
    (void)op;
    (void)arg;
    return SQLITE_NOTFOUND;
}

static int on_sector_size(sqlite3_file *base)
{
    (void)base;
    return BLOCK;
}

static int on_traits(sqlite3_file *base)
{
    (void)base;
    return 0;
}

static int on_region(sqlite3_file *base, int region, int size, int is_wanted, void volatile **out)
{
    struct file *f = file_of(base);
    if (region >= REGIONS_MAX) {
        return SQLITE_IOERR_SHMMAP;
    }
    if (f->regions[region] == NULL && is_wanted) {
        f->regions[region] = base_alloc((size_t)size);
    }
    *out = f->regions[region];
    return SQLITE_OK;
}

static int on_region_lock(sqlite3_file *base, int offset, int n, int flags)
{
    (void)base;
    (void)offset;
    (void)n;
    (void)flags;
    return SQLITE_OK;
}

static void on_barrier(sqlite3_file *base)
{
    (void)base;
}

static int on_regions_end(sqlite3_file *base, int is_deleted)
{
    (void)is_deleted;
    regions_free(file_of(base));
    return SQLITE_OK;
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = on_close,
    .xRead = on_read,
    .xWrite = on_write,
    .xTruncate = on_truncate,
    .xSync = on_sync,
    .xFileSize = on_size,
    .xLock = on_lock,
    .xUnlock = on_lock,
    .xCheckReservedLock = on_is_reserved,
    .xFileControl = on_control,
    .xSectorSize = on_sector_size,
    .xDeviceCharacteristics = on_traits,
    .xShmMap = on_region,
    .xShmLock = on_region_lock,
    .xShmBarrier = on_barrier,
    .xShmUnmap = on_regions_end,
};

/* --- methods of the disk ---------------------------------------------------------------------- */

static int on_open(sqlite3_vfs *base, const char *name, sqlite3_file *file, int flags, int *out)
{
    struct disk *disk = (struct disk *)base;
    struct handle *handle = (struct handle *)file;
    struct file *f = file_find(disk, name);
    if (f == NULL) {
        f = file_find(disk, "");
        assert(f != NULL && strlen(name) < NAME_MAX_);
        memcpy(f->name, name, strlen(name) + 1);
    }
    *handle = (struct handle){{&methods}, disk, f};
    if (out != NULL) {
        *out = flags;
    }
    return SQLITE_OK;
}

static int on_delete(sqlite3_vfs *base, const char *name, int is_synced)
{
    struct file *f = file_find((struct disk *)base, name);
    (void)is_synced;
    if (f == NULL) {
        return SQLITE_IOERR_DELETE_NOENT;
    }
    file_drop(f);
    return SQLITE_OK;
}

static int on_access(sqlite3_vfs *base, const char *name, int flags, int *there)
{
    const struct file *f = file_find((struct disk *)base, name);
    *there = f != NULL && (flags != SQLITE_ACCESS_EXISTS || f->written.n > 0);
    return SQLITE_OK;
}

static int on_full_name(sqlite3_vfs *base, const char *name, int n, char *out)
{
    (void)base;
    assert(strlen(name) < (size_t)n);
    memcpy(out, name, strlen(name) + 1);
    return SQLITE_OK;
}

static int on_random(sqlite3_vfs *base, int n, char *out)
{
    (void)base;
    memset(out, 0x5A, (size_t)n);
    return n;
}

static int on_sleep(sqlite3_vfs *base, int microseconds)
{
    (void)base;
    return microseconds;
}

static int on_time(sqlite3_vfs *base, sqlite3_int64 *now)
{
    (void)base;
    *now = 210866760000000; /* 1970, in milliseconds of the Julian epoch */
    return SQLITE_OK;
}

struct disk *disk_new(const char *name)
{
    struct disk *disk = base_alloc(sizeof(*disk));
    disk->base = (sqlite3_vfs){.iVersion = 2,
                               .szOsFile = (int)sizeof(struct handle),
                               .mxPathname = NAME_MAX_,
                               .zName = name,
                               .xOpen = on_open,
                               .xDelete = on_delete,
                               .xAccess = on_access,
                               .xFullPathname = on_full_name,
                               .xRandomness = on_random,
                               .xSleep = on_sleep,
                               .xCurrentTimeInt64 = on_time};
    int rc = sqlite3_vfs_register(&disk->base, 0);
    assert(rc == SQLITE_OK);
    (void)rc;
    return disk;
}

void disk_free(struct disk *disk)
{
    sqlite3_vfs_unregister(&disk->base);
    for (size_t i = 0; i < FILES_MAX; i++) {
        file_drop(&disk->files[i]);
    }
    base_free(disk);
}

const char *disk_name(const struct disk *disk)
{
    return disk->base.zName;
}

/* What was flushed, and each block of what was written since or not. */
static void tear(struct content *to, const struct file *f, uint32_t seed)
{
    struct rng rng;
    rng_init(&rng, seed);
    size_t n = rng_one_in(&rng, 2) ? f->written.n : f->flushed.n;
    content_copy(to, &f->flushed);
    content_size(to, n);
    for (size_t at = 0; at < n && at < f->written.n; at += BLOCK) {
        size_t end = at + BLOCK < f->written.n ? at + BLOCK : f->written.n;
        if (rng_one_in(&rng, 2)) {
            memcpy(to->p + at, f->written.p + at, (end < n ? end : n) - at);
        }
    }
}

void disk_copy(struct disk *disk, const struct disk *from, enum remains remains, uint32_t seed)
{
    for (size_t i = 0; i < FILES_MAX; i++) {
        struct file *to = &disk->files[i];
        const struct file *f = &from->files[i];
        regions_free(to);
        memcpy(to->name, f->name, NAME_MAX_);
        if (remains == REMAINS_FLUSHED) {
            tear(&to->written, f, seed + (uint32_t)i);
        } else {
            content_copy(&to->written, &f->written);
        }
        content_copy(&to->flushed, &to->written);
    }
}

void disk_watch(struct disk *disk, void (*fn)(void *ctx), void *ctx)
{
    disk->watch = fn;
    disk->watch_ctx = ctx;
}

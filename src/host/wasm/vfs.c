/* sqlite's file system over one image in memory. */
#include "host/wasm/vfs.h"

#include <sqlite3.h>
#include <string.h>

struct vfs {
    sqlite3_vfs base; /* first: sqlite hands back a pointer to it */
    struct image *image;
    void (*random)(void *out, size_t n);
};

struct vfs_file {
    sqlite3_file base; /* first, as above */
    struct image *image;
};

static struct image *image_of(sqlite3_file *file)
{
    return ((struct vfs_file *)file)->image;
}

static int file_close(sqlite3_file *file)
{
    (void)file;
    return SQLITE_OK;
}

static int file_read(sqlite3_file *file, void *out, int n, sqlite3_int64 offset)
{
    uint32_t got = image_read(image_of(file), (uint64_t)offset, out, (uint32_t)n);
    return got == (uint32_t)n ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

static int file_write(sqlite3_file *file, const void *bytes, int n, sqlite3_int64 offset)
{
    return image_write(image_of(file), (uint64_t)offset, bytes, (uint32_t)n) ? SQLITE_OK
                                                                             : SQLITE_FULL;
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    image_truncate(image_of(file), (uint64_t)size);
    return SQLITE_OK;
}

/* The worker's flush is what makes a turn durable; see EFFECT_FLUSH. */
static int file_sync(sqlite3_file *file, int flags)
{
    (void)file;
    (void)flags;
    return SQLITE_OK;
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size)
{
    *size = image_size(image_of(file));
    return SQLITE_OK;
}

static int file_lock(sqlite3_file *file, int level)
{
    (void)file;
    (void)level;
    return SQLITE_OK;
}

static int file_is_reserved(sqlite3_file *file, int *reserved)
{
    (void)file;
    *reserved = 0;
    return SQLITE_OK;
}

static int file_control(sqlite3_file *file, int op, void *arg)
{
    (void)file;
    (void)op;
    (void)arg;
    return SQLITE_NOTFOUND;
}

static int file_sector_size(sqlite3_file *file)
{
    (void)file;
    return (int)IMAGE_PAGE;
}

/* A flush is all or nothing, so no write of sqlite's can be seen torn. */
static int file_traits(sqlite3_file *file)
{
    (void)file;
    return SQLITE_IOCAP_ATOMIC | SQLITE_IOCAP_SEQUENTIAL | SQLITE_IOCAP_SAFE_APPEND |
           SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static int vfs_open(sqlite3_vfs *base, const char *name, sqlite3_file *file, int flags, int *got)
{
    static const sqlite3_io_methods methods = {
        .iVersion = 1,
        .xClose = file_close,
        .xRead = file_read,
        .xWrite = file_write,
        .xTruncate = file_truncate,
        .xSync = file_sync,
        .xFileSize = file_size,
        .xLock = file_lock,
        .xUnlock = file_lock,
        .xCheckReservedLock = file_is_reserved,
        .xFileControl = file_control,
        .xSectorSize = file_sector_size,
        .xDeviceCharacteristics = file_traits,
    };
    (void)name;
    struct vfs *vfs = (struct vfs *)base;
    struct vfs_file *opened = (struct vfs_file *)file;
    opened->base.pMethods = NULL;
    if (vfs->image == NULL || (flags & SQLITE_OPEN_MAIN_DB) == 0) {
        return SQLITE_CANTOPEN;
    }
    opened->base.pMethods = &methods;
    opened->image = vfs->image;
    if (got != NULL) {
        *got = flags;
    }
    return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *base, const char *name, int sync)
{
    (void)base;
    (void)name;
    (void)sync;
    return SQLITE_IOERR_DELETE_NOENT;
}

/* Asked of journals, of which there are none, and of the database, which sqlite opens anyway. */
static int vfs_access(sqlite3_vfs *base, const char *name, int flags, int *there)
{
    (void)base;
    (void)name;
    (void)flags;
    *there = 0;
    return SQLITE_OK;
}

static int vfs_full_pathname(sqlite3_vfs *base, const char *name, int n, char *out)
{
    (void)base;
    size_t length = strlen(name);
    if (length >= (size_t)n) {
        return SQLITE_CANTOPEN;
    }
    memcpy(out, name, length + 1);
    return SQLITE_OK;
}

static int vfs_random(sqlite3_vfs *base, int n, char *out)
{
    ((struct vfs *)base)->random(out, (size_t)n);
    return n;
}

static int vfs_sleep(sqlite3_vfs *base, int microseconds)
{
    (void)base;
    return microseconds;
}

/* Milliseconds since the Julian epoch: 1970-01-01. */
static int vfs_time(sqlite3_vfs *base, sqlite3_int64 *now)
{
    (void)base;
    *now = 210866760000000;
    return SQLITE_OK;
}

struct vfs *vfs_new(const char *name, struct image *image, void (*random)(void *out, size_t n))
{
    struct vfs *vfs = base_alloc(sizeof(*vfs));
    *vfs = (struct vfs){
        .base = {.iVersion = 2,
                 .szOsFile = (int)sizeof(struct vfs_file),
                 .mxPathname = 512,
                 .zName = name,
                 .xOpen = vfs_open,
                 .xDelete = vfs_delete,
                 .xAccess = vfs_access,
                 .xFullPathname = vfs_full_pathname,
                 .xRandomness = vfs_random,
                 .xSleep = vfs_sleep,
                 .xCurrentTimeInt64 = vfs_time},
        .image = image,
        .random = random,
    };
    int rc = sqlite3_vfs_register(&vfs->base, 1);
    assert(rc == SQLITE_OK);
    (void)rc;
    return vfs;
}

void vfs_free(struct vfs *vfs)
{
    sqlite3_vfs_unregister(&vfs->base);
    base_free(vfs);
}

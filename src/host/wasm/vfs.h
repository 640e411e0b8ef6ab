/* sqlite's file system over one image: the host's half of storage in a browser.
 *
 * It holds one file, the database. Journals and temporary files are refused: the database runs with
 * journal_mode=MEMORY and temp_store=MEMORY (hs_config.wasm_pragmas), and
 * what makes a transaction durable is the worker's flush, not xSync. One connection, one thread, so
 * locks are no-ops. Time is 1970: the core passes every time as an argument. */
#ifndef HOST_WASM_VFS_H
#define HOST_WASM_VFS_H

#include "host/wasm/image.h"

#define VFS_NAME "image"

struct vfs;

/* Registers a file system of this name, which becomes the default one. name is a literal. The image
 * stays the caller's and must outlive it; NULL: a file system that opens nothing, for builds of
 * sqlite without one of their own, which need some to start. random fills out with n bytes. */
struct vfs *vfs_new(const char *name, struct image *image, void (*random)(void *out, size_t n));
/* Unregisters it. No database may be open. */
void vfs_free(struct vfs *vfs);

#endif

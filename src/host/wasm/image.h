/* The database file in memory, and which of its pages are not yet durable.
 *
 * The image is held whole, in extents that never move. A page is dirty from its first write until a
 * flush that carried it is complete. It knows nothing of sqlite (vfs.c) or of where durable pages
 * are kept (the worker).
 *
 *     write -> dirty -> image_flush_begin -> in flight -> image_flush_end(ok)     -> clean
 *                                                         image_flush_end(failed) -> dirty again
 */
#ifndef HOST_WASM_IMAGE_H
#define HOST_WASM_IMAGE_H

#include "base/base.h"

#define IMAGE_PAGE 4096u
#define IMAGE_EXTENT (256u * 1024u)
#define IMAGE_SIZE_MAX (256u * 1024u * 1024u)

#define IMAGE_EXTENTS_MAX (IMAGE_SIZE_MAX / IMAGE_EXTENT)
#define IMAGE_PAGES_MAX (IMAGE_SIZE_MAX / IMAGE_PAGE)
#define IMAGE_PAGES_OF_EXTENT (IMAGE_EXTENT / IMAGE_PAGE)

struct image;

/* Empty, nothing dirty. End with image_free. */
struct image *image_new(void);
void image_free(struct image *image); /* NULL is allowed */

/* Bytes, of which the last page may be a part. */
uint32_t image_size(const struct image *image);

/* Copies n bytes at offset into out; what lies past the end reads as zeros. Returns how many bytes
 * were inside. */
uint32_t image_read(const struct image *image, uint64_t offset, void *out, uint32_t n);
/* Writes, growing the file, and marks the pages dirty: those of a gap between the old end and
 * offset as well. False and untouched past IMAGE_SIZE_MAX. */
bool image_write(struct image *image, uint64_t offset, const void *bytes, uint32_t n) MUST_USE;
/* Cuts the file to size bytes; larger than it is, nothing happens. What is cut off reads as zeros
 * when the file grows again. */
void image_truncate(struct image *image, uint64_t size);

/* --- loading: before the first write --------------------------------------------------------- */

/* Room for the extent's 256 KiB, to be filled by the caller. NULL past the last extent there can
 * be. Marks nothing dirty. */
unsigned char *image_extent(struct image *image, uint32_t index) MUST_USE;
/* Ends loading: the file has this size. False past IMAGE_SIZE_MAX. */
bool image_loaded(struct image *image, uint64_t size) MUST_USE;

/* --- flushing: one at a time ------------------------------------------------------------------ */

/* True when a page, or the size, changed since the last flush began. */
bool image_is_dirty(const struct image *image);
/* Takes what is dirty as one batch. No flush may be in flight. */
void image_flush_begin(struct image *image);
/* The batch: page numbers, ascending, all inside the file. Valid until image_flush_end. */
const uint32_t *image_flush_pages(const struct image *image, uint32_t *n);
/* The batch is durable (ok), or not: then its pages are dirty again. */
void image_flush_end(struct image *image, bool ok);
/* The page's IMAGE_PAGE bytes, zeros behind the end of the file. page is inside the file. */
const unsigned char *image_page(const struct image *image, uint32_t page);

#endif

/* Bytes that grow, up to a maximum named when the buffer is made. Going past it sets `overflow`
 * and drops the rest, so a writer checks once at the end. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/arena.h"

struct buf {
    unsigned char *p;
    size_t n, cap, max;
    struct arena *arena; /* NULL: the buffer owns heap memory and wants buf_release */
    bool overflow;
};

/* Heap memory; end with buf_release. */
void buf_init(struct buf *b, size_t max);
/* Arena memory; nothing to release. */
void buf_init_in(struct buf *b, struct arena *a, size_t max);
void buf_release(struct buf *b);
void buf_clear(struct buf *b); /* empty again, memory and maximum kept, overflow reset */

void buf_add(struct buf *b, struct str s);
void buf_add_bytes(struct buf *b, const void *p, size_t n);
void buf_add_char(struct buf *b, char c);
void buf_add_fmt(struct buf *b, const char *format, ...) PRINTF_LIKE(2, 3);
void buf_add_i64(struct buf *b, int64_t value);
void buf_add_u16be(struct buf *b, uint16_t value);
void buf_add_u32be(struct buf *b, uint32_t value);
/* Room for n more bytes, to be filled by the caller, who then adds to b->n. NULL past the maximum.
 */
unsigned char *buf_reserve(struct buf *b, size_t n) MUST_USE;
/* Drops the first n bytes (n <= b->n). */
void buf_drop(struct buf *b, size_t n);
/* The contents, borrowed until the next change. Never absent. */
struct str buf_str(const struct buf *b);

#endif

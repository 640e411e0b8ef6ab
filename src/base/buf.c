/* A growing buffer with a maximum. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void buf_init(struct buf *b, size_t max)
{
    *b = (struct buf){.max = max};
}

void buf_init_in(struct buf *b, struct arena *a, size_t max)
{
    *b = (struct buf){.max = max, .arena = a};
}

void buf_release(struct buf *b)
{
    if (b->arena == NULL) {
        base_free(b->p);
    }
    *b = (struct buf){.max = b->max, .arena = b->arena};
}

void buf_clear(struct buf *b)
{
    b->n = 0;
    b->overflow = false;
}

static void grow(struct buf *b, size_t want)
{
    size_t cap = b->cap < 64 ? 64 : b->cap * 2;
    if (cap < want) {
        cap = want;
    }
    if (b->arena == NULL) {
        b->p = base_realloc(b->p, cap);
    } else {
        unsigned char *p = arena_alloc(b->arena, cap);
        if (b->p != NULL) {
            memcpy(p, b->p, b->n);
        }
        b->p = p;
    }
    b->cap = cap;
}

/* Room for n bytes that count and `spare` that do not. */
static unsigned char *reserve(struct buf *b, size_t n, size_t spare)
{
    if (b->overflow || n > b->max || b->n > b->max - n) {
        b->overflow = true;
        return NULL;
    }
    if (b->n + n + spare > b->cap || b->p == NULL) {
        grow(b, b->n + n + spare);
    }
    return b->p + b->n;
}

unsigned char *buf_reserve(struct buf *b, size_t n)
{
    return reserve(b, n, 0);
}

void buf_add_bytes(struct buf *b, const void *p, size_t n)
{
    unsigned char *to = n == 0 ? NULL : buf_reserve(b, n);
    if (to != NULL) {
        memcpy(to, p, n);
        b->n += n;
    }
}

void buf_add(struct buf *b, struct str s)
{
    buf_add_bytes(b, s.p, s.n);
}

void buf_add_char(struct buf *b, char c)
{
    buf_add_bytes(b, &c, 1);
}

void buf_add_fmt(struct buf *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    assert(n >= 0);
    unsigned char *to = reserve(b, (size_t)n, 1); /* snprintf's NUL is not part of it */
    if (to != NULL) {
        va_start(args, format);
        (void)vsnprintf((char *)to, (size_t)n + 1, format, args);
        va_end(args);
        b->n += (size_t)n;
    }
}

void buf_add_i64(struct buf *b, int64_t value)
{
    char digits[20]; /* of the longest, with its sign */
    size_t at = sizeof(digits);
    uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do {
        digits[--at] = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    if (value < 0) {
        digits[--at] = '-';
    }
    buf_add_bytes(b, digits + at, sizeof(digits) - at);
}

void buf_add_u16be(struct buf *b, uint16_t value)
{
    const unsigned char bytes[] = {(unsigned char)(value >> 8), (unsigned char)value};
    buf_add_bytes(b, bytes, sizeof(bytes));
}

void buf_add_u32be(struct buf *b, uint32_t value)
{
    buf_add_u16be(b, (uint16_t)(value >> 16));
    buf_add_u16be(b, (uint16_t)value);
}

void buf_drop(struct buf *b, size_t n)
{
    assert(n <= b->n);
    if (n > 0) {
        memmove(b->p, b->p + n, b->n - n);
        b->n -= n;
    }
}

struct str buf_str(const struct buf *b)
{
    return b->p == NULL ? STR("") : (struct str){(const char *)b->p, b->n};
}

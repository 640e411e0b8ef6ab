/* Blocks in a list, a bump pointer in the newest; deferred calls in a list of their own. */
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Under AddressSanitizer the unused part of a block, and a gap behind each piece, are poisoned, so
 * that running over the end of a piece is seen as it would be with malloc. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_POISON 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define ARENA_POISON 1
#endif

#ifdef ARENA_POISON
#include <sanitizer/asan_interface.h>
enum { GAP = 16 };
#else
enum { GAP = 0 };
#define ASAN_POISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#endif

enum { BLOCK_SIZE = 16 * 1024 };

struct block {
    struct block *older;
    size_t used, size;
    _Alignas(max_align_t) unsigned char bytes[];
};

struct deferred {
    struct deferred *older;
    void (*fn)(void *p);
    void *p;
};

struct arena {
    struct block *newest;
    struct deferred *deferred;
    size_t in_use;
};

static struct block *block_new(size_t size, struct block *older)
{
    struct block *b = base_alloc(sizeof(*b) + size);
    b->older = older;
    b->size = size;
    ASAN_POISON_MEMORY_REGION(b->bytes, size);
    return b;
}

static void block_free(struct block *b)
{
    ASAN_UNPOISON_MEMORY_REGION(b->bytes, b->size);
    base_free(b);
}

struct arena *arena_new(void)
{
    struct arena *a = base_alloc(sizeof(*a));
    a->newest = block_new(BLOCK_SIZE, NULL);
    return a;
}

static void run_deferred(struct arena *a)
{
    while (a->deferred != NULL) {
        struct deferred *d = a->deferred;
        a->deferred = d->older;
        d->fn(d->p);
    }
}

void arena_clear(struct arena *a)
{
    run_deferred(a);
    while (a->newest->older != NULL) {
        struct block *b = a->newest;
        a->newest = b->older;
        block_free(b);
    }
    ASAN_UNPOISON_MEMORY_REGION(a->newest->bytes, a->newest->used);
    memset(a->newest->bytes, 0, a->newest->used);
    ASAN_POISON_MEMORY_REGION(a->newest->bytes, a->newest->size);
    a->newest->used = 0;
    a->in_use = 0;
}

void arena_free(struct arena *a)
{
    if (a == NULL) {
        return;
    }
    run_deferred(a);
    for (struct block *b = a->newest; b != NULL; b = a->newest) {
        a->newest = b->older;
        block_free(b);
    }
    base_free(a);
}

void *arena_alloc(struct arena *a, size_t size)
{
    const size_t align = _Alignof(max_align_t);
    assert(size < SIZE_MAX - align - GAP);
    size_t taken = ((size + align - 1) & ~(align - 1)) + GAP;
    if (a->newest->size - a->newest->used < taken) {
        a->newest = block_new(taken > BLOCK_SIZE ? taken : BLOCK_SIZE, a->newest);
    }
    void *p = a->newest->bytes + a->newest->used;
    ASAN_UNPOISON_MEMORY_REGION(p, size);
    a->newest->used += taken;
    a->in_use += taken;
    return p;
}

void *arena_array(struct arena *a, size_t n, size_t size)
{
    assert(size == 0 || n <= SIZE_MAX / size);
    return arena_alloc(a, n * size);
}

void arena_defer(struct arena *a, void (*fn)(void *p), void *p)
{
    struct deferred *d = ARENA_NEW(a, struct deferred);
    *d = (struct deferred){a->deferred, fn, p};
    a->deferred = d;
}

size_t arena_size(const struct arena *a)
{
    return a->in_use;
}

struct str arena_str(struct arena *a, struct str s)
{
    if (s.p == NULL) {
        return s;
    }
    char *copy = arena_alloc(a, s.n + 1);
    if (s.n > 0) {
        memcpy(copy, s.p, s.n);
    }
    return (struct str){copy, s.n};
}

struct str arena_fmt(struct arena *a, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    assert(n >= 0);
    char *text = arena_alloc(a, (size_t)n + 1);
    va_start(args, format);
    (void)vsnprintf(text, (size_t)n + 1, format, args);
    va_end(args);
    return (struct str){text, (size_t)n};
}

struct str arena_join(struct arena *a, struct str x, struct str y, struct str z)
{
    const struct str parts[] = {x, y, z};
    char *text = arena_alloc(a, x.n + y.n + z.n + 1);
    size_t at = 0;
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        if (parts[i].n > 0) {
            memcpy(text + at, parts[i].p, parts[i].n);
            at += parts[i].n;
        }
    }
    return (struct str){text, at};
}

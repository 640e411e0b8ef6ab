/* Memory with one lifetime: the turn, a request, the process. Zeroed, never freed singly. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/str.h"

struct arena;

struct arena *arena_new(void);
/* Runs the deferred functions, last first, then frees everything. NULL is allowed. */
void arena_free(struct arena *a);
/* Runs the deferred functions and forgets all; keeps one block for the next use. */
void arena_clear(struct arena *a);
/* Zeroed and aligned for any type; never NULL. */
void *arena_alloc(struct arena *a, size_t size) MUST_USE;
/* n elements of size each; the product must not overflow. */
void *arena_array(struct arena *a, size_t n, size_t size) MUST_USE;
/* Ties a foreign object on: fn(p) runs when the arena is cleared or freed. */
void arena_defer(struct arena *a, void (*fn)(void *p), void *p);
/* Bytes in use, for limits and the status page. */
size_t arena_size(const struct arena *a);

#define ARENA_NEW(a, type) ((type *)arena_alloc((a), sizeof(type)))

/* Copies live in the arena and are NUL-terminated behind their length. */
struct str arena_str(struct arena *a, struct str s);
/* snprintf into the arena. */
struct str arena_fmt(struct arena *a, const char *format, ...) PRINTF_LIKE(2, 3);
/* a + b + c; absent parts count as empty. */
struct str arena_join(struct arena *a, struct str x, struct str y, struct str z);

#endif

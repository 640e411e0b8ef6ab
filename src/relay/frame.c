/* Counted frames and queues of them. */
#include "relay/frame.h"

#include <string.h>

enum { QUEUE_START = 8 };

struct frame *frame_new(enum frame_kind kind, size_t cap)
{
    struct frame *f = base_realloc(NULL, sizeof(*f) + FRAME_HEADROOM + cap);
    *f = (struct frame){.refs = 1, .kind = (uint8_t)kind, .cap = cap};
    return f;
}

struct frame *frame_of(struct str text)
{
    struct frame *f = frame_add(frame_new(FRAME_TEXT, text.n), text.p, text.n);
    frame_seal(f);
    return f;
}

struct frame *frame_add(struct frame *f, const void *bytes, size_t n)
{
    assert(f->header_n == 0 && f->refs == 1);
    if (n > f->cap - f->n) {
        size_t cap = f->cap * 2 > f->n + n ? f->cap * 2 : f->n + n;
        f = base_realloc(f, sizeof(*f) + FRAME_HEADROOM + cap);
        f->cap = cap;
    }
    if (n > 0) {
        memcpy(f->bytes + FRAME_HEADROOM + f->n, bytes, n);
        f->n += n;
    }
    return f;
}

void frame_seal(struct frame *f)
{
    unsigned char *payload = f->bytes + FRAME_HEADROOM;
    unsigned n_length = f->n < 126 ? 0 : f->n < 65536 ? 2 : 8;
    unsigned char *at = payload - 2 - n_length;
    at[0] = (unsigned char)(0x80 | f->kind); /* one fragment, not masked: a server's */
    at[1] = (unsigned char)(n_length == 0 ? f->n : n_length == 2 ? 126 : 127);
    for (unsigned i = 0; i < n_length; i++) {
        at[2 + i] = (unsigned char)((uint64_t)f->n >> (8 * (n_length - 1 - i)));
    }
    f->header_n = (uint8_t)(2 + n_length);
}

struct frame *frame_hold(struct frame *f)
{
    f->refs++;
    return f;
}

void frame_drop(struct frame *f)
{
    if (f == NULL) {
        return;
    }
    f->refs--;
    if (f->refs == 0) {
        base_free(f);
    }
}

struct str frame_payload(const struct frame *f)
{
    return str_make(f->bytes + FRAME_HEADROOM, f->n);
}

unsigned char *frame_wire(struct frame *f)
{
    assert(f->header_n > 0);
    return f->bytes + FRAME_HEADROOM - f->header_n;
}

size_t frame_wire_size(const struct frame *f)
{
    return f->header_n + f->n;
}

size_t frame_cost(const struct frame *f)
{
    return sizeof(*f) + FRAME_HEADROOM + f->n + sizeof(f);
}

static void grow(struct queue *q)
{
    size_t cap = q->cap == 0 ? QUEUE_START : q->cap * 2;
    struct frame **ring = base_realloc(NULL, cap * sizeof(*ring));
    for (size_t i = 0; i < q->n; i++) {
        ring[i] = q->ring[(q->first + i) & (q->cap - 1)];
    }
    base_free(q->ring);
    q->ring = ring;
    q->cap = cap;
    q->first = 0;
}

void queue_push(struct queue *q, struct frame *f)
{
    if (q->n == q->cap) {
        grow(q);
    }
    q->ring[(q->first + q->n) & (q->cap - 1)] = frame_hold(f);
    q->n++;
    q->bytes += frame_cost(f);
}

struct frame *queue_first(const struct queue *q)
{
    return q->n == 0 ? NULL : q->ring[q->first];
}

void queue_pop(struct queue *q)
{
    assert(q->n > 0);
    struct frame *f = q->ring[q->first];
    q->first = (q->first + 1) & (q->cap - 1);
    q->n--;
    q->bytes -= frame_cost(f);
    frame_drop(f);
    if (q->n == 0 && q->cap > QUEUE_START) { /* a burst leaves no memory behind */
        base_free(q->ring);
        *q = (struct queue){0};
    }
}

void queue_release(struct queue *q)
{
    while (q->n > 0) {
        queue_pop(q);
    }
    base_free(q->ring);
    *q = (struct queue){0};
}

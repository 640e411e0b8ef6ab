/* One websocket message as it goes out: payload and the server's frame header (RFC 6455, 5.2) in
 * one piece of memory, counted, so that a message for many receivers is written once and a relayed
 * chunk leaves in the memory it arrived in. */
#ifndef RELAY_FRAME_H
#define RELAY_FRAME_H

#include "base/buf.h"

enum frame_kind {
    FRAME_TEXT = 1, /* the opcodes of RFC 6455 */
    FRAME_BINARY = 2,
};

/* Room in front of the payload: ten bytes of header, and what the host's library wants (LWS_PRE).
 */
enum { FRAME_HEADROOM = 32, FRAME_HEADER_MAX = 10 };

struct frame {
    uint32_t refs;
    uint8_t kind;
    uint8_t header_n; /* 0 until sealed */
    size_t n, cap;    /* payload in use, payload that fits */
    unsigned char bytes[];
};

/* An empty, unsealed frame with one reference and room for cap bytes, not zeroed. */
struct frame *frame_new(enum frame_kind kind, size_t cap) MUST_USE;
/* A sealed text frame with a copy of the text. */
struct frame *frame_of(struct str text) MUST_USE;
/* Adds payload to an unsealed frame, which may move: use the result. */
struct frame *frame_add(struct frame *f, const void *bytes, size_t n) MUST_USE;
/* Writes the header; the payload is final from here on. */
void frame_seal(struct frame *f);
struct frame *frame_hold(struct frame *f);
/* One reference less; the last one frees. NULL is allowed. */
void frame_drop(struct frame *f);

struct str frame_payload(const struct frame *f);
/* Header and payload, the bytes for the socket. Sealed frames only. Writable memory, of which the
 * FRAME_HEADROOM - FRAME_HEADER_MAX bytes before it may be scribbled on. */
unsigned char *frame_wire(struct frame *f);
size_t frame_wire_size(const struct frame *f);
/* What a frame that waits costs: a short one is mostly what is around its bytes. */
size_t frame_cost(const struct frame *f);

/* Frames in order, each with a reference held. Starts as all zero. */
struct queue {
    struct frame **ring;
    size_t first, n, cap; /* cap is a power of two or 0 */
    size_t bytes;         /* sum of frame_cost */
};

void queue_push(struct queue *q, struct frame *f); /* holds */
struct frame *queue_first(const struct queue *q);  /* borrowed; NULL: empty */
void queue_pop(struct queue *q);                   /* drops the first */
void queue_release(struct queue *q);               /* drops all */

#endif

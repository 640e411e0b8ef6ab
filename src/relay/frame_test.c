/* Headers at the borders of their three forms, and queues. */
#include "relay/frame.h"
#include "test/test.h"

static struct frame *filled(enum frame_kind kind, size_t n)
{
    static const unsigned char zeros[1024];
    struct frame *f = frame_new(kind, 0);
    while (f->n < n) {
        f = frame_add(f, zeros, n - f->n < sizeof(zeros) ? n - f->n : sizeof(zeros));
    }
    frame_seal(f);
    return f;
}

TEST(writes_the_shortest_header_for_each_length)
{
    static const struct {
        size_t n, header_n;
        unsigned char header[FRAME_HEADER_MAX];
    } rows[] = {
        {0, 2, {0x82, 0}},
        {125, 2, {0x82, 125}},
        {126, 4, {0x82, 126, 0, 126}},
        {65535, 4, {0x82, 126, 0xff, 0xff}},
        {65536, 10, {0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0}},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct frame *f = filled(FRAME_BINARY, rows[i].n);
        CHECK(frame_wire_size(f) == rows[i].header_n + rows[i].n);
        CHECK(memcmp(frame_wire(f), rows[i].header, rows[i].header_n) == 0);
        frame_drop(f);
    }
}

TEST(keeps_frames_in_order_and_counts_their_bytes)
{
    struct queue q = {0};
    struct frame *frames[40];
    for (size_t i = 0; i < COUNT_OF(frames); i++) {
        frames[i] = filled(FRAME_TEXT, i);
        queue_push(&q, frames[i]);
        frame_drop(frames[i]); /* the queue holds it */
        if (i % 3 == 2) {
            CHECK(queue_first(&q) == frames[i / 3]);
            queue_pop(&q);
        }
    }
    for (size_t i = COUNT_OF(frames) / 3; i < COUNT_OF(frames); i++) {
        CHECK(queue_first(&q) == frames[i]);
        queue_pop(&q);
    }
    CHECK(queue_first(&q) == NULL && q.bytes == 0);
    queue_release(&q);
}

TEST(shares_one_frame_among_queues)
{
    struct queue a = {0}, b = {0};
    struct frame *f = frame_of(STR("for all"));
    queue_push(&a, f);
    queue_push(&b, f);
    frame_drop(f);
    queue_release(&a);
    CHECK_STR(frame_payload(queue_first(&b)), STR("for all"));
    queue_release(&b);
}

TEST_MAIN(TEST_ROW(writes_the_shortest_header_for_each_length),
          TEST_ROW(keeps_frames_in_order_and_counts_their_bytes),
          TEST_ROW(shares_one_frame_among_queues))

/* A peer's yamux frames, in pieces, with a user that answers each stream and takes its time. */
#include "net/yamux.h"
#include "test/fuzz/fuzz.h"

struct user {
    struct yamux *y;
    uint32_t last;
    size_t heard;
};

static void *on_opened(void *ctx, uint32_t id)
{
    struct user *user = ctx;
    user->last = id;
    return id % 8 == 0 ? NULL : user;
}

static void on_data(void *ctx, void *stream, struct str bytes)
{
    struct user *user = ctx;
    (void)stream;
    assert(bytes.n > 0);
    user->heard += bytes.n;
    if (user->heard % 2 == 0) {
        yamux_consume(user->y, user->last, bytes.n);
    }
    (void)!yamux_write(user->y, user->last, bytes);
}

static void on_ended(void *ctx, void *stream)
{
    struct user *user = ctx;
    (void)stream;
    yamux_end(user->y, user->last);
}

static void on_reset(void *ctx, void *stream)
{
    (void)ctx;
    (void)stream;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct user user = {NULL, 0, 0};
    const struct yamux_calls calls = {&user, on_opened, on_data, on_ended, on_reset};
    struct str rest = str_make(data, size);
    struct buf out;
    buf_init(&out, 64 * 1024 * 1024);
    user.y = yamux_new(size % 2 == 0, &calls);
    (void)yamux_open(user.y, &user);
    for (int64_t now_ms = 0; rest.n > 0; now_ms += 100) {
        size_t n = 1 + (unsigned char)rest.p[0] % 64;
        if (yamux_feed(user.y, str_sub(rest, 0, n), now_ms) != ERR_NONE) {
            break;
        }
        (void)yamux_pull(user.y, &out, 1000);
        assert(out.n <= 1000);
        buf_clear(&out);
        yamux_tidy(user.y, now_ms);
        rest = str_from(rest, n);
    }
    assert(yamux_stream_count(user.y) <= YAMUX_STREAMS_MAX);
    (void)yamux_pull(user.y, &out, 1 << 20);
    yamux_free(user.y);
    buf_release(&out);
    return 0;
}

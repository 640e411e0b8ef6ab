/* A peer's yamux frames, in pieces, with a user that answers each stream and takes its time. */
#include "net/yamux.h"
#include "test/fuzz/fuzz.h"

struct user {
    struct yamux *y;
    struct talk *talks;
    size_t heard;
};

/* One stream as its user sees it: nobody writes behind his own end. */
struct talk {
    struct talk *next;
    uint32_t id;
    bool has_ended;
};

static struct talk *talk_add(struct user *user, uint32_t id)
{
    struct talk *talk = base_alloc(sizeof(*talk));
    *talk = (struct talk){user->talks, id, false};
    user->talks = talk;
    return talk;
}

static void talks_free(struct user *user)
{
    while (user->talks != NULL) {
        struct talk *next = user->talks->next;
        base_free(user->talks);
        user->talks = next;
    }
}

static void *on_opened(void *ctx, uint32_t id)
{
    return id % 8 == 0 ? NULL : talk_add(ctx, id);
}

static void on_data(void *ctx, void *stream, struct str bytes)
{
    struct user *user = ctx;
    const struct talk *talk = stream;
    assert(bytes.n > 0);
    user->heard += bytes.n;
    if (user->heard % 2 == 0) {
        yamux_consume(user->y, talk->id, bytes.n);
    }
    if (!talk->has_ended) {
        (void)!yamux_write(user->y, talk->id, bytes);
    }
}

static void on_ended(void *ctx, void *stream)
{
    const struct user *user = ctx;
    struct talk *talk = stream;
    talk->has_ended = true;
    yamux_end(user->y, talk->id);
}

static void on_reset(void *ctx, void *stream)
{
    (void)ctx;
    (void)stream;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct user user = {0};
    const struct yamux_calls calls = {&user, on_opened, on_data, on_ended, on_reset};
    struct str rest = str_make(data, size);
    struct buf out;
    buf_init(&out, 64 * 1024 * 1024);
    user.y = yamux_new(size % 2 == 0, &calls);
    struct talk *own = talk_add(&user, 0);
    own->id = yamux_open(user.y, own);
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
    talks_free(&user);
    buf_release(&out);
    return 0;
}

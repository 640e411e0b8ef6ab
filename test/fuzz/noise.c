/* A stranger's side of Noise: the bytes go to an initiator, to a listener, and to a connection that
 * is open, whole and in pieces. */
#include "net/noise.h"
#include "test/fuzz/fuzz.h"

#include <string.h>

enum { PLAIN_MAX = 1 << 17, PIECE = 5 };

struct side {
    struct sign_key identity;
    struct noise noise;
    struct buf wire, plain;
};

static void side_start(struct side *s, bool is_initiator, uint8_t seed)
{
    struct noise_keys keys = {.identity = &s->identity};
    uint8_t identity_seed[SIGN_SEED_SIZE];
    memset(identity_seed, seed, sizeof(identity_seed));
    memset(keys.static_key, seed + 1, sizeof(keys.static_key));
    memset(keys.ephemeral_key, seed + 2, sizeof(keys.ephemeral_key));
    sign_key_from_seed(&s->identity, identity_seed);
    buf_init(&s->wire, PLAIN_MAX);
    buf_init(&s->plain, PLAIN_MAX);
    noise_init(&s->noise, is_initiator, &keys, NOISE_OFFERS_YAMUX, NULL, &s->wire);
}

static void side_end(struct side *s)
{
    noise_release(&s->noise);
    buf_release(&s->wire);
    buf_release(&s->plain);
}

/* Hands over what one side has for the other. */
static void pass(struct side *from, struct side *to)
{
    enum err err = noise_feed(&to->noise, buf_str(&from->wire), &to->wire, &to->plain);
    assert(err == ERR_NONE);
    buf_clear(&from->wire);
}

static void feed(struct side *s, struct str bytes, size_t piece)
{
    enum noise_state before = s->noise.state;
    while (bytes.n > 0 && s->noise.state != NOISE_FAILED) {
        enum err err = noise_feed(&s->noise, str_sub(bytes, 0, piece), &s->wire, &s->plain);
        assert((err == ERR_NONE) == (s->noise.state != NOISE_FAILED));
        bytes = str_from(bytes, piece);
    }
    /* Nobody without the keys opens a connection, or is heard on an open one. */
    assert(before == NOISE_OPEN || s->noise.state != NOISE_OPEN);
    assert(s->plain.n == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str bytes = str_make(data, size);
    for (int way = 0; way < 4; way++) {
        struct side initiator, listener;
        side_start(&initiator, true, 10);
        side_start(&listener, false, 20);
        if (way >= 2) { /* both are open */
            pass(&initiator, &listener);
            pass(&listener, &initiator);
            pass(&initiator, &listener);
            assert(initiator.noise.state == NOISE_OPEN && listener.noise.state == NOISE_OPEN);
        }
        feed(way % 2 == 0 ? &initiator : &listener, bytes, way % 2 == 0 ? PIECE : size);
        side_end(&initiator);
        side_end(&listener);
    }
    return 0;
}

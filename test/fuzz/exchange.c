/* multistream-select and HTTP on one stream of a peer: the same whole or in pieces. */
#include "net/exchange.h"
#include "base/limits.h"
#include "test/fuzz/fuzz.h"

static enum exchange_state read_all(enum exchange_kind kind, struct str text, size_t piece,
                                    struct buf *body)
{
    struct buf out;
    buf_init(&out, 1 << 20);
    struct exchange *e = exchange_new(kind, 1, &out);
    enum exchange_state state = e->state;
    while (text.n > 0 && state != EXCHANGE_DONE && state != EXCHANGE_FAILED) {
        state = exchange_feed(e, str_sub(text, 0, piece), &out);
        text = str_from(text, piece);
    }
    if (state != EXCHANGE_DONE && state != EXCHANGE_FAILED) {
        state = exchange_end(e);
        assert(state == EXCHANGE_DONE || state == EXCHANGE_FAILED);
    }
    if (state == EXCHANGE_DONE) {
        buf_add(body, buf_str(&e->http.body));
    }
    exchange_free(e);
    buf_release(&out);
    return state;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_make(data, size);
    for (int kind = EXCHANGE_CALL; kind <= EXCHANGE_SERVE; kind++) {
        struct buf whole;
        struct buf pieces;
        buf_init(&whole, HTTP_ANSWER_MAX);
        buf_init(&pieces, HTTP_ANSWER_MAX);
        enum exchange_state at_once = read_all((enum exchange_kind)kind, text, size + 1, &whole);
        enum exchange_state in_pieces = read_all((enum exchange_kind)kind, text, 7, &pieces);
        assert(at_once == in_pieces);
        assert(str_eq(buf_str(&whole), buf_str(&pieces)));
        buf_release(&whole);
        buf_release(&pieces);
    }
    return 0;
}

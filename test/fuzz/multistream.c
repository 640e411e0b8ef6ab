/* multistream-select, both sides of it: the same outcome whole or byte by byte, and what comes
 * behind an agreement is left alone. */
#include "net/multistream.h"
#include "test/fuzz/fuzz.h"

enum { ANSWERS_MAX = 1 << 16 };

static enum multistream_state read_all(bool is_initiator, struct str in, size_t piece, size_t *left)
{
    struct multistream m;
    struct buf out;
    buf_init(&out, ANSWERS_MAX);
    multistream_start(&m, is_initiator, STR("/noise"), &out);
    while (in.n > 0 && m.state != MULTISTREAM_AGREED && m.state != MULTISTREAM_FAILED) {
        struct str part = str_sub(in, 0, piece);
        size_t n = part.n;
        enum err err = multistream_feed(&m, &part, &out);
        assert((err == ERR_NONE) == (m.state != MULTISTREAM_FAILED));
        assert(part.n <= n && (part.n == 0 || m.state >= MULTISTREAM_AGREED));
        in = str_from(in, n - part.n);
    }
    *left = in.n;
    buf_release(&out);
    return m.state;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in = str_make(data, size);
    for (int is_initiator = 0; is_initiator < 2; is_initiator++) {
        size_t left_whole, left_pieces;
        enum multistream_state whole = read_all(is_initiator, in, size + 1, &left_whole);
        enum multistream_state pieces = read_all(is_initiator, in, 1, &left_pieces);
        assert(whole == pieces);
        assert(whole == MULTISTREAM_FAILED || left_whole == left_pieces);
    }
    return 0;
}

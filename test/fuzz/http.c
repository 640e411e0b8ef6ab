/* HTTP of clients and peers: heads, queries, and bodies that give the same in one piece or two. */
#include "base/limits.h"
#include "http/message.h"
#include "test/fuzz/fuzz.h"

/* The body behind a head, fed up to `cut` and then the rest; absent when it is refused. */
static struct str body_of(struct arena *a, const struct http_head *head, struct str rest,
                          size_t cut)
{
    struct http_body body = {0};
    struct buf out;
    buf_init_in(&out, a, HTTP_BODY_MAX);
    if (!http_body_start(&body, a, head, false, HTTP_BODY_MAX)) {
        return STR_ABSENT;
    }
    const struct str pieces[] = {str_sub(rest, 0, cut), str_from(rest, cut)};
    for (size_t i = 0; i < COUNT_OF(pieces); i++) {
        struct str piece = pieces[i];
        while (piece.n > 0 && !body.done) {
            long used = http_body_feed(&body, piece, &out);
            if (used < 0) {
                return STR_ABSENT;
            }
            assert((size_t)used <= piece.n);
            if (used == 0) {
                break;
            }
            piece = str_from(piece, (size_t)used);
        }
    }
    return arena_str(a, buf_str(&out));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new();
    struct str text = str_make(data, size);
    struct http_head head;
    long used = http_parse_request(text, &head);
    assert(used <= (long)size);
    if (used > 0) {
        struct str rest = str_from(text, (size_t)used);
        assert(head.target.n > 0 && head.n_headers <= HTTP_HEADERS_MAX);
        (void)http_header(&head, STR("content-length"));
        (void)http_query(a, head.query, STR("a"));
        assert(http_query_all(a, head.query, STR("a")).n <= HTTP_QUERY_MAX);
        struct str whole = body_of(a, &head, rest, rest.n);
        struct str parts = body_of(a, &head, rest, rest.n / 2);
        assert(str_is_absent(whole) == str_is_absent(parts));
        assert(str_eq(whole, parts));
    }
    assert(http_parse_answer(text, &head) <= (long)size);
    arena_free(a);
    return 0;
}

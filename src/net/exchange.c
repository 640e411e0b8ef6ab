/* Reading one HTTP message off a stream. */
#include "net/exchange.h"

#include <string.h>

static const struct str PROTOCOL = STR_INIT("/http/1.1");

struct exchange *exchange_new(enum exchange_kind kind, uint64_t id, struct buf *out)
{
    struct exchange *e = base_alloc(sizeof(*e));
    e->kind = kind;
    e->id = id;
    e->arena = arena_new();
    buf_init(&e->head_bytes, HTTP_HEAD_MAX);
    buf_init(&e->body, kind == EXCHANGE_CALL ? HTTP_ANSWER_MAX : HTTP_BODY_MAX);
    multistream_start(&e->multistream, kind == EXCHANGE_CALL, PROTOCOL, out);
    return e;
}

void exchange_free(struct exchange *e)
{
    if (e == NULL) {
        return;
    }
    buf_release(&e->head_bytes);
    buf_release(&e->body);
    arena_free(e->arena);
    base_free(e);
}

static void fail(struct exchange *e, const char *why)
{
    e->state = EXCHANGE_FAILED;
    e->why = why;
}

/* Moves bytes into head_bytes through the first empty line; true when it is there. Looks at each
 * byte once, so that a peer that sends single bytes costs no more than another. */
static bool take_head(struct exchange *e, struct str *bytes)
{
    struct buf *head = &e->head_bytes;
    while (bytes->n > 0 && !head->overflow) {
        char c = bytes->p[0];
        *bytes = str_from(*bytes, 1);
        buf_add_char(head, c);
        if (c != '\n') {
            continue;
        }
        struct str line = str_trim(str_make(head->p + e->scanned, head->n - e->scanned));
        e->scanned = head->n;
        if (head->n > 2 && (str_eq(line, STR("\r\n")) || str_eq(line, STR("\n")))) {
            return true;
        }
    }
    return false;
}

static void read_head(struct exchange *e, struct str *bytes)
{
    bool is_answer = e->kind == EXCHANGE_CALL;
    if (!take_head(e, bytes)) {
        if (e->head_bytes.overflow) {
            fail(e, "the head is too long");
        }
        return;
    }
    struct str text = buf_str(&e->head_bytes);
    long used = is_answer ? http_parse_answer(text, &e->head) : http_parse_request(text, &e->head);
    if (used != (long)text.n) {
        fail(e, "the head is malformed");
    } else if (is_answer && e->head.status < 200) { /* 100 Continue and such: the next one counts */
        buf_clear(&e->head_bytes);
        e->scanned = 0;
    } else if (!http_body_start(&e->framing, e->arena, &e->head, is_answer)) {
        fail(e, "the body is too long or its framing contradicts itself");
    } else {
        e->state = e->framing.done ? EXCHANGE_DONE : EXCHANGE_READS_BODY;
    }
}

static void read_body(struct exchange *e, struct str *bytes)
{
    long used = http_body_feed(&e->framing, *bytes, &e->body);
    if (used < 0) {
        fail(e, "the body is malformed or too long");
        return;
    }
    *bytes = str_from(*bytes, (size_t)used);
    if (e->framing.done) {
        e->state = EXCHANGE_DONE;
    }
}

enum exchange_state exchange_feed(struct exchange *e, struct str bytes, struct buf *out)
{
    while (bytes.n > 0) {
        switch (e->state) {
        case EXCHANGE_NEGOTIATES:
            if (multistream_feed(&e->multistream, &bytes, out) != ERR_NONE) {
                fail(e, "the peer does not speak /http/1.1");
            } else if (e->multistream.state == MULTISTREAM_AGREED) {
                e->state = EXCHANGE_READS_HEAD;
            }
            break;
        case EXCHANGE_READS_HEAD:
            read_head(e, &bytes);
            break;
        case EXCHANGE_READS_BODY:
            read_body(e, &bytes);
            break;
        case EXCHANGE_DONE:
        case EXCHANGE_FAILED:
            return e->state;
        }
    }
    return e->state;
}

enum exchange_state exchange_end(struct exchange *e)
{
    if (e->state == EXCHANGE_READS_BODY && http_body_end(&e->framing)) {
        e->state = EXCHANGE_DONE;
    }
    if (e->state != EXCHANGE_DONE && e->state != EXCHANGE_FAILED) {
        fail(e, "the stream ended too early");
    }
    return e->state;
}

/* Head, then body. */
#include "http/reader.h"

void http_reader_init(struct http_reader *r, bool is_answer, size_t body_max)
{
    *r = (struct http_reader){.is_answer = is_answer, .arena = arena_new()};
    buf_init(&r->head_bytes, HTTP_HEAD_MAX);
    buf_init(&r->body, body_max);
}

void http_reader_release(struct http_reader *r)
{
    buf_release(&r->head_bytes);
    buf_release(&r->body);
    arena_free(r->arena);
}

static void fail(struct http_reader *r, const char *why)
{
    r->state = HTTP_READER_FAILED;
    r->why = why;
}

/* Moves bytes into head_bytes through the first empty line; true when it is there. Looks at each
 * byte once, so that a peer that sends single bytes costs no more than another. */
static bool take_head(struct http_reader *r, struct str *bytes)
{
    struct buf *head = &r->head_bytes;
    while (bytes->n > 0 && !head->overflow) {
        char c = bytes->p[0];
        *bytes = str_from(*bytes, 1);
        buf_add_char(head, c);
        if (c != '\n') {
            continue;
        }
        struct str line = str_trim(str_make(head->p + r->scanned, head->n - r->scanned));
        r->scanned = head->n;
        if (head->n > 2 && (str_eq(line, STR("\r\n")) || str_eq(line, STR("\n")))) {
            return true;
        }
    }
    return false;
}

static void read_head(struct http_reader *r, struct str *bytes)
{
    if (!take_head(r, bytes)) {
        if (r->head_bytes.overflow) {
            fail(r, "the head is too long");
        }
        return;
    }
    struct str text = buf_str(&r->head_bytes);
    long used =
        r->is_answer ? http_parse_answer(text, &r->head) : http_parse_request(text, &r->head);
    if (used != (long)text.n) {
        fail(r, "the head is malformed");
    } else if (r->is_answer && r->head.status < 200) { /* 100 Continue and such */
        buf_clear(&r->head_bytes);
        r->scanned = 0;
    } else if (!http_body_start(&r->framing, r->arena, &r->head, r->is_answer, r->body.max)) {
        fail(r, "the body is too long or its framing contradicts itself");
    } else {
        r->state = r->framing.done ? HTTP_READER_DONE : HTTP_READER_BODY;
    }
}

static void read_body(struct http_reader *r, struct str *bytes)
{
    long used = http_body_feed(&r->framing, *bytes, &r->body);
    if (used < 0) {
        fail(r, "the body is malformed or too long");
        return;
    }
    *bytes = str_from(*bytes, (size_t)used);
    if (r->framing.done) {
        r->state = HTTP_READER_DONE;
    }
}

enum http_reader_state http_reader_feed(struct http_reader *r, struct str *bytes)
{
    while (bytes->n > 0 && r->state == HTTP_READER_HEAD) {
        read_head(r, bytes);
    }
    while (bytes->n > 0 && r->state == HTTP_READER_BODY) {
        read_body(r, bytes);
    }
    return r->state;
}

enum http_reader_state http_reader_end(struct http_reader *r)
{
    if (r->state == HTTP_READER_BODY && http_body_end(&r->framing)) {
        r->state = HTTP_READER_DONE;
    }
    if (r->state != HTTP_READER_DONE && r->state != HTTP_READER_FAILED) {
        fail(r, "the stream ended too early");
    }
    return r->state;
}

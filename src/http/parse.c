/* Heads and bodies from bytes. The only file that knows picohttpparser. */
#include "http/message.h"

#include <picohttpparser.h>
#include <string.h>

enum { PARSE_INCOMPLETE = -2, LENGTH_DIGITS_MAX = 15 };

static enum http_method method_of(struct str text)
{
    static const struct {
        struct str text;
        enum http_method method;
    } rows[] = {
        {STR_INIT("GET"), HTTP_GET},         {STR_INIT("PUT"), HTTP_PUT},
        {STR_INIT("POST"), HTTP_POST},       {STR_INIT("DELETE"), HTTP_DELETE},
        {STR_INIT("OPTIONS"), HTTP_OPTIONS}, {STR_INIT("HEAD"), HTTP_HEAD_METHOD},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (str_eq(text, rows[i].text)) {
            return rows[i].method;
        }
    }
    return HTTP_OTHER;
}

/* Copies the headers; false for a folded line, which RFC 9112 lets us refuse. */
static bool take_headers(struct http_head *out, const struct phr_header *headers, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (headers[i].name == NULL) {
            return false;
        }
        out->headers[i].name = str_make(headers[i].name, headers[i].name_len);
        out->headers[i].value = str_trim(
            str_make(headers[i].value == NULL ? "" : headers[i].value, headers[i].value_len));
    }
    out->n_headers = n;
    return true;
}

/* picohttpparser's answer to ours, given what was looked at. */
static long result_of(int used, struct str bytes)
{
    if (used == PARSE_INCOMPLETE) {
        return bytes.n >= HTTP_HEAD_MAX ? -1 : 0;
    }
    return used > 0 ? used : -1;
}

long http_parse_request(struct str bytes, struct http_head *out)
{
    struct phr_header headers[HTTP_HEADERS_MAX];
    size_t n = HTTP_HEADERS_MAX, method_n = 0, target_n = 0;
    const char *method = NULL, *target = NULL;
    int minor = 0;
    struct str part = str_sub(bytes, 0, HTTP_HEAD_MAX);
    *out = (struct http_head){.status = 0};
    if (part.n == 0) {
        return 0;
    }
    int used = phr_parse_request(part.p, part.n, &method, &method_n, &target, &target_n, &minor,
                                 headers, &n, 0);
    if (used <= 0) {
        return result_of(used, bytes);
    }
    if (!take_headers(out, headers, n) || target_n == 0) {
        return -1;
    }
    out->method_text = str_make(method, method_n);
    out->method = method_of(out->method_text);
    out->target = str_make(target, target_n);
    if (!str_cut(out->target, '?', &out->path, &out->query)) {
        out->path = out->target;
        out->query = STR_ABSENT;
    }
    return used;
}

long http_parse_answer(struct str bytes, struct http_head *out)
{
    struct phr_header headers[HTTP_HEADERS_MAX];
    size_t n = HTTP_HEADERS_MAX, reason_n = 0;
    const char *reason = NULL;
    int minor = 0, status = 0;
    struct str part = str_sub(bytes, 0, HTTP_HEAD_MAX);
    *out = (struct http_head){.status = 0};
    if (part.n == 0) {
        return 0;
    }
    int used =
        phr_parse_response(part.p, part.n, &minor, &status, &reason, &reason_n, headers, &n, 0);
    if (used <= 0) {
        return result_of(used, bytes);
    }
    if (!take_headers(out, headers, n) || status < 100 || status > 599) {
        return -1;
    }
    out->status = status;
    return used;
}

static bool read_length(struct str text, uint64_t *out)
{
    if (text.n == 0 || text.n > LENGTH_DIGITS_MAX) {
        return false;
    }
    *out = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9') {
            return false;
        }
        *out = *out * 10 + (uint64_t)(text.p[i] - '0');
    }
    return true;
}

/* Both framing headers, each at most once: whoever sends two wants two readers to disagree. */
static bool find_framing(const struct http_head *head, struct str *length, struct str *coding)
{
    size_t lengths = 0, codings = 0;
    for (size_t i = 0; i < head->n_headers; i++) {
        if (str_eq_nocase(head->headers[i].name, STR("content-length"))) {
            *length = head->headers[i].value;
            lengths++;
        } else if (str_eq_nocase(head->headers[i].name, STR("transfer-encoding"))) {
            *coding = head->headers[i].value;
            codings++;
        }
    }
    return lengths + codings <= 1;
}

static bool has_no_body(int status)
{
    return status < 200 || status == 204 || status == 304;
}

bool http_body_start(struct http_body *body, struct arena *a, const struct http_head *head,
                     bool is_answer, size_t body_max)
{
    struct str length = STR_ABSENT, coding = STR_ABSENT;
    *body = (struct http_body){.framing = HTTP_BODY_NONE};
    if (!find_framing(head, &length, &coding)) {
        return false;
    }
    if (is_answer && has_no_body(head->status)) {
        body->done = true;
    } else if (!str_is_absent(coding)) {
        struct phr_chunked_decoder *decoder = ARENA_NEW(a, struct phr_chunked_decoder);
        decoder->consume_trailer = 1;
        body->framing = HTTP_BODY_CHUNKED;
        body->chunked = decoder;
        return str_eq_nocase(coding, STR("chunked"));
    } else if (!str_is_absent(length)) {
        body->framing = HTTP_BODY_LENGTH;
        if (!read_length(length, &body->left) || body->left > body_max) {
            return false;
        }
        body->done = body->left == 0;
    } else if (is_answer) {
        body->framing = HTTP_BODY_UNTIL_END;
    } else {
        body->done = true;
    }
    return true;
}

static long feed_chunked(struct http_body *body, struct str bytes, struct buf *out)
{
    /* Decoding works in place, so the encoded bytes are put where the decoded ones shall be. */
    unsigned char *to = buf_reserve(out, bytes.n);
    if (to == NULL) {
        return -1;
    }
    memcpy(to, bytes.p, bytes.n);
    size_t size = bytes.n;
    long left = (long)phr_decode_chunked(body->chunked, (char *)to, &size);
    if (left == -1) {
        return -1;
    }
    out->n += size;
    if (left == PARSE_INCOMPLETE) {
        return (long)bytes.n;
    }
    body->done = true;
    return (long)bytes.n - left;
}

long http_body_feed(struct http_body *body, struct str bytes, struct buf *out)
{
    if (body->done || bytes.n == 0) {
        return 0;
    }
    if (body->framing == HTTP_BODY_CHUNKED) {
        return feed_chunked(body, bytes, out);
    }
    if (body->framing == HTTP_BODY_LENGTH && bytes.n > body->left) {
        bytes = str_sub(bytes, 0, (size_t)body->left);
    }
    buf_add(out, bytes);
    if (out->overflow) {
        return -1;
    }
    if (body->framing == HTTP_BODY_LENGTH) {
        body->left -= bytes.n;
        body->done = body->left == 0;
    }
    return (long)bytes.n;
}

bool http_body_end(struct http_body *body)
{
    if (body->framing == HTTP_BODY_UNTIL_END) {
        body->done = true;
    }
    return body->done;
}

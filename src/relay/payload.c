/* Packets in bodies. */
#include "relay/payload.h"

#include "base/encode.h"
#include "relay/limits.h"

enum { LENGTH_DIGITS_MAX = 7, LENGTH_END = 255 };

/* JavaScript counts its texts so: a code point above U+FFFF is two. */
static size_t units(unsigned char lead)
{
    bool is_continuation = (lead & 0xc0) == 0x80;
    return is_continuation ? 0 : lead >= 0xf0 ? 2 : 1;
}

static size_t count_units(struct str text)
{
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        n += units((unsigned char)text.p[i]);
    }
    return n;
}

/* The start of text that is n units long; absent: there is none. */
static struct str take_units(struct str text, size_t n)
{
    size_t at = 0;
    while (at < text.n && n >= units((unsigned char)text.p[at])) {
        n -= units((unsigned char)text.p[at]);
        at++;
        if (n == 0 && (at == text.n || units((unsigned char)text.p[at]) > 0)) {
            break;
        }
    }
    return n == 0 ? str_sub(text, 0, at) : STR_ABSENT;
}

void payload_add(struct buf *out, const struct frame *packet, bool is_binary)
{
    struct str bytes = frame_payload(packet);
    if (!is_binary) {
        buf_add_i64(out, (int64_t)count_units(bytes));
        buf_add_char(out, ':');
        buf_add(out, bytes);
        return;
    }
    size_t scale = 1;
    while (bytes.n / scale >= 10) {
        scale *= 10;
    }
    buf_add_char(out, packet->kind == FRAME_BINARY ? 1 : 0);
    for (; scale > 0; scale /= 10) {
        buf_add_char(out, (char)(bytes.n / scale % 10));
    }
    buf_add_char(out, (char)LENGTH_END);
    buf_add(out, bytes);
}

static struct frame *frame_make(enum frame_kind kind, struct str bytes)
{
    struct frame *f = frame_add(frame_new(kind, bytes.n), bytes.p, bytes.n);
    frame_seal(f);
    return f;
}

/* Digits from "zero" on, up to "end", which is taken off as well. */
static enum err take_length(struct str *rest, unsigned char zero, unsigned char end, size_t *length)
{
    *length = 0;
    for (size_t i = 0; i < rest->n && i <= LENGTH_DIGITS_MAX; i++) {
        unsigned char c = (unsigned char)rest->p[i];
        if (c == end && i > 0) {
            *rest = str_from(*rest, i + 1);
            return ERR_NONE;
        }
        if (c < zero || c > zero + 9) {
            return ERR_SYNTAX;
        }
        *length = *length * 10 + (size_t)(c - zero);
    }
    return ERR_SYNTAX;
}

static enum err next_text(struct str *rest, struct frame **packet)
{
    size_t n;
    TRY(take_length(rest, '0', ':', &n));
    struct str text = take_units(*rest, n);
    if (str_is_absent(text)) {
        return ERR_SYNTAX;
    }
    *rest = str_from(*rest, text.n);
    *packet = frame_make(FRAME_TEXT, text);
    return ERR_NONE;
}

static enum err next_binary(struct str *rest, struct frame **packet)
{
    size_t n;
    unsigned char kind = (unsigned char)rest->p[0];
    if (kind > 1) {
        return ERR_SYNTAX;
    }
    *rest = str_from(*rest, 1);
    TRY(take_length(rest, 0, LENGTH_END, &n));
    struct str bytes = str_sub(*rest, 0, n);
    if (bytes.n < n || (kind == 0 && !utf8_is_valid(bytes))) {
        return ERR_SYNTAX;
    }
    *rest = str_from(*rest, n);
    *packet = frame_make(kind == 0 ? FRAME_TEXT : FRAME_BINARY, bytes);
    return ERR_NONE;
}

enum err payload_next(struct str *rest, bool is_binary, struct frame **packet)
{
    *packet = NULL;
    while (rest->n > 0) {
        TRY(is_binary ? next_binary(rest, packet) : next_text(rest, packet));
        if (is_binary || frame_payload(*packet).n > 0) {
            return ERR_NONE;
        }
        frame_drop(*packet); /* "0:" is nothing */
        *packet = NULL;
    }
    return ERR_NONE;
}

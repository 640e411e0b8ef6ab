/* Reading engine.io and socket.io packets. */
#include "net/socketio.h"

#include "base/encode.h"

#include <string.h>

enum { ATTACHMENTS_MAX = 10 };

static const struct str PLACEHOLDER = STR_INIT("\",{\"_placeholder\":true,\"num\":0}]");

void socketio_init(struct socketio *s)
{
    *s = (struct socketio){0};
    buf_init(&s->header, LINK_MESSAGE_MAX);
}

void socketio_release(struct socketio *s)
{
    buf_release(&s->header);
}

/* Digits off the front; false when there are none or too many. */
static bool take_number(struct str *in, uint64_t *out)
{
    size_t n = 0;
    *out = 0;
    while (n < in->n && in->p[n] >= '0' && in->p[n] <= '9') {
        if (n >= 18) {
            return false;
        }
        *out = *out * 10 + (uint64_t)(in->p[n] - '0');
        n++;
    }
    *in = str_from(*in, n);
    return n > 0;
}

/* [<ack id>] [<JSON>] of an event or ack; text begins behind the type and the attachments. */
static enum err read_args(struct arena *a, struct str text, bool is_event,
                          struct socketio_packet *out)
{
    struct json *args;
    if (str_starts(text, STR("/"))) { /* a namespace that we never joined */
        return ERR_NONE;
    }
    out->has_id = take_number(&text, &out->id);
    if (text.n == 0) {
        return ERR_NONE;
    }
    TRY(json_parse(a, text, &args, NULL));
    if (!json_is(args, JSON_ARRAY) || (is_event && json_count(args) == 0)) {
        return ERR_SYNTAX;
    }
    out->args = args;
    if (!is_event) {
        out->kind = out->has_id ? SOCKETIO_ACK : SOCKETIO_NOTHING;
    } else if (json_is(json_first(args), JSON_TEXT)) {
        out->name = json_text(json_first(args));
        out->kind = SOCKETIO_EVENT;
    }
    return ERR_NONE;
}

/* 5<n>-[...]: kept until its attachment comes. More than one is never used: skipped. */
static enum err read_binary_header(struct socketio *s, struct str text, bool is_event)
{
    uint64_t n;
    if (!take_number(&text, &n) || n == 0 || n > ATTACHMENTS_MAX || !str_starts(text, STR("-"))) {
        return ERR_SYNTAX;
    }
    s->attachments_left = (unsigned)n;
    s->has_header = n == 1 && is_event;
    buf_clear(&s->header);
    buf_add(&s->header, str_from(text, 1));
    return ERR_NONE;
}

static enum err read_message(struct socketio *s, struct arena *a, struct str text,
                             struct socketio_packet *out)
{
    if (s->attachments_left > 0 || text.n == 0) {
        return ERR_SYNTAX;
    }
    struct str rest = str_from(text, 1);
    switch (text.p[0]) {
    case '0':
        out->kind = str_starts(rest, STR("/")) ? SOCKETIO_NOTHING : SOCKETIO_CONNECT;
        return ERR_NONE;
    case '1':
    case '4':
        out->kind = str_starts(rest, STR("/")) ? SOCKETIO_NOTHING : SOCKETIO_DISCONNECT;
        return ERR_NONE;
    case '2':
    case '3':
        return read_args(a, rest, text.p[0] == '2', out);
    case '5':
    case '6':
        return read_binary_header(s, rest, text.p[0] == '5');
    default:
        return ERR_NONE;
    }
}

/* ["<name>",{"_placeholder":true,"num":0}] without escapes in the name: no need for JSON. */
static bool read_plain_header(struct str header, struct socketio_packet *out)
{
    if (!str_starts(header, STR("[\"")) || !str_ends(header, PLACEHOLDER) ||
        header.n < 2 + PLACEHOLDER.n) {
        return false;
    }
    struct str name = str_sub(header, 2, header.n - 2 - PLACEHOLDER.n);
    if (memchr(name.p, '"', name.n) != NULL || memchr(name.p, '\\', name.n) != NULL) {
        return false;
    }
    out->name = name;
    out->kind = SOCKETIO_EVENT;
    return true;
}

static enum err read_attachment(struct socketio *s, struct arena *a, struct str bytes,
                                struct socketio_packet *out)
{
    if (s->attachments_left == 0) {
        return ERR_SYNTAX;
    }
    s->attachments_left--;
    if (!s->has_header) {
        return ERR_NONE;
    }
    s->has_header = false;
    struct str header = buf_str(&s->header);
    if (!read_plain_header(header, out)) {
        TRY(read_args(a, header, true, out));
    }
    out->attachment = bytes;
    return ERR_NONE;
}

static enum err read_text(struct socketio *s, struct arena *a, struct str message,
                          struct socketio_packet *out)
{
    struct str rest = str_from(message, 1);
    struct json *handshake;
    switch (message.p[0]) {
    case '0':
        TRY(json_parse(a, rest, &handshake, NULL));
        out->args = handshake;
        out->kind = SOCKETIO_OPEN;
        return ERR_NONE;
    case '4':
        return read_message(s, a, rest, out);
    case 'b':
        if (!str_starts(rest, STR("4"))) {
            return ERR_SYNTAX;
        }
        TRY(base64_parse(a, str_from(rest, 1), &rest));
        return read_attachment(s, a, rest, out);
    case '1':
    case '2':
    case '3':
    case '5':
    case '6':
        return ERR_NONE;
    default:
        return ERR_SYNTAX;
    }
}

enum err socketio_read(struct socketio *s, struct arena *a, struct str message, bool is_text,
                       struct socketio_packet *out)
{
    *out = (struct socketio_packet){.kind = SOCKETIO_NOTHING};
    if (message.n > LINK_MESSAGE_MAX) {
        return ERR_LIMIT;
    }
    if (is_text) {
        return message.n == 0 ? ERR_SYNTAX : read_text(s, a, message, out);
    }
    if (message.n == 0 || message.p[0] != 4) {
        return ERR_NONE;
    }
    return read_attachment(s, a, str_from(message, 1), out);
}

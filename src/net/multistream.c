/* Negotiation of a protocol by name. */
#include "net/multistream.h"

#include "base/encode.h"

#include <string.h>

static const struct str HEADER = STR_INIT("/multistream/1.0.0");

static void write_message(struct buf *out, struct str text)
{
    varint_write(out, text.n + 1);
    buf_add(out, text);
    buf_add_char(out, '\n');
}

void multistream_start(struct multistream *m, bool is_initiator, struct str protocol,
                       struct buf *out)
{
    assert(protocol.n < MULTISTREAM_MESSAGE_MAX);
    *m = (struct multistream){.is_initiator = is_initiator, .protocol = protocol};
    write_message(out, HEADER);
    if (is_initiator) {
        write_message(out, protocol);
    }
}

/* Moves bytes into m->message until it holds one whole message; *text is it, without newline. */
static enum err take_message(struct multistream *m, struct str *in, struct str *text, bool *whole)
{
    *whole = false;
    while (in->n > 0) {
        m->message[m->n] = (unsigned char)in->p[0];
        m->n++;
        *in = str_from(*in, 1);
        uint64_t length;
        int used = varint_read(str_make(m->message, m->n), &length);
        if (used == 0 && m->n < 2) {
            continue;
        }
        if (used <= 0 || used > 2 || length > MULTISTREAM_MESSAGE_MAX) {
            return ERR_LIMIT;
        }
        if (length == 0) {
            return ERR_SYNTAX;
        }
        size_t rest = (size_t)length - (m->n - (size_t)used);
        size_t taken = in->n < rest ? in->n : rest;
        memcpy(m->message + m->n, in->p, taken);
        m->n += taken;
        *in = str_from(*in, taken);
        if (taken == rest) {
            *text = str_make(m->message + used, (size_t)length - 1);
            *whole = true;
            m->n = 0;
            return m->message[used + (int)length - 1] == '\n' ? ERR_NONE : ERR_SYNTAX;
        }
    }
    return ERR_NONE;
}

/* "ls": one message whose body lists our protocols as messages, and a newline. */
static void write_list(const struct multistream *m, struct buf *out)
{
    struct buf names;
    buf_init(&names, MULTISTREAM_MESSAGE_MAX);
    write_message(&names, m->protocol);
    write_message(out, buf_str(&names));
    buf_release(&names);
}

static enum err take_protocol(struct multistream *m, struct str text, struct buf *out)
{
    if (str_eq(text, m->protocol)) {
        if (!m->is_initiator) {
            write_message(out, text);
        }
        m->state = MULTISTREAM_AGREED;
        return ERR_NONE;
    }
    m->proposals++;
    if (m->is_initiator) {
        return str_eq(text, STR("na")) ? ERR_REFUSED : ERR_SYNTAX;
    }
    if (str_eq(text, STR("ls"))) {
        write_list(m, out);
    } else {
        write_message(out, STR("na"));
    }
    return m->proposals < MULTISTREAM_PROPOSALS_MAX ? ERR_NONE : ERR_REFUSED;
}

static enum err feed(struct multistream *m, struct str *in, struct buf *out)
{
    while (in->n > 0 && m->state != MULTISTREAM_AGREED) {
        struct str text;
        bool whole;
        TRY(take_message(m, in, &text, &whole));
        if (!whole) {
            return ERR_NONE;
        }
        if (m->state == MULTISTREAM_HEADER) {
            if (!str_eq(text, HEADER)) {
                return ERR_SYNTAX;
            }
            m->state = MULTISTREAM_PROTOCOL;
        } else {
            TRY(take_protocol(m, text, out));
        }
    }
    return ERR_NONE;
}

enum err multistream_feed(struct multistream *m, struct str *in, struct buf *out)
{
    if (m->state == MULTISTREAM_FAILED) {
        return ERR_SYNTAX;
    }
    enum err err = feed(m, in, out);
    if (err != ERR_NONE) {
        m->state = MULTISTREAM_FAILED;
    }
    return err;
}

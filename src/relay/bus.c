/* Bytes of bus.h. */
#include "relay/bus.h"

#include "base/encode.h"

enum { VERSION = 1, HEAD_SIZE = 2 + SITE_ID_SIZE };

void bus_write(struct buf *out, const struct bus_message *message)
{
    assert(message->site.n == SITE_ID_SIZE);
    buf_add_char(out, (char)VERSION);
    buf_add_char(out, (char)message->word);
    buf_add(out, message->site);
    varint_write(out, message->sequence);
    varint_write(out, message->number);
    varint_write(out, message->flags);
    buf_add(out, message->rest);
}

enum err bus_read(struct str bytes, struct bus_message *out)
{
    if (bytes.n < HEAD_SIZE || bytes.p[0] != VERSION || (uint8_t)bytes.p[1] >= BUS_WORDS) {
        return ERR_SYNTAX;
    }
    out->word = (enum bus_word)bytes.p[1];
    out->site = str_sub(bytes, 2, SITE_ID_SIZE);
    out->rest = str_from(bytes, HEAD_SIZE);
    TRY(bus_take_number(&out->rest, &out->sequence));
    TRY(bus_take_number(&out->rest, &out->number));
    return bus_take_number(&out->rest, &out->flags);
}

void bus_add_text(struct buf *out, struct str text)
{
    varint_write(out, text.n);
    buf_add(out, text);
}

enum err bus_take_number(struct str *rest, uint64_t *out)
{
    int n = varint_read(*rest, out);
    if (n <= 0) {
        return ERR_SYNTAX;
    }
    *rest = str_from(*rest, (size_t)n);
    return ERR_NONE;
}

enum err bus_take_text(struct str *rest, struct str *out)
{
    uint64_t n;
    TRY(bus_take_number(rest, &n));
    if (n > rest->n) {
        return ERR_SYNTAX;
    }
    *out = str_sub(*rest, 0, (size_t)n);
    *rest = str_from(*rest, (size_t)n);
    return ERR_NONE;
}

/* Reading one HTTP message off a stream, behind the negotiation of its protocol. */
#include "net/exchange.h"

static const struct str PROTOCOL = STR_INIT("/http/1.1");

struct exchange *exchange_new(enum exchange_kind kind, uint64_t id, struct buf *out)
{
    struct exchange *e = base_alloc(sizeof(*e));
    bool is_answer = kind == EXCHANGE_CALL;
    e->kind = kind;
    e->id = id;
    http_reader_init(&e->http, is_answer, is_answer ? HTTP_ANSWER_MAX : HTTP_BODY_MAX);
    multistream_start(&e->multistream, is_answer, PROTOCOL, out);
    return e;
}

void exchange_free(struct exchange *e)
{
    if (e != NULL) {
        http_reader_release(&e->http);
        base_free(e);
    }
}

static void fail(struct exchange *e, const char *why)
{
    e->state = EXCHANGE_FAILED;
    e->why = why;
}

static void take_state(struct exchange *e)
{
    if (e->http.state == HTTP_READER_FAILED) {
        fail(e, e->http.why);
    } else if (e->http.state == HTTP_READER_DONE) {
        e->state = EXCHANGE_DONE;
    }
}

enum exchange_state exchange_feed(struct exchange *e, struct str bytes, struct buf *out)
{
    while (bytes.n > 0 && e->state == EXCHANGE_NEGOTIATES) {
        if (multistream_feed(&e->multistream, &bytes, out) != ERR_NONE) {
            fail(e, "the peer does not speak /http/1.1");
        } else if (e->multistream.state == MULTISTREAM_AGREED) {
            e->state = EXCHANGE_READS;
        }
    }
    if (e->state == EXCHANGE_READS) {
        (void)http_reader_feed(&e->http, &bytes);
        take_state(e);
    }
    return e->state;
}

enum exchange_state exchange_end(struct exchange *e)
{
    if (e->state == EXCHANGE_READS) {
        (void)http_reader_end(&e->http);
        take_state(e);
    } else if (e->state == EXCHANGE_NEGOTIATES) {
        fail(e, "the stream ended too early");
    }
    return e->state;
}

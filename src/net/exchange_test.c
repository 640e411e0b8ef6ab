/* HTTP messages on one stream, as a peer may send them. */
#include "net/exchange.h"

#include "test/rng.h"
#include "test/test.h"

#define NEGOTIATION "\x13/multistream/1.0.0\n\x0a/http/1.1\n"

struct reading {
    struct exchange *e;
    struct buf out;
};

static struct reading start(enum exchange_kind kind)
{
    struct reading r;
    buf_init(&r.out, 4096);
    r.e = exchange_new(kind, 7, &r.out);
    return r;
}

static void end(struct reading *r)
{
    exchange_free(r->e);
    buf_release(&r->out);
}

/* Feeds all of text, `piece` bytes at a time. */
static enum exchange_state feed(struct reading *r, struct str text, size_t piece)
{
    while (text.n > 0) {
        exchange_feed(r->e, str_sub(text, 0, piece), &r->out);
        text = str_from(text, piece);
    }
    return r->e->state;
}

TEST(proposes_its_protocol_with_the_header)
{
    struct reading r = start(EXCHANGE_CALL);
    CHECK_STR(buf_str(&r.out), STR(NEGOTIATION));
    end(&r);
}

TEST(reads_a_request_in_pieces_of_any_size)
{
    struct str text = STR(NEGOTIATION "PUT /a?b HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\n"
                                      "helloand more");
    for (size_t piece = 1; piece < text.n; piece++) {
        struct reading r = start(EXCHANGE_SERVE);
        CHECK(feed(&r, text, piece) == EXCHANGE_DONE);
        CHECK_STR(buf_str(&r.out), STR(NEGOTIATION));
        CHECK_STR(r.e->http.head.target, STR("/a?b"));
        CHECK_STR(http_header(&r.e->http.head, STR("Host")), STR("x"));
        CHECK_STR(buf_str(&r.e->http.body), STR("hello"));
        CHECK(exchange_end(r.e) == EXCHANGE_DONE);
        end(&r);
    }
}

TEST(reads_an_answer_that_ends_with_the_stream)
{
    struct reading r = start(EXCHANGE_CALL);
    CHECK(feed(&r, STR(NEGOTIATION "HTTP/1.1 200 \r\nconnection: close\r\n\r\nall of it"), 3) ==
          EXCHANGE_READS);
    CHECK(exchange_end(r.e) == EXCHANGE_DONE);
    CHECK(r.e->http.head.status == 200);
    CHECK_STR(buf_str(&r.e->http.body), STR("all of it"));
    end(&r);
}

TEST(skips_an_interim_answer)
{
    struct reading r = start(EXCHANGE_CALL);
    CHECK(feed(&r,
               STR(NEGOTIATION "HTTP/1.1 100 Continue\r\nx: y\r\n\r\n"
                               "HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\nno"),
               4) == EXCHANGE_DONE);
    CHECK(r.e->http.head.status == 404);
    CHECK_STR(buf_str(&r.e->http.body), STR("no"));
    end(&r);
}

TEST(says_why_it_failed)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        {"\x13/multistream/1.0.0\n\x03na\n", "the peer does not speak /http/1.1"},
        {NEGOTIATION "HTTP/1.1 200 OK\r\nbad header\r\n\r\n", "the head is malformed"},
        {NEGOTIATION "hello\r\n\r\n", "the head is malformed"},
        {NEGOTIATION "HTTP/1.1 200 OK\r\ncontent-length: 1, 2\r\n\r\n",
         "the body is too long or its framing contradicts itself"},
        {NEGOTIATION "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n",
         "the body is malformed or too long"},
        {NEGOTIATION "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort",
         "the stream ended too early"},
        {NEGOTIATION "HTTP/1.1 200 OK\r\n", "the stream ended too early"},
        {"", "the stream ended too early"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct reading r = start(EXCHANGE_CALL);
        feed(&r, str_of(rows[i].text), 1000);
        CHECK(exchange_end(r.e) == EXCHANGE_FAILED);
        CHECK_STR(str_of(r.e->why), str_of(rows[i].why));
        end(&r);
    }
}

TEST(refuses_a_head_without_end)
{
    struct reading r = start(EXCHANGE_SERVE);
    feed(&r, STR(NEGOTIATION "GET / HTTP/1.1\r\n"), 1000);
    int lines = 0;
    while (r.e->state == EXCHANGE_READS && lines < 10000) {
        feed(&r, STR("x-header: and so on\r\n"), 1000);
        lines++;
    }
    CHECK(lines < 2000);
    CHECK_STR(str_of(r.e->why), STR("the head is too long"));
    end(&r);
}

TEST(survives_random_messages)
{
    static const char *const pieces[] = {
        "GET ",
        "/ ",
        "HTTP/1.1",
        " 200 ",
        "\r\n",
        "\n",
        "\r\n\r\n",
        "content-length: 3",
        "transfer-encoding: chunked",
        "3\r\nabc\r\n",
        "0\r\n\r\n",
        ":",
        " ",
        "\x01",
        "\xff",
    };
    struct rng rng = {17};
    int done = 0;
    for (int round = 0; round < 20000; round++) {
        struct reading r = start(round % 2 == 0 ? EXCHANGE_CALL : EXCHANGE_SERVE);
        feed(&r, STR(NEGOTIATION), 100);
        feed(&r, round % 2 == 0 ? STR("HTTP/1.1 200 OK\r\n") : STR("GET / HTTP/1.1\r\n"), 100);
        for (int i = 0; i < 10; i++) {
            feed(&r, str_of(pieces[rng_below(&rng, COUNT_OF(pieces))]), 2);
        }
        done += exchange_end(r.e) == EXCHANGE_DONE;
        end(&r);
    }
    CHECK(done > 0 && done < 20000);
}

TEST_MAIN(TEST_ROW(proposes_its_protocol_with_the_header),
          TEST_ROW(reads_a_request_in_pieces_of_any_size),
          TEST_ROW(reads_an_answer_that_ends_with_the_stream), TEST_ROW(skips_an_interim_answer),
          TEST_ROW(says_why_it_failed), TEST_ROW(refuses_a_head_without_end),
          TEST_ROW(survives_random_messages))

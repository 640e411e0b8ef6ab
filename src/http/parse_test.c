/* Heads and bodies, whole and cut at every byte. */
#include "http/message.h"

#include "test/rng.h"
#include "test/test.h"

static const char REQUEST[] =
    "PUT /_matrix/federation/v1/send/1?x=%20a&y=+b&x=2&flag HTTP/1.1\r\n"
    "Host: k51\r\nContent-Length: 7\r\nX-Empty:\r\nauthorization:  X-Matrix a \r\n\r\n";

TEST(reads_a_request_head)
{
    struct http_head head;
    struct arena *a = arena_new();
    CHECK(http_parse_request(STR(REQUEST), &head) == sizeof(REQUEST) - 1);
    CHECK_STR(head.method_text, STR("PUT"));
    CHECK(head.method == HTTP_PUT);
    CHECK_STR(head.path, STR("/_matrix/federation/v1/send/1"));
    CHECK_STR(head.query, STR("x=%20a&y=+b&x=2&flag"));
    CHECK_STR(http_header(&head, STR("AUTHORIZATION")), STR("X-Matrix a"));
    CHECK_STR(http_header(&head, STR("x-empty")), STR(""));
    CHECK(str_is_absent(http_header(&head, STR("origin"))));
    CHECK_STR(http_query(a, head.query, STR("x")), STR(" a"));
    CHECK_STR(http_query(a, head.query, STR("y")), STR(" b"));
    CHECK_STR(http_query(a, head.query, STR("flag")), STR(""));
    CHECK(str_is_absent(http_query(a, head.query, STR("z"))));
    CHECK(str_is_absent(http_query(a, STR("x=%zz"), STR("x"))));
    CHECK(str_is_absent(http_query(a, STR_ABSENT, STR("x"))));
    struct strs all = http_query_all(a, head.query, STR("x"));
    CHECK(all.n == 2);
    CHECK_STR(all.at[1], STR("2"));
    arena_free(a);
}

TEST(asks_for_more_at_every_cut)
{
    struct http_head head;
    for (size_t cut = 0; cut < sizeof(REQUEST) - 1; cut++) {
        CHECK(http_parse_request(str_make(REQUEST, cut), &head) == 0);
    }
    static const char answer[] = "HTTP/1.1 200 \r\ncontent-type: a/b\r\n\r\n";
    for (size_t cut = 0; cut < sizeof(answer) - 1; cut++) {
        CHECK(http_parse_answer(str_make(answer, cut), &head) == 0);
    }
    CHECK(http_parse_answer(STR("HTTP/1.1 200 \r\ncontent-type: a/b\r\n\r\nbody"), &head) ==
          sizeof(answer) - 1);
    CHECK(head.status == 200);
    CHECK(http_parse_answer(STR("HTTP/1.1 404 Not Found\r\n\r\n"), &head) == 26);
    CHECK(head.status == 404);
}

TEST(refuses_heads_that_are_none)
{
    static const char *const bad[] = {
        "\x16\x03\x01\r\n\r\n",
        "GET / HTTP/1.1\r\nbad header\r\n\r\n",
        "GET / HTTP/1.1\r\na: b\r\n folded\r\n\r\n",
        "GET / HTTP/1.1\r\n: b\r\n\r\n",
        "GET / HTTP/1.1\r\na: b\1\r\n\r\n",
        "GET  HTTP/1.1\r\n\r\n",
    };
    struct http_head head;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        CHECK(http_parse_request(str_of(bad[i]), &head) == -1);
    }
    CHECK(http_parse_answer(STR("HTTP/1.1 099 x\r\n\r\n"), &head) == -1);
    CHECK(http_parse_answer(STR("GET / HTTP/1.1\r\n\r\n"), &head) == -1);
}

TEST(refuses_heads_that_are_too_long)
{
    struct arena *a = arena_new();
    struct buf text;
    struct http_head head;
    buf_init_in(&text, a, 1 << 20);
    buf_add(&text, STR("GET / HTTP/1.1\r\na: "));
    while (text.n < HTTP_HEAD_MAX - 1) {
        buf_add_char(&text, 'x');
    }
    CHECK(http_parse_request(buf_str(&text), &head) == 0);
    buf_add_char(&text, 'x');
    CHECK(http_parse_request(buf_str(&text), &head) == -1);
    buf_add(&text, STR("\r\n\r\n"));
    CHECK(http_parse_request(buf_str(&text), &head) == -1);
    buf_clear(&text);
    buf_add(&text, STR("GET / HTTP/1.1\r\n"));
    for (int i = 0; i < HTTP_HEADERS_MAX + 1; i++) {
        buf_add(&text, STR("a: b\r\n"));
    }
    buf_add(&text, STR("\r\n"));
    CHECK(http_parse_request(buf_str(&text), &head) == -1);
    arena_free(a);
}

/* Feeds the body in two pieces cut at `cut`; what follows the body must be left alone. */
static void check_body(const char *headers, const char *wire, const char *want, bool is_answer,
                       size_t cut)
{
    struct arena *a = arena_new();
    struct http_head head;
    struct http_body body;
    struct buf out;
    buf_init_in(&out, a, 4096);
    struct str text =
        arena_fmt(a, "%s\r\n%s\r\n", is_answer ? "HTTP/1.1 200 " : "GET / HTTP/1.1", headers);
    CHECK((is_answer ? http_parse_answer(text, &head) : http_parse_request(text, &head)) ==
          (long)text.n);
    CHECK(http_body_start(&body, a, &head, is_answer, HTTP_BODY_MAX));
    struct str all = arena_str(a, str_of(wire));
    long first = http_body_feed(&body, str_sub(all, 0, cut), &out);
    CHECK(first >= 0);
    long second = http_body_feed(&body, str_from(all, (size_t)first), &out);
    CHECK(second >= 0);
    CHECK(http_body_end(&body));
    CHECK_STR(buf_str(&out), str_of(want));
    if (body.framing != HTTP_BODY_UNTIL_END) {
        CHECK_STR(str_from(all, (size_t)(first + second)), STR("NEXT"));
    }
    arena_free(a);
}

TEST(reads_bodies_in_each_framing_at_every_cut)
{
    static const struct {
        const char *headers, *wire, *want;
        bool is_answer;
    } rows[] = {
        {"content-length: 7\r\n", "hello=1NEXT", "hello=1", false},
        {"Content-Length: 0\r\n", "NEXT", "", false},
        {"", "NEXT", "", false},
        {"transfer-encoding: chunked\r\n", "5\r\nhello\r\n2;x=y\r\n=1\r\n0\r\n\r\nNEXT", "hello=1",
         false},
        {"transfer-encoding: Chunked\r\n", "7\r\nhello=1\r\n0\r\ntrailer: x\r\n\r\nNEXT", "hello=1",
         true},
        {"content-length: 7\r\n", "hello=1NEXT", "hello=1", true},
        {"connection: close\r\n", "all of it", "all of it", true},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        for (size_t cut = 0; cut <= strlen(rows[i].wire); cut++) {
            check_body(rows[i].headers, rows[i].wire, rows[i].want, rows[i].is_answer, cut);
        }
    }
}

TEST(refuses_contradictory_framing)
{
    static const char *const bad[] = {
        "content-length: 1\r\ntransfer-encoding: chunked\r\n",
        "content-length: 1\r\nContent-Length: 2\r\n",
        "content-length: 1, 1\r\n",
        "content-length: -1\r\n",
        "content-length: +1\r\n",
        "content-length: 0x1\r\n",
        "content-length:\r\n",
        "content-length: 1048577\r\n",
        "content-length: 99999999999999999999\r\n",
        "transfer-encoding: gzip, chunked\r\n",
        "transfer-encoding: identity\r\n",
        "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n",
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct arena *a = arena_new();
        struct http_head head;
        struct http_body body;
        struct str text = arena_fmt(a, "POST / HTTP/1.1\r\n%s\r\n", bad[i]);
        CHECK(http_parse_request(text, &head) == (long)text.n);
        CHECK(!http_body_start(&body, a, &head, false, HTTP_BODY_MAX));
        arena_free(a);
    }
}

TEST(notices_a_body_that_ends_early)
{
    static const char *const framings[] = {"content-length: 7\r\n",
                                           "transfer-encoding: chunked\r\n"};
    for (size_t i = 0; i < COUNT_OF(framings); i++) {
        struct arena *a = arena_new();
        struct http_head head;
        struct http_body body;
        struct buf out;
        buf_init_in(&out, a, 100);
        struct str text = arena_fmt(a, "HTTP/1.1 200 OK\r\n%s\r\n", framings[i]);
        CHECK(http_parse_answer(text, &head) == (long)text.n);
        CHECK(http_body_start(&body, a, &head, true, HTTP_ANSWER_MAX));
        CHECK(http_body_feed(&body, STR("5\r\nhe"), &out) == 5);
        CHECK(!http_body_end(&body));
        arena_free(a);
    }
}

TEST(stops_when_the_buffer_is_full)
{
    struct arena *a = arena_new();
    struct http_head head;
    struct http_body body;
    struct buf out;
    buf_init_in(&out, a, 4);
    CHECK(http_parse_answer(STR("HTTP/1.1 200 OK\r\n\r\n"), &head) == 19);
    CHECK(http_body_start(&body, a, &head, true, HTTP_ANSWER_MAX));
    CHECK(http_body_feed(&body, STR("hello"), &out) == -1);
    CHECK(http_parse_answer(STR("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"), &head) >
          0);
    buf_clear(&out);
    CHECK(http_body_start(&body, a, &head, true, HTTP_ANSWER_MAX));
    CHECK(http_body_feed(&body, STR("5\r\nhello\r\n"), &out) == -1);
    buf_init_in(&out, a, 400);
    CHECK(http_body_start(&body, a, &head, true, HTTP_ANSWER_MAX));
    CHECK(http_body_feed(&body, STR("zz\r\n"), &out) == -1);
    arena_free(a);
}

TEST(has_no_body_where_none_can_be)
{
    static const char *const heads[] = {"HTTP/1.1 204 No Content\r\n\r\n",
                                        "HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n",
                                        "HTTP/1.1 100 Continue\r\n\r\n"};
    for (size_t i = 0; i < COUNT_OF(heads); i++) {
        struct arena *a = arena_new();
        struct http_head head;
        struct http_body body;
        CHECK(http_parse_answer(str_of(heads[i]), &head) > 0);
        CHECK(http_body_start(&body, a, &head, true, HTTP_ANSWER_MAX));
        CHECK(body.done);
        arena_free(a);
    }
    CHECK(strcmp(http_reason(404), "Not Found") == 0);
    CHECK(strcmp(http_reason(418), "Other") == 0);
}

TEST(survives_random_bytes)
{
    static const char *const pieces[] = {
        "GET ", "HTTP/1.1 ", "200 ",
        "\r\n", "\r\n\r\n",  "content-length: ",
        "7",    ": ",        "transfer-encoding: chunked",
        "\n",   " ",         "/",
        "?",    "=",         "%",
        "\xff", "x",         "0\r\n",
    };
    struct rng rng = {3};
    int good = 0;
    for (int round = 0; round < 20000; round++) {
        struct arena *a = arena_new();
        struct buf text, out;
        struct http_head head;
        struct http_body body;
        bool is_answer = round % 2 == 0;
        buf_init_in(&text, a, 1000);
        buf_init_in(&out, a, 100);
        buf_add(&text, is_answer ? STR("HTTP/1.1 200 ") : STR("GET / HTTP/1.1"));
        for (int i = 0; i < 12; i++) {
            buf_add(&text, str_of(pieces[rng_below(&rng, COUNT_OF(pieces))]));
        }
        struct str all = buf_str(&text);
        long used = is_answer ? http_parse_answer(all, &head) : http_parse_request(all, &head);
        if (used > 0 && http_body_start(&body, a, &head, is_answer, HTTP_BODY_MAX)) {
            good++;
            (void)(http_body_feed(&body, str_from(all, (size_t)used), &out) > 0);
        }
        arena_free(a);
    }
    CHECK(good > 0);
}

TEST_MAIN(TEST_ROW(reads_a_request_head), TEST_ROW(asks_for_more_at_every_cut),
          TEST_ROW(refuses_heads_that_are_none), TEST_ROW(refuses_heads_that_are_too_long),
          TEST_ROW(reads_bodies_in_each_framing_at_every_cut),
          TEST_ROW(refuses_contradictory_framing), TEST_ROW(notices_a_body_that_ends_early),
          TEST_ROW(stops_when_the_buffer_is_full), TEST_ROW(has_no_body_where_none_can_be),
          TEST_ROW(survives_random_bytes))

#include "host/native/visit.h"

#include "base/buf.h"
#include "test/test.h"

static struct str head, body;

static bool feed(struct visit *c, struct str bytes)
{
    visit_feed(c, bytes);
    return visit_next(c, &head, &body);
}

static bool said(const struct visit *c, struct str start)
{
    return str_starts(visit_unsent(c), start);
}

static void hear(struct visit *c)
{
    visit_sent(c, visit_unsent(c).n);
}

TEST(a_request_is_whole_when_its_last_byte_is_there)
{
    struct str text =
        STR("POST /a%2Fb?c=%20 HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello");
    struct visit *c = visit_new(HTTP_BODY_MAX);
    for (size_t i = 0; i + 1 < text.n; i++) {
        CHECK(!feed(c, str_sub(text, i, 1)));
    }
    CHECK(feed(c, str_from(text, text.n - 1)));
    CHECK_STR(head, str_sub(text, 0, text.n - 5));
    CHECK_STR(body, STR("hello"));
    CHECK(!visit_is_read(c));
    CHECK(visit_is_open(c));
    visit_free(c);
}

TEST(an_answer_carries_its_length_and_keeps_the_connection)
{
    struct visit *c = visit_new(HTTP_BODY_MAX);
    CHECK(feed(c, STR("GET / HTTP/1.1\r\n\r\n")));
    visit_answer(c, 200, STR("a: b\r\n"), STR("hi"));
    CHECK_STR(visit_unsent(c), STR("HTTP/1.1 200 OK\r\na: b\r\ncontent-length: 2\r\n\r\nhi"));
    hear(c);
    CHECK(visit_ending(c) == VISIT_STAYS);
    CHECK(feed(c, STR("GET /again HTTP/1.1\r\n\r\n")));
    visit_free(c);
}

TEST(a_head_request_is_answered_without_its_body)
{
    struct visit *c = visit_new(HTTP_BODY_MAX);
    CHECK(feed(c, STR("HEAD / HTTP/1.1\r\n\r\n")));
    CHECK(visit_is_read(c));
    visit_answer(c, 200, STR(""), STR("hi"));
    CHECK_STR(visit_unsent(c), STR("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n"));
    visit_free(c);
}

TEST(requests_sent_at_once_are_served_one_after_the_other)
{
    struct visit *c = visit_new(HTTP_BODY_MAX);
    CHECK(feed(c, STR("GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\nConnection: close\r\n\r\n")));
    CHECK_STR(head, STR("GET /1 HTTP/1.1\r\n\r\n"));
    CHECK(!visit_next(c, &head, &body));
    visit_answer(c, 204, STR(""), STR(""));
    CHECK(visit_next(c, &head, &body));
    CHECK(str_starts(head, STR("GET /2 ")));
    visit_answer(c, 204, STR(""), STR(""));
    CHECK_STR(visit_unsent(c), STR("HTTP/1.1 204 No Content\r\n\r\n"
                                   "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n"));
    CHECK(visit_ending(c) == VISIT_STAYS);
    hear(c);
    CHECK(visit_ending(c) == VISIT_OVER);
    visit_free(c);
}

TEST(a_chunked_body_arrives_decoded)
{
    struct visit *c = visit_new(HTTP_BODY_MAX);
    CHECK(feed(c, STR("PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
                      "5\r\nhello\r\n2\r\n, \r\n5\r\nworld\r\n0\r\n\r\n")));
    CHECK_STR(body, STR("hello, world"));
    visit_free(c);
}

TEST(a_body_that_is_declared_too_large_is_refused_before_it_comes)
{
    struct visit *c = visit_new(HTTP_BODY_MAX);
    CHECK(!feed(c, STR("PUT / HTTP/1.1\r\nContent-Length: 1048577\r\n\r\nabc")));
    CHECK(said(c, STR("HTTP/1.1 413 ")));
    CHECK(str_ends(visit_unsent(c), STR("\"error\":\"The body is larger than 1 MiB.\"}")));
    CHECK(!feed(c, STR("the rest is dropped, also GET / HTTP/1.1\r\n\r\n")));
    hear(c);
    CHECK(visit_ending(c) == VISIT_LINGERS);
    visit_free(c);
}

TEST(a_body_of_the_largest_size_passes)
{
    struct visit *c = visit_new(HTTP_BODY_MAX);
    static char filler[VISIT_FEED_MAX];
    bool is_whole = feed(c, STR("PUT / HTTP/1.1\r\nContent-Length: 1048576\r\n\r\n"));
    for (size_t n = 0; n < HTTP_BODY_MAX; n += sizeof(filler)) {
        CHECK(!is_whole);
        is_whole = feed(c, str_make(filler, sizeof(filler)));
    }
    CHECK(is_whole && body.n == HTTP_BODY_MAX);
    visit_free(c);
}

TEST(a_server_may_bring_a_larger_body_than_a_client)
{
    static const char declared[] = "PUT / HTTP/1.1\r\nContent-Length: 3300000\r\n\r\n";
    struct visit *client = visit_new(HTTP_BODY_MAX), *server = visit_new(SERVER_BODY_MAX);
    CHECK(!feed(client, str_of(declared)));
    CHECK(said(client, STR("HTTP/1.1 413 ")));
    CHECK(!feed(server, str_of(declared)));
    CHECK(visit_unsent(server).n == 0);
    visit_free(client);
    visit_free(server);
}

TEST(a_chunked_body_past_the_limit_is_refused)
{
    struct visit *c = visit_new(HTTP_BODY_MAX);
    static char filler[0x8000];
    CHECK(!feed(c, STR("PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")));
    for (int i = 0; i < 40 && visit_unsent(c).n == 0; i++) {
        feed(c, STR("8000\r\n"));
        feed(c, str_make(filler, sizeof(filler)));
        feed(c, STR("\r\n"));
    }
    CHECK(said(c, STR("HTTP/1.1 413 ")));
    visit_free(c);
}

TEST(a_head_past_the_limit_is_refused)
{
    struct visit *c = visit_new(HTTP_BODY_MAX);
    static char filler[VISIT_FEED_MAX];
    memset(filler, 'a', sizeof(filler));
    CHECK(!feed(c, STR("GET / HTTP/1.1\r\nx: ")));
    CHECK(!feed(c, str_make(filler, sizeof(filler))));
    CHECK(said(c, STR("HTTP/1.1 431 ")));
    visit_free(c);
}

TEST(what_is_not_http_is_refused)
{
    struct visit *c = visit_new(HTTP_BODY_MAX);
    CHECK(!feed(c, STR("\x16\x03\x01 hello\r\n\r\n")));
    CHECK(said(c, STR("HTTP/1.1 400 ")));
    visit_free(c);
    c = visit_new(HTTP_BODY_MAX);
    CHECK(!feed(c, STR("PUT / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab")));
    CHECK(said(c, STR("HTTP/1.1 400 ")));
    visit_free(c);
}

TEST(a_client_that_waits_for_100_is_told_to_go_on)
{
    struct visit *c = visit_new(HTTP_BODY_MAX);
    CHECK(!feed(c, STR("PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")));
    CHECK_STR(visit_unsent(c), STR("HTTP/1.1 100 Continue\r\n\r\n"));
    CHECK(feed(c, STR("ok")));
    visit_free(c);
}

TEST(a_client_of_http_1_0_is_closed_after_its_answer)
{
    struct visit *c = visit_new(HTTP_BODY_MAX);
    CHECK(feed(c, STR("GET / HTTP/1.0\r\n\r\n")));
    visit_answer(c, 200, STR(""), STR(""));
    hear(c);
    CHECK(visit_ending(c) == VISIT_OVER);
    visit_free(c);
}

TEST(a_client_that_sends_on_while_it_waits_is_made_to_wait)
{
    struct visit *c = visit_new(HTTP_BODY_MAX);
    static char filler[VISIT_FEED_MAX];
    memset(filler, '\n', sizeof(filler));
    CHECK(feed(c, STR("GET / HTTP/1.1\r\n\r\n")));
    CHECK(visit_wants_bytes(c));
    CHECK(!feed(c, str_make(filler, sizeof(filler))));
    CHECK(!visit_wants_bytes(c));
    visit_answer(c, 200, STR(""), STR(""));
    CHECK(!visit_next(c, &head, &body));
    CHECK(visit_wants_bytes(c));
    visit_free(c);
}

TEST(patience_starts_once_for_a_head_and_never_for_an_answer)
{
    struct visit *c = visit_new(HTTP_BODY_MAX);
    bool is_new;
    CHECK(visit_patience_s(c, &is_new) == 75 && is_new);
    CHECK(!feed(c, STR("GET / HT")));
    CHECK(visit_patience_s(c, &is_new) == 30 && is_new);
    CHECK(!feed(c, STR("TP/1.1\r\n")));
    CHECK(visit_patience_s(c, &is_new) == 30 && !is_new);
    CHECK(feed(c, STR("\r\n")));
    CHECK(visit_patience_s(c, &is_new) == 0 && is_new);
    visit_answer(c, 200, STR(""), STR(""));
    CHECK(visit_patience_s(c, &is_new) == 60 && is_new);
    hear(c);
    CHECK(visit_patience_s(c, &is_new) == 75 && is_new);
    visit_free(c);
}

TEST_MAIN(TEST_ROW(a_request_is_whole_when_its_last_byte_is_there),
          TEST_ROW(an_answer_carries_its_length_and_keeps_the_connection),
          TEST_ROW(a_head_request_is_answered_without_its_body),
          TEST_ROW(requests_sent_at_once_are_served_one_after_the_other),
          TEST_ROW(a_chunked_body_arrives_decoded),
          TEST_ROW(a_body_that_is_declared_too_large_is_refused_before_it_comes),
          TEST_ROW(a_body_of_the_largest_size_passes),
          TEST_ROW(a_server_may_bring_a_larger_body_than_a_client),
          TEST_ROW(a_chunked_body_past_the_limit_is_refused),
          TEST_ROW(a_head_past_the_limit_is_refused), TEST_ROW(what_is_not_http_is_refused),
          TEST_ROW(a_client_that_waits_for_100_is_told_to_go_on),
          TEST_ROW(a_client_of_http_1_0_is_closed_after_its_answer),
          TEST_ROW(a_client_that_sends_on_while_it_waits_is_made_to_wait),
          TEST_ROW(patience_starts_once_for_a_head_and_never_for_an_answer))

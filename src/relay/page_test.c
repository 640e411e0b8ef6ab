/* HTTP answers. */
#include "relay/page.h"
#include "test/test.h"

#define NOT_FOUND "{\"statusCode\":404,\"error\":\"Not Found\",\"message\":\"Not Found\"}"

TEST(answers_http_as_npms_relay_does)
{
    static const struct {
        const char *path, *query, *body;
        int status;
        bool is_post;
    } rows[] = {
        {"/socket.io/", "transport=polling", "{\"code\":0,\"message\":\"Transport unknown\"}", 400,
         false},
        {"/socket.io/", "EIO=3", "{\"code\":0,\"message\":\"Transport unknown\"}", 400, false},
        {"/socket.io/", "EIO=3&transport=websocket", "{\"code\":3,\"message\":\"Bad request\"}",
         400, false},
        {"/socket.io/", "transport=websocket&sid=x",
         "{\"code\":1,\"message\":\"Session ID unknown\"}", 400, false},
        {"/socket.io/", "transport=websocket", "{\"code\":2,\"message\":\"Bad handshake method\"}",
         400, true},
        {"/nope", "", NOT_FOUND, 404, false},
        {"/metrics", "", NOT_FOUND, 404, false}, /* switched off */
        {"/health", "", "{\"status\":\"ok\"}", 200, false},
    };
    struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct page_request request = {!rows[i].is_post, str_of(rows[i].path),
                                       str_of(rows[i].query), STR("localhost:9090")};
        struct page page = page_get(a, &request, NULL);
        CHECK(page.status == rows[i].status);
        CHECK_STR(page.body, str_of(rows[i].body));
    }
    arena_free(a);
}

static bool contains(struct str text, struct str part)
{
    for (size_t i = 0; i < text.n; i++) {
        if (str_starts(str_from(text, i), part)) {
            return true;
        }
    }
    return false;
}

TEST(shows_the_address_to_use_and_nothing_that_a_host_header_smuggles_in)
{
    struct arena *a = arena_new();
    struct page_request request = {true, STR("/"), STR(""), STR("relay.example:8080")};
    struct page page = page_get(a, &request, NULL);
    CHECK(contains(page.body, STR("/dns4/relay.example/tcp/8080/ws/p2p-websocket-star")));
    request.host = STR("<script>");
    page = page_get(a, &request, NULL);
    CHECK(!contains(page.body, STR("<script>")));
    arena_free(a);
}

TEST(shows_npms_seven_series)
{
    static const char *const names[] = {"rendezvous_peers 3\n",
                                        "rendezvous_dials_total 0\n",
                                        "rendezvous_dials_total_success 0\n",
                                        "rendezvous_dials_total_failure 0\n",
                                        "rendezvous_joins_total 0\n",
                                        "rendezvous_joins_total_success 0\n",
                                        "rendezvous_joins_total_failure 0\n"};
    struct arena *a = arena_new();
    struct metrics metrics = {{[METRIC_PEERS] = 3}};
    struct page_request request = {true, STR("/metrics"), STR(""), STR("x")};
    struct page page = page_get(a, &request, &metrics);
    CHECK(page.status == 200);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        CHECK(contains(page.body, str_of(names[i])));
    }
    arena_free(a);
}

TEST(upgrades_only_what_engine_io_would)
{
    struct arena *a = arena_new();
    struct page page;
    bool is_base64 = true;
    struct page_request request = {true, STR("/socket.io/"), STR("EIO=3&transport=websocket"),
                                   STR("x")};
    CHECK(page_upgrade(a, &request, &is_base64, &page));
    CHECK(!is_base64);
    request.query = STR("transport=websocket&b64=1");
    CHECK(page_upgrade(a, &request, &is_base64, &page));
    CHECK(is_base64);
    request.query = STR("transport=nope");
    CHECK(!page_upgrade(a, &request, &is_base64, &page));
    CHECK(page.status == 400);
    CHECK_STR(page.body, STR("Transport unknown"));
    request.path = STR("/socket.io");
    CHECK(!page_upgrade(a, &request, &is_base64, &page));
    CHECK(page.status == 0);
    arena_free(a);
}

TEST_MAIN(TEST_ROW(answers_http_as_npms_relay_does),
          TEST_ROW(shows_the_address_to_use_and_nothing_that_a_host_header_smuggles_in),
          TEST_ROW(shows_npms_seven_series), TEST_ROW(upgrades_only_what_engine_io_would))

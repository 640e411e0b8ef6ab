/* HTTP answers. */
#include "relay/page.h"
#include "test/test.h"

#define NOT_FOUND "{\"statusCode\":404,\"error\":\"Not Found\",\"message\":\"Not Found\"}"
#define ERROR(code, message) "{\"code\":" #code ",\"message\":\"" message "\"}"

TEST(answers_http_as_npms_relay_does)
{
    static const struct {
        enum page_method method;
        enum page_sid sid;
        const char *path, *query;
        int status;
        const char *body;
    } rows[] = {
        {PAGE_GET, SID_NONE, "/socket.io/", "transport=nope", 400, ERROR(0, "Transport unknown")},
        {PAGE_GET, SID_NONE, "/socket.io/", "EIO=3", 400, ERROR(0, "Transport unknown")},
        {PAGE_GET, SID_NONE, "/socket.io/", "transport=websocket", 400, ERROR(3, "Bad request")},
        {PAGE_GET, SID_NONE, "/socket.io/", "transport=polling&j=0", 400, ERROR(3, "Bad request")},
        {PAGE_GET, SID_UNKNOWN, "/socket.io/", "transport=polling&sid=x", 400,
         ERROR(1, "Session ID unknown")},
        {PAGE_GET, SID_POLLING, "/socket.io/", "transport=websocket&sid=x", 400,
         ERROR(3, "Bad request")},
        {PAGE_POST, SID_UPGRADED, "/socket.io/", "transport=polling&sid=x", 400,
         ERROR(3, "Bad request")},
        {PAGE_POST, SID_NONE, "/socket.io/", "transport=polling", 400,
         ERROR(2, "Bad handshake method")},
        {PAGE_OPTIONS, SID_NONE, "/socket.io/", "transport=polling", 400,
         ERROR(2, "Bad handshake method")},
        {PAGE_OPTIONS, SID_POLLING, "/socket.io/", "transport=polling&sid=x", 200, ""},
        {PAGE_OTHER, SID_POLLING, "/socket.io/", "transport=polling&sid=x", 500, ""},
        {PAGE_GET, SID_NONE, "/nope", "", 404, NOT_FOUND},
        {PAGE_POST, SID_NONE, "/", "", 404, NOT_FOUND},
        {PAGE_GET, SID_NONE, "/metrics", "", 404, NOT_FOUND}, /* switched off */
        {PAGE_HEAD, SID_NONE, "/health", "", 200, "{\"status\":\"ok\"}"},
    };
    struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct page_request request = {rows[i].method, str_of(rows[i].path), str_of(rows[i].query),
                                       STR("localhost:9090"), rows[i].sid};
        struct page page = page_get(a, &request, NULL);
        CHECK(page.then == PAGE_ANSWER);
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
    struct page_request request = {.path = STR("/"), .host = STR("relay.example:8080")};
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
    struct metrics metrics = {.value = {[METRIC_PEERS] = 3}};
    struct page_request request = {.path = STR("/metrics")};
    struct page page = page_get(a, &request, &metrics);
    CHECK(page.status == 200);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        CHECK(contains(page.body, str_of(names[i])));
    }
    arena_free(a);
}

TEST(knows_which_requests_are_long_polling)
{
    struct arena *a = arena_new();
    struct page_request request = {.path = STR("/socket.io/"),
                                   .query = STR("EIO=3&transport=polling&sid=x")};
    CHECK_STR(page_sid(&request), STR("x"));
    CHECK(page_get(a, &request, NULL).then == PAGE_OPEN);
    request.sid = SID_POLLING;
    CHECK(page_get(a, &request, NULL).then == PAGE_POLL);
    request.method = PAGE_POST;
    CHECK(page_get(a, &request, NULL).then == PAGE_DATA);
    arena_free(a);
}

TEST(upgrades_only_what_engine_io_would)
{
    struct arena *a = arena_new();
    struct page page;
    struct page_request request = {.path = STR("/socket.io/"),
                                   .query = STR("EIO=3&transport=websocket")};
    CHECK(page_upgrade(a, &request, &page));
    CHECK(!page_is_base64(&request));
    request.query = STR("transport=websocket&b64=1");
    CHECK(page_upgrade(a, &request, &page));
    CHECK(page_is_base64(&request));
    request.sid = SID_UNKNOWN;
    CHECK(!page_upgrade(a, &request, &page));
    CHECK_STR(page.body, STR("Session ID unknown"));
    request.query = STR("transport=polling");
    CHECK(!page_upgrade(a, &request, &page));
    CHECK(page.status == 400);
    CHECK_STR(page.body, STR("Transport unknown"));
    request.path = STR("/socket.io");
    CHECK(!page_upgrade(a, &request, &page));
    CHECK(page.status == 0);
    arena_free(a);
}

TEST_MAIN(TEST_ROW(answers_http_as_npms_relay_does),
          TEST_ROW(shows_the_address_to_use_and_nothing_that_a_host_header_smuggles_in),
          TEST_ROW(shows_npms_seven_series), TEST_ROW(knows_which_requests_are_long_polling),
          TEST_ROW(upgrades_only_what_engine_io_would))

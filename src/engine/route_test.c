/* Paths to rows, bodies to shapes. */
#include "engine/route.h"

#include "test/test.h"

static enum err handler(struct hs *hs, struct req *req)
{
    (void)hs;
    return reply_empty(req);
}

static const struct route table[] = {
    {HTTP_GET, "/client/v3/rooms/{}/state", WHO_USER, RATE_OTHER, handler, NULL},
    {HTTP_GET | HTTP_PUT, "/client/v3/rooms/{}/state/{}/{}", WHO_USER, RATE_OTHER, handler, NULL},
    {HTTP_GET, "/client/v3/pushrules", WHO_USER, RATE_OTHER, handler, NULL},
    {HTTP_GET, "/federation/v1/version", WHO_ANYONE, RATE_OTHER, handler, NULL},
    {HTTP_GET, "/_neurite/status", WHO_ADMIN, RATE_OTHER, handler, NULL},
    {0, NULL, WHO_ANYONE, RATE_OTHER, NULL, NULL},
};
static const struct route *const tables[] = {table, NULL};

struct look {
    struct req req;
    struct http_head head;
};

static enum route_found find(struct look *l, struct arena *a, enum http_method method,
                             const char *path)
{
    *l = (struct look){0};
    l->head.method = method;
    l->head.path = str_of(path);
    l->req.a = a;
    l->req.head = &l->head;
    return route_find(tables, &l->req);
}

TEST(r0_and_v3_and_unstable_are_one)
{
    struct arena *a = arena_new();
    struct look l;
    CHECK(find(&l, a, HTTP_GET, "/_matrix/client/v3/rooms/x/state") == ROUTE_FOUND);
    CHECK(find(&l, a, HTTP_GET, "/_matrix/client/r0/rooms/x/state") == ROUTE_FOUND);
    CHECK(find(&l, a, HTTP_GET, "/_matrix/client/unstable/rooms/x/state") == ROUTE_FOUND);
    CHECK(find(&l, a, HTTP_GET, "/_matrix/client/v9/rooms/x/state") == ROUTE_NO_PATH);
    CHECK(find(&l, a, HTTP_GET, "/_matrix/federation/v2/version") == ROUTE_NO_PATH);
    arena_free(a);
}

TEST(segments_are_decoded_and_may_be_empty)
{
    struct arena *a = arena_new();
    struct look l;
    CHECK(find(&l, a, HTTP_PUT, "/_matrix/client/v3/rooms/%21a%3Ab/state/m.x/%2F") == ROUTE_FOUND);
    CHECK(l.req.n_params == 3);
    CHECK_STR(l.req.params[0], STR("!a:b"));
    CHECK_STR(l.req.params[2], STR("/"));
    CHECK(find(&l, a, HTTP_GET, "/_matrix/client/v3/rooms//state") == ROUTE_FOUND);
    CHECK_STR(l.req.params[0], STR(""));
    arena_free(a);
}

TEST(a_slash_at_the_end_means_nothing)
{
    struct arena *a = arena_new();
    struct look l;
    CHECK(find(&l, a, HTTP_GET, "/_matrix/client/r0/pushrules/") == ROUTE_FOUND);
    CHECK(find(&l, a, HTTP_GET, "/_neurite/status") == ROUTE_FOUND);
    arena_free(a);
}

TEST(the_prefix_of_matrix_leads_to_matrix_alone)
{
    struct arena *a = arena_new();
    struct look l;
    CHECK(find(&l, a, HTTP_GET, "/_matrix/_neurite/status") == ROUTE_NO_PATH);
    CHECK(find(&l, a, HTTP_GET, "/_matrix//_neurite/status") == ROUTE_NO_PATH);
    CHECK(find(&l, a, HTTP_GET, "/_matrix/_matrix/client/v3/pushrules") == ROUTE_NO_PATH);
    CHECK(find(&l, a, HTTP_GET, "/_matrix") == ROUTE_NO_PATH);
    arena_free(a);
}

TEST(a_wrong_method_and_a_bad_escape_are_told_apart)
{
    struct arena *a = arena_new();
    struct look l;
    CHECK(find(&l, a, HTTP_POST, "/_matrix/client/v3/pushrules") == ROUTE_NO_METHOD);
    CHECK(find(&l, a, HTTP_GET, "/_matrix/client/v3/rooms/%zz/state") == ROUTE_BAD_PATH);
    CHECK(find(&l, a, HTTP_GET, "/_matrix/client/v3/rooms/%ff/state") == ROUTE_BAD_PATH);
    CHECK(find(&l, a, HTTP_GET, "/nope") == ROUTE_NO_PATH);
    CHECK(find(&l, a, HTTP_GET, "/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r/s") == ROUTE_NO_PATH);
    arena_free(a);
}

static const char *fault(struct arena *a, const char *text, bool *missing)
{
    static const struct field fields[] = {
        {"name", FIELD_TEXT, true}, {"age", FIELD_INT, false}, {"list", FIELD_ARRAY, false}, {0}};
    struct json *body = NULL;
    CHECK(json_parse(a, str_of(text), &body, NULL) == ERR_NONE);
    return route_body_fault(a, fields, body, missing);
}

TEST(a_body_has_the_shape_of_its_row)
{
    struct arena *a = arena_new();
    bool missing;
    CHECK(fault(a, "{\"name\":\"x\",\"age\":1,\"more\":true}", &missing) == NULL);
    CHECK(fault(a, "{\"name\":\"x\",\"age\":null}", &missing) == NULL);
    CHECK(fault(a, "{\"age\":1}", &missing) != NULL && missing);
    CHECK(fault(a, "{\"name\":1}", &missing) != NULL && !missing);
    CHECK(fault(a, "{\"name\":\"x\",\"age\":1.5}", &missing) != NULL && !missing);
    CHECK(fault(a, "{\"name\":\"x\",\"list\":{}}", &missing) != NULL && !missing);
    arena_free(a);
}

static bool is_odd(struct arena *a, const char *query)
{
    struct http_head head = {.query = str_of(query)};
    struct req req = {.a = a, .head = &head};
    return route_query_fault(&req) != NULL;
}

TEST(the_numbers_of_a_query_are_numbers)
{
    struct arena *a = arena_new();
    CHECK(!is_odd(a, ""));
    CHECK(!is_odd(a, "limit=10&timeout=0&from=abc"));
    CHECK(!is_odd(a, "limits=many"));
    CHECK(is_odd(a, "limit=many"));
    CHECK(is_odd(a, "from=abc&limit=-1"));
    CHECK(is_odd(a, "timeout=1.5"));
    CHECK(is_odd(a, "ts="));
    arena_free(a);
}

TEST_MAIN(TEST_ROW(r0_and_v3_and_unstable_are_one), TEST_ROW(segments_are_decoded_and_may_be_empty),
          TEST_ROW(a_slash_at_the_end_means_nothing),
          TEST_ROW(the_prefix_of_matrix_leads_to_matrix_alone),
          TEST_ROW(a_wrong_method_and_a_bad_escape_are_told_apart),
          TEST_ROW(a_body_has_the_shape_of_its_row), TEST_ROW(the_numbers_of_a_query_are_numbers))

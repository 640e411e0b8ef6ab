#include "json/canon.h"

#include "test/test.h"

static const struct strs NOTHING = {0};

static struct str canon(struct arena *a, struct str text)
{
    struct json *node;
    struct buf out;
    buf_init_in(&out, a, 1 << 20);
    if (json_parse(a, text, &node, NULL) != ERR_NONE) {
        return STR("!not JSON");
    }
    return canon_write(&out, node, NOTHING) == ERR_NONE ? buf_str(&out) : STR("!not canonical");
}

TEST(the_examples_of_the_specification_hold)
{
    struct arena *a = arena_new();
    CHECK_STR(canon(a, STR("{}")), STR("{}"));
    CHECK_STR(canon(a, STR("{\"one\": 1, \"two\": \"Two\"}")), STR("{\"one\":1,\"two\":\"Two\"}"));
    CHECK_STR(canon(a, STR("{\"b\":\"2\",\"a\":\"1\"}")), STR("{\"a\":\"1\",\"b\":\"2\"}"));
    CHECK_STR(canon(a, STR("{\"auth\":{\"success\":true,\"mxid\":\"@john.doe:example.com\","
                           "\"profile\":{\"display_name\":\"John Doe\",\"three_pids\":[{\"medium\":"
                           "\"email\",\"address\":\"john.doe@example.org\"},{\"medium\":\"msisdn\","
                           "\"address\":\"123456789\"}]}}}")),
              STR("{\"auth\":{\"mxid\":\"@john.doe:example.com\",\"profile\":{\"display_name\":"
                  "\"John Doe\",\"three_pids\":[{\"address\":\"john.doe@example.org\",\"medium\":"
                  "\"email\"},{\"address\":\"123456789\",\"medium\":\"msisdn\"}]},\"success\":true}"
                  "}"));
    CHECK_STR(canon(a, STR("{\"a\": \"日本語\"}")), STR("{\"a\":\"日本語\"}"));
    CHECK_STR(canon(a, STR("{\"本\": 2, \"日\": 1}")), STR("{\"日\":1,\"本\":2}"));
    CHECK_STR(canon(a, STR("{\"a\": \"\\u65E5\"}")), STR("{\"a\":\"日\"}"));
    CHECK_STR(canon(a, STR("{\"a\": null}")), STR("{\"a\":null}"));
    arena_free(a);
}

TEST(keys_sort_by_code_point)
{
    struct arena *a = arena_new();
    CHECK_STR(canon(a, STR("{\"\\ud83e\\udd8a\":1,\"\\uffff\":2,\"ab\":3,\"a\":4,\"a\\u0001\":5,"
                           "\"a\\u0000\":6,\"\":7,\"\\u0000\":8,\"a\\u0000b\":9}")),
              STR("{\"\":7,\"\\u0000\":8,\"a\":4,\"a\\u0000\":6,\"a\\u0000b\":9,\"a\\u0001\":5,"
                  "\"ab\":3,\"\xEF\xBF\xBF\":2,\"\xF0\x9F\xA6\x8A\":1}"));
    arena_free(a);
}

TEST(a_big_object_is_sorted_too)
{
    struct arena *a = arena_new();
    struct buf out;
    struct json *o = json_object(a);
    char key[8];
    for (int i = 0; i < 500; i++) {
        snprintf(key, sizeof(key), "%03d", i * 7 % 500);
        json_put_int(o, key, i);
    }
    buf_init_in(&out, a, 1 << 20);
    CHECK(canon_write(&out, o, NOTHING) == ERR_NONE);
    CHECK(str_starts(buf_str(&out), STR("{\"000\":0,\"001\":143,\"002\":286,")));
    arena_free(a);
}

TEST(numbers_that_are_no_safe_integers_are_refused_unless_lenient)
{
    static const char *const numbers[] = {
        "1.0", "-0", "1e3", "9007199254740992", "-9007199254740992", "0.1"};
    struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        struct json *node;
        struct buf out;
        struct str text = arena_fmt(a, "{\"a\":[%s]}", numbers[i]);
        CHECK_STR(canon(a, text), STR("!not canonical"));
        buf_init_in(&out, a, 100);
        CHECK(json_parse(a, text, &node, NULL) == ERR_NONE);
        CHECK(canon_write_lenient(&out, node, NOTHING) == ERR_NONE);
        CHECK_STR(buf_str(&out), text);
    }
    CHECK_STR(canon(a, STR("[9007199254740991,-9007199254740991,0]")),
              STR("[9007199254740991,-9007199254740991,0]"));
    struct json *made = json_object(a);
    struct buf out;
    buf_init_in(&out, a, 100);
    json_put_int(made, "a", 9007199254740992);
    CHECK(canon_write(&out, made, NOTHING) == ERR_SYNTAX);
    arena_free(a);
}

TEST(members_named_are_left_out_at_the_top_only)
{
    const struct str names[] = {STR_INIT("unsigned"), STR_INIT("signatures")};
    struct arena *a = arena_new();
    struct json *node;
    struct buf out;
    buf_init_in(&out, a, 100);
    CHECK(json_parse(a, STR("{\"unsigned\":1,\"b\":{\"unsigned\":2},\"signatures\":{}}"), &node,
                     NULL) == ERR_NONE);
    CHECK(canon_write(&out, node, (struct strs){names, COUNT_OF(names)}) == ERR_NONE);
    CHECK_STR(buf_str(&out), STR("{\"b\":{\"unsigned\":2}}"));
    arena_free(a);
}

TEST(a_full_buffer_is_an_error)
{
    struct arena *a = arena_new();
    struct json *node;
    struct buf out;
    CHECK(json_parse(a, STR("{\"a\":\"long text\"}"), &node, NULL) == ERR_NONE);
    buf_init_in(&out, a, 8);
    CHECK(canon_write(&out, node, NOTHING) == ERR_LIMIT);
    arena_free(a);
}

TEST(a_canonical_copy_has_its_members_in_order_at_every_level)
{
    struct arena *a = arena_new();
    struct json *node;
    struct str text = STR("{\"b\":[1,{\"d\":\"x\",\"c\":null}],\"a\":{\"f\":true,\"e\":{}}}");
    CHECK(json_parse(a, text, &node, NULL) == ERR_NONE);
    CHECK_STR(json_str(a, canon_copy(a, node)),
              STR("{\"a\":{\"e\":{},\"f\":true},\"b\":[1,{\"c\":null,\"d\":\"x\"}]}"));
    arena_free(a);
}

TEST_MAIN(TEST_ROW(the_examples_of_the_specification_hold), TEST_ROW(keys_sort_by_code_point),
          TEST_ROW(a_big_object_is_sorted_too),
          TEST_ROW(numbers_that_are_no_safe_integers_are_refused_unless_lenient),
          TEST_ROW(members_named_are_left_out_at_the_top_only), TEST_ROW(a_full_buffer_is_an_error),
          TEST_ROW(a_canonical_copy_has_its_members_in_order_at_every_level))

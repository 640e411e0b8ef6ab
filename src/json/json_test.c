#include "json/json.h"

#include "base/limits.h"
#include "test/test.h"

/* The text after parsing and writing, or what was wrong with it. */
static struct str round_trip(struct arena *a, struct str text)
{
    struct json *node;
    const char *why = "no reason given";
    if (json_parse(a, text, &node, &why) != ERR_NONE) {
        return arena_join(a, STR("!"), str_of(why), STR_ABSENT);
    }
    return json_str(a, node);
}

TEST(a_text_comes_back_compact_and_in_order)
{
    struct arena *a = arena_new();
    CHECK_STR(round_trip(a, STR(" {\"b\" : [ 1 , -20, true,false , null ],\r\n\t\"a\":{ } } ")),
              STR("{\"b\":[1,-20,true,false,null],\"a\":{}}"));
    CHECK_STR(round_trip(a, STR("[]")), STR("[]"));
    CHECK_STR(round_trip(a, STR("\"x\"")), STR("\"x\""));
    CHECK_STR(round_trip(a, STR("0")), STR("0"));
    arena_free(a);
}

TEST(a_nul_in_a_text_or_a_key_survives)
{
    struct arena *a = arena_new();
    struct json *node;
    struct str text = STR("{\"k\\u0000\":\"a\\u0000b\",\"k\":\"\\\\u0000\"}");
    CHECK_STR(round_trip(a, text), text);
    CHECK(json_parse(a, text, &node, NULL) == ERR_NONE);
    CHECK_STR(json_get_text(node, "k"), STR("\\u0000"));
    CHECK_STR(json_get_text(node, "k\xC0\x80"), STR("a\xC0\x80"
                                                    "b"));
    struct json *made = json_object(a);
    json_put_text(made, "x", STR("a\0b"));
    CHECK_STR(json_str(a, made), STR("{\"x\":\"a\\u0000b\"}"));
    arena_free(a);
}

TEST(escapes_are_decoded_and_written_in_the_shortest_form)
{
    struct arena *a = arena_new();
    CHECK_STR(round_trip(a, STR("\"\\u0041\\/\\u001F\\u0008\\t\\\"\\\\\\ud83e\\udd8a\\u007f\"")),
              STR("\"A/\\u001f\\b\\t\\\"\\\\\xF0\x9F\xA6\x8A\x7F\""));
    arena_free(a);
}

TEST(numbers_keep_their_literal)
{
    struct arena *a = arena_new();
    struct json *node;
    struct str text = STR("[9007199254740991,-9007199254740991,9007199254740992,1.0,-0,1e3,1E+2,"
                          "0.5,123456789012345678901234567890]");
    int64_t value = 7;
    CHECK_STR(round_trip(a, text), text);
    CHECK(json_parse(a, text, &node, NULL) == ERR_NONE);
    CHECK(json_int(json_first(node), &value) && value == 9007199254740991);
    node = json_next(json_next(json_first(node)));
    CHECK(json_is(node, JSON_NUMBER) && !json_int(node, &value));
    CHECK_STR(json_literal(node), STR("9007199254740992"));
    CHECK(str_is_absent(json_text(node)));
    CHECK_STR(json_literal(json_next(json_next(node))), STR("-0"));
    arena_free(a);
}

TEST(what_is_not_json_is_refused_with_a_reason)
{
    static const char *const bad[] = {
        "",
        " ",
        "{",
        "}",
        "[1,]",
        "[,1]",
        "{\"a\"}",
        "{\"a\":}",
        "{a:1}",
        "{\"a\":1,}",
        "[1 2]",
        "01",
        "-",
        "1.",
        ".5",
        "1e",
        "+1",
        "nul",
        "truex",
        "\"a",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\ud800\"",
        "\"\\udc00\"",
        "\"\\ud800\\u0041\"",
        "[1]]",
        "\"\n\"",
        "\"\xC0\x80\"",
        "\"\xED\xA0\x80\"",
        "\xEF\xBB\xBF{}",
        "NaN",
        "Infinity",
        "/**/1",
        "'a'",
    };
    struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct json *node;
        const char *why = NULL;
        enum err err = json_parse(a, str_of(bad[i]), &node, &why);
        CHECK(err == ERR_SYNTAX && why != NULL);
        if (err != ERR_SYNTAX) {
            printf("# taken: %s\n", bad[i]);
        }
    }
    struct json *node;
    CHECK(json_parse(a, STR("1\0"), &node, NULL) == ERR_SYNTAX);
    CHECK(json_parse(a, STR("\"a\0b\""), &node, NULL) == ERR_SYNTAX);
    arena_free(a);
}

TEST(a_key_may_not_come_twice_however_it_is_written)
{
    struct arena *a = arena_new();
    CHECK_STR(round_trip(a, STR("{\"a\":1,\"a\":2}")), STR("!an object has a key twice"));
    CHECK_STR(round_trip(a, STR("{\"a\":1,\"\\u0061\":2}")), STR("!an object has a key twice"));
    CHECK_STR(round_trip(a, STR("{\"A\":1,\"a\":2}")), STR("{\"A\":1,\"a\":2}"));
    struct buf text;
    for (int twice = 0; twice < 2; twice++) {
        buf_init_in(&text, a, 1 << 20);
        buf_add_char(&text, '{');
        for (int i = 0; i < 40; i++) {
            buf_add_fmt(&text, "%s\"key %d\":%d", i == 0 ? "" : ",", twice && i == 39 ? 3 : i, i);
        }
        buf_add_char(&text, '}');
        struct str back = round_trip(a, buf_str(&text));
        CHECK_STR(back, twice ? STR("!an object has a key twice") : buf_str(&text));
    }
    arena_free(a);
}

TEST(depth_and_number_of_values_are_bounded)
{
    struct arena *a = arena_new();
    struct buf text;
    for (size_t depth = JSON_DEPTH_MAX; depth <= JSON_DEPTH_MAX + 1; depth++) {
        struct json *node;
        buf_init_in(&text, a, 1000);
        for (size_t i = 0; i < depth; i++) {
            buf_add_char(&text, '[');
        }
        for (size_t i = 0; i < depth; i++) {
            buf_add_char(&text, ']');
        }
        enum err want = depth <= JSON_DEPTH_MAX ? ERR_NONE : ERR_LIMIT;
        CHECK(json_parse(a, buf_str(&text), &node, NULL) == want);
    }
    for (size_t n = JSON_NODES_MAX - 1; n <= JSON_NODES_MAX; n++) {
        struct json *node;
        buf_init(&text, 2 * (size_t)JSON_NODES_MAX + 2);
        for (size_t i = 0; i < n; i++) {
            buf_add(&text, i == 0 ? STR("[1") : STR(",1"));
        }
        buf_add_char(&text, ']');
        enum err want = n < JSON_NODES_MAX ? ERR_NONE : ERR_LIMIT;
        CHECK(json_parse(a, buf_str(&text), &node, NULL) == want);
        buf_release(&text);
    }
    arena_free(a);
}

TEST(readers_answer_for_nodes_that_are_not_there)
{
    struct arena *a = arena_new();
    struct json *node;
    int64_t value = 5;
    CHECK(json_parse(a, STR("{\"t\":\"x\",\"n\":4,\"b\":true,\"o\":{\"k\":1},\"l\":[1,2]}"), &node,
                     NULL) == ERR_NONE);
    CHECK(json_kind(NULL) == JSON_NULL && !json_is(NULL, JSON_NULL));
    CHECK(json_get(NULL, STR("x")) == NULL && json_get(node, STR("T")) == NULL);
    CHECK(str_is_absent(json_get_text(node, "n")) && str_is_absent(json_get_text(node, "q")));
    CHECK_STR(json_get_text(node, "t"), STR("x"));
    CHECK(json_get_int(node, "n", 9) == 4 && json_get_int(node, "t", 9) == 9);
    CHECK(json_get_bool(node, "b", false) && json_get_bool(node, "n", true));
    CHECK(json_get_object(node, "l") == NULL && json_get_array(node, "o") == NULL);
    CHECK(json_count(json_get_array(node, "l")) == 2 && json_count(node) == 5);
    CHECK(json_first(NULL) == NULL && json_next(NULL) == NULL && json_count(NULL) == 0);
    CHECK(!json_int(NULL, &value) && value == 5);
    CHECK_STR(json_key(json_first(json_get_object(node, "o"))), STR("k"));
    arena_free(a);
}

TEST(trees_are_built_changed_and_moved)
{
    struct arena *a = arena_new();
    struct json *o = json_object(a);
    struct json *child = json_object(a);
    json_put_text(o, "a", STR("one"));
    json_put_int(o, "b", -2);
    json_put_bool(o, "c", true);
    json_put_null(o, "d");
    json_put_text(o, "absent", STR_ABSENT);
    json_put(o, STR("b"), child);
    json_put_int(child, "later", 1);
    json_push_text(json_put_array(o, STR("e")), STR("x"));
    json_push_int(json_get_array(o, "e"), 3);
    json_put_int(json_push_object(json_get_array(o, "e")), "k", 1);
    (void)json_push_array(json_get_array(o, "e"));
    CHECK_STR(json_str(a, o), STR("{\"a\":\"one\",\"b\":{\"later\":1},\"c\":true,\"d\":null,"
                                  "\"e\":[\"x\",3,{\"k\":1},[]]}"));
    struct json *copy = json_copy(a, o);
    CHECK(json_eq(copy, o));
    json_remove(copy, STR("e"));
    json_remove(copy, STR("a"));
    json_remove(copy, STR("nothing"));
    json_put_int(copy, "z", 1);
    CHECK(!json_eq(copy, o));
    CHECK_STR(json_str(a, copy), STR("{\"b\":{\"later\":1},\"c\":true,\"d\":null,\"z\":1}"));
    arena_free(a);
}

TEST(a_big_object_finds_all_its_members)
{
    struct arena *a = arena_new();
    struct json *o = json_object(a);
    char key[16];
    for (int i = 0; i < 3000; i++) {
        snprintf(key, sizeof(key), "%d", i * 7919 % 3000);
        json_put_int(o, key, i);
    }
    CHECK(json_count(o) == 3000);
    json_put_text(o, "100", STR("replaced"));
    json_remove(o, STR("7"));
    json_put_int(o, "3001", 1);
    CHECK(json_count(o) == 3000);
    CHECK_STR(json_get_text(o, "100"), STR("replaced"));
    CHECK(json_get(o, STR("7")) == NULL && json_get(o, STR("3000")) == NULL);
    int found = 0;
    for (int i = 0; i < 3002; i++) {
        snprintf(key, sizeof(key), "%d", i);
        found += json_get(o, str_of(key)) != NULL;
    }
    CHECK(found == 3000);
    CHECK(json_eq(o, json_copy(a, o)));
    arena_free(a);
}

TEST(equality_ignores_the_order_of_members_only)
{
    struct arena *a = arena_new();
    struct json *x, *y, *z;
    CHECK(json_parse(a, STR("{\"a\":[1,2],\"b\":1.5}"), &x, NULL) == ERR_NONE);
    CHECK(json_parse(a, STR("{\"b\":1.5,\"a\":[1,2]}"), &y, NULL) == ERR_NONE);
    CHECK(json_parse(a, STR("{\"b\":1.5,\"a\":[2,1]}"), &z, NULL) == ERR_NONE);
    CHECK(json_eq(x, y) && !json_eq(x, z) && !json_eq(x, NULL) && json_eq(NULL, NULL));
    arena_free(a);
}

TEST_MAIN(TEST_ROW(a_text_comes_back_compact_and_in_order),
          TEST_ROW(a_nul_in_a_text_or_a_key_survives),
          TEST_ROW(escapes_are_decoded_and_written_in_the_shortest_form),
          TEST_ROW(numbers_keep_their_literal), TEST_ROW(what_is_not_json_is_refused_with_a_reason),
          TEST_ROW(a_key_may_not_come_twice_however_it_is_written),
          TEST_ROW(depth_and_number_of_values_are_bounded),
          TEST_ROW(readers_answer_for_nodes_that_are_not_there),
          TEST_ROW(trees_are_built_changed_and_moved), TEST_ROW(a_big_object_finds_all_its_members),
          TEST_ROW(equality_ignores_the_order_of_members_only))

/* Filters: what they let through, what they refuse to be. */
#include "engine/event_filter.h"

#include "test/test.h"

static struct json *parse(struct arena *a, const char *text)
{
    struct json *out = NULL;
    CHECK(json_parse(a, str_of(text), &out, NULL) == ERR_NONE);
    return out;
}

static struct event_filter filter_of(struct arena *a, const char *text)
{
    struct event_filter f;
    const char *why;
    CHECK(event_filter_parse(parse(a, text), &f, &why) == ERR_NONE);
    return f;
}

static bool allows(const struct event_filter *f, const char *type, const char *sender)
{
    return event_filter_allows(f, str_of(type), str_of(sender), NULL);
}

TEST(an_absent_filter_lets_everything_through)
{
    struct event_filter f;
    struct sync_filter s;
    const char *why;
    CHECK(event_filter_parse(NULL, &f, &why) == ERR_NONE);
    CHECK(allows(&f, "m.room.message", "@a:b"));
    CHECK(event_filter_allows_room(&f, STR("!r:b")));
    CHECK(sync_filter_parse(NULL, &s, &why) == ERR_NONE);
    CHECK(sync_filter_allows_room(&s, STR("!r:b")) && !s.include_leave);
    CHECK(!s.is_federation_format && s.event_fields == NULL);
}

TEST(types_and_senders_include_and_exclude)
{
    struct arena *a = arena_new();
    struct event_filter f = filter_of(a, "{\"types\":[\"m.room.*\"],\"not_types\":[\"*.topic\"],"
                                         "\"not_senders\":[\"@bad:b\"]}");
    CHECK(allows(&f, "m.room.message", "@a:b"));
    CHECK(!allows(&f, "m.room.topic", "@a:b"));
    CHECK(!allows(&f, "m.reaction", "@a:b"));
    CHECK(!allows(&f, "m.room.message", "@bad:b"));
    f = filter_of(a, "{\"senders\":[\"@a:b\"],\"not_senders\":[\"@a:b\"]}");
    CHECK(!allows(&f, "x", "@a:b"));
    f = filter_of(a, "{\"types\":[]}");
    CHECK(!allows(&f, "x", "@a:b"));
    arena_free(a);
}

TEST(a_star_takes_any_run_of_characters)
{
    struct arena *a = arena_new();
    struct event_filter f = filter_of(a, "{\"types\":[\"a*b*c\"]}");
    CHECK(allows(&f, "abc", "@a:b") && allows(&f, "axxbyyc", "@a:b") &&
          allows(&f, "abcbc", "@a:b"));
    CHECK(!allows(&f, "ac", "@a:b") && !allows(&f, "abcd", "@a:b"));
    f = filter_of(a, "{\"types\":[\"*\"]}");
    CHECK(allows(&f, "", "@a:b") && allows(&f, "anything", "@a:b"));
    arena_free(a);
}

TEST(rooms_and_urls_are_looked_at)
{
    struct arena *a = arena_new();
    struct event_filter f = filter_of(a, "{\"rooms\":[\"!r:b\",\"!s:b\"],\"not_rooms\":[\"!s:b\"],"
                                         "\"contains_url\":true,\"limit\":7}");
    CHECK(f.limit == 7);
    CHECK(event_filter_allows_room(&f, STR("!r:b")) && !event_filter_allows_room(&f, STR("!s:b")));
    CHECK(!event_filter_allows_room(&f, STR("!t:b")));
    CHECK(event_filter_allows(&f, STR("x"), STR("@a:b"), parse(a, "{\"url\":\"mxc://b/c\"}")));
    CHECK(!event_filter_allows(&f, STR("x"), STR("@a:b"), parse(a, "{\"url\":3}")));
    f = filter_of(a, "{\"contains_url\":false}");
    CHECK(!event_filter_allows(&f, STR("x"), STR("@a:b"), parse(a, "{\"url\":\"mxc://b/c\"}")));
    arena_free(a);
}

TEST(a_filter_of_the_wrong_shape_is_refused)
{
    static const char *const bad[] = {"[]",
                                      "{\"room\":3}",
                                      "{\"room\":{\"rooms\":\"!r:b\"}}",
                                      "{\"room\":{\"timeline\":{\"limit\":-1}}}",
                                      "{\"room\":{\"timeline\":{\"limit\":\"1\"}}}",
                                      "{\"room\":{\"state\":{\"types\":[1]}}}",
                                      "{\"room\":{\"state\":{\"lazy_load_members\":\"yes\"}}}",
                                      "{\"room\":{\"include_leave\":1}}",
                                      "{\"presence\":{\"senders\":{}}}",
                                      "{\"event_format\":\"xml\"}",
                                      "{\"event_fields\":[true]}"};
    struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct sync_filter f;
        const char *why = NULL;
        CHECK(sync_filter_parse(parse(a, bad[i]), &f, &why) == ERR_SYNTAX && why != NULL);
    }
    arena_free(a);
}

TEST(fields_are_picked_by_their_paths)
{
    struct arena *a = arena_new();
    const struct json *event = parse(
        a, "{\"type\":\"t\",\"sender\":\"s\",\"content\":{\"body\":\"b\",\"a.b\":1,\"c\":2}}");
    const struct json *fields =
        parse(a, "[\"type\",\"content.body\",\"content.a\\\\.b\",\"no\",\"type.x\"]");
    CHECK_STR(json_str(a, event_fields_pick(a, fields, event)),
              STR("{\"type\":\"t\",\"content\":{\"body\":\"b\",\"a.b\":1}}"));
    arena_free(a);
}

TEST_MAIN(TEST_ROW(an_absent_filter_lets_everything_through),
          TEST_ROW(types_and_senders_include_and_exclude),
          TEST_ROW(a_star_takes_any_run_of_characters), TEST_ROW(rooms_and_urls_are_looked_at),
          TEST_ROW(a_filter_of_the_wrong_shape_is_refused),
          TEST_ROW(fields_are_picked_by_their_paths))

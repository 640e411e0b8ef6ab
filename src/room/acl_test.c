#include "room/acl.h"

#include "test/test.h"

static bool allows(const char *content, const char *server)
{
    struct arena *a = arena_new();
    struct json *acl = NULL;
    CHECK(content == NULL || json_parse(a, str_of(content), &acl, NULL) == ERR_NONE);
    bool is = acl_allows(acl, str_of(server));
    arena_free(a);
    return is;
}

TEST(without_a_list_everybody_is_let_in)
{
    CHECK(allows(NULL, "evil.example.org"));
    CHECK(!allows("{}", "evil.example.org")); /* with one, those who are named */
    CHECK(!allows("{\"allow\":\"*\"}", "evil.example.org"));
}

TEST(who_is_denied_stays_out_and_then_who_is_not_allowed)
{
    const char *acl = "{\"allow\":[\"*.org\",7],\"deny\":[\"evil.*\",\"*.bad.org\"]}";
    CHECK(allows(acl, "good.org"));
    CHECK(allows(acl, "Good.ORG:8448"));
    CHECK(!allows(acl, "good.com"));
    CHECK(!allows(acl, "EVIL.org"));
    CHECK(!allows(acl, "very.bad.org:1"));
}

TEST(addresses_are_let_in_unless_the_list_says_no)
{
    const char *open = "{\"allow\":[\"*\"]}";
    const char *closed = "{\"allow\":[\"*\"],\"allow_ip_literals\":false}";
    static const char *const names[] = {"1.2.3.4", "1.2.3.4:8448", "[::1]", "[::1]:443"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        CHECK(allows(open, names[i]));
        CHECK(!allows(closed, names[i]));
    }
    CHECK(allows(closed, "1.example.org"));
    CHECK(!allows("{\"allow\":[\"*\"],\"deny\":[\"[::1]\"]}", "[::1]:443"));
}

TEST_MAIN(TEST_ROW(without_a_list_everybody_is_let_in),
          TEST_ROW(who_is_denied_stays_out_and_then_who_is_not_allowed),
          TEST_ROW(addresses_are_let_in_unless_the_list_says_no))

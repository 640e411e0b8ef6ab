#include "base/glob.h"

#include "test/test.h"

TEST(a_pattern_fits_from_end_to_end)
{
    CHECK(glob_fits(STR("m.notice"), STR("m.notice")));
    CHECK(!glob_fits(STR("m.notice"), STR("m.notices")));
    CHECK(glob_fits(STR("*.Example.org"), STR("a.b.example.ORG")));
    CHECK(!glob_fits(STR("*.example.org"), STR("example.org")));
    CHECK(glob_fits(STR("*a*b?"), STR("xaayabc")));
    CHECK(glob_fits(STR(""), STR("")));
    CHECK(!glob_fits(STR("?"), STR("")));
}

TEST(a_pattern_is_found_at_word_boundaries)
{
    CHECK(glob_finds(STR("cake*lie"), STR("the CAKE is a lie!")));
    CHECK(!glob_finds(STR("cake*lie"), STR("pancake lie")));
    CHECK(!glob_finds(STR("cake"), STR("cakes")));
    CHECK(glob_finds(STR("c?ke"), STR("a coke.")));
    CHECK(!glob_finds(STR(""), STR("x")));
    CHECK(glob_finds(STR("*"), STR("x")));
    CHECK(!glob_finds(STR("bob"), STR("\xc3\xa9"
                                      "bob")));
}

TEST_MAIN(TEST_ROW(a_pattern_fits_from_end_to_end), TEST_ROW(a_pattern_is_found_at_word_boundaries))

#include "room/power.h"

#include "test/test.h"

#include "room/rooms_test.h"

static bool level(struct arena *a, const char *version, const char *text, int64_t *out)
{
    struct json *node = NULL;
    CHECK(json_parse(a, str_of(text), &node, NULL) == ERR_NONE);
    return power_parse(room_version_find(str_of(version)), node, out);
}

TEST(levels_before_version_10_may_be_text_or_fractions)
{
    static const struct {
        const char *text;
        int64_t level;
    } good[] = {{"50", 50},
                {"-1", -1},
                {"\"50\"", 50},
                {"\" +050\\n\"", 50},
                {"\"-7\"", -7},
                {"\"1_000\"", 1000},
                {"50.9", 50},
                {"-50.9", -50},
                {"1e2", 100},
                {"1.25E+1", 12},
                {"125e-2", 1},
                {"1e-500", 0},
                {"0.0", 0},
                {"-0", 0},
                {"true", 1},
                {"1e300", INT64_MAX - 1},
                {"-1e300", -(INT64_MAX - 1)},
                {"123456789012345678901234567890", INT64_MAX - 1},
                {"\"99999999999999999999999\"", INT64_MAX - 1}};
    static const char *const bad[] = {"\"\"",    "\" \"",  "\"x\"",   "\"1.5\"",  "\"5 0\"",
                                      "\"--5\"", "\"_1\"", "\"1_\"",  "\"1__0\"", "null",
                                      "[]",      "{}",     "\"0x10\""};
    struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        int64_t got = -999;
        bool is_level = level(a, "9", good[i].text, &got);
        CHECK(is_level && got == good[i].level);
        if (got != good[i].level) {
            printf("# %s is %lld\n", good[i].text, (long long)got);
        }
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        int64_t got;
        CHECK(!level(a, "9", bad[i], &got));
    }
    arena_free(a);
}

TEST(levels_from_version_10_on_are_integers)
{
    struct arena *a = arena_new();
    int64_t got = 0;
    CHECK(level(a, "10", "50", &got) && got == 50);
    CHECK(!level(a, "10", "\"50\"", &got) && !level(a, "10", "50.0", &got));
    CHECK(!level(a, "11", "true", &got) && !level(a, "11", "1e2", &got));
    arena_free(a);
}

TEST(without_an_event_the_creator_has_100_and_defaults_hold)
{
    struct test_room room;
    test_room_init(&room, "11");
    test_room_open(&room, "{}");
    struct power p = power_of(map_get(&room.events, STR("$create:one")), NULL);
    CHECK(power_of_user(&p, STR("@a:one")) == 100 && power_of_user(&p, STR("@b:one")) == 0);
    CHECK(power_to_send(&p, STR("x"), true) == 50 && power_to_send(&p, STR("x"), false) == 0);
    CHECK(power_for(&p, POWER_INVITE) == 0 && power_for(&p, POWER_KICK) == 50);
    CHECK(power_for(&p, POWER_BAN) == 50 && power_for(&p, POWER_REDACT) == 50);
    CHECK(power_for(&p, POWER_NOTIFY_ROOM) == 50);
    arena_free(room.a);
}

TEST(an_event_says_who_may_do_what)
{
    struct test_room room;
    test_room_init(&room, "11");
    test_room_open(&room, "{}");
    const struct event *levels = test_event(
        &room, "$p:one", "m.room.power_levels", "", "@a:one",
        "{\"users\":{\"@b:one\":70},\"users_default\":5,\"events\":{\"m.x\":33},\"state_default\":"
        "40,\"events_default\":3,\"invite\":1,\"kick\":2,\"ban\":4,\"redact\":6,\"notifications\":"
        "{\"room\":20}}",
        "");
    struct power p = power_of(map_get(&room.events, STR("$create:one")), levels);
    CHECK(power_of_user(&p, STR("@a:one")) == 5 && power_of_user(&p, STR("@b:one")) == 70);
    CHECK(power_to_send(&p, STR("m.x"), true) == 33 && power_to_send(&p, STR("m.x"), false) == 33);
    CHECK(power_to_send(&p, STR("y"), true) == 40 && power_to_send(&p, STR("y"), false) == 3);
    CHECK(power_for(&p, POWER_INVITE) == 1 && power_for(&p, POWER_KICK) == 2);
    CHECK(power_for(&p, POWER_BAN) == 4 && power_for(&p, POWER_REDACT) == 6);
    CHECK(power_for(&p, POWER_NOTIFY_ROOM) == 20);
    arena_free(room.a);
}

TEST(creators_of_version_12_stand_above_all_levels)
{
    struct test_room room;
    test_room_init(&room, "12");
    test_room_open(&room, "{\"additional_creators\":[\"@c:two\"]}");
    const struct event *create =
        map_get(&room.events, STR("$ccccccccccccccccccccccccccccccccccccccccccc"));
    const struct event *levels =
        test_event(&room, "$p:one", "m.room.power_levels", "", "@a:one",
                   "{\"users\":{\"@b:one\":9007199254740991,\"@a:one\":1}}", "");
    struct power p = power_of(create, levels);
    CHECK(power_of_user(&p, STR("@a:one")) == POWER_CREATOR);
    CHECK(power_of_user(&p, STR("@c:two")) == POWER_CREATOR);
    CHECK(power_of_user(&p, STR("@b:one")) == 9007199254740991);
    CHECK(power_of_user(&p, STR("@d:one")) == 0);
    arena_free(room.a);
}

TEST_MAIN(TEST_ROW(levels_before_version_10_may_be_text_or_fractions),
          TEST_ROW(levels_from_version_10_on_are_integers),
          TEST_ROW(without_an_event_the_creator_has_100_and_defaults_hold),
          TEST_ROW(an_event_says_who_may_do_what),
          TEST_ROW(creators_of_version_12_stand_above_all_levels))

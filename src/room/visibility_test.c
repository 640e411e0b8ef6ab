#include "room/visibility.h"

#include "test/test.h"

#include "room/rooms_test.h"

static const struct str READER = STR_INIT("@b:two");

TEST(each_setting_shows_what_it_says)
{
    struct test_room room;
    test_room_init(&room, "11");
    const struct event *ev = test_event(&room, "$x:one", "m.x", NULL, "@a:one", "{}", "");
    static const struct {
        enum visibility visibility;
        bool none, none_but_since, invited, joined;
    } rows[] = {{VISIBILITY_WORLD_READABLE, true, true, true, true},
                {VISIBILITY_SHARED, false, true, false, true},
                {VISIBILITY_INVITED, false, false, true, true},
                {VISIBILITY_JOINED, false, false, false, true}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        enum visibility v = rows[i].visibility;
        CHECK(visibility_allows(ev, READER, v, VISIBILITY_NONE, false) == rows[i].none);
        CHECK(visibility_allows(ev, READER, v, VISIBILITY_NONE, true) == rows[i].none_but_since);
        CHECK(visibility_allows(ev, READER, v, VISIBILITY_IS_INVITED, false) == rows[i].invited);
        CHECK(visibility_allows(ev, READER, v, VISIBILITY_IS_JOINED, false) == rows[i].joined);
    }
    arena_free(room.a);
}

TEST(ones_own_membership_counts_before_and_after)
{
    struct test_room room;
    test_room_init(&room, "11");
    const struct event *join = test_event(&room, "$j:one", "m.room.member", "@b:two", "@b:two",
                                          "{\"membership\":\"join\"}", "");
    const struct event *leave = test_event(&room, "$l:one", "m.room.member", "@b:two", "@b:two",
                                           "{\"membership\":\"leave\"}", "");
    enum visibility v = VISIBILITY_JOINED;
    CHECK(visibility_allows(join, READER, v, VISIBILITY_NONE, false));
    CHECK(visibility_allows(leave, READER, v, VISIBILITY_IS_JOINED, false));
    CHECK(!visibility_allows(leave, READER, v, VISIBILITY_NONE, false));
    CHECK(!visibility_allows(join, STR("@c:two"), v, VISIBILITY_NONE, false));
    CHECK(visibility_allows_server(join, STR("two"), v, VISIBILITY_NONE, false));
    CHECK(!visibility_allows_server(join, STR("one"), v, VISIBILITY_NONE, false));
    arena_free(room.a);
}

TEST(a_change_of_visibility_is_seen_by_who_sees_either_side)
{
    struct test_room room;
    test_room_init(&room, "11");
    const struct event *open =
        test_event(&room, "$o:one", "m.room.history_visibility", "", "@a:one",
                   "{\"history_visibility\":\"world_readable\"}", "");
    const struct event *shut = test_event(&room, "$s:one", "m.room.history_visibility", "",
                                          "@a:one", "{\"history_visibility\":\"joined\"}", "");
    CHECK(visibility_allows(open, READER, VISIBILITY_JOINED, VISIBILITY_NONE, false));
    CHECK(visibility_allows(shut, READER, VISIBILITY_WORLD_READABLE, VISIBILITY_NONE, false));
    CHECK(!visibility_allows(shut, READER, VISIBILITY_JOINED, VISIBILITY_NONE, false));
    CHECK(visibility_parse(open->content) == VISIBILITY_WORLD_READABLE);
    CHECK(visibility_parse(NULL) == VISIBILITY_SHARED);
    arena_free(room.a);
}

TEST_MAIN(TEST_ROW(each_setting_shows_what_it_says),
          TEST_ROW(ones_own_membership_counts_before_and_after),
          TEST_ROW(a_change_of_visibility_is_seen_by_who_sees_either_side))

/* Forks small enough to see; 3,378 merges of a real server are in test/vectors. */
#include "room/resolve.h"

#include "base/limits.h"
#include "room/sha1.h"

#include "test/test.h"

#include "room/rooms_test.h"

static const struct event *source_get(void *ctx, struct str id, bool *rejected)
{
    const struct test_room *room = ctx;
    *rejected = str_starts(id, STR("$rejected"));
    return map_get(&room->events, id);
}

static enum err resolve(struct test_room *room, const struct state *const *sets, size_t n,
                        struct state *out)
{
    struct resolve_source source = {room, source_get};
    return resolve_state(room->a, room->version, sets, n, source, out);
}

static const char LEVELS[] = "{\"users\":{\"@a:one\":100,\"@b:one\":50}}";

/* A room in which @b:one is joined and has 50. */
static void open_room(struct test_room *room, const char *version)
{
    test_room_init(room, version);
    test_room_open(room, "{\"creator\":\"@a:one\"}");
    (void)test_put(room, test_event(room, "$levels:one", "m.room.power_levels", "", "@a:one",
                                    LEVELS, "$create:one $a:one"));
    (void)test_put(room,
                   test_event(room, "$rules:one", "m.room.join_rules", "", "@a:one",
                              "{\"join_rule\":\"public\"}", "$create:one $a:one $levels:one"));
    (void)test_put(room,
                   test_event(room, "$b:one", "m.room.member", "@b:one", "@b:one",
                              "{\"membership\":\"join\"}", "$create:one $levels:one $rules:one"));
}

/* The ban of @b:one against a topic that he set meanwhile. */
TEST(a_ban_wins_over_what_the_banned_did_meanwhile)
{
    static const char *const versions[] = {"1", "2", "11"};
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        struct test_room room;
        struct state left, right, out, again;
        open_room(&room, versions[i]);
        state_copy(&left, &room.state, room.a);
        state_copy(&right, &room.state, room.a);
        const struct event *topic = test_event(&room, "$topic:one", "m.room.topic", "", "@b:one",
                                               "{}", "$create:one $levels:one $b:one");
        const struct event *before = test_event(&room, "$before:one", "m.room.topic", "", "@a:one",
                                                "{}", "$create:one $levels:one $a:one");
        const struct event *ban =
            test_event(&room, "$ban:one", "m.room.member", "@b:one", "@a:one",
                       "{\"membership\":\"ban\"}", "$create:one $levels:one $a:one $b:one");
        state_put(&left, topic->type, topic->state_key, topic->id);
        state_put(&right, ban->type, ban->state_key, ban->id);
        state_put(&right, before->type, before->state_key, before->id);
        const struct state *sets[] = {&left, &right};
        const struct state *turned[] = {&right, &left};
        CHECK(resolve(&room, sets, 2, &out) == ERR_NONE);
        CHECK(resolve(&room, turned, 2, &again) == ERR_NONE);
        CHECK_STR(state_get(&out, STR("m.room.member"), STR("@b:one")), STR("$ban:one"));
        CHECK_STR(state_get(&out, STR("m.room.topic"), STR("")), STR("$before:one"));
        CHECK(state_eq(&out, &again) && state_count(&out) == 6);
        arena_free(room.a);
    }
}

/* All agree on join rules that shut the room; a join from before, known on one side only, cites the
 * open ones that others of the room cite as well. Version 2.1 believes what is cited, 2 what all
 * agree on. */
TEST(version_2_1_starts_from_nothing_and_2_from_what_is_agreed)
{
    static const char *const versions[] = {"11", "12"};
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        struct test_room room;
        struct state left, right, out;
        bool from_nothing = i == 1;
        test_room_init(&room, versions[i]);
        test_room_open(&room, "{}");
        const char *create = from_nothing ? "" : "$create:one ";
        (void)test_event(&room, "$open:one", "m.room.join_rules", "", "@a:one",
                         "{\"join_rule\":\"public\"}", arena_fmt(room.a, "%s$a:one", create).p);
        (void)test_put(&room, test_event(&room, "$d:one", "m.room.member", "@d:one", "@d:one",
                                         "{\"membership\":\"join\"}",
                                         arena_fmt(room.a, "%s$open:one", create).p));
        (void)test_put(&room, test_event(&room, "$shut:one", "m.room.join_rules", "", "@a:one",
                                         "{\"join_rule\":\"invite\"}",
                                         arena_fmt(room.a, "%s$a:one", create).p));
        const struct event *join =
            test_event(&room, "$e:one", "m.room.member", "@e:one", "@e:one",
                       "{\"membership\":\"join\"}", arena_fmt(room.a, "%s$open:one", create).p);
        state_copy(&left, &room.state, room.a);
        state_copy(&right, &room.state, room.a);
        state_put(&left, join->type, join->state_key, join->id);
        const struct state *sets[] = {&left, &right};
        CHECK(resolve(&room, sets, 2, &out) == ERR_NONE);
        bool is_in = !str_is_absent(state_get(&out, join->type, join->state_key));
        CHECK(is_in == from_nothing);
        CHECK_STR(state_get(&out, STR("m.room.join_rules"), STR("")), STR("$shut:one"));
        arena_free(room.a);
    }
}

TEST(a_rejected_event_does_not_come_into_the_state)
{
    struct test_room room;
    struct state left, right, out;
    open_room(&room, "11");
    state_copy(&left, &room.state, room.a);
    state_copy(&right, &room.state, room.a);
    const struct event *topic = test_event(&room, "$rejected:one", "m.room.topic", "", "@a:one",
                                           "{}", "$create:one $levels:one $a:one");
    state_put(&left, topic->type, topic->state_key, topic->id);
    const struct state *sets[] = {&left, &right};
    CHECK(resolve(&room, sets, 2, &out) == ERR_NONE);
    CHECK(state_eq(&out, &room.state));
    arena_free(room.a);
}

TEST(equal_states_resolve_without_a_look_at_events)
{
    struct test_room room;
    struct state one, two, out;
    test_room_init(&room, "11");
    state_init(&one, room.a);
    state_init(&two, room.a);
    state_put(&one, STR("a"), STR(""), STR("$unknown"));
    state_put(&one, STR("b"), STR(""), STR("$other"));
    state_put(&two, STR("b"), STR(""), STR("$other"));
    state_put(&two, STR("a"), STR(""), STR("$unknown"));
    const struct state *sets[] = {&one, &two, &one};
    CHECK(resolve(&room, sets, 3, &out) == ERR_NONE && state_eq(&out, &one));
    CHECK(resolve(&room, sets, 0, &out) == ERR_NONE && state_count(&out) == 0);
    state_put(&two, STR("a"), STR(""), STR("$different"));
    CHECK(resolve(&room, sets, 2, &out) == ERR_ABSENT);
    arena_free(room.a);
}

TEST(too_many_states_are_refused)
{
    struct test_room room;
    struct state one, out;
    const struct state *sets[STATE_SETS_MAX + 1];
    test_room_init(&room, "11");
    state_init(&one, room.a);
    for (size_t i = 0; i < COUNT_OF(sets); i++) {
        sets[i] = &one;
    }
    CHECK(resolve(&room, sets, STATE_SETS_MAX, &out) == ERR_NONE);
    CHECK(resolve(&room, sets, STATE_SETS_MAX + 1, &out) == ERR_LIMIT);
    arena_free(room.a);
}

/* Only ids of versions 1 and 2 can make a circle, for others are hashes. */
TEST(events_that_cite_each_other_end_all_the_same)
{
    struct test_room room;
    struct state left, right, out;
    open_room(&room, "2");
    state_copy(&left, &room.state, room.a);
    state_copy(&right, &room.state, room.a);
    const struct event *one = test_event(&room, "$one:one", "m.room.power_levels", "", "@a:one",
                                         LEVELS, "$create:one $a:one $two:one");
    const struct event *two = test_event(&room, "$two:one", "m.room.power_levels", "", "@a:one",
                                         LEVELS, "$create:one $a:one $one:one");
    const struct event *topic = test_event(&room, "$topic:one", "m.room.topic", "", "@a:one", "{}",
                                           "$create:one $a:one $one:one");
    state_put(&left, one->type, one->state_key, one->id);
    state_put(&right, two->type, two->state_key, two->id);
    state_put(&right, topic->type, topic->state_key, topic->id);
    const struct state *sets[] = {&left, &right};
    CHECK(resolve(&room, sets, 2, &out) == ERR_NONE);
    arena_free(room.a);
}

TEST(sha1_fits_fips_180)
{
    uint8_t out[SHA1_SIZE];
    const uint8_t abc[] = {0xA9, 0x99, 0x3E, 0x36, 0x47, 0x06, 0x81, 0x6A, 0xBA, 0x3E,
                           0x25, 0x71, 0x78, 0x50, 0xC2, 0x6C, 0x9C, 0xD0, 0xD8, 0x9D};
    const uint8_t two_blocks[] = {0x84, 0x98, 0x3E, 0x44, 0x1C, 0x3B, 0xD2, 0x6E, 0xBA, 0xAE,
                                  0x4A, 0xA1, 0xF9, 0x51, 0x29, 0xE5, 0xE5, 0x46, 0x70, 0xF1};
    const uint8_t empty[] = {0xDA, 0x39, 0xA3, 0xEE, 0x5E, 0x6B, 0x4B, 0x0D, 0x32, 0x55,
                             0xBF, 0xEF, 0x95, 0x60, 0x18, 0x90, 0xAF, 0xD8, 0x07, 0x09};
    sha1(out, STR("abc"));
    CHECK(memcmp(out, abc, sizeof(out)) == 0);
    sha1(out, STR("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"));
    CHECK(memcmp(out, two_blocks, sizeof(out)) == 0);
    sha1(out, STR_ABSENT);
    CHECK(memcmp(out, empty, sizeof(out)) == 0);
}

TEST_MAIN(TEST_ROW(version_2_1_starts_from_nothing_and_2_from_what_is_agreed),
          TEST_ROW(a_ban_wins_over_what_the_banned_did_meanwhile),
          TEST_ROW(a_rejected_event_does_not_come_into_the_state),
          TEST_ROW(equal_states_resolve_without_a_look_at_events),
          TEST_ROW(too_many_states_are_refused),
          TEST_ROW(events_that_cite_each_other_end_all_the_same), TEST_ROW(sha1_fits_fips_180))

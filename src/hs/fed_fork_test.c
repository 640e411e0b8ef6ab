/* Two branches of a room that come together, and which of them counts. */
#include "hs/town_model.h"

#include "base/encode.h"
#include "test/test.h"

static const char topic[] = "state/m.room.topic";

/* Alice of house 0 and bob of house 1, both with power. */
struct scene {
    struct town *t;
    const char *alice, *bob;
    struct str room;
};

static void open_scene(struct scene *s)
{
    s->t = town_new(2);
    s->alice = town_user(s->t, 0, "alice");
    s->bob = town_user(s->t, 1, "bob");
    struct str body =
        town_text(s->t,
                  "{\"preset\":\"public_chat\",\"power_level_content_override\":{\"users\":"
                  "{\"%s\":100,\"%s\":50}}}",
                  town_user_id(s->t, 0, "alice"), town_user_id(s->t, 1, "bob"));
    s->room = town_room(s->t, 0, s->alice, body.p);
    CHECK(town_join(s->t, 1, s->bob, s->room, 0));
    town_pass(s->t, 1000);
}

static void part(struct scene *s, bool is_parted)
{
    s->t->houses[0].is_away = s->t->houses[1].is_away = is_parted;
    town_pass(s->t, is_parted ? 10 : 600000);
}

static struct str set_topic(struct scene *s, int house, const char *text)
{
    return town_put(s->t, house, house == 0 ? s->alice : s->bob, s->room, topic,
                    town_text(s->t, "{\"topic\":\"%s\"}", text).p);
}

static struct str ask_topic(struct scene *s, int house)
{
    struct str line = town_text(s->t, "GET /_matrix/client/v3/rooms/%.*s/%s",
                                STR_ARG(percent_write(s->t->a, s->room)), topic);
    CHECK(town_ask(s->t, house, house == 0 ? s->alice : s->bob, line.p, "") == 200);
    return json_get_text(s->t->answer, "topic");
}

/* The room's part of a sync of alice's. */
static struct json *sync_room(struct scene *s, struct str since)
{
    struct str line = town_text(s->t, "GET /_matrix/client/v3/sync?since=%.*s", STR_ARG(since));
    CHECK(town_ask(s->t, 0, s->alice, line.p, "") == 200);
    struct json *joined = json_get_object(json_get_object(s->t->answer, "rooms"), "join");
    return json_get(joined, s->room);
}

/* The last that a client reads there of the topic; absent: nothing. */
static struct str last_topic(const struct json *told)
{
    static const char *const parts[] = {"state", "timeline"};
    struct str last = STR_ABSENT;
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        const struct json *events = json_get_array(json_get_object(told, parts[i]), "events");
        for (const struct json *e = json_first(events); e != NULL; e = json_next(e)) {
            if (str_eq(json_get_text(e, "type"), STR("m.room.topic"))) {
                last = json_get_text(json_get_object(e, "content"), "topic");
            }
        }
    }
    return last;
}

TEST(a_topic_that_loses_against_another_branch_does_not_come_last_in_a_sync)
{
    struct scene s;
    open_scene(&s);
    part(&s, true);
    CHECK(set_topic(&s, 1, "earlier").n > 0);
    town_pass(s.t, 10);
    CHECK(set_topic(&s, 0, "later").n > 0);
    CHECK(str_eq(last_topic(sync_room(&s, STR(""))), STR("later")));
    struct str since = arena_str(s.t->a, json_get_text(s.t->answer, "next_batch"));
    part(&s, false);
    CHECK(str_eq(ask_topic(&s, 0), STR("later")));
    CHECK(str_eq(ask_topic(&s, 1), STR("later")));
    struct str last = last_topic(sync_room(&s, since));
    CHECK(str_is_absent(last) || str_eq(last, STR("later")));
    town_free(s.t);
}

TEST(a_topic_that_wins_against_another_branch_comes_last_in_a_sync)
{
    struct scene s;
    open_scene(&s);
    part(&s, true);
    CHECK(set_topic(&s, 0, "earlier").n > 0);
    town_pass(s.t, 10);
    CHECK(set_topic(&s, 1, "later").n > 0);
    CHECK(str_eq(last_topic(sync_room(&s, STR(""))), STR("earlier")));
    struct str since = arena_str(s.t->a, json_get_text(s.t->answer, "next_batch"));
    part(&s, false);
    CHECK(str_eq(ask_topic(&s, 0), STR("later")));
    CHECK(str_eq(last_topic(sync_room(&s, since)), STR("later")));
    town_free(s.t);
}

TEST(what_is_set_after_the_clock_was_set_back_wins_over_what_was_there)
{
    struct scene s;
    open_scene(&s);
    CHECK(set_topic(&s, 0, "first").n > 0);
    part(&s, true);
    s.t->now.unix_ms -= 3600000;
    CHECK(set_topic(&s, 0, "second").n > 0);
    struct str of_bob = town_say(s.t, 1, s.bob, s.room, "aside"); /* the first is in his branch */
    part(&s, false);
    CHECK(town_sees(s.t, 0, s.alice, s.room, of_bob));
    CHECK(str_eq(ask_topic(&s, 0), STR("second")));
    CHECK(str_eq(ask_topic(&s, 1), STR("second")));
    town_free(s.t);
}

static int64_t member_time(struct scene *s)
{
    struct str line =
        town_text(s->t, "GET /_matrix/client/v3/rooms/%.*s/state/m.room.member/%s?format=event",
                  STR_ARG(percent_write(s->t->a, s->room)), town_user_id(s->t, 1, "bob"));
    CHECK(town_ask(s->t, 0, s->alice, line.p, "") == 200);
    return json_get_int(s->t->answer, "origin_server_ts", 0);
}

TEST(who_comes_back_after_his_clock_was_set_back_comes_later_than_he_went)
{
    struct scene s;
    open_scene(&s);
    CHECK(town_leave(s.t, 1, s.bob, s.room));
    town_pass(s.t, 1000);
    int64_t left = member_time(&s);
    s.t->now.unix_ms -= 3600000;
    CHECK(town_join(s.t, 1, s.bob, s.room, 0));
    CHECK(member_time(&s) > left);
    town_free(s.t);
}

TEST_MAIN(TEST_ROW(a_topic_that_loses_against_another_branch_does_not_come_last_in_a_sync),
          TEST_ROW(a_topic_that_wins_against_another_branch_comes_last_in_a_sync),
          TEST_ROW(what_is_set_after_the_clock_was_set_back_wins_over_what_was_there),
          TEST_ROW(who_comes_back_after_his_clock_was_set_back_comes_later_than_he_went))

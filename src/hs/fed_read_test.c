/* What servers may read of each other: history visibility and redaction. */
#include "hs/town_model.h"

#include "base/encode.h"
#include "test/test.h"

/* A room of house 0 with that visibility: "early" is said before house 1 joins, "late" after. */
struct scene {
    struct town *t;
    const char *alice, *bob;
    struct str room, early, late;
};

static void open_scene(struct scene *s, const char *visibility)
{
    s->t = town_new(2);
    s->alice = town_user(s->t, 0, "alice");
    s->bob = town_user(s->t, 1, "bob");
    s->room =
        town_room(s->t, 0, s->alice,
                  town_text(s->t,
                            "{\"preset\":\"public_chat\",\"initial_state\":[{\"type\":\"m.room."
                            "history_visibility\",\"state_key\":\"\",\"content\":{\"history_"
                            "visibility\":\"%s\"}}]}",
                            visibility)
                      .p);
    s->early = town_say(s->t, 0, s->alice, s->room, "early");
    CHECK(town_join(s->t, 1, s->bob, s->room, 0));
    s->late = town_say(s->t, 0, s->alice, s->room, "late");
}

static struct str body_of(const struct json *pdus, struct str text)
{
    for (const struct json *p = json_first(pdus); p != NULL; p = json_next(p)) {
        struct str body = json_get_text(json_get_object(p, "content"), "body");
        if (str_eq(body, text)) {
            return body;
        }
    }
    return STR_ABSENT;
}

static int ask_event(struct scene *s, struct str event_id)
{
    struct str line = town_text(s->t, "GET /_matrix/federation/v1/event/%.*s",
                                STR_ARG(percent_write(s->t->a, event_id)));
    return town_serve(s->t, 1, 0, line.p, "");
}

TEST(an_event_from_before_the_join_is_redacted_for_a_server_that_may_not_see_it)
{
    struct scene s;
    open_scene(&s, "joined");
    CHECK(ask_event(&s, s.early) == 200);
    struct json *pdus = json_get_array(s.t->answer, "pdus");
    CHECK(json_count(pdus) == 1);
    CHECK(str_is_absent(body_of(pdus, STR("early"))));
    CHECK(json_get_object(json_first(pdus), "hashes") != NULL);
    CHECK(ask_event(&s, s.late) == 200);
    CHECK_STR(body_of(json_get_array(s.t->answer, "pdus"), STR("late")), STR("late"));
    town_free(s.t);
}

TEST(an_event_of_a_shared_room_is_whole_for_a_server_that_joined_later)
{
    struct scene s;
    open_scene(&s, "shared");
    CHECK(ask_event(&s, s.early) == 200);
    CHECK_STR(body_of(json_get_array(s.t->answer, "pdus"), STR("early")), STR("early"));
    town_free(s.t);
}

TEST(backfill_gives_what_may_be_seen_and_redacts_the_rest)
{
    struct scene s;
    open_scene(&s, "joined");
    struct str line =
        town_text(s.t, "GET /_matrix/federation/v1/backfill/%.*s?v=%.*s&limit=50",
                  STR_ARG(percent_write(s.t->a, s.room)), STR_ARG(percent_write(s.t->a, s.late)));
    CHECK(town_serve(s.t, 1, 0, line.p, "") == 200);
    struct json *pdus = json_get_array(s.t->answer, "pdus");
    CHECK_STR(body_of(pdus, STR("late")), STR("late"));
    CHECK(str_is_absent(body_of(pdus, STR("early"))));
    CHECK(json_count(pdus) > 5); /* the graph is whole */
    town_free(s.t);
}

TEST(missing_events_are_redacted_for_a_server_that_may_not_see_them)
{
    struct scene s;
    open_scene(&s, "invited");
    struct str line = town_text(s.t, "POST /_matrix/federation/v1/get_missing_events/%.*s",
                                STR_ARG(percent_write(s.t->a, s.room)));
    struct str body = town_text(
        s.t, "{\"latest_events\":[\"%.*s\"],\"earliest_events\":[],\"limit\":20}", STR_ARG(s.late));
    CHECK(town_serve(s.t, 1, 0, line.p, body.p) == 200);
    struct json *events = json_get_array(s.t->answer, "events");
    CHECK(json_count(events) > 5);
    CHECK(str_is_absent(body_of(events, STR("early"))));
    town_free(s.t);
}

TEST(history_that_a_joiner_fetched_is_not_given_on_to_who_may_not_see_it)
{
    struct scene s;
    open_scene(&s, "joined");
    struct str more = town_say(s.t, 1, s.bob, s.room, "between");
    struct str line = town_text(s.t, "GET /_matrix/client/v3/rooms/%.*s/messages?dir=b&limit=50",
                                STR_ARG(percent_write(s.t->a, s.room)));
    CHECK(town_ask(s.t, 1, s.bob, line.p, "") == 200);
    CHECK(str_is_absent(body_of(json_get_array(s.t->answer, "chunk"), STR("early"))));
    CHECK_STR(body_of(json_get_array(s.t->answer, "chunk"), STR("between")), STR("between"));
    CHECK(ask_event(&s, more) == 200);
    CHECK_STR(body_of(json_get_array(s.t->answer, "pdus"), STR("between")), STR("between"));
    town_free(s.t);
}

TEST(a_server_that_is_not_in_the_room_reads_nothing)
{
    struct scene s;
    open_scene(&s, "world_readable");
    CHECK(town_leave(s.t, 1, s.bob, s.room));
    CHECK(ask_event(&s, s.late) == 403);
    town_free(s.t);
}

TEST(a_redacted_topic_is_in_no_directory_and_no_stripped_state)
{
    struct scene s;
    open_scene(&s, "shared");
    struct str topic =
        town_put(s.t, 0, s.alice, s.room, "state/m.room.topic", "{\"topic\":\"a secret\"}");
    struct str redact = town_text(s.t, "redact/%.*s/r1", STR_ARG(percent_write(s.t->a, topic)));
    CHECK(town_put(s.t, 0, s.alice, s.room, redact.p, "{}").n > 0);
    struct str line = town_text(s.t, "PUT /_matrix/client/v3/directory/list/room/%.*s",
                                STR_ARG(percent_write(s.t->a, s.room)));
    CHECK(town_ask(s.t, 0, s.alice, line.p, "{\"visibility\":\"public\"}") == 200);
    CHECK(town_serve(s.t, 1, 0, "GET /_matrix/federation/v1/publicRooms", "") == 200);
    const struct json *chunk = json_first(json_get_array(s.t->answer, "chunk"));
    CHECK_STR(json_get_text(chunk, "room_id"), s.room);
    CHECK(str_is_absent(json_get_text(chunk, "topic")));
    town_free(s.t);
}

TEST_MAIN(TEST_ROW(an_event_from_before_the_join_is_redacted_for_a_server_that_may_not_see_it),
          TEST_ROW(an_event_of_a_shared_room_is_whole_for_a_server_that_joined_later),
          TEST_ROW(backfill_gives_what_may_be_seen_and_redacts_the_rest),
          TEST_ROW(missing_events_are_redacted_for_a_server_that_may_not_see_them),
          TEST_ROW(history_that_a_joiner_fetched_is_not_given_on_to_who_may_not_see_it),
          TEST_ROW(a_server_that_is_not_in_the_room_reads_nothing),
          TEST_ROW(a_redacted_topic_is_in_no_directory_and_no_stripped_state))

/* What users ask of rooms that their own server is not in: others are asked for them. */
#include "hs/town_model.h"

#include "base/encode.h"
#include "test/test.h"

#define KNOCK_RULE                                                                                 \
    "{\"name\":\"Den\",\"room_alias_name\":\"den\",\"initial_state\":[{\"type\":"                  \
    "\"m.room.join_rules\",\"state_key\":\"\",\"content\":{\"join_rule\":\"knock\"}}]}"

/* Below the room at a house. */
static int ask_room(struct town *t, int house, const char *who, const char *method, struct str room,
                    const char *what, const char *body)
{
    struct str line = town_text(t, "%s /_matrix/client/v3/rooms/%.*s/%s", method,
                                STR_ARG(percent_write(t->a, room)), what);
    return town_ask(t, house, who, line.p, body);
}

/* Is the room in that section of the sync, "knock" say? */
static bool is_in(struct town *t, int house, const char *who, struct str room, const char *section)
{
    CHECK(town_ask(t, house, who, "GET /_matrix/client/v3/sync", "") == 200);
    return json_get(json_get_object(json_get_object(t->answer, "rooms"), section), room) != NULL;
}

static int knock(struct town *t, int house, const char *who, struct str room, int through)
{
    struct str line = town_text(t, "POST /_matrix/client/v3/knock/%.*s?via=%.*s",
                                STR_ARG(percent_write(t->a, room)), STR_ARG(town_name(t, through)));
    return town_ask(t, house, who, line.p, "{\"reason\":\"please\"}");
}

TEST(a_user_knocks_elsewhere_is_invited_and_comes_in)
{
    struct town *t = town_new(2);
    const char *alice = town_user(t, 0, "alice");
    const char *bob = town_user(t, 1, "bob");
    struct str user_id = str_of(town_user_id(t, 1, "bob"));
    struct str room = town_room(t, 0, alice, KNOCK_RULE);
    CHECK(knock(t, 1, bob, room, 0) == 200);
    CHECK_STR(json_get_text(t->answer, "room_id"), room);
    CHECK(is_in(t, 1, bob, room, "knock"));
    struct str what =
        town_text(t, "state/m.room.member/%.*s", STR_ARG(percent_write(t->a, user_id)));
    CHECK(ask_room(t, 0, alice, "GET", room, what.p, "") == 200);
    CHECK_STR(json_get_text(t->answer, "membership"), STR("knock"));
    CHECK_STR(json_get_text(t->answer, "reason"), STR("please"));
    struct str invite = town_text(t, "{\"user_id\":\"%.*s\"}", STR_ARG(user_id));
    CHECK(ask_room(t, 0, alice, "POST", room, "invite", invite.p) == 200);
    CHECK(is_in(t, 1, bob, room, "invite"));
    CHECK(town_join(t, 1, bob, room, 0));
    town_free(t);
}

TEST(a_knock_is_taken_back_or_refused)
{
    struct town *t = town_new(2);
    const char *alice = town_user(t, 0, "alice");
    const char *bob = town_user(t, 1, "bob");
    struct str room = town_room(t, 0, alice, KNOCK_RULE);
    struct str alias = town_text(t, "#den:%.*s", STR_ARG(town_name(t, 0)));
    CHECK(knock(t, 1, bob, alias, 0) == 200);
    CHECK(is_in(t, 1, bob, room, "knock"));
    CHECK(ask_room(t, 1, bob, "POST", room, "leave", "{}") == 200);
    CHECK(!is_in(t, 1, bob, room, "knock"));
    CHECK(knock(t, 1, bob, room, 0) == 200);
    struct str kick = town_text(t, "{\"user_id\":\"%s\"}", town_user_id(t, 1, "bob"));
    CHECK(ask_room(t, 0, alice, "POST", room, "kick", kick.p) == 200);
    CHECK(!is_in(t, 1, bob, room, "knock"));
    town_free(t);
}

TEST(nobody_knocks_where_no_knock_is_heard)
{
    struct town *t = town_new(2);
    const char *alice = town_user(t, 0, "alice");
    const char *bob = town_user(t, 1, "bob");
    struct str room = town_room(t, 0, alice, "{\"preset\":\"private_chat\"}");
    CHECK(knock(t, 1, bob, room, 0) == 403);
    CHECK(!is_in(t, 1, bob, room, "knock"));
    t->houses[0].is_away = true;
    CHECK(knock(t, 1, bob, room, 0) == 404);
    town_free(t);
}

/* A space of Alice's at house 0 with a room of Carol's at house 2 in it, a room that is closed, and
 * one of which nobody knows. */
static struct str build_space(struct town *t, const char *alice, const char *carol)
{
    struct str space = town_room(
        t, 0, alice, "{\"preset\":\"public_chat\",\"creation_content\":{\"type\":\"m.space\"}}");
    const struct {
        struct str room;
        int at;
    } children[] = {
        {town_room(t, 2, carol, "{\"preset\":\"public_chat\",\"name\":\"Far\"}"), 2},
        {town_room(t, 0, alice, "{\"preset\":\"private_chat\"}"), 0},
        {town_room(t, 0, alice, "{\"preset\":\"public_chat\",\"name\":\"Near\"}"), 0},
        {STR("!nowhere:nowhere"), 0},
    };
    for (size_t i = 0; i < COUNT_OF(children); i++) {
        struct str what = town_text(t, "state/m.space.child/%.*s",
                                    STR_ARG(percent_write(t->a, children[i].room)));
        struct str content = town_text(t, "{\"via\":[\"%.*s\"],\"order\":\"%zu\"}",
                                       STR_ARG(town_name(t, children[i].at)), i);
        CHECK(town_put(t, 0, alice, space, what.p, content.p).p != NULL);
    }
    return space;
}

TEST(a_space_is_walked_through_the_servers_that_know_its_rooms)
{
    struct town *t = town_new(3);
    const char *bob = town_user(t, 1, "bob");
    struct str space = build_space(t, town_user(t, 0, "alice"), town_user(t, 2, "carol"));
    CHECK(ask_room(t, 1, bob, "GET", space, "hierarchy", "") == 200);
    const struct json *rooms = json_get_array(t->answer, "rooms");
    CHECK(json_count(rooms) == 3);
    const struct json *root = json_first(rooms);
    CHECK_STR(json_get_text(root, "room_id"), space);
    CHECK(json_count(json_get_array(root, "children_state")) == 4);
    CHECK_STR(json_get_text(json_next(root), "name"), STR("Far"));
    CHECK_STR(json_get_text(json_next(json_next(root)), "name"), STR("Near"));
    t->houses[2].is_away = true;
    CHECK(ask_room(t, 1, bob, "GET", space, "hierarchy?limit=1", "") == 200);
    struct str token = json_get_text(t->answer, "next_batch");
    struct str next = town_text(t, "hierarchy?limit=5&from=%.*s", STR_ARG(token));
    CHECK(ask_room(t, 1, bob, "GET", space, next.p, "") == 200);
    rooms = json_get_array(t->answer, "rooms");
    CHECK(json_count(rooms) == 1);
    CHECK_STR(json_get_text(json_first(rooms), "name"), STR("Near"));
    t->houses[0].is_away = true;
    CHECK(ask_room(t, 1, bob, "GET", space, "hierarchy", "") == 403);
    town_free(t);
}

TEST(a_room_elsewhere_is_summed_up)
{
    struct town *t = town_new(2);
    const char *alice = town_user(t, 0, "alice");
    const char *bob = town_user(t, 1, "bob");
    struct str open = town_room(t, 0, alice, "{\"preset\":\"public_chat\",\"name\":\"Open\"}");
    struct str closed = town_room(t, 0, alice, "{\"preset\":\"private_chat\"}");
    struct str line = town_text(t, "GET /_matrix/client/v1/room_summary/%.*s?via=%.*s",
                                STR_ARG(percent_write(t->a, open)), STR_ARG(town_name(t, 0)));
    CHECK(town_ask(t, 1, bob, line.p, "") == 200);
    CHECK_STR(json_get_text(t->answer, "name"), STR("Open"));
    CHECK_STR(json_get_text(t->answer, "membership"), STR("leave"));
    CHECK(json_get(t->answer, STR("children_state")) == NULL);
    CHECK(town_ask(t, 1, "", line.p, "") == 404); /* strangers make nobody ask */
    line = town_text(t, "GET /_matrix/client/v1/room_summary/%.*s",
                     STR_ARG(percent_write(t->a, closed)));
    CHECK(town_ask(t, 1, bob, line.p, "") == 404);
    town_free(t);
}

TEST(an_event_of_a_time_before_the_join_is_found_by_another_server)
{
    struct town *t = town_new(2);
    const char *alice = town_user(t, 0, "alice");
    const char *bob = town_user(t, 1, "bob");
    struct str room = town_room(t, 0, alice, "{\"preset\":\"public_chat\"}");
    town_pass(t, 1000);
    struct str early = town_say(t, 0, alice, room, "early");
    int64_t then_ms = t->now.unix_ms;
    town_pass(t, 3600 * 1000);
    CHECK(town_join(t, 1, bob, room, 0));
    struct str what = town_text(t, "timestamp_to_event?dir=b&ts=%lld", (long long)then_ms + 1000);
    CHECK(ask_room(t, 1, bob, "GET", room, what.p, "") == 200);
    CHECK_STR(json_get_text(t->answer, "event_id"), early);
    CHECK(json_get_int(t->answer, "origin_server_ts", 0) == then_ms);
    CHECK(ask_room(t, 1, bob, "GET", room, "timestamp_to_event?dir=b&ts=5", "") == 404);
    t->houses[0].is_away = true;
    CHECK(ask_room(t, 1, bob, "GET", room, what.p, "") == 404);
    town_free(t);
}

TEST_MAIN(TEST_ROW(a_user_knocks_elsewhere_is_invited_and_comes_in),
          TEST_ROW(a_knock_is_taken_back_or_refused),
          TEST_ROW(nobody_knocks_where_no_knock_is_heard),
          TEST_ROW(a_space_is_walked_through_the_servers_that_know_its_rooms),
          TEST_ROW(a_room_elsewhere_is_summed_up),
          TEST_ROW(an_event_of_a_time_before_the_join_is_found_by_another_server))

/* Operations of the server-server API, asked by another server. */
#include "hs/town_model.h"

#include "base/encode.h"
#include "engine/engine.h"
#include "test/test.h"

TEST(a_server_knocks_for_its_user_and_learns_which_room_it_is)
{
    struct town *t = town_new(2);
    struct event_signer signer = hs_signer(t->houses[1].hs);
    struct event *ev;
    const char *why = "";
    const char *alice = town_user(t, 0, "alice");
    const char *bob = town_user_id(t, 1, "bob");
    struct str room = town_room(
        t, 0, alice,
        "{\"name\":\"Den\",\"initial_state\":[{\"type\":\"m.room.join_rules\",\"state_key\":\"\","
        "\"content\":{\"join_rule\":\"knock\"}}]}");
    struct str path = percent_write(t->a, room);
    struct str make = town_text(t, "GET /_matrix/federation/v1/make_knock/%.*s/%.*s?ver=11",
                                STR_ARG(path), STR_ARG(percent_write(t->a, str_of(bob))));
    CHECK(town_serve(t, 1, 0, make.p, "") == 200);
    CHECK_STR(json_get_text(t->answer, "room_version"), STR("11"));
    struct json *event = json_get_object(t->answer, "event");
    CHECK_STR(json_get_text(json_get_object(event, "content"), "membership"), STR("knock"));
    CHECK(event_complete(t->a, room_version_default(), event, &signer, &ev, &why) == ERR_NONE);
    struct str send = town_text(t, "PUT /_matrix/federation/v1/send_knock/%.*s/%.*s", STR_ARG(path),
                                STR_ARG(percent_write(t->a, ev->id)));
    CHECK(town_serve(t, 1, 0, send.p, ev->json.p) == 200);
    CHECK(json_count(json_get_array(t->answer, "knock_room_state")) >= 3);
    CHECK(town_sees(t, 0, alice, room, ev->id));
    struct str narrow = town_text(t, "GET /_matrix/federation/v1/make_knock/%.*s/%.*s?ver=1",
                                  STR_ARG(path), STR_ARG(percent_write(t->a, str_of(bob))));
    CHECK(town_serve(t, 1, 0, narrow.p, "") == 400);
    CHECK_STR(json_get_text(t->answer, "errcode"), STR("M_INCOMPATIBLE_ROOM_VERSION"));
    town_free(t);
}

TEST(nobody_knocks_where_the_room_does_not_listen)
{
    struct town *t = town_new(2);
    const char *alice = town_user(t, 0, "alice");
    struct str room = town_room(t, 0, alice, "{\"preset\":\"private_chat\"}");
    struct str make = town_text(t, "GET /_matrix/federation/v1/make_knock/%.*s/%.*s?ver=11",
                                STR_ARG(percent_write(t->a, room)),
                                STR_ARG(percent_write(t->a, str_of(town_user_id(t, 1, "bob")))));
    CHECK(town_serve(t, 1, 0, make.p, "") == 403);
    town_free(t);
}

TEST(an_event_is_found_by_its_time)
{
    struct town *t = town_new(2);
    const char *alice = town_user(t, 0, "alice");
    const char *bob = town_user(t, 1, "bob");
    struct str room = town_room(t, 0, alice, "{\"preset\":\"public_chat\"}");
    CHECK(town_join(t, 1, bob, room, 0));
    town_pass(t, 60000);
    struct str id = town_say(t, 0, alice, room, "later");
    struct str line =
        town_text(t, "GET /_matrix/federation/v1/timestamp_to_event/%.*s?dir=f&ts=%lld",
                  STR_ARG(percent_write(t->a, room)), (long long)t->now.unix_ms - 1000);
    CHECK(town_serve(t, 1, 0, line.p, "") == 200);
    CHECK_STR(json_get_text(t->answer, "event_id"), id);
    CHECK(json_get_int(t->answer, "origin_server_ts", 0) == t->now.unix_ms);
    line = town_text(t, "GET /_matrix/federation/v1/timestamp_to_event/%.*s?dir=b&ts=1",
                     STR_ARG(percent_write(t->a, room)));
    CHECK(town_serve(t, 1, 0, line.p, "") == 404);
    town_free(t);
}

TEST(a_notary_answers_for_itself)
{
    struct town *t = town_new(2);
    struct str line = town_text(t, "GET /_matrix/key/v2/query/%.*s", STR_ARG(town_name(t, 0)));
    CHECK(town_serve(t, 1, 0, line.p, "") == 200);
    const struct json *keys = json_first(json_get_array(t->answer, "server_keys"));
    CHECK_STR(json_get_text(keys, "server_name"), town_name(t, 0));
    CHECK(json_get_object(keys, "signatures") != NULL);
    CHECK(town_serve(t, 1, 0, "POST /_matrix/key/v2/query", "{\"server_keys\":{\"else\":{}}}") ==
          200);
    CHECK(json_count(json_get_array(t->answer, "server_keys")) == 0);
    town_free(t);
}

TEST_MAIN(TEST_ROW(a_server_knocks_for_its_user_and_learns_which_room_it_is),
          TEST_ROW(nobody_knocks_where_the_room_does_not_listen),
          TEST_ROW(an_event_is_found_by_its_time), TEST_ROW(a_notary_answers_for_itself))

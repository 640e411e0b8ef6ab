/* What a server that does not keep to the rules may send, and what comes of it. */
#include "hs/town_model.h"

#include "base/encode.h"
#include "engine/engine.h"
#include "test/test.h"

/* The id of the room's state event, as who of house 0 sees it. */
static struct str state_id(struct town *t, const char *who, struct str room, const char *type,
                           const char *state_key)
{
    struct str line =
        town_text(t, "GET /_matrix/client/v3/rooms/%.*s/state", STR_ARG(percent_write(t->a, room)));
    CHECK(town_ask(t, 0, who, line.p, "") == 200);
    for (const struct json *e = json_first(t->answer); e != NULL; e = json_next(e)) {
        if (str_eq(json_get_text(e, "type"), str_of(type)) &&
            str_eq(json_get_text(e, "state_key"), str_of(state_key))) {
            return json_get_text(e, "event_id");
        }
    }
    return STR_ABSENT;
}

/* Bob, of house 1, has power in a room of his own, of which house 0 is too. */
TEST(an_event_that_follows_one_of_another_room_brings_none_of_its_state)
{
    struct town *t = town_new(2);
    struct event_signer signer = hs_signer(t->houses[1].hs);
    struct json *pdu;
    struct event *ev;
    const char *why = "";
    const char *alice = town_user(t, 0, "alice");
    const char *bob = town_user(t, 1, "bob");
    const char *bob_id = town_user_id(t, 1, "bob");
    struct str room = town_room(t, 0, alice, "{\"preset\":\"public_chat\"}");
    struct str own = town_room(t, 1, bob, "{\"preset\":\"public_chat\",\"name\":\"Own\"}");
    CHECK(town_join(t, 1, bob, room, 0));
    CHECK(town_join(t, 0, alice, own, 1));
    struct str prev = town_say(t, 1, bob, own, "here");
    CHECK(town_sees(t, 0, alice, own, prev));
    struct str text = town_text(
        t,
        "{\"type\":\"m.room.message\",\"room_id\":\"%.*s\",\"sender\":\"%s\",\"content\":{"
        "\"msgtype\":\"m.text\",\"body\":\"there\"},\"depth\":99,\"origin_server_ts\":1,"
        "\"prev_events\":[\"%.*s\"],\"auth_events\":[\"%.*s\",\"%.*s\",\"%.*s\"]}",
        STR_ARG(room), bob_id, STR_ARG(prev),
        STR_ARG(state_id(t, alice, room, "m.room.create", "")),
        STR_ARG(state_id(t, alice, room, "m.room.power_levels", "")),
        STR_ARG(state_id(t, alice, room, "m.room.member", bob_id)));
    CHECK(json_parse(t->a, text, &pdu, NULL) == ERR_NONE);
    CHECK(event_complete(t->a, room_version_default(), pdu, &signer, &ev, &why) == ERR_NONE);
    struct str body = town_text(t, "{\"origin\":\"%.*s\",\"origin_server_ts\":1,\"pdus\":[%.*s]}",
                                STR_ARG(town_name(t, 1)), STR_ARG(ev->json));
    CHECK(town_serve(t, 1, 0, "PUT /_matrix/federation/v1/send/1", body.p) == 200);
    CHECK(str_is_absent(state_id(t, alice, room, "m.room.name", "")));
    CHECK(!town_sees(t, 0, alice, room, ev->id));
    town_free(t);
}

TEST_MAIN(TEST_ROW(an_event_that_follows_one_of_another_room_brings_none_of_its_state))

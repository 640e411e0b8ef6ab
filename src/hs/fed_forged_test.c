/* What a server that does not keep to the rules may send, and what comes of it. */
#include "hs/town_model.h"

#include "base/encode.h"
#include "engine/engine.h"
#include "test/test.h"

#include <string.h>

enum { FORKS = 40 };

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

/* Is it in the timeline? */
static bool hears(struct town *t, const char *who, struct str room, const char *text)
{
    struct str line = town_text(t, "GET /_matrix/client/v3/rooms/%.*s/messages?dir=b&limit=50",
                                STR_ARG(percent_write(t->a, room)));
    CHECK(town_ask(t, 0, who, line.p, "") == 200);
    return strstr(json_str(t->a, t->answer).p, text) != NULL;
}

/* House 1 seals it. */
static struct str sealed(struct town *t, struct str text)
{
    struct event_signer signer = hs_signer(t->houses[1].hs);
    struct json *pdu;
    struct event *ev;
    const char *why = "";
    CHECK(json_parse(t->a, text, &pdu, NULL) == ERR_NONE);
    CHECK(event_complete(t->a, room_version_default(), pdu, &signer, &ev, &why) == ERR_NONE);
    return ev->json;
}

static void send_pdus(struct town *t, int from, struct str pdus)
{
    struct str line = town_text(t, "PUT /_matrix/federation/v1/send/%llu",
                                (unsigned long long)t->n_parcels); /* each has another id */
    struct str body = town_text(t, "{\"origin\":\"%.*s\",\"origin_server_ts\":1,\"pdus\":[",
                                STR_ARG(town_name(t, from)));
    body = arena_join(t->a, body, pdus, STR("]}"));
    CHECK(town_serve(t, from, 0, line.p, body.p) == 200);
    const struct json *results = json_get_object(t->answer, "pdus");
    CHECK(json_count(results) > 0);
    for (const struct json *r = json_first(results); r != NULL; r = json_next(r)) {
        CHECK(json_get(r, STR("error")) == NULL); /* what is rejected has been handled */
    }
}

/* Bob, of house 1, has power in a room of his own, of which house 0 is too. */
TEST(an_event_that_follows_one_of_another_room_brings_none_of_its_state)
{
    struct town *t = town_new(2);
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
    send_pdus(t, 1, sealed(t, text));
    CHECK(str_is_absent(state_id(t, alice, room, "m.room.name", "")));
    CHECK(!hears(t, alice, room, "there"));
    town_free(t);
}

/* Bob goes on from his join again and again, each time with another name, and says that it is far
 * down. */
TEST(however_many_forks_are_heaped_up_none_pushes_a_state_out)
{
    struct town *t = town_new(2);
    const char *alice = town_user(t, 0, "alice");
    const char *bob = town_user(t, 1, "bob");
    const char *bob_id = town_user_id(t, 1, "bob");
    struct str room = town_room(t, 0, alice, "{\"preset\":\"public_chat\"}");
    struct str pdus = STR("");
    CHECK(town_join(t, 1, bob, room, 0));
    struct str join = state_id(t, alice, room, "m.room.member", bob_id);
    struct str topic = town_put(t, 0, alice, room, "state/m.room.topic", "{\"topic\":\"ours\"}");
    for (int i = 0; i < FORKS; i++) {
        struct str text = town_text(
            t,
            "{\"type\":\"m.room.member\",\"room_id\":\"%.*s\",\"sender\":\"%s\",\"state_key\":"
            "\"%s\",\"content\":{\"membership\":\"join\",\"displayname\":\"%d\"},\"depth\":9999,"
            "\"origin_server_ts\":%lld,\"prev_events\":[\"%.*s\"],\"auth_events\":[\"%.*s\",\"%.*"
            "s\","
            "\"%.*s\",\"%.*s\"]}",
            STR_ARG(room), bob_id, bob_id, i, (long long)t->now.unix_ms + 1, STR_ARG(join),
            STR_ARG(state_id(t, alice, room, "m.room.create", "")),
            STR_ARG(state_id(t, alice, room, "m.room.power_levels", "")),
            STR_ARG(state_id(t, alice, room, "m.room.join_rules", "")), STR_ARG(join));
        pdus = arena_join(t->a, pdus, i > 0 ? STR(",") : STR(""), sealed(t, text));
    }
    send_pdus(t, 1, pdus);
    CHECK(!str_eq(state_id(t, alice, room, "m.room.member", bob_id), join));
    CHECK_STR(state_id(t, alice, room, "m.room.topic", ""), topic);
    for (int i = 0; i < FORKS / 4; i++) {
        CHECK(town_say(t, 0, alice, room, "on we go").n > 0);
    }
    CHECK_STR(state_id(t, alice, room, "m.room.topic", ""), topic);
    struct query q;
    int n = 0;
    query_start(&q, t->houses[0].hs->store, STMT_EXTREMITY_LIST, "i", (int64_t)1);
    while (query_next(&q)) {
        n++;
    }
    CHECK(query_end(&q) == ERR_NONE);
    CHECK(n == 1); /* what goes on brings the forks together */
    town_free(t);
}

/* A message of a user of house 1 after prev, with what his words are allowed by. */
static struct str message_after(struct town *t, const char *alice, struct str room,
                                const char *user_id, struct str prev, const char *body)
{
    struct str member = state_id(t, alice, room, "m.room.member", user_id);
    struct str join =
        str_is_absent(member) ? STR("") : arena_join(t->a, STR(",\""), member, STR("\""));
    return sealed(
        t, town_text(
               t,
               "{\"type\":\"m.room.message\",\"room_id\":\"%.*s\",\"sender\":\"%s\",\"content\":{"
               "\"msgtype\":\"m.text\",\"body\":\"%s\"},\"depth\":99,\"origin_server_ts\":1,"
               "\"prev_events\":[\"%.*s\"],\"auth_events\":[\"%.*s\",\"%.*s\"%.*s]}",
               STR_ARG(room), user_id, body, STR_ARG(prev),
               STR_ARG(state_id(t, alice, room, "m.room.create", "")),
               STR_ARG(state_id(t, alice, room, "m.room.power_levels", "")), STR_ARG(join)));
}

static struct str id_of(struct town *t, struct str pdu)
{
    struct event *ev;
    CHECK(event_parse_text(t->a, room_version_default(), pdu, &ev, NULL) == ERR_NONE);
    return ev->id;
}

/* House 1 asks house 0 for the state at an event; STR_ABSENT: it names none. */
static int ask_state_ids(struct town *t, struct str room, struct str event_id)
{
    struct str at =
        str_is_absent(event_id) ? STR("") : arena_join(t->a, STR("?event_id="), event_id, STR(""));
    struct str line = town_text(t, "GET /_matrix/federation/v1/state_ids/%.*s%.*s",
                                STR_ARG(percent_write(t->a, room)), STR_ARG(at));
    return town_serve(t, 1, 0, line.p, "");
}

TEST(what_follows_a_rejected_event_stands_on_the_state_before_that)
{
    struct town *t = town_new(2);
    const char *alice = town_user(t, 0, "alice");
    const char *bob = town_user(t, 1, "bob");
    const char *bob_id = town_user_id(t, 1, "bob");
    struct str room = town_room(t, 0, alice, "{\"preset\":\"public_chat\"}");
    CHECK(town_join(t, 1, bob, room, 0));
    struct str join = state_id(t, alice, room, "m.room.member", bob_id);
    struct str stranger =
        message_after(t, alice, room, town_user_id(t, 1, "mallory"), join, "not in the room");
    struct str follows = message_after(t, alice, room, bob_id, id_of(t, stranger), "goes on");
    send_pdus(t, 1, stranger);
    send_pdus(t, 1, follows);
    CHECK(!hears(t, alice, room, "not in the room"));
    CHECK(hears(t, alice, room, "goes on"));
    CHECK(ask_state_ids(t, room, id_of(t, follows)) == 200);
    CHECK(json_count(json_get_array(t->answer, "pdu_ids")) > 0);
    CHECK(ask_state_ids(t, room, id_of(t, stranger)) == 404);
    CHECK(ask_state_ids(t, room, STR_ABSENT) == 400);
    town_free(t);
}

/* What house 1 answers about an event that it has sent to nobody. */
static struct str unheard, state_before_unheard;

static enum fate tell_unheard(struct town *t, struct parcel *p)
{
    bool is_event = strstr(p->line.p, "/v1/event/") != NULL;
    t->seen += strstr(p->line.p, "/v1/state/") != NULL;
    if (p->status != 0 && (is_event || strstr(p->line.p, "/v1/state_ids/") != NULL)) {
        p->status = 200;
        p->answer = is_event ? unheard : state_before_unheard;
    }
    return FATE_PASS;
}

TEST(a_state_of_which_all_is_here_is_told_by_its_ids_alone)
{
    struct town *t = town_new(2);
    const char *alice = town_user(t, 0, "alice");
    const char *bob = town_user(t, 1, "bob");
    const char *bob_id = town_user_id(t, 1, "bob");
    struct str room = town_room(t, 0, alice, "{\"preset\":\"public_chat\"}");
    CHECK(town_join(t, 1, bob, room, 0));
    struct str said = town_say(t, 0, alice, room, "here");
    CHECK(ask_state_ids(t, room, said) == 200);
    state_before_unheard = json_str(t->a, t->answer);
    struct str between = message_after(t, alice, room, bob_id, said, "whispered");
    struct str last = message_after(t, alice, room, bob_id, id_of(t, between), "aloud");
    unheard = arena_join(t->a, STR("{\"pdus\":["), between, STR("]}"));
    t->rule = tell_unheard;
    send_pdus(t, 1, last);
    CHECK(hears(t, alice, room, "whispered"));
    CHECK(hears(t, alice, room, "aloud"));
    CHECK(t->seen == 0);
    town_free(t);
}

static enum fate hold_questions(struct town *t, struct parcel *p)
{
    (void)t;
    return p->from == 0 && p->status == 0 ? FATE_HOLD : FATE_PASS;
}

/* An invite through an address outside Matrix needs no signature of its sender's server. */
static struct str unsigned_invites(struct town *t, struct str room, const char *sender, int first)
{
    struct str pdus = STR("");
    for (int i = first; i < first + TRANSACTION_PDUS_MAX; i++) {
        struct str text = town_text(
            t,
            "%s{\"type\":\"m.room.member\",\"room_id\":\"%.*s\",\"sender\":\"%s\",\"state_key\":"
            "\"%s\",\"content\":{\"membership\":\"invite\",\"third_party_invite\":{}},\"depth\":%d,"
            "\"origin_server_ts\":1,\"prev_events\":[\"$nowhere\"],\"auth_events\":[\"$nobody\"],"
            "\"hashes\":{},\"signatures\":{}}",
            i > first ? "," : "", STR_ARG(room), sender, sender, i);
        pdus = arena_join(t->a, pdus, text, STR(""));
    }
    return pdus;
}

static int64_t count_waiting_of(struct town *t, int house)
{
    int64_t n;
    CHECK(store_get_int(t->houses[0].hs->store, &n, 0, STMT_WAITING_OF_ORIGIN, "it", (int64_t)1,
                        town_name(t, house)) == ERR_NONE);
    return n;
}

/* House 2, which is in no room, speaks in the name of house 1, whose event waits for another. */
TEST(what_its_server_has_not_signed_pushes_out_nothing_that_waits_of_that_server)
{
    enum { FORGED = 600, FIRST_DEPTH = 1000 };
    struct town *t = town_new(3);
    const char *alice = town_user(t, 0, "alice");
    const char *bob = town_user(t, 1, "bob");
    const char *bob_id = town_user_id(t, 1, "bob");
    struct str room = town_room(t, 0, alice, "{\"preset\":\"public_chat\"}");
    CHECK(town_join(t, 1, bob, room, 0));
    town_pass(t, 1000);
    t->rule = hold_questions;
    struct str text = town_text(
        t,
        "{\"type\":\"m.room.message\",\"room_id\":\"%.*s\",\"sender\":\"%s\",\"content\":{"
        "\"msgtype\":\"m.text\",\"body\":\"there\"},\"depth\":99,\"origin_server_ts\":1,"
        "\"prev_events\":[\"$before\"],\"auth_events\":[\"%.*s\",\"%.*s\",\"%.*s\"]}",
        STR_ARG(room), bob_id, STR_ARG(state_id(t, alice, room, "m.room.create", "")),
        STR_ARG(state_id(t, alice, room, "m.room.power_levels", "")),
        STR_ARG(state_id(t, alice, room, "m.room.member", bob_id)));
    send_pdus(t, 1, sealed(t, text));
    CHECK(count_waiting_of(t, 1) == 1);
    for (int i = 0; i < FORGED; i += TRANSACTION_PDUS_MAX) {
        send_pdus(t, 2, unsigned_invites(t, room, bob_id, FIRST_DEPTH + i));
    }
    CHECK(count_waiting_of(t, 1) == 1);
    CHECK(count_waiting_of(t, 2) > 0 && count_waiting_of(t, 2) < TRANSACTION_PDUS_MAX);
    town_free(t);
}

TEST_MAIN(TEST_ROW(an_event_that_follows_one_of_another_room_brings_none_of_its_state),
          TEST_ROW(however_many_forks_are_heaped_up_none_pushes_a_state_out),
          TEST_ROW(a_state_of_which_all_is_here_is_told_by_its_ids_alone),
          TEST_ROW(what_its_server_has_not_signed_pushes_out_nothing_that_waits_of_that_server),
          TEST_ROW(what_follows_a_rejected_event_stands_on_the_state_before_that))

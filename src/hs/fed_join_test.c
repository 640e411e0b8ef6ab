/* Joins, invites and what crosses them on the way. */
#include "hs/town_model.h"

#include "base/encode.h"
#include "engine/engine.h"
#include "test/test.h"

#include <string.h>

static bool is_answer_to(const struct parcel *p, const char *path)
{
    return p->status != 0 && strstr(p->line.p, path) != NULL;
}

static enum fate hold_send_join_answers(struct town *t, struct parcel *p)
{
    (void)t;
    return is_answer_to(p, "/send_join/") ? FATE_HOLD : FATE_PASS;
}

static enum fate lose_send_join_answers(struct town *t, struct parcel *p)
{
    (void)t;
    return is_answer_to(p, "/send_join/") ? FATE_LOSE : FATE_PASS;
}

static uint64_t begin_join(struct town *t, int house, const char *who, struct str room, int through)
{
    struct str line = town_text(t, "POST /_matrix/client/v3/join/%.*s?server_name=%.*s",
                                STR_ARG(percent_write(t->a, room)), STR_ARG(town_name(t, through)));
    return town_begin(t, house, who, line.p, "{}");
}

TEST(what_is_said_while_a_join_is_under_way_is_there_when_it_has_landed)
{
    struct town *t = town_new(3);
    const char *alice = town_user(t, 0, "alice");
    const char *bob = town_user(t, 1, "bob");
    const char *carol = town_user(t, 2, "carol");
    struct str room = town_room(t, 0, alice, "{\"preset\":\"public_chat\"}");
    CHECK(town_join(t, 1, bob, room, 0));
    t->rule = hold_send_join_answers;
    uint64_t id = begin_join(t, 2, carol, room, 0);
    CHECK(t->asked[id] == 0);
    struct str of_alice = town_say(t, 0, alice, room, "from the resident");
    struct str of_bob = town_say(t, 1, bob, room, "from another");
    CHECK(t->asked[id] == 0);
    town_release(t);
    CHECK(t->asked[id] == 200);
    CHECK(town_sees(t, 2, carol, room, of_alice));
    CHECK(town_sees(t, 2, carol, room, of_bob));
    town_free(t);
}

TEST(what_was_kept_for_a_join_that_fails_is_forgotten)
{
    struct town *t = town_new(2);
    int64_t waiting;
    const char *alice = town_user(t, 0, "alice");
    const char *bob = town_user(t, 1, "bob");
    struct str room = town_room(t, 0, alice, "{\"preset\":\"public_chat\"}");
    t->rule = hold_send_join_answers;
    uint64_t id = begin_join(t, 1, bob, room, 0);
    (void)town_say(t, 0, alice, room, "meanwhile");
    CHECK(store_get_int(t->houses[1].hs->store, &waiting, 0, STMT_WAITING_COUNT, "i", (int64_t)1) ==
          ERR_NONE);
    CHECK(waiting > 0);
    t->rule = lose_send_join_answers;
    town_let_go(t);
    CHECK(t->asked[id] == 404);
    CHECK(store_get_int(t->houses[1].hs->store, &waiting, 0, STMT_WAITING_COUNT, "i", (int64_t)1) ==
          ERR_NONE);
    CHECK(waiting == 0);
    town_free(t);
}

/* The part of an initial /sync: "invite", "leave", ... */
static const struct json *sync_of(struct town *t, int house, const char *who, const char *part,
                                  struct str room)
{
    CHECK(town_ask(t, house, who, "GET /_matrix/client/v3/sync?timeout=0", "") == 200);
    return json_get(json_get_object(json_get_object(t->answer, "rooms"), part), room);
}

static void set_membership(struct town *t, const char *who, struct str room, const char *verb,
                           const char *user_id)
{
    struct str line = town_text(t, "POST /_matrix/client/v3/rooms/%.*s/%s",
                                STR_ARG(percent_write(t->a, room)), verb);
    CHECK(town_ask(t, 0, who, line.p, town_text(t, "{\"user_id\":\"%s\"}", user_id).p) == 200);
}

/* Bob's next sync tells him of the end of the invite as of an event in the timeline. */
static void check_end(struct town *t, const char *bob, struct str room, struct str since,
                      const char *sender, const char *membership)
{
    struct str line =
        town_text(t, "GET /_matrix/client/v3/sync?timeout=0&since=%.*s", STR_ARG(since));
    CHECK(town_ask(t, 1, bob, line.p, "") == 200);
    const struct json *left =
        json_get(json_get_object(json_get_object(t->answer, "rooms"), "leave"), room);
    const struct json *end =
        json_first(json_get_array(json_get_object(left, "timeline"), "events"));
    CHECK_STR(json_get_text(end, "type"), STR("m.room.member"));
    CHECK_STR(json_get_text(end, "sender"), str_of(sender));
    CHECK_STR(json_get_text(end, "state_key"), str_of(town_user_id(t, 1, "bob")));
    CHECK(json_get_text(end, "event_id").n > 1);
    CHECK_STR(json_get_text(json_get_object(end, "content"), "membership"), str_of(membership));
}

static void check_retraction(const char *verb)
{
    struct town *t = town_new(2);
    const char *alice = town_user(t, 0, "alice");
    const char *bob = town_user(t, 1, "bob");
    struct str room = town_room(t, 0, alice, "{\"preset\":\"private_chat\"}");
    set_membership(t, alice, room, "invite", town_user_id(t, 1, "bob"));
    CHECK(sync_of(t, 1, bob, "invite", room) != NULL);
    struct str since = json_get_text(t->answer, "next_batch");
    set_membership(t, alice, room, verb, town_user_id(t, 1, "bob"));
    CHECK(sync_of(t, 1, bob, "invite", room) == NULL);
    check_end(t, bob, room, since, town_user_id(t, 0, "alice"),
              strcmp(verb, "ban") == 0 ? "ban" : "leave");
    town_free(t);
}

TEST(who_declines_an_invite_sees_himself_leave_whether_or_not_anybody_is_there_to_hear_it)
{
    for (int is_away = 0; is_away < 2; is_away++) {
        struct town *t = town_new(2);
        const char *alice = town_user(t, 0, "alice");
        const char *bob = town_user(t, 1, "bob");
        struct str room = town_room(t, 0, alice, "{\"preset\":\"private_chat\"}");
        set_membership(t, alice, room, "invite", town_user_id(t, 1, "bob"));
        CHECK(sync_of(t, 1, bob, "invite", room) != NULL);
        struct str since = json_get_text(t->answer, "next_batch");
        t->houses[0].is_away = is_away != 0;
        CHECK(town_leave(t, 1, bob, room));
        check_end(t, bob, room, since, town_user_id(t, 1, "bob"), "leave");
        town_free(t);
    }
}

TEST(an_invite_that_is_taken_back_is_gone)
{
    check_retraction("kick");
}

/* Version 2 of the invite is not known to house 1. */
static enum fate know_v1_only(struct town *t, struct parcel *p)
{
    t->seen += strstr(p->line.p, "/v1/invite/") != NULL && p->status == 200;
    if (is_answer_to(p, "/v2/invite/")) {
        p->status = 404;
        p->answer = STR("{\"errcode\":\"M_UNRECOGNIZED\",\"error\":\"\"}");
    }
    return FATE_PASS;
}

TEST(a_server_that_knows_old_invites_only_is_asked_by_one)
{
    struct town *t = town_new(2);
    const char *alice = town_user(t, 0, "alice");
    const char *bob = town_user(t, 1, "bob");
    struct str body = town_text(t, "{\"user_id\":\"%s\"}", town_user_id(t, 1, "bob"));
    t->rule = know_v1_only;
    for (int is_old = 0; is_old < 2; is_old++) {
        struct str room = town_room(t, 0, alice, is_old ? "{\"room_version\":\"1\"}" : "{}");
        struct str line = town_text(t, "POST /_matrix/client/v3/rooms/%.*s/invite",
                                    STR_ARG(percent_write(t->a, room)));
        CHECK(town_ask(t, 0, alice, line.p, body.p) == (is_old ? 200 : 403));
        CHECK(t->seen == is_old);
        CHECK(town_join(t, 1, bob, room, 0) == is_old);
    }
    town_free(t);
}

/* Version 2 of send_join and send_leave is not known to house 0, which has no word for it either.
 */
static enum fate know_old_sending_only(struct town *t, struct parcel *p)
{
    bool is_new = strstr(p->line.p, "/v2/send_") != NULL;
    t->seen += strstr(p->line.p, "/v1/send_") != NULL && p->status == 200;
    if (p->status != 0 && is_new) {
        p->status = 404;
        p->answer = STR("");
    }
    return FATE_PASS;
}

TEST(a_server_that_knows_old_joins_and_leaves_only_is_asked_by_them)
{
    struct town *t = town_new(2);
    const char *alice = town_user(t, 0, "alice");
    const char *bob = town_user(t, 1, "bob");
    struct str room = town_room(t, 0, alice, "{\"preset\":\"public_chat\"}");
    t->rule = know_old_sending_only;
    CHECK(town_join(t, 1, bob, room, 0));
    CHECK(t->seen == 1);
    struct str shut = town_room(t, 0, alice, "{}");
    set_membership(t, alice, shut, "invite", town_user_id(t, 1, "bob"));
    CHECK(town_leave(t, 1, bob, shut));
    CHECK(t->seen == 2);
    town_free(t);
}

static enum fate refuse_in_own_words(struct town *t, struct parcel *p)
{
    static const char *const words[] = {
        "{\"errcode\":\"M_INCOMPATIBLE_ROOM_VERSION\",\"error\":\"\",\"room_version\":\"new\"}",
        "{\"errcode\":\"ORG.EXAMPLE\",\"error\":\"\"}",
        "{\"errcode\":\"M_UNKNOWN_TOKEN\",\"error\":\"\"}",
        "{\"errcode\":\"M_ROOM_IS_A_TEST\",\"error\":\"no\"}"};
    if (is_answer_to(p, "/make_join/")) {
        p->status = 400;
        p->answer = str_of(words[t->seen]);
    }
    return FATE_PASS;
}

TEST(what_a_resident_says_of_the_room_is_told_in_its_words)
{
    static const int told[] = {400, 404, 404, 400};
    struct town *t = town_new(2);
    const char *alice = town_user(t, 0, "alice");
    const char *bob = town_user(t, 1, "bob");
    struct str room = town_room(t, 0, alice, "{\"preset\":\"public_chat\"}");
    t->rule = refuse_in_own_words;
    for (t->seen = 0; t->seen < 4; t->seen++) {
        uint64_t id = begin_join(t, 1, bob, room, 0);
        CHECK(t->asked[id] == told[t->seen]);
        if (t->seen == 0) {
            CHECK_STR(json_get_text(t->answer, "room_version"), STR("new"));
        }
    }
    CHECK_STR(json_get_text(t->answer, "errcode"), STR("M_ROOM_IS_A_TEST"));
    town_free(t);
}

/* send_join's answer holds what its state cites in the auth chain too, and nothing is sent besides.
 */
static enum fate look_at_join(struct town *t, struct parcel *p)
{
    struct json *body;
    CHECK(p->from != 0 || strstr(p->line.p, "/v1/send/") == NULL);
    if (p->status != 200 || strstr(p->line.p, "/send_join/") == NULL) {
        return FATE_PASS;
    }
    CHECK(json_parse(t->a, p->answer, &body, NULL) == ERR_NONE);
    const struct json *chain = json_get_array(body, "auth_chain");
    CHECK(json_count(chain) < json_count(json_get_array(body, "state")));
    for (const struct json *e = json_first(chain); e != NULL; e = json_next(e)) {
        t->seen += str_eq(json_get_text(e, "type"), STR("m.room.create"));
    }
    return FATE_PASS;
}

TEST(who_joins_gets_the_auth_chain_of_the_state_and_is_not_told_of_himself)
{
    struct town *t = town_new(2);
    const char *alice = town_user(t, 0, "alice");
    const char *bob = town_user(t, 1, "bob");
    struct str room = town_room(t, 0, alice, "{\"preset\":\"public_chat\"}");
    t->rule = look_at_join;
    CHECK(town_join(t, 1, bob, room, 0));
    town_pass(t, 1000);
    CHECK(t->seen == 1);
    town_free(t);
}

TEST(an_invite_ends_with_a_ban)
{
    check_retraction("ban");
}

/* A kick of bob by carol, of whom bob's server knows nothing. */
TEST(a_stranger_cannot_take_an_invite_back)
{
    struct town *t = town_new(3);
    const char *alice = town_user(t, 0, "alice");
    const char *bob = town_user(t, 1, "bob");
    struct event_signer signer = hs_signer(t->houses[2].hs);
    struct json *kick;
    struct event *ev;
    const char *why = "";
    struct str room = town_room(t, 0, alice, "{\"preset\":\"private_chat\"}");
    set_membership(t, alice, room, "invite", town_user_id(t, 1, "bob"));
    struct str text = town_text(
        t,
        "{\"type\":\"m.room.member\",\"room_id\":\"%.*s\",\"sender\":\"%s\",\"state_key\":\"%s\","
        "\"content\":{\"membership\":\"leave\"},\"depth\":9,\"origin_server_ts\":1,"
        "\"prev_events\":[],\"auth_events\":[]}",
        STR_ARG(room), town_user_id(t, 2, "carol"), town_user_id(t, 1, "bob"));
    CHECK(json_parse(t->a, text, &kick, NULL) == ERR_NONE);
    CHECK(event_complete(t->a, room_version_default(), kick, &signer, &ev, &why) == ERR_NONE);
    struct str body = town_text(t, "{\"origin\":\"%.*s\",\"origin_server_ts\":1,\"pdus\":[%.*s]}",
                                STR_ARG(town_name(t, 2)), STR_ARG(ev->json));
    CHECK(town_serve(t, 2, 1, "PUT /_matrix/federation/v1/send/1", body.p) == 200);
    CHECK(sync_of(t, 1, bob, "invite", room) != NULL);
    town_free(t);
}

TEST(who_went_away_while_his_join_was_under_way_is_not_answered)
{
    struct town *t = town_new(2);
    const char *alice = town_user(t, 0, "alice");
    const char *bob = town_user(t, 1, "bob");
    struct str room = town_room(t, 0, alice, "{\"preset\":\"public_chat\"}");
    t->rule = hold_send_join_answers;
    uint64_t id = begin_join(t, 1, bob, room, 0);
    hs_request_gone(t->houses[1].hs, t->now, id);
    town_release(t);
    CHECK(t->asked[id] == 0);
    CHECK(town_say(t, 1, bob, room, "in all the same").n > 0);
    town_free(t);
}

static bool is_to_bob(const struct parcel *p)
{
    return p->to == 1 && p->status == 0 && strstr(p->line.p, "/federation/v1/send/") != NULL;
}

/* House 1 hears nothing of house 0, and is told by nobody what it misses. */
static enum fate keep_from_bob(struct town *t, struct parcel *p)
{
    (void)t;
    if (p->from == 1 && strstr(p->line.p, "/get_missing_events/") != NULL) {
        return FATE_LOSE;
    }
    return is_to_bob(p) && p->from == 0 ? FATE_HOLD : FATE_PASS;
}

static enum fate keep_and_hold(struct town *t, struct parcel *p)
{
    return hold_send_join_answers(t, p) == FATE_HOLD ? FATE_HOLD : keep_from_bob(t, p);
}

TEST(a_fetch_that_is_due_leaves_what_waits_for_a_join_under_way)
{
    struct town *t = town_new(3);
    const char *alice = town_user(t, 0, "alice");
    const char *bob = town_user(t, 1, "bob");
    const char *carol = town_user(t, 2, "carol");
    struct str room = town_room(t, 0, alice, "{\"preset\":\"public_chat\"}");
    CHECK(town_join(t, 2, carol, room, 0));
    CHECK(town_join(t, 1, bob, room, 0));
    t->rule = keep_from_bob;
    (void)town_say(t, 0, alice, room, "unheard");
    (void)town_say(t, 2, carol, room, "follows it");
    CHECK(town_leave(t, 1, bob, room));
    t->rule = keep_and_hold;
    uint64_t id = begin_join(t, 1, bob, room, 0);
    struct str late = town_say(t, 2, carol, room, "meanwhile");
    town_pass(t, 8000);
    CHECK(t->asked[id] == 0);
    town_release(t);
    CHECK(t->asked[id] == 200);
    CHECK(town_sees(t, 1, bob, room, late));
    town_free(t);
}

static enum fate keep_and_hold_answers(struct town *t, struct parcel *p)
{
    (void)t;
    if (is_answer_to(p, "/get_missing_events/")) {
        return FATE_HOLD;
    }
    return is_to_bob(p) && p->from == 0 ? FATE_HOLD : FATE_PASS;
}

TEST(an_answer_that_comes_after_we_have_left_is_no_news)
{
    struct town *t = town_new(3);
    const char *alice = town_user(t, 0, "alice");
    const char *bob = town_user(t, 1, "bob");
    const char *carol = town_user(t, 2, "carol");
    int64_t known;
    struct str room = town_room(t, 0, alice, "{\"preset\":\"public_chat\"}");
    CHECK(town_join(t, 2, carol, room, 0));
    CHECK(town_join(t, 1, bob, room, 0));
    t->rule = keep_and_hold_answers;
    struct str unheard = town_say(t, 0, alice, room, "unheard");
    (void)town_say(t, 2, carol, room, "follows it");
    CHECK(town_leave(t, 1, bob, room));
    town_release(t);
    CHECK(store_get_int(t->houses[1].hs->store, &known, 0, STMT_EVENT_FIND, "t", unheard) ==
          ERR_NONE);
    CHECK(known == 0);
    town_free(t);
}

static enum fate hold_from_alice(struct town *t, struct parcel *p)
{
    (void)t;
    return is_to_bob(p) && p->from == 0 ? FATE_HOLD : FATE_PASS;
}

/* Nor does anybody let it read the room. */
static enum fate refuse_bob(struct town *t, struct parcel *p)
{
    if (p->from == 1 && p->status != 0 && strstr(p->line.p, "/send/") == NULL) {
        p->status = 403;
        p->answer = STR("{\"errcode\":\"M_FORBIDDEN\"}");
    }
    return hold_from_alice(t, p);
}

TEST(an_event_waits_while_the_others_have_not_heard_that_we_are_in_the_room)
{
    struct town *t = town_new(3);
    const char *alice = town_user(t, 0, "alice");
    const char *bob = town_user(t, 1, "bob");
    const char *carol = town_user(t, 2, "carol");
    struct str room = town_room(t, 0, alice, "{\"preset\":\"public_chat\"}");
    CHECK(town_join(t, 2, carol, room, 0));
    CHECK(town_join(t, 1, bob, room, 0));
    t->rule = refuse_bob;
    struct str unheard = town_say(t, 0, alice, room, "unheard");
    struct str follows = town_say(t, 2, carol, room, "follows it");
    town_pass(t, 60000);
    CHECK(!town_sees(t, 1, bob, room, follows));
    t->rule = hold_from_alice;
    town_pass(t, 600000);
    CHECK(town_sees(t, 1, bob, room, unheard));
    CHECK(town_sees(t, 1, bob, room, follows));
    town_free(t);
}

static enum fate hold_make_join_answers(struct town *t, struct parcel *p)
{
    (void)t;
    return is_answer_to(p, "/make_join/") ? FATE_HOLD : FATE_PASS;
}

TEST(who_joins_hears_from_others_that_somebody_has_gone_meanwhile)
{
    struct town *t = town_new(3);
    const char *alice = town_user(t, 0, "alice");
    const char *bob = town_user(t, 1, "bob");
    const char *carol = town_user(t, 2, "carol");
    struct str room = town_room(t, 0, alice, "{\"preset\":\"public_chat\"}");
    CHECK(town_join(t, 2, carol, room, 0));
    t->rule = hold_make_join_answers;
    uint64_t id = begin_join(t, 1, bob, room, 0);
    struct str path = percent_write(t->a, room);
    CHECK(town_leave(t, 2, carol, room));
    town_release(t);
    CHECK(t->asked[id] == 200);
    struct str line =
        town_text(t, "GET /_matrix/client/v3/rooms/%.*s/state/m.room.member/%.*s", STR_ARG(path),
                  STR_ARG(percent_write(t->a, str_of(town_user_id(t, 2, "carol")))));
    CHECK(town_ask(t, 1, bob, line.p, "") == 200);
    CHECK_STR(json_get_text(t->answer, "membership"), STR("leave"));
    town_free(t);
}

static enum fate hold_aliases(struct town *t, struct parcel *p)
{
    (void)t;
    return is_answer_to(p, "/query/directory") ? FATE_HOLD : FATE_PASS;
}

/* What the resident told of the room is older than the leave, though it has heard of that since. */
TEST(who_leaves_while_another_of_his_server_is_joining_stays_out)
{
    struct town *t = town_new(2);
    const char *alice = town_user(t, 0, "alice");
    const char *bob = town_user(t, 1, "bob");
    const char *carol = town_user(t, 1, "carol");
    struct str room =
        town_room(t, 0, alice, "{\"preset\":\"public_chat\",\"room_alias_name\":\"den\"}");
    struct str by_alias =
        town_text(t, "POST /_matrix/client/v3/join/%%23den:%.*s", STR_ARG(town_name(t, 0)));
    t->rule = hold_aliases;
    uint64_t id = town_begin(t, 1, carol, by_alias.p, "{}");
    CHECK(town_join(t, 1, bob, room, 0));
    t->rule = hold_send_join_answers;
    town_let_go(t);
    CHECK(town_leave(t, 1, bob, room));
    CHECK(t->asked[id] == 0);
    town_release(t);
    CHECK(t->asked[id] == 200);
    CHECK(sync_of(t, 1, carol, "join", room) != NULL);
    CHECK(sync_of(t, 1, bob, "join", room) == NULL);
    town_free(t);
}

/* The list with its m.room.create behind all others. */
static struct json *create_last(struct town *t, const struct json *list)
{
    struct json *out = json_array(t->a);
    for (int makes_room = 0; makes_room < 2; makes_room++) {
        for (const struct json *e = json_first(list); e != NULL; e = json_next(e)) {
            if (str_eq(json_get_text(e, "type"), STR("m.room.create")) == (makes_room != 0)) {
                json_push(out, json_copy(t->a, e));
            }
        }
    }
    return out;
}

static enum fate tell_create_last(struct town *t, struct parcel *p)
{
    struct json *body;
    if (p->status != 200 || strstr(p->line.p, "/send_join/") == NULL) {
        return FATE_PASS;
    }
    CHECK(json_parse(t->a, p->answer, &body, NULL) == ERR_NONE);
    json_put(body, STR("state"), create_last(t, json_get_array(body, "state")));
    json_put(body, STR("auth_chain"), create_last(t, json_get_array(body, "auth_chain")));
    p->answer = json_str(t->a, body);
    t->seen++;
    return FATE_PASS;
}

TEST(a_room_may_be_told_with_its_creation_last)
{
    static const char *const versions[] = {"1", "2", "11", "12"};
    struct town *t = town_new(2);
    const char *alice = town_user(t, 0, "alice");
    const char *bob = town_user(t, 1, "bob");
    t->rule = tell_create_last;
    for (int i = 0; i < (int)COUNT_OF(versions); i++) {
        struct str body =
            town_text(t, "{\"preset\":\"public_chat\",\"room_version\":\"%s\"}", versions[i]);
        CHECK(town_join(t, 1, bob, town_room(t, 0, alice, body.p), 0));
        CHECK(t->seen == i + 1);
    }
    town_free(t);
}

TEST_MAIN(
    TEST_ROW(what_is_said_while_a_join_is_under_way_is_there_when_it_has_landed),
    TEST_ROW(what_was_kept_for_a_join_that_fails_is_forgotten),
    TEST_ROW(an_invite_that_is_taken_back_is_gone),
    TEST_ROW(a_server_that_knows_old_invites_only_is_asked_by_one),
    TEST_ROW(a_server_that_knows_old_joins_and_leaves_only_is_asked_by_them),
    TEST_ROW(what_a_resident_says_of_the_room_is_told_in_its_words),
    TEST_ROW(who_joins_gets_the_auth_chain_of_the_state_and_is_not_told_of_himself),
    TEST_ROW(an_invite_ends_with_a_ban),
    TEST_ROW(who_declines_an_invite_sees_himself_leave_whether_or_not_anybody_is_there_to_hear_it),
    TEST_ROW(who_went_away_while_his_join_was_under_way_is_not_answered),
    TEST_ROW(a_stranger_cannot_take_an_invite_back),
    TEST_ROW(a_fetch_that_is_due_leaves_what_waits_for_a_join_under_way),
    TEST_ROW(an_answer_that_comes_after_we_have_left_is_no_news),
    TEST_ROW(an_event_waits_while_the_others_have_not_heard_that_we_are_in_the_room),
    TEST_ROW(a_room_may_be_told_with_its_creation_last),
    TEST_ROW(who_joins_hears_from_others_that_somebody_has_gone_meanwhile),
    TEST_ROW(who_leaves_while_another_of_his_server_is_joining_stays_out))

/* Devices of users elsewhere: asked for once, kept while every change is told, asked for again when
 * one may have been missed. Alice at house 0 looks at the devices of Bob at house 1. */
#include "hs/town_model.h"

#include "base/encode.h"
#include "engine/engine.h"
#include "fed/resync.h"
#include "test/test.h"

#include <string.h>

struct scene {
    struct town *t;
    const char *alice, *bob;
    struct str room, since;
};

/* What house 0 asks of house 1 about keys. */
static bool is_question(const struct parcel *p)
{
    return p->status == 0 && p->from == 0 &&
           (strstr(p->line.p, "/user/devices/") != NULL ||
            strstr(p->line.p, "/user/keys/query") != NULL);
}

static enum fate count_questions(struct town *t, struct parcel *p)
{
    t->seen += is_question(p);
    return FATE_PASS;
}

static enum fate fail_questions(struct town *t, struct parcel *p)
{
    if (is_question(p)) {
        t->seen++;
        p->status = 500;
        p->answer = STR("{\"errcode\":\"M_UNKNOWN\"}");
    }
    return FATE_PASS;
}

static enum fate hold_answers(struct town *t, struct parcel *p)
{
    (void)t;
    return p->status != 0 && strstr(p->line.p, "/user/devices/") != NULL ? FATE_HOLD : FATE_PASS;
}

/* Bob's device has other keys, told apart by a letter. */
static void upload(struct scene *s, char letter)
{
    struct str id;
    const char *user = town_user_id(s->t, 1, "bob");
    CHECK(town_ask(s->t, 1, s->bob, "GET /_matrix/client/v3/account/whoami", "") == 200);
    id = json_get_text(s->t->answer, "device_id");
    struct str body =
        town_text(s->t,
                  "{\"device_keys\":{\"user_id\":\"%s\",\"device_id\":\"%.*s\",\"algorithms\":[],"
                  "\"keys\":{\"ed25519:%.*s\":\"%c\"},\"signatures\":{}}}",
                  user, STR_ARG(id), STR_ARG(id), letter);
    CHECK(town_ask(s->t, 1, s->bob, "POST /_matrix/client/v3/keys/upload", body.p) == 200);
    town_pass(s->t, 1000);
}

/* The letter of the one device that Bob is said to have; 0: none. */
static char query(struct scene *s)
{
    struct str user = str_of(town_user_id(s->t, 1, "bob"));
    struct str body = town_text(s->t, "{\"device_keys\":{\"%.*s\":[]}}", STR_ARG(user));
    CHECK(town_ask(s->t, 0, s->alice, "POST /_matrix/client/v3/keys/query", body.p) == 200);
    const struct json *devices = json_get(json_get_object(s->t->answer, "device_keys"), user);
    CHECK(json_count(devices) <= 1);
    struct str key = json_text(json_first(json_get_object(json_first(devices), "keys")));
    return key.n == 1 ? key.p[0] : (char)0;
}

/* Is Bob in that list of Alice's next sync? */
static bool is_told(struct scene *s, const char *list)
{
    struct str line = town_text(s->t, "GET /_matrix/client/v3/sync?since=%.*s", STR_ARG(s->since));
    CHECK(town_ask(s->t, 0, s->alice, line.p, "") == 200);
    s->since = json_get_text(s->t->answer, "next_batch");
    const struct json *users = json_get_array(json_get_object(s->t->answer, "device_lists"), list);
    return str_eq(json_text(json_first(users)), str_of(town_user_id(s->t, 1, "bob")));
}

static void open_scene(struct scene *s)
{
    s->t = town_new(2);
    s->alice = town_user(s->t, 0, "alice");
    s->bob = town_user(s->t, 1, "bob");
    s->room = town_room(s->t, 0, s->alice, "{\"preset\":\"public_chat\"}");
    s->since = STR("");
    upload(s, 'a');
    CHECK(town_join(s->t, 1, s->bob, s->room, 0));
    (void)is_told(s, "changed");
    s->t->rule = count_questions;
    s->t->seen = 0;
}

/* House 1 tells that Bob's device has the keys of that letter, as the change that follows prev. */
static void tell(struct scene *s, const char *txn_id, int stream_id, int prev, char letter)
{
    struct str body = town_text(
        s->t,
        "{\"origin\":\"%.*s\",\"origin_server_ts\":1,\"pdus\":[],\"edus\":[{\"edu_type\":"
        "\"m.device_list_update\",\"content\":{\"user_id\":\"%s\",\"device_id\":\"TOLD\","
        "\"stream_id\":%d,\"prev_id\":[%d],\"keys\":{\"keys\":{\"x\":\"%c\"}}}}]}",
        STR_ARG(town_name(s->t, 1)), town_user_id(s->t, 1, "bob"), stream_id, prev, letter);
    struct str line = town_text(s->t, "PUT /_matrix/federation/v1/send/%s", txn_id);
    CHECK(town_serve(s->t, 1, 0, line.p, body.p) == 200);
}

TEST(devices_are_asked_for_once_and_follow_what_their_server_tells)
{
    struct scene s;
    open_scene(&s);
    CHECK(query(&s) == 'a');
    CHECK(query(&s) == 'a');
    CHECK(s.t->seen == 1);
    upload(&s, 'b');
    CHECK(is_told(&s, "changed"));
    CHECK(query(&s) == 'b');
    upload(&s, 'c');
    s.t->houses[1].is_away = true;
    CHECK(query(&s) == 'c');
    CHECK(s.t->seen == 1);
    town_free(s.t);
}

TEST(a_device_that_went_is_gone_without_asking)
{
    struct scene s;
    open_scene(&s);
    CHECK(query(&s) == 'a');
    CHECK(town_ask(s.t, 1, s.bob, "POST /_matrix/client/v3/logout", "") == 200);
    town_pass(s.t, 1000);
    CHECK(is_told(&s, "changed"));
    CHECK(query(&s) == 0);
    CHECK(s.t->seen == 1);
    town_free(s.t);
}

TEST(after_a_change_that_was_missed_the_list_is_asked_for_before_it_is_told)
{
    struct scene s;
    open_scene(&s);
    CHECK(query(&s) == 'a');
    s.t->rule = hold_answers;
    tell(&s, "gap", 1000001, 1000000, 'x');
    CHECK(!is_told(&s, "changed"));
    s.t->rule = count_questions;
    town_let_go(s.t);
    CHECK(is_told(&s, "changed"));
    s.t->seen = 0;
    CHECK(query(&s) == 'a'); /* what house 1 says when it is asked */
    CHECK(s.t->seen == 0);
    town_free(s.t);
}

TEST(an_answer_that_is_older_than_a_change_is_not_kept)
{
    struct scene s;
    open_scene(&s);
    CHECK(query(&s) == 'a');
    s.t->rule = hold_answers;
    tell(&s, "gap", 1000001, 1000000, 'x');
    s.t->rule = count_questions;
    tell(&s, "next", 1000002, 1000001, 'y');
    s.t->seen = 0;
    town_let_go(s.t);
    CHECK(s.t->seen == 1); /* asked once more */
    CHECK(query(&s) == 'a');
    CHECK(s.t->seen == 1);
    town_free(s.t);
}

TEST(a_server_that_fails_is_asked_again_later_also_by_who_remembers_nothing)
{
    struct scene s;
    open_scene(&s);
    CHECK(query(&s) == 'a');
    s.t->rule = fail_questions;
    tell(&s, "gap", 1000001, 1000000, 'x');
    CHECK(is_told(&s, "changed"));
    CHECK(query(&s) == 0);
    s.t->seen = 0;
    town_pass(s.t, 3600 * 1000);
    CHECK(s.t->seen > 3 && s.t->seen < 20);
    struct hs *hs = s.t->houses[0].hs;
    resyncs_free(hs->resyncs);
    hs->resyncs = resyncs_new();
    CHECK(resyncs_load(hs) == ERR_NONE);
    s.t->rule = count_questions;
    town_pass(s.t, 1000);
    CHECK(is_told(&s, "changed"));
    s.t->houses[1].is_away = true;
    CHECK(query(&s) == 'a');
    town_free(s.t);
}

/* House 1 answers, but says nothing. */
static enum fate say_nothing(struct town *t, struct parcel *p)
{
    if (is_question(p)) {
        t->seen++;
        p->status = 200;
        p->answer = STR("{}");
    }
    return FATE_PASS;
}

TEST(an_answer_without_devices_is_none_and_asked_for_again_later)
{
    struct scene s;
    open_scene(&s);
    s.t->rule = say_nothing;
    CHECK(query(&s) == 0);
    tell(&s, "gap", 1000001, 1000000, 'x');
    s.t->seen = 0;
    town_pass(s.t, 60 * 1000);
    CHECK(s.t->seen > 0 && s.t->seen < 10);
    s.t->rule = count_questions;
    CHECK(query(&s) == 'a');
    town_free(s.t);
}

TEST(a_server_that_tells_many_changes_pushes_nothing_else_out)
{
    enum { PARTS = 100 };
    struct scene s;
    int64_t first, last;
    open_scene(&s);
    CHECK(query(&s) == 'a');
    struct store *store = s.t->houses[0].hs->store;
    int64_t user;
    CHECK(store_name_find(store, str_of(town_user_id(s.t, 1, "bob")), &user) == ERR_NONE);
    CHECK(store_get_int(store, &first, 0, STMT_REMOTE_LIST_GET, "i", user) == ERR_NONE);
    for (int i = 0; i < PARTS; i++) {
        tell(&s, town_text(s.t, "t%d", i).p, 2000000 + 2 * i, 1999999 + 2 * i, 'x');
    }
    CHECK(store_get_int(store, &last, 0, STMT_REMOTE_LIST_GET, "i", user) == ERR_NONE);
    CHECK(first != 0 && first == last);
    town_free(s.t);
}

TEST(cross_signing_keys_are_asked_for_when_they_change)
{
    struct scene s;
    struct str user;
    open_scene(&s);
    CHECK(query(&s) == 'a');
    user = str_of(town_user_id(s.t, 1, "bob"));
    CHECK(json_get_object(s.t->answer, "master_keys") == NULL);
    struct str body =
        town_text(s.t,
                  "{\"master_key\":{\"user_id\":\"%.*s\",\"usage\":[\"master\"],\"keys\":{"
                  "\"ed25519:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\":"
                  "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}}}",
                  STR_ARG(user));
    CHECK(town_ask(s.t, 1, s.bob, "POST /_matrix/client/v3/keys/device_signing/upload", body.p) ==
          200);
    town_pass(s.t, 1000);
    CHECK(is_told(&s, "changed"));
    s.t->seen = 0;
    CHECK(query(&s) == 'a');
    CHECK(json_get(json_get_object(s.t->answer, "master_keys"), user) != NULL);
    CHECK(s.t->seen == 0);
    upload(&s, 'b'); /* the sequence of devices goes on */
    CHECK(query(&s) == 'b');
    CHECK(s.t->seen == 0);
    town_free(s.t);
}

static void leave(struct scene *s, int house, const char *who)
{
    CHECK(town_leave(s->t, house, who, s->room));
    town_pass(s->t, 1000);
}

TEST(what_is_known_of_a_user_is_forgotten_with_the_last_common_room)
{
    struct scene s;
    open_scene(&s);
    CHECK(query(&s) == 'a');
    leave(&s, 1, s.bob);
    CHECK(is_told(&s, "left"));
    upload(&s, 'b');
    CHECK(query(&s) == 'b');
    upload(&s, 'c');
    CHECK(query(&s) == 'c'); /* never kept meanwhile */
    CHECK(s.t->seen == 3);
    CHECK(town_join(s.t, 1, s.bob, s.room, 0));
    CHECK(is_told(&s, "changed"));
    CHECK(query(&s) == 'c');
    CHECK(query(&s) == 'c');
    CHECK(s.t->seen == 4);
    leave(&s, 0, s.alice);
    upload(&s, 'd');
    CHECK(town_join(s.t, 0, s.alice, s.room, 1));
    CHECK(query(&s) == 'd');
    CHECK(s.t->seen == 5);
    town_free(s.t);
}

TEST_MAIN(TEST_ROW(devices_are_asked_for_once_and_follow_what_their_server_tells),
          TEST_ROW(a_device_that_went_is_gone_without_asking),
          TEST_ROW(after_a_change_that_was_missed_the_list_is_asked_for_before_it_is_told),
          TEST_ROW(an_answer_that_is_older_than_a_change_is_not_kept),
          TEST_ROW(a_server_that_fails_is_asked_again_later_also_by_who_remembers_nothing),
          TEST_ROW(an_answer_without_devices_is_none_and_asked_for_again_later),
          TEST_ROW(a_server_that_tells_many_changes_pushes_nothing_else_out),
          TEST_ROW(cross_signing_keys_are_asked_for_when_they_change),
          TEST_ROW(what_is_known_of_a_user_is_forgotten_with_the_last_common_room))

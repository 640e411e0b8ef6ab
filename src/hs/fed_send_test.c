/* What goes to another server in which transaction. */
#include "hs/town_model.h"

#include "base/encode.h"
#include "engine/engine.h"
#include "test/test.h"

#include <string.h>

enum { MOMENT_MS = 20 };

struct scene {
    struct town *t;
    const char *alice, *bob;
    struct str room;
};

static enum fate count_transactions(struct town *t, struct parcel *p)
{
    t->seen += p->status == 0 && strstr(p->line.p, "/federation/v1/send/") != NULL;
    return FATE_PASS;
}

static void open_scene(struct scene *s)
{
    s->t = town_new(2);
    s->alice = town_user(s->t, 0, "alice");
    s->bob = town_user(s->t, 1, "bob");
    s->room = town_room(s->t, 0, s->alice, "{\"preset\":\"public_chat\"}");
    CHECK(town_join(s->t, 1, s->bob, s->room, 0));
    town_pass(s->t, 1000);
    s->t->rule = count_transactions;
    s->t->seen = 0;
}

static void type(struct scene *s, bool is_typing)
{
    struct str user = percent_write(s->t->a, str_of(town_user_id(s->t, 0, "alice")));
    struct str line = town_text(s->t, "PUT /_matrix/client/v3/rooms/%.*s/typing/%.*s",
                                STR_ARG(percent_write(s->t->a, s->room)), STR_ARG(user));
    const char *body = is_typing ? "{\"typing\":true,\"timeout\":20000}" : "{\"typing\":false}";
    CHECK(town_ask(s->t, 0, s->alice, line.p, body) == 200);
}

TEST(a_message_that_follows_a_notice_goes_with_it_in_one_transaction)
{
    struct scene s;
    open_scene(&s);
    type(&s, true);
    CHECK(s.t->seen == 0);
    struct str id = town_say(s.t, 0, s.alice, s.room, "hello");
    CHECK(s.t->seen == 1);
    CHECK(town_sees(s.t, 1, s.bob, s.room, id));
    town_free(s.t);
}

TEST(a_notice_that_nothing_follows_leaves_after_a_moment)
{
    struct scene s;
    open_scene(&s);
    type(&s, true);
    CHECK(s.t->seen == 0);
    town_pass(s.t, MOMENT_MS);
    CHECK(s.t->seen == 1);
    town_free(s.t);
}

/* Events that wait for house 1 at house 0. */
static int64_t count_waiting(struct scene *s)
{
    struct store *store = s->t->houses[0].hs->store;
    int64_t server;
    int64_t n;
    CHECK(store_name_find(store, town_name(s->t, 1), &server) == ERR_NONE);
    CHECK(store_get_int(store, &n, 0, STMT_OUTBOX_COUNT_PDUS, "i", server) == ERR_NONE);
    return n;
}

TEST(who_was_gone_for_long_costs_a_bounded_queue_and_catches_up)
{
    struct scene s;
    struct str last = STR_ABSENT;
    open_scene(&s);
    struct str other = town_room(s.t, 0, s.alice, "{\"preset\":\"public_chat\"}");
    CHECK(town_join(s.t, 1, s.bob, other, 0));
    s.t->houses[1].is_away = true;
    struct str elsewhere = town_say(s.t, 0, s.alice, other, "once");
    for (int i = 0; i < OUTBOX_LONG_PDUS_MAX + 50; i++) {
        last = town_say(s.t, 0, s.alice, s.room, "again and again");
    }
    town_pass(s.t, 60 * 1000);
    CHECK(count_waiting(&s) > OUTBOX_LONG_PDUS_MAX); /* away for a moment: all of it waits */
    town_pass(s.t, 6 * 3600 * 1000);
    CHECK(count_waiting(&s) <= TRANSACTION_PDUS_MAX); /* the transaction that was under way */
    struct str topic = town_put(s.t, 0, s.alice, s.room, "state/m.room.topic", "{\"topic\":\"a\"}");
    s.t->houses[1].is_away = false;
    town_pass(s.t, 3600 * 1000);
    CHECK(count_waiting(&s) == 0);
    CHECK(town_sees(s.t, 1, s.bob, s.room, last));
    CHECK(town_sees(s.t, 1, s.bob, s.room, topic));
    CHECK(town_sees(s.t, 1, s.bob, other, elsewhere));
    struct str answer = town_say(s.t, 1, s.bob, s.room, "I am back");
    CHECK(town_sees(s.t, 0, s.alice, s.room, answer));
    town_free(s.t);
}

/* Does bob's own server think that he is in a room? */
static bool is_joined(struct scene *s)
{
    CHECK(town_ask(s->t, 1, s->bob, "GET /_matrix/client/v3/joined_rooms", "") == 200);
    return json_count(json_get_array(s->t->answer, "joined_rooms")) > 0;
}

TEST(who_was_thrown_out_while_gone_for_long_hears_of_it_and_of_nothing_after_it)
{
    struct scene s;
    struct str before = STR_ABSENT;
    open_scene(&s);
    s.t->houses[1].is_away = true;
    for (int i = 0; i < OUTBOX_LONG_PDUS_MAX + 50; i++) {
        before = town_say(s.t, 0, s.alice, s.room, "while you are away");
    }
    struct str kick = town_text(s.t, "POST /_matrix/client/v3/rooms/%.*s/kick",
                                STR_ARG(percent_write(s.t->a, s.room)));
    struct str body = town_text(s.t, "{\"user_id\":\"%s\"}", town_user_id(s.t, 1, "bob"));
    CHECK(town_ask(s.t, 0, s.alice, kick.p, body.p) == 200);
    struct str after = town_say(s.t, 0, s.alice, s.room, "among ourselves");
    town_pass(s.t, 6 * 3600 * 1000);
    CHECK(count_waiting(&s) <= TRANSACTION_PDUS_MAX);
    s.t->houses[1].is_away = false;
    town_pass(s.t, 3600 * 1000);
    CHECK(count_waiting(&s) == 0);
    CHECK(!is_joined(&s));
    CHECK(town_sees(s.t, 1, s.bob, s.room, before));
    struct str state = town_text(s.t, "GET /_matrix/federation/v1/state_ids/%.*s?event_id=%.*s",
                                 STR_ARG(percent_write(s.t->a, s.room)), STR_ARG(after));
    CHECK(town_serve(s.t, 1, 0, state.p, "") == 403);
    town_free(s.t);
}

static enum fate count_missing(struct town *t, struct parcel *p)
{
    t->seen += p->status == 0 && strstr(p->line.p, "/get_missing_events/") != NULL;
    return FATE_PASS;
}

/* Bob reads back until he meets the event; false: the room's beginning came first. */
static bool reads_back_to(struct scene *s, struct str event_id)
{
    struct str from = STR("");
    while (!str_is_absent(from)) {
        struct str line =
            town_text(s->t, "GET /_matrix/client/v3/rooms/%.*s/messages?dir=b&limit=100%s%.*s",
                      STR_ARG(percent_write(s->t->a, s->room)),
                      from.n == 0 ? "" : "&from=", STR_ARG(percent_write(s->t->a, from)));
        CHECK(town_ask(s->t, 1, s->bob, line.p, "") == 200);
        const struct json *chunk = json_get_array(s->t->answer, "chunk");
        for (const struct json *e = json_first(chunk); e != NULL; e = json_next(e)) {
            if (str_eq(json_get_text(e, "event_id"), event_id)) {
                return true;
            }
        }
        from = json_get_text(s->t->answer, "end");
    }
    return false;
}

TEST(a_gap_of_more_than_may_wait_is_not_fetched_twice_and_closes_as_somebody_reads_back)
{
    enum { SAID = 700, ASKED_MAX = SAID / MISSING_EVENTS_MAX };
    struct scene s;
    struct str first = STR_ABSENT;
    struct str last = STR_ABSENT;
    open_scene(&s);
    s.t->houses[1].is_away = true;
    for (int i = 0; i < SAID; i++) {
        last = town_say(s.t, 0, s.alice, s.room, "while you are away");
        first = i == 0 ? last : first;
    }
    town_pass(s.t, 6 * 3600 * 1000);
    CHECK(count_waiting(&s) <= TRANSACTION_PDUS_MAX);
    s.t->houses[1].is_away = false;
    s.t->rule = count_missing;
    s.t->seen = 0;
    town_pass(s.t, 3600 * 1000);
    CHECK(s.t->seen <= ASKED_MAX);
    CHECK(town_sees(s.t, 1, s.bob, s.room, last));
    CHECK(reads_back_to(&s, first));
    struct str answer = town_say(s.t, 1, s.bob, s.room, "I am back");
    CHECK(town_sees(s.t, 0, s.alice, s.room, answer));
    town_free(s.t);
}

/* House 1 sends a letter from bob to alice in a transaction with that id. */
static void deliver(struct scene *s, const char *txn_id)
{
    static const char letter[] =
        "{\"origin\":\"%.*s\",\"origin_server_ts\":1,\"pdus\":[],\"edus\":[{"
        "\"edu_type\":\"m.direct_to_device\",\"content\":{\"sender\":\"%s\",\"type\":\"test."
        "letter\","
        "\"message_id\":\"one\",\"messages\":{\"%s\":{\"*\":{\"txn\":\"%s\"}}}}}]}";
    struct str body =
        town_text(s->t, letter, STR_ARG(town_name(s->t, 1)), town_user_id(s->t, 1, "bob"),
                  town_user_id(s->t, 0, "alice"), txn_id);
    struct str line = town_text(s->t, "PUT /_matrix/federation/v1/send/%s", txn_id);
    CHECK(town_serve(s->t, 1, 0, line.p, body.p) == 200);
}

TEST(a_repeated_transaction_is_known_though_the_clock_was_wrong_meanwhile)
{
    static const int64_t year_ms = (int64_t)365 * 24 * 3600 * 1000;
    struct scene s;
    open_scene(&s);
    deliver(&s, "first");
    s.t->now.unix_ms += year_ms;
    deliver(&s, "second");
    s.t->now.unix_ms -= year_ms;
    deliver(&s, "first");
    CHECK(town_ask(s.t, 0, s.alice, "GET /_matrix/client/v3/sync", "") == 200);
    CHECK(json_count(json_get_array(json_get_object(s.t->answer, "to_device"), "events")) == 2);
    town_free(s.t);
}

/* In events of old rooms they are allowed. */
TEST(a_transaction_may_hold_numbers_that_are_not_canonical)
{
    struct scene s;
    open_scene(&s);
    struct str body = town_text(
        s.t, "{\"origin\":\"%.*s\",\"origin_server_ts\":1,\"pdus\":[{\"content\":{\"x\":1.10}}]}",
        STR_ARG(town_name(s.t, 1)));
    CHECK(town_serve(s.t, 1, 0, "PUT /_matrix/federation/v1/send/odd", body.p) == 200);
    town_free(s.t);
}

/* A request of alice's with that much in it. */
static int ask_large(struct scene *s, const char *line, struct str before, struct str after)
{
    enum { MUCH = HTTP_BODY_MAX - 1024 };
    char *much = arena_alloc(s->t->a, MUCH + 1);
    memset(much, 'x', MUCH);
    struct str body = arena_join(s->t->a, before, str_make(much, MUCH), after);
    CHECK(body.n <= HTTP_BODY_MAX);
    return town_ask(s->t, 0, s->alice, line, body.p);
}

TEST(what_is_too_large_for_another_server_is_refused_and_waits_for_it_in_no_queue)
{
    static const char letter[] = "PUT /_matrix/client/v3/sendToDevice/m.x/1";
    struct scene s;
    open_scene(&s);
    CHECK(town_ask(s.t, 0, s.alice, "GET /_matrix/client/v3/account/whoami", "") == 200);
    struct str device = arena_str(s.t->a, json_get_text(s.t->answer, "device_id"));
    struct str path = town_text(s.t, "PUT /_matrix/client/v3/devices/%.*s", STR_ARG(device));
    struct str open =
        town_text(s.t, "{\"messages\":{\"%s\":{\"*\":{\"x\":\"", town_user_id(s.t, 1, "bob"));
    CHECK(ask_large(&s, letter, open, STR("\"}}}}")) == 413);
    CHECK(ask_large(&s, path.p, STR("{\"display_name\":\""), STR("\"}")) == 413);
    open = town_text(s.t, "{\"device_keys\":{\"user_id\":\"%s\",\"device_id\":\"%.*s\",\"x\":\"",
                     town_user_id(s.t, 0, "alice"), STR_ARG(device));
    CHECK(ask_large(&s, "POST /_matrix/client/v3/keys/upload", open, STR("\"}}")) == 413);
    town_pass(s.t, 1000);
    CHECK(s.t->seen == 0);
    open = town_text(s.t, "{\"messages\":{\"%s\":{\"*\":{\"x\":\"", town_user_id(s.t, 0, "alice"));
    CHECK(ask_large(&s, letter, open, STR("\"}}}}")) == 200); /* to one of ours */
    town_free(s.t);
}

TEST_MAIN(
    TEST_ROW(what_is_too_large_for_another_server_is_refused_and_waits_for_it_in_no_queue),
    TEST_ROW(a_transaction_may_hold_numbers_that_are_not_canonical),
    TEST_ROW(a_gap_of_more_than_may_wait_is_not_fetched_twice_and_closes_as_somebody_reads_back),
    TEST_ROW(a_repeated_transaction_is_known_though_the_clock_was_wrong_meanwhile),
    TEST_ROW(who_was_thrown_out_while_gone_for_long_hears_of_it_and_of_nothing_after_it),
    TEST_ROW(a_message_that_follows_a_notice_goes_with_it_in_one_transaction),
    TEST_ROW(a_notice_that_nothing_follows_leaves_after_a_moment),
    TEST_ROW(who_was_gone_for_long_costs_a_bounded_queue_and_catches_up))

/* A server that says as much as it can: what it says must not keep our users from reading on. */
#include "hs/town_model.h"

#include "base/encode.h"
#include "engine/engine.h"
#include "test/test.h"

#include <string.h>

/* Together more than an answer may have. */
enum { LARGE = 600 * 1024, PARTS = HTTP_ANSWER_MAX / LARGE + 2 };

struct scene {
    struct town *t;
    const char *alice; /* of house 0; house 1 floods */
    struct str large;  /* a text */
    int n_sent;
    struct str since; /* of alice's last /sync */
};

static void open_scene(struct scene *s)
{
    *s = (struct scene){.t = town_new(2), .since = STR("")};
    s->alice = town_user(s->t, 0, "alice");
    char *filler = arena_alloc(s->t->a, LARGE + 1);
    memset(filler, 'x', LARGE);
    s->large = str_make(filler, LARGE);
}

static void send_edu(struct scene *s, const char *type, struct str content)
{
    struct str body = arena_fmt(s->t->a,
                                "{\"origin\":\"%.*s\",\"origin_server_ts\":1,\"pdus\":[],\"edus\":"
                                "[{\"edu_type\":\"%s\",\"content\":%.*s}]}",
                                STR_ARG(town_name(s->t, 1)), type, STR_ARG(content));
    struct str line = town_text(s->t, "PUT /_matrix/federation/v1/send/%d", ++s->n_sent);
    CHECK(town_serve(s->t, 1, 0, line.p, body.p) == 200);
}

/* What came since alice's last /sync; NULL: she was refused. */
static const struct json *sync(struct scene *s)
{
    struct str line = town_text(s->t, "GET /_matrix/client/v3/sync?timeout=0%s%.*s",
                                s->since.n > 0 ? "&since=" : "", STR_ARG(s->since));
    if (town_ask(s->t, 0, s->alice, line.p, "") != 200) {
        return NULL;
    }
    s->since = arena_str(s->t->a, json_get_text(s->t->answer, "next_batch"));
    return s->t->answer;
}

TEST(letters_that_are_too_much_for_one_answer_come_in_several_each_once_in_order)
{
    struct scene s;
    int n = 0;
    open_scene(&s);
    for (int i = 0; i < PARTS; i++) {
        send_edu(&s, "m.direct_to_device",
                 arena_fmt(s.t->a,
                           "{\"sender\":\"%s\",\"type\":\"test.letter\",\"message_id\":\"%d\","
                           "\"messages\":{\"%s\":{\"*\":{\"n\":%d,\"filler\":\"%.*s\"}}}}",
                           town_user_id(s.t, 1, "bob"), i, town_user_id(s.t, 0, "alice"), i,
                           STR_ARG(s.large)));
    }
    for (int asked = 0; asked < 2 * PARTS && n < PARTS; asked++) {
        const struct json *told = sync(&s);
        CHECK(told != NULL);
        const struct json *letters = json_get_array(json_get_object(told, "to_device"), "events");
        for (const struct json *e = json_first(letters); e != NULL; e = json_next(e)) {
            CHECK(json_get_int(json_get_object(e, "content"), "n", -1) == n);
            n++;
        }
    }
    CHECK(n == PARTS);
    CHECK(json_get(sync(&s), STR("to_device")) == NULL);
    town_free(s.t);
}

/* An invite of alice to a room that she never heard of, with a name as long as can be. */
static void invite(struct scene *s, int i)
{
    struct town *t = s->t;
    struct event_signer signer = hs_signer(t->houses[1].hs);
    struct json *content = json_object(t->a), *body = json_object(t->a);
    struct event *ev;
    const char *why = "";
    struct str room = town_text(t, "!room%d:%.*s", i, STR_ARG(town_name(t, 1)));
    struct str bob = str_of(town_user_id(t, 1, "bob"));
    json_put_text(content, "membership", STR("invite"));
    struct event_parts parts = {.type = STR("m.room.member"),
                                .sender = bob,
                                .room_id = room,
                                .state_key = str_of(town_user_id(t, 0, "alice")),
                                .content = content,
                                .depth = 5,
                                .origin_server_ts = 1};
    CHECK(event_build(t->a, room_version_find(STR("11")), &parts, &signer, &ev, &why) == ERR_NONE);
    json_put_text(body, "room_version", STR("11"));
    json_put(body, STR("event"), json_copy(t->a, ev->tree));
    struct json *name = json_push_object(json_put_array(body, STR("invite_room_state")));
    json_put_text(name, "type", STR("m.room.name"));
    json_put_text(name, "sender", bob);
    json_put_text(name, "state_key", STR(""));
    json_put_text(json_put_object(name, STR("content")), "name", s->large);
    struct str line =
        town_text(t, "PUT /_matrix/federation/v2/invite/%.*s/%.*s",
                  STR_ARG(percent_write(t->a, room)), STR_ARG(percent_write(t->a, ev->id)));
    CHECK(town_serve(t, 1, 0, line.p, json_str(t->a, body).p) == 200);
}

static size_t count_invites(const struct json *told)
{
    return json_count(json_get_object(json_get_object(told, "rooms"), "invite"));
}

TEST(invites_that_carry_more_than_an_answer_may_have_are_all_told_and_say_who_invites)
{
    struct scene s;
    open_scene(&s);
    CHECK(sync(&s) != NULL);
    for (int i = 0; i < PARTS; i++) {
        invite(&s, i);
    }
    const struct json *told = sync(&s);
    CHECK(count_invites(told) == PARTS);
    const struct json *rooms = json_get_object(json_get_object(told, "rooms"), "invite");
    for (const struct json *room = json_first(rooms); room != NULL; room = json_next(room)) {
        const struct json *state = json_get_array(json_get_object(room, "invite_state"), "events");
        const struct json *last = NULL;
        for (const struct json *e = json_first(state); e != NULL; e = json_next(e)) {
            last = e;
        }
        CHECK_STR(json_get_text(last, "sender"), str_of(town_user_id(s.t, 1, "bob")));
        CHECK_STR(json_get_text(json_get_object(last, "content"), "membership"), STR("invite"));
    }
    s.since = STR("");
    CHECK(count_invites(sync(&s)) == PARTS);
    town_free(s.t);
}

/* Bob, whom alice shares the room with, has read an event of a thread of his making. */
static void read_in_thread(struct scene *s, struct str room, struct str event_id, struct str thread)
{
    send_edu(s, "m.receipt",
             arena_fmt(s->t->a,
                       "{\"%.*s\":{\"m.read\":{\"%s\":{\"event_ids\":[\"%.*s\"],\"data\":{\"ts\":1,"
                       "\"thread_id\":\"%.*s\"}}}}}",
                       STR_ARG(room), town_user_id(s->t, 1, "bob"), STR_ARG(event_id),
                       STR_ARG(thread)));
}

/* In how many threads has bob read, as a client that begins anew is told? */
static size_t count_receipts(struct scene *s, struct str room)
{
    size_t n = 0;
    s->since = STR("");
    const struct json *rooms = json_get_object(sync(s), "rooms");
    const struct json *told = json_get(json_get_object(rooms, "join"), room);
    const struct json *events = json_get_array(json_get_object(told, "ephemeral"), "events");
    for (const struct json *e = json_first(events); e != NULL; e = json_next(e)) {
        bool is_receipt = str_eq(json_get_text(e, "type"), STR("m.receipt"));
        n += is_receipt ? json_count(json_get_object(e, "content")) : 0;
    }
    return n;
}

TEST(what_others_have_read_is_told_of_so_many_threads_and_of_none_without_a_form)
{
    struct scene s;
    open_scene(&s);
    const char *bob = town_user(s.t, 1, "bob");
    struct str room = town_room(s.t, 0, s.alice, "{\"preset\":\"public_chat\"}");
    CHECK(town_join(s.t, 1, bob, room, 0));
    town_pass(s.t, 1000);
    read_in_thread(&s, room, STR("$large"), s.large);
    CHECK(count_receipts(&s, room) == 0);
    read_in_thread(&s, room, STR("$main"), STR("main"));
    CHECK(count_receipts(&s, room) == 1);
    for (int i = 0; i < RECEIPT_THREADS_MAX + 20; i++) {
        struct str id = town_text(s.t, "$%d", i);
        read_in_thread(&s, room, id, id);
    }
    CHECK(count_receipts(&s, room) == RECEIPT_THREADS_MAX);
    town_free(s.t);
}

TEST_MAIN(
    TEST_ROW(letters_that_are_too_much_for_one_answer_come_in_several_each_once_in_order),
    TEST_ROW(invites_that_carry_more_than_an_answer_may_have_are_all_told_and_say_who_invites),
    TEST_ROW(what_others_have_read_is_told_of_so_many_threads_and_of_none_without_a_form))

/* A room's access control list is enforced wherever the specification says so (server-server API,
 * "Server Access Control Lists (ACLs)"). */
#include "hs/town_model.h"

#include "base/encode.h"
#include "test/test.h"

#define DENIES "{\"allow\":[\"*\"],\"deny\":[\"%.*s\"]}"

struct street {
    struct town *t;
    const char *alice, *bob;
    struct str room, said;
};

/* Alice's public room at house 0, with Bob of house 1 in it. */
static struct street street_new(void)
{
    struct town *t = town_new(2);
    struct street s = {.t = t, .alice = town_user(t, 0, "alice"), .bob = town_user(t, 1, "bob")};
    s.room = town_room(t, 0, s.alice, "{\"preset\":\"public_chat\"}");
    CHECK(town_join(t, 1, s.bob, s.room, 0));
    s.said = town_say(t, 0, s.alice, s.room, "hello");
    return s;
}

static void set_acl(struct street *s, const char *content)
{
    CHECK(town_put(s->t, 0, s->alice, s->room, "state/m.room.server_acl", content).p != NULL);
}

static void shut_out(struct street *s)
{
    set_acl(s, town_text(s->t, DENIES, STR_ARG(town_name(s->t, 1))).p);
}

static const struct {
    const char *method, *path, *query, *body;
} guarded[] = {
    /* R: the room, U: a user of house 1, E: an event of the room */
    {"GET", "v1/make_join/R/U", "?ver=11", ""},
    {"PUT", "v1/send_join/R/E", "", "{}"},
    {"PUT", "v2/send_join/R/E", "", "{}"},
    {"GET", "v1/make_leave/R/U", "", ""},
    {"PUT", "v1/send_leave/R/E", "", "{}"},
    {"PUT", "v2/send_leave/R/E", "", "{}"},
    {"GET", "v1/make_knock/R/U", "?ver=11", ""},
    {"PUT", "v1/send_knock/R/E", "", "{}"},
    {"PUT", "v1/invite/R/E", "", "{}"},
    {"PUT", "v2/invite/R/E", "", "{\"room_version\":\"11\",\"event\":{}}"},
    {"PUT", "v1/exchange_third_party_invite/R", "",
     "{\"type\":\"\",\"room_id\":\"\",\"sender\":\"\",\"state_key\":\"\",\"content\":{}}"},
    {"GET", "v1/state/R", "?event_id=E", ""},
    {"GET", "v1/state_ids/R", "?event_id=E", ""},
    {"GET", "v1/event/E", "", ""},
    {"GET", "v1/event_auth/R/E", "", ""},
    {"GET", "v1/timestamp_to_event/R", "?ts=0&dir=f", ""},
    {"GET", "v1/backfill/R", "?limit=1&v=E", ""},
    {"POST", "v1/get_missing_events/R", "", "{}"},
};

/* The letters of path as what they stand for. */
static void put_path(struct street *s, struct buf *out, const char *path)
{
    const struct {
        char letter;
        struct str text;
    } rows[] = {{'R', s->room}, {'U', str_of(town_user_id(s->t, 1, "bob"))}, {'E', s->said}};
    for (; *path != 0; path++) {
        struct str text = str_make(path, 1);
        for (size_t i = 0; i < COUNT_OF(rows); i++) {
            text = *path == rows[i].letter ? percent_write(s->t->a, rows[i].text) : text;
        }
        buf_add(out, text);
    }
}

static int ask(struct street *s, size_t row)
{
    struct buf line;
    buf_init_in(&line, s->t->a, 4096);
    buf_add_fmt(&line, "%s /_matrix/federation/", guarded[row].method);
    put_path(s, &line, guarded[row].path);
    put_path(s, &line, guarded[row].query);
    buf_add(&line, str_make("", 1));
    return town_serve(s->t, 1, 0, buf_str(&line).p, guarded[row].body);
}

TEST(a_server_that_is_kept_out_is_refused_every_operation_of_the_room)
{
    struct street s = street_new();
    static const char *const why = "the room's access control list keeps your server out";
    for (size_t i = 0; i < COUNT_OF(guarded); i++) {
        (void)ask(&s, i);
        CHECK(!str_eq(json_get_text(s.t->answer, "error"), str_of(why)));
    }
    shut_out(&s);
    for (size_t i = 0; i < COUNT_OF(guarded); i++) {
        int status = ask(&s, i);
        CHECK(status == 403 && str_eq(json_get_text(s.t->answer, "errcode"), STR("M_FORBIDDEN")) &&
              str_eq(json_get_text(s.t->answer, "error"), str_of(why)));
        if (status != 403) {
            printf("# %s %s is answered %d\n", guarded[i].method, guarded[i].path, status);
        }
    }
    set_acl(&s, "{\"allow\":[\"*\"]}");
    for (size_t i = 0; i < COUNT_OF(guarded); i++) {
        (void)ask(&s, i);
        CHECK(!str_eq(json_get_text(s.t->answer, "error"), str_of(why)));
    }
    town_free(s.t);
}

TEST(what_a_server_that_is_kept_out_says_is_not_heard_until_it_is_let_in)
{
    struct street s = street_new();
    struct str other = town_room(s.t, 0, s.alice, "{\"preset\":\"public_chat\"}");
    CHECK(town_join(s.t, 1, s.bob, other, 0));
    shut_out(&s);
    struct str unheard = town_say(s.t, 1, s.bob, s.room, "let me in");
    struct str heard = town_say(s.t, 1, s.bob, other, "or here");
    CHECK(!town_sees(s.t, 0, s.alice, s.room, unheard));
    CHECK(town_sees(s.t, 0, s.alice, other, heard));
    set_acl(&s, "{\"allow\":[\"*\"]}");
    struct str later = town_say(s.t, 1, s.bob, s.room, "thanks");
    CHECK(town_sees(s.t, 0, s.alice, s.room, later));
    town_free(s.t);
}

/* What Alice's sync says of the room's typing users and receipts. */
static bool hears(struct street *s, const char *what)
{
    CHECK(town_ask(s->t, 0, s->alice, "GET /_matrix/client/v3/sync", "") == 200);
    const struct json *joined = json_get_object(json_get_object(s->t->answer, "rooms"), "join");
    const struct json *room = json_get(joined, s->room);
    struct str text = json_str(s->t->a, json_get_object(room, "ephemeral"));
    for (size_t i = 0; i < text.n; i++) {
        if (str_starts(str_from(text, i), str_of(what))) {
            return true;
        }
    }
    return false;
}

TEST(its_typing_and_its_receipts_are_not_shown)
{
    struct street s = street_new();
    const char *bob = town_user_id(s.t, 1, "bob");
    struct str typing = town_text(s.t, "PUT /_matrix/client/v3/rooms/%.*s/typing/%.*s",
                                  STR_ARG(percent_write(s.t->a, s.room)),
                                  STR_ARG(percent_write(s.t->a, str_of(bob))));
    struct str read =
        town_text(s.t, "POST /_matrix/client/v3/rooms/%.*s/receipt/m.read/%.*s",
                  STR_ARG(percent_write(s.t->a, s.room)), STR_ARG(percent_write(s.t->a, s.said)));
    shut_out(&s);
    for (int is_let_in = 0; is_let_in < 2; is_let_in++) {
        CHECK(town_ask(s.t, 1, s.bob, typing.p, "{\"typing\":true,\"timeout\":30000}") == 200);
        CHECK(town_ask(s.t, 1, s.bob, read.p, "{}") == 200);
        town_pass(s.t, 1000);
        CHECK(hears(&s, bob) == (is_let_in == 1));
        CHECK(hears(&s, "m.read") == (is_let_in == 1));
        CHECK(town_ask(s.t, 1, s.bob, typing.p, "{\"typing\":false}") == 200);
        set_acl(&s, "{\"allow\":[\"*\"]}");
        s.said = town_say(s.t, 0, s.alice, s.room, "again");
        read = town_text(s.t, "POST /_matrix/client/v3/rooms/%.*s/receipt/m.read/%.*s",
                         STR_ARG(percent_write(s.t->a, s.room)),
                         STR_ARG(percent_write(s.t->a, s.said)));
    }
    town_free(s.t);
}

TEST_MAIN(TEST_ROW(a_server_that_is_kept_out_is_refused_every_operation_of_the_room),
          TEST_ROW(what_a_server_that_is_kept_out_says_is_not_heard_until_it_is_let_in),
          TEST_ROW(its_typing_and_its_receipts_are_not_shown))

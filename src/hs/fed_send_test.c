/* What goes to another server in which transaction. */
#include "hs/town_model.h"

#include "base/encode.h"
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

TEST_MAIN(TEST_ROW(a_message_that_follows_a_notice_goes_with_it_in_one_transaction),
          TEST_ROW(a_notice_that_nothing_follows_leaves_after_a_moment))

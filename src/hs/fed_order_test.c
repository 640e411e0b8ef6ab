/* In what order events stand that came by detours. */
#include "hs/town_model.h"

#include "base/encode.h"
#include "test/test.h"

#include <stdio.h>
#include <string.h>

#define FILE_OF_BOB "fed_order_test.db"

/* Alice of house 0, bob of house 1, who reads, and carol of house 2. */
struct scene {
    struct town *t;
    const char *alice, *bob, *carol;
    struct str room, since;
    struct buf read; /* what bob read, one line each */
};

static void open_scene(struct scene *s)
{
    *s = (struct scene){.t = town_new(3), .since = STR("")};
    (void)remove(FILE_OF_BOB);
    CHECK(town_open(s->t, 1, STR(FILE_OF_BOB), NULL) == ERR_NONE);
    town_run(s->t);
    buf_init(&s->read, 4096);
    s->alice = town_user(s->t, 0, "alice");
    s->bob = town_user(s->t, 1, "bob");
    s->carol = town_user(s->t, 2, "carol");
    s->room = town_room(s->t, 0, s->alice, "{\"preset\":\"public_chat\"}");
    CHECK(town_join(s->t, 2, s->carol, s->room, 0));
    CHECK(town_join(s->t, 1, s->bob, s->room, 0));
    town_pass(s->t, 1000);
}

static void close_scene(struct scene *s)
{
    town_free(s->t);
    buf_release(&s->read);
    (void)remove(FILE_OF_BOB);
}

static bool is_asked_of(const struct parcel *p, const char *what)
{
    return p->status == 0 && strstr(p->line.p, what) != NULL;
}

/* What the house tells bob is lost, and the house hears that all is well. */
static enum fate swallow(struct parcel *p, int from)
{
    if (p->from == from && p->to == 1 && is_asked_of(p, "/federation/v1/send/")) {
        p->status = 200;
        p->answer = STR("{\"pdus\":{}}");
    }
    return FATE_PASS;
}

/* --- a restart in the middle of a fetch ---------------------------------------------------------
 */

static enum fate keep_alice_from_bob(struct town *t, struct parcel *p)
{
    t->seen += is_asked_of(p, "/federation/v1/state_ids/");
    return swallow(p, 0);
}

/* Nor is he told what he misses. */
static enum fate keep_all_from_bob(struct town *t, struct parcel *p)
{
    return is_asked_of(p, "/get_missing_events/") ? FATE_HOLD : keep_alice_from_bob(t, p);
}

TEST(who_dies_while_he_asks_for_what_is_missing_asks_for_the_same_again)
{
    struct scene s;
    open_scene(&s);
    s.t->rule = keep_all_from_bob;
    struct str unheard = town_say(s.t, 0, s.alice, s.room, "unheard");
    struct str follows = town_say(s.t, 2, s.carol, s.room, "follows it");
    CHECK(town_open(s.t, 1, STR(FILE_OF_BOB), NULL) == ERR_NONE);
    s.t->rule = keep_alice_from_bob;
    town_pass(s.t, 1000);
    CHECK(town_sees(s.t, 1, s.bob, s.room, unheard));
    CHECK(town_sees(s.t, 1, s.bob, s.room, follows));
    CHECK(s.t->seen == 0);
    close_scene(&s);
}

/* --- two lanes ----------------------------------------------------------------------------------
 */

static bool is_said_by(const struct json *event, const char *text)
{
    return str_eq(json_get_text(json_get_object(event, "content"), "body"), str_of(text));
}

static void read_on(struct scene *s)
{
    struct str line = town_text(s->t, "GET /_matrix/client/v3/sync?since=%.*s", STR_ARG(s->since));
    CHECK(town_ask(s->t, 1, s->bob, line.p, "") == 200);
    struct json *joined = json_get_object(json_get_object(s->t->answer, "rooms"), "join");
    struct json *timeline = json_get_object(json_get(joined, s->room), "timeline");
    s->since = arena_str(s->t->a, json_get_text(s->t->answer, "next_batch"));
    const struct json *e = json_first(json_get_array(timeline, "events"));
    for (; e != NULL; e = json_next(e)) {
        if (is_said_by(e, "first") || is_said_by(e, "last")) {
            buf_add(&s->read, json_get_text(json_get_object(e, "content"), "body"));
            buf_add_char(&s->read, '\n');
        }
    }
}

/* What bob misses he is told with the state before it only, and his first question waits. */
static enum fate leave_gaps(struct town *t, struct parcel *p)
{
    if (is_asked_of(p, "/get_missing_events/") || is_asked_of(p, "/event_auth/")) {
        p->status = 200;
        p->answer = STR("{\"events\":[],\"auth_chain\":[]}");
    } else if (is_asked_of(p, "/federation/v1/state_ids/")) {
        t->seen++;
        return t->seen == 1 ? FATE_HOLD : FATE_PASS;
    }
    return FATE_PASS;
}

static enum fate hear_alice(struct town *t, struct parcel *p)
{
    (void)swallow(p, 2);
    return leave_gaps(t, p);
}

static enum fate hear_carol(struct town *t, struct parcel *p)
{
    (void)swallow(p, 0);
    return leave_gaps(t, p);
}

TEST(what_is_older_is_placed_first_whoever_told_what_follows_it)
{
    struct scene s;
    open_scene(&s);
    read_on(&s);
    s.t->rule = hear_alice;
    struct str first = town_say(s.t, 2, s.carol, s.room, "first");
    (void)town_say(s.t, 0, s.alice, s.room, "follows the first");
    s.t->rule = hear_carol;
    (void)town_say(s.t, 0, s.alice, s.room, "unheard");
    struct str last = town_say(s.t, 2, s.carol, s.room, "last");
    town_pass(s.t, 2000);
    read_on(&s);
    town_let_go(s.t);
    read_on(&s);
    town_pass(s.t, 2000);
    read_on(&s);
    CHECK(town_sees(s.t, 1, s.bob, s.room, first));
    CHECK(town_sees(s.t, 1, s.bob, s.room, last));
    CHECK_STR(buf_str(&s.read), STR("first\nlast\n"));
    close_scene(&s);
}

TEST_MAIN(TEST_ROW(who_dies_while_he_asks_for_what_is_missing_asks_for_the_same_again),
          TEST_ROW(what_is_older_is_placed_first_whoever_told_what_follows_it))

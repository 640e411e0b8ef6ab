/* What one user, or one room, may take of what all share. */
#include "hs/town_model.h"

#include "engine/event_cache.h"
#include "test/test.h"

#define WAITS "GET /_matrix/client/v3/sync?since=%.*s&timeout=20000"

enum { MANY = 1200, NOWHERE = 1000000 };

TEST(who_waits_for_news_many_times_takes_nobody_elses_place)
{
    struct town *t = town_new(1);
    const char *eager = town_user(t, 0, "eager");
    uint64_t first = 0;
    uint64_t last = 0;
    CHECK(town_ask(t, 0, eager, "GET /_matrix/client/v3/sync", "") == 200);
    struct str since = arena_str(t->a, json_get_text(t->answer, "next_batch"));
    for (int i = 0; i < MANY; i++) {
        last = town_begin(t, 0, eager, town_text(t, WAITS, STR_ARG(since)).p, "");
        town_run(t);
        first = i == 0 ? last : first;
    }
    CHECK(t->asked[first] == 200 && t->asked[last] == 0); /* the eldest made room */
    const char *calm = town_user(t, 0, "calm");
    CHECK(town_ask(t, 0, calm, "GET /_matrix/client/v3/sync", "") == 200);
    since = arena_str(t->a, json_get_text(t->answer, "next_batch"));
    CHECK(town_ask(t, 0, calm, town_text(t, WAITS, STR_ARG(since)).p, "") == 0);
    town_free(t);
}

static enum fate hold(struct town *t, struct parcel *p)
{
    (void)t;
    return p->status == 0 ? FATE_HOLD : FATE_PASS;
}

TEST(strangers_whose_questions_wait_for_other_servers_take_nobody_elses_place)
{
    struct town *t = town_new(2);
    const char *alice = town_user(t, 0, "alice");
    struct str who = town_text(t, "GET /_matrix/client/v3/profile/%s", town_user_id(t, 1, "x"));
    uint64_t first = 0;
    uint64_t last = 0;
    t->rule = hold;
    for (int i = 0; i < MANY; i++) {
        last = town_begin(t, 0, "", who.p, "");
        town_run(t);
        first = i == 0 ? last : first;
    }
    CHECK(t->asked[first] == 0 && t->asked[last] == 429);
    CHECK(town_ask(t, 0, alice, "GET /_matrix/client/v3/sync", "") == 200);
    struct str since = arena_str(t->a, json_get_text(t->answer, "next_batch"));
    CHECK(town_ask(t, 0, alice, town_text(t, WAITS, STR_ARG(since)).p, "") == 0);
    town_free(t);
}

TEST(what_is_written_stays_parsed_only_while_there_is_room)
{
    struct town *t = town_new(1);
    struct hs *hs = t->houses[0].hs;
    const char *alice = town_user(t, 0, "alice");
    struct str room = town_room(t, 0, alice, "{}");
    struct str body = arena_fmt(t->a, "%02000d", 0);
    struct str said = town_say(t, 0, alice, room, body.p);
    struct stored *s;
    struct stored *found;
    CHECK(event_find(hs, said, &s) == ERR_NONE);
    const struct event *ev = s->ev;
    struct stored row = *s;
    int n = 0;
    do {
        n++;
        row.nid = NOWHERE + n; /* no such row is in the store */
        CHECK(event_keep(hs, &row, ev) == ERR_NONE);
    } while (n < MANY * 10 && event_get(hs, row.nid, &found) == ERR_NONE);
    CHECK(n > 100 && n < MANY * 10);
    town_free(t);
}

/* A row that is in the cache and nowhere else. */
static void remember(struct town *t, struct str event_id)
{
    struct stored *s;
    struct hs *hs = t->houses[0].hs;
    CHECK(event_find(hs, event_id, &s) == ERR_NONE);
    struct stored row = *s;
    row.nid = NOWHERE;
    CHECK(event_keep(hs, &row, s->ev) == ERR_NONE);
}

static bool is_remembered(struct town *t)
{
    struct stored *found;
    return event_get(t->houses[0].hs, NOWHERE, &found) == ERR_NONE;
}

TEST(a_refusal_that_wrote_nothing_leaves_what_was_read)
{
    struct town *t = town_new(1);
    const char *alice = town_user(t, 0, "alice");
    struct str room = town_room(t, 0, alice, "{}");
    struct str said = town_say(t, 0, alice, room, "hello");
    remember(t, said);
    CHECK(is_remembered(t));
    CHECK(town_ask(t, 0, "", "GET /_matrix/client/v3/sync", "") == 401);
    CHECK(town_ask(t, 0, alice, "GET /_matrix/client/v3/room_keys/version", "") == 404);
    CHECK(is_remembered(t));
    CHECK(town_ask(t, 0, alice, "POST /_matrix/client/v3/createRoom", /* refused half-way */
                   "{\"initial_state\":[{\"type\":\"a.b\",\"content\":{\"x\":1.5}}]}") == 400);
    CHECK(!is_remembered(t));
    town_free(t);
}

TEST_MAIN(TEST_ROW(who_waits_for_news_many_times_takes_nobody_elses_place),
          TEST_ROW(strangers_whose_questions_wait_for_other_servers_take_nobody_elses_place),
          TEST_ROW(what_is_written_stays_parsed_only_while_there_is_room),
          TEST_ROW(a_refusal_that_wrote_nothing_leaves_what_was_read))

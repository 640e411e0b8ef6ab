/* History that is fetched from others: its place and its order. */
#include "hs/town_model.h"

#include "base/encode.h"
#include "test/test.h"

#include <string.h>

static struct json *page(struct town *t, int house, const char *who, struct str room,
                         const char *query)
{
    struct str line = town_text(t, "GET /_matrix/client/v3/rooms/%.*s/messages?dir=b&%s",
                                STR_ARG(percent_write(t->a, room)), query);
    CHECK(town_ask(t, house, who, line.p, "") == 200);
    return json_get_array(t->answer, "chunk");
}

/* Reads all of it, page by page; the text messages newest first, with commas. */
static struct str read_from(struct town *t, int house, const char *who, struct str room, int limit,
                            struct str from)
{
    struct str out = STR("");
    for (int i = 0; i < 40 && from.p != NULL; i++) {
        struct str query =
            town_text(t, "limit=%d%s%.*s", limit, from.n > 0 ? "&from=" : "", STR_ARG(from));
        const struct json *chunk = page(t, house, who, room, query.p);
        for (const struct json *e = json_first(chunk); e != NULL; e = json_next(e)) {
            struct str body = json_get_text(json_get_object(e, "content"), "body");
            if (body.n > 0) {
                out = arena_join(t->a, out, out.n > 0 ? STR(",") : STR(""), body);
            }
        }
        from = json_get_text(t->answer, "end");
    }
    return out;
}

static struct str read_back(struct town *t, int house, const char *who, struct str room, int limit)
{
    return read_from(t, house, who, room, limit, STR(""));
}

TEST(of_two_edits_the_later_one_counts_whatever_came_first)
{
    struct town *t = town_new(2);
    const char *alice = town_user(t, 0, "alice");
    const char *bob = town_user(t, 1, "bob");
    struct str room = town_room(t, 0, alice, "{\"preset\":\"public_chat\"}");
    struct str first = town_say(t, 0, alice, room, "one");
    for (int i = 0; i < 3; i++) {
        town_pass(t, 10);
        struct str content = town_text(
            t,
            "{\"msgtype\":\"m.text\",\"body\":\"* edit %d\",\"m.new_content\":{\"msgtype\":"
            "\"m.text\",\"body\":\"edit %d\"},\"m.relates_to\":{\"rel_type\":\"m.replace\","
            "\"event_id\":\"%.*s\"}}",
            i, i, STR_ARG(first));
        struct str what = town_text(t, "send/m.room.message/e%d", i);
        CHECK(town_put(t, 0, alice, room, what.p, content.p).n > 0);
    }
    CHECK(town_join(t, 1, bob, room, 0));
    (void)page(t, 1, bob, room, "limit=50");
    CHECK(town_sees(t, 1, bob, room, first));
    const struct json *edit = json_get_object(
        json_get_object(json_get_object(t->answer, "unsigned"), "m.relations"), "m.replace");
    CHECK_STR(json_get_text(json_get_object(edit, "content"), "body"), STR("* edit 2"));
    town_free(t);
}

TEST(what_was_said_between_leaving_and_coming_back_stands_between)
{
    static const int limits[] = {3, 10, 100};
    for (size_t i = 0; i < COUNT_OF(limits); i++) {
        struct town *t = town_new(2);
        const char *alice = town_user(t, 0, "alice");
        const char *bob = town_user(t, 1, "bob");
        struct str room = town_room(t, 0, alice, "{\"preset\":\"public_chat\"}");
        (void)town_say(t, 0, alice, room, "a1");
        CHECK(town_join(t, 1, bob, room, 0));
        (void)town_say(t, 0, alice, room, "a2");
        (void)town_say(t, 1, bob, room, "b1");
        CHECK(town_leave(t, 1, bob, room));
        (void)town_say(t, 0, alice, room, "a3");
        (void)town_say(t, 0, alice, room, "a4");
        CHECK(town_join(t, 1, bob, room, 0));
        (void)town_say(t, 0, alice, room, "a5");
        CHECK_STR(read_back(t, 1, bob, room, limits[i]), STR("a5,a4,a3,b1,a2,a1"));
        town_free(t);
    }
}

TEST(a_sync_after_coming_back_does_not_reach_over_what_is_not_here)
{
    struct town *t = town_new(2);
    const char *alice = town_user(t, 0, "alice");
    const char *bob = town_user(t, 1, "bob");
    struct str room = town_room(t, 0, alice, "{\"preset\":\"public_chat\"}");
    CHECK(town_join(t, 1, bob, room, 0));
    (void)town_say(t, 0, alice, room, "a1");
    CHECK(town_leave(t, 1, bob, room));
    (void)town_say(t, 0, alice, room, "a2");
    CHECK(town_join(t, 1, bob, room, 0));
    (void)town_say(t, 0, alice, room, "a3");
    CHECK(town_ask(t, 1, bob, "GET /_matrix/client/v3/sync?timeout=0", "") == 200);
    const struct json *joins = json_get_object(json_get_object(t->answer, "rooms"), "join");
    const struct json *timeline = json_get_object(json_get(joins, room), "timeline");
    CHECK(json_get_bool(timeline, "limited", false));
    CHECK(json_count(json_get_array(timeline, "events")) == 2); /* the join and a3 */
    struct str before = json_get_text(timeline, "prev_batch");
    CHECK_STR(read_from(t, 1, bob, room, 10, before), STR("a2,a1"));
    town_free(t);
}

static enum fate lose_backfill_of_0(struct town *t, struct parcel *p)
{
    (void)t;
    return p->to == 0 && p->from == 2 && strstr(p->line.p, "/backfill/") != NULL ? FATE_LOSE
                                                                                 : FATE_PASS;
}

/* Answers of house 0 to backfill have no events in them. */
static enum fate empty_backfill_of_0(struct town *t, struct parcel *p)
{
    (void)t;
    if (p->to == 0 && p->status == 200 && strstr(p->line.p, "/backfill/") != NULL) {
        p->answer = STR("{\"pdus\":[]}");
    }
    return FATE_PASS;
}

static void check_next_is_asked(town_rule rule)
{
    struct town *t = town_new(3);
    const char *alice = town_user(t, 0, "alice");
    const char *bob = town_user(t, 1, "bob");
    const char *carol = town_user(t, 2, "carol");
    struct str room = town_room(t, 0, alice, "{\"preset\":\"public_chat\"}");
    CHECK(town_join(t, 1, bob, room, 0));
    (void)town_say(t, 0, alice, room, "a1");
    (void)town_say(t, 1, bob, room, "b1");
    CHECK(town_join(t, 2, carol, room, 0));
    t->rule = rule;
    CHECK_STR(read_back(t, 2, carol, room, 100), STR("b1,a1"));
    town_free(t);
}

TEST(where_one_server_cannot_be_reached_history_is_asked_of_the_next)
{
    check_next_is_asked(lose_backfill_of_0);
}

TEST(where_one_server_has_no_history_the_next_is_asked)
{
    check_next_is_asked(empty_backfill_of_0);
}

TEST(history_that_nobody_gave_is_asked_for_again)
{
    struct town *t = town_new(2);
    const char *alice = town_user(t, 0, "alice");
    const char *bob = town_user(t, 1, "bob");
    struct str room = town_room(t, 0, alice, "{\"preset\":\"public_chat\"}");
    (void)town_say(t, 0, alice, room, "a1");
    CHECK(town_join(t, 1, bob, room, 0));
    t->rule = empty_backfill_of_0;
    CHECK_STR(read_back(t, 1, bob, room, 100), STR(""));
    t->rule = NULL;
    CHECK_STR(read_back(t, 1, bob, room, 100), STR("a1"));
    town_free(t);
}

/* House 0 tells a1 without its signature. */
static enum fate unsign_a1_of_0(struct town *t, struct parcel *p)
{
    struct json *body;
    if (p->to != 0 || p->status != 200 || strstr(p->line.p, "/backfill/") == NULL) {
        return FATE_PASS;
    }
    CHECK(json_parse(t->a, p->answer, &body, NULL) == ERR_NONE);
    for (const struct json *e = json_first(json_get_array(body, "pdus")); e != NULL;
         e = json_next(e)) {
        struct json *content = json_get_object(e, "content");
        if (str_eq(json_get_text(content, "body"), STR("a1"))) {
            struct str text = json_str(t->a, json_get_object(e, "signatures"));
            const char *at = strstr(p->answer.p, text.p);
            size_t before = (size_t)(at - p->answer.p);
            p->answer = arena_join(t->a, str_sub(p->answer, 0, before), STR("{}"),
                                   str_from(p->answer, before + text.n));
        }
    }
    return FATE_PASS;
}

TEST(an_event_that_was_told_badly_is_asked_of_the_next)
{
    check_next_is_asked(unsign_a1_of_0);
}

TEST_MAIN(TEST_ROW(of_two_edits_the_later_one_counts_whatever_came_first),
          TEST_ROW(what_was_said_between_leaving_and_coming_back_stands_between),
          TEST_ROW(a_sync_after_coming_back_does_not_reach_over_what_is_not_here),
          TEST_ROW(where_one_server_cannot_be_reached_history_is_asked_of_the_next),
          TEST_ROW(where_one_server_has_no_history_the_next_is_asked),
          TEST_ROW(history_that_nobody_gave_is_asked_for_again),
          TEST_ROW(an_event_that_was_told_badly_is_asked_of_the_next))

/* The default push rules judge events as the specification says. */
#include "engine/push_rules.h"

#include "test/test.h"

#define ALICE STR("@alice:h")

/* An event as far as the judge looks at it. */
static struct event event_of(struct arena *a, const char *text)
{
    struct event ev = {0};
    CHECK(json_parse(a, str_of(text), &ev.tree, NULL) == ERR_NONE);
    ev.type = json_get_text(ev.tree, "type");
    ev.sender = json_get_text(ev.tree, "sender");
    ev.room_id = STR("!r:h");
    ev.content = json_get_object(ev.tree, "content");
    return ev;
}

static struct push_verdict judge_with(struct arena *a, const struct json *rules, const char *text,
                                      int64_t members)
{
    struct power power = power_of(NULL, NULL);
    struct push_context context = {ALICE, STR("Alice Liddell"), members, &power};
    struct event ev = event_of(a, text);
    return push_rules_judge(rules, &ev, &context);
}

static struct push_verdict judge(struct arena *a, const char *text)
{
    return judge_with(a, push_rules_default(a, ALICE), text, 3);
}

#define MESSAGE(body)                                                                              \
    "{\"type\":\"m.room.message\",\"sender\":\"@bob:h\",\"content\":{\"msgtype\":\"m.text\","      \
    "\"body\":\"" body "\"}}"

TEST(a_message_notifies_and_a_name_highlights)
{
    struct arena *a = arena_new();
    struct push_verdict v = judge(a, MESSAGE("hello there"));
    CHECK(v.notify && !v.highlight);
    v = judge(a, MESSAGE("hello ALICE!"));
    CHECK(v.notify && v.highlight);
    v = judge(a, MESSAGE("malice"));
    CHECK(v.notify && !v.highlight);
    v = judge(a, MESSAGE("so, alice liddell"));
    CHECK(v.notify && v.highlight);
    arena_free(a);
}

TEST(notices_reactions_and_edits_are_quiet)
{
    struct arena *a = arena_new();
    CHECK(!judge(a, "{\"type\":\"m.room.message\",\"sender\":\"@b:h\",\"content\":{\"msgtype\":"
                    "\"m.notice\",\"body\":\"alice\"}}")
               .notify);
    CHECK(!judge(a, "{\"type\":\"m.reaction\",\"sender\":\"@b:h\",\"content\":{}}").notify);
    CHECK(!judge(a, "{\"type\":\"m.room.message\",\"sender\":\"@b:h\",\"content\":{\"body\":\"x\","
                    "\"m.relates_to\":{\"rel_type\":\"m.replace\"}}}")
               .notify);
    CHECK(!judge(a, "{\"type\":\"m.room.topic\",\"sender\":\"@b:h\",\"content\":{}}").notify);
    arena_free(a);
}

TEST(mentions_and_tombstones_highlight)
{
    struct arena *a = arena_new();
    struct push_verdict v =
        judge(a, "{\"type\":\"m.room.message\",\"sender\":\"@b:h\",\"content\":{\"body\":\"you\","
                 "\"m.mentions\":{\"user_ids\":[\"@x:h\",\"@alice:h\"]}}}");
    CHECK(v.notify && v.highlight);
    v = judge(a, "{\"type\":\"m.room.tombstone\",\"state_key\":\"\",\"sender\":\"@b:h\","
                 "\"content\":{}}");
    CHECK(v.notify && v.highlight);
    v = judge(a, MESSAGE("hear @room"));
    CHECK(v.notify && !v.highlight); /* bob has not the power to address the room */
    arena_free(a);
}

TEST(an_invite_to_me_notifies_and_other_memberships_do_not)
{
    struct arena *a = arena_new();
    CHECK(judge(a, "{\"type\":\"m.room.member\",\"state_key\":\"@alice:h\",\"sender\":\"@b:h\","
                   "\"content\":{\"membership\":\"invite\"}}")
              .notify);
    CHECK(!judge(a, "{\"type\":\"m.room.member\",\"state_key\":\"@carol:h\",\"sender\":\"@b:h\","
                    "\"content\":{\"membership\":\"invite\"}}")
               .notify);
    arena_free(a);
}

static struct json *rule(struct json *rules, const char *kind, const char *id)
{
    struct json *list = json_get_array(json_get_object(rules, "global"), kind);
    struct json *x = json_first(list);
    while (x != NULL && !str_eq(json_get_text(x, "rule_id"), str_of(id))) {
        x = json_next(x);
    }
    CHECK(x != NULL);
    return x;
}

TEST(the_master_rule_silences_everything)
{
    struct arena *a = arena_new();
    struct json *rules = push_rules_default(a, ALICE);
    json_put_bool(rule(rules, "override", ".m.rule.master"), "enabled", true);
    CHECK(!judge_with(a, rules, MESSAGE("alice"), 2).notify);
    json_put_bool(rule(rules, "override", ".m.rule.master"), "enabled", false);
    json_put_bool(rule(rules, "underride", ".m.rule.message"), "enabled", false);
    CHECK(!judge_with(a, rules, MESSAGE("hello"), 3).notify);
    CHECK(judge_with(a, rules, MESSAGE("hello"), 2).notify); /* one to one */
    arena_free(a);
}

TEST(rules_of_a_room_and_a_sender_come_before_the_rest)
{
    struct arena *a = arena_new();
    struct json *rules = push_rules_default(a, ALICE);
    struct json *own = json_push_object(json_get_array(json_get_object(rules, "global"), "room"));
    json_put_text(own, "rule_id", STR("!r:h"));
    json_put_bool(own, "enabled", true);
    json_push_text(json_put_array(own, STR("actions")), STR("dont_notify"));
    CHECK(!judge_with(a, rules, MESSAGE("hello"), 3).notify);
    CHECK(judge_with(a, rules, MESSAGE("alice"), 3).highlight); /* content comes before room */
    arena_free(a);
}

TEST_MAIN(TEST_ROW(a_message_notifies_and_a_name_highlights),
          TEST_ROW(notices_reactions_and_edits_are_quiet),
          TEST_ROW(mentions_and_tombstones_highlight),
          TEST_ROW(an_invite_to_me_notifies_and_other_memberships_do_not),
          TEST_ROW(the_master_rule_silences_everything),
          TEST_ROW(rules_of_a_room_and_a_sender_come_before_the_rest))

/* Form, building, loading and redaction. Hashes and ids of real events: test/vectors. */
#include "event/event.h"

#include "base/limits.h"
#include "crypto/hash.h"
#include "event/redact.h"
#include "event/seal.h"
#include "test/test.h"

struct bench {
    struct arena *a;
    struct sign_key key;
    struct event_signer signer;
};

static void bench_init(struct bench *b)
{
    const uint8_t seed[SIGN_SEED_SIZE] = {1};
    crypto_start();
    b->a = arena_new();
    sign_key_from_seed(&b->key, seed);
    b->signer = (struct event_signer){STR("one"), STR("ed25519:1"), &b->key};
}

static struct json *parse(struct bench *b, const char *text)
{
    struct json *node = NULL;
    CHECK(json_parse(b->a, str_of(text), &node, NULL) == ERR_NONE);
    return node;
}

static struct json *good_pdu(struct bench *b)
{
    return parse(b, "{\"type\":\"m.room.topic\",\"state_key\":\"\",\"sender\":\"@a:one\","
                    "\"room_id\":\"!r:one\",\"depth\":7,\"origin_server_ts\":12,\"prev_events\":"
                    "[\"$p\"],\"auth_events\":[\"$x\",\"$y\"],\"content\":{\"topic\":\"t\"},"
                    "\"hashes\":{\"sha256\":\"x\"},\"signatures\":{},\"unsigned\":{\"age\":3}}");
}

static const char *why_not(struct bench *b, const char *version, struct json *pdu)
{
    struct event *ev;
    const char *why = "no reason given";
    enum err err = event_parse(b->a, room_version_find(str_of(version)), pdu, &ev, &why);
    return err == ERR_NONE ? NULL : why;
}

TEST(an_event_is_read_into_its_fields)
{
    struct bench b;
    bench_init(&b);
    struct event *ev = NULL;
    CHECK(event_parse(b.a, room_version_default(), good_pdu(&b), &ev, NULL) == ERR_NONE);
    CHECK_STR(ev->type, STR("m.room.topic"));
    CHECK_STR(ev->sender, STR("@a:one"));
    CHECK_STR(ev->room_id, STR("!r:one"));
    CHECK(event_is_state(ev) && event_is(ev, STR("m.room.topic"), STR("")));
    CHECK(!event_is(ev, STR("m.room.topic"), STR("x")));
    CHECK(ev->depth == 7 && ev->origin_server_ts == 12);
    CHECK(ev->prev_events.n == 1 && ev->auth_events.n == 2);
    CHECK_STR(ev->auth_events.at[1], STR("$y"));
    CHECK_STR(json_get_text(ev->content, "topic"), STR("t"));
    CHECK(ev->id.n == 44 && ev->id.p[0] == '$');
    CHECK(str_is_absent(ev->redacts) && str_is_absent(event_membership(ev)));
    CHECK(str_starts(ev->json, STR("{\"auth_events\":[\"$x\",\"$y\"],\"content\":")));
    CHECK(json_get(ev->tree, STR("unsigned")) == NULL);
    struct event *again = NULL;
    CHECK(event_load(b.a, room_version_default(), ev->id, ev->json, &again) == ERR_NONE);
    CHECK_STR(again->json, ev->json);
    CHECK_STR(again->id, ev->id);
    CHECK(json_eq(again->tree, ev->tree));
    CHECK(event_load(b.a, room_version_default(), ev->id, STR("{}"), &again) == ERR_CORRUPT);
    CHECK(event_load(b.a, room_version_default(), ev->id, STR("x"), &again) == ERR_CORRUPT);
    arena_free(b.a);
}

TEST(an_event_with_a_field_missing_or_of_another_kind_is_refused)
{
    static const char *const fields[] = {
        "type",        "sender",      "room_id", "depth",     "content", "origin_server_ts",
        "prev_events", "auth_events", "hashes",  "signatures"};
    static const char *const wrong[] = {"1.5", "null", "true", "\"x\"", "[1]", "{\"a\":[]}"};
    struct bench b;
    bench_init(&b);
    CHECK(why_not(&b, "11", good_pdu(&b)) == NULL);
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        struct json *pdu = good_pdu(&b);
        json_remove(pdu, str_of(fields[i]));
        CHECK(why_not(&b, "11", pdu) != NULL);
        for (size_t k = 0; k < COUNT_OF(wrong); k++) {
            bool fits = (k == 3 && i == 0) || (k == 5 && (i == 4 || i >= 8));
            pdu = good_pdu(&b);
            json_put(pdu, str_of(fields[i]), parse(&b, wrong[k]));
            CHECK((why_not(&b, "11", pdu) == NULL) == fits);
        }
    }
    struct json *pdu = good_pdu(&b);
    json_put_int(pdu, "state_key", 1);
    CHECK(why_not(&b, "11", pdu) != NULL);
    pdu = good_pdu(&b);
    json_put_int(pdu, "depth", -1);
    CHECK(why_not(&b, "11", pdu) != NULL);
    CHECK(why_not(&b, "11", parse(&b, "[]")) != NULL);
    arena_free(b.a);
}

TEST(an_event_at_its_limits_is_taken_and_beyond_them_refused)
{
    struct bench b;
    bench_init(&b);
    for (size_t more = 0; more < 2; more++) {
        struct json *pdu = good_pdu(&b);
        struct json *list = json_put_array(pdu, STR("prev_events"));
        for (size_t i = 0; i < EVENT_PREV_MAX + more; i++) {
            json_push_text(list, STR("$p"));
        }
        CHECK((why_not(&b, "11", pdu) == NULL) == (more == 0));
        pdu = good_pdu(&b);
        list = json_put_array(pdu, STR("auth_events"));
        for (size_t i = 0; i < EVENT_AUTH_MAX + more; i++) {
            json_push_text(list, STR("$p"));
        }
        CHECK((why_not(&b, "11", pdu) == NULL) == (more == 0));
        pdu = good_pdu(&b);
        char *text = arena_alloc(b.a, EVENT_SIZE_MAX + 1);
        memset(text, 'a', EVENT_SIZE_MAX);
        json_put_text(pdu, "state_key", str_make(text, 255 + more));
        CHECK((why_not(&b, "11", pdu) == NULL) == (more == 0));
        pdu = good_pdu(&b);
        json_remove(pdu, STR("unsigned"));
        size_t used = json_str(b.a, pdu).n - 1; /* all but the topic's one byte */
        json_put_text(json_get_object(pdu, "content"), "topic",
                      str_make(text, EVENT_SIZE_MAX - used + more));
        CHECK((why_not(&b, "11", pdu) == NULL) == (more == 0));
    }
    arena_free(b.a);
}

TEST(numbers_must_be_canonical_from_version_6_on)
{
    struct bench b;
    bench_init(&b);
    for (size_t i = 0; room_version_at(i) != NULL; i++) {
        const struct room_version *version = room_version_at(i);
        struct event *ev = NULL;
        struct json *pdu = good_pdu(&b);
        if (version->id_form == VERSION_ID_SERVER) {
            json_put_text(pdu, "event_id", STR("$e:one"));
            json_put(pdu, STR("prev_events"), parse(&b, "[[\"$p:one\",{}]]"));
            json_put(pdu, STR("auth_events"), parse(&b, "[]"));
        }
        json_put(pdu, STR("content"), parse(&b, "{\"x\":1.50,\"y\":9007199254740993}"));
        enum err err = event_parse(b.a, version, pdu, &ev, NULL);
        CHECK((err == ERR_NONE) == !version->strict_json);
        CHECK(version->strict_json == (i >= 5));
        if (err == ERR_NONE) {
            CHECK_STR(json_literal(json_get(ev->content, STR("x"))), STR("1.50"));
        }
    }
    arena_free(b.a);
}

TEST(an_old_event_may_be_deeper_than_integers_go)
{
    struct bench b;
    bench_init(&b);
    struct event *ev = NULL;
    struct json *pdu = good_pdu(&b);
    json_put(pdu, STR("depth"), parse(&b, "99999999999999999999"));
    CHECK(event_parse(b.a, room_version_find(STR("4")), pdu, &ev, NULL) == ERR_NONE);
    CHECK(ev != NULL && ev->depth == INT64_MAX);
    json_put(pdu, STR("depth"), parse(&b, "1.0"));
    CHECK(why_not(&b, "4", pdu) != NULL);
    arena_free(b.a);
}

TEST(a_built_event_passes_every_check_in_every_version)
{
    struct bench b;
    bench_init(&b);
    const struct str prev[] = {STR_INIT("$p:one")};
    for (size_t i = 0; room_version_at(i) != NULL; i++) {
        const struct room_version *version = room_version_at(i);
        struct event *ev = NULL;
        const char *why = "";
        struct event_parts parts = {
            .type = STR("m.room.redaction"),
            .sender = STR("@a:one"),
            .room_id = STR("!r:one"),
            .redacts = STR("$gone:one"),
            .id = STR("$own:one"),
            .prev_events = {prev, 1},
            .depth = 3,
            .origin_server_ts = 4,
        };
        CHECK(event_build(b.a, version, &parts, &b.signer, &ev, &why) == ERR_NONE);
        CHECK(seal_hash_fits(b.a, ev));
        CHECK(seal_check(b.a, ev, STR("one"), STR("ed25519:1"), b.key.public_key) == ERR_NONE);
        CHECK_STR(ev->redacts, STR("$gone:one"));
        CHECK_STR(ev->prev_events.at[0], STR("$p:one"));
        CHECK((json_get(ev->tree, STR("redacts")) == NULL) == version->redacts_in_content);
        CHECK(str_eq(ev->id, STR("$own:one")) == (version->id_form == VERSION_ID_SERVER));
        CHECK(!event_is_state(ev));
    }
    arena_free(b.a);
}

TEST(a_version_12_create_event_names_its_room)
{
    struct bench b;
    bench_init(&b);
    struct event *ev = NULL;
    struct event_parts parts = {.type = STR("m.room.create"),
                                .sender = STR("@a:one"),
                                .state_key = STR(""),
                                .content = parse(&b, "{\"room_version\":\"12\"}"),
                                .depth = 1};
    CHECK(event_build(b.a, room_version_find(STR("12")), &parts, &b.signer, &ev, NULL) == ERR_NONE);
    CHECK(ev->room_id.p[0] == '!');
    CHECK_STR(str_from(ev->room_id, 1), str_from(ev->id, 1));
    CHECK(json_get(ev->tree, STR("room_id")) == NULL);
    CHECK(event_build(b.a, room_version_find(STR("11")), &parts, &b.signer, &ev, NULL) ==
          ERR_SYNTAX);
    struct event *left = NULL;
    parts.state_key = STR("odd"); /* the type alone counts */
    parts.room_id = STR("!r:one");
    CHECK(event_build(b.a, room_version_find(STR("12")), &parts, &b.signer, &ev, NULL) == ERR_NONE);
    CHECK(redact_event(b.a, ev, &left) == ERR_NONE);
    CHECK(left != NULL && str_eq(left->room_id, ev->room_id));
    arena_free(b.a);
}

TEST(a_template_is_completed_and_countersigned)
{
    struct bench b;
    bench_init(&b);
    struct event *ev = NULL;
    struct event *both = NULL;
    struct sign_key other;
    const uint8_t seed[SIGN_SEED_SIZE] = {2};
    sign_key_from_seed(&other, seed);
    struct event_signer second = {STR("two"), STR("ed25519:x"), &other};
    struct event_parts parts = {.type = STR("m.room.member"),
                                .sender = STR("@a:one"),
                                .room_id = STR("!r:two"),
                                .state_key = STR("@a:one"),
                                .content = parse(&b, "{\"membership\":\"join\"}")};
    struct json *pdu = event_template(b.a, room_version_default(), &parts);
    CHECK(json_get(pdu, STR("signatures")) == NULL && json_get(pdu, STR("hashes")) == NULL);
    json_put_text(pdu, "event_id", STR("$theirs"));
    CHECK(event_complete(b.a, room_version_default(), pdu, &b.signer, &ev, NULL) == ERR_NONE);
    CHECK_STR(event_membership(ev), STR("join"));
    CHECK(event_countersign(b.a, ev, &second, &both) == ERR_NONE);
    CHECK_STR(both->id, ev->id);
    CHECK(seal_check(b.a, both, STR("one"), STR("ed25519:1"), b.key.public_key) == ERR_NONE);
    CHECK(seal_check(b.a, both, STR("two"), STR("ed25519:x"), other.public_key) == ERR_NONE);
    CHECK(seal_check(b.a, ev, STR("two"), STR("ed25519:x"), other.public_key) == ERR_ABSENT);
    arena_free(b.a);
}

TEST(redaction_keeps_what_the_version_says)
{
    struct bench b;
    bench_init(&b);
    struct json *pdu = good_pdu(&b);
    json_put_text(pdu, "origin", STR("one"));
    json_put_text(pdu, "redacts", STR("$x"));
    json_put_text(pdu, "type", STR("m.room.member"));
    json_put(pdu, STR("content"),
             parse(&b, "{\"membership\":\"join\",\"displayname\":\"x\",\"join_authorised_via_users_"
                       "server\":\"@b:two\",\"third_party_invite\":{\"display_name\":\"n\","
                       "\"signed\":{\"token\":\"t\"}}}"));
    struct json *old = redact_json(b.a, room_version_find(STR("8")), pdu);
    struct json *later = redact_json(b.a, room_version_find(STR("9")), pdu);
    struct json *now = redact_json(b.a, room_version_find(STR("11")), pdu);
    CHECK_STR(json_str(b.a, json_get(old, STR("content"))), STR("{\"membership\":\"join\"}"));
    CHECK(json_count(json_get(later, STR("content"))) == 2);
    CHECK_STR(json_str(b.a, json_get(now, STR("content"))),
              STR("{\"membership\":\"join\",\"join_authorised_via_users_server\":\"@b:two\","
                  "\"third_party_invite\":{\"signed\":{\"token\":\"t\"}}}"));
    CHECK(json_get(old, STR("origin")) != NULL && json_get(now, STR("origin")) == NULL);
    CHECK(json_get(old, STR("redacts")) == NULL && json_get(old, STR("unsigned")) == NULL);
    arena_free(b.a);
}

TEST(the_table_has_twelve_versions_and_no_other)
{
    size_t n = 0;
    while (room_version_at(n) != NULL) {
        n++;
    }
    CHECK(n == 12);
    CHECK_STR(room_version_default()->name, STR("11"));
    CHECK(room_version_find(STR("13")) == NULL && room_version_find(STR_ABSENT) == NULL);
}

TEST_MAIN(TEST_ROW(an_event_is_read_into_its_fields),
          TEST_ROW(an_event_with_a_field_missing_or_of_another_kind_is_refused),
          TEST_ROW(an_event_at_its_limits_is_taken_and_beyond_them_refused),
          TEST_ROW(numbers_must_be_canonical_from_version_6_on),
          TEST_ROW(an_old_event_may_be_deeper_than_integers_go),
          TEST_ROW(a_built_event_passes_every_check_in_every_version),
          TEST_ROW(a_version_12_create_event_names_its_room),
          TEST_ROW(a_template_is_completed_and_countersigned),
          TEST_ROW(redaction_keeps_what_the_version_says),
          TEST_ROW(the_table_has_twelve_versions_and_no_other))

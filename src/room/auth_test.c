/* The rules one by one, where the golden decisions (test/vectors) do not reach. */
#include "room/auth.h"

#include "base/encode.h"
#include "event/seal.h"

#include "test/test.h"

#include "room/rooms_test.h"

static const char JOIN[] = "{\"membership\":\"join\"}";
static const char LEAVE[] = "{\"membership\":\"leave\"}";

static const struct event *member(struct test_room *room, const char *user, const char *sender,
                                  const char *content)
{
    return test_event(room, arena_fmt(room->a, "$m%lld:one", (long long)room->depth).p,
                      "m.room.member", user, sender, content, "");
}

static const struct event *state(struct test_room *room, const char *type, const char *key,
                                 const char *sender, const char *content)
{
    return test_event(room, arena_fmt(room->a, "$s%lld:one", (long long)room->depth).p, type, key,
                      sender, content, "");
}

static const struct event *rules(struct test_room *room, const char *rule)
{
    return test_put(room, state(room, "m.room.join_rules", "", "@a:one",
                                arena_fmt(room->a, "{\"join_rule\":\"%s\"}", rule).p));
}

TEST(each_membership_opens_the_doors_it_should)
{
    struct test_room room;
    test_room_init(&room, "11");
    test_room_open(&room, "{}");
    CHECK(!test_allows(&room, member(&room, "@b:two", "@b:two", JOIN)));
    CHECK(test_allows(&room, member(&room, "@b:two", "@a:one", "{\"membership\":\"invite\"}")));
    CHECK(!test_allows(&room, member(&room, "@a:one", "@a:one", "{\"membership\":\"invite\"}")));
    CHECK(!test_allows(&room, member(&room, "@b:two", "@b:two", LEAVE)));
    (void)test_put(&room, member(&room, "@b:two", "@a:one", "{\"membership\":\"invite\"}"));
    CHECK(test_allows(&room, member(&room, "@b:two", "@b:two", JOIN)));
    CHECK(test_allows(&room, member(&room, "@b:two", "@b:two", LEAVE)));
    CHECK(!test_allows(&room, member(&room, "@b:two", "@a:one", JOIN)));
    (void)test_put(&room, member(&room, "@b:two", "@a:one", "{\"membership\":\"ban\"}"));
    (void)rules(&room, "public");
    CHECK(!test_allows(&room, member(&room, "@b:two", "@b:two", JOIN)));
    CHECK(!test_allows(&room, member(&room, "@b:two", "@b:two", LEAVE)));
    CHECK(test_allows(&room, member(&room, "@b:two", "@a:one", LEAVE)));
    CHECK(test_allows(&room, member(&room, "@c:two", "@c:two", JOIN)));
    CHECK(!test_allows(&room, member(&room, "@c:two", "@b:two", "{\"membership\":\"invite\"}")));
    CHECK(!test_allows(&room, member(&room, "@c:two", "@c:two", "{\"membership\":\"odd\"}")));
    CHECK(!test_allows(&room, member(&room, "@c:two", "@c:two", "{}")));
    CHECK(!test_allows(&room, member(&room, NULL, "@c:two", JOIN)));
    arena_free(room.a);
}

TEST(join_rules_are_known_from_their_version_on)
{
    static const struct {
        const char *rule;
        size_t knock_from, vouched_from; /* room versions; 99: never */
    } rows[] = {{"knock", 7, 99},
                {"restricted", 99, 8},
                {"knock_restricted", 10, 10},
                {"invite", 99, 99},
                {"odd", 99, 99}};
    for (size_t v = 0; room_version_at(v) != NULL; v++) {
        for (size_t i = 0; i < COUNT_OF(rows); i++) {
            struct test_room room;
            test_room_init(&room, room_version_at(v)->name.p);
            test_room_open(&room, "{\"creator\":\"@a:one\"}");
            (void)rules(&room, rows[i].rule);
            const struct event *knock =
                member(&room, "@b:two", "@b:two", "{\"membership\":\"knock\"}");
            const struct event *vouched =
                member(&room, "@b:two", "@b:two",
                       "{\"membership\":\"join\",\"join_authorised_via_users_server\":\"@a:one\"}");
            CHECK(test_allows(&room, knock) == (v + 1 >= rows[i].knock_from));
            CHECK(test_allows(&room, vouched) == (v + 1 >= rows[i].vouched_from));
            arena_free(room.a);
        }
    }
}

TEST(a_restricted_join_needs_a_voucher_who_may_invite)
{
    struct test_room room;
    test_room_init(&room, "11");
    test_room_open(&room, "{}");
    (void)rules(&room, "restricted");
    (void)test_put(&room, member(&room, "@c:two", "@c:two", JOIN));
    const struct event *by_c =
        member(&room, "@b:two", "@b:two",
               "{\"membership\":\"join\",\"join_authorised_via_users_server\":\"@c:two\"}");
    const struct event *by_d =
        member(&room, "@b:two", "@b:two",
               "{\"membership\":\"join\",\"join_authorised_via_users_server\":\"@d:two\"}");
    CHECK(test_allows(&room, by_c) && !test_allows(&room, by_d));
    CHECK(!test_allows(&room, member(&room, "@b:two", "@b:two", JOIN)));
    (void)test_put(&room, state(&room, "m.room.power_levels", "", "@a:one",
                                "{\"users\":{\"@a:one\":100},\"invite\":50}"));
    CHECK(!test_allows(&room, by_c));
    (void)test_put(&room, member(&room, "@b:two", "@a:one", "{\"membership\":\"invite\"}"));
    CHECK(test_allows(&room, member(&room, "@b:two", "@b:two", JOIN)));
    arena_free(room.a);
}

TEST(a_room_without_federation_keeps_other_servers_out)
{
    struct test_room room;
    test_room_init(&room, "11");
    test_room_open(&room, "{\"m.federate\":false}");
    (void)rules(&room, "public");
    CHECK(test_allows(&room, member(&room, "@b:one", "@b:one", JOIN)));
    CHECK(!test_allows(&room, member(&room, "@b:two", "@b:two", JOIN)));
    CHECK(!test_allows(&room, member(&room, "@b:two", "@a:one", "{\"membership\":\"invite\"}")));
    arena_free(room.a);
}

TEST(a_third_party_invite_is_taken_with_its_proof_only)
{
    struct test_room room;
    struct sign_key key;
    const uint8_t seed[SIGN_SEED_SIZE] = {9};
    crypto_start();
    test_room_init(&room, "11");
    test_room_open(&room, "{}");
    sign_key_from_seed(&key, seed);
    struct event_signer signer = {STR("id.example"), STR("ed25519:0"), &key};
    struct str public_key = base64_write(room.a, str_make(key.public_key, SIGN_PUBLIC_SIZE));
    struct json *proof = json_object(room.a);
    json_put_text(proof, "mxid", STR("@b:two"));
    json_put_text(proof, "token", STR("tok"));
    CHECK(seal_json_sign(room.a, proof, &signer) == ERR_NONE);
    struct str content =
        arena_fmt(room.a, "{\"membership\":\"invite\",\"third_party_invite\":{\"signed\":%s}}",
                  json_str(room.a, proof).p);
    const struct event *good = member(&room, "@b:two", "@a:one", content.p);
    CHECK(!test_allows(&room, good));
    const char *stored = arena_fmt(room.a,
                                   "{\"public_keys\":[{\"public_key\":\"AA\"},"
                                   "{\"public_key\":\"%.*s\"}]}",
                                   STR_ARG(public_key))
                             .p;
    (void)test_put(&room, state(&room, "m.room.third_party_invite", "tok", "@a:one", stored));
    CHECK(test_allows(&room, good));
    CHECK(!test_allows(&room, member(&room, "@c:two", "@a:one", content.p)));
    (void)test_put(&room, member(&room, "@c:two", "@c:two", JOIN));
    CHECK(!test_allows(&room, member(&room, "@b:two", "@c:two", content.p)));
    (void)test_put(&room, member(&room, "@b:two", "@a:one", "{\"membership\":\"ban\"}"));
    CHECK(!test_allows(&room, good));
    arena_free(room.a);
}

TEST(power_levels_are_neither_raised_nor_taken_above_ones_own)
{
    struct test_room room;
    test_room_init(&room, "11");
    test_room_open(&room, "{}");
    (void)test_put(&room, member(&room, "@b:two", "@b:two", JOIN));
    (void)test_put(&room, state(&room, "m.room.power_levels", "", "@a:one",
                                "{\"users\":{\"@a:one\":100,\"@b:two\":50,\"@c:two\":50},\"ban\":"
                                "60,\"kick\":50,\"events\":{\"m.room.power_levels\":50}}"));
    static const struct {
        const char *content;
        bool allowed;
    } rows[] = {
        {"{\"users\":{\"@a:one\":100,\"@b:two\":50,\"@c:two\":50},\"ban\":60,\"kick\":50,"
         "\"events\":{\"m.room.power_levels\":50}}",
         true},
        {"{\"users\":{\"@a:one\":100,\"@b:two\":10,\"@c:two\":50},\"ban\":60,\"kick\":50,"
         "\"events\":{\"m.room.power_levels\":50}}",
         true},
        {"{\"users\":{\"@a:one\":100,\"@b:two\":50,\"@c:two\":49},\"ban\":60,\"kick\":50,"
         "\"events\":{\"m.room.power_levels\":50}}",
         false},
        {"{\"users\":{\"@a:one\":99,\"@b:two\":50,\"@c:two\":50},\"ban\":60,\"kick\":50,"
         "\"events\":{\"m.room.power_levels\":50}}",
         false},
        {"{\"users\":{\"@a:one\":100,\"@b:two\":51,\"@c:two\":50},\"ban\":60,\"kick\":50,"
         "\"events\":{\"m.room.power_levels\":50}}",
         false},
        {"{\"users\":{\"@a:one\":100,\"@b:two\":50,\"@c:two\":50,\"@d:two\":50},\"ban\":60,"
         "\"kick\":50,\"events\":{\"m.room.power_levels\":50}}",
         true},
        {"{\"users\":{\"@a:one\":100,\"@b:two\":50,\"@c:two\":50},\"ban\":50,\"kick\":50,"
         "\"events\":{\"m.room.power_levels\":50}}",
         false},
        {"{\"users\":{\"@a:one\":100,\"@b:two\":50,\"@c:two\":50},\"ban\":60,\"kick\":0,"
         "\"events\":{\"m.room.power_levels\":50,\"x\":50}}",
         true},
        {"{\"users\":{\"@a:one\":100,\"@b:two\":50,\"@c:two\":50},\"ban\":60,\"kick\":50,"
         "\"events\":{\"m.room.power_levels\":50},\"notifications\":{\"room\":51}}",
         false},
        {"{\"users\":{\"@a:one\":100,\"@b:two\":50,\"@c:two\":50},\"ban\":60,\"kick\":\"50\","
         "\"events\":{\"m.room.power_levels\":50}}",
         false},
        {"{\"users\":{\"@a:one\":100,\"@b:two\":50,\"@c:two\":50,\"x\":1},\"ban\":60,\"kick\":50,"
         "\"events\":{\"m.room.power_levels\":50}}",
         false},
        {"{\"users\":[],\"ban\":60,\"kick\":50}", false},
        {"{\"events\":[]}", false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct event *ev = state(&room, "m.room.power_levels", "", "@b:two", rows[i].content);
        CHECK(test_allows(&room, ev) == rows[i].allowed);
        if (test_allows(&room, ev) != rows[i].allowed) {
            printf("# row %zu\n", i);
        }
    }
    arena_free(room.a);
}

TEST(a_creator_of_version_12_is_not_written_into_the_levels)
{
    struct test_room room;
    test_room_init(&room, "12");
    test_room_open(&room, "{\"additional_creators\":[\"@c:two\"]}");
    CHECK(test_allows(&room, state(&room, "m.room.power_levels", "", "@a:one",
                                   "{\"users\":{\"@b:two\":9007199254740991}}")));
    CHECK(!test_allows(
        &room, state(&room, "m.room.power_levels", "", "@a:one", "{\"users\":{\"@a:one\":100}}")));
    CHECK(!test_allows(
        &room, state(&room, "m.room.power_levels", "", "@a:one", "{\"users\":{\"@c:two\":100}}")));
    arena_free(room.a);
}

TEST(create_events_are_checked_by_themselves)
{
    static const struct {
        const char *version, *content, *sender;
        bool allowed;
    } rows[] = {
        {"11", "{}", "@a:one", true},
        {"11", "{\"room_version\":\"11\"}", "@a:one", true},
        {"11", "{\"room_version\":\"odd\"}", "@a:one", false},
        {"11", "{\"room_version\":11}", "@a:one", false},
        {"11", "{}", "@a:two", false},
        {"10", "{}", "@a:one", false},
        {"10", "{\"creator\":\"@a:one\"}", "@a:one", true},
        {"12", "{\"additional_creators\":[]}", "@a:one", true},
        {"12", "{\"additional_creators\":[\"@b:two\"]}", "@a:one", true},
        {"12", "{\"additional_creators\":[\"b\"]}", "@a:one", false},
        {"12", "{\"additional_creators\":\"@b:two\"}", "@a:one", false},
        {"11", "{\"additional_creators\":\"@b:two\"}", "@a:one", true},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct test_room room;
        test_room_init(&room, rows[i].version);
        const struct event *ev =
            test_event(&room, "$ccccccccccccccccccccccccccccccccccccccccccc", "m.room.create", "",
                       rows[i].sender, rows[i].content, "");
        struct verdict v = auth_check_alone(room.a, ev, NULL, NULL, NULL, 0);
        CHECK((v.kind == VERDICT_ACCEPT) == rows[i].allowed);
        arena_free(room.a);
    }
}

TEST(cited_events_must_be_the_right_ones)
{
    struct test_room room;
    test_room_init(&room, "11");
    test_room_open(&room, "{}");
    const struct event *create = map_get(&room.events, STR("$create:one"));
    const struct event *own = map_get(&room.events, STR("$a:one"));
    const struct event *topic = state(&room, "m.room.topic", "", "@a:one", "{}");
    const struct event *message = test_event(&room, "$x:one", "m.x", NULL, "@a:one", "{}", "");
    const struct event *good[] = {create, own};
    const struct event *twice[] = {create, own, own};
    const struct event *odd[] = {create, own, topic};
    const struct event *none[] = {own};
    const bool rejected[] = {false, true};
    CHECK(auth_check_alone(room.a, message, NULL, good, NULL, 2).kind == VERDICT_ACCEPT);
    CHECK(auth_check_alone(room.a, message, NULL, twice, NULL, 3).kind == VERDICT_REJECT);
    CHECK(auth_check_alone(room.a, message, NULL, odd, NULL, 3).kind == VERDICT_REJECT);
    CHECK(auth_check_alone(room.a, message, NULL, none, NULL, 1).kind == VERDICT_REJECT);
    CHECK(auth_check_alone(room.a, message, NULL, good, rejected, 2).kind == VERDICT_REJECT);
    struct event elsewhere = *own;
    elsewhere.room_id = STR("!other:one");
    const struct event *foreign[] = {create, &elsewhere};
    CHECK(auth_check_alone(room.a, message, NULL, foreign, NULL, 2).kind == VERDICT_REJECT);
    arena_free(room.a);
}

TEST(a_version_12_event_belongs_to_the_room_of_its_create_event)
{
    struct test_room room;
    test_room_init(&room, "12");
    test_room_open(&room, "{}");
    const struct event *create =
        map_get(&room.events, STR("$ccccccccccccccccccccccccccccccccccccccccccc"));
    const struct event *own = map_get(&room.events, STR("$a:one"));
    const struct event *message = test_event(&room, "$x:one", "m.x", NULL, "@a:one", "{}", "");
    struct event foreign = *create;
    foreign.room_id = STR("!ddddddddddddddddddddddddddddddddddddddddddd");
    const struct event *with[] = {own, create};
    CHECK(auth_check_alone(room.a, message, create, &own, NULL, 1).kind == VERDICT_ACCEPT);
    CHECK(auth_check_alone(room.a, message, NULL, &own, NULL, 1).kind == VERDICT_REJECT);
    CHECK(auth_check_alone(room.a, message, &foreign, &own, NULL, 1).kind == VERDICT_REJECT);
    CHECK(auth_check_alone(room.a, message, create, with, NULL, 2).kind == VERDICT_REJECT);
    arena_free(room.a);
}

TEST(the_selection_names_each_key_once)
{
    struct arena *a = arena_new();
    struct json *content = json_object(a);
    struct str none = STR_ABSENT;
    const struct room_version *v = room_version_default();
    json_put_text(content, "membership", STR("join"));
    CHECK(auth_needs(a, v, STR("m.room.create"), STR("@a:b"), STR(""), NULL).n == 0);
    CHECK(auth_needs(a, v, STR("m.room.message"), STR("@a:b"), none, NULL).n == 3);
    CHECK(auth_needs(a, v, STR("m.room.member"), STR("@a:b"), STR("@a:b"), content).n == 4);
    CHECK(auth_needs(a, room_version_find(STR("12")), STR("m.x"), STR("@a:b"), none, NULL).n == 2);
    json_put_text(content, "join_authorised_via_users_server", STR("@c:d"));
    CHECK(auth_needs(a, v, STR("m.room.member"), STR("@a:b"), STR("@a:b"), content).n == 5);
    json_put_text(content, "membership", STR("invite"));
    struct json *signed_object =
        json_put_object(json_put_object(content, STR("third_party_invite")), STR("signed"));
    json_put_text(signed_object, "token", STR("t"));
    struct auth_keys keys =
        auth_needs(a, v, STR("m.room.member"), STR("@a:b"), STR("@e:f"), content);
    CHECK(keys.n == 6);
    CHECK_STR(keys.at[5].type, STR("m.room.third_party_invite"));
    CHECK_STR(keys.at[5].state_key, STR("t"));
    arena_free(a);
}

TEST(what_may_be_sent_goes_by_power_and_membership)
{
    struct test_room room;
    test_room_init(&room, "11");
    test_room_open(&room, "{}");
    (void)test_put(&room, member(&room, "@b:two", "@b:two", JOIN));
    CHECK(test_allows(&room, state(&room, "m.x", NULL, "@b:two", "{}")));
    CHECK(!test_allows(&room, state(&room, "m.x", "", "@b:two", "{}")));
    CHECK(!test_allows(&room, state(&room, "m.x", NULL, "@c:two", "{}")));
    CHECK(test_allows(&room, state(&room, "m.x", "@a:one", "@a:one", "{}")));
    CHECK(!test_allows(&room, state(&room, "m.x", "@b:two", "@a:one", "{}")));
    struct auth_view view = {&room, test_room_get};
    const struct event *by_b = state(&room, "m.room.redaction", NULL, "@b:two", "{}");
    const struct event *by_a = state(&room, "m.room.redaction", NULL, "@a:one", "{}");
    CHECK(test_allows(&room, by_b));
    CHECK(!auth_may_redact(by_b, by_a, view) && auth_may_redact(by_b, by_b, view));
    CHECK(auth_may_redact(by_a, by_b, view));
    state_init(&room.state, room.a);
    CHECK(!test_allows(&room, by_a));
    arena_free(room.a);
}

TEST(to_unban_takes_the_power_to_ban_and_to_kick)
{
    struct test_room room;
    test_room_init(&room, "11");
    test_room_open(&room, "{}");
    (void)test_put(&room, member(&room, "@b:two", "@b:two", JOIN));
    (void)test_put(&room, state(&room, "m.room.power_levels", "", "@a:one",
                                "{\"users\":{\"@b:two\":50},\"kick\":50,\"ban\":60}"));
    CHECK(test_allows(&room, member(&room, "@c:two", "@b:two", LEAVE)));
    (void)test_put(&room, member(&room, "@c:two", "@a:one", "{\"membership\":\"ban\"}"));
    CHECK(!test_allows(&room, member(&room, "@c:two", "@b:two", LEAVE)));
    (void)test_put(&room, state(&room, "m.room.power_levels", "", "@a:one",
                                "{\"users\":{\"@b:two\":50},\"kick\":51,\"ban\":50}"));
    CHECK(!test_allows(&room, member(&room, "@c:two", "@b:two", LEAVE)));
    (void)test_put(&room, state(&room, "m.room.power_levels", "", "@a:one",
                                "{\"users\":{\"@b:two\":50},\"kick\":50,\"ban\":50}"));
    CHECK(test_allows(&room, member(&room, "@c:two", "@b:two", LEAVE)));
    arena_free(room.a);
}

TEST(aliases_belong_to_their_server_up_to_version_5)
{
    for (size_t v = 0; room_version_at(v) != NULL; v++) {
        struct test_room room;
        bool special = v + 1 <= 5;
        test_room_init(&room, room_version_at(v)->name.p);
        test_room_open(&room, "{\"creator\":\"@a:one\"}");
        CHECK(test_allows(&room, state(&room, "m.room.aliases", "two", "@b:two", "{}")) == special);
        CHECK(test_allows(&room, state(&room, "m.room.aliases", "two", "@a:one", "{}")) != special);
        CHECK(!test_allows(&room, state(&room, "m.room.aliases", "", "@b:two", "{}")));
        CHECK(!test_allows(&room, state(&room, "m.room.aliases", NULL, "@b:two", "{}")));
        arena_free(room.a);
    }
}

TEST_MAIN(TEST_ROW(to_unban_takes_the_power_to_ban_and_to_kick),
          TEST_ROW(aliases_belong_to_their_server_up_to_version_5),
          TEST_ROW(each_membership_opens_the_doors_it_should),
          TEST_ROW(join_rules_are_known_from_their_version_on),
          TEST_ROW(a_restricted_join_needs_a_voucher_who_may_invite),
          TEST_ROW(a_room_without_federation_keeps_other_servers_out),
          TEST_ROW(a_third_party_invite_is_taken_with_its_proof_only),
          TEST_ROW(power_levels_are_neither_raised_nor_taken_above_ones_own),
          TEST_ROW(a_creator_of_version_12_is_not_written_into_the_levels),
          TEST_ROW(create_events_are_checked_by_themselves),
          TEST_ROW(cited_events_must_be_the_right_ones),
          TEST_ROW(a_version_12_event_belongs_to_the_room_of_its_create_event),
          TEST_ROW(the_selection_names_each_key_once),
          TEST_ROW(what_may_be_sent_goes_by_power_and_membership))

/* The specification's "Cryptographic Test Vectors", and what must not verify. */
#include "event/seal.h"

#include "base/encode.h"
#include "event/mxid.h"
#include "test/test.h"

struct bench {
    struct arena *a;
    struct sign_key key;
    struct event_signer signer;
};

static void bench_init(struct bench *b)
{
    struct str seed = STR_ABSENT;
    crypto_start();
    b->a = arena_new();
    CHECK(base64_parse(b->a, STR("YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1"), &seed) ==
          ERR_NONE);
    sign_key_from_seed(&b->key, (const uint8_t *)seed.p);
    b->signer = (struct event_signer){STR("domain"), STR("ed25519:1"), &b->key};
}

static struct json *parse(struct bench *b, const char *text)
{
    struct json *node = NULL;
    CHECK(json_parse(b->a, str_of(text), &node, NULL) == ERR_NONE);
    return node;
}

static struct str signature_of(const struct json *object)
{
    const struct json *signatures = json_get_object(object, "signatures");
    return json_get_text(json_get_object(signatures, "domain"), "ed25519:1");
}

static struct event *event_of(struct bench *b, const char *version, struct json *pdu)
{
    struct event *ev = NULL;
    const char *why = "";
    if (event_parse(b->a, room_version_find(str_of(version)), pdu, &ev, &why) != ERR_NONE) {
        printf("# %s\n", why);
    }
    return ev;
}

TEST(objects_are_signed_as_published)
{
    struct bench b;
    bench_init(&b);
    struct json *empty = parse(&b, "{}");
    struct json *data = parse(&b, "{\"one\":1,\"two\":\"Two\",\"unsigned\":{\"x\":1.5}}");
    CHECK(seal_json_sign(b.a, empty, &b.signer) == ERR_NONE);
    CHECK_STR(signature_of(empty),
              STR("K8280/U9SSy9IVtjBuVeLr+HpOB4BQFWbg+UZaADMtTdGYI7Geitb76LTrr5"
                  "QV/7Xg4ahLwYGYZzuHGZKM5ZAQ"));
    CHECK(seal_json_sign(b.a, data, &b.signer) == ERR_NONE);
    CHECK_STR(signature_of(data),
              STR("KqmLSbO39/Bzb0QIYE82zqLwsA+PDzYIpIRA2sRQ4sL53+sN6/fpNSoqE7BP7"
                  "vBZhG6kYdD13EIMJpvhJI+6Bw"));
    CHECK(seal_json_check(b.a, data, STR("domain"), STR("ed25519:1"), b.key.public_key) ==
          ERR_NONE);
    struct strs ids = seal_key_ids(b.a, data, STR("domain"));
    CHECK(ids.n == 1);
    CHECK_STR(ids.at[0], STR("ed25519:1"));
    CHECK(seal_key_ids(b.a, data, STR("other")).n == 0);
    arena_free(b.a);
}

TEST(events_are_hashed_and_signed_as_published)
{
    struct bench b;
    bench_init(&b);
    const struct room_version *version = room_version_find(STR("1"));
    struct json *minimal = parse(
        &b, "{\"room_id\":\"!x:domain\",\"sender\":\"@a:domain\",\"origin\":\"domain\",\"origin_"
            "server_ts\":1000000,\"signatures\":{},\"hashes\":{},\"type\":\"X\",\"content\":{},"
            "\"prev_events\":[],\"auth_events\":[],\"depth\":3,\"unsigned\":{\"age_ts\":1000000}}");
    struct json *message = parse(
        &b, "{\"content\":{\"body\":\"Here is the message content\"},\"event_id\":\"$0:domain\","
            "\"origin\":\"domain\",\"origin_server_ts\":1000000,\"type\":\"m.room.message\","
            "\"room_id\":\"!r:domain\",\"sender\":\"@u:domain\",\"signatures\":{},\"unsigned\":{"
            "\"age_ts\":1000000}}");
    struct str sealed;
    CHECK(seal_sign(b.a, version, minimal, &b.signer, &sealed) == ERR_NONE);
    CHECK_STR(json_get_text(json_get_object(minimal, "hashes"), "sha256"),
              STR("5jM4wQpv6lnBo7CLIghJuHdW+s2CMBJPUOGOC89ncos"));
    CHECK_STR(signature_of(minimal),
              STR("KxwGjPSDEtvnFgU00fwFz+l6d2pJM6XBIaMEn81SXPTRl16AqLAYqfIReFGZ"
                  "lHi5KLjAWbOoMszkwsQma+lYAg"));
    CHECK(seal_sign(b.a, version, message, &b.signer, &sealed) == ERR_NONE);
    CHECK_STR(json_get_text(json_get_object(message, "hashes"), "sha256"),
              STR("onLKD1bGljeBWQhWZ1kaP9SorVmRQNdN5aM2JYU2n/g"));
    CHECK_STR(signature_of(message),
              STR("Wm+VzmOUOz08Ds+0NTWb1d4CZrVsJSikkeRxh6aCcUwu6pNC78FunoD7KNWz"
                  "qFn241eYHYMGCA5McEiVPdhzBA"));
    arena_free(b.a);
}

TEST(what_is_changed_missing_or_of_another_key_does_not_verify)
{
    struct bench b;
    bench_init(&b);
    struct str server = STR("domain"), id = STR("ed25519:1");
    struct json *data = parse(&b, "{\"one\":1}");
    struct sign_key other;
    const uint8_t seed[SIGN_SEED_SIZE] = {7};
    sign_key_from_seed(&other, seed);
    CHECK(seal_json_check(b.a, data, server, id, b.key.public_key) == ERR_ABSENT);
    CHECK(seal_json_sign(b.a, data, &b.signer) == ERR_NONE);
    CHECK(seal_json_check(b.a, data, server, id, b.key.public_key) == ERR_NONE);
    CHECK(seal_json_check(b.a, data, server, id, other.public_key) == ERR_REFUSED);
    CHECK(seal_json_check(b.a, data, STR("other"), id, b.key.public_key) == ERR_ABSENT);
    CHECK(seal_json_check(b.a, data, server, STR("rsa:1"), b.key.public_key) == ERR_REFUSED);
    json_put_int(data, "one", 2);
    CHECK(seal_json_check(b.a, data, server, id, b.key.public_key) == ERR_REFUSED);
    struct json *bad = parse(&b, "{\"signatures\":{\"domain\":{\"ed25519:1\":\"AAAA\"}}}");
    CHECK(seal_json_check(b.a, bad, server, id, b.key.public_key) == ERR_SYNTAX);
    CHECK(seal_json_sign(b.a, parse(&b, "{\"a\":1.5}"), &b.signer) == ERR_SYNTAX);
    arena_free(b.a);
}

TEST(a_peer_is_refused_under_any_key_id_but_its_own)
{
    struct bench b;
    bench_init(&b);
    const unsigned char head[] = {0x00, 0x24, 0x08, 0x01, 0x12, 0x20};
    struct str peer = STR_ABSENT;
    struct str bytes = arena_join(b.a, str_make(head, sizeof(head)),
                                  str_make(b.key.public_key, SIGN_PUBLIC_SIZE), STR_ABSENT);
    CHECK(base58_write(b.a, bytes, &peer) == ERR_NONE);
    uint8_t key[SIGN_PUBLIC_SIZE];
    CHECK(mxid_is_peer(peer, key) && memcmp(key, b.key.public_key, sizeof(key)) == 0);
    struct json *data = parse(&b, "{\"one\":1}");
    struct event_signer good = {peer, mxid_peer_key_id(), &b.key};
    struct event_signer bad = {peer, STR("ed25519:1"), &b.key};
    CHECK(seal_json_sign(b.a, data, &good) == ERR_NONE);
    CHECK(seal_json_sign(b.a, data, &bad) == ERR_NONE);
    CHECK(seal_json_check(b.a, data, peer, good.key_id, key) == ERR_NONE);
    CHECK(seal_json_check(b.a, data, peer, bad.key_id, key) == ERR_REFUSED);
    arena_free(b.a);
}

TEST(a_wrong_hash_is_noticed_and_the_signature_of_the_redacted_form_still_fits)
{
    struct bench b;
    bench_init(&b);
    struct event *ev = NULL;
    struct event_parts parts = {.type = STR("m.room.message"),
                                .sender = STR("@a:domain"),
                                .room_id = STR("!r:domain"),
                                .content = parse(&b, "{\"body\":\"hello\"}"),
                                .depth = 4,
                                .origin_server_ts = 5};
    CHECK(event_build(b.a, room_version_default(), &parts, &b.signer, &ev, NULL) == ERR_NONE);
    CHECK(seal_hash_fits(b.a, ev));
    CHECK(seal_check(b.a, ev, STR("domain"), STR("ed25519:1"), b.key.public_key) == ERR_NONE);
    struct json *changed = json_copy(b.a, ev->tree);
    json_put_text(json_get_object(changed, "content"), "body", STR("other"));
    struct event *other = event_of(&b, "11", changed);
    CHECK(other != NULL && !seal_hash_fits(b.a, other));
    CHECK(seal_check(b.a, other, STR("domain"), STR("ed25519:1"), b.key.public_key) == ERR_NONE);
    CHECK_STR(other->id, ev->id);
    struct json *moved = json_copy(b.a, ev->tree);
    json_put_int(moved, "depth", 9);
    other = event_of(&b, "11", moved);
    CHECK(other != NULL && !str_eq(other->id, ev->id));
    CHECK(seal_check(b.a, other, STR("domain"), STR("ed25519:1"), b.key.public_key) == ERR_REFUSED);
    arena_free(b.a);
}

static struct strs servers_of(struct bench *b, const char *version, const char *id,
                              const char *content)
{
    struct json *pdu = parse(
        b, "{\"type\":\"m.room.member\",\"state_key\":\"@b:two\",\"sender\":\"@a:one\",\"room_id\":"
           "\"!r:one\",\"depth\":1,\"origin_server_ts\":1,\"prev_events\":[],\"auth_events\":[],"
           "\"hashes\":{},\"signatures\":{}}");
    if (id != NULL) {
        json_put_text(pdu, "event_id", str_of(id));
    }
    json_put(pdu, STR("content"), parse(b, content));
    const struct event *ev = event_of(b, version, pdu);
    CHECK(ev != NULL);
    return seal_servers(b->a, ev);
}

TEST(the_servers_that_must_sign_are_the_senders_and_those_of_its_vouchers)
{
    struct bench b;
    bench_init(&b);
    const char *restricted =
        "{\"membership\":\"join\",\"join_authorised_via_users_server\":\"@c:three\"}";
    const char *invite = "{\"membership\":\"invite\",\"third_party_invite\":{}}";
    struct strs s = servers_of(&b, "11", NULL, "{\"membership\":\"invite\"}");
    CHECK(s.n == 1 && str_eq(s.at[0], STR("one")));
    s = servers_of(&b, "11", NULL, restricted);
    CHECK(s.n == 2 && str_eq(s.at[0], STR("one")) && str_eq(s.at[1], STR("three")));
    CHECK(servers_of(&b, "7", NULL, restricted).n == 1);
    CHECK(servers_of(&b, "11", NULL, invite).n == 0);
    s = servers_of(&b, "2", "$1:four", "{\"membership\":\"invite\"}");
    CHECK(s.n == 2 && str_eq(s.at[1], STR("four")));
    CHECK(servers_of(&b, "2", "$1:one", "{\"membership\":\"invite\"}").n == 1);
    arena_free(b.a);
}

TEST(a_third_party_invite_is_proven_by_the_key_it_was_stored_with)
{
    struct bench b;
    bench_init(&b);
    struct json *object = parse(&b, "{\"mxid\":\"@b:two\",\"token\":\"t\"}");
    struct str key = base64_write(b.a, str_make(b.key.public_key, SIGN_PUBLIC_SIZE));
    struct event_signer signer = {STR("magic.forest"), STR("ed25519:3"), &b.key};
    CHECK(!seal_third_party_fits(b.a, object, key));
    CHECK(seal_json_sign(b.a, object, &signer) == ERR_NONE);
    CHECK(seal_third_party_fits(b.a, object, key));
    CHECK(!seal_third_party_fits(b.a, object, STR("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")));
    CHECK(!seal_third_party_fits(b.a, object, STR("no key")));
    json_put_text(object, "token", STR("other"));
    CHECK(!seal_third_party_fits(b.a, object, key));
    arena_free(b.a);
}

TEST_MAIN(TEST_ROW(objects_are_signed_as_published),
          TEST_ROW(events_are_hashed_and_signed_as_published),
          TEST_ROW(what_is_changed_missing_or_of_another_key_does_not_verify),
          TEST_ROW(a_peer_is_refused_under_any_key_id_but_its_own),
          TEST_ROW(a_wrong_hash_is_noticed_and_the_signature_of_the_redacted_form_still_fits),
          TEST_ROW(the_servers_that_must_sign_are_the_senders_and_those_of_its_vouchers),
          TEST_ROW(a_third_party_invite_is_proven_by_the_key_it_was_stored_with))

#include "event/mxid.h"

#include "test/test.h"

static const char PEER[] = "12D3KooWGC6TvWhfapngX6wvJHMYvKpDMXPb3ZnCZ6dMoaMtimQ5";

TEST(an_id_is_cut_at_its_first_colon)
{
    CHECK_STR(mxid_server(STR("@a:b.c:8448")), STR("b.c:8448"));
    CHECK_STR(mxid_local(STR("@a:b.c:8448")), STR("a"));
    CHECK(str_is_absent(mxid_server(STR("!hash"))));
    CHECK_STR(mxid_local(STR("!hash")), STR("hash"));
}

TEST(server_names_are_hosts_with_an_optional_port)
{
    static const char *const good[] = {"localhost", "a.b-c.example:8448",     "1.2.3.4:1",
                                       "[::1]",     "[1234:5678::abcd]:5678", PEER};
    static const char *const bad[] = {
        "",   "a:",  "a:b", "a:123456", "a b",   "[::1",   "[::1]x",
        "[]", "a_b", "a/b", ":1",       "a:1:2", "[::1]:", "\xC3\xA4.example"};
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        CHECK(mxid_is_server(str_of(good[i])));
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        CHECK(!mxid_is_server(str_of(bad[i])));
    }
}

TEST(users_rooms_aliases_and_events_have_their_sigil_and_length)
{
    char local[260];
    memset(local, 'a', sizeof(local));
    local[0] = '@';
    memcpy(local + 253, ":b", 2);
    CHECK(mxid_is_user(str_make(local, 255)));
    CHECK(!mxid_is_user(str_make(local, 257)) && !mxid_is_user(str_make(local, 253)));
    CHECK(mxid_is_user(STR("@Old Style!:example.org")) && mxid_is_user(STR("@:example.org")));
    CHECK(!mxid_is_user(STR("a:b")) && !mxid_is_user(STR("@a")) && !mxid_is_user(STR("@a:")));
    CHECK(!mxid_is_user(STR("@a\0:b")) && !mxid_is_user(STR("@\xC0\x80:b")));
    CHECK(mxid_is_room(STR("!abc:example.org")));
    CHECK(mxid_is_room(STR("!KdFdvhXbdLMf7A0c6jM7-fKqoYr1Vj1SinfeLhsAqf8")));
    CHECK(!mxid_is_room(STR("!KdFdvhXbdLMf7A0c6jM7+fKqoYr1Vj1SinfeLhsAqf8")));
    CHECK(!mxid_is_room(STR("!abc")) && !mxid_is_room(STR("#a:b")));
    CHECK(mxid_is_alias(STR("#a room:b")) && !mxid_is_alias(STR("!a:b")));
    CHECK(mxid_is_event(STR("$x")) && mxid_is_event(STR("$x:b")) && !mxid_is_event(STR("$")));
    CHECK(!mxid_is_event(STR_ABSENT) && !mxid_is_user(STR_ABSENT));
}

TEST(new_users_have_plain_local_parts)
{
    CHECK(mxid_is_new_local(STR("a.b_c=d-e/f+9"), STR("example.org")));
    CHECK(!mxid_is_new_local(STR("A"), STR("b")) && !mxid_is_new_local(STR(""), STR("b")));
    CHECK(!mxid_is_new_local(STR("a b"), STR("b")) &&
          !mxid_is_new_local(STR("\xC3\xA4"), STR("b")));
    char local[255];
    memset(local, 'a', sizeof(local));
    CHECK(mxid_is_new_local(str_make(local, 252), STR("b")));
    CHECK(!mxid_is_new_local(str_make(local, 253), STR("b")));
}

TEST(a_peer_is_its_own_key_in_one_spelling)
{
    uint8_t key[MXID_PEER_KEY_SIZE] = {0};
    const uint8_t zero[MXID_PEER_KEY_SIZE] = {0};
    CHECK(mxid_is_peer(str_of(PEER), key) && memcmp(key, zero, sizeof(key)) != 0);
    CHECK(mxid_is_peer(str_of(PEER), NULL));
    CHECK(!mxid_is_peer(STR("12d3koowgc6tvwhfapngx6wvjhmyvkpdmxpb3zncz6dmoamtimq5"), key));
    CHECK(!mxid_is_peer(STR("12D3KooW"), key));
    CHECK(!mxid_is_peer(STR("12D3KooWGC6TvWhfapngX6wvJHMYvKpDMXPb3ZnCZ6dMoaMtimQ0"), key));
    CHECK(!mxid_is_peer(STR("12D3KooWGC6TvWhfapngX6wvJHMYvKpDMXPb3ZnCZ6dMoaMtimQ5:1"), key));
}

TEST(a_peer_signs_with_one_key_id_and_others_with_any)
{
    CHECK(mxid_key_id_fits(str_of(PEER), STR("ed25519:p2p")));
    CHECK(!mxid_key_id_fits(str_of(PEER), STR("ed25519:other")));
    CHECK(mxid_key_id_fits(STR("example.org"), STR("ed25519:a_Tjth")));
    CHECK(!mxid_key_id_fits(STR("example.org"), STR("ed25519:")));
    CHECK(!mxid_key_id_fits(STR("example.org"), STR("curve25519:a")));
    CHECK(!mxid_key_id_fits(STR("example.org"), STR("ed25519:a b")));
}

TEST_MAIN(TEST_ROW(an_id_is_cut_at_its_first_colon),
          TEST_ROW(server_names_are_hosts_with_an_optional_port),
          TEST_ROW(users_rooms_aliases_and_events_have_their_sigil_and_length),
          TEST_ROW(new_users_have_plain_local_parts),
          TEST_ROW(a_peer_is_its_own_key_in_one_spelling),
          TEST_ROW(a_peer_signs_with_one_key_id_and_others_with_any))

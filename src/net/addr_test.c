/* Vectors: p2p-wire.md 4.4, made with @libp2p/peer-id. */
#include "net/addr.h"

#include "base/encode.h"
#include "test/test.h"

static const struct {
    const char *key, *id;
} vectors[] = {
    {"3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29",
     "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN"},
    {"03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8",
     "12D3KooWA4Xop1JaT3MHxwYMkCepYsv4iPVopMXwCz5iHYdBfeSB"},
    {"29acbae141bccaf0b22e1a94d34d0bc7361e526d0bfe12c89794bc9322966dd7",
     "12D3KooWCd3eX8r5ihRvzK7P1yPq5aakaBJhG5GNj18YTztPhoCa"},
    {"76a1592044a6e4f511265bca73a604d90b0529d1df602be30a19a9257660d1f5",
     "12D3KooWHoSyTgntm77sXShoeX9uNkqKNMhHxKtskaHqnA54SrSG"},
};

static const char RELAY[] = "/ip4/127.0.0.1/tcp/9090/ws/p2p-websocket-star";
static const char ID_A[] = "12D3KooWA4Xop1JaT3MHxwYMkCepYsv4iPVopMXwCz5iHYdBfeSB";

TEST(turns_a_key_into_a_peer_id_and_back)
{
    struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT_OF(vectors); i++) {
        struct str key;
        uint8_t back[SIGN_PUBLIC_SIZE];
        CHECK(hex_parse(a, str_of(vectors[i].key), &key) == ERR_NONE);
        CHECK_STR(addr_id_write(a, (const uint8_t *)key.p), str_of(vectors[i].id));
        CHECK(addr_id_parse(str_of(vectors[i].id), back) == ERR_NONE);
        CHECK_STR(str_make(back, sizeof(back)), key);
    }
    arena_free(a);
}

TEST(turns_a_key_into_its_protobuf_and_back)
{
    struct arena *a = arena_new();
    struct str key;
    uint8_t protobuf[ADDR_KEY_SIZE], back[SIGN_PUBLIC_SIZE];
    CHECK(hex_parse(a, str_of(vectors[1].key), &key) == ERR_NONE);
    addr_key_write(protobuf, (const uint8_t *)key.p);
    struct str bytes = str_make(protobuf, sizeof(protobuf));
    CHECK_STR(hex_write(a, bytes),
              STR("0801122003a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8"));
    CHECK(addr_key_parse(bytes, back) == ERR_NONE);
    CHECK_STR(str_make(back, sizeof(back)), key);
    CHECK(addr_key_parse(str_sub(bytes, 0, 35), back) == ERR_SYNTAX);
    protobuf[1] = 2;
    CHECK(addr_key_parse(bytes, back) == ERR_SYNTAX);
    arena_free(a);
}

TEST(refuses_every_other_spelling_of_a_peer_id)
{
    static const char *const bad[] = {
        "",
        "12D3KooW",
        "QmU5UWPmnUrd9VVii3gd9vGtRjeNVneVDvUjf9ZXyZKvLW",
        "bafzaajaiaejcaa5ba677htqqxyoxbxiy45f4bglh4tldbg5fbvpr3xegmqjfkmny",
        "k51qzi5uqu5dg9ufswxt229ntzdy7p4125xzv5rtyjso89ajdujg6csfxcj260",
        "12D3KooWA4Xop1JaT3MHxwYMkCepYsv4iPVopMXwCz5iHYdBfeS0",
        "12D3KooWA4Xop1JaT3MHxwYMkCepYsv4iPVopMXwCz5iHYdBfeSB ",
        "12d3koowa4xop1jat3mhxwymkcepysv4ipvopmxwcz5ihydbfesb",
        "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz",
    };
    uint8_t key[SIGN_PUBLIC_SIZE];
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        CHECK(addr_id_parse(str_of(bad[i]), key) != ERR_NONE);
    }
}

TEST(finds_the_peer_behind_the_last_ipfs_or_p2p)
{
    CHECK_STR(addr_peer(STR("/dns4/x/tcp/1/ws/p2p-websocket-star/ipfs/QmA")), STR("QmA"));
    CHECK_STR(addr_peer(STR("/ip4/1.2.3.4/p2p/QmA/p2p/QmB")), STR("QmB"));
    CHECK_STR(addr_peer(STR("/ipfs/QmA/ipfs/")), STR(""));
    CHECK(str_is_absent(addr_peer(STR("/ip4/1.2.3.4"))));
    CHECK(str_is_absent(addr_peer(STR(""))));
}

TEST(spells_the_id_with_ipfs)
{
    struct arena *a = arena_new();
    struct str out;
    struct str want = arena_fmt(a, "%s/ipfs/%s", RELAY, ID_A);
    CHECK(addr_canonical(a, arena_fmt(a, "%s/p2p/%s", RELAY, ID_A), &out) == ERR_NONE);
    CHECK_STR(out, want);
    CHECK(addr_canonical(a, want, &out) == ERR_NONE);
    CHECK_STR(out, want);
    CHECK(addr_canonical(a, arena_fmt(a, "%s/ipfs/%s/", RELAY, ID_A), &out) == ERR_SYNTAX);
    CHECK(addr_canonical(a, arena_fmt(a, "%s/ipfs/QmA", RELAY), &out) == ERR_SYNTAX);
    CHECK(addr_canonical(a, arena_fmt(a, "%s\"/ipfs/%s", RELAY, ID_A), &out) == ERR_SYNTAX);
    CHECK(addr_canonical(a, arena_fmt(a, "%0600d/ipfs/%s", 0, ID_A), &out) == ERR_SYNTAX);
    arena_free(a);
}

TEST(makes_our_address_from_the_relays_url)
{
    static const struct {
        const char *url, *address, *back;
    } rows[] = {
        {"ws://127.0.0.1:9090", "/ip4/127.0.0.1/tcp/9090/ws", "ws://127.0.0.1:9090"},
        {"ws://localhost:8080/some/path", "/dns4/localhost/tcp/8080/ws", "ws://localhost:8080"},
        {"wss://relay.example", "/dns4/relay.example/tcp/443/wss", "wss://relay.example:443"},
        {"ws://relay/", "/dns4/relay/tcp/80/ws", "ws://relay:80"},
        {"ws://[::1]:9090", "/ip6/::1/tcp/9090/ws", "ws://[::1]:9090"},
        {"ws://1.2.3.4.5:1", "/dns4/1.2.3.4.5/tcp/1/ws", "ws://1.2.3.4.5:1"},
    };
    struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct str address = STR(""), url = STR("");
        CHECK(addr_from_url(a, str_of(rows[i].url), str_of(ID_A), &address) == ERR_NONE);
        CHECK_STR(address, arena_fmt(a, "%s/p2p-websocket-star/ipfs/%s", rows[i].address, ID_A));
        CHECK(addr_to_url(a, address, &url) == ERR_NONE);
        CHECK_STR(url, str_of(rows[i].back));
        CHECK(addr_socket_url(a, str_of(rows[i].url), &url) == ERR_NONE);
        CHECK_STR(url, arena_fmt(a, "%s/socket.io/?EIO=3&transport=websocket", rows[i].back));
    }
    arena_free(a);
}

TEST(refuses_urls_that_are_none)
{
    static const char *const bad[] = {
        "",          "http://x",  "ws://",        "ws://:1",    "ws://x:0",      "ws://x:65536",
        "ws://x:1x", "ws://[::1", "ws://[::1]9x", "ws://a b:1", "ws://user@x:1",
    };
    struct arena *a = arena_new();
    struct str out;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        CHECK(addr_from_url(a, str_of(bad[i]), str_of(ID_A), &out) != ERR_NONE);
        CHECK(addr_socket_url(a, str_of(bad[i]), &out) != ERR_NONE);
    }
    CHECK(addr_to_url(a, STR("/ip4/1.2.3.4/udp/1/ws/p2p-websocket-star"), &out) == ERR_SYNTAX);
    CHECK(addr_to_url(a, STR("/ip4/1.2.3.4/tcp/1"), &out) == ERR_SYNTAX);
    CHECK(addr_to_url(a, STR(""), &out) == ERR_SYNTAX);
    arena_free(a);
}

TEST_MAIN(TEST_ROW(turns_a_key_into_a_peer_id_and_back),
          TEST_ROW(turns_a_key_into_its_protobuf_and_back),
          TEST_ROW(refuses_every_other_spelling_of_a_peer_id),
          TEST_ROW(finds_the_peer_behind_the_last_ipfs_or_p2p), TEST_ROW(spells_the_id_with_ipfs),
          TEST_ROW(makes_our_address_from_the_relays_url), TEST_ROW(refuses_urls_that_are_none))

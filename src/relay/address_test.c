/* Multiaddr texts, strict and not. */
#include "relay/address.h"
#include "test/test.h"

#define ID "12D3KooWA4Xop1JaT3MHxwYMkCepYsv4iPVopMXwCz5iHYdBfeSB"
#define RSA_ID "QmU5UWPmnUrd9VVii3gd9vGtRjeNVneVDvUjf9ZXyZKvLW"
#define STAR "/ws/p2p-websocket-star"

static const char *const strict[] = {
    "/ip4/127.0.0.1/tcp/9090" STAR "/ipfs/" ID,
    "/ip4/127.0.0.1/tcp/9090" STAR "/p2p/" RSA_ID,
    "/ip6/::1/tcp/9090" STAR,
    "/ip6/2001:db8::192.0.2.1/tcp/1" STAR,
    "/dns4/example.org/tcp/443/wss/p2p-websocket-star/ipfs/" ID,
    "/dnsaddr/example.org" STAR "/ipfs/" ID,
    "//ip4/1.2.3.4//tcp/1" STAR "/",
};

static const char *const loose[] = {
    "",
    "/ip4/1.1.1.1",
    "/ip4/1.2.3.4/udp/1" STAR,
    "/dns4/x/http",
    "/ip4/1.2.3.4/tcp/1" STAR "/ipfs/" ID "/p2p-circuit",
    "/tcp/1" STAR,
};

static const char *const broken[] = {
    "ip4/1.2.3.4",
    "/ip4/1.2.3.256/tcp/1" STAR,
    "/ip4/1.2.3/tcp/1" STAR,
    "/ip4/1.2.3.4/tcp/65536" STAR,
    "/ip4/1.2.3.4/tcp/",
    "/ip6/1:2:3:4:5:6:7:8:9/tcp/1" STAR,
    "/ip6/1::2::3/tcp/1" STAR,
    "/ip6/1:2:3:4::5:6:7:8/tcp/1" STAR,
    "/ip6/12345::/tcp/1" STAR,
    "/ip4/1.2.3.4/tcp/1" STAR "/ipfs/0OIl",
    "/ip4/1.2.3.4/tcp/1" STAR "/ipfs/12D3KooWA4Xop1JaT3MHxwYMkCepYsv4iPVopMXwCz5iHYdBfeS",
    "/nonsense/1",
};

TEST(tells_strict_loose_and_broken_addresses_apart)
{
    struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT_OF(strict); i++) {
        CHECK(address_is_strict(a, str_of(strict[i])));
        CHECK(address_is_multiaddr(a, str_of(strict[i])));
    }
    for (size_t i = 0; i < COUNT_OF(loose); i++) {
        CHECK(!address_is_strict(a, str_of(loose[i])));
        CHECK(address_is_multiaddr(a, str_of(loose[i])));
    }
    for (size_t i = 0; i < COUNT_OF(broken); i++) {
        CHECK(!address_is_strict(a, str_of(broken[i])));
        CHECK(!address_is_multiaddr(a, str_of(broken[i])));
    }
    arena_free(a);
}

TEST(writes_both_spellings_as_one)
{
    struct arena *a = arena_new();
    CHECK_STR(address_canonical(a, STR("/dns4/x" STAR "/p2p/" ID)),
              STR("/dns4/x" STAR "/ipfs/" ID));
    CHECK_STR(address_canonical(a, STR("/dns4/x" STAR "/ipfs/" ID)),
              STR("/dns4/x" STAR "/ipfs/" ID));
    CHECK_STR(address_canonical(a, STR("/dns4/x" STAR)), STR("/dns4/x" STAR));
    CHECK_STR(address_canonical(a, STR("")), STR(""));
    arena_free(a);
}

TEST(finds_the_peer_id_of_an_address)
{
    struct arena *a = arena_new();
    CHECK_STR(address_peer_id(a, STR("/dns4/x" STAR "/ipfs/" ID)), STR(ID));
    CHECK_STR(address_peer_id(a, STR("/dns4/x" STAR "/ipfs/" RSA_ID)), STR(RSA_ID));
    CHECK(str_is_absent(address_peer_id(a, STR("/dns4/x" STAR "/ipfs/" ID "/"))));
    CHECK(str_is_absent(address_peer_id(a, STR("/dns4/x" STAR))));
    arena_free(a);
}

TEST_MAIN(TEST_ROW(tells_strict_loose_and_broken_addresses_apart),
          TEST_ROW(writes_both_spellings_as_one), TEST_ROW(finds_the_peer_id_of_an_address))

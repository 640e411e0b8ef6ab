/* Where a peer is dialled. */
#include "net/peers.h"

#include "test/test.h"

#define ID "12D3KooWA4Xop1JaT3MHxwYMkCepYsv4iPVopMXwCz5iHYdBfeSB"
#define AT(host) "/ip4/" host "/tcp/9090/ws/p2p-websocket-star/ipfs/" ID

static struct peer *seen(struct peers *p, struct str address, size_t relay, int64_t now_ms)
{
    bool is_new;
    return peers_seen(p, address, relay, now_ms, &is_new);
}

static struct str next_place(struct peer *peer)
{
    struct peer_place *place = peers_untried(peer);
    if (place == NULL) {
        return STR("none");
    }
    place->is_tried = true;
    return buf_str(&place->address);
}

TEST(dials_at_the_preferred_relay_first_and_its_newest_place)
{
    struct peers p;
    peers_init(&p);
    (void)seen(&p, STR(AT("10.0.0.1")), 0, 1000);
    (void)seen(&p, STR(AT("10.0.0.2")), 1, 3000);
    struct peer *peer = seen(&p, STR(AT("10.0.0.3")), 0, 2000);
    for (int round = 0; round < 2; round++) {
        CHECK_STR(next_place(peer), STR(AT("10.0.0.3")));
        CHECK_STR(next_place(peer), STR(AT("10.0.0.1")));
        CHECK_STR(next_place(peer), STR(AT("10.0.0.2")));
        CHECK_STR(next_place(peer), STR("none"));
        peers_retry(peer);
    }
    peers_drop_relay(&p, 0);
    CHECK_STR(next_place(peer), STR(AT("10.0.0.2")));
    peers_release(&p);
}

TEST_MAIN(TEST_ROW(dials_at_the_preferred_relay_first_and_its_newest_place))

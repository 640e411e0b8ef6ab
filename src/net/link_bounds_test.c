/* What others may have waiting here, and what they may make us do, has its bounds. */
#include "net/world_model.h"

#include "net/addr.h"
#include "test/test.h"

enum { BIG = 1024 * 1024 };

static void fill(struct buf *b, int size)
{
    buf_init(b, BIG);
    for (int i = 0; i < size; i++) {
        buf_add_char(b, (char)i);
    }
}

TEST(bounds_what_waits)
{
    struct world *w = world_new(2);
    struct host *h = &w->hosts[0];
    world_run(w, 3000);
    w->hosts[1].answers_late = true;
    for (uint64_t id = 0; id < 200; id++) {
        world_call(w, 0, 1, id, "GET /x", STR(""));
    }
    world_run(w, 4000);
    CHECK(w->hosts[1].requests == NET_CONN_CALLS_MAX);
    for (int i = 0; i < 64; i++) {
        net_answer(w->hosts[1].net, w->hosts[1].now, w->hosts[1].late[i], 200, STR(""), STR(""));
    }
    w->hosts[1].answers_late = false;
    world_run(w, 5000);
    CHECK(h->good == 200);
    for (int i = 0; i < 5; i++) { /* unknown streams and links are ignored */
        net_answer(w->hosts[1].net, w->hosts[1].now, (uint64_t)i * 1000, 200, STR(""), STR(""));
        net_link_message(h->net, h->now, 999, STR("x"), true);
        net_link_room(h->net, h->now, 999, 5);
        net_link_down(h->net, h->now, 999, STR("x"));
    }
    world_free(w);
}

static void call_half(struct world *w, uint64_t id, struct str body)
{
    struct host *h = &w->hosts[0];
    struct buf request;
    buf_init(&request, 2 << 20);
    buf_add(&request, STR("PUT /x HTTP/1.1\r\nhost: x\r\ncontent-length: 1048576\r\n\r\n"));
    buf_add(&request, body);
    net_call(h->net, h->now, net_peer_id(w->hosts[1].net), id, buf_str(&request), 60 * 60 * 1000);
    buf_release(&request);
}

TEST(waits_for_the_rest_of_a_request_only_so_long)
{
    struct world *w = world_new(2);
    world_run(w, 3000);
    call_half(w, 1, STR("half"));
    world_run(w, 100 * 1000);
    CHECK(w->hosts[0].bad == 0);
    world_run(w, 200 * 1000);
    CHECK(w->hosts[0].bad == 1);
    CHECK_STR(str_of(w->hosts[0].why[1]), STR("the peer reset the stream"));
    world_free(w);
}

TEST(keeps_only_so_much_of_the_requests_of_one_peer)
{
    struct world *w = world_new(2);
    struct buf body;
    fill(&body, BIG - 1);
    world_run(w, 3000);
    for (uint64_t id = 0; id < 12; id++) {
        call_half(w, id, buf_str(&body));
    }
    world_run(w, 60 * 1000);
    CHECK(w->hosts[0].bad == 4); /* eight are kept */
    world_call(w, 0, 1, 20, "GET /x", STR(""));
    world_call(w, 1, 0, 1, "GET /x", STR(""));
    world_run(w, 70 * 1000);
    CHECK(w->hosts[0].status[20] == 404);
    CHECK(w->hosts[1].status[1] == 404);
    buf_release(&body);
    world_free(w);
}

TEST(queues_only_so_much_for_a_peer_that_does_not_take_it)
{
    struct world *w = world_new(2);
    struct host *h = &w->hosts[0];
    struct buf body;
    int whole = 0, refused = 0;
    fill(&body, BIG);
    world_run(w, 3000);
    w->hosts[1].answers_late = true;
    for (uint64_t id = 0; id < 40; id++) {
        world_call(w, 0, 1, id, "GET /x", STR(""));
    }
    world_run(w, 4000);
    for (int i = 0; i < 40; i++) {
        net_answer(w->hosts[1].net, w->hosts[1].now, w->hosts[1].late[i], 200, STR(""),
                   buf_str(&body));
    }
    world_run(w, 10000);
    for (int i = 0; i < 40; i++) {
        whole += h->status[i] == 200;
        refused += h->status[i] == 503;
    }
    CHECK(whole >= 32 && refused > 0 && whole + refused == 40);
    buf_release(&body);
    world_free(w);
}

/* What a relay could say to harm us: dials of peers that are not there, without end. */
TEST(takes_no_more_dials_than_it_can_carry)
{
    struct world *w = world_new(2);
    struct host *h = &w->hosts[0];
    struct arena *a = arena_new();
    world_run(w, 3000);
    size_t first = w->last;
    for (int i = 0; i < 500; i++) {
        uint8_t key[SIGN_PUBLIC_SIZE] = {(uint8_t)i, (uint8_t)(i >> 8), 7};
        struct str text = arena_fmt(a,
                                    "42%d[\"ss-incomming\",\"dial-%d\",\"/ip4/127.0.0.1/tcp/1/"
                                    "ws/p2p-websocket-star/ipfs/%.*s\"]",
                                    1000 + i, i, STR_ARG(addr_id_write(a, key)));
        net_link_message(h->net, h->now, h->link, text, true);
    }
    int accepted = 0, refused = 0;
    for (size_t i = first; i < w->last; i++) {
        struct str said = buf_str(&w->queue[i % QUEUE_MAX].bytes);
        accepted += str_starts(said, STR("43")) && str_ends(said, STR("[]"));
        refused += str_ends(said, STR("[\"Refused\"]"));
    }
    CHECK(accepted == 64);
    CHECK(refused == 500 - 64);
    world_call(w, 0, 1, 1, "GET /x", STR(""));
    world_call(w, 1, 0, 1, "GET /x", STR(""));
    world_run(w, 20000); /* those that never speak are given up */
    CHECK(h->status[1] == 404);
    CHECK(w->hosts[1].status[1] == 404);
    arena_free(a);
    world_free(w);
}

TEST(keeps_the_newest_lines_of_a_peer_that_dials_again_and_again)
{
    struct world *w = world_new(2);
    struct host *h = &w->hosts[0];
    struct arena *a = arena_new();
    world_run(w, 3000);
    world_call(w, 0, 1, 1, "GET /x", STR(""));
    world_run(w, 4000);
    int closed = 0, accepted = 0;
    size_t first = w->last;
    for (int i = 0; i < 10; i++) {
        net_link_message(h->net, h->now, h->link,
                         arena_fmt(a, "42%d[\"ss-incomming\",\"dial-%d\",\"%s\"]", 1000 + i, i,
                                   w->model.clients[w->hosts[1].client].address),
                         true);
    }
    for (size_t i = first; i < w->last; i++) {
        struct str said = buf_str(&w->queue[i % QUEUE_MAX].bytes);
        closed += str_starts(said, STR("42[\"socket.io-pull-stream.error."));
        accepted += str_starts(said, STR("43")) && str_ends(said, STR("[]"));
    }
    CHECK(accepted == 8); /* in 10 s: shaking hands costs */
    CHECK(closed == 1);   /* the open one: the relay took bytes of no other yet */
    world_call(w, 0, 1, 2, "GET /x", STR(""));
    world_run(w, 30000);
    CHECK(h->status[2] == 404);
    arena_free(a);
    world_free(w);
}

TEST_MAIN(TEST_ROW(bounds_what_waits), TEST_ROW(waits_for_the_rest_of_a_request_only_so_long),
          TEST_ROW(keeps_only_so_much_of_the_requests_of_one_peer),
          TEST_ROW(queues_only_so_much_for_a_peer_that_does_not_take_it),
          TEST_ROW(takes_no_more_dials_than_it_can_carry),
          TEST_ROW(keeps_the_newest_lines_of_a_peer_that_dials_again_and_again))

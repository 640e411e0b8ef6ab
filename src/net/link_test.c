/* Whole stacks talking over a small model of the relay. */
#include "net/world_model.h"

#include "test/test.h"

enum { BIG = 1024 * 1024 };

TEST(joins_and_hears_of_the_others)
{
    struct world *w = world_new(3);
    world_run(w, 5000);
    for (int i = 0; i < 3; i++) {
        CHECK(w->hosts[i].seen == 2);
        CHECK(net_peer_count(w->hosts[i].net) == 2);
        CHECK(net_relay_count(w->hosts[i].net) == 1);
        struct net_relay_info info = net_relay_info(w->hosts[i].net, 0);
        CHECK(info.state == NET_RELAY_JOINED);
        CHECK_STR(info.why, STR(""));
        CHECK_STR(info.url, STR("ws://127.0.0.1:9090"));
        CHECK(!net_peer_info(w->hosts[i].net, 1).connected);
    }
    CHECK(net_next_ms(w->hosts[0].net) > 5000);
    world_run(w, 300000); /* announcements repeat and are told once; pings keep the relay */
    CHECK(w->hosts[0].seen == 2 && w->hosts[0].gone == 0 && w->hosts[0].dials == 1);
    world_free(w);
}

TEST(exchanges_a_request_and_its_answer)
{
    struct world *w = world_new(2);
    world_run(w, 2000);
    world_call(w, 0, 1, 1, "PUT /x?y=z", STR("hello"));
    world_run(w, 3000);
    CHECK(w->hosts[0].status[1] == 404);
    CHECK_STR(buf_str(&w->hosts[0].body), STR("PUT /x?y=z 5"));
    CHECK(w->model.dials == 1);
    world_call(w, 1, 0, 2, "GET /back", STR("")); /* over the same connection */
    world_run(w, 4000);
    CHECK(w->hosts[1].status[2] == 404);
    CHECK(w->model.dials == 1);
    struct net_peer_info info = net_peer_info(w->hosts[0].net, 0);
    CHECK(info.connected);
    CHECK(info.rtt_ms == 0);
    world_free(w);
}

TEST(waits_for_the_relay_when_called_too_early)
{
    struct world *w = world_new(2);
    world_call(w, 0, 1, 1, "GET /x", STR(""));
    world_run(w, 3000);
    CHECK(w->hosts[0].status[1] == 404);
    world_free(w);
}

static void fill(struct buf *b, int size)
{
    buf_init(b, BIG);
    for (int i = 0; i < size; i++) {
        buf_add_char(b, (char)(i * 7 >> 2));
    }
}

static void hundred_calls(struct world *w)
{
    struct buf big;
    fill(&big, BIG);
    for (uint64_t id = 0; id < 100; id++) {
        for (int from = 0; from < 2; from++) {
            size_t size = id % 20 == 7 ? BIG : (size_t)rng_below(&w->rng, 5000);
            world_call(w, from, 1 - from, id, "PUT /echo", str_sub(buf_str(&big), 0, size));
        }
    }
    buf_release(&big);
}

TEST(exchanges_a_hundred_requests_both_ways_at_once)
{
    struct world *w = world_new(2);
    w->model.splits = true;
    world_run(w, 2000);
    hundred_calls(w);
    world_run(w, 20000);
    for (int i = 0; i < 2; i++) {
        CHECK(w->hosts[i].good == 100);
        CHECK(w->hosts[i].bad == 0);
        CHECK(w->hosts[i].requests == 100);
    }
    CHECK(w->model.dials == 2); /* each dialled the other at the same time */
    world_run(w, 40000);        /* the second of two lines made at once is put away */
    int streams = 0;
    for (int i = 0; i < MODEL_STREAMS_MAX; i++) {
        streams += w->model.streams[i].is_open;
    }
    CHECK(streams == 1);
    world_free(w);
}

TEST(sends_only_what_the_link_has_room_for)
{
    struct world *w = world_new(2);
    struct host *h = &w->hosts[0];
    world_run(w, 2000);
    world_call(w, 0, 1, 0, "GET /x", STR(""));
    world_run(w, 3000);
    struct buf big;
    buf_init(&big, BIG);
    CHECK(buf_reserve(&big, BIG) != NULL);
    memset(big.p, 'x', BIG);
    big.n = BIG;
    h->limits_room = true;
    net_link_room(h->net, h->now, h->link, 0);
    h->room_used = 0;
    world_call(w, 0, 1, 1, "PUT /echo", buf_str(&big));
    CHECK(h->room_used == 0);
    net_link_room(h->net, h->now, h->link, 100);
    CHECK(h->room_used > 100 && h->room_used < 70000); /* one chunk */
    world_run(w, 20000);
    CHECK(h->status[1] == 200);
    CHECK_STR(buf_str(&h->body), buf_str(&big));
    buf_release(&big);
    world_free(w);
}

TEST(loses_the_open_calls_with_the_link_and_recovers)
{
    struct world *w = world_new(2);
    world_run(w, 2000);
    w->hosts[1].answers_late = true;
    world_call(w, 0, 1, 1, "GET /x", STR(""));
    world_call(w, 0, 1, 2, "PUT /y", STR(""));
    world_call(w, 0, 1, 4, "GET /z", STR(""));
    world_run(w, 3000);
    CHECK(w->hosts[1].n_late == 3);
    net_answer(w->hosts[1].net, w->hosts[1].now, w->hosts[1].late[0], 200, STR(""), STR("a"));
    world_run(w, 3500);
    CHECK(w->hosts[0].status[1] == 200);
    world_drop_link(w, 1);
    CHECK(w->hosts[1].gone == 1);
    CHECK(net_relay_info(w->hosts[1].net, 0).state == NET_RELAY_WAITING);
    net_answer(w->hosts[1].net, w->hosts[1].now, w->hosts[1].late[1], 200, STR(""), STR("b"));
    world_run(w, 15000);
    CHECK(w->hosts[0].status[2] == 0);
    CHECK_STR(str_of(w->hosts[0].why[2]), STR("the connection was lost"));
    CHECK(w->hosts[1].dials == 2);
    CHECK(w->hosts[1].seen == 2);
    CHECK(w->hosts[1].n_late == 4 && w->hosts[0].status[4] == -1); /* asked again, once */
    net_answer(w->hosts[1].net, w->hosts[1].now, w->hosts[1].late[3], 200, STR(""), STR("c"));
    world_run(w, 15500);
    CHECK(w->hosts[0].status[4] == 200);
    w->hosts[1].answers_late = false;
    world_call(w, 0, 1, 3, "GET /x", STR(""));
    world_call(w, 1, 0, 3, "GET /x", STR(""));
    world_run(w, 16000);
    CHECK(w->hosts[0].status[3] == 404);
    CHECK(w->hosts[1].status[3] == 404);
    world_free(w);
}

TEST(survives_links_dropping_under_load)
{
    struct world *w = world_new(2);
    world_run(w, 2000);
    hundred_calls(w);
    for (int k = 0; k < 12; k++) {
        for (int n = 0; n < 400 && world_step(w); n++) {
        }
        if (w->hosts[k % 2].client >= 0 && w->hosts[k % 2].link != 0) {
            world_drop_link(w, k % 2);
        }
        world_run(w, w->ms + 1500);
    }
    world_run(w, w->ms + 100000);
    for (int i = 0; i < 2; i++) {
        CHECK(w->hosts[i].good + w->hosts[i].bad == 100);
        CHECK(w->hosts[i].bad > 0);
    }
    world_call(w, 0, 1, 200, "GET /x", STR(""));
    world_run(w, w->ms + 20000);
    CHECK(w->hosts[0].status[200] == 404);
    world_free(w);
}

TEST(loses_one_connection_to_a_flipped_byte_and_nothing_else)
{
    struct world *w = world_new(3);
    char text[2000];
    memset(text, 'x', sizeof(text));
    world_run(w, 2000);
    world_call(w, 0, 1, 1, "GET /x", STR(""));
    world_call(w, 0, 2, 2, "GET /x", STR(""));
    world_run(w, 3000);
    CHECK(w->model.dials == 2);
    w->hosts[2].answers_late = true;
    world_call(w, 0, 2, 4, "GET /slow", STR(""));
    world_run(w, 4000);
    w->flips = true;
    world_call(w, 0, 1, 3, "PUT /echo", str_make(text, sizeof(text)));
    world_run(w, 5000);
    CHECK(!w->flips);
    CHECK(w->hosts[0].status[3] == 0);
    CHECK(w->hosts[0].status[4] == -1); /* the other connection lives */
    CHECK(w->hosts[0].dials == 1);
    net_answer(w->hosts[2].net, w->hosts[2].now, w->hosts[2].late[0], 200, STR(""), STR(""));
    world_call(w, 0, 1, 5, "PUT /echo", str_make(text, sizeof(text)));
    world_run(w, 6000);
    CHECK(w->hosts[0].status[4] == 200);
    CHECK(w->hosts[0].status[5] == 200);
    CHECK(w->model.dials == 3);
    world_free(w);
}

TEST(says_why_a_call_failed)
{
    struct world *w = world_new(2);
    struct host *h = &w->hosts[0];
    world_run(w, 3000);
    net_call(h->net, h->now, STR("12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN"), 1,
             STR("GET / HTTP/1.1\r\n\r\n"), 60000);
    net_call(h->net, h->now, STR("example.org"), 2, STR("GET / HTTP/1.1\r\n\r\n"), 60000);
    net_call(h->net, h->now, net_peer_id(h->net), 3, STR("GET / HTTP/1.1\r\n\r\n"), 60000);
    CHECK(h->bad == 0); /* never from within net_call */
    CHECK(net_next_ms(h->net) == h->now.mono_ms);
    world_run(w, 3000);
    CHECK_STR(str_of(h->why[1]), STR("no relay knows the peer"));
    CHECK_STR(str_of(h->why[2]), STR("that is no peer id"));
    CHECK_STR(str_of(h->why[3]), STR("that is ourselves"));
    w->model.never_answers_dials = true;
    world_call(w, 0, 1, 4, "GET /x", STR(""));
    world_run(w, 12999);
    CHECK(h->status[4] == -1);
    world_run(w, 13001);
    CHECK_STR(str_of(h->why[4]), STR("the dial was not answered"));
    w->model.never_answers_dials = false;
    world_call(w, 0, 1, 5, "GET /x", STR(""));
    world_run(w, 14000);
    CHECK(h->status[5] == 404);
    w->hosts[1].answers_late = true;
    world_call(w, 0, 1, 6, "GET /x", STR(""));
    world_run(w, 80000);
    CHECK_STR(str_of(h->why[6]), STR("the peer did not answer in time"));
    CHECK(net_peer_info(h->net, 0).connected);
    world_free(w);
}

TEST(forgets_a_peer_that_is_no_longer_announced)
{
    struct world *w = world_new(2);
    world_run(w, 3000);
    model_close(&w->model, w->hosts[1].client);
    net_free(w->hosts[1].net);
    w->hosts[1].net = NULL;
    w->hosts[1].link = 0;
    world_run(w, 30000);
    CHECK(w->hosts[0].gone == 0);
    world_run(w, 60000);
    CHECK(w->hosts[0].gone == 1);
    CHECK(net_peer_count(w->hosts[0].net) == 0);
    world_free(w);
}

TEST(notices_a_peer_that_died_without_a_word)
{
    struct world *w = world_new(2);
    world_run(w, 3000);
    world_call(w, 0, 1, 1, "GET /x", STR(""));
    world_run(w, 4000);
    w->hosts[1].link = 0; /* hears and says nothing any more */
    net_free(w->hosts[1].net);
    w->hosts[1].net = NULL;
    CHECK(net_peer_info(w->hosts[0].net, 0).connected);
    world_run(w, 45000);
    CHECK(!net_peer_info(w->hosts[0].net, 0).connected);
    world_free(w);
}

TEST(notices_sooner_when_an_answer_is_awaited)
{
    struct world *w = world_new(2);
    world_run(w, 3000);
    w->hosts[1].answers_late = true;
    world_call(w, 0, 1, 1, "PUT /x", STR(""));
    world_run(w, 4000);
    w->hosts[1].link = 0;
    net_free(w->hosts[1].net);
    w->hosts[1].net = NULL;
    world_run(w, 20000);
    CHECK_STR(str_of(w->hosts[0].why[1]), STR("the peer does not answer"));
    world_free(w);
}

TEST(dials_the_relay_again_with_growing_delays)
{
    struct world *w = world_new(1);
    w->hosts[0].is_offline = true;
    world_run(w, 61000);
    CHECK(w->hosts[0].dials >= 32 && w->hosts[0].dials <= 100);
    CHECK_STR(net_relay_info(w->hosts[0].net, 0).why, STR("connection refused"));
    w->hosts[0].is_offline = false;
    world_run(w, 63000);
    CHECK(net_relay_info(w->hosts[0].net, 0).state == NET_RELAY_JOINED);
    world_free(w);
}

TEST(leaves_a_relay_that_falls_silent)
{
    struct world *w = world_new(1);
    world_run(w, 3000);
    w->model.clients[w->hosts[0].client].is_open = false; /* answers nothing */
    socketio_release(&w->model.clients[w->hosts[0].client].socketio);
    world_run(w, 60000);
    CHECK(w->hosts[0].closes == 1);
    CHECK(w->hosts[0].dials == 2);
    CHECK(net_relay_info(w->hosts[0].net, 0).state == NET_RELAY_JOINED);
    world_free(w);
}

TEST(closes_idle_connections_and_makes_new_ones)
{
    struct world *w = world_new(2);
    world_run(w, 3000);
    world_call(w, 0, 1, 1, "GET /x", STR(""));
    world_run(w, 200000);
    CHECK(net_peer_info(w->hosts[0].net, 0).connected);
    world_run(w, 400000);
    CHECK(!net_peer_info(w->hosts[0].net, 0).connected);
    CHECK(!net_peer_info(w->hosts[1].net, 0).connected);
    CHECK(w->hosts[0].gone == 0);
    world_call(w, 1, 0, 2, "GET /x", STR(""));
    world_run(w, 401000);
    CHECK(w->hosts[1].status[2] == 404);
    world_free(w);
}

TEST(may_be_called_from_within_an_answer)
{
    struct world *w = world_new(2);
    world_run(w, 3000);
    w->hosts[0].must_call = 2;
    world_call(w, 0, 1, 1, "GET /x", STR(""));
    world_run(w, 4000);
    CHECK(w->hosts[0].status[1] == 404);
    CHECK(w->hosts[0].status[2] == 200);
    world_free(w);
}

TEST(survives_a_relay_that_says_anything)
{
    static const char *const pieces[] = {
        "42",
        "43",
        "451-",
        "[",
        "]",
        "\"",
        ",",
        "null",
        "true",
        "{}",
        "ss-incomming",
        "ws-peer",
        ".queue.",
        ".accept.",
        ".error.",
        ".dialer",
        ".listener",
        "1",
        "40",
        "41",
        "socket.io-pull-stream",
    };
    struct world *w = world_new(2);
    struct host *h = &w->hosts[0];
    struct rng rng = {11};
    int calls = 0;
    world_run(w, 3000);
    for (int round = 0; round < 3000; round++) {
        if (h->link == 0 || round % 100 == 0) {
            h->status[300 + calls % 200] = -1; /* answered long ago */
            world_call(w, 0, 1, 300 + (uint64_t)calls % 200, "GET /x", STR(""));
            calls++;
            world_run(w, w->ms + 7000);
        }
        struct buf text;
        buf_init(&text, 20000);
        bool is_chunk = round % 3 == 0;
        for (int i = 0; i < 10; i++) {
            uint64_t random = rng_next(&rng);
            if (is_chunk) {
                buf_add_char(&text, i == 0 ? 4 : (char)random);
            } else if (random % 9 == 0) {
                buf_add(&text, str_of(w->model.streams[random / 9 % 8].id));
            } else {
                buf_add(&text, str_of(pieces[random % COUNT_OF(pieces)]));
            }
        }
        const struct model_stream *s = &w->model.streams[round % 8];
        if (is_chunk) { /* noise into a stream that is open, as the relay could make it */
            struct arena *a = arena_new();
            net_link_message(h->net, h->now, h->link,
                             arena_fmt(a,
                                       "451-[\"socket.io-pull-stream.queue.%s.%s\","
                                       "{\"_placeholder\":true,\"num\":0}]",
                                       s->id, s->dialer == h->client ? "listener" : "dialer"),
                             true);
            arena_free(a);
        }
        net_link_message(h->net, h->now, h->link, buf_str(&text), !is_chunk);
        buf_release(&text);
        if (h->link == 0 && h->client >= 0) {
            h->client = -1;
        }
    }
    world_run(w, w->ms + 100000);
    world_call(w, 0, 1, 200, "GET /x", STR(""));
    world_run(w, w->ms + 60000);
    CHECK(h->status[200] == 404);
    CHECK(h->closes > 0);
    world_free(w);
}

static uint64_t digest_of_a_busy_day(void)
{
    struct world *w = world_new(3);
    world_run(w, 2000);
    hundred_calls(w);
    world_run(w, 2000);
    world_drop_link(w, 0);
    world_run(w, 50000);
    uint64_t sum = w->sum;
    world_free(w);
    return sum;
}

TEST(does_the_same_given_the_same)
{
    uint64_t first = digest_of_a_busy_day();
    CHECK(first != 0);
    CHECK(digest_of_a_busy_day() == first);
}

TEST_MAIN(TEST_ROW(joins_and_hears_of_the_others), TEST_ROW(exchanges_a_request_and_its_answer),
          TEST_ROW(waits_for_the_relay_when_called_too_early),
          TEST_ROW(exchanges_a_hundred_requests_both_ways_at_once),
          TEST_ROW(sends_only_what_the_link_has_room_for),
          TEST_ROW(loses_the_open_calls_with_the_link_and_recovers),
          TEST_ROW(survives_links_dropping_under_load),
          TEST_ROW(loses_one_connection_to_a_flipped_byte_and_nothing_else),
          TEST_ROW(says_why_a_call_failed), TEST_ROW(forgets_a_peer_that_is_no_longer_announced),
          TEST_ROW(notices_a_peer_that_died_without_a_word),
          TEST_ROW(notices_sooner_when_an_answer_is_awaited),
          TEST_ROW(dials_the_relay_again_with_growing_delays),
          TEST_ROW(leaves_a_relay_that_falls_silent),
          TEST_ROW(closes_idle_connections_and_makes_new_ones),
          TEST_ROW(may_be_called_from_within_an_answer),
          TEST_ROW(survives_a_relay_that_says_anything), TEST_ROW(does_the_same_given_the_same))

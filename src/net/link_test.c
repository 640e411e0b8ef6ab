/* Whole stacks talking over a small model of the relay, in one thread, with an own clock. */
#include "net/link.h"

#include "base/encode.h"
#include "crypto/hash.h"
#include "net/relay_model.h"
#include "test/test.h"

enum { HOSTS = 3, QUEUE_MAX = 100000, BIG = 1024 * 1024, CALLS_MAX = 512 };

struct world;

struct host {
    struct world *world;
    int index;
    struct net *net;
    uint64_t link; /* the open websocket; 0: none */
    int client;    /* of the model */
    struct now now;
    uint32_t random;
    /* what happened */
    int seen, gone, requests, good, bad, dials, closes;
    int status[CALLS_MAX];
    char why[CALLS_MAX][96];
    struct buf body; /* of the last answer */
    bool answers_late, is_offline;
    uint64_t late[CALLS_MAX];
    int n_late;
    size_t room_used;
    bool limits_room;
    uint64_t must_call; /* from within the answer callback */
};

struct message {
    int to; /* host */
    uint64_t link;
    int from_client; /* >= 0: to the relay */
    struct buf bytes;
    bool is_text;
};

struct world {
    struct model model;
    struct host hosts[HOSTS];
    struct message *queue;
    size_t first, last;
    uint32_t random;
    int64_t ms;
    bool flips;   /* the next long binary message to a host is damaged */
    uint64_t sum; /* of all bytes that went by, in order */
};

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

static void post(struct world *w, struct message message, struct str bytes)
{
    assert(w->last - w->first < QUEUE_MAX);
    buf_init(&message.bytes, LINK_MESSAGE_MAX);
    buf_add(&message.bytes, bytes);
    for (size_t i = 0; i < bytes.n; i++) {
        w->sum = w->sum * 31 + (unsigned char)bytes.p[i];
    }
    w->queue[w->last % QUEUE_MAX] = message;
    w->last++;
}

/* --- what a net asks of its host --- */

static void host_random(void *ctx, void *out, size_t n)
{
    struct host *h = ctx;
    for (size_t i = 0; i < n; i++) {
        ((uint8_t *)out)[i] = (uint8_t)next_random(&h->random);
    }
}

static void host_dial(void *ctx, uint64_t link, struct str url)
{
    struct host *h = ctx;
    CHECK_STR(url, STR("ws://127.0.0.1:9090/socket.io/?EIO=3&transport=websocket"));
    h->dials++;
    h->link = link;
    h->client = -1;
}

static void host_send(void *ctx, uint64_t link, struct str message, bool is_text)
{
    struct host *h = ctx;
    CHECK(link == h->link);
    h->room_used += message.n;
    struct message m = {.from_client = h->client, .is_text = is_text, .to = h->index};
    m.link = link;
    post(h->world, m, message);
}

static void host_close(void *ctx, uint64_t link)
{
    struct host *h = ctx;
    CHECK(link == h->link);
    h->closes++;
    h->link = 0;
    if (h->client >= 0) {
        model_close(&h->world->model, h->client);
    }
}

static void host_seen(void *ctx, struct str peer_id, struct str address)
{
    struct host *h = ctx;
    CHECK(str_ends(address, peer_id));
    CHECK(net_is_peer_known(h->net, peer_id));
    h->seen++;
}

static void host_gone(void *ctx, struct str peer_id)
{
    struct host *h = ctx;
    CHECK(!net_is_peer_known(h->net, peer_id));
    h->gone++;
}

/* Answers with "<method> <target> <length of body>", or the body for /echo. */
static void host_request(void *ctx, uint64_t stream, struct str peer_id,
                         const struct http_head *head, struct str body)
{
    struct host *h = ctx;
    struct arena *a = arena_new();
    h->requests++;
    CHECK(peer_id.n == 52);
    if (h->answers_late) {
        h->late[h->n_late++] = stream;
    } else if (str_eq(head->path, STR("/echo"))) {
        net_answer(h->net, h->now, stream, 200, STR("x-test: 1\r\n"), body);
    } else {
        net_answer(h->net, h->now, stream, 404, STR(""),
                   arena_fmt(a, "%.*s %.*s %zu", STR_ARG(head->method_text), STR_ARG(head->target),
                             body.n));
    }
    arena_free(a);
}

static void call(struct world *w, int from, int to, uint64_t id, const char *method,
                 const char *target, struct str body);

static void host_answer(void *ctx, uint64_t id, int status, struct str why,
                        const struct http_head *head, struct str body)
{
    struct host *h = ctx;
    assert(id < CALLS_MAX);
    CHECK(h->status[id] == -1); /* exactly once */
    h->status[id] = status;
    CHECK((status == 0) == (head == NULL));
    memcpy(h->why[id], why.p, why.n < 95 ? why.n : 95);
    if (status == 0) {
        CHECK(why.n > 0);
        h->bad++;
    } else {
        h->good++;
        buf_clear(&h->body);
        buf_add(&h->body, body);
    }
    if (h->must_call != 0) {
        uint64_t next = h->must_call;
        h->must_call = 0;
        call(h->world, h->index, 1 - h->index, next, "GET", "/echo", STR(""));
    }
}

/* --- the world --- */

static void to_host(void *ctx, int client, struct str message, bool is_text)
{
    struct world *w = ctx;
    for (int i = 0; i < HOSTS; i++) {
        struct host *h = &w->hosts[i];
        if (h->link != 0 && h->client == client) {
            struct message m = {.from_client = -1, .is_text = is_text, .to = i};
            m.link = h->link;
            post(w, m, message);
            return;
        }
    }
}

static void world_init(struct world *w, int hosts)
{
    static const struct str url = STR_INIT("ws://127.0.0.1:9090");
    *w = (struct world){.random = 1, .ms = 1000};
    crypto_start();
    model_init(&w->model);
    w->model.ctx = w;
    w->model.send = to_host;
    w->queue = base_alloc(QUEUE_MAX * sizeof(*w->queue));
    for (int i = 0; i < hosts; i++) {
        struct host *h = &w->hosts[i];
        struct net_config config = {.relays = {&url, 1}};
        uint8_t seed[SIGN_SEED_SIZE] = {(uint8_t)(i + 1)};
        sign_key_from_seed(&config.identity, seed);
        h->world = w;
        h->index = i;
        h->client = -1;
        h->random = (uint32_t)i * 77 + 5;
        memset(h->status, -1, sizeof(h->status));
        buf_init(&h->body, HTTP_ANSWER_MAX);
        config.calls =
            (struct net_calls){h,         host_random, host_dial,    host_send,  host_close,
                               host_seen, host_gone,   host_request, host_answer};
        h->net = net_new(&config);
    }
}

static void world_release(struct world *w)
{
    for (int i = 0; i < HOSTS; i++) {
        net_free(w->hosts[i].net);
        buf_release(&w->hosts[i].body);
    }
    for (size_t i = w->first; i < w->last; i++) {
        buf_release(&w->queue[i % QUEUE_MAX].bytes);
    }
    base_free(w->queue);
    model_release(&w->model);
}

static void set_clocks(struct world *w)
{
    for (int i = 0; i < HOSTS; i++) {
        w->hosts[i].now = (struct now){w->ms, 1600000000000 + w->ms};
    }
}

static void deliver(struct world *w, struct message *m)
{
    struct host *h = &w->hosts[m->to];
    if (m->from_client >= 0) {
        if (h->link == m->link && h->limits_room) {
            net_link_room(h->net, h->now, m->link, 20000);
        } else if (h->link == m->link) {
            net_link_room(h->net, h->now, m->link, 1 << 20);
        }
        model_message(&w->model, m->from_client, buf_str(&m->bytes), m->is_text);
        return;
    }
    if (h->link == m->link) {
        if (w->flips && !m->is_text && m->bytes.n > 300) {
            m->bytes.p[200] ^= 1;
            w->flips = false;
        }
        net_link_message(h->net, h->now, m->link, buf_str(&m->bytes), m->is_text);
    }
}

/* Opens the websockets that were dialled. */
static bool connect_dialled(struct world *w)
{
    bool has_connected = false;
    for (int i = 0; i < HOSTS; i++) {
        struct host *h = &w->hosts[i];
        if (h->net != NULL && h->link != 0 && h->client == -1) {
            uint64_t link = h->link;
            has_connected = true;
            if (h->is_offline) {
                h->link = 0;
                net_link_down(h->net, h->now, link, STR("connection refused"));
                continue;
            }
            net_link_up(h->net, h->now, link);
            h->client = -2; /* found by to_host once model_open knows it */
            int client = 0;
            while (w->model.clients[client].is_open) {
                client++;
            }
            h->client = client;
            CHECK(model_open(&w->model) == client);
        }
    }
    return has_connected;
}

/* Runs until nothing is under way and nothing is due before `until`. */
static void run(struct world *w, int64_t until)
{
    int64_t announce_ms = w->ms + 10000;
    long steps = 0;
    while (true) {
        assert(++steps < 4000000);
        set_clocks(w);
        if (connect_dialled(w)) {
            continue;
        }
        if (w->first < w->last) {
            struct message m = w->queue[w->first % QUEUE_MAX];
            w->first++;
            deliver(w, &m);
            buf_release(&m.bytes);
            continue;
        }
        int64_t next = announce_ms;
        for (int i = 0; i < HOSTS; i++) {
            int64_t at = w->hosts[i].net == NULL ? -1 : net_next_ms(w->hosts[i].net);
            next = at >= 0 && at < next ? at : next;
        }
        if (next > until) {
            w->ms = until;
            set_clocks(w);
            return;
        }
        w->ms = next > w->ms ? next : w->ms;
        set_clocks(w);
        if (w->ms >= announce_ms) {
            model_announce(&w->model);
            announce_ms = w->ms + 10000;
        }
        for (int i = 0; i < HOSTS; i++) {
            if (w->hosts[i].net != NULL) {
                net_tick(w->hosts[i].net, w->hosts[i].now);
            }
        }
    }
}

static void call(struct world *w, int from, int to, uint64_t id, const char *method,
                 const char *target, struct str body)
{
    struct host *h = &w->hosts[from];
    struct buf request;
    buf_init(&request, 2 << 20);
    buf_add_fmt(&request, "%s %s HTTP/1.1\r\nhost: x\r\ncontent-length: %zu\r\n\r\n", method,
                target, body.n);
    buf_add(&request, body);
    net_call(h->net, h->now, net_peer_id(w->hosts[to].net), id, buf_str(&request), 60000);
    buf_release(&request);
}

static struct world *world_new(int hosts)
{
    struct world *w = base_alloc(sizeof(*w));
    world_init(w, hosts);
    set_clocks(w);
    return w;
}

static void world_free(struct world *w)
{
    world_release(w);
    base_free(w);
}

static void drop_link(struct world *w, int i)
{
    struct host *h = &w->hosts[i];
    uint64_t link = h->link;
    model_close(&w->model, h->client);
    h->link = 0;
    net_link_down(h->net, h->now, link, STR("gone"));
}

TEST(joins_and_hears_of_the_others)
{
    struct world *w = world_new(3);
    run(w, 5000);
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
    run(w, 300000); /* announcements repeat and are told once; pings keep the relay */
    CHECK(w->hosts[0].seen == 2 && w->hosts[0].gone == 0 && w->hosts[0].dials == 1);
    world_free(w);
}

TEST(exchanges_a_request_and_its_answer)
{
    struct world *w = world_new(2);
    run(w, 2000);
    call(w, 0, 1, 1, "PUT", "/x?y=z", STR("hello"));
    run(w, 3000);
    CHECK(w->hosts[0].status[1] == 404);
    CHECK_STR(buf_str(&w->hosts[0].body), STR("PUT /x?y=z 5"));
    CHECK(w->model.dials == 1);
    call(w, 1, 0, 2, "GET", "/back", STR("")); /* over the same connection */
    run(w, 4000);
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
    call(w, 0, 1, 1, "GET", "/x", STR(""));
    run(w, 3000);
    CHECK(w->hosts[0].status[1] == 404);
    world_free(w);
}

static void hundred_calls(struct world *w)
{
    struct buf big;
    buf_init(&big, BIG);
    for (int i = 0; i < BIG; i++) {
        buf_add_char(&big, (char)(i * 7 >> 2));
    }
    for (uint64_t id = 0; id < 100; id++) {
        for (int from = 0; from < 2; from++) {
            size_t size = id % 20 == 7 ? BIG : next_random(&w->random) % 5000;
            call(w, from, 1 - from, id, "PUT", "/echo", str_sub(buf_str(&big), 0, size));
        }
    }
    buf_release(&big);
}

TEST(exchanges_a_hundred_requests_both_ways_at_once)
{
    struct world *w = world_new(2);
    w->model.splits = true;
    run(w, 2000);
    hundred_calls(w);
    run(w, 20000);
    for (int i = 0; i < 2; i++) {
        CHECK(w->hosts[i].good == 100);
        CHECK(w->hosts[i].bad == 0);
        CHECK(w->hosts[i].requests == 100);
    }
    CHECK(w->model.dials <= 2);
    run(w, 40000); /* the second of two lines made at once is put away */
    int streams = 0;
    for (int i = 0; i < MODEL_STREAMS_MAX; i++) {
        streams += w->model.streams[i].is_open;
    }
    CHECK(streams <= 2);
    world_free(w);
}

TEST(sends_only_what_the_link_has_room_for)
{
    struct world *w = world_new(2);
    struct host *h = &w->hosts[0];
    run(w, 2000);
    call(w, 0, 1, 0, "GET", "/x", STR(""));
    run(w, 3000);
    struct buf big;
    buf_init(&big, BIG);
    CHECK(buf_reserve(&big, BIG) != NULL);
    memset(big.p, 'x', BIG);
    big.n = BIG;
    h->limits_room = true;
    net_link_room(h->net, h->now, h->link, 0);
    h->room_used = 0;
    call(w, 0, 1, 1, "PUT", "/echo", buf_str(&big));
    CHECK(h->room_used == 0);
    net_link_room(h->net, h->now, h->link, 100);
    CHECK(h->room_used > 100 && h->room_used < 70000); /* one chunk */
    run(w, 20000);
    CHECK(h->status[1] == 200);
    CHECK_STR(buf_str(&h->body), buf_str(&big));
    buf_release(&big);
    world_free(w);
}

TEST(loses_the_open_calls_with_the_link_and_recovers)
{
    struct world *w = world_new(2);
    run(w, 2000);
    w->hosts[1].answers_late = true;
    call(w, 0, 1, 1, "GET", "/x", STR(""));
    call(w, 0, 1, 2, "GET", "/y", STR(""));
    run(w, 3000);
    CHECK(w->hosts[1].n_late == 2);
    net_answer(w->hosts[1].net, w->hosts[1].now, w->hosts[1].late[0], 200, STR(""), STR("a"));
    run(w, 3500);
    CHECK(w->hosts[0].status[1] == 200);
    drop_link(w, 1);
    CHECK(w->hosts[1].gone == 1);
    CHECK(net_relay_info(w->hosts[1].net, 0).state == NET_RELAY_WAITING);
    net_answer(w->hosts[1].net, w->hosts[1].now, w->hosts[1].late[1], 200, STR(""), STR("b"));
    run(w, 15000);
    CHECK(w->hosts[0].status[2] == 0);
    CHECK_STR(str_of(w->hosts[0].why[2]), STR("the connection was lost"));
    CHECK(w->hosts[1].dials == 2);
    CHECK(w->hosts[1].seen == 2);
    w->hosts[1].answers_late = false;
    call(w, 0, 1, 3, "GET", "/x", STR(""));
    call(w, 1, 0, 3, "GET", "/x", STR(""));
    run(w, 16000);
    CHECK(w->hosts[0].status[3] == 404);
    CHECK(w->hosts[1].status[3] == 404);
    world_free(w);
}

TEST(survives_links_dropping_under_load)
{
    struct world *w = world_new(2);
    run(w, 2000);
    hundred_calls(w);
    for (int k = 0; k < 12; k++) {
        for (int n = 0; n < 400 && w->first < w->last; n++) {
            struct message m = w->queue[w->first % QUEUE_MAX];
            w->first++;
            deliver(w, &m);
            buf_release(&m.bytes);
        }
        if (w->hosts[k % 2].client >= 0 && w->hosts[k % 2].link != 0) {
            drop_link(w, k % 2);
        }
        run(w, w->ms + 1500);
    }
    run(w, w->ms + 100000);
    for (int i = 0; i < 2; i++) {
        CHECK(w->hosts[i].good + w->hosts[i].bad == 100);
        CHECK(w->hosts[i].bad > 0);
    }
    call(w, 0, 1, 200, "GET", "/x", STR(""));
    run(w, w->ms + 20000);
    CHECK(w->hosts[0].status[200] == 404);
    world_free(w);
}

TEST(loses_one_connection_to_a_flipped_byte_and_nothing_else)
{
    struct world *w = world_new(3);
    char text[2000];
    memset(text, 'x', sizeof(text));
    run(w, 2000);
    call(w, 0, 1, 1, "GET", "/x", STR(""));
    call(w, 0, 2, 2, "GET", "/x", STR(""));
    run(w, 3000);
    CHECK(w->model.dials == 2);
    w->hosts[2].answers_late = true;
    call(w, 0, 2, 4, "GET", "/slow", STR(""));
    run(w, 4000);
    w->flips = true;
    call(w, 0, 1, 3, "PUT", "/echo", str_make(text, sizeof(text)));
    run(w, 5000);
    CHECK(!w->flips);
    CHECK(w->hosts[0].status[3] == 0);
    CHECK(w->hosts[0].status[4] == -1); /* the other connection lives */
    CHECK(w->hosts[0].dials == 1);
    net_answer(w->hosts[2].net, w->hosts[2].now, w->hosts[2].late[0], 200, STR(""), STR(""));
    call(w, 0, 1, 5, "PUT", "/echo", str_make(text, sizeof(text)));
    run(w, 6000);
    CHECK(w->hosts[0].status[4] == 200);
    CHECK(w->hosts[0].status[5] == 200);
    CHECK(w->model.dials == 3);
    world_free(w);
}

TEST(says_why_a_call_failed)
{
    struct world *w = world_new(2);
    struct host *h = &w->hosts[0];
    run(w, 3000);
    net_call(h->net, h->now, STR("12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN"), 1,
             STR("GET / HTTP/1.1\r\n\r\n"), 60000);
    net_call(h->net, h->now, STR("example.org"), 2, STR("GET / HTTP/1.1\r\n\r\n"), 60000);
    net_call(h->net, h->now, net_peer_id(h->net), 3, STR("GET / HTTP/1.1\r\n\r\n"), 60000);
    CHECK(h->bad == 0); /* never from within net_call */
    CHECK(net_next_ms(h->net) == h->now.mono_ms);
    run(w, 3000);
    CHECK_STR(str_of(h->why[1]), STR("no relay knows the peer"));
    CHECK_STR(str_of(h->why[2]), STR("that is no peer id"));
    CHECK_STR(str_of(h->why[3]), STR("that is ourselves"));
    w->model.never_answers_dials = true;
    call(w, 0, 1, 4, "GET", "/x", STR(""));
    run(w, 12999);
    CHECK(h->status[4] == -1);
    run(w, 13001);
    CHECK_STR(str_of(h->why[4]), STR("the dial was not answered"));
    w->model.never_answers_dials = false;
    call(w, 0, 1, 5, "GET", "/x", STR(""));
    run(w, 14000);
    CHECK(h->status[5] == 404);
    w->hosts[1].answers_late = true;
    call(w, 0, 1, 6, "GET", "/x", STR(""));
    run(w, 80000);
    CHECK_STR(str_of(h->why[6]), STR("the peer did not answer in time"));
    CHECK(net_peer_info(h->net, 0).connected);
    world_free(w);
}

TEST(forgets_a_peer_that_is_no_longer_announced)
{
    struct world *w = world_new(2);
    run(w, 3000);
    model_close(&w->model, w->hosts[1].client);
    net_free(w->hosts[1].net);
    w->hosts[1].net = NULL;
    w->hosts[1].link = 0;
    run(w, 30000);
    CHECK(w->hosts[0].gone == 0);
    run(w, 60000);
    CHECK(w->hosts[0].gone == 1);
    CHECK(net_peer_count(w->hosts[0].net) == 0);
    world_free(w);
}

TEST(notices_a_peer_that_died_without_a_word)
{
    struct world *w = world_new(2);
    run(w, 3000);
    call(w, 0, 1, 1, "GET", "/x", STR(""));
    run(w, 4000);
    w->hosts[1].link = 0; /* hears and says nothing any more */
    net_free(w->hosts[1].net);
    w->hosts[1].net = NULL;
    CHECK(net_peer_info(w->hosts[0].net, 0).connected);
    run(w, 70000);
    CHECK(!net_peer_info(w->hosts[0].net, 0).connected);
    world_free(w);
}

TEST(dials_the_relay_again_with_growing_delays)
{
    struct world *w = world_new(1);
    w->hosts[0].is_offline = true;
    run(w, 61000);
    CHECK(w->hosts[0].dials >= 13 && w->hosts[0].dials <= 40);
    CHECK_STR(net_relay_info(w->hosts[0].net, 0).why, STR("connection refused"));
    w->hosts[0].is_offline = false;
    run(w, 67000);
    CHECK(net_relay_info(w->hosts[0].net, 0).state == NET_RELAY_JOINED);
    world_free(w);
}

TEST(leaves_a_relay_that_falls_silent)
{
    struct world *w = world_new(1);
    run(w, 3000);
    w->model.clients[w->hosts[0].client].is_open = false; /* answers nothing */
    socketio_release(&w->model.clients[w->hosts[0].client].socketio);
    run(w, 60000);
    CHECK(w->hosts[0].closes == 1);
    CHECK(w->hosts[0].dials == 2);
    CHECK(net_relay_info(w->hosts[0].net, 0).state == NET_RELAY_JOINED);
    world_free(w);
}

TEST(closes_idle_connections_and_makes_new_ones)
{
    struct world *w = world_new(2);
    run(w, 3000);
    call(w, 0, 1, 1, "GET", "/x", STR(""));
    run(w, 200000);
    CHECK(net_peer_info(w->hosts[0].net, 0).connected);
    run(w, 400000);
    CHECK(!net_peer_info(w->hosts[0].net, 0).connected);
    CHECK(!net_peer_info(w->hosts[1].net, 0).connected);
    CHECK(w->hosts[0].gone == 0);
    call(w, 1, 0, 2, "GET", "/x", STR(""));
    run(w, 401000);
    CHECK(w->hosts[1].status[2] == 404);
    world_free(w);
}

TEST(may_be_called_from_within_an_answer)
{
    struct world *w = world_new(2);
    run(w, 3000);
    w->hosts[0].must_call = 2;
    call(w, 0, 1, 1, "GET", "/x", STR(""));
    run(w, 4000);
    CHECK(w->hosts[0].status[1] == 404);
    CHECK(w->hosts[0].status[2] == 200);
    world_free(w);
}

TEST(bounds_what_waits)
{
    struct world *w = world_new(2);
    struct host *h = &w->hosts[0];
    run(w, 3000);
    w->hosts[1].answers_late = true;
    for (uint64_t id = 0; id < 200; id++) {
        call(w, 0, 1, id, "GET", "/x", STR(""));
    }
    run(w, 4000);
    CHECK(w->hosts[1].requests == NET_CONN_CALLS_MAX);
    for (int i = 0; i < 64; i++) {
        net_answer(w->hosts[1].net, w->hosts[1].now, w->hosts[1].late[i], 200, STR(""), STR(""));
    }
    w->hosts[1].answers_late = false;
    run(w, 5000);
    CHECK(h->good == 200);
    for (int i = 0; i < 5; i++) { /* unknown streams and links are ignored */
        net_answer(w->hosts[1].net, w->hosts[1].now, (uint64_t)i * 1000, 200, STR(""), STR(""));
        net_link_message(h->net, h->now, 999, STR("x"), true);
        net_link_room(h->net, h->now, 999, 5);
        net_link_down(h->net, h->now, 999, STR("x"));
    }
    world_free(w);
}

static uint64_t digest_of_a_busy_day(void)
{
    struct world *w = world_new(3);
    run(w, 2000);
    hundred_calls(w);
    run(w, 2000);
    drop_link(w, 0);
    run(w, 50000);
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
          TEST_ROW(dials_the_relay_again_with_growing_delays),
          TEST_ROW(leaves_a_relay_that_falls_silent),
          TEST_ROW(closes_idle_connections_and_makes_new_ones),
          TEST_ROW(may_be_called_from_within_an_answer), TEST_ROW(bounds_what_waits),
          TEST_ROW(does_the_same_given_the_same))

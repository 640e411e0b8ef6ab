/* What hosts do for a stack, done by hand. */
#include "net/world_model.h"

#include "crypto/hash.h"

#include <string.h>

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
    rng_fill(&h->rng, out, n);
}

static void host_dial(void *ctx, uint64_t link, struct str url)
{
    struct host *h = ctx;
    assert(str_eq(url, STR("ws://127.0.0.1:9090/socket.io/?EIO=3&transport=websocket")));
    h->dials++;
    h->link = link;
    h->client = -1;
}

static void host_send(void *ctx, uint64_t link, struct str message, bool is_text)
{
    struct host *h = ctx;
    assert(link == h->link);
    h->room_used += message.n;
    struct message m = {.from_client = h->client, .is_text = is_text, .to = h->index};
    m.link = link;
    post(h->world, m, message);
}

static void host_close(void *ctx, uint64_t link)
{
    struct host *h = ctx;
    assert(link == h->link);
    h->closes++;
    h->link = 0;
    if (h->client >= 0) {
        model_close(&h->world->model, h->client);
    }
}

static void host_seen(void *ctx, struct str peer_id, struct str address)
{
    struct host *h = ctx;
    assert(str_ends(address, peer_id));
    assert(net_is_peer_known(h->net, peer_id));
    h->seen++;
}

static void host_gone(void *ctx, struct str peer_id)
{
    struct host *h = ctx;
    assert(!net_is_peer_known(h->net, peer_id));
    h->gone++;
}

/* Answers with "<method> <target> <length of body>", or the body for /echo. */
static void host_request(void *ctx, uint64_t stream, struct str peer_id,
                         const struct http_head *head, struct str body)
{
    struct host *h = ctx;
    struct arena *a = arena_new();
    h->requests++;
    assert(peer_id.n == 52);
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

static void host_answer(void *ctx, uint64_t id, int status, struct str why,
                        const struct http_head *head, struct str body)
{
    struct host *h = ctx;
    assert(id < CALLS_MAX);
    assert(h->status[id] == -1); /* exactly once */
    h->status[id] = status;
    assert((status == 0) == (head == NULL));
    memcpy(h->why[id], why.p, why.n < 95 ? why.n : 95);
    if (status == 0) {
        assert(why.n > 0);
        h->bad++;
    } else {
        h->good++;
        buf_clear(&h->body);
        buf_add(&h->body, body);
    }
    if (h->must_call != 0) {
        uint64_t next = h->must_call;
        h->must_call = 0;
        world_call(h->world, h->index, 1 - h->index, next, "GET /echo", STR(""));
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
    *w = (struct world){.rng = {1}, .ms = 1000};
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
        rng_init(&h->rng, (uint64_t)i + 1);
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

bool world_step(struct world *w)
{
    if (w->first == w->last) {
        return false;
    }
    struct message m = w->queue[w->first % QUEUE_MAX];
    w->first++;
    deliver(w, &m);
    buf_release(&m.bytes);
    return true;
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
            assert(model_open(&w->model) == client);
        }
    }
    return has_connected;
}

void world_run(struct world *w, int64_t until)
{
    int64_t announce_ms = w->ms + 10000;
    long steps = 0;
    while (true) {
        steps++;
        assert(steps < 4000000);
        set_clocks(w);
        if (connect_dialled(w)) {
            continue;
        }
        if (world_step(w)) {
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

void world_call(struct world *w, int from, int to, uint64_t id, const char *what, struct str body)
{
    struct host *h = &w->hosts[from];
    struct buf request;
    buf_init(&request, 2 << 20);
    buf_add_fmt(&request, "%s HTTP/1.1\r\nhost: x\r\ncontent-length: %zu\r\n\r\n", what, body.n);
    buf_add(&request, body);
    net_call(h->net, h->now, net_peer_id(w->hosts[to].net), id, buf_str(&request), 60000);
    buf_release(&request);
}

struct world *world_new(int hosts)
{
    struct world *w = base_alloc(sizeof(*w));
    world_init(w, hosts);
    set_clocks(w);
    return w;
}

void world_free(struct world *w)
{
    world_release(w);
    base_free(w);
}

void world_drop_link(struct world *w, int i)
{
    struct host *h = &w->hosts[i];
    uint64_t link = h->link;
    model_close(&w->model, h->client);
    h->link = 0;
    net_link_down(h->net, h->now, link, STR("gone"));
}

/* The peer-to-peer stack: its inputs, its clock, and what it tells about itself. */
#include "net/state.h"

enum { ROUNDS_MAX = 8 };

struct net *net_new(const struct net_config *config)
{
    struct net *net = base_alloc(sizeof(*net));
    net->own = arena_new();
    net->self = (struct relay_owner){
        .key = config->identity,
        .peer_id = addr_id_write(net->own, config->identity.public_key),
        .calls = config->calls,
        .star_calls = line_star_calls,
        .next_link = 1,
        .net = net,
    };
    peers_init(&net->peers);
    conn_pool_init(&net->pool);
    buf_init(&net->chunk, LINK_CHUNK_MAX);
    for (size_t i = 0; i < config->relays.n && net->n_relays < NET_RELAYS_MAX; i++) {
        struct relay *r = &net->relays[net->n_relays];
        if (relay_init(r, net->own, config->relays.at[i], &net->self) == ERR_NONE) {
            net->n_relays++;
        }
    }
    return net;
}

void net_free(struct net *net)
{
    if (net == NULL) {
        return;
    }
    for (size_t i = 0; i < net->n_lines; i++) {
        conn_free(net->lines[i]->conn, "");
        base_free(net->lines[i]);
    }
    base_free(net->lines);
    calls_release(net);
    events_release(net);
    for (size_t i = 0; i < net->n_relays; i++) {
        relay_release(&net->relays[i]);
    }
    peers_release(&net->peers);
    conn_pool_release(&net->pool);
    buf_release(&net->chunk);
    arena_free(net->own);
    base_free(net);
}

struct str net_peer_id(const struct net *net)
{
    return net->self.peer_id;
}

static void check_gone(struct net *net)
{
    net->must_check_gone = false;
    for (struct map_entry *e = map_next(&net->peers.map, NULL); e != NULL;
         e = map_next(&net->peers.map, e)) {
        struct peer *peer = e->value;
        if (peer->is_told && peer->n_places == 0 && !line_is_open_to(net, peer)) {
            peer->is_told = false;
            net->peers.n_told--;
            event_gone(net, peer);
        }
    }
    peers_sweep(&net->peers);
}

/* Lets everything happen that the last input made possible, without telling the user. */
static void advance(struct net *net)
{
    for (int i = 0; i < ROUNDS_MAX && net->must_dispatch; i++) {
        calls_dispatch(net);
    }
    lines_pump(net);
    lines_sweep(net);
    if (net->must_check_gone) {
        check_gone(net);
    }
}

/* The end of every input: advance, tell, and again, since the user may have asked for more. */
static void settle(struct net *net)
{
    net->is_settling = true;
    bool has_told = true;
    for (int i = 0; i < ROUNDS_MAX && has_told; i++) {
        advance(net);
        has_told = events_tell(net);
    }
    advance(net);
    net->is_settling = false;
}

static void begin(struct net *net, struct now now)
{
    assert(!net->is_settling);
    net->now_ms = now.mono_ms;
}

static struct relay *relay_of(struct net *net, uint64_t link)
{
    for (size_t i = 0; i < net->n_relays; i++) {
        if (link != 0 && net->relays[i].link == link) {
            return &net->relays[i];
        }
    }
    return NULL;
}

/* A relay that went down takes its announcements with it. */
static void forget_if_down(struct net *net, const struct relay *r)
{
    if (r->state == NET_RELAY_WAITING) {
        peers_drop_relay(&net->peers, (size_t)(r - net->relays));
        net->must_check_gone = true;
    }
}

void net_link_up(struct net *net, struct now now, uint64_t link)
{
    begin(net, now);
    struct relay *r = relay_of(net, link);
    if (r != NULL) {
        relay_up(r, net->now_ms);
    }
    settle(net);
}

void net_link_message(struct net *net, struct now now, uint64_t link, struct str message,
                      bool is_text)
{
    begin(net, now);
    struct relay *r = relay_of(net, link);
    if (r != NULL) {
        relay_message(r, message, is_text, net->now_ms);
        forget_if_down(net, r);
    }
    settle(net);
}

void net_link_room(struct net *net, struct now now, uint64_t link, size_t room)
{
    begin(net, now);
    struct relay *r = relay_of(net, link);
    if (r != NULL) {
        r->room = room;
    }
    settle(net);
}

void net_link_down(struct net *net, struct now now, uint64_t link, struct str why)
{
    begin(net, now);
    struct relay *r = relay_of(net, link);
    if (r != NULL) {
        relay_down(r, why, net->now_ms);
        forget_if_down(net, r);
    }
    settle(net);
}

void net_tick(struct net *net, struct now now)
{
    begin(net, now);
    for (size_t i = 0; i < net->n_relays; i++) {
        bool was_joined = net->relays[i].state == NET_RELAY_JOINED;
        relay_tick(&net->relays[i], net->now_ms);
        if (was_joined) {
            forget_if_down(net, &net->relays[i]);
        }
    }
    if (net->now_ms >= net->peers.next_ms) {
        peers_expire(&net->peers, net->now_ms);
        net->must_check_gone = true;
    }
    lines_tick(net);
    calls_tick(net);
    settle(net);
}

int64_t net_next_ms(const struct net *net)
{
    int64_t next = net->peers.next_ms;
    if (net->n_events > 0 || net->must_dispatch) {
        return net->now_ms;
    }
    for (size_t i = 0; i < net->n_relays; i++) {
        int64_t at = relay_next_ms(&net->relays[i]);
        next = at < next ? at : next;
    }
    int64_t at = lines_next_ms(net);
    next = at < next ? at : next;
    at = calls_next_ms(net);
    next = at < next ? at : next;
    return next == INT64_MAX ? -1 : next;
}

void net_call(struct net *net, struct now now, struct str peer_id, uint64_t call,
              struct str request, int64_t timeout_ms)
{
    net->now_ms = now.mono_ms;
    call_add(net, peer_id, call, request, timeout_ms);
    if (!net->is_settling) {
        advance(net);
    }
}

static struct str answer_head(struct arena *a, int status, struct str headers, size_t length)
{
    return arena_fmt(a,
                     "HTTP/1.1 %d %s\r\n%.*scontent-length: %zu\r\n"
                     "connection: close\r\n\r\n",
                     status, http_reason(status), (int)headers.n, headers.n == 0 ? "" : headers.p,
                     length);
}

static struct conn *conn_of_request(const struct net *net, uint64_t stream)
{
    for (size_t i = 0; i < net->n_lines; i++) {
        struct conn *c = net->lines[i]->conn;
        if (c != NULL && conn_request(c, stream) != NULL) {
            return c;
        }
    }
    return NULL;
}

void net_answer(struct net *net, struct now now, uint64_t stream, int status, struct str headers,
                struct str body)
{
    net->now_ms = now.mono_ms;
    struct conn *c = conn_of_request(net, stream);
    if (c != NULL) {
        struct arena *a = arena_new();
        if (body.n > HTTP_ANSWER_MAX || headers.n > HTTP_HEAD_MAX / 2 ||
            net_memory(net) + body.n > NET_SERVE_MEMORY_MAX ||
            conn_queued(c) + body.n > NET_CONN_ANSWERS_MAX) {
            status = 503;
            headers = STR("");
            body = STR("");
        }
        (void)conn_answer(c, stream, answer_head(a, status, headers, body.n), body);
        arena_free(a);
    }
    if (!net->is_settling) {
        advance(net);
    }
}

/* --- for the status page ---------------------------------------------------------------------- */

size_t net_relay_count(const struct net *net)
{
    return net->n_relays;
}

struct net_relay_info net_relay_info(const struct net *net, size_t i)
{
    assert(i < net->n_relays);
    const struct relay *r = &net->relays[i];
    return (struct net_relay_info){r->url, wsstar_address(r->star), r->state, buf_str(&r->why),
                                   r->since_ms};
}

const char *net_relay_state_name(enum net_relay_state state)
{
    static const char *const names[] = {
        [NET_RELAY_WAITING] = "waiting",
        [NET_RELAY_DIALLING] = "dialling",
        [NET_RELAY_JOINING] = "joining",
        [NET_RELAY_JOINED] = "joined",
    };
    assert((size_t)state < COUNT_OF(names));
    return names[state];
}

size_t net_peer_count(const struct net *net)
{
    return net->peers.n_told;
}

static struct net_peer_info peer_info(const struct net *net, const struct peer *peer)
{
    struct net_peer_info info = {peers_id(peer), STR(""), false, -1};
    int64_t seen_ms = INT64_MIN;
    for (size_t i = 0; i < peer->n_places; i++) {
        if (peer->places[i].seen_ms > seen_ms) {
            seen_ms = peer->places[i].seen_ms;
            info.address = buf_str(&peer->places[i].address);
        }
    }
    const struct line *line = line_best(net, peer);
    if (line != NULL) {
        info.connected = true;
        info.rtt_ms = conn_rtt_ms(line->conn);
    }
    return info;
}

struct net_peer_info net_peer_info(const struct net *net, size_t i)
{
    for (const struct map_entry *e = map_next(&net->peers.map, NULL); e != NULL;
         e = map_next(&net->peers.map, e)) {
        const struct peer *peer = e->value;
        if (!peer->is_told) {
            continue;
        }
        if (i == 0) {
            return peer_info(net, peer);
        }
        i--;
    }
    assert(false);
    return (struct net_peer_info){.rtt_ms = -1};
}

bool net_is_peer_known(const struct net *net, struct str peer_id)
{
    const struct peer *peer = peers_get(&net->peers, peer_id);
    return peer != NULL && peer->is_told;
}

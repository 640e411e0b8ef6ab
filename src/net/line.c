/* Lines to peers: who dials whom, what the relay's streams carry, when a line ends. */
#include "base/rate.h"
#include "net/state.h"

#include <string.h>

enum {
    IDLE_MS = 5 * 60 * 1000,
    SPARE_IDLE_MS = 10 * 1000, /* of a line beside a better one to the same peer */
    LAST_CHUNKS = 4,
    PEER_LINES_MAX = 4, /* of one peer; the oldest makes room for the next */
    SHAKING_MAX = 64,   /* dials of others that have not proven who they are */
    SHAKES_SPAN_MS = 10 * 1000,
    SHAKES_MAX = 640, /* handshakes that others begin in that time: each is some curve arithmetic */
    PEER_SHAKES_MAX = 8, /* that one peer begins */
};

static struct line *line_add(struct net *net, struct relay *relay, struct peer *peer,
                             bool is_dialer)
{
    struct line *line = base_alloc(sizeof(*line));
    *line = (struct line){.net = net, .relay = relay, .peer = peer, .is_dialer = is_dialer};
    peer->refs++;
    if (net->n_lines == net->cap_lines) {
        net->cap_lines = net->cap_lines == 0 ? 8 : net->cap_lines * 2;
        net->lines = base_realloc(net->lines, net->cap_lines * sizeof(struct line *));
    }
    net->lines[net->n_lines] = line;
    net->n_lines++;
    return line;
}

void lines_sweep(struct net *net)
{
    size_t kept = 0;
    for (size_t i = 0; i < net->n_lines; i++) {
        struct line *line = net->lines[i];
        if (line->is_gone) {
            line->peer->refs--;
            base_free(line);
        } else {
            net->lines[kept] = line;
            kept++;
        }
    }
    net->n_lines = kept;
}

static void close_line(struct line *line, struct str why)
{
    struct net *net = line->net;
    if (line->is_gone) {
        return;
    }
    line->is_gone = true;
    if (!line->was_open) { /* this place is no good; why[] becomes the answer of the calls */
        peers_set_why(line->peer, why);
    }
    if (line->stream != NULL) {
        wsstar_end(line->stream);
        line->stream = NULL;
    }
    conn_free(line->conn, why.p);
    line->conn = NULL;
    net->must_dispatch = true;
    net->must_check_gone = true;
}

void line_close(struct line *line, const char *why)
{
    close_line(line, str_of(why));
}

/* --- from the connection ---------------------------------------------------------------------- */

static void line_request(void *ctx, struct conn *c, struct exchange *e)
{
    struct line *line = ctx;
    assert(c == line->conn);
    event_request(line->net, line->peer, e->id);
}

static void line_answered(void *ctx, struct conn *c, struct exchange *e)
{
    struct line *line = ctx;
    (void)c;
    call_answered(line->net, e);
}

static void line_start(struct line *line)
{
    struct net *net = line->net;
    const struct conn_calls calls = {line, line_request, line_answered};
    struct noise_keys keys = {.identity = &net->self.key};
    net->self.calls.random(net->self.calls.ctx, keys.static_key, sizeof(keys.static_key));
    net->self.calls.random(net->self.calls.ctx, keys.ephemeral_key, sizeof(keys.ephemeral_key));
    line->conn = conn_new(line->is_dialer, &keys, line->peer->key, &net->pool, &calls, net->now_ms);
}

/* --- from the relay --------------------------------------------------------------------------- */

static struct net *net_of(const struct relay *relay)
{
    return relay->owner->net;
}

static void star_joined(void *ctx)
{
    struct relay *relay = ctx;
    relay_joined(relay, net_of(relay)->now_ms);
    net_of(relay)->must_dispatch = true;
}

static struct peer *see(struct relay *relay, struct str address)
{
    struct net *net = net_of(relay);
    bool is_new;
    struct peer *peer =
        peers_seen(&net->peers, address, (size_t)(relay - net->relays), net->now_ms, &is_new);
    if (wsstar_has_presence(relay->star)) {
        peers_last(peer, address, (size_t)(relay - net->relays));
    }
    if (peer != NULL && is_new) {
        net->peers.n_told += !peer->is_told;
        peer->is_told = true;
        net->must_dispatch = true;
        event_seen(net, peer, address);
    }
    return peer;
}

static void star_peer(void *ctx, struct str address)
{
    see(ctx, address);
}

static void star_peer_left(void *ctx, struct str address)
{
    struct relay *relay = ctx;
    struct net *net = net_of(relay);
    peers_left(&net->peers, address, (size_t)(relay - net->relays));
    net->must_check_gone = true;
}

/* Closes the line that was idle for longest, so that another can be. False: none is idle. */
static bool make_room(struct net *net)
{
    struct line *oldest = NULL;
    for (size_t i = 0; i < net->n_lines; i++) {
        struct line *line = net->lines[i];
        if (!line->is_gone && line->was_open && conn_exchange_count(line->conn) == 0 &&
            conn_queued(line->conn) == 0 &&
            (oldest == NULL || conn_busy_ms(line->conn) < conn_busy_ms(oldest->conn))) {
            oldest = line;
        }
    }
    if (oldest != NULL) {
        line_close(oldest, "another connection was needed");
    }
    return oldest != NULL;
}

static size_t count_living(const struct net *net)
{
    size_t n = 0;
    for (size_t i = 0; i < net->n_lines; i++) {
        n += !net->lines[i]->is_gone;
    }
    return n;
}

static bool has_room(struct net *net)
{
    return count_living(net) < NET_CONNS_MAX || make_room(net);
}

/* A peer that comes again and again, and leaves its old lines behind, has the newest ones. */
static void limit_lines_of(struct net *net, const struct peer *peer)
{
    struct line *first = NULL;
    size_t n = 0;
    for (size_t i = 0; i < net->n_lines; i++) {
        if (net->lines[i]->peer == peer && !net->lines[i]->is_gone) {
            first = first == NULL ? net->lines[i] : first;
            n++;
        }
    }
    if (n >= PEER_LINES_MAX) {
        line_close(first, "the peer made too many connections");
    }
}

static size_t count_shaking(const struct net *net)
{
    size_t n = 0;
    for (size_t i = 0; i < net->n_lines; i++) {
        n += !net->lines[i]->is_gone && !net->lines[i]->is_dialer && !net->lines[i]->was_open;
    }
    return n;
}

static void *star_incoming(void *ctx, struct wsstar_stream *stream, struct str from)
{
    struct relay *relay = ctx;
    struct net *net = net_of(relay);
    if (count_shaking(net) >= SHAKING_MAX || !has_room(net) ||
        str_eq(addr_peer(from), net->self.peer_id)) {
        return NULL;
    }
    struct peer *peer = see(relay, from);
    if (peer == NULL ||
        !rate_take(&peer->shakes_ms, net->now_ms, PEER_SHAKES_MAX, SHAKES_SPAN_MS) ||
        !rate_take(&net->shakes_ms, net->now_ms, SHAKES_MAX, SHAKES_SPAN_MS)) {
        return NULL;
    }
    limit_lines_of(net, peer);
    struct line *line = line_add(net, relay, peer, false);
    line->stream = stream;
    line_start(line);
    return line;
}

static void star_dialled(void *ctx, void *user, struct str why)
{
    struct line *line = user;
    (void)ctx;
    if (str_is_absent(why)) {
        line_start(line);
        return;
    }
    line->stream = NULL;
    close_line(line, why); /* there is no conn yet, so no calls that would hear it */
}

static void star_data(void *ctx, void *user, struct str bytes)
{
    struct line *line = user;
    (void)ctx;
    if (conn_feed(line->conn, bytes, line->net->now_ms) != ERR_NONE) {
        line_close(line, "the connection was tampered with or the peer broke the protocol");
        return;
    }
    if (!line->was_open && conn_is_open(line->conn)) {
        line->was_open = true;
        peers_retry(line->peer);
        line->net->must_dispatch = true;
    }
}

static void star_ended(void *ctx, void *user)
{
    struct line *line = user;
    (void)ctx;
    line->stream = NULL;
    line_close(line, "the connection was lost");
}

const struct wsstar_calls line_star_calls = {
    .joined = star_joined,
    .peer = star_peer,
    .peer_left = star_peer_left,
    .incoming = star_incoming,
    .dialled = star_dialled,
    .data = star_data,
    .ended = star_ended,
};

/* --- choosing --------------------------------------------------------------------------------- */

bool line_dial(struct net *net, struct peer *peer)
{
    struct peer_place *place = peers_untried(peer);
    while (place != NULL && has_room(net)) {
        struct relay *relay = &net->relays[place->relay];
        place->is_tried = true;
        struct line *line = line_add(net, relay, peer, true);
        line->stream = wsstar_dial(relay->star, buf_str(&place->address), line, net->now_ms);
        if (line->stream != NULL) {
            return true;
        }
        line_close(line, "the relay is not there");
        place = peers_untried(peer);
    }
    return false;
}

/* When both sides dialled at once there are two lines: both sides prefer the one that was dialled
 * by the smaller key. Among equals the newest, since the other may be a leftover. */
static bool is_favourite(const struct line *line)
{
    int order = memcmp(line->net->self.key.public_key, line->peer->key, SIGN_PUBLIC_SIZE);
    return (order < 0) == line->is_dialer;
}

static bool is_open(const struct line *line)
{
    return !line->is_gone && line->conn != NULL && conn_is_open(line->conn) &&
           !conn_is_going_away(line->conn);
}

static struct line *best_open(const struct net *net, const struct peer *peer)
{
    struct line *best = NULL;
    for (size_t i = 0; i < net->n_lines; i++) {
        struct line *line = net->lines[i];
        if (line->peer == peer && is_open(line) &&
            (best == NULL || is_favourite(line) || !is_favourite(best))) {
            best = line;
        }
    }
    return best;
}

struct line *line_best(const struct net *net, const struct peer *peer)
{
    struct line *best = best_open(net, peer);
    return best != NULL && conn_can_call(best->conn) ? best : NULL;
}

bool line_is_open_to(const struct net *net, const struct peer *peer)
{
    return best_open(net, peer) != NULL;
}

bool line_is_pending(const struct net *net, const struct peer *peer)
{
    for (size_t i = 0; i < net->n_lines; i++) {
        const struct line *line = net->lines[i];
        bool is_made = line->conn != NULL && conn_is_open(line->conn);
        if (line->peer == peer && !line->is_gone && !is_made) {
            return true;
        }
    }
    return false;
}

/* --- sending ---------------------------------------------------------------------------------- */

static bool line_send(struct line *line)
{
    struct buf *chunk = &line->net->chunk;
    if (line->is_gone || line->stream == NULL || line->conn == NULL ||
        !wsstar_is_writable(line->stream)) {
        return false;
    }
    buf_clear(chunk);
    if (!conn_pull(line->conn, chunk)) {
        return false;
    }
    wsstar_write(line->stream, buf_str(chunk));
    return true;
}

/* A chunk of each line in turn, as long as its link has room. */
void lines_pump(struct net *net)
{
    bool is_moving = true;
    while (is_moving) {
        is_moving = false;
        for (size_t i = 0; i < net->n_lines; i++) {
            struct line *line = net->lines[(net->line_turn + i) % net->n_lines];
            if (line->relay->room > 0 && line_send(line)) {
                is_moving = true;
            }
        }
        net->line_turn++;
    }
}

/* --- ending ----------------------------------------------------------------------------------- */

static void line_say_goodbye(struct line *line)
{
    conn_go_away(line->conn);
    for (int i = 0; i < LAST_CHUNKS && line_send(line); i++) {
    }
    line_close(line, "the connection was idle");
}

static int64_t idle_limit_ms(const struct line *line)
{
    if (conn_is_going_away(line->conn)) {
        return 0;
    }
    return best_open(line->net, line->peer) == line ? IDLE_MS : SPARE_IDLE_MS;
}

void lines_tick(struct net *net)
{
    for (size_t i = 0; i < net->n_lines; i++) {
        struct line *line = net->lines[i];
        if (line->is_gone || line->conn == NULL) {
            continue;
        }
        if (conn_tick(line->conn, net->now_ms) != ERR_NONE) {
            line_close(line, "the peer does not answer");
        } else if (conn_is_open(line->conn) && conn_exchange_count(line->conn) == 0 &&
                   conn_queued(line->conn) == 0 &&
                   net->now_ms - conn_busy_ms(line->conn) >= idle_limit_ms(line)) {
            line_say_goodbye(line);
        }
    }
}

int64_t lines_next_ms(const struct net *net)
{
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < net->n_lines; i++) {
        const struct line *line = net->lines[i];
        if (line->is_gone || line->conn == NULL) {
            continue;
        }
        int64_t at = conn_next_ms(line->conn);
        if (conn_is_open(line->conn) && conn_exchange_count(line->conn) == 0 &&
            conn_queued(line->conn) == 0) {
            int64_t idle = conn_busy_ms(line->conn) + idle_limit_ms(line);
            at = idle < at ? idle : at;
        }
        next = at < next ? at : next;
    }
    return next;
}

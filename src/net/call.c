/* Requests of ours from net_call to their answer: they wait for a line, go out on it, time out. */
#include "net/state.h"

enum {
    PEER_WAIT_MS = 10 * 1000, /* for a relay to join, or the peer to be announced */
    JOINED_LONG_MS = 1000,    /* by then a relay has told us who is there */
    REPEAT_MS = 2000,         /* by then who lost a relay has it again */
};

static void call_free(struct call *call)
{
    call->peer->refs--;
    buf_release(&call->request);
    base_free(call);
}

static void call_remove(struct net *net, struct call *call)
{
    size_t kept = 0;
    for (size_t i = 0; i < net->n_waiting; i++) {
        if (net->waiting[i] != call) {
            net->waiting[kept] = net->waiting[i];
            kept++;
        }
    }
    assert(kept + 1 == net->n_waiting);
    net->n_waiting = kept;
    if (call->peer->n_places == 0) {
        net->must_check_gone = true; /* nobody may want the peer's entry any more */
    }
    call_free(call);
}

static void call_fail(struct net *net, struct call *call, struct str why)
{
    event_answer(net, call->id, NULL, why);
    call_remove(net, call);
}

size_t net_memory(const struct net *net)
{
    size_t memory = net->pool.body_bytes;
    for (size_t i = 0; i < net->n_lines; i++) {
        memory += net->lines[i]->conn == NULL ? 0 : conn_queued(net->lines[i]->conn);
    }
    for (size_t i = 0; i < net->n_waiting; i++) {
        memory += net->waiting[i]->request.n;
    }
    return memory;
}

/* Why a call cannot even wait; NULL: it can. */
static const char *refuse(const struct net *net, struct str peer_id, struct str request)
{
    if (str_eq(peer_id, net->self.peer_id)) {
        return "that is ourselves";
    }
    if (net->n_waiting >= NET_CALLS_MAX || net_memory(net) + request.n > NET_MEMORY_MAX) {
        return "too many requests at once";
    }
    if (request.n > HTTP_HEAD_MAX + HTTP_BODY_MAX) {
        return "the request is too long";
    }
    return NULL;
}

void call_add(struct net *net, struct str peer_id, uint64_t id, struct str request,
              int64_t timeout_ms)
{
    const char *why = refuse(net, peer_id, request);
    struct peer *peer = why == NULL ? peers_want(&net->peers, peer_id) : NULL;
    if (peer == NULL) {
        event_answer(net, id, NULL, str_of(why != NULL ? why : "that is no peer id"));
        return;
    }
    struct call *call = base_alloc(sizeof(*call));
    *call = (struct call){.id = id, .peer = peer, .begun_ms = net->now_ms};
    call->deadline_ms = net->now_ms + timeout_ms;
    peer->refs++;
    buf_init(&call->request, HTTP_HEAD_MAX + HTTP_BODY_MAX);
    buf_add(&call->request, request);
    call->is_repeatable = str_starts(request, STR("GET "));
    if (net->n_waiting == net->cap_waiting) {
        net->cap_waiting = net->cap_waiting == 0 ? 16 : net->cap_waiting * 2;
        net->waiting = base_realloc(net->waiting, net->cap_waiting * sizeof(struct call *));
    }
    net->waiting[net->n_waiting] = call;
    net->n_waiting++;
    net->must_dispatch = true;
}

void call_answered(struct net *net, struct exchange *e)
{
    for (size_t i = 0; i < net->n_waiting; i++) {
        struct call *call = net->waiting[i];
        if (call->id == e->id && call->line != NULL) {
            bool is_good = e->state == EXCHANGE_DONE;
            net->must_dispatch = true; /* a place on the line is free */
            if (!is_good && call->is_repeatable) {
                call->line = NULL; /* it waits again, for another line */
                call->is_repeatable = false;
                call->again_ms = net->now_ms + REPEAT_MS;
                exchange_free(e);
                return;
            }
            event_answer(net, e->id, is_good ? e : NULL, str_of(is_good ? "" : e->why));
            call_remove(net, call);
            if (!is_good) {
                exchange_free(e);
            }
            return;
        }
    }
    exchange_free(e);
}

/* True when some relay has surely told us all peers it knows. */
static bool is_informed(const struct net *net)
{
    for (size_t i = 0; i < net->n_relays; i++) {
        const struct relay *r = &net->relays[i];
        if (r->state == NET_RELAY_JOINED && net->now_ms - r->since_ms >= JOINED_LONG_MS) {
            return true;
        }
    }
    return false;
}

/* All that wait for this peer; the next call may try all places again. */
static void fail_peer(struct net *net, struct peer *peer, struct str why)
{
    for (size_t i = net->n_waiting; i > 0; i--) {
        struct call *call = net->waiting[i - 1];
        if (call->peer == peer && call->line == NULL) {
            call_fail(net, call, why);
        }
    }
}

static bool call_send(struct net *net, struct call *call)
{
    struct line *line = line_best(net, call->peer);
    if (line == NULL || !conn_call(line->conn, call->id, buf_str(&call->request))) {
        return false;
    }
    call->line = line;
    if (!call->is_repeatable) {
        buf_release(&call->request);
    }
    return true;
}

/* One step for a call that waits; true when its peer has been given up. */
static bool call_step(struct net *net, struct call *call)
{
    struct peer *peer = call->peer;
    if (call_send(net, call) || net->now_ms < call->again_ms || line_is_open_to(net, peer) ||
        line_is_pending(net, peer) || line_dial(net, peer)) {
        return false; /* sent; or it is too early, or the line is full, or is being made */
    }
    if (peer->n_places > 0) {
        if (peers_untried(peer) != NULL) {
            return false; /* no room for another line */
        }
        fail_peer(net, peer, str_of(peer->why));
        peers_retry(peer);
        return true;
    }
    if (is_informed(net) || net->now_ms - call->begun_ms >= PEER_WAIT_MS) {
        call_fail(net, call, STR("no relay knows the peer"));
        return true;
    }
    return false;
}

void calls_dispatch(struct net *net)
{
    net->must_dispatch = false;
    for (size_t i = 0; i < net->n_waiting;) {
        struct call *call = net->waiting[i];
        bool has_changed = call->line == NULL && call_step(net, call);
        i = has_changed ? 0 : i + 1; /* each time fewer wait, so this ends */
    }
}

void calls_tick(struct net *net)
{
    for (size_t i = net->n_waiting; i > 0; i--) {
        struct call *call = net->waiting[i - 1];
        if (net->now_ms >= call->deadline_ms) {
            if (call->line != NULL && call->line->conn != NULL) {
                conn_cancel(call->line->conn, call->id);
            }
            call_fail(net, call, STR("the peer did not answer in time"));
            net->must_dispatch = true;
        } else if (call->line == NULL) {
            net->must_dispatch = true;
        }
    }
}

int64_t calls_next_ms(const struct net *net)
{
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < net->n_waiting; i++) {
        const struct call *call = net->waiting[i];
        int64_t patience = call->begun_ms + PEER_WAIT_MS;
        next = call->deadline_ms < next ? call->deadline_ms : next;
        if (call->line == NULL && patience > net->now_ms && patience < next) {
            next = patience;
        }
        if (call->line == NULL && call->again_ms > net->now_ms && call->again_ms < next) {
            next = call->again_ms;
        }
    }
    return next;
}

void calls_release(struct net *net)
{
    for (size_t i = 0; i < net->n_waiting; i++) {
        call_free(net->waiting[i]);
    }
    base_free(net->waiting);
    net->waiting = NULL;
    net->n_waiting = 0;
}

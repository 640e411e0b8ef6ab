/* The layers of one connection, and the exchanges on it. */
#include "net/conn.h"

#include "net/yamux.h"

#include <string.h>

enum phase {
    PHASE_SECURITY,
    PHASE_NOISE,
    PHASE_MUXER,
    PHASE_OPEN,
};

enum {
    WIRE_MAX = 2 * NOISE_MESSAGE_MAX, /* negotiation and handshake that wait to be pulled */
    PLAIN_MAX = LINK_MESSAGE_MAX + NOISE_MESSAGE_MAX,
    CHUNK_OVERHEAD = 2 + BOX_TAG_SIZE,
    SMALL_MAX = 4 * MULTISTREAM_MESSAGE_MAX,
};

struct conn {
    enum phase phase;
    bool is_dialer;
    struct conn_pool *pool;
    struct conn_calls calls;
    struct noise_keys keys;
    uint8_t peer_key[SIGN_PUBLIC_SIZE];
    struct multistream multistream; /* of the security protocol, then of the multiplexer */
    struct noise noise;
    struct yamux *yamux;
    struct buf wire;  /* to go out as it is */
    struct buf inner; /* to go out encrypted, before yamux's */
    struct exchange **exchanges;
    size_t n, cap, n_calls;
    size_t serve_bytes; /* of bodies of the peer's requests */
    int64_t now_ms, deadline_ms, next_ping_ms, pinged_ms, heard_ms, busy_ms;
};

void conn_pool_init(struct conn_pool *pool)
{
    *pool = (struct conn_pool){.next_request = 1};
    buf_init(&pool->plain, PLAIN_MAX);
    buf_init(&pool->out, LINK_CHUNK_MAX);
}

void conn_pool_release(struct conn_pool *pool)
{
    buf_release(&pool->plain);
    buf_release(&pool->out);
}

/* --- exchanges -------------------------------------------------------------------------------- */

static struct exchange *exchange_add(struct conn *c, enum exchange_kind kind, uint64_t id,
                                     struct buf *out)
{
    struct exchange *e = exchange_new(kind, id, out);
    e->begun_ms = c->now_ms;
    if (c->n == c->cap) {
        c->cap = c->cap == 0 ? 4 : c->cap * 2;
        c->exchanges = base_realloc(c->exchanges, c->cap * sizeof(struct exchange *));
    }
    c->exchanges[c->n] = e;
    c->n++;
    c->n_calls += kind == EXCHANGE_CALL;
    c->busy_ms = c->now_ms;
    return e;
}

/* A body grew, or goes. */
static void count_body(struct conn *c, const struct exchange *e, size_t more, size_t less)
{
    c->pool->body_bytes += more;
    c->pool->body_bytes -= less;
    if (e->kind == EXCHANGE_SERVE) {
        c->serve_bytes += more;
        c->serve_bytes -= less;
    }
}

/* Peers' requests leave room for ours, and those of one peer for those of others. */
static bool is_too_much(const struct conn *c, const struct exchange *e)
{
    return e->kind == EXCHANGE_CALL
               ? c->pool->body_bytes > NET_MEMORY_MAX
               : c->pool->body_bytes > NET_SERVE_MEMORY_MAX || c->serve_bytes > NET_CONN_BODIES_MAX;
}

static void exchange_take_out(struct conn *c, const struct exchange *e)
{
    for (size_t i = 0; i < c->n; i++) {
        if (c->exchanges[i] == e) {
            memmove(&c->exchanges[i], &c->exchanges[i + 1],
                    (c->n - i - 1) * sizeof(struct exchange *));
            c->n--;
            c->n_calls -= e->kind == EXCHANGE_CALL;
            count_body(c, e, 0, e->http.body.n);
            c->busy_ms = c->now_ms;
            return;
        }
    }
    assert(false);
}

static struct exchange *exchange_find(const struct conn *c, enum exchange_kind kind, uint64_t id)
{
    for (size_t i = 0; i < c->n; i++) {
        if (c->exchanges[i]->kind == kind && c->exchanges[i]->id == id) {
            return c->exchanges[i];
        }
    }
    return NULL;
}

/* The stream has no further use; what is queued on it still leaves unless it is reset. */
static void let_stream_go(struct conn *c, uint32_t stream, bool is_reset)
{
    if (is_reset) {
        yamux_reset(c->yamux, stream);
    } else {
        yamux_end(c->yamux, stream);
        yamux_forget(c->yamux, stream, c->now_ms);
    }
}

/* Done, or failed, while reading. */
static void settle(struct conn *c, struct exchange *e)
{
    bool has_failed = e->state == EXCHANGE_FAILED;
    if (e->kind == EXCHANGE_CALL) {
        let_stream_go(c, e->stream, has_failed);
        exchange_take_out(c, e);
        c->calls.answered(c->calls.ctx, c, e);
    } else if (has_failed) {
        let_stream_go(c, e->stream, true);
        exchange_take_out(c, e);
        exchange_free(e);
    } else {
        c->calls.request(c->calls.ctx, c, e);
    }
}

static bool is_settled(const struct exchange *e)
{
    return e->state == EXCHANGE_DONE || e->state == EXCHANGE_FAILED;
}

static void *stream_opened(void *ctx, uint32_t stream)
{
    struct conn *c = ctx;
    struct buf out;
    if (c->n - c->n_calls >= NET_CONN_SERVES_MAX || c->pool->body_bytes > NET_SERVE_MEMORY_MAX) {
        return NULL;
    }
    buf_init(&out, SMALL_MAX);
    struct exchange *e = exchange_add(c, EXCHANGE_SERVE, c->pool->next_request, &out);
    c->pool->next_request++;
    e->stream = stream;
    enum err err = yamux_write(c->yamux, stream, buf_str(&out));
    assert(err == ERR_NONE);
    buf_release(&out);
    return e;
}

static void stream_data(void *ctx, void *user, struct str bytes)
{
    struct conn *c = ctx;
    struct exchange *e = user;
    struct buf out;
    yamux_consume(c->yamux, e->stream, bytes.n);
    if (is_settled(e)) {
        return; /* a request that waits for its answer: more is of no use */
    }
    size_t before = e->http.body.n;
    buf_init(&out, SMALL_MAX);
    exchange_feed(e, bytes, &out);
    count_body(c, e, e->http.body.n - before, 0);
    if (out.overflow || yamux_write(c->yamux, e->stream, buf_str(&out)) != ERR_NONE ||
        is_too_much(c, e)) {
        e->state = EXCHANGE_FAILED;
        e->why = "too much at once";
    }
    buf_release(&out);
    if (is_settled(e)) {
        settle(c, e);
    }
}

static void stream_ended(void *ctx, void *user)
{
    struct conn *c = ctx;
    struct exchange *e = user;
    if (!is_settled(e)) {
        exchange_end(e);
        settle(c, e);
    }
}

static void stream_reset(void *ctx, void *user)
{
    struct conn *c = ctx;
    struct exchange *e = user;
    e->state = EXCHANGE_FAILED;
    e->why = "the peer reset the stream";
    settle(c, e);
}

/* --- the connection --------------------------------------------------------------------------- */

struct conn *conn_new(bool is_dialer, const struct noise_keys *keys,
                      const uint8_t peer_key[SIGN_PUBLIC_SIZE], struct conn_pool *pool,
                      const struct conn_calls *calls, int64_t now_ms)
{
    struct conn *c = base_alloc(sizeof(*c));
    c->is_dialer = is_dialer;
    c->keys = *keys;
    memcpy(c->peer_key, peer_key, SIGN_PUBLIC_SIZE);
    c->pool = pool;
    c->calls = *calls;
    c->now_ms = c->heard_ms = c->busy_ms = now_ms;
    c->deadline_ms = now_ms + CONN_OPEN_TIMEOUT_MS;
    buf_init(&c->wire, WIRE_MAX);
    buf_init(&c->inner, SMALL_MAX);
    c->noise.state = NOISE_FAILED; /* until it starts */
    multistream_start(&c->multistream, is_dialer, STR("/noise"), &c->wire);
    return c;
}

void conn_free(struct conn *c, const char *why)
{
    if (c == NULL) {
        return;
    }
    while (c->n > 0) {
        struct exchange *e = c->exchanges[0];
        exchange_take_out(c, e);
        if (e->kind == EXCHANGE_CALL) {
            e->state = EXCHANGE_FAILED;
            e->why = why;
            c->calls.answered(c->calls.ctx, c, e);
        } else {
            exchange_free(e);
        }
    }
    base_free(c->exchanges);
    yamux_free(c->yamux);
    noise_release(&c->noise);
    buf_release(&c->wire);
    buf_release(&c->inner);
    memset(&c->keys, 0, sizeof(c->keys));
    base_free(c);
}

static void ping(struct conn *c)
{
    yamux_ping(c->yamux, c->now_ms);
    c->pinged_ms = c->now_ms;
    c->next_ping_ms = c->now_ms + CONN_PING_MS;
}

static void start_yamux(struct conn *c)
{
    const struct yamux_calls calls = {c, stream_opened, stream_data, stream_ended, stream_reset};
    c->yamux = yamux_new(c->is_dialer, &calls);
    c->phase = PHASE_OPEN;
    ping(c); /* the round-trip time is known at once */
    c->busy_ms = c->now_ms;
}

static enum err feed_security(struct conn *c, struct str *bytes)
{
    TRY(multistream_feed(&c->multistream, bytes, &c->wire));
    if (c->multistream.state == MULTISTREAM_AGREED) {
        noise_init(&c->noise, c->is_dialer, &c->keys, NOISE_OFFERS_YAMUX, c->peer_key, &c->wire);
        c->phase = PHASE_NOISE;
    }
    return ERR_NONE;
}

static void start_muxer(struct conn *c)
{
    if (c->noise.is_yamux_agreed) {
        start_yamux(c);
    } else {
        multistream_start(&c->multistream, c->is_dialer, STR("/yamux/1.0.0"), &c->inner);
        c->phase = PHASE_MUXER;
    }
}

static enum err feed_plain(struct conn *c, struct str plain)
{
    if (c->phase == PHASE_MUXER) {
        TRY(multistream_feed(&c->multistream, &plain, &c->inner));
        if (c->multistream.state == MULTISTREAM_AGREED) {
            start_yamux(c);
        }
    }
    return c->phase == PHASE_OPEN ? yamux_feed(c->yamux, plain, c->now_ms) : ERR_NONE;
}

enum err conn_feed(struct conn *c, struct str bytes, int64_t now_ms)
{
    c->now_ms = c->heard_ms = now_ms;
    if (c->phase == PHASE_SECURITY) {
        TRY(feed_security(c, &bytes));
    }
    if (c->phase == PHASE_SECURITY || bytes.n == 0) {
        return ERR_NONE;
    }
    buf_clear(&c->pool->plain);
    TRY(noise_feed(&c->noise, bytes, &c->wire, &c->pool->plain));
    if (c->phase == PHASE_NOISE && c->noise.state == NOISE_OPEN) {
        start_muxer(c);
    }
    return c->phase == PHASE_NOISE ? ERR_NONE : feed_plain(c, buf_str(&c->pool->plain));
}

static void move(struct buf *from, struct buf *to, size_t max)
{
    struct str part = str_sub(buf_str(from), 0, max);
    buf_add(to, part);
    buf_drop(from, part.n);
}

bool conn_pull(struct conn *c, struct buf *out)
{
    if (c->wire.n > 0) {
        move(&c->wire, out, LINK_CHUNK_MAX);
        return true;
    }
    if (c->phase != PHASE_MUXER && c->phase != PHASE_OPEN) {
        return false;
    }
    struct buf *plain = &c->pool->out;
    buf_clear(plain);
    move(&c->inner, plain, SMALL_MAX);
    if (c->phase == PHASE_OPEN) {
        yamux_pull(c->yamux, plain, LINK_CHUNK_MAX - CHUNK_OVERHEAD - plain->n);
    }
    return plain->n > 0 && noise_write(&c->noise, buf_str(plain), out) == ERR_NONE;
}

static int64_t later(int64_t x, int64_t y)
{
    return x > y ? x : y;
}

/* When to ask whether the peer is there, or when it is known not to be. */
static int64_t alive_due_ms(const struct conn *c)
{
    int64_t busy_ping_ms = later(c->heard_ms, c->busy_ms) + CONN_BUSY_PING_MS;
    if (yamux_is_ping_open(c->yamux)) {
        return later(c->heard_ms, c->pinged_ms) + CONN_DEAD_MS;
    }
    return c->n_calls > 0 && busy_ping_ms < c->next_ping_ms ? busy_ping_ms : c->next_ping_ms;
}

/* A stream that stays open, and a request on it that never ends, would be kept for ever. */
static void end_slow_requests(struct conn *c)
{
    for (size_t i = c->n; i > 0; i--) {
        struct exchange *e = c->exchanges[i - 1];
        if (e->kind == EXCHANGE_SERVE && !is_settled(e) &&
            c->now_ms - e->begun_ms >= CONN_REQUEST_MS) {
            e->state = EXCHANGE_FAILED;
            e->why = "the request did not arrive in time";
            settle(c, e);
        }
    }
}

enum err conn_tick(struct conn *c, int64_t now_ms)
{
    c->now_ms = now_ms;
    if (now_ms < conn_next_ms(c)) {
        return ERR_NONE;
    }
    if (c->phase != PHASE_OPEN || yamux_is_ping_open(c->yamux)) {
        return ERR_ABSENT;
    }
    yamux_tidy(c->yamux, now_ms);
    end_slow_requests(c);
    ping(c);
    return ERR_NONE;
}

int64_t conn_next_ms(const struct conn *c)
{
    return c->phase == PHASE_OPEN ? alive_due_ms(c) : c->deadline_ms;
}

bool conn_is_open(const struct conn *c)
{
    return c->phase == PHASE_OPEN;
}

bool conn_is_going_away(const struct conn *c)
{
    return c->phase == PHASE_OPEN && yamux_is_going_away(c->yamux);
}

bool conn_can_call(const struct conn *c)
{
    return c->phase == PHASE_OPEN && !yamux_is_going_away(c->yamux) &&
           c->n_calls < NET_CONN_CALLS_MAX;
}

bool conn_call(struct conn *c, uint64_t id, struct str request)
{
    struct buf out;
    assert(conn_can_call(c));
    buf_init(&out, SMALL_MAX);
    struct exchange *e = exchange_add(c, EXCHANGE_CALL, id, &out);
    e->stream = yamux_open(c->yamux, e);
    bool is_sent = e->stream != 0 && yamux_write(c->yamux, e->stream, buf_str(&out)) == ERR_NONE &&
                   yamux_write(c->yamux, e->stream, request) == ERR_NONE;
    buf_release(&out);
    if (!is_sent) {
        yamux_reset(c->yamux, e->stream);
        exchange_take_out(c, e);
        exchange_free(e);
    }
    return is_sent;
}

void conn_cancel(struct conn *c, uint64_t id)
{
    struct exchange *e = exchange_find(c, EXCHANGE_CALL, id);
    if (e != NULL) {
        let_stream_go(c, e->stream, true);
        exchange_take_out(c, e);
        exchange_free(e);
    }
}

const struct exchange *conn_request(const struct conn *c, uint64_t request)
{
    return exchange_find(c, EXCHANGE_SERVE, request);
}

bool conn_answer(struct conn *c, uint64_t request, struct str head, struct str body)
{
    struct exchange *e = exchange_find(c, EXCHANGE_SERVE, request);
    if (e == NULL) {
        return false;
    }
    bool is_sent = yamux_write(c->yamux, e->stream, head) == ERR_NONE &&
                   yamux_write(c->yamux, e->stream, body) == ERR_NONE;
    let_stream_go(c, e->stream, !is_sent);
    exchange_take_out(c, e);
    exchange_free(e);
    return is_sent;
}

void conn_go_away(struct conn *c)
{
    if (c->phase == PHASE_OPEN) {
        yamux_go_away(c->yamux);
    }
}

size_t conn_exchange_count(const struct conn *c)
{
    return c->n;
}

int64_t conn_busy_ms(const struct conn *c)
{
    return c->busy_ms;
}

int64_t conn_rtt_ms(const struct conn *c)
{
    return c->phase == PHASE_OPEN ? yamux_rtt_ms(c->yamux) : -1;
}

size_t conn_queued(const struct conn *c)
{
    return c->phase == PHASE_OPEN ? yamux_queued(c->yamux) : 0;
}

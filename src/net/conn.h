/* One connection to a peer over a relayed byte stream:
 *
 *     multistream "/noise" -> Noise -> (multistream "/yamux/1.0.0") -> yamux -> exchanges
 *
 * The multiplexer is agreed on inside the handshake when both sides can. Bytes are fed in and
 * pulled out in chunks, so the relay's link decides when they leave. */
#ifndef NET_CONN_H
#define NET_CONN_H

#include "net/exchange.h"
#include "net/noise.h"

struct conn;

enum {
    CONN_OPEN_TIMEOUT_MS = 10 * 1000, /* from the start until yamux runs */
    CONN_PING_MS = 30 * 1000,
    CONN_BUSY_PING_MS = 5 * 1000, /* of silence while a request of ours waits for its answer */
    CONN_DEAD_MS = 10 * 1000,     /* of silence after a ping */
    CONN_REQUEST_MS = 120 * 1000, /* for a request to arrive; looked at with each ping */
};

/* Shared by all connections: working memory and what bodies take, bounded by NET_MEMORY_MAX. */
struct conn_pool {
    struct buf plain, out;
    size_t body_bytes;
    uint64_t next_request; /* ids of requests that peers make */
};

void conn_pool_init(struct conn_pool *pool);
void conn_pool_release(struct conn_pool *pool);

/* Called from conn_feed and conn_free. */
struct conn_calls {
    void *ctx;
    /* A whole request; e stays with the conn and waits for conn_answer. */
    void (*request)(void *ctx, struct conn *c, struct exchange *e);
    /* A call is over; e is the receiver's now, complete (EXCHANGE_DONE) or failed with its why. */
    void (*answered)(void *ctx, struct conn *c, struct exchange *e);
};

/* peer_key: who must be there. The keys are used up. */
struct conn *conn_new(bool is_dialer, const struct noise_keys *keys,
                      const uint8_t peer_key[SIGN_PUBLIC_SIZE], struct conn_pool *pool,
                      const struct conn_calls *calls, int64_t now_ms);
/* Fails the calls that are open, with this why. */
void conn_free(struct conn *c, const char *why);

/* On an error drop the connection: the peer broke a protocol, or is not who it must be. */
enum err conn_feed(struct conn *c, struct str bytes, int64_t now_ms) MUST_USE;
/* Appends the next chunk to out, at most LINK_CHUNK_MAX; false when there is nothing to say. */
bool conn_pull(struct conn *c, struct buf *out);
/* Pings. ERR_ABSENT: the peer is dead, or the handshake took too long. */
enum err conn_tick(struct conn *c, int64_t now_ms) MUST_USE;
int64_t conn_next_ms(const struct conn *c);

bool conn_is_open(const struct conn *c);
/* Open, not ending, and fewer than NET_CONN_CALLS_MAX calls on it. */
bool conn_can_call(const struct conn *c);
/* Sends a request. False: it cannot (then nothing is called back). */
bool conn_call(struct conn *c, uint64_t id, struct str request);
/* Gives a call up; answered is not called. */
void conn_cancel(struct conn *c, uint64_t id);
/* False: there is no such request any more. */
bool conn_answer(struct conn *c, uint64_t request, struct str head, struct str body);
const struct exchange *conn_request(const struct conn *c, uint64_t request); /* NULL: gone */

void conn_go_away(struct conn *c); /* says that we end; pull once more, then free */
bool conn_is_going_away(const struct conn *c);
size_t conn_exchange_count(const struct conn *c);
int64_t conn_busy_ms(const struct conn *c); /* when an exchange was last begun or ended */
int64_t conn_rtt_ms(const struct conn *c);  /* -1: not known */
size_t conn_queued(const struct conn *c);   /* bytes that wait to be pulled */

#endif

/* A client of the websocket-star relay over one websocket: joins under our address, hears who is
 * there, opens byte streams to peers. The relay sees all of it and is trusted with nothing.
 *
 *     wsstar_up -> OPEN? -> CONNECT? -> nonce? -> joined -> ... -> wsstar_down -> wsstar_up ...
 *
 * It says everything through `send`, in order. The engine.io ping runs on the interval that the
 * relay named. Back-off between two websockets is the caller's (net/relay.h). */
#ifndef NET_WSSTAR_H
#define NET_WSSTAR_H

#include "base/limits.h"
#include "crypto/sign.h"
#include "net/socketio.h"

enum {
    WSSTAR_DIAL_ID_MAX = 128,
    WSSTAR_DIAL_TIMEOUT_MS = 10 * 1000,
    WSSTAR_JOIN_TIMEOUT_MS = 20 * 1000, /* from the open websocket until we have joined */
};

struct wsstar;
struct wsstar_stream; /* lives until wsstar_end, or until `ended` or a failed `dialled` returns */

/* Called from wsstar_up, _message, _tick and _down. The stream functions may be called within. */
struct wsstar_calls {
    void *ctx;
    void (*random)(void *ctx, void *out, size_t n);
    void (*send)(void *ctx, struct str message, bool is_text);
    void (*joined)(void *ctx);
    /* A peer's address, canonical; again and again while it is there, or, when
     * wsstar_has_presence, once until peer_left. */
    void (*peer)(void *ctx, struct str address);
    void (*peer_left)(void *ctx, struct str address);
    /* A peer dials us. What is returned becomes the stream's user; NULL refuses. */
    void *(*incoming)(void *ctx, struct wsstar_stream *stream, struct str from);
    /* Our dial has its answer; why is absent when it succeeded. */
    void (*dialled)(void *ctx, void *user, struct str why);
    void (*data)(void *ctx, void *user, struct str bytes);
    /* The stream is over, both ways: the relay does not tell an end from a loss. */
    void (*ended)(void *ctx, void *user);
};

/* address: ours on this relay, canonical. Both copied. */
struct wsstar *wsstar_new(const struct sign_key *key, struct str address,
                          const struct wsstar_calls *calls);
void wsstar_free(struct wsstar *w); /* calls nothing back; NULL is allowed */

/* The websocket is open. */
void wsstar_up(struct wsstar *w, int64_t now_ms);
/* A message from the relay. On an error close the websocket and call wsstar_down; wsstar_why tells
 * what happened. */
enum err wsstar_message(struct wsstar *w, struct str message, bool is_text,
                        int64_t now_ms) MUST_USE;
/* The websocket is gone: all streams end. */
void wsstar_down(struct wsstar *w);
/* Pings and time-outs. ERR_ABSENT: the relay is silent, or did not let us join in time. */
enum err wsstar_tick(struct wsstar *w, int64_t now_ms) MUST_USE;
int64_t wsstar_next_ms(const struct wsstar *w); /* when to call it; -1: never */

bool wsstar_is_joined(const struct wsstar *w);
/* Whether this relay tells departures, and arrivals only once: ours does, npm's does not. */
bool wsstar_has_presence(const struct wsstar *w);
struct str wsstar_why(const struct wsstar *w); /* of the last error; borrowed until the next call */
struct str wsstar_address(const struct wsstar *w);

/* Dials an announced address, byte for byte as announced. NULL: not joined, or too many streams.
 * `dialled` follows within WSSTAR_DIAL_TIMEOUT_MS. */
struct wsstar_stream *wsstar_dial(struct wsstar *w, struct str to, void *user, int64_t now_ms);
/* True once the relay takes our bytes. */
bool wsstar_is_writable(const struct wsstar_stream *stream);
/* One chunk, at most LINK_CHUNK_MAX; two messages to `send`. Returns their bytes. */
size_t wsstar_write(struct wsstar_stream *stream, struct str chunk);
/* Ends and frees the stream; nothing more is called back for it. */
void wsstar_end(struct wsstar_stream *stream);

#endif

/* The peer-to-peer stack as one object: websocket messages of relays go in, HTTP requests and
 * answers of peers come out, each peer proven by its key.
 *
 *     websocket  ->  wsstar (relay signalling)  ->  conn (multistream, Noise, yamux)  ->  exchange
 *
 * Sans-I/O: time is an argument, randomness a callback, bytes leave through callbacks. Everything
 * here is memory only; after a restart peers are found and dialled anew.
 *
 * Order of calls: net_new, then net_tick once (it dials the relays), then inputs as they come and
 * net_tick at net_next_ms. `request`, `answer`, `peer_seen` and `peer_gone` are called at the end
 * of inputs and of net_tick, never from net_call or net_answer, so those two may be called from
 * within them. dial, send and close are called from any of the functions below. */
#ifndef NET_LINK_H
#define NET_LINK_H

#include "crypto/sign.h"
#include "http/message.h"

struct net;

/* All borrowed arguments are valid during the callback only. */
struct net_calls {
    void *ctx;
    void (*random)(void *ctx, void *out, size_t n);
    /* Open a websocket. link is ours and never used again; answer with net_link_up or
     * net_link_down. url: "ws://host:port/socket.io/?EIO=3&transport=websocket". */
    void (*dial)(void *ctx, uint64_t link, struct str url);
    void (*send)(void *ctx, uint64_t link, struct str message, bool is_text);
    /* Close it; no net_link_down is expected. */
    void (*close)(void *ctx, uint64_t link);
    /* A peer can be reached now: announced by a relay under an address not known before. Its
     * back-off may be forgotten. */
    void (*peer_seen)(void *ctx, struct str peer_id, struct str address);
    /* No relay announces it any more and no connection to it is open. */
    void (*peer_gone)(void *ctx, struct str peer_id);
    /* A peer's whole request. peer_id is proven by Noise. Answer with net_answer(stream). */
    void (*request)(void *ctx, uint64_t stream, struct str peer_id, const struct http_head *head,
                    struct str body);
    /* The answer to net_call(call), exactly once for each. status 0: it failed, why says so in a
     * few words, head is NULL and body empty. The peer may still have acted on the request. */
    void (*answer)(void *ctx, uint64_t call, int status, struct str why,
                   const struct http_head *head, struct str body);
};

/* Borrowed during net_new; copied. */
struct net_config {
    struct net_calls calls;
    struct sign_key identity; /* its peer id is our name */
    /* "ws://host:port" or "wss://host"; at most NET_RELAYS_MAX. What is no such URL is left out, so
     * whoever reads them from a person checks with addr_socket_url first. */
    struct strs relays;
};

struct net *net_new(const struct net_config *config);
void net_free(struct net *net); /* NULL is allowed; calls nothing back */

/* Our peer id, "12D3KooW...". Lives as long as net. */
struct str net_peer_id(const struct net *net);

/* --- inputs: the websockets that dial asked for; hs/hs.h says what they mean ----------------- */
/* A link that is not known (closed long ago) is ignored. */

void net_link_up(struct net *net, struct now now, uint64_t link);
void net_link_message(struct net *net, struct now now, uint64_t link, struct str message,
                      bool is_text);
void net_link_room(struct net *net, struct now now, uint64_t link, size_t room);
void net_link_down(struct net *net, struct now now, uint64_t link, struct str why);

/* Everything that is due: dials, pings, time-outs, back-off, expiry. */
void net_tick(struct net *net, struct now now);
/* The mono_ms at which net_tick wants to be called; -1: never. Changes with every call above and
 * below. */
int64_t net_next_ms(const struct net *net);

/* --- requests ------------------------------------------------------------------------------- */

/* Sends a whole HTTP/1.1 request (head with content-length and body; copied) to a peer, over the
 * connection there is or a new one. call is the caller's, unique among the open ones. The answer
 * is called by now.mono_ms + timeout_ms at the latest. */
void net_call(struct net *net, struct now now, struct str peer_id, uint64_t call,
              struct str request, int64_t timeout_ms);

/* Answers a request. headers: "name: value\r\n" lines without content-length and connection,
 * which are added; may be empty. Ignored when the stream has gone meanwhile. */
void net_answer(struct net *net, struct now now, uint64_t stream, int status, struct str headers,
                struct str body);

/* --- for the status page --------------------------------------------------------------------- */

enum net_relay_state {
    NET_RELAY_WAITING, /* for the next attempt */
    NET_RELAY_DIALLING,
    NET_RELAY_JOINING,
    NET_RELAY_JOINED,
};

struct net_relay_info {
    struct str url;     /* as configured */
    struct str address; /* ours there, a multiaddr */
    enum net_relay_state state;
    struct str why;   /* of the last failure; empty when joined */
    int64_t since_ms; /* mono_ms of the last change of state */
};

struct net_peer_info {
    struct str id;
    struct str address; /* where it was seen last; empty if only connected */
    bool connected;
    int64_t rtt_ms; /* of the last yamux ping; -1: not known */
};

size_t net_relay_count(const struct net *net);
struct net_relay_info net_relay_info(const struct net *net, size_t i);
const char *net_relay_state_name(enum net_relay_state state); /* "joined" */
size_t net_peer_count(const struct net *net);
struct net_peer_info net_peer_info(const struct net *net, size_t i);
bool net_is_peer_known(const struct net *net, struct str peer_id);

#endif

/* The relay as a machine without I/O: websocket messages and the time go in, frames, pauses and
 * closes come out. One thread; randomness and the socket are the host's.
 *
 *   relay_open, relay_message, relay_gone, relay_tick    inputs
 *   relay_changed                                        who has something for the host to do
 *   conn_first, conn_sent                                what to send to one of them
 *
 * The wire is docs' p2p-wire, sections 1 and 5.2: engine.io 3, socket.io 4, websocket-star. */
#ifndef RELAY_RELAY_H
#define RELAY_RELAY_H

#include "relay/frame.h"
#include "relay/limits.h"
#include "relay/log.h"
#include "relay/metrics.h"

struct relay;
struct ip;
struct conn; /* one websocket or session of long polling; lives until relay_gone */
struct polling;

enum { POLLING_SID_SIZE = 20 };

/* The relay's seam to the other relays of a cluster; all zero without one. */
struct relay_cluster {
    /* A client of ours took an address, or an address of ours is free again. */
    void (*moved)(void *arg, struct str address, int64_t stamp, bool is_here);
    /* A client of ours, at from, dials a site's address: gives a connection (remote_open) for the
     * listener's end, or NULL when there can be none. */
    struct conn *(*ring)(void *arg, struct now now, struct conn *site, struct str from,
                         struct str to, struct str id);
    void (*count)(const void *arg, struct metrics *metrics);
    void *arg;
    uint16_t salt; /* makes stamps of one relay differ from another's */
};

struct relay_config {
    bool has_challenge; /* joins prove their key */
    bool is_strict;     /* joined addresses have the form of address_is_strict */
    struct limits limits;
    struct log log;
    /* The seam for nonces and session ids. */
    void (*random)(void *arg, void *out, size_t n);
    void *random_arg;
    struct relay_cluster cluster;
};

struct relay *relay_new(const struct relay_config *config) MUST_USE;
/* Every connection must be gone. */
void relay_free(struct relay *relay);

/* --- inputs ------------------------------------------------------------------------------- */

/* A socket was accepted from ip, of which nothing is known yet. NULL: it has too many, close it. */
struct ip *relay_socket_open(struct relay *relay, struct str ip) MUST_USE;
void relay_socket_gone(struct relay *relay, struct ip *ip);
/* A websocket was opened from ip (any text that tells hosts apart); socket is the host's own word
 * for it. is_base64: the client asked for "b64=1". NULL: a limit says no, close it.
 * The two first messages are queued at once. */
struct conn *relay_open(struct relay *relay, struct now now, struct str ip, bool is_base64,
                        void *socket) MUST_USE;
/* The same for a session of long polling, which may become a websocket by conn_upgrade. sid: its
 * name, not terminated. */
struct conn *relay_open_polling(struct relay *relay, struct now now, struct str ip, bool is_base64,
                                char sid[POLLING_SID_SIZE], struct polling *polling) MUST_USE;
void conn_upgrade(struct relay *relay, struct conn *conn, void *socket, bool is_base64);
/* What came from it cannot be read: it ends. */
void relay_bad(struct relay *relay, struct conn *conn);
/* A whole message came: a sealed frame of at most RELAY_MESSAGE_MAX bytes. Takes the reference. */
void relay_message(struct relay *relay, struct now now, struct conn *conn, struct frame *message);
/* The socket is closed, for whatever reason; conn is freed. */
void relay_gone(struct relay *relay, struct now now, struct conn *conn);
/* Does what is due. Calling it early is harmless. */
void relay_tick(struct relay *relay, struct now now);
/* When to call relay_tick next (mono_ms). */
int64_t relay_due_ms(const struct relay *relay);

/* --- outputs ------------------------------------------------------------------------------ */

enum conn_closing {
    CONN_OPEN,
    CONN_CLOSING, /* send what is queued, then a Close frame without a code, then end */
    CONN_KILLED,  /* end at once */
};

/* The next connection whose queue, pause or closing changed since it was returned last; NULL: none.
 * Call until NULL after every input. */
struct conn *relay_changed(struct relay *relay);
void *conn_socket(const struct conn *conn);
struct polling *conn_polling(const struct conn *conn); /* NULL: it is a websocket */
/* Do not read from it, until this is false again. */
bool conn_is_paused(const struct conn *conn);
enum conn_closing conn_closing(const struct conn *conn);
/* The frame to send next, borrowed; NULL: nothing to send. */
struct frame *conn_first(const struct conn *conn);
/* The first frame is sent, or in the socket's buffers; it is forgotten. */
void conn_sent(struct relay *relay, struct conn *conn);

/* --- looking in --------------------------------------------------------------------------- */

/* The host counts what it alone sees. */
void relay_count(struct relay *relay, enum metric which);
/* Gauges brought up to date. */
const struct metrics *relay_metrics(struct relay *relay);

#endif

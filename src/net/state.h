/* What struct net is made of; private to link.c, line.c, call.c and event.c.
 *
 *     relay (websocket) 1 --- n line (relayed stream, conn) n --- 1 peer 1 --- n call
 *
 * Nothing here calls the user back while it works: what the user shall hear is queued as events
 * and told by events_tell when all is at rest, so the user may call in again from there. */
#ifndef NET_STATE_H
#define NET_STATE_H

#include "net/conn.h"
#include "net/link.h"
#include "net/peers.h"
#include "net/relay.h"

/* A way to a peer: dialling (no conn yet), shaking hands, or open. */
struct line {
    struct net *net;
    struct relay *relay;
    struct wsstar_stream *stream;
    struct conn *conn; /* NULL: the relay has not answered our dial */
    struct peer *peer;
    bool is_dialer, was_open;
    bool is_gone; /* to be swept */
};

struct call {
    uint64_t id;
    struct peer *peer;
    struct buf request; /* released when it is on a line, unless it may be said again */
    bool is_repeatable; /* asks only, and was not said twice yet */
    int64_t begun_ms, deadline_ms;
    int64_t again_ms;  /* not dialled for before: its line was lost, and the peer may come back */
    struct line *line; /* NULL: it waits */
};

enum event_kind {
    EVENT_SEEN,
    EVENT_GONE,
    EVENT_REQUEST,
    EVENT_ANSWER,
};

struct event {
    struct event *next;
    enum event_kind kind;
    uint64_t id;               /* of the request or call */
    char peer[ADDR_ID_SIZE];   /* of SEEN, GONE, REQUEST */
    struct buf text;           /* address of SEEN, why of ANSWER */
    struct exchange *exchange; /* of a good ANSWER */
};

struct net {
    struct relay_owner self; /* our name, key and callbacks */
    struct arena *own;       /* lives as long as net */
    int64_t now_ms;          /* of the input at hand */
    struct relay relays[NET_RELAYS_MAX];
    size_t n_relays;
    struct peers peers;
    struct line **lines;
    size_t n_lines, cap_lines, line_turn; /* line_turn: who sends first */
    int64_t shakes_ms;                    /* of base/rate.h: handshakes that others began */
    struct call **waiting;                /* all open calls, in order */
    size_t n_waiting, cap_waiting;
    struct event *first_event, *last_event;
    size_t n_events;
    struct conn_pool pool;
    struct buf chunk;
    bool is_settling;
    bool must_dispatch;   /* something changed that calls wait for */
    bool must_check_gone; /* a peer may have lost its last place or line */
};

/* --- line.c --- */
extern const struct wsstar_calls line_star_calls; /* what relays' streams call */
/* Dials the peer's next untried place. False: there is none, or no room for a line. */
bool line_dial(struct net *net, struct peer *peer);
/* The best open line that takes a call; NULL: none. */
struct line *line_best(const struct net *net, const struct peer *peer);
bool line_is_pending(const struct net *net, const struct peer *peer); /* one is being made */
bool line_is_open_to(const struct net *net, const struct peer *peer);
void line_close(struct line *line, const char *why);
void lines_pump(struct net *net); /* sends what the links have room for */
void lines_tick(struct net *net);
int64_t lines_next_ms(const struct net *net);
void lines_sweep(struct net *net);

/* --- call.c --- */
void call_add(struct net *net, struct str peer_id, uint64_t id, struct str request,
              int64_t timeout_ms);
/* A line has the answer, or lost it. Takes the exchange. */
void call_answered(struct net *net, struct exchange *e);
void calls_dispatch(struct net *net);
void calls_tick(struct net *net);
int64_t calls_next_ms(const struct net *net);
void calls_release(struct net *net);
size_t net_memory(const struct net *net); /* bodies held and queued */

/* --- event.c --- */
void event_seen(struct net *net, const struct peer *peer, struct str address);
void event_gone(struct net *net, const struct peer *peer);
void event_request(struct net *net, const struct peer *peer, uint64_t id);
/* e: complete, or NULL with the reason. Takes the exchange. */
void event_answer(struct net *net, uint64_t id, struct exchange *e, struct str why);
/* Tells the user what is queued now; false when there was nothing. */
bool events_tell(struct net *net);
void events_release(struct net *net);

#endif

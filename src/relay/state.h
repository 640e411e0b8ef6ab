/* What the files of the relay itself share; no one else includes it. */
#ifndef RELAY_STATE_H
#define RELAY_STATE_H

#include "base/map.h"
#include "relay/relay.h"
#include "json/json.h"

#include <sys/queue.h>

enum { NONCE_SIZE = 72 }; /* two UUIDs as text */

/* One direction of a stream. "from" sends chunks, "to" receives them; NULL once it is gone. */
struct half {
    struct stream *stream;
    struct conn *from, *to;
    bool is_accepted; /* by "to" */
    bool is_ended;    /* nothing more is taken from "from" */
    bool is_blocked;  /* "from" is paused because of this half */
    int64_t blocked_ms;
    struct queue waiting; /* before it is accepted */
    TAILQ_ENTRY(half) blocked;
};

enum side { SIDE_DIALER, SIDE_LISTENER }; /* who sends in a half: ".dialer", ".listener" */

struct stream {
    struct str id;
    struct conn *ends[2];  /* by side; NULL once gone */
    struct half halves[2]; /* by side of the sender */
    bool is_ringing;       /* the listener has not answered */
    uint64_t listener_ack; /* the id of our question to the listener */
    struct str dialer_ack; /* the id of the dialer's question to us */
    int64_t deadline_ms;   /* while ringing */
    TAILQ_ENTRY(stream) ringing;
};

struct address {
    struct str text; /* canonical */
    struct conn *owner;
    int64_t stamp;              /* when the owner took it; the later one of two has it */
    bool is_marked;             /* by remote_unmark and its owner's remote_join */
    struct frame *announcement; /* NULL: has no peer id that npm's clients could read */
    bool is_told;               /* those with presence know of it, or are told now */
    size_t index;               /* in relay.list */
    size_t turn;                /* whom the next round begins with */
    int64_t due_ms;
    TAILQ_ENTRY(address) due;
    TAILQ_ENTRY(address) owned;
};

/* A nonce given to a connection for an address. It stays good for the connection's life, since
 * npm's client joins again with the signature it has. */
struct challenge {
    struct str address;
    struct str key; /* the encoded public key */
    char nonce[NONCE_SIZE];
    int64_t failures;
    TAILQ_ENTRY(challenge) next;
};

/* A binary event whose attachments are still to come. */
struct pending {
    unsigned n, n_have;    /* attachments; n is 0 when nothing is pending */
    unsigned wanted;       /* the one that is the chunk; n for none */
    struct frame *header;  /* may be passed on as it came; NULL: make one */
    struct str name;       /* heap; the stream half's id; absent: the event is of no interest */
    struct frame *chunk;   /* what was wanted */
    struct str refuse_ack; /* heap; of a binary ack; absent: none */
};

TAILQ_HEAD(half_list, half);
TAILQ_HEAD(stream_list, stream);
TAILQ_HEAD(address_list, address);
TAILQ_HEAD(challenge_list, challenge);
TAILQ_HEAD(conn_list, conn);

struct conn {
    void *socket;            /* of its websocket, or the cluster's word */
    struct polling *polling; /* NULL: it is a websocket */
    struct ip *ip;           /* NULL: it is remote */
    struct queue out;
    enum conn_closing closing;
    bool is_base64;
    bool is_remote; /* has no socket, but a word of the cluster's */
    bool has_left;  /* said socket.io's DISCONNECT: its events are ignored */
    bool is_changed;
    size_t n_paused_by; /* halves of ours that are blocked */
    size_t n_ringing;   /* dials by us or to us that nobody answered yet */
    size_t n_addresses;
    size_t n_challenges;
    size_t unaccepted_bytes; /* waiting in halves towards us */
    int64_t heard_ms, noop_ms;
    int64_t joins_ms; /* of base/rate.h */
    uint64_t next_ack;
    struct pending pending;
    struct map streams;       /* dial id to struct stream, in either role */
    struct half_list blocked; /* halves towards us whose senders are paused, oldest first */
    struct address_list addresses;
    struct challenge_list challenges;
    bool has_presence; /* is told of arrivals and departures, once */
    TAILQ_ENTRY(conn) all, changed, listening;
};

/* How many connections an address of the network has, and how many sockets. */
struct ip {
    struct str text;
    size_t n, n_sockets;
};

struct relay {
    struct relay_config config;
    struct metrics metrics;
    struct arena *scratch; /* cleared after each input */
    struct conn_list conns, changed;
    size_t n_conns, n_streams, n_sockets; /* n_conns: those that are not remote */
    struct map ips;                       /* text to struct ip */
    struct map addresses;                 /* canonical text to struct address */
    struct address **list;                /* first those whose owners are told by repetition */
    size_t n_list, n_plain, cap_list;
    size_t n_here;              /* of n_list, those of our own clients */
    struct conn_list listeners; /* those with presence */
    size_t n_listeners;
    struct map moved;           /* addresses that came or went, not told yet; text to itself */
    struct frame *telling;      /* what the listeners are being told; NULL: nothing */
    struct conn *told_next;     /* whom next */
    int64_t tell_ms;            /* when */
    struct address_list due;    /* soonest first */
    struct stream_list ringing; /* soonest deadline first */
    int64_t scan_ms;
};

/* Counts that a limit said no. */
#define LIMIT_HIT(relay, field) metrics_hit(&(relay)->metrics, offsetof(struct limits, field))

/* --- relay.c ------------------------------------------------------------------------------ */

struct str heap_str(struct str s); /* a copy for base_free((void *)p) by heap_free */
void heap_free(struct str s);
void *heap_of(struct str copy); /* its memory */

/* --- conn.c ------------------------------------------------------------------------------- */

/* In the list of all, not greeted. ip: counted there; NULL: it is remote. */
struct conn *conn_make(struct relay *relay, struct now now, struct ip *ip) MUST_USE;
/* Queues a frame and keeps its own reference; the caller's stays. Too much kills the connection. */
void conn_send(struct relay *relay, struct conn *conn, struct frame *f);
/* The same for a frame just made, whose one reference ends here. */
void conn_send_new(struct relay *relay, struct conn *conn, struct frame *f);
void conn_touch(struct relay *relay, struct conn *conn); /* puts it among the changed */
void conn_close(struct relay *relay, struct conn *conn, enum conn_closing how);

/* --- message.c ---------------------------------------------------------------------------- */

/* Drops the binary event whose attachments are still to come. */
void message_forget(struct conn *conn);

/* --- star.c: ss-join, ss-leave, ss-dial --------------------------------------------------- */

/* The event [name, args...] with its ack id (absent: none). */
void star_event(struct relay *relay, struct now now, struct conn *conn, struct str name,
                const struct json *event, struct str ack);
/* conn has the canonical address from now on, whoever had it, and those who are here are told. */
struct address *address_take(struct relay *relay, struct now now, struct conn *conn,
                             struct str text, int64_t stamp);
void address_drop(struct relay *relay, struct address *address);
/* Answers an ss-dial with a failure. */
void star_refuse_dial(struct relay *relay, struct conn *conn, struct str ack, const char *why);
/* Its addresses are free, its nonces forgotten. */
void star_gone(struct relay *relay, struct conn *conn);
void star_tick(struct relay *relay, struct now now);
void star_free(struct relay *relay);

/* --- roster.c: arrivals and departures, told once --------------------------------------- */

/* conn wants them from here on. */
void roster_on(struct relay *relay, struct conn *conn);
void roster_gone(struct relay *relay, struct conn *conn);
/* An address came, or went: then relay.addresses has it no longer. */
void roster_came(struct relay *relay, struct address *address);
void roster_went(struct relay *relay, const struct address *address);
void roster_tick(struct relay *relay, struct now now);
int64_t roster_due_ms(const struct relay *relay);
void roster_free(struct relay *relay);

/* --- stream.c: dials and their two halves ------------------------------------------------- */

/* An ss-dial whose rights are checked. */
struct dial {
    struct conn *dialer, *listener;
    struct str from; /* the dialer's address */
    struct str id;
    struct str ack; /* of the dialer's question */
};

/* Begins it, or answers the dialer when a limit says no. */
void stream_dial(struct relay *relay, struct now now, const struct dial *dial);
/* The listener's answer to our question number ack; NULL or false: it takes the call. */
void stream_answer(struct relay *relay, struct conn *listener, struct str ack,
                   const struct json *refusal);
/* "name" below is a half's id: the dial id and ".dialer" or ".listener". */
void stream_accept(struct relay *relay, struct conn *conn, struct str name);
/* A chunk, its header as it came or NULL. Takes no reference. */
void stream_chunk(struct relay *relay, struct now now, struct conn *conn, struct str name,
                  struct frame *header, struct frame *chunk);
/* The sender's end, error being the frame to pass on. Takes no reference. */
void stream_end(struct relay *relay, struct conn *conn, struct str name, struct frame *error);
/* Whether conn may send in that half: saves the rest of the work for strangers. */
bool stream_is_sender(const struct conn *conn, struct str name);
/* All streams of conn end. is_told: conn still hears what ends for it (it only said goodbye). */
void stream_gone(struct relay *relay, struct conn *conn, bool is_told);
/* Frames left conn's queue: perhaps its senders may go on. */
void stream_drained(struct relay *relay, struct conn *conn);
/* Ends what has stalled too long at this receiver. */
void stream_scan(struct relay *relay, struct now now, struct conn *conn);
void stream_tick(struct relay *relay, struct now now);

#endif

/* One configured relay: its websocket comes, goes and is dialled again with back-off; while it is
 * open a wsstar speaks over it. */
#ifndef NET_RELAY_H
#define NET_RELAY_H

#include "net/link.h"
#include "net/wsstar.h"

enum {
    RELAY_ROOM = 1024 * 1024, /* of a new link, hs/hs.h */
    RELAY_DIAL_TIMEOUT_MS = 20 * 1000,
    RELAY_BACKOFF_MIN_MS = 1000,
    RELAY_BACKOFF_MAX_MS = 5000,
};

struct relay {
    struct str url, socket_url; /* in the net's arena */
    struct wsstar *star;
    enum net_relay_state state;
    uint64_t link;       /* 0: none */
    size_t room;         /* bytes that the link takes now */
    int64_t deadline_ms; /* of the dial, or the time of the next */
    int64_t since_ms;    /* of the state */
    unsigned failures;   /* in a row */
    struct buf why;
    const struct net_calls *calls;
    uint64_t *next_link;
    void *owner; /* the net */
};

/* star_calls: `send` and `random` are filled in here, ctx is the relay. ERR_SYNTAX: not a URL.
 * The arena must outlive the relay. */
enum err relay_init(struct relay *r, struct arena *a, struct str url, const struct sign_key *key,
                    struct str peer_id, const struct net_calls *calls,
                    const struct wsstar_calls *star_calls) MUST_USE;
void relay_release(struct relay *r);

void relay_up(struct relay *r, int64_t now_ms);
void relay_message(struct relay *r, struct str message, bool is_text, int64_t now_ms);
/* The websocket ended by itself. */
void relay_down(struct relay *r, struct str why, int64_t now_ms);
void relay_tick(struct relay *r, int64_t now_ms);
int64_t relay_next_ms(const struct relay *r);
/* To be called by `joined`. */
void relay_joined(struct relay *r, int64_t now_ms);

#endif

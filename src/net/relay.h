/* One configured relay: its websocket comes, goes and is dialled again with back-off; while it is
 * open a wsstar speaks over it. */
#ifndef NET_RELAY_H
#define NET_RELAY_H

#include "net/link.h"
#include "net/wsstar.h"

enum {
    RELAY_ROOM = 1024 * 1024, /* of a new link, hs/hs.h */
    RELAY_DIAL_TIMEOUT_MS = 20 * 1000,
    RELAY_BACKOFF_MIN_MS = 250,
    RELAY_BACKOFF_MAX_MS = 1900, /* within 2 s of a relay's restart we dial it */
};

/* What all relays of a net have in common; must outlive them. */
struct relay_owner {
    struct sign_key key;
    struct str peer_id;
    struct net_calls calls;
    /* What streams call; ctx becomes the relay, `send` and `random` are filled in by relay_init. */
    struct wsstar_calls star_calls;
    uint64_t next_link;
    struct net *net;
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
    struct relay_owner *owner;
};

/* ERR_SYNTAX: not a URL. Texts are kept in the arena, which must outlive the relay. */
enum err relay_init(struct relay *r, struct arena *a, struct str url,
                    struct relay_owner *owner) MUST_USE;
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

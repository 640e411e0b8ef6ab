/* Who is there: peers as relays announce them, each under some addresses, forgotten when they are
 * no longer announced. npm's relay repeats announcements and tells no departures, so there a peer
 * is gone PEERS_EXPIRE_MS after it was heard of last; ours tells both once. A relay that is gone
 * takes what it announced along. */
#ifndef NET_PEERS_H
#define NET_PEERS_H

#include "base/map.h"
#include "net/addr.h"

enum {
    PEERS_EXPIRE_MS = 35 * 1000,
    PEERS_PLACES_MAX = 4, /* addresses kept of one peer, the newest */
    PEERS_WHY_MAX = 96,
};

struct peer_place {
    size_t relay; /* which announces it */
    struct buf address;
    int64_t seen_ms;
    bool lasts;    /* until its relay says otherwise */
    bool is_tried; /* in the current round of dials */
};

struct peer {
    char id[ADDR_ID_SIZE];
    uint8_t key[SIGN_PUBLIC_SIZE];
    struct peer_place places[PEERS_PLACES_MAX]; /* in order of arrival */
    size_t n_places;
    bool is_told;            /* that it is there; the user awaits to be told when not */
    char why[PEERS_WHY_MAX]; /* the last dial failed; NUL-terminated */
    int64_t shakes_ms;       /* of base/rate.h: handshakes that it began */
    unsigned refs;           /* by what the caller hangs on it; an entry in use is not freed */
};

struct peers {
    struct map map;
    size_t n_told;
    int64_t next_ms; /* nothing expires before; INT64_MAX: nothing at all */
};

void peers_init(struct peers *p);
void peers_release(struct peers *p);

/* An announcement, canonical. *is_new: the address was not known. NULL: too many peers, or not an
 * ed25519 id. */
struct peer *peers_seen(struct peers *p, struct str address, size_t relay, int64_t now_ms,
                        bool *is_new);
/* That address is not repeated: it stays until peers_left. peer NULL: nothing happens. */
void peers_last(struct peer *peer, struct str address, size_t relay);
/* A relay says that the address is gone. */
void peers_left(struct peers *p, struct str address, size_t relay);
struct peer *peers_get(const struct peers *p, struct str id); /* NULL: not known */
/* The entry of a peer that may never have been announced. NULL: not an ed25519 id. */
struct peer *peers_want(struct peers *p, struct str id);
struct str peers_id(const struct peer *peer);
/* The place to dial next, by the order of the relays, then newest first; NULL: all were tried. */
struct peer_place *peers_untried(struct peer *peer);
/* Begins a new round; forgets the last failure. */
void peers_retry(struct peer *peer);
void peers_set_why(struct peer *peer, struct str why); /* cut where too long, made plain ASCII */

/* Drops what was announced too long ago, or by a relay that is gone. */
void peers_expire(struct peers *p, int64_t now_ms);
void peers_drop_relay(struct peers *p, size_t relay);
/* Frees entries that nobody refers to, that have no place and of which the user knows nothing. */
void peers_sweep(struct peers *p);

#endif

/* The table of peers. */
#include "net/peers.h"

#include <string.h>

void peers_init(struct peers *p)
{
    map_init(&p->map);
    p->n_told = 0;
    p->next_ms = INT64_MAX;
}

static void peer_free(struct peer *peer)
{
    for (size_t i = 0; i < PEERS_PLACES_MAX; i++) {
        buf_release(&peer->places[i].address);
    }
    base_free(peer);
}

void peers_release(struct peers *p)
{
    for (struct map_entry *e = map_next(&p->map, NULL); e != NULL; e = map_next(&p->map, e)) {
        peer_free(e->value);
    }
    map_release(&p->map);
}

struct str peers_id(const struct peer *peer)
{
    return str_make(peer->id, ADDR_ID_SIZE);
}

struct peer *peers_get(const struct peers *p, struct str id)
{
    return map_get(&p->map, id);
}

struct peer *peers_want(struct peers *p, struct str id)
{
    uint8_t key[SIGN_PUBLIC_SIZE];
    struct peer *peer = peers_get(p, id);
    if (peer != NULL || addr_id_parse(id, key) != ERR_NONE) {
        return peer;
    }
    peer = base_alloc(sizeof(*peer));
    memcpy(peer->id, id.p, ADDR_ID_SIZE);
    memcpy(peer->key, key, sizeof(key));
    for (size_t i = 0; i < PEERS_PLACES_MAX; i++) {
        buf_init(&peer->places[i].address, ADDRESS_MAX);
    }
    map_put(&p->map, peers_id(peer), peer);
    return peer;
}

static void place_drop(struct peer *peer, size_t at)
{
    struct peer_place old = peer->places[at];
    memmove(&peer->places[at], &peer->places[at + 1],
            (peer->n_places - at - 1) * sizeof(peer->places[0]));
    peer->n_places--;
    buf_clear(&old.address);
    peer->places[peer->n_places] = old; /* its memory is used again */
}

static struct peer_place *place_find(struct peer *peer, struct str address, size_t relay)
{
    for (size_t i = 0; i < peer->n_places; i++) {
        if (peer->places[i].relay == relay && str_eq(buf_str(&peer->places[i].address), address)) {
            return &peer->places[i];
        }
    }
    return NULL;
}

static size_t oldest_place(const struct peer *peer)
{
    size_t oldest = 0;
    for (size_t i = 1; i < peer->n_places; i++) {
        if (peer->places[i].seen_ms < peer->places[oldest].seen_ms) {
            oldest = i;
        }
    }
    return oldest;
}

struct peer *peers_seen(struct peers *p, struct str address, size_t relay, int64_t now_ms,
                        bool *is_new)
{
    struct str id = addr_peer(address);
    struct peer *peer = peers_get(p, id);
    *is_new = false;
    if (peer == NULL && map_count(&p->map) < PEERS_MAX) {
        peer = peers_want(p, id);
    }
    if (peer == NULL) {
        return NULL;
    }
    struct peer_place *place = place_find(peer, address, relay);
    if (place == NULL) {
        if (peer->n_places == PEERS_PLACES_MAX) {
            place_drop(peer, oldest_place(peer));
        }
        place = &peer->places[peer->n_places];
        peer->n_places++;
        place->relay = relay;
        place->is_tried = false;
        place->lasts = false;
        buf_clear(&place->address);
        buf_add(&place->address, address);
        *is_new = true;
    }
    place->seen_ms = now_ms;
    if (p->next_ms > now_ms + PEERS_EXPIRE_MS) {
        p->next_ms = now_ms + PEERS_EXPIRE_MS;
    }
    return peer;
}

void peers_last(struct peer *peer, struct str address, size_t relay)
{
    struct peer_place *place = peer == NULL ? NULL : place_find(peer, address, relay);
    if (place != NULL) {
        place->lasts = true;
    }
}

void peers_left(struct peers *p, struct str address, size_t relay)
{
    struct peer *peer = peers_get(p, addr_peer(address));
    struct peer_place *place = peer == NULL ? NULL : place_find(peer, address, relay);
    if (place != NULL) {
        place_drop(peer, (size_t)(place - peer->places));
    }
}

static bool is_better(const struct peer_place *place, const struct peer_place *other)
{
    return place->relay != other->relay ? place->relay < other->relay
                                        : place->seen_ms > other->seen_ms;
}

struct peer_place *peers_untried(struct peer *peer)
{
    struct peer_place *best = NULL;
    for (size_t i = 0; i < peer->n_places; i++) {
        struct peer_place *place = &peer->places[i];
        if (!place->is_tried && (best == NULL || is_better(place, best))) {
            best = place;
        }
    }
    return best;
}

void peers_set_why(struct peer *peer, struct str why)
{
    size_t n = why.n < PEERS_WHY_MAX - 1 ? why.n : PEERS_WHY_MAX - 1;
    for (size_t i = 0; i < n; i++) {
        peer->why[i] = why.p[i] >= ' ' && why.p[i] <= '~' ? why.p[i] : '?';
    }
    peer->why[n] = 0;
}

void peers_retry(struct peer *peer)
{
    peer->why[0] = 0;
    for (size_t i = 0; i < peer->n_places; i++) {
        peer->places[i].is_tried = false;
    }
}

void peers_expire(struct peers *p, int64_t now_ms)
{
    if (now_ms < p->next_ms) {
        return;
    }
    p->next_ms = INT64_MAX;
    for (struct map_entry *e = map_next(&p->map, NULL); e != NULL; e = map_next(&p->map, e)) {
        struct peer *peer = e->value;
        for (size_t i = peer->n_places; i > 0; i--) {
            int64_t end = peer->places[i - 1].seen_ms + PEERS_EXPIRE_MS;
            if (peer->places[i - 1].lasts) {
                continue;
            }
            if (now_ms >= end) {
                place_drop(peer, i - 1);
            } else if (end < p->next_ms) {
                p->next_ms = end;
            }
        }
    }
}

void peers_drop_relay(struct peers *p, size_t relay)
{
    for (struct map_entry *e = map_next(&p->map, NULL); e != NULL; e = map_next(&p->map, e)) {
        struct peer *peer = e->value;
        for (size_t i = peer->n_places; i > 0; i--) {
            if (peer->places[i - 1].relay == relay) {
                place_drop(peer, i - 1);
            }
        }
    }
}

void peers_sweep(struct peers *p)
{
    for (struct map_entry *e = map_next(&p->map, NULL); e != NULL; e = map_next(&p->map, e)) {
        struct peer *peer = e->value;
        if (peer->refs == 0 && peer->n_places == 0 && !peer->is_told) {
            map_remove(&p->map, peers_id(peer));
            peer_free(peer);
        }
    }
}

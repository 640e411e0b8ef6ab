/* What cluster.c and call.c share; no one else includes it. */
#ifndef RELAY_SITE_H
#define RELAY_SITE_H

#include "base/map.h"
#include "relay/cluster.h"
#include "relay/remote.h"

enum { CALL_KEY_SIZE = 1 + sizeof(uint64_t) };

/* The word of a connection that is remote: a site or a call, which begin with it. */
struct remote {
    bool is_call;
};

/* Another relay. */
struct site {
    struct remote remote;
    struct cluster *cluster;
    char id[SITE_ID_SIZE];
    struct conn *conn;    /* owns its addresses; hears and says nothing */
    struct map calls;     /* key to struct call */
    uint64_t said, heard; /* sequence of the last word from us to it, from it to us */
    uint64_t revision;    /* of its addresses, as far as we know them */
    bool is_known;        /* revision counts */
    bool is_listing;      /* its roster has begun, and nothing of it is lost so far */
    int64_t heard_ms, asked_ms;
};

/* One of its clients and one of ours. Its connection stands for the client there. */
struct call {
    struct remote remote;
    struct site *site;
    struct conn *conn;
    bool is_ours; /* our client dialled, and the number is ours */
    uint64_t number;
    char key[CALL_KEY_SIZE];
    struct str dial;  /* heap; the texts of our client's, until they are said */
    size_t under_way; /* bytes said, not granted yet */
    size_t to_be_granted;
};

struct cluster {
    struct cluster_config config;
    struct relay *relay;
    struct map sites;     /* id to struct site */
    uint64_t revision;    /* changes of our addresses */
    uint64_t next_number; /* of a call */
    size_t n_calls;
    int64_t hello_ms;
    struct buf out;
};

/* To one site, counted. */
void site_say(struct site *site, struct bus_message message);

/* relay_cluster.ring */
struct conn *call_ring(void *arg, struct now now, struct conn *site, struct str from, struct str to,
                       struct str id);
/* A word about a call. */
void call_hear(struct site *site, struct now now, const struct bus_message *message);
void call_settle(struct call *call, struct now now);
/* All calls with the site are over; it is not told. */
void call_end_all(struct site *site, struct now now);

#endif

/* Several relays that are one: what a relay tells the others and hears from them. A machine without
 * I/O, as the relay is; a bus (NATS) carries its messages, see bus.h.
 *
 *   Addresses  Each relay says its own: every change once, numbered, and the number of the last one
 *              each second. Who missed one asks for all. Silence of five seconds is a departure.
 *              An address that two relays have is the later joiner's, by its stamp.
 *   Calls      A dial to another relay's address becomes a call: one connection without a socket at
 *              each end, and what a websocket would carry goes between them as it is. A call has at
 *              most CLUSTER_WINDOW bytes under way; the rest waits at the sender's relay, whose
 *              sender is paused as if its receiver were here.
 *   Losses     The bus may lose. Words from one relay to another are counted; a gap ends their
 *              calls, as the loss of a relay would. Clients dial again. */
#ifndef RELAY_CLUSTER_H
#define RELAY_CLUSTER_H

#include "relay/bus.h"
#include "relay/relay.h"

enum {
    CLUSTER_HELLO_MS = 1000,
    CLUSTER_SILENT_MS = 5000,
    CLUSTER_WINDOW = 64 * 1024, /* bytes of a call's frames that no grant has come for */
    CLUSTER_SITES_MAX = 1000,
    CLUSTER_CALLS_MAX = 100000, /* with one site */
};

struct cluster;

struct cluster_config {
    char id[SITE_ID_SIZE]; /* random: a relay that starts again is another one */
    /* Sends to one relay (SITE_ID_SIZE bytes), or to all (absent). */
    void (*publish)(void *arg, struct str site, struct str bytes);
    void *arg;
};

/* Fills config->cluster: make the relay with it. The relay comes by cluster_start. */
struct cluster *cluster_new(const struct cluster_config *config,
                            struct relay_config *relay_config) MUST_USE;
void cluster_start(struct cluster *cluster, struct now now, struct relay *relay);
/* Says goodbye; no connection of the cluster's is left in the relay. */
void cluster_end(struct cluster *cluster, struct now now);
void cluster_free(struct cluster *cluster);

/* A message of the bus. What cannot be read is dropped. */
void cluster_hear(struct cluster *cluster, struct now now, struct str bytes);
/* The bus is gone, or there again: what was said meanwhile is lost. */
void cluster_lost(struct cluster *cluster, struct now now);
/* A connection for which conn_is_remote, from relay_changed; it may end by this. */
void cluster_settle(struct now now, struct conn *conn);
/* Does what is due, at least every CLUSTER_HELLO_MS. */
void cluster_tick(struct cluster *cluster, struct now now);

struct str cluster_id(const struct cluster *cluster); /* SITE_ID_SIZE bytes */
size_t cluster_sites(const struct cluster *cluster);
size_t cluster_calls(const struct cluster *cluster);

#endif

/* Clients of other relays, as the relay sees them: addresses that belong to a site, and one
 * connection without a socket for each call that crosses. cluster.c is behind them.
 *
 *   client --- relay --- [call's connection] ~~~ cluster ~~~ [call's connection] --- relay ---
 * client
 *
 * A call's connection hears and says what the client at the other relay would. */
#ifndef RELAY_REMOTE_H
#define RELAY_REMOTE_H

#include "relay/relay.h"

/* A connection without limits, greeting or timers; word is the cluster's. Ends by relay_gone. */
struct conn *remote_open(struct relay *relay, struct now now, void *word) MUST_USE;
bool conn_is_remote(const struct conn *conn);
/* Streams it has, ringing ones included. */
size_t conn_streams(const struct conn *conn);

/* A site has the address from now on, unless someone had it at a later stamp. */
void remote_join(struct relay *relay, struct now now, struct conn *site, struct str address,
                 int64_t stamp);
/* It has it no longer, if it had. */
void remote_leave(struct relay *relay, struct conn *site, struct str address);
/* Forgets what a site joined before remote_unmark and not since. */
void remote_unmark(struct conn *site);
void remote_sweep(struct relay *relay, struct conn *site);

/* The call's connection dials as ss-dial does, its ack id being 0. */
void remote_dial(struct relay *relay, struct now now, struct conn *call, struct str from,
                 struct str to, struct str id);

/* Every address of our own clients. */
void remote_each_here(const struct relay *relay,
                      void (*fn)(void *arg, struct str address, int64_t stamp), void *arg);

#endif

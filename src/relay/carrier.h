/* The bus of a cluster on NATS. What other relays say arrives on a thread of its library; it is
 * kept there and handed over in the relay's thread. */
#ifndef RELAY_CARRIER_H
#define RELAY_CARRIER_H

#include "base/buf.h"

struct carrier;

struct carrier_calls {
    /* From a foreign thread: call carrier_deliver soon. */
    void (*wake)(void *arg);
    /* From carrier_deliver. */
    void (*hear)(void *arg, struct str bytes);
    void (*lost)(void *arg);
    void *arg;
};

/* Connects to nats://[user:password@]host[:port], and goes on trying while there is nothing. own:
 * the relay's id. NULL: the address cannot be used. */
struct carrier *carrier_open(const char *url, struct str own,
                             const struct carrier_calls *calls) MUST_USE;
/* To one relay, or to all (absent); never waits. Lost while there is no connection. */
void carrier_publish(struct carrier *carrier, struct str site, struct str bytes);
void carrier_deliver(struct carrier *carrier);
/* What was published has left, or is lost: after half a second, or some when NATS hangs. No call
 * comes from here on. */
void carrier_close(struct carrier *carrier);

#endif

/* Addresses of clients: multiaddr texts (p2p-wire: the relay uses them as opaque keys, in one
 * spelling). */
#ifndef RELAY_ADDRESS_H
#define RELAY_ADDRESS_H

#include "base/arena.h"

/* The arena is for scratch where nothing else is said. */

/* True if the text parses as a multiaddr, as the npm relay's library has it. "" does. */
bool address_is_multiaddr(struct arena *a, struct str text);
/* True for /ip4|ip6/../tcp/.. or /dns*|dnsaddr/..[/tcp/..], then /ws or /wss, /p2p-websocket-star
 * and optionally /ipfs|p2p/<id>. Implies address_is_multiaddr. */
bool address_is_strict(struct arena *a, struct str text);
/* The one spelling under which an address is kept and announced: its last /p2p/ as /ipfs/, which is
 * what npm's clients look for. Lives in the arena or is the text itself. */
struct str address_canonical(struct arena *a, struct str text);
/* What follows the last "ipfs/" of a canonical address, checked to be a peer id; else absent. */
struct str address_peer_id(struct arena *a, struct str canonical);

#endif

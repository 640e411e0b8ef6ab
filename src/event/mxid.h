/* Identifiers of Matrix: users, rooms, aliases, events, servers, keys (specification appendices,
 * "Identifier Grammar"). Nothing here allocates; parts point into the text given. */
#ifndef EVENT_MXID_H
#define EVENT_MXID_H

#include "base/str.h"

enum { MXID_MAX = 255, MXID_SERVER_MAX = 230, MXID_PEER_KEY_SIZE = 32 };

/* What stands after the first ':'; absent when there is none. Works for every kind of id. */
struct str mxid_server(struct str id);
/* What stands between the sigil and the first ':' (or the end). */
struct str mxid_local(struct str id);

/* A user id as other servers may have made it: '@', any characters but ':' and NUL, a server name,
 * at most 255 bytes (historical ids are allowed). */
bool mxid_is_user(struct str id);
/* A local part that we let people register: a-z 0-9 . _ = - / +, not empty, and the whole id fits.
 */
bool mxid_is_new_local(struct str local, struct str server);
/* '!' and an opaque part, with a server name, or (version 12) a 43 character hash without one. */
bool mxid_is_room(struct str id);
/* '#', a local part without NUL and ':', a server name. */
bool mxid_is_alias(struct str id);
/* '$' and at least one more byte. */
bool mxid_is_event(struct str id);
/* A host name, IPv4 or [IPv6], with an optional port. A peer id is one, too. */
bool mxid_is_server(struct str name);
/* "ed25519:" and a version of [a-zA-Z0-9_]+. */
bool mxid_is_key_id(struct str id);

/* True for a peer id in its one form, 12D3KooW... (base58btc of the identity multihash of an
 * ed25519 public key); such a name is its own key. Byte for byte: any other spelling is an ordinary
 * server name. key may be NULL. */
bool mxid_is_peer(struct str name, uint8_t key[MXID_PEER_KEY_SIZE]);
/* The one key id that a peer signs with: "ed25519:p2p". */
struct str mxid_peer_key_id(void);
/* False for a key id other than ed25519:p2p of a peer's name, and for what is no key id. */
bool mxid_key_id_fits(struct str server, struct str key_id);

#endif

/* Names of peers and where they are: ed25519 keys as libp2p peer ids, and the multiaddr texts of
 * websocket-star. Only ed25519 peers exist here; other key types are refused.
 * (libp2p specs "peer-ids"; multiaddr codes ip4, ip6, dns4, tcp, ws, wss, p2p-websocket-star.) */
#ifndef NET_ADDR_H
#define NET_ADDR_H

#include "base/buf.h"
#include "base/limits.h"
#include "crypto/sign.h"

enum {
    ADDR_KEY_SIZE = 4 + SIGN_PUBLIC_SIZE, /* the protobuf: type, length, key */
    ADDR_ID_SIZE = 52,                    /* "12D3KooW..." of an ed25519 key, always this long */
};

/* PublicKey protobuf: 08 01 12 20 and the 32 bytes. */
void addr_key_write(uint8_t out[ADDR_KEY_SIZE], const uint8_t public_key[SIGN_PUBLIC_SIZE]);
/* ERR_SYNTAX for anything but exactly that form. */
enum err addr_key_parse(struct str protobuf, uint8_t public_key[SIGN_PUBLIC_SIZE]) MUST_USE;

/* base58btc of the identity multihash of the protobuf; ADDR_ID_SIZE characters, in the arena. */
struct str addr_id_write(struct arena *a, const uint8_t public_key[SIGN_PUBLIC_SIZE]);
/* ERR_SYNTAX unless id is the text addr_id_write gives for some key. */
enum err addr_id_parse(struct str id, uint8_t public_key[SIGN_PUBLIC_SIZE]) MUST_USE;

/* The text behind the last "/ipfs/" or "/p2p/"; absent without one. Borrowed from address. */
struct str addr_peer(struct str address);
/* The same address with "/ipfs/" before its id, as the wire spells it; ERR_SYNTAX when it is too
 * long, not plain ASCII, or its end is no ed25519 peer id. */
enum err addr_canonical(struct arena *a, struct str address, struct str *out) MUST_USE;

/* "ws://host:port" and a peer id to "/dns4/host/tcp/port/ws/p2p-websocket-star/ipfs/<id>". A
 * path behind the port is left out. Ports default to 80 (ws) and 443 (wss). */
enum err addr_from_url(struct arena *a, struct str url, struct str peer_id,
                       struct str *out) MUST_USE;
/* The way back: the relay's "ws://host:port". */
enum err addr_to_url(struct arena *a, struct str address, struct str *url) MUST_USE;
/* What to open for the relay at url: its path replaced by engine.io's path and query. */
enum err addr_socket_url(struct arena *a, struct str url, struct str *out) MUST_USE;

#endif

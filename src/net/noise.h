/* Noise_XX_25519_ChaChaPoly_SHA256 as libp2p uses it: each side proves its peer id by a signature
 * over its Noise key. (noiseprotocol.org revision 34; libp2p specs "noise".)
 *
 *     initiator           listener
 *     NOISE_WAITS_B  A->  NOISE_WAITS_A        every message is framed by a 2-byte length
 *                    <-B  NOISE_WAITS_C
 *     NOISE_OPEN     C->  NOISE_OPEN           then ciphertexts both ways
 *
 * A failure is final: the connection must be dropped, and nothing is said to the other side. */
#ifndef NET_NOISE_H
#define NET_NOISE_H

#include "base/buf.h"
#include "base/limits.h"
#include "crypto/box.h"
#include "crypto/hash.h"
#include "crypto/sign.h"

enum noise_state {
    NOISE_WAITS_A,
    NOISE_WAITS_B,
    NOISE_WAITS_C,
    NOISE_OPEN,
    NOISE_FAILED,
};

/* What our handshake payload says about multiplexers. */
enum noise_offer {
    NOISE_OFFERS_NONE,  /* an empty list: multistream-select follows inside */
    NOISE_OFFERS_YAMUX, /* exactly "/yamux/1.0.0" */
};

/* All keys are 32 random bytes, drawn by the caller; the ephemeral key must be fresh. */
struct noise_keys {
    const struct sign_key *identity; /* must outlive the handshake */
    uint8_t static_key[BOX_KEY_SIZE];
    uint8_t ephemeral_key[BOX_KEY_SIZE];
};

struct noise {
    enum noise_state state;
    bool is_initiator;
    enum noise_offer offer;
    /* Once open: who is there, and whether yamux follows at once (both sides offered it). */
    uint8_t peer_key[SIGN_PUBLIC_SIZE];
    bool is_yamux_agreed;

    bool expects_peer;
    uint8_t expected_key[SIGN_PUBLIC_SIZE];
    struct noise_keys keys;
    uint8_t h[HASH_SIZE], ck[HASH_SIZE];
    uint8_t k[BOX_KEY_SIZE];
    bool has_k;
    uint64_t k_counter;
    uint8_t their_static[BOX_KEY_SIZE], their_ephemeral[BOX_KEY_SIZE];
    uint8_t send_key[BOX_KEY_SIZE], receive_key[BOX_KEY_SIZE];
    uint64_t send_counter, receive_counter;
    struct buf frame; /* the message being received, with its length */
};

/* expected: the peer's key when it is known (the initiator), or NULL. The initiator's first message
 * is appended to wire. End with noise_release. */
void noise_init(struct noise *n, bool is_initiator, const struct noise_keys *keys,
                enum noise_offer offer, const uint8_t *expected, struct buf *wire);
void noise_release(struct noise *n); /* wipes the keys */

/* Takes bytes in any pieces. Handshake answers are appended to wire, decrypted bytes to plain.
 * ERR_REFUSED: a tag, signature or peer id does not fit; ERR_SYNTAX; ERR_LIMIT: plain or wire is
 * full. All leave NOISE_FAILED. */
enum err noise_feed(struct noise *n, struct str bytes, struct buf *wire,
                    struct buf *plain) MUST_USE;

/* Encrypts plain into as many messages as it needs, appended to wire. Only when open. ERR_LIMIT:
 * the counter is used up or wire is full. */
enum err noise_write(struct noise *n, struct str plain, struct buf *wire) MUST_USE;

#endif

/* Public keys of libp2p clients and their signatures: ed25519 by src/crypto, RSA and secp256k1 by
 * OpenSSL's libcrypto, which only key.c knows. */
#ifndef RELAY_KEY_H
#define RELAY_KEY_H

#include "base/arena.h"

enum key_kind { /* the numbers of libp2p's PublicKey message */
                KEY_RSA = 0,
                KEY_ED25519 = 1,
                KEY_SECP256K1 = 2,
};

/* Bytes of an encoded key: RSA of 8,192 bits is the largest that is looked at. */
enum { KEY_SIZE_MAX = 1100 };

struct key {
    enum key_kind kind;
    struct str data; /* inside the bytes it was parsed from */
};

/* The protobuf 08 <kind> 12 <length> <data>. ERR_SYNTAX for any other form, an unknown kind or data
 * that is no key; ERR_LIMIT when it is too large. */
enum err key_parse(struct str protobuf, struct key *out) MUST_USE;
/* base58btc of the key's multihash: the key itself up to 42 bytes, else its SHA-256. */
enum err key_peer_id(struct arena *a, struct str protobuf, struct str *text) MUST_USE;
/* ERR_REFUSED when it does not verify, ERR_SYNTAX when it cannot be a signature of that kind: the
 * difference that npm's relay makes between "Signature Invalid" and "Crypto error". */
enum err key_check(const struct key *key, struct str message, struct str signature) MUST_USE;

/* Puts certificate, chain and private key of PEM files into OpenSSL's SSL_CTX. passphrase: of the
 * key, may be NULL. ERR_REFUSED: they cannot be read, or do not belong together. */
enum err key_load_pem(void *ssl_ctx, const char *cert, const char *key,
                      const char *passphrase) MUST_USE;
/* The same for certificate, chain and private key of a PKCS#12 file's bytes into OpenSSL's SSL_CTX.
 * ERR_REFUSED: not such a file, another passphrase, or key and certificate do not belong together.
 */
enum err key_load_pfx(void *ssl_ctx, struct str bytes, const char *passphrase) MUST_USE;

#endif

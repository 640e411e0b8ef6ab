/* libp2p public keys, and the key file of TLS. The only file that includes OpenSSL. */
#include "relay/key.h"

#include "base/encode.h"
#include "crypto/hash.h"
#include "crypto/sign.h"

#include <openssl/evp.h>
#include <openssl/pkcs12.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <string.h>

enum {
    IDENTITY_MAX = 42, /* libp2p "peer-ids": larger keys are hashed */
    MULTIHASH_IDENTITY = 0x00,
    MULTIHASH_SHA256 = 0x12,
    SECP256K1_SIZE = 33, /* a compressed point */
    DER_SIGNATURE_MAX = 72,
};

/* SubjectPublicKeyInfo of a compressed point on secp256k1, up to the point. */
static const unsigned char SECP256K1_SPKI[] = {
    0x30, 0x36, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02,
    0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a, 0x03, 0x22, 0x00,
};

/* The key in libcrypto's form, or NULL. */
static EVP_PKEY *evp_of(const struct key *key)
{
    unsigned char spki[sizeof(SECP256K1_SPKI) + SECP256K1_SIZE];
    const unsigned char *p = (const unsigned char *)key->data.p;
    size_t n = key->data.n;
    if (key->kind == KEY_SECP256K1) {
        memcpy(spki, SECP256K1_SPKI, sizeof(SECP256K1_SPKI));
        memcpy(spki + sizeof(SECP256K1_SPKI), p, SECP256K1_SIZE);
        p = spki;
        n = sizeof(spki);
    }
    const unsigned char *end = p;
    EVP_PKEY *pkey = d2i_PUBKEY(NULL, &end, (long)n);
    int want = key->kind == KEY_RSA ? EVP_PKEY_RSA : EVP_PKEY_EC;
    if (pkey != NULL && (EVP_PKEY_base_id(pkey) != want || end != p + n)) {
        EVP_PKEY_free(pkey);
        pkey = NULL;
    }
    return pkey;
}

enum err key_parse(struct str protobuf, struct key *out)
{
    uint64_t kind, size;
    struct str rest = protobuf;
    if (protobuf.n > KEY_SIZE_MAX) {
        return ERR_LIMIT;
    }
    if (!str_starts(rest, STR("\x08")) || varint_read(str_from(rest, 1), &kind) != 1 || kind > 2) {
        return ERR_SYNTAX;
    }
    rest = str_from(rest, 2);
    int n = str_starts(rest, STR("\x12")) ? varint_read(str_from(rest, 1), &size) : -1;
    if (n <= 0 || size != rest.n - 1 - (size_t)n) {
        return ERR_SYNTAX;
    }
    *out = (struct key){(enum key_kind)kind, str_from(rest, 1 + (size_t)n)};
    if (out->kind == KEY_ED25519) {
        return out->data.n == SIGN_PUBLIC_SIZE ? ERR_NONE : ERR_SYNTAX;
    }
    if (out->kind == KEY_SECP256K1 && out->data.n != SECP256K1_SIZE) {
        return ERR_SYNTAX;
    }
    EVP_PKEY *pkey = evp_of(out);
    EVP_PKEY_free(pkey);
    return pkey == NULL ? ERR_SYNTAX : ERR_NONE;
}

enum err key_peer_id(struct arena *a, struct str protobuf, struct str *text)
{
    unsigned char hash[2 + IDENTITY_MAX] = {MULTIHASH_SHA256, HASH_SIZE};
    size_t n = HASH_SIZE;
    if (protobuf.n <= IDENTITY_MAX) {
        n = protobuf.n;
        hash[0] = MULTIHASH_IDENTITY;
        hash[1] = (unsigned char)n;
        memcpy(hash + 2, protobuf.p, n);
    } else {
        hash_sha256(hash + 2, protobuf);
    }
    return base58_write(a, str_make(hash, 2 + n), text);
}

static enum err check_evp(const struct key *key, struct str message, struct str signature)
{
    EVP_PKEY *pkey = evp_of(key);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    enum err err = ERR_SYNTAX;
    if (pkey != NULL && context != NULL &&
        EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, pkey) == 1) {
        int ok = EVP_DigestVerify(context, (const unsigned char *)signature.p, signature.n,
                                  (const unsigned char *)message.p, message.n);
        err = ok == 1 ? ERR_NONE : ERR_REFUSED;
    }
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(pkey);
    return err;
}

enum err key_check(const struct key *key, struct str message, struct str signature)
{
    switch (key->kind) {
    case KEY_ED25519:
        if (signature.n != SIGN_SIZE) {
            return ERR_SYNTAX;
        }
        return sign_check((const uint8_t *)key->data.p, message, (const uint8_t *)signature.p);
    case KEY_SECP256K1:
        if (signature.n < 8 || signature.n > DER_SIGNATURE_MAX || signature.p[0] != 0x30) {
            return ERR_SYNTAX;
        }
        return check_evp(key, message, signature);
    case KEY_RSA:
        return check_evp(key, message, signature);
    }
    return ERR_SYNTAX;
}

/* OpenSSL's question for a passphrase; it never asks the terminal. */
static int tell_passphrase(char *out, int size, int for_writing, void *passphrase)
{
    struct str text = str_of(passphrase);
    (void)for_writing;
    if (text.n > (size_t)size) {
        return -1;
    }
    if (text.n > 0) {
        memcpy(out, text.p, text.n);
    }
    return (int)text.n;
}

enum err key_load_pem(void *ssl_ctx, const char *cert, const char *key, const char *passphrase)
{
    union {
        const char *borrowed;
        void *argument;
    } p = {.borrowed = passphrase};
    SSL_CTX_set_default_passwd_cb(ssl_ctx, tell_passphrase);
    SSL_CTX_set_default_passwd_cb_userdata(ssl_ctx, p.argument);
    bool ok = SSL_CTX_use_certificate_chain_file(ssl_ctx, cert) == 1 &&
              SSL_CTX_use_PrivateKey_file(ssl_ctx, key, SSL_FILETYPE_PEM) == 1 &&
              SSL_CTX_check_private_key(ssl_ctx) == 1;
    return ok ? ERR_NONE : ERR_REFUSED;
}

enum err key_load_pfx(void *ssl_ctx, struct str bytes, const char *passphrase)
{
    const unsigned char *p = (const unsigned char *)bytes.p;
    EVP_PKEY *pkey = NULL;
    X509 *certificate = NULL;
    STACK_OF(X509) *chain = NULL;
    PKCS12 *pfx = d2i_PKCS12(NULL, &p, (long)bytes.n);
    bool ok = pfx != NULL && PKCS12_parse(pfx, passphrase, &pkey, &certificate, &chain) == 1 &&
              SSL_CTX_use_cert_and_key(ssl_ctx, certificate, pkey, chain, 1) == 1 &&
              SSL_CTX_check_private_key(ssl_ctx) == 1;
    PKCS12_free(pfx);
    EVP_PKEY_free(pkey);
    X509_free(certificate);
    sk_X509_pop_free(chain, X509_free);
    return ok ? ERR_NONE : ERR_REFUSED;
}

/* OpenSSL between two buffers in memory. */
#include "host/native/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#define READ_MAX 16384 /* of plain text at once: a record */

struct tls {
    SSL *ssl;
    BIO *from_network, *to_network; /* ssl owns them */
    bool is_up;
    const char *why;
};

/* As offered and as chosen by ALPN: HTTP/1.1 is all there is here. */
static const unsigned char http_1_1[] = "\x08http/1.1";

static int choose_http_1_1(SSL *ssl, const unsigned char **out, unsigned char *out_n,
                           const unsigned char *offered, unsigned n, void *ctx)
{
    unsigned char *chosen;
    (void)ssl;
    (void)ctx;
    if (SSL_select_next_proto(&chosen, out_n, http_1_1, sizeof(http_1_1) - 1, offered, n) !=
        OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_NOACK;
    }
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static SSL_CTX *of(struct tls_ground *ground)
{
    return (SSL_CTX *)ground;
}

static struct tls_ground *ground_end(SSL_CTX *ctx, bool ok)
{
    ERR_clear_error();
    if (!ok) {
        SSL_CTX_free(ctx);
        return NULL;
    }
    return (struct tls_ground *)ctx;
}

struct tls_ground *tls_serving(const char *certificate, const char *key)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    bool ok = ctx != NULL && SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
              SSL_CTX_use_certificate_chain_file(ctx, certificate) == 1 &&
              SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) == 1 &&
              SSL_CTX_check_private_key(ctx) == 1;
    if (ok) {
        SSL_CTX_set_alpn_select_cb(ctx, choose_http_1_1, NULL);
        SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION);
    }
    return ground_end(ctx, ok);
}

struct tls_ground *tls_calling(const char *authority)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    bool ok = ctx != NULL && SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
              (authority == NULL ? SSL_CTX_set_default_verify_paths(ctx)
                                 : SSL_CTX_load_verify_locations(ctx, authority, NULL)) == 1 &&
              SSL_CTX_set_alpn_protos(ctx, http_1_1, sizeof(http_1_1) - 1) == 0;
    if (ok) {
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    }
    return ground_end(ctx, ok);
}

void tls_ground_free(struct tls_ground *ground)
{
    SSL_CTX_free(of(ground));
}

static struct tls *tls_new(struct tls_ground *ground)
{
    struct tls *tls = base_alloc(sizeof(*tls));
    tls->ssl = SSL_new(of(ground));
    tls->from_network = BIO_new(BIO_s_mem());
    tls->to_network = BIO_new(BIO_s_mem());
    tls->why = "";
    assert(tls->ssl != NULL && tls->from_network != NULL && tls->to_network != NULL);
    SSL_set_bio(tls->ssl, tls->from_network, tls->to_network);
    return tls;
}

struct tls *tls_accept(struct tls_ground *ground)
{
    struct tls *tls = tls_new(ground);
    SSL_set_accept_state(tls->ssl);
    return tls;
}

struct tls *tls_connect(struct tls_ground *ground, const char *identity, bool is_address)
{
    struct tls *tls = tls_new(ground);
    union {
        const char *borrowed; /* OpenSSL's macro wants what it then only reads */
        char *own;
    } name = {.borrowed = identity};
    bool ok = is_address ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls->ssl), identity) == 1
                         : SSL_set1_host(tls->ssl, identity) == 1 &&
                               SSL_set_tlsext_host_name(tls->ssl, name.own) == 1;
    assert(ok);
    SSL_set_connect_state(tls->ssl);
    (void)tls_feed(tls, STR(""), NULL); /* says hello */
    return tls;
}

void tls_free(struct tls *tls)
{
    if (tls != NULL) {
        SSL_free(tls->ssl);
        base_free(tls);
    }
}

static bool fail(struct tls *tls)
{
    if (tls->why[0] == '\0') {
        bool is_doubted = SSL_get_verify_result(tls->ssl) != X509_V_OK;
        tls->why = tls->is_up   ? "its TLS is broken"
                   : is_doubted ? X509_verify_cert_error_string(SSL_get_verify_result(tls->ssl))
                                : "it does not speak TLS as we do";
    }
    ERR_clear_error();
    return false;
}

/* True: more bytes are wanted, and that is all. */
static bool only_waits(const struct tls *tls, int result)
{
    int error = SSL_get_error(tls->ssl, result);
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

static bool handshake(struct tls *tls)
{
    ERR_clear_error();
    int result = SSL_do_handshake(tls->ssl);
    tls->is_up = result == 1;
    return tls->is_up || only_waits(tls, result) || fail(tls);
}

bool tls_feed(struct tls *tls, struct str bytes, struct buf *plain)
{
    if (bytes.n > 0 && BIO_write(tls->from_network, bytes.p, (int)bytes.n) != (int)bytes.n) {
        return fail(tls);
    }
    if (!tls->is_up && !handshake(tls)) {
        return false;
    }
    while (tls->is_up && plain != NULL) {
        unsigned char *room = buf_reserve(plain, READ_MAX);
        if (room == NULL) {
            return fail(tls);
        }
        ERR_clear_error();
        int n = SSL_read(tls->ssl, room, READ_MAX);
        if (n <= 0) {
            return only_waits(tls, n) || fail(tls);
        }
        plain->n += (size_t)n;
    }
    return true;
}

bool tls_say(struct tls *tls, struct str plain)
{
    assert(tls->is_up && plain.n <= INT32_MAX);
    ERR_clear_error();
    return plain.n == 0 || SSL_write(tls->ssl, plain.p, (int)plain.n) > 0 || fail(tls);
}

bool tls_is_up(const struct tls *tls)
{
    return tls->is_up;
}

const char *tls_why(const struct tls *tls)
{
    return tls->why;
}

void tls_unsent(struct tls *tls, struct buf *out)
{
    char *bytes;
    long n = BIO_get_mem_data(tls->to_network, &bytes);
    if (n > 0) {
        buf_add(out, str_make(bytes, (size_t)n));
        (void)BIO_reset(tls->to_network);
    }
}

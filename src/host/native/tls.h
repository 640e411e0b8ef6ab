/* TLS of one connection as bytes, on OpenSSL: what the network brings goes in, what is meant for it
 * comes out. No sockets in here. (libwebsockets does TLS for its own protocols; as raw bytes, which
 * is how HTTP runs here, version 4.1 does it in one direction only.) */
#ifndef HOST_NATIVE_TLS_H
#define HOST_NATIVE_TLS_H

#include "base/buf.h"

struct tls_ground; /* what connections of one direction have in common */
struct tls;

/* To serve with a certificate (and those above it) and its key, in PEM files. NULL: they are not
 * such. */
struct tls_ground *tls_serving(const char *certificate, const char *key);
/* To call others, believing the authorities in a PEM file, or those of the system for NULL. NULL:
 * it holds none. */
struct tls_ground *tls_calling(const char *authority);
void tls_ground_free(struct tls_ground *ground); /* NULL is allowed; after all its connections */

struct tls *tls_accept(struct tls_ground *ground);
/* The certificate must be for that name, or numeric address; only a name is told (SNI). */
struct tls *tls_connect(struct tls_ground *ground, const char *identity, bool is_address);
void tls_free(struct tls *tls); /* NULL is allowed */

/* Takes bytes of the network and appends what they say to plain. False: the connection is over,
 * tls_why says why; what is unsent may be sent still. */
bool tls_feed(struct tls *tls, struct str bytes, struct buf *plain);
/* Takes what is to be said, once tls_is_up. False as above. */
bool tls_say(struct tls *tls, struct str plain);
bool tls_is_up(const struct tls *tls);
const char *tls_why(const struct tls *tls); /* static */

/* Appends what is to be sent. */
void tls_unsent(struct tls *tls, struct buf *out);

#endif

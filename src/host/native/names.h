/* Looking up names in the DNS without waiting: c-ares inside the loop of libwebsockets. */
#ifndef HOST_NATIVE_NAMES_H
#define HOST_NATIVE_NAMES_H

#include "host/native/resolve.h"

#define NAMES_ADDRESSES_MAX 8

struct lws_context;
struct lws_vhost;
struct names;

struct name_address {
    char text[48]; /* numeric */
    unsigned char bytes[16];
    size_t n; /* 4 or 16 */
};

/* Both may be called from within names_addresses, names_srv and names_close. None found: n 0. */
typedef void (*names_addresses_fn)(void *ctx, const struct name_address *found, size_t n);
typedef void (*names_srv_fn)(void *ctx, const struct resolve_srv *found, size_t n);

/* NULL: c-ares does not start. Its sockets join the vhost, whose protocols hold names_protocol. */
struct names *names_open(struct lws_context *context, struct lws_vhost *vhost);
/* Before the context's end; what is open is answered: nothing was found. */
void names_close(struct names *names);
void names_addresses(struct names *names, const char *host, names_addresses_fn done, void *ctx);
void names_srv(struct names *names, const char *name, names_srv_fn done, void *ctx);

#endif

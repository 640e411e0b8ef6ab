/* One connection to another server over TLS, and requests on it, one after the other. */
#ifndef HOST_NATIVE_HTTPS_H
#define HOST_NATIVE_HTTPS_H

#include "host/native/resolve.h"
#include "http/reader.h"

struct https;
struct sockets;

/* ctx is handed through. None is called after https_close. */
struct https_calls {
    void *ctx;
    void (*up)(void *ctx); /* it may be asked */
    /* The whole answer, borrowed; the next request may be made at once when https_is_idle. */
    void (*answered)(void *ctx, const struct http_reader *answer);
    /* It never came up, or ended; it is gone. has_begun: some of an answer had arrived. */
    void (*down)(void *ctx, const char *why, bool has_begun);
};

/* Looks the target up and connects; the calls come later, never from within this. */
struct https *https_open(struct sockets *s, const struct target *target, size_t answer_max,
                         const struct https_calls *calls);
void https_close(struct https *c);
bool https_is_idle(const struct https *c);
bool https_was_used(const struct https *c); /* a request has been answered on it */
/* Sends a request whose first line ends at the first newline; Host is added behind it. Only while
 * idle. */
void https_ask(struct https *c, struct str request);

#endif

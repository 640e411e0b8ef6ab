/* The socket that clients connect to. */
#ifndef HOST_NATIVE_LISTENER_H
#define HOST_NATIVE_LISTENER_H

#include "base/base.h"

/* Listens at a numeric IPv4 or IPv6 address, non-blocking; port 0 picks one. *chosen is the port.
 * -1: errno says why. The caller closes it. */
int listener_open(const char *address, uint16_t port, uint16_t *chosen) MUST_USE;

struct address {
    char text[48]; /* numeric, without the port; empty when it is not known */
};
/* The next client, non-blocking, and where it is. -1: nobody waits. The caller closes it. */
int listener_accept(int listener, struct address *from) MUST_USE;

#endif

/* Sockets of TCP: the one that clients connect to, and those that connect to servers. */
#ifndef HOST_NATIVE_LISTENER_H
#define HOST_NATIVE_LISTENER_H

#include "base/base.h"

/* Listens at a numeric IPv4 or IPv6 address, non-blocking; port 0 picks one. *chosen is the port.
 * -1: errno says why. The caller closes it. */
int listener_open(const char *address, uint16_t port, uint16_t *chosen) MUST_USE;

struct address {
    char text[48]; /* numeric, without the port; empty when it is not known */
};
/* 127.0.0.1 or ::1 */
bool address_is_here(const struct address *address);
/* The next client, non-blocking, and where it is. -1: nobody waits. The caller closes it. */
int listener_accept(int listener, struct address *from) MUST_USE;

/* Begins to connect to an address of 4 or 16 bytes, in network order; the socket becomes writable
 * when that has ended, and connector_error tells how. -1: errno says why. The caller closes it. */
int connector_open(const unsigned char *bytes, size_t n, uint16_t port) MUST_USE;
/* 0: it is connected; else an errno. */
int connector_error(int fd);

#endif

/* Which addresses are somebody's own ground (private, loopback, link-local, not of single hosts):
 * what a stranger's name leads to there is not called, or a name would open this network's doors.
 */
#ifndef HOST_NATIVE_GROUND_H
#define HOST_NATIVE_GROUND_H

#include "base/base.h"

enum ground {
    GROUND_PUBLIC,
    GROUND_LOOPBACK,
    GROUND_PRIVATE, /* everything else that is not to be called */
};

/* n is 4 or 16: the bytes of an address in network order. IPv4 in IPv6 counts as what it carries.
 */
enum ground ground_of(const unsigned char *bytes, size_t n);

#endif

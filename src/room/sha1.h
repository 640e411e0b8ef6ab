/* SHA-1, for two old protocols that demand it: state resolution version 1 breaks ties by the SHA-1
 * of event ids, and administration tools sign registrations with it. libsodium has none. */
#ifndef ROOM_SHA1_H
#define ROOM_SHA1_H

#include "base/str.h"

enum { SHA1_SIZE = 20 };

/* FIPS 180-4. text is at most 64 KiB. */
void sha1(uint8_t out[SHA1_SIZE], struct str text);

#endif

/* The registries of special addresses (RFC 6890 and its successors) as a table. */
#include "host/native/ground.h"

#include <string.h>

struct range {
    unsigned char start[16];
    size_t n;      /* bytes of an address */
    unsigned bits; /* of start that count */
    enum ground ground;
};

/* clang-format off */
static const struct range ranges[] = {
    { {0},                              4,  8,   GROUND_PRIVATE  }, /* this network */
    { {10},                             4,  8,   GROUND_PRIVATE  },
    { {100, 64},                        4,  10,  GROUND_PRIVATE  }, /* shared by a provider's customers */
    { {127},                            4,  8,   GROUND_LOOPBACK },
    { {169, 254},                       4,  16,  GROUND_PRIVATE  }, /* link-local */
    { {172, 16},                        4,  12,  GROUND_PRIVATE  },
    { {192, 0, 0},                      4,  24,  GROUND_PRIVATE  }, /* protocols' own */
    { {192, 0, 2},                      4,  24,  GROUND_PRIVATE  }, /* documentation */
    { {192, 88, 99},                    4,  24,  GROUND_PRIVATE  }, /* 6to4 relays */
    { {192, 168},                       4,  16,  GROUND_PRIVATE  },
    { {198, 18},                        4,  15,  GROUND_PRIVATE  }, /* benchmarks */
    { {198, 51, 100},                   4,  24,  GROUND_PRIVATE  }, /* documentation */
    { {203, 0, 113},                    4,  24,  GROUND_PRIVATE  }, /* documentation */
    { {224},                            4,  3,   GROUND_PRIVATE  }, /* multicast, reserved, broadcast */
    { {[15] = 1},                       16, 128, GROUND_LOOPBACK },
    { {0},                              16, 8,   GROUND_PRIVATE  }, /* unspecified, and old forms of IPv4 */
    { {0, 0x64, 0xff, 0x9b, 0, 1},      16, 48,  GROUND_PRIVATE  }, /* translation, local */
    { {1},                              16, 64,  GROUND_PRIVATE  }, /* discarded */
    { {0x20, 0x01},                     16, 23,  GROUND_PRIVATE  }, /* protocols' own, Teredo too */
    { {0x20, 0x01, 0x0d, 0xb8},         16, 32,  GROUND_PRIVATE  }, /* documentation */
    { {0x20, 0x02},                     16, 16,  GROUND_PRIVATE  }, /* 6to4 */
    { {0x3f, 0xff},                     16, 20,  GROUND_PRIVATE  }, /* documentation */
    { {0xfc},                           16, 7,   GROUND_PRIVATE  }, /* unique local */
    { {0xfe, 0x80},                     16, 10,  GROUND_PRIVATE  }, /* link-local */
    { {0xfe, 0xc0},                     16, 10,  GROUND_PRIVATE  }, /* site-local */
    { {0xff},                           16, 8,   GROUND_PRIVATE  }, /* multicast */
};
/* clang-format on */

static bool has_prefix(const unsigned char *bytes, const unsigned char *prefix, unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;
    if (memcmp(bytes, prefix, whole) != 0) {
        return false;
    }
    unsigned mask = rest == 0 ? 0 : 0xffu << (8 - rest) & 0xffu;
    return rest == 0 || (bytes[whole] & mask) == (prefix[whole] & mask);
}

enum ground ground_of(const unsigned char *bytes, size_t n)
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    static const unsigned char translated[12] = {0, 0x64, 0xff, 0x9b};
    assert(n == 4 || n == 16);
    if (n == 16 && (memcmp(bytes, mapped, 12) == 0 || memcmp(bytes, translated, 12) == 0)) {
        return ground_of(bytes + 12, 4);
    }
    for (size_t i = 0; i < COUNT_OF(ranges); i++) {
        if (ranges[i].n == n && has_prefix(bytes, ranges[i].start, ranges[i].bits)) {
            return ranges[i].ground;
        }
    }
    return GROUND_PUBLIC;
}

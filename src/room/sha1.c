/* SHA-1 by FIPS 180-4, section 6.1. */
#include "room/sha1.h"

#include <string.h>

enum { BLOCK = 64, ROUNDS = 80, TEXT_MAX = 65536 };

static uint32_t rotate(uint32_t x, unsigned bits)
{
    return (x << bits) | (x >> (32 - bits));
}

static uint32_t mix(unsigned round, uint32_t b, uint32_t c, uint32_t d)
{
    static const uint32_t constants[] = {0x5A827999, 0x6ED9EBA1, 0x8F1BBCDC, 0xCA62C1D6};
    uint32_t f = b ^ c ^ d;
    if (round < 20) {
        f = (b & c) | (~b & d);
    } else if (round >= 40 && round < 60) {
        f = (b & c) | (b & d) | (c & d);
    }
    return f + constants[round / 20];
}

static void add_block(uint32_t h[5], const unsigned char *p)
{
    uint32_t w[ROUNDS];
    uint32_t v[5];
    for (unsigned i = 0; i < 16; i++) {
        w[i] = (uint32_t)p[4 * i] << 24 | (uint32_t)p[4 * i + 1] << 16 |
               (uint32_t)p[4 * i + 2] << 8 | p[4 * i + 3];
    }
    for (unsigned i = 16; i < ROUNDS; i++) {
        w[i] = rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    }
    memcpy(v, h, sizeof(v));
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint32_t next = rotate(v[0], 5) + mix(i, v[1], v[2], v[3]) + v[4] + w[i];
        v[4] = v[3];
        v[3] = v[2];
        v[2] = rotate(v[1], 30);
        v[1] = v[0];
        v[0] = next;
    }
    for (unsigned i = 0; i < 5; i++) {
        h[i] += v[i];
    }
}

void sha1(uint8_t out[SHA1_SIZE], struct str text)
{
    uint32_t h[5] = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
    unsigned char tail[2 * BLOCK] = {0};
    size_t whole = text.n / BLOCK * BLOCK;
    size_t rest = text.n - whole;
    size_t tail_size = rest + 9 <= BLOCK ? BLOCK : 2 * BLOCK;
    assert(text.n <= TEXT_MAX);
    for (size_t i = 0; i < whole; i += BLOCK) {
        add_block(h, (const unsigned char *)text.p + i);
    }
    if (rest > 0) {
        memcpy(tail, text.p + whole, rest);
    }
    tail[rest] = 0x80;
    for (unsigned i = 0; i < 4; i++) {
        tail[tail_size - 1 - i] = (unsigned char)((uint32_t)text.n * 8 >> (8 * i));
    }
    for (size_t i = 0; i < tail_size; i += BLOCK) {
        add_block(h, tail + i);
    }
    for (unsigned i = 0; i < SHA1_SIZE; i++) {
        out[i] = (uint8_t)(h[i / 4] >> (24 - 8 * (i % 4)));
    }
}

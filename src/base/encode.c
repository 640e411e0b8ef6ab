/* Text forms of bytes. */
#include "base/encode.h"

#include <string.h>

static const char STANDARD[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char URL_SAFE[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char BASE58[] = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

enum { BASE58_BYTES_MAX = 128, BASE58_TEXT_MAX = 192 };

static struct str write64(struct arena *a, struct str bytes, const char *alphabet)
{
    char *text = arena_alloc(a, bytes.n / 3 * 4 + 5);
    size_t n = 0;
    uint32_t bits = 0;
    unsigned n_bits = 0;
    for (size_t i = 0; i < bytes.n; i++) {
        bits = (bits << 8) | (unsigned char)bytes.p[i];
        n_bits += 8;
        while (n_bits >= 6) {
            n_bits -= 6;
            text[n] = alphabet[(bits >> n_bits) & 63];
            n++;
        }
    }
    if (n_bits > 0) {
        text[n] = alphabet[(bits << (6 - n_bits)) & 63];
        n++;
    }
    return (struct str){text, n};
}

struct str base64_write(struct arena *a, struct str bytes)
{
    return write64(a, bytes, STANDARD);
}

struct str base64url_write(struct arena *a, struct str bytes)
{
    return write64(a, bytes, URL_SAFE);
}

static int value64(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    if (c == '+' || c == '-') {
        return 62;
    }
    return c == '/' || c == '_' ? 63 : -1;
}

enum err base64_parse(struct arena *a, struct str text, struct str *bytes)
{
    size_t padding = 0;
    while (text.n > 0 && text.p[text.n - 1] == '=' && padding < 2) {
        text.n--;
        padding++;
    }
    if (text.n % 4 == 1 || (padding > 0 && (text.n + padding) % 4 != 0)) {
        return ERR_SYNTAX;
    }
    char *out = arena_alloc(a, text.n / 4 * 3 + 3);
    size_t n = 0;
    uint32_t bits = 0;
    unsigned n_bits = 0;
    for (size_t i = 0; i < text.n; i++) {
        int value = value64(text.p[i]);
        if (value < 0) {
            return ERR_SYNTAX;
        }
        bits = (bits << 6) | (uint32_t)value;
        n_bits += 6;
        if (n_bits >= 8) {
            n_bits -= 8;
            out[n] = (char)((bits >> n_bits) & 255);
            n++;
        }
    }
    *bytes = (struct str){out, n};
    return ERR_NONE;
}

struct str hex_write(struct arena *a, struct str bytes)
{
    static const char digits[] = "0123456789abcdef";
    char *text = arena_alloc(a, bytes.n * 2 + 1);
    for (size_t i = 0; i < bytes.n; i++) {
        text[2 * i] = digits[(unsigned char)bytes.p[i] >> 4];
        text[2 * i + 1] = digits[(unsigned char)bytes.p[i] & 15];
    }
    return (struct str){text, bytes.n * 2};
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

enum err hex_parse(struct arena *a, struct str text, struct str *bytes)
{
    if (text.n % 2 != 0) {
        return ERR_SYNTAX;
    }
    char *out = arena_alloc(a, text.n / 2 + 1);
    for (size_t i = 0; i < text.n / 2; i++) {
        int high = hex_value(text.p[2 * i]);
        int low = hex_value(text.p[2 * i + 1]);
        if (high < 0 || low < 0) {
            return ERR_SYNTAX;
        }
        out[i] = (char)(high * 16 + low);
    }
    *bytes = (struct str){out, text.n / 2};
    return ERR_NONE;
}

/* Long division between bases: digits of `from` (big end first) into digits of `to` (little end
 * first in out). Returns their number. */
static size_t rebase(const unsigned char *in, size_t n, unsigned from, unsigned to,
                     unsigned char *out, size_t out_max)
{
    size_t n_out = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned carry = in[i];
        for (size_t k = 0; k < n_out; k++) {
            carry += out[k] * from;
            out[k] = (unsigned char)(carry % to);
            carry /= to;
        }
        for (; carry > 0; carry /= to) {
            assert(n_out < out_max);
            out[n_out] = (unsigned char)(carry % to);
            n_out++;
        }
    }
    return n_out;
}

enum err base58_write(struct arena *a, struct str bytes, struct str *text)
{
    unsigned char digits[BASE58_TEXT_MAX];
    size_t zeros = 0;
    if (bytes.n > BASE58_BYTES_MAX) {
        return ERR_LIMIT;
    }
    while (zeros < bytes.n && bytes.p[zeros] == 0) {
        zeros++;
    }
    size_t n = rebase((const unsigned char *)bytes.p, bytes.n, 256, 58, digits, sizeof(digits));
    char *out = arena_alloc(a, zeros + n + 1);
    memset(out, '1', zeros);
    for (size_t i = 0; i < n; i++) {
        out[zeros + i] = BASE58[digits[n - 1 - i]];
    }
    *text = (struct str){out, zeros + n};
    return ERR_NONE;
}

enum err base58_parse(struct arena *a, struct str text, struct str *bytes)
{
    unsigned char digits[BASE58_TEXT_MAX];
    unsigned char values[BASE58_TEXT_MAX];
    size_t zeros = 0;
    if (text.n > BASE58_TEXT_MAX - 16) {
        return ERR_LIMIT;
    }
    for (size_t i = 0; i < text.n; i++) {
        const char *found = text.p[i] == 0 ? NULL : strchr(BASE58, text.p[i]);
        if (found == NULL) {
            return ERR_SYNTAX;
        }
        values[i] = (unsigned char)(found - BASE58);
        zeros += (zeros == i && text.p[i] == '1');
    }
    size_t n = rebase(values, text.n, 58, 256, digits, sizeof(digits));
    if (zeros + n > BASE58_BYTES_MAX) {
        return ERR_LIMIT;
    }
    char *out = arena_alloc(a, zeros + n + 1);
    for (size_t i = 0; i < n; i++) {
        out[zeros + i] = (char)digits[n - 1 - i];
    }
    *bytes = (struct str){out, zeros + n};
    return ERR_NONE;
}

enum err percent_parse(struct arena *a, struct str text, bool plus_is_space, struct str *out)
{
    char *copy = arena_alloc(a, text.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++, n++) {
        copy[n] = text.p[i];
        if (text.p[i] == '+' && plus_is_space) {
            copy[n] = ' ';
        } else if (text.p[i] == '%') {
            if (text.n - i < 3) {
                return ERR_SYNTAX;
            }
            int high = hex_value(text.p[i + 1]);
            int low = hex_value(text.p[i + 2]);
            if (high < 0 || low < 0) {
                return ERR_SYNTAX;
            }
            copy[n] = (char)(high * 16 + low);
            i += 2;
        }
    }
    *out = (struct str){copy, n};
    return ERR_NONE;
}

struct str percent_write(struct arena *a, struct str text)
{
    static const char digits[] = "0123456789ABCDEF";
    char *out = arena_alloc(a, text.n * 3 + 1);
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '-' || c == '.' || c == '_' || c == '~';
        if (plain) {
            out[n] = (char)c;
            n++;
        } else {
            out[n] = '%';
            out[n + 1] = digits[c >> 4];
            out[n + 2] = digits[c & 15];
            n += 3;
        }
    }
    return (struct str){out, n};
}

int varint_read(struct str in, uint64_t *value)
{
    uint64_t v = 0;
    for (size_t i = 0; i < 9; i++) {
        if (i == in.n) {
            return 0;
        }
        unsigned char c = (unsigned char)in.p[i];
        v |= (uint64_t)(c & 127) << (7 * i);
        if ((c & 128) == 0) {
            if (c == 0 && i > 0) {
                return -1; /* longer than it needs to be */
            }
            *value = v;
            return (int)i + 1;
        }
    }
    return -1;
}

void varint_write(struct buf *b, uint64_t value)
{
    assert(value <= INT64_MAX); /* what nine bytes can hold */
    while (value >= 128) {
        buf_add_char(b, (char)((value & 127) | 128));
        value >>= 7;
    }
    buf_add_char(b, (char)value);
}

/* Length of the sequence that c begins, 0 if it begins none. */
static size_t utf8_length(unsigned char c)
{
    if (c < 0x80) {
        return 1;
    }
    if (c >= 0xC2 && c <= 0xDF) {
        return 2;
    }
    if (c >= 0xE0 && c <= 0xEF) {
        return 3;
    }
    return c >= 0xF0 && c <= 0xF4 ? 4 : 0;
}

bool utf8_is_valid(struct str s)
{
    size_t i = 0;
    while (i < s.n) {
        unsigned char c = (unsigned char)s.p[i];
        size_t n = utf8_length(c);
        if (n == 0 || n > s.n - i) {
            return false;
        }
        for (size_t k = 1; k < n; k++) {
            if (((unsigned char)s.p[i + k] & 0xC0) != 0x80) {
                return false;
            }
        }
        unsigned char second = n > 1 ? (unsigned char)s.p[i + 1] : 0;
        if ((c == 0xE0 && second < 0xA0) || (c == 0xED && second > 0x9F) ||
            (c == 0xF0 && second < 0x90) || (c == 0xF4 && second > 0x8F)) {
            return false; /* overlong, surrogate, beyond U+10FFFF */
        }
        i += n;
    }
    return true;
}

uint32_t utf8_next(struct str s, size_t *at)
{
    unsigned char c = (unsigned char)s.p[*at];
    size_t n = utf8_length(c);
    assert(n > 0 && n <= s.n - *at);
    uint32_t value = n == 1 ? c : c & (0xFFu >> (n + 1));
    for (size_t k = 1; k < n; k++) {
        value = (value << 6) | ((unsigned char)s.p[*at + k] & 0x3Fu);
    }
    *at += n;
    return value;
}

void utf8_write(struct buf *b, uint32_t c)
{
    assert(c <= 0x10FFFF);
    if (c < 0x80) {
        buf_add_char(b, (char)c);
    } else if (c < 0x800) {
        buf_add_char(b, (char)(0xC0 | (c >> 6)));
        buf_add_char(b, (char)(0x80 | (c & 0x3F)));
    } else if (c < 0x10000) {
        buf_add_char(b, (char)(0xE0 | (c >> 12)));
        buf_add_char(b, (char)(0x80 | ((c >> 6) & 0x3F)));
        buf_add_char(b, (char)(0x80 | (c & 0x3F)));
    } else {
        buf_add_char(b, (char)(0xF0 | (c >> 18)));
        buf_add_char(b, (char)(0x80 | ((c >> 12) & 0x3F)));
        buf_add_char(b, (char)(0x80 | ((c >> 6) & 0x3F)));
        buf_add_char(b, (char)(0x80 | (c & 0x3F)));
    }
}

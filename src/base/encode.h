/* Text forms of bytes: base64, base64url, hex, base58btc, percent, varint, UTF-8. */
#ifndef BASE_ENCODE_H
#define BASE_ENCODE_H

#include "base/buf.h"

/* Unpadded standard and URL-safe alphabets, as the Matrix specification wants them ("Unpadded
 * Base64", appendices). */
struct str base64_write(struct arena *a, struct str bytes);
struct str base64url_write(struct arena *a, struct str bytes);
/* Accepts either alphabet, with or without padding. ERR_SYNTAX on anything else. */
enum err base64_parse(struct arena *a, struct str text, struct str *bytes) MUST_USE;

struct str hex_write(struct arena *a, struct str bytes); /* lower case */
enum err hex_parse(struct arena *a, struct str text, struct str *bytes) MUST_USE;

/* base58btc, as libp2p prints peer ids. At most 128 bytes either way, else ERR_LIMIT. */
enum err base58_write(struct arena *a, struct str bytes, struct str *text) MUST_USE;
enum err base58_parse(struct arena *a, struct str text, struct str *bytes) MUST_USE;

/* Percent-decodes a path segment, or a query value when plus_is_space. ERR_SYNTAX on a bad escape.
 */
enum err percent_parse(struct arena *a, struct str text, bool plus_is_space,
                       struct str *out) MUST_USE;
/* Escapes all but unreserved characters (RFC 3986). */
struct str percent_write(struct arena *a, struct str text);

/* Unsigned LEB128 of multiformats; at most 9 bytes. Returns bytes read, 0: more needed, -1: longer
 * than 9 bytes, or than the value needs. */
int varint_read(struct str in, uint64_t *value);
void varint_write(struct buf *b, uint64_t value);

/* True if s is well-formed UTF-8: no surrogates, no overlong forms, at most U+10FFFF. */
bool utf8_is_valid(struct str s);
/* Reads one code point of valid UTF-8 at *at and moves on. */
uint32_t utf8_next(struct str s, size_t *at);
void utf8_write(struct buf *b, uint32_t code_point);

#endif

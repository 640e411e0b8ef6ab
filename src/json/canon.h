/* Canonical JSON (Matrix appendices, "Canonical JSON"): keys sorted by code point, no space,
 * shortest escapes, integers only. Written by us, straight into a buffer. */
#ifndef JSON_CANON_H
#define JSON_CANON_H

#include "json/json.h"

/* ERR_SYNTAX for a number that is no integer within +-(2^53 - 1), ERR_LIMIT when out is full.
 * Top-level members named in `without` are left out (for hashing and signing). */
enum err canon_write(struct buf *out, const struct json *node, struct strs without) MUST_USE;
/* Room versions 1 to 5 did not enforce integers: a JSON_NUMBER is written as its literal. */
enum err canon_write_lenient(struct buf *out, const struct json *node,
                             struct strs without) MUST_USE;
/* A copy with the members of objects in that order: what parsing the canonical text would give. */
struct json *canon_copy(struct arena *a, const struct json *node);

#endif

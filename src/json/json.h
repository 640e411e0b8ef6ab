/* JSON trees. The only module that knows cJSON.
 *
 * json_parse checks a text before cJSON sees it: UTF-8, depth (JSON_DEPTH_MAX), number of nodes,
 * duplicate keys of one object, number literals. A "\u0000" inside a string is carried as the two
 * bytes C0 80, which no valid UTF-8 contains, and written back as \u0000. A number that is not a
 * plain integer of at most +-(2^53 - 1) keeps its literal (JSON_NUMBER) and is written back as it
 * came; canonical JSON refuses it.
 *
 * A tree lives as long as the arena it was made in (arena_defer). Texts borrowed from a tree are
 * NUL-terminated and live as long. */
#ifndef JSON_JSON_H
#define JSON_JSON_H

#include "base/buf.h"

struct json; /* one node */

enum json_kind {
    JSON_NULL,
    JSON_BOOL,
    JSON_INT,    /* -(2^53 - 1) .. 2^53 - 1, written as an integer */
    JSON_NUMBER, /* any other number; its literal is json_literal */
    JSON_TEXT,
    JSON_ARRAY,
    JSON_OBJECT,
};

/* --- reading ------------------------------------------------------------------------------ */

/* ERR_SYNTAX or ERR_LIMIT. *why (may be NULL) gets a sentence for the client. */
enum err json_parse(struct arena *a, struct str text, struct json **out, const char **why) MUST_USE;

/* All readers below accept NULL for "no such node". */
enum json_kind json_kind(const struct json *node);          /* NULL node: JSON_NULL */
bool json_is(const struct json *node, enum json_kind kind); /* NULL node: false */
struct json *json_get(const struct json *object,
                      struct str key); /* NULL: not there, not an object */
/* STR_ABSENT / false / fallback when the node is not of that kind. */
struct str json_text(const struct json *node);
bool json_bool(const struct json *node, bool fallback);
bool json_int(const struct json *node, int64_t *out);
struct str json_literal(const struct json *node); /* of a JSON_NUMBER */
/* json_get and the reader in one. */
struct str json_get_text(const struct json *object, const char *key);
struct json *json_get_object(const struct json *object,
                             const char *key); /* NULL if not an object */
struct json *json_get_array(const struct json *object, const char *key);
int64_t json_get_int(const struct json *object, const char *key, int64_t fallback);
bool json_get_bool(const struct json *object, const char *key, bool fallback);

size_t json_count(const struct json *node); /* members of an object or array */
/* Walk: for (struct json *x = json_first(node); x; x = json_next(x)). */
struct json *json_first(const struct json *node);
struct json *json_next(const struct json *node);
struct str json_key(const struct json *node);             /* of a member of an object */
bool json_eq(const struct json *a, const struct json *b); /* deep; member order does not matter */

/* --- building ----------------------------------------------------------------------------- */
/* Each node belongs to one tree; a node made here and not yet put anywhere belongs to the arena.
 * Texts are copied. Putting an existing key replaces its value. */

struct json *json_object(struct arena *a);
struct json *json_array(struct arena *a);
struct json *json_copy(struct arena *a, const struct json *node); /* deep */
/* put: child must be a root (from json_object, json_array, json_copy), it moves into the parent. */
void json_put(struct json *object, struct str key, struct json *child);
void json_put_text(struct json *object, const char *key, struct str text); /* absent: no-op */
void json_put_int(struct json *object, const char *key, int64_t value);
void json_put_bool(struct json *object, const char *key, bool value);
void json_put_null(struct json *object, const char *key);
/* A new empty child, already in its place. */
struct json *json_put_object(struct json *object, struct str key);
struct json *json_put_array(struct json *object, struct str key);
void json_remove(struct json *object, struct str key);
void json_push(struct json *array, struct json *child);
void json_push_text(struct json *array, struct str text);
void json_push_int(struct json *array, int64_t value);
struct json *json_push_object(struct json *array);
struct json *json_push_array(struct json *array);

/* --- writing ------------------------------------------------------------------------------ */

/* Compact text, members in their order. Check out->overflow afterwards. */
void json_write(struct buf *out, const struct json *node);
/* One string with quotes and escapes. */
void json_write_text(struct buf *out, struct str text);
/* The compact text in the arena. */
struct str json_str(struct arena *a, const struct json *node);

#endif

/* The inside of a JSON tree, for the files of json/ only. Nodes live in an arena, texts know their
 * length, and cJSON never sees a tree again once it has parsed it. */
#ifndef JSON_NODE_H
#define JSON_NODE_H

#include "json/json.h"

/* Members of a big object, sorted by key, so that reading and adding stay fast whatever keys a peer
 * chooses. Covers the members before `rest`; those after it are looked through one by one. */
struct json_index {
    struct json **at;
    size_t n;
    struct json *rest; /* NULL: the index is complete */
    size_t n_rest;
};

struct json {
    enum json_kind kind;
    uint32_t count; /* members of an object or array */
    struct str key; /* absent: not a member of an object */
    struct json *next;
    union {
        bool truth;
        int64_t integer;
        struct str text; /* also the literal of a JSON_NUMBER */
        struct {
            struct json *first, *last;
            struct arena *arena; /* where what is added to it goes */
            struct json_index *index;
        } members;
    } as;
};

struct json *node_new(struct arena *a, enum json_kind kind);
/* At the end; key is absent in arrays and kept as it is in objects. No check for duplicates. */
void node_append(struct json *parent, struct str key, struct json *child);
/* Sorts the members of an object for json_get. False: two have the same key. */
bool node_index(struct json *object);

/* The bytes that stand for U+0000 inside a text, and those that mark a number kept as a literal on
 * its way through cJSON. Neither is valid UTF-8, so no text from outside contains them. */
#define NODE_NUL "\xC0\x80"
#define NODE_NUMBER "\xC0\x81"

/* Checks a JSON text by the rules of json_parse, but for duplicate keys, and writes it to out in
 * the form cJSON can take: no space, \u0000 and numbers marked as above. */
enum err check_text(struct str text, struct buf *out, const char **why) MUST_USE;

#endif

/* Canonical JSON, written straight into a buffer. */
#include "json/canon.h"

#include <stdlib.h>

#include "json/node.h"

static const int64_t INTEGER_MAX = 9007199254740991;

/* Objects up to this size are sorted on the stack. */
enum { SMALL = 32 };

struct writer {
    struct buf *out;
    bool lenient;
};

/* Bytewise order of UTF-8 is the order of code points, but for U+0000, which we carry as C0 80. */
static int compare(struct str a, struct str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    for (size_t i = 0; i < n; i++) {
        unsigned char x = (unsigned char)a.p[i];
        unsigned char y = (unsigned char)b.p[i];
        if (x != y) {
            return (x == 0xC0 ? -1 : x) - (y == 0xC0 ? -1 : y);
        }
    }
    return (a.n > b.n) - (a.n < b.n);
}

static int compare_keys(const void *a, const void *b)
{
    const struct json *const *left = a;
    const struct json *const *right = b;
    return compare((*left)->key, (*right)->key);
}

static void sort(const struct json **members, size_t n)
{
    if (n > SMALL) {
        qsort(members, n, sizeof(*members), compare_keys);
        return;
    }
    for (size_t i = 1; i < n; i++) {
        const struct json *x = members[i];
        size_t k = i;
        while (k > 0 && compare(members[k - 1]->key, x->key) > 0) {
            members[k] = members[k - 1];
            k--;
        }
        members[k] = x;
    }
}

static bool is_in(struct strs list, struct str key)
{
    for (size_t i = 0; i < list.n; i++) {
        if (str_eq(list.at[i], key)) {
            return true;
        }
    }
    return false;
}

static enum err write_value(struct writer *w, const struct json *node);

/* The members of an object in their order. */
struct sorted {
    const struct json *few[SMALL];
    const struct json **at;
    size_t n;
};

static void sorted_init(struct sorted *s, const struct json *object, struct strs without)
{
    s->at = object->count > SMALL ? base_alloc(object->count * sizeof(struct json *)) : s->few;
    s->n = 0;
    for (const struct json *x = object->as.members.first; x != NULL; x = x->next) {
        if (!is_in(without, x->key)) {
            s->at[s->n] = x;
            s->n++;
        }
    }
    sort(s->at, s->n);
}

static void sorted_release(struct sorted *s)
{
    if (s->at != s->few) {
        base_free(s->at);
    }
}

static enum err write_sorted(struct writer *w, const struct sorted *members)
{
    buf_add_char(w->out, '{');
    for (size_t i = 0; i < members->n; i++) {
        if (i > 0) {
            buf_add_char(w->out, ',');
        }
        json_write_text(w->out, members->at[i]->key);
        buf_add_char(w->out, ':');
        TRY(write_value(w, members->at[i]));
    }
    buf_add_char(w->out, '}');
    return ERR_NONE;
}

static enum err write_object(struct writer *w, const struct json *node, struct strs without)
{
    struct sorted members;
    sorted_init(&members, node, without);
    enum err err = write_sorted(w, &members);
    sorted_release(&members);
    return err;
}

static enum err write_array(struct writer *w, const struct json *node)
{
    buf_add_char(w->out, '[');
    for (const struct json *x = node->as.members.first; x != NULL; x = x->next) {
        if (x != node->as.members.first) {
            buf_add_char(w->out, ',');
        }
        TRY(write_value(w, x));
    }
    buf_add_char(w->out, ']');
    return ERR_NONE;
}

static enum err write_value(struct writer *w, const struct json *node)
{
    switch (json_kind(node)) {
    case JSON_OBJECT:
        return write_object(w, node, (struct strs){0});
    case JSON_ARRAY:
        return write_array(w, node);
    case JSON_NUMBER:
        if (!w->lenient) {
            return ERR_SYNTAX;
        }
        break;
    case JSON_INT:
        if (node->as.integer > INTEGER_MAX || node->as.integer < -INTEGER_MAX) {
            return ERR_SYNTAX;
        }
        break;
    case JSON_NULL:
    case JSON_BOOL:
    case JSON_TEXT:
        break;
    }
    json_write(w->out, node);
    return ERR_NONE;
}

static enum err write_root(struct writer *w, const struct json *node, struct strs without)
{
    enum err err =
        json_is(node, JSON_OBJECT) ? write_object(w, node, without) : write_value(w, node);
    return err == ERR_NONE && w->out->overflow ? ERR_LIMIT : err;
}

enum err canon_write(struct buf *out, const struct json *node, struct strs without)
{
    struct writer w = {.out = out};
    return write_root(&w, node, without);
}

enum err canon_write_lenient(struct buf *out, const struct json *node, struct strs without)
{
    struct writer w = {.out = out, .lenient = true};
    return write_root(&w, node, without);
}

struct json *canon_copy(struct arena *a, const struct json *node)
{
    if (!json_is(node, JSON_OBJECT) && !json_is(node, JSON_ARRAY)) {
        return json_copy(a, node);
    }
    struct json *copy = node_new(a, node->kind);
    if (node->kind == JSON_ARRAY) {
        for (const struct json *x = node->as.members.first; x != NULL; x = x->next) {
            node_append(copy, STR_ABSENT, canon_copy(a, x));
        }
        return copy;
    }
    struct sorted members;
    sorted_init(&members, node, (struct strs){0});
    for (size_t i = 0; i < members.n; i++) {
        node_append(copy, arena_str(a, members.at[i]->key), canon_copy(a, members.at[i]));
    }
    sorted_release(&members);
    if (node->as.members.index != NULL) {
        (void)node_index(copy);
    }
    return copy;
}

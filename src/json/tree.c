/* Trees in an arena: reading, building, comparing. */
#include <stdlib.h>
#include <string.h>

#include "json/node.h"

/* --- nodes -------------------------------------------------------------------------------- */

struct json *node_new(struct arena *a, enum json_kind kind)
{
    struct json *node = ARENA_NEW(a, struct json);
    node->kind = kind;
    if (kind == JSON_OBJECT || kind == JSON_ARRAY) {
        node->as.members.arena = a;
    }
    return node;
}

void node_append(struct json *parent, struct str key, struct json *child)
{
    child->key = key;
    child->next = NULL;
    if (parent->as.members.last == NULL) {
        parent->as.members.first = child;
    } else {
        parent->as.members.last->next = child;
    }
    parent->as.members.last = child;
    parent->count++;
    struct json_index *index = parent->as.members.index;
    if (index != NULL) {
        index->rest = index->rest == NULL ? child : index->rest;
        index->n_rest++;
    }
}

static int compare_keys(const void *a, const void *b)
{
    const struct json *const *left = a;
    const struct json *const *right = b;
    return str_cmp((*left)->key, (*right)->key);
}

bool node_index(struct json *object)
{
    struct arena *a = object->as.members.arena;
    struct json_index *index = ARENA_NEW(a, struct json_index);
    index->at = arena_array(a, object->count, sizeof(struct json *));
    for (struct json *x = object->as.members.first; x != NULL; x = x->next) {
        index->at[index->n] = x;
        index->n++;
    }
    qsort(index->at, index->n, sizeof(struct json *), compare_keys);
    for (size_t i = 1; i < index->n; i++) {
        if (str_eq(index->at[i - 1]->key, index->at[i]->key)) {
            return false;
        }
    }
    object->as.members.index = index;
    return true;
}

static struct json *index_find(const struct json_index *index, struct str key)
{
    size_t low = 0;
    size_t high = index->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_cmp(index->at[middle]->key, key);
        if (order == 0) {
            return index->at[middle];
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

/* Texts from the program may hold real NUL bytes (from a percent-encoded path, say). */
static struct str copy_text(struct arena *a, struct str text)
{
    size_t n_nul = 0;
    for (size_t i = 0; i < text.n; i++) {
        n_nul += text.p[i] == 0;
    }
    if (n_nul == 0) {
        return arena_str(a, text);
    }
    char *copy = arena_alloc(a, text.n + n_nul + 1);
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == 0) {
            memcpy(copy + n, NODE_NUL, 2);
            n += 2;
        } else {
            copy[n] = text.p[i];
            n++;
        }
    }
    return (struct str){copy, n};
}

/* --- reading ------------------------------------------------------------------------------ */

enum json_kind json_kind(const struct json *node)
{
    return node == NULL ? JSON_NULL : node->kind;
}

bool json_is(const struct json *node, enum json_kind kind)
{
    return node != NULL && node->kind == kind;
}

static bool has_members(const struct json *node)
{
    return json_is(node, JSON_OBJECT) || json_is(node, JSON_ARRAY);
}

struct json *json_get(const struct json *object, struct str key)
{
    if (!json_is(object, JSON_OBJECT)) {
        return NULL;
    }
    const struct json_index *index = object->as.members.index;
    struct json *x = object->as.members.first;
    if (index != NULL) {
        struct json *found = index_find(index, key);
        if (found != NULL) {
            return found;
        }
        x = index->rest;
    }
    while (x != NULL && !str_eq(x->key, key)) {
        x = x->next;
    }
    return x;
}

struct str json_text(const struct json *node)
{
    return json_is(node, JSON_TEXT) ? node->as.text : STR_ABSENT;
}

bool json_bool(const struct json *node, bool fallback)
{
    return json_is(node, JSON_BOOL) ? node->as.truth : fallback;
}

bool json_int(const struct json *node, int64_t *out)
{
    if (!json_is(node, JSON_INT)) {
        return false;
    }
    *out = node->as.integer;
    return true;
}

struct str json_literal(const struct json *node)
{
    return json_is(node, JSON_NUMBER) ? node->as.text : STR_ABSENT;
}

struct str json_get_text(const struct json *object, const char *key)
{
    return json_text(json_get(object, str_of(key)));
}

struct json *json_get_object(const struct json *object, const char *key)
{
    struct json *x = json_get(object, str_of(key));
    return json_is(x, JSON_OBJECT) ? x : NULL;
}

struct json *json_get_array(const struct json *object, const char *key)
{
    struct json *x = json_get(object, str_of(key));
    return json_is(x, JSON_ARRAY) ? x : NULL;
}

int64_t json_get_int(const struct json *object, const char *key, int64_t fallback)
{
    int64_t value = fallback;
    return json_int(json_get(object, str_of(key)), &value) ? value : fallback;
}

bool json_get_bool(const struct json *object, const char *key, bool fallback)
{
    return json_bool(json_get(object, str_of(key)), fallback);
}

size_t json_count(const struct json *node)
{
    return has_members(node) ? node->count : 0;
}

struct json *json_first(const struct json *node)
{
    return has_members(node) ? node->as.members.first : NULL;
}

struct json *json_next(const struct json *node)
{
    return node == NULL ? NULL : node->next;
}

struct str json_key(const struct json *node)
{
    return node == NULL ? STR_ABSENT : node->key;
}

static bool members_eq(const struct json *a, const struct json *b)
{
    if (a->count != b->count) {
        return false;
    }
    const struct json *y = b->as.members.first;
    for (const struct json *x = a->as.members.first; x != NULL; x = x->next) {
        const struct json *other = a->kind == JSON_OBJECT ? json_get(b, x->key) : y;
        if (!json_eq(x, other)) {
            return false;
        }
        y = y->next;
    }
    return true;
}

bool json_eq(const struct json *a, const struct json *b)
{
    if (a == NULL || b == NULL || a->kind != b->kind) {
        return a == NULL && b == NULL;
    }
    switch (a->kind) {
    case JSON_NULL:
        return true;
    case JSON_BOOL:
        return a->as.truth == b->as.truth;
    case JSON_INT:
        return a->as.integer == b->as.integer;
    case JSON_NUMBER:
    case JSON_TEXT:
        return str_eq(a->as.text, b->as.text);
    case JSON_ARRAY:
    case JSON_OBJECT:
        return members_eq(a, b);
    }
    return false;
}

/* --- building ----------------------------------------------------------------------------- */

struct json *json_object(struct arena *a)
{
    return node_new(a, JSON_OBJECT);
}

struct json *json_array(struct arena *a)
{
    return node_new(a, JSON_ARRAY);
}

struct json *json_copy(struct arena *a, const struct json *node)
{
    if (node == NULL) {
        return NULL;
    }
    struct json *copy = node_new(a, node->kind);
    if (node->kind == JSON_TEXT || node->kind == JSON_NUMBER) {
        copy->as.text = arena_str(a, node->as.text);
    } else if (!has_members(node)) {
        copy->as = node->as;
    } else {
        for (const struct json *x = node->as.members.first; x != NULL; x = x->next) {
            node_append(copy, arena_str(a, x->key), json_copy(a, x));
        }
        if (node->as.members.index != NULL) {
            (void)node_index(copy);
        }
    }
    return copy;
}

static void unlink_child(struct json *parent, struct json *child)
{
    struct json *before = NULL;
    for (struct json *x = parent->as.members.first; x != child; x = x->next) {
        before = x;
    }
    if (before == NULL) {
        parent->as.members.first = child->next;
    } else {
        before->next = child->next;
    }
    if (parent->as.members.last == child) {
        parent->as.members.last = before;
    }
    parent->count--;
    parent->as.members.index = NULL;
    child->next = NULL;
    child->key = STR_ABSENT;
}

static void replace_child(struct json *object, struct json *old, struct json *child)
{
    struct json **at = &object->as.members.first;
    while (*at != old) {
        at = &(*at)->next;
    }
    child->key = old->key;
    child->next = old->next;
    *at = child;
    if (object->as.members.last == old) {
        object->as.members.last = child;
    }
    object->as.members.index = NULL;
}

/* Takes the place of an equal key, so that the order of members stays. The key must outlive it. */
static void put(struct json *object, struct str key, struct json *child)
{
    assert(json_is(object, JSON_OBJECT) && child != NULL);
    const struct json_index *index = object->as.members.index;
    struct json *old = json_get(object, key);
    if (old != NULL) {
        replace_child(object, old, child);
        return;
    }
    size_t n_rest = index == NULL ? object->count : index->n_rest;
    size_t n_sorted = index == NULL ? 0 : index->n;
    node_append(object, key, child);
    if (n_rest >= 32 + n_sorted / 16) {
        bool unique = node_index(object);
        assert(unique);
        (void)unique;
    }
}

static struct json *put_new(struct json *object, struct str key, enum json_kind kind)
{
    assert(json_is(object, JSON_OBJECT));
    struct arena *a = object->as.members.arena;
    struct json *child = node_new(a, kind);
    put(object, copy_text(a, key), child);
    return child;
}

static struct json *push_new(struct json *array, enum json_kind kind)
{
    assert(json_is(array, JSON_ARRAY));
    struct json *child = node_new(array->as.members.arena, kind);
    node_append(array, STR_ABSENT, child);
    return child;
}

/* A node that belongs to a parent already would drag its old neighbours along. */
static bool is_root(const struct json *node)
{
    return node != NULL && node->next == NULL && str_is_absent(node->key);
}

void json_put(struct json *object, struct str key, struct json *child)
{
    assert(json_is(object, JSON_OBJECT) && is_root(child));
    put(object, copy_text(object->as.members.arena, key), child);
}

void json_put_text(struct json *object, const char *key, struct str text)
{
    if (!str_is_absent(text)) {
        struct str copy = copy_text(object->as.members.arena, text);
        put_new(object, str_of(key), JSON_TEXT)->as.text = copy;
    }
}

void json_put_int(struct json *object, const char *key, int64_t value)
{
    put_new(object, str_of(key), JSON_INT)->as.integer = value;
}

void json_put_bool(struct json *object, const char *key, bool value)
{
    put_new(object, str_of(key), JSON_BOOL)->as.truth = value;
}

void json_put_null(struct json *object, const char *key)
{
    (void)put_new(object, str_of(key), JSON_NULL);
}

struct json *json_put_object(struct json *object, struct str key)
{
    return put_new(object, key, JSON_OBJECT);
}

struct json *json_put_array(struct json *object, struct str key)
{
    return put_new(object, key, JSON_ARRAY);
}

void json_remove(struct json *object, struct str key)
{
    struct json *child = json_get(object, key);
    if (child != NULL) {
        unlink_child(object, child);
    }
}

void json_push(struct json *array, struct json *child)
{
    assert(json_is(array, JSON_ARRAY) && is_root(child));
    node_append(array, STR_ABSENT, child);
}

void json_push_text(struct json *array, struct str text)
{
    assert(json_is(array, JSON_ARRAY));
    struct str copy = copy_text(array->as.members.arena, text);
    push_new(array, JSON_TEXT)->as.text = copy;
}

void json_push_int(struct json *array, int64_t value)
{
    push_new(array, JSON_INT)->as.integer = value;
}

struct json *json_push_object(struct json *array)
{
    return push_new(array, JSON_OBJECT);
}

struct json *json_push_array(struct json *array)
{
    return push_new(array, JSON_ARRAY);
}

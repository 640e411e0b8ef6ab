/* Parsing: our check, then cJSON, then a copy of its tree into the arena. The only file that knows
 * cJSON, and the only one where a number is a double (an integer that fits 53 bits survives it). */
#include "json/json.h"

#include <cjson/cJSON.h>

#include "base/limits.h"
#include "json/node.h"

/* From here on the index pays; below it a look at each member is faster. */
enum { INDEX_FROM = 16 };

static struct str copy_text(struct arena *a, const char *text)
{
    return arena_str(a, str_of(text));
}

static struct json *convert_scalar(struct arena *a, const cJSON *from)
{
    struct json *node;
    if (cJSON_IsString(from)) {
        struct str text = str_of(from->valuestring);
        if (str_starts(text, STR(NODE_NUMBER))) {
            node = node_new(a, JSON_NUMBER);
            node->as.text = arena_str(a, str_from(text, sizeof(NODE_NUMBER) - 1));
        } else {
            node = node_new(a, JSON_TEXT);
            node->as.text = arena_str(a, text);
        }
    } else if (cJSON_IsNumber(from)) {
        node = node_new(a, JSON_INT);
        node->as.integer = (int64_t)from->valuedouble;
    } else if (cJSON_IsBool(from)) {
        node = node_new(a, JSON_BOOL);
        node->as.truth = cJSON_IsTrue(from) != 0;
    } else {
        node = node_new(a, JSON_NULL);
    }
    return node;
}

/* NULL: two members of one object have the same key. The depth was checked. */
static struct json *convert(struct arena *a, const cJSON *from)
{
    if (!cJSON_IsObject(from) && !cJSON_IsArray(from)) {
        return convert_scalar(a, from);
    }
    bool object = cJSON_IsObject(from) != 0;
    struct json *node = node_new(a, object ? JSON_OBJECT : JSON_ARRAY);
    for (const cJSON *x = from->child; x != NULL; x = x->next) {
        struct json *child = convert(a, x);
        if (child == NULL) {
            return NULL;
        }
        struct str key = object ? copy_text(a, x->string) : STR_ABSENT;
        if (object && node->count < INDEX_FROM && json_get(node, key) != NULL) {
            return NULL;
        }
        node_append(node, key, child);
    }
    return object && node->count > INDEX_FROM && !node_index(node) ? NULL : node;
}

enum err json_parse(struct arena *a, struct str text, struct json **out, const char **why)
{
    struct buf form;
    cJSON_Hooks hooks = {.malloc_fn = base_alloc, .free_fn = base_free};
    /* Marks make a number longer by four bytes, and a number is at least two with its comma. */
    buf_init(&form, 3 * (size_t)HTTP_ANSWER_MAX + 16);
    enum err err = check_text(text, &form, why);
    if (err == ERR_NONE) {
        cJSON_InitHooks(&hooks);
        cJSON *tree = cJSON_ParseWithLength((const char *)form.p, form.n);
        /* What passed the check parses; if ever it does not, it is still a text from outside. */
        *out = tree == NULL ? NULL : convert(a, tree);
        if (*out == NULL) {
            err = ERR_SYNTAX;
        }
        if (err != ERR_NONE && why != NULL) {
            *why = tree == NULL ? "not JSON" : "an object has a key twice";
        }
        cJSON_Delete(tree);
    }
    buf_release(&form);
    return err;
}

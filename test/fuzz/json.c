/* JSON from anywhere: what is taken is written back as an equal tree, with one canonical form. */
#include "json/json.h"
#include "base/limits.h"
#include "test/fuzz/fuzz.h"
#include "json/canon.h"

static struct str canonical(struct arena *a, const struct json *tree)
{
    struct buf out;
    buf_init_in(&out, a, 8 * JSON_BODY_MAX);
    return canon_write(&out, tree, (struct strs){NULL, 0}) == ERR_NONE ? buf_str(&out) : STR_ABSENT;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new();
    struct json *tree = NULL;
    const char *why = NULL;
    if (json_parse(a, str_make(data, size), &tree, &why) == ERR_NONE) {
        struct json *again = NULL;
        struct str text = json_str(a, tree);
        assert(json_parse(a, text, &again, &why) == ERR_NONE);
        assert(json_eq(tree, again));
        assert(str_eq(json_str(a, again), text));
        struct str form = canonical(a, tree);
        assert(str_is_absent(form) == str_is_absent(canonical(a, again)));
        if (!str_is_absent(form)) {
            assert(json_parse(a, form, &again, &why) == ERR_NONE);
            assert(str_eq(canonical(a, again), form));
        }
    }
    arena_free(a);
    return 0;
}

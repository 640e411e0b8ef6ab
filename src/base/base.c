/* Memory that cannot fail, and the names of errors. The only file that calls malloc. */
#include "base/base.h"

#include <stdlib.h>

const char *err_name(enum err err)
{
    static const char *const names[] = {
        [ERR_NONE] = "none",     [ERR_SYNTAX] = "syntax",   [ERR_LIMIT] = "limit",
        [ERR_ABSENT] = "absent", [ERR_REFUSED] = "refused", [ERR_STORE] = "store",
        [ERR_FULL] = "full",     [ERR_CORRUPT] = "corrupt",
    };
    assert((size_t)err < COUNT_OF(names));
    return names[err];
}

void *base_alloc(size_t size)
{
    void *p = calloc(1, size > 0 ? size : 1);
    if (p == NULL) {
        abort();
    }
    return p;
}

void *base_realloc(void *old, size_t size)
{
    void *p = realloc(old, size > 0 ? size : 1);
    if (p == NULL) {
        abort();
    }
    return p;
}

void base_free(void *p)
{
    free(p);
}

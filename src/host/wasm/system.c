/* What the C library would import from its environment, answered here, so that the module imports
 * nothing but `host`. An assertion or abort leaves its reason in the log and traps: the worker
 * drops the instance, and the last durable turn is the truth. */
#include "host/wasm/import.h"
#include "host/wasm/vfs.h"

#include <stdio.h>
#include <string.h>
#include <wasi/api.h>

/* The names are the C library's and sqlite's, so no header of ours declares them. */
void emscripten_notify_memory_growth(size_t index);
_Noreturn void __assert_fail(const char *expression, const char *file, int line, const char *fn);
int sqlite3_os_init(void);
int sqlite3_os_end(void);

/* The worker makes its views anew whenever the memory's buffer is another one. */
void emscripten_notify_memory_growth(size_t index)
{
    (void)index;
}

static _Noreturn void die(const char *why)
{
    import_log(0, why, strlen(why));
    __builtin_trap();
}

_Noreturn void __assert_fail(const char *expression, const char *file, int line, const char *fn)
{
    char why[512];
    (void)snprintf(why, sizeof(why), "assertion failed: %s (%s:%d, %s)", expression, file, line,
                   fn);
    die(why);
}

/* Where abort() ends: base_alloc calls it when memory runs out. */
_Noreturn void __wasi_proc_exit(__wasi_exitcode_t status)
{
    (void)status;
    die("aborted: out of memory, or a bug");
}

/* An empty environment. */
__wasi_errno_t __wasi_environ_sizes_get(__wasi_size_t *count, __wasi_size_t *size)
{
    *count = 0;
    *size = 0;
    return 0;
}

__wasi_errno_t __wasi_environ_get(uint8_t **names, uint8_t *text)
{
    (void)names;
    (void)text;
    return 0;
}

/* Newer C libraries close their streams through this; there are none. */
__wasi_errno_t __wasi_fd_close(__wasi_fd_t fd)
{
    (void)fd;
    return __WASI_ERRNO_BADF;
}

/* sqlite starts only where some file system is registered; ours comes with the instance. */
int sqlite3_os_init(void)
{
    (void)vfs_new("none", NULL, import_random);
    return 0;
}

int sqlite3_os_end(void)
{
    return 0;
}

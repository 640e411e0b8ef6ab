/* What the module imports, all of it from one module named `host`. docs/host-interface.md is the
 * manual; system.c keeps the C library from importing more. */
#ifndef HOST_WASM_IMPORT_H
#define HOST_WASM_IMPORT_H

#include <stddef.h>
#include <stdint.h>

#define IMPORTED(name) __attribute__((import_module("host"), import_name(name)))

/* Fills out with n random bytes. Never fails. */
IMPORTED("random") void import_random(void *out, size_t n);
/* One line for the log. level is enum log_level's number. */
IMPORTED("log") void import_log(uint32_t level, const char *line, size_t n);

#endif

/* The words every folder may use: fixed-width types, the error row, the attributes.
 * Includes nothing of ours, so anything may include it. */
#ifndef BASE_BASE_H
#define BASE_BASE_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* What the world can do to us. A bug is an assert, a refusal by rule is a verdict or a reply. */
enum err {
    ERR_NONE = 0,
    ERR_SYNTAX,  /* bytes from outside do not have the form they must have */
    ERR_LIMIT,   /* larger, deeper or more than base/limits.h allows */
    ERR_ABSENT,  /* no such row, key or entry */
    ERR_REFUSED, /* a signature, tag, token or password does not fit */
    ERR_STORE,   /* a statement failed; the input's savepoint is rolled back */
    ERR_FULL,    /* the disk or the browser's quota is full; ends the turn */
    ERR_CORRUPT, /* the database is damaged or of another version; ends the turn */
};

/* A word for the log, e.g. "store". */
const char *err_name(enum err err);

/* Pass an error up: for functions that return enum err themselves. */
#define TRY(call)                                                                                  \
    do {                                                                                           \
        enum err try_err_ = (call);                                                                \
        if (try_err_ != ERR_NONE) {                                                                \
            return try_err_;                                                                       \
        }                                                                                          \
    } while (0)

/* Time goes in by argument. mono_ms never goes back and drives timers; unix_ms stamps events. */
struct now {
    int64_t mono_ms;
    int64_t unix_ms;
};

/* Memory from the system, zeroed. Never NULL: running out ends the process, and the last durable
 * turn is the truth. Only base/ and json/ (for cJSON's hooks) call these. */
void *base_alloc(size_t size) MUST_USE;
void *base_realloc(void *p, size_t size) MUST_USE; /* the new part is not zeroed */
void base_free(void *p);

#endif

/* Log lines on stderr: time, level, one fact. */
#ifndef HOST_NATIVE_LOG_H
#define HOST_NATIVE_LOG_H

#include "hs/hs.h"

#define LOG_LINE_MAX 2064

/* "2026-01-31T12:00:00.000Z info text"; control characters are written as '?'. Lines are cut at
 * 2,000 bytes. */
struct str log_write(char out[LOG_LINE_MAX], enum log_level level, int64_t unix_ms,
                     struct str text);
/* The same, with its newline, on stderr. */
void log_line(enum log_level level, int64_t unix_ms, struct str text);

#endif

/* One write(2) a line, so that lines of several processes on one pipe do not mix. */
#define _GNU_SOURCE /* gmtime_r */
#include "host/native/log.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define TEXT_MAX 2000

struct str log_write(char line[LOG_LINE_MAX], enum log_level level, int64_t unix_ms,
                     struct str text)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};
    struct tm utc;
    time_t seconds = (time_t)(unix_ms / 1000);
    gmtime_r(&seconds, &utc);
    size_t n = strftime(line, 32, "%Y-%m-%dT%H:%M:%S", &utc);
    n += (size_t)snprintf(line + n, 32, ".%03dZ %s ", (int)(unix_ms % 1000), names[level]);
    for (size_t i = 0; i < text.n && i < TEXT_MAX; i++) {
        unsigned char c = (unsigned char)text.p[i];
        line[n++] = (char)(c < 0x20 || c == 0x7f ? '?' : c);
    }
    return str_make(line, n);
}

void log_line(enum log_level level, int64_t unix_ms, struct str text)
{
    char line[LOG_LINE_MAX];
    size_t n = log_write(line, level, unix_ms, text).n;
    line[n++] = '\n';
    ssize_t wrote = write(STDERR_FILENO, line, n);
    (void)wrote; /* a log that cannot be written has nowhere to complain */
}

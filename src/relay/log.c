/* Levels, and lines for the host to write. */
#include "relay/log.h"

#include <string.h>

enum { SUMS_MS = 10 * 1000, LINE_MAX_SIZE = 1024 };

static const struct str names[LOG_LEVELS] = {
    [LOG_ERROR] = STR_INIT("error"),
    [LOG_WARN] = STR_INIT("warn"),
    [LOG_INFO] = STR_INIT("info"),
    [LOG_DEBUG] = STR_INIT("debug"),
};

const char *log_level_name(enum log_level level)
{
    return names[level].p;
}

enum err log_level_read(struct str name, enum log_level *out)
{
    for (int i = 0; i < LOG_LEVELS; i++) {
        if (str_eq(names[i], name)) {
            *out = (enum log_level)i;
            return ERR_NONE;
        }
    }
    return ERR_ABSENT;
}

void log_fact(const struct log *log, enum log_level level, const char *what, struct str subject)
{
    if (log->write == NULL || level > log->most) {
        return;
    }
    struct buf line;
    buf_init(&line, LINE_MAX_SIZE);
    buf_add(&line, str_of(what));
    buf_add_char(&line, ' ');
    for (size_t i = 0; i < subject.n && line.n < LINE_MAX_SIZE; i++) {
        buf_add_char(&line, subject.p[i] > ' ' && subject.p[i] <= '~' ? subject.p[i] : '?');
    }
    log->write(log->arg, level, buf_str(&line));
    buf_release(&line);
}

void log_sums(struct log *log, struct now now, const struct metrics *metrics)
{
    if (log->write == NULL || log->most < LOG_WARN || now.mono_ms < log->sums_ms) {
        return;
    }
    log->sums_ms = now.mono_ms + SUMS_MS;
    for (size_t i = 0; i < n_limit_rows; i++) {
        size_t at = limit_rows[i].offset / sizeof(int64_t);
        uint64_t n = metrics->hits[at] - log->told[at];
        if (n > 0) {
            struct buf line;
            log->told[at] = metrics->hits[at];
            buf_init(&line, LINE_MAX_SIZE);
            buf_add_fmt(&line, "limit %.*s said no %llu times", STR_ARG(limit_rows[i].name),
                        (unsigned long long)n);
            log->write(log->arg, LOG_WARN, buf_str(&line));
            buf_release(&line);
        }
    }
}

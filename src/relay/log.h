/* Facts for who runs the relay: a line each, with a level. What strangers can cause at will is told
 * in sums, so that they cannot fill a disk. */
#ifndef RELAY_LOG_H
#define RELAY_LOG_H

#include "relay/metrics.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG, LOG_LEVELS };

/* All zero: nothing is written. */
struct log {
    enum log_level most;                                             /* what is written at all */
    void (*write)(void *arg, enum log_level level, struct str fact); /* one line, plain ASCII */
    void *arg;
    int64_t sums_ms; /* when sums are told next */
    uint64_t told[sizeof(struct limits) / sizeof(int64_t)];
};

/* "error", "warn", "info", "debug". */
const char *log_level_name(enum log_level level);
/* ERR_ABSENT: no such name. */
enum err log_level_read(struct str name, enum log_level *out) MUST_USE;

/* "what subject": what strangers chose stands in the subject, made plain ASCII. */
void log_fact(const struct log *log, enum log_level level, const char *what, struct str subject);
/* Each limit that said no since the last time, every 10 s at most. */
void log_sums(struct log *log, struct now now, const struct metrics *metrics);

#endif

/* The trace is one running number (FNV-1a) of everything that went in and came out. */
#include "test/sim/world.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void mix(struct world *world, const char *bytes, size_t n)
{
    uint64_t trace = world->trace;
    for (size_t i = 0; i < n; i++) {
        trace = (trace ^ (unsigned char)bytes[i]) * 0x100000001B3u;
    }
    world->trace = trace;
}

void world_trace(struct world *world, const char *format, ...)
{
    char line[512];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    size_t used = n < (int)sizeof(line) ? (size_t)n : sizeof(line) - 1;
    mix(world, line, used);
    mix(world, (const char *)&world->now_ms, sizeof(world->now_ms));
    if (world->is_verbose) {
        printf("%8lld %s\n", (long long)world->now_ms, line);
    } else {
        snprintf(world->last[world->n_lines++ % WORLD_LAST_LINES], WORLD_LINE, "%8lld %.*s",
                 (long long)world->now_ms, WORLD_LINE - 24, line);
    }
}

void world_trace_bytes(struct world *world, struct str bytes)
{
    mix(world, bytes.p, bytes.n);
}

/* What led here, oldest first. */
static void tell_last(const struct world *world)
{
    size_t n = world->n_lines < WORLD_LAST_LINES ? world->n_lines : WORLD_LAST_LINES;
    for (size_t i = world->n_lines - n; i < world->n_lines; i++) {
        puts(world->last[i % WORLD_LAST_LINES]);
    }
}

void world_fail(struct world *world, const char *format, ...)
{
    va_list args;
    bool is_first = !world->is_failed;
    world->is_failed = true;
    if (world->is_quiet || !is_first) {
        return;
    }
    tell_last(world);
    va_start(args, format);
    printf("seed %llu at %lld ms: ", (unsigned long long)world->seed, (long long)world->now_ms);
    vprintf(format, args);
    putchar('\n');
    va_end(args);
}

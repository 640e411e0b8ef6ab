/* The trace is one running number (FNV-1a) of everything that went in and came out. */
#include "test/sim/world.h"

#include <stdarg.h>
#include <stdio.h>

static void mix(struct world *world, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        world->trace = (world->trace ^ (unsigned char)bytes[i]) * 0x100000001B3u;
    }
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
    }
}

void world_trace_bytes(struct world *world, struct str bytes)
{
    mix(world, bytes.p, bytes.n);
}

void world_fail(struct world *world, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    printf("seed %llu at %lld ms: ", (unsigned long long)world->seed, (long long)world->now_ms);
    vprintf(format, args);
    putchar('\n');
    va_end(args);
    world->is_failed = true;
}

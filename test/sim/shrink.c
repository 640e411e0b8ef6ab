/* Delta debugging over the numbers of the schedule. What is left may fail in another way than the
 * whole did; it fails. */
#include "test/sim/shrink.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define RUNS_MAX 600

struct item {
    size_t kind, number;
};

struct shrinker {
    uint64_t seed;
    struct run_options options;
    struct schedule kept, happened;
    struct item items[HAPPENS_KINDS * SCHEDULE_MAX];
    size_t n;
    int runs;
};

static bool still_fails(struct shrinker *s)
{
    s->runs++;
    return !run_seed(s->seed, &s->options).is_ok;
}

/* Lists what is kept. */
static void list(struct shrinker *s)
{
    s->n = 0;
    for (size_t kind = 0; kind < HAPPENS_KINDS; kind++) {
        for (size_t i = 0; i < SCHEDULE_MAX; i++) {
            if (s->kept.kept[kind][i]) {
                s->items[s->n++] = (struct item){kind, i};
            }
        }
    }
}

static void keep(struct shrinker *s, size_t from, size_t to, bool is_kept)
{
    for (size_t i = from; i < to; i++) {
        s->kept.kept[s->items[i].kind][s->items[i].number] = is_kept;
    }
}

/* One pass with parts of this size. True: something went. */
static bool pass(struct shrinker *s, size_t size)
{
    bool has_shrunk = false;
    list(s);
    for (size_t from = 0; from < s->n && s->runs < RUNS_MAX; from += size) {
        size_t to = from + size < s->n ? from + size : s->n;
        keep(s, from, to, false);
        if (still_fails(s)) {
            has_shrunk = true;
        } else {
            keep(s, from, to, true);
        }
    }
    return has_shrunk;
}

static void tell(struct shrinker *s)
{
    list(s);
    s->options.is_quiet = false;
    run_seed(s->seed, &s->options);
    printf("seed %" PRIu64
           " fails with %zu of its faults and acts, found in %d runs; again with:\n  ",
           s->seed, s->n, s->runs);
    run_tell_command(s->seed, &s->options);
    printf(" ONLY=\"");
    schedule_print(&s->kept);
    puts("\"");
}

bool shrink(uint64_t seed, const struct run_options *options)
{
    struct shrinker *s = base_alloc(sizeof(*s));
    s->seed = seed;
    s->options = *options;
    s->options.is_quiet = true;
    s->options.happened = &s->happened;
    bool fails = still_fails(s);
    if (fails) {
        s->options.happened = NULL;
        s->options.schedule = &s->kept;
        s->kept.is_limited = true;
        memcpy(s->kept.kept, s->happened.happened, sizeof(s->kept.kept));
        list(s);
        for (size_t size = (s->n + 1) / 2; size > 0 && s->runs < RUNS_MAX; size /= 2) {
            while (pass(s, size) && size == 1 && s->runs < RUNS_MAX) {
            }
        }
        tell(s);
    }
    base_free(s);
    return fails;
}

/* sim [--seed N | --seeds A..B | --from A --minutes M] [--step N] [--nodes N] [--restless] [--liar]
 * [--once]
 *     [--brief] [--first] [--shrink] [--only WHAT] [--verbose]
 *
 * Runs seeds; run.h says what one is. Each is run twice, which must leave the same trace (--once:
 * not so; --first: until one fails; --shrink: the first one is shortened; --only: of its faults and
 * acts just these, as schedule.h writes them); the last lines give a number of all traces and the
 * verdict. */
#include "test/sim/shrink.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SEEDS_MAX 1000000

struct options {
    struct run_options run;
    uint64_t first, last, step;
    uint64_t minutes; /* 0: as many seeds as there are */
    bool is_once, is_brief, is_first, is_shrinking;
    struct schedule only;
};

static void tell(uint64_t seed, const struct run_result *r)
{
    printf("seed %" PRIu64 ": %zu nodes, %" PRId64 " ms, %" PRIu64 " turns, %" PRIu64
           " flushes, %" PRIu64 " requests, %" PRIu64 " link messages, %" PRIu64
           " crashes, trace %016" PRIx64 "\n",
           seed, r->nodes, r->ms, r->counts.turns, r->counts.flushes, r->counts.requests,
           r->counts.link_messages, r->counts.crashes, r->trace);
}

/* The second run shows that nothing but the seed decides. */
static bool seed_passes(uint64_t seed, const struct options *options, uint64_t *digest)
{
    struct run_result first = run_seed(seed, &options->run);
    bool ok = first.is_ok;
    if (ok && !options->is_brief) {
        tell(seed, &first);
    }
    if (ok && !options->is_once) {
        struct run_result second = run_seed(seed, &options->run);
        ok = second.is_ok && first.trace == second.trace;
        if (!ok) {
            printf("seed %" PRIu64 ": two runs differ, %016" PRIx64 " and %016" PRIx64 "\n", seed,
                   first.trace, second.trace);
        }
    }
    if (!ok) {
        printf("seed %" PRIu64 " fails; again with: ", seed);
        run_tell_command(seed, &options->run);
        putchar('\n');
    }
    *digest = (*digest ^ first.trace) * 0x100000001B3u;
    fflush(stdout);
    return ok;
}

static bool flag_parse(struct options *out, const char *name)
{
    if (strcmp(name, "--verbose") == 0) {
        out->run.is_verbose = true;
    } else if (strcmp(name, "--once") == 0) {
        out->is_once = true;
    } else if (strcmp(name, "--restless") == 0) {
        out->run.is_restless = true;
    } else if (strcmp(name, "--liar") == 0) {
        out->run.has_liar = true;
    } else if (strcmp(name, "--shrink") == 0) {
        out->is_shrinking = true;
    } else if (strcmp(name, "--first") == 0) {
        out->is_first = true;
    } else if (strcmp(name, "--brief") == 0) {
        out->is_brief = true;
    } else {
        return false;
    }
    return true;
}

static bool value_parse(struct options *out, const char *name, const char *text)
{
    char *end;
    if (strcmp(name, "--only") == 0) {
        out->run.schedule = &out->only;
        return schedule_parse(&out->only, text);
    }
    uint64_t number = strtoull(text, &end, 10);
    if (end == text) {
        return false;
    }
    if (strcmp(name, "--seeds") == 0 && strncmp(end, "..", 2) == 0) {
        out->first = number;
        out->last = strtoull(end + 2, &end, 10);
    } else if (strcmp(name, "--seed") == 0) {
        out->first = out->last = number;
    } else if (strcmp(name, "--from") == 0) {
        out->first = number;
        out->last = number + SEEDS_MAX - 1;
    } else if (strcmp(name, "--minutes") == 0) {
        out->minutes = number;
    } else if (strcmp(name, "--step") == 0 && number > 0) {
        out->step = number;
    } else if (strcmp(name, "--nodes") == 0 && number <= WORLD_NODES_MAX) {
        out->run.nodes = (size_t)number;
    } else {
        return false;
    }
    return *end == '\0';
}

static bool options_parse(struct options *out, int argc, char **argv)
{
    *out = (struct options){.first = 1, .last = 4, .step = 1};
    for (int i = 1; i < argc; i++) {
        if (flag_parse(out, argv[i])) {
            continue;
        }
        if (i + 1 == argc || !value_parse(out, argv[i], argv[i + 1])) {
            return false;
        }
        i++;
    }
    return out->first <= out->last && out->last - out->first < SEEDS_MAX;
}

int main(int argc, char **argv)
{
    struct options options;
    uint64_t passed = 0, failed = 0, digest = 0xCBF29CE484222325u;
    if (!options_parse(&options, argc, argv)) {
        fputs("Usage: sim [--seed N | --seeds A..B | --from A --minutes M] [--step N] [--nodes N]\n"
              "           [--restless] [--liar] [--once] [--brief]\n"
              "           [--first] [--shrink] [--only WHAT] [--verbose]\n",
              stderr);
        return 2;
    }
    if (options.is_shrinking) {
        return shrink(options.first, &options.run) ? 1 : 0;
    }
    time_t end = time(NULL) + (time_t)options.minutes * 60;
    for (uint64_t seed = options.first; seed <= options.last; seed += options.step) {
        bool is_over = (options.minutes != 0 && time(NULL) >= end) || (options.is_first && failed);
        if (is_over) {
            break;
        }
        if (seed_passes(seed, &options, &digest)) {
            passed++;
        } else {
            failed++;
        }
    }
    printf("digest %016" PRIx64 "\n", digest);
    printf("%" PRIu64 " passed, %" PRIu64 " failed\n", passed, failed);
    return failed == 0 ? 0 : 1;
}

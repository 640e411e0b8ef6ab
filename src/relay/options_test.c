/* npm's flags and variables. */
#include "relay/options.h"
#include "test/test.h"

static const char *no_env(const char *name)
{
    (void)name;
    return NULL;
}

static const char *full_env(const char *name)
{
    static const struct {
        const char *name, *value;
    } rows[] = {{"PORT", "1234"},
                {"HOST", "::1"},
                {"DISABLE_CRYPTO_CHALLENGE", "1"},
                {"DISABLE_METRICS", ""}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (strcmp(rows[i].name, name) == 0) {
            return rows[i].value;
        }
    }
    return NULL;
}

enum { WORDS_MAX = 8 };

/* Parses "a b c" as a command line. */
static enum err parse(struct arena *a, const char *line, const char *(*env)(const char *),
                      struct options *out, struct str *why)
{
    char *argv[WORDS_MAX + 1] = {0};
    int argc = 0;
    struct str word, rest = arena_str(a, str_of(line));
    while (rest.n > 0 && argc < WORDS_MAX) {
        if (!str_cut(rest, ' ', &word, &rest)) {
            word = rest;
            rest = STR("");
        }
        char *copy = arena_alloc(a, word.n + 1);
        memcpy(copy, word.p, word.n);
        argv[argc] = copy;
        argc++;
    }
    return options_parse(a, argc, argv, env, out, why);
}

TEST(has_npms_defaults)
{
    struct arena *a = arena_new();
    struct options o;
    struct str why;
    CHECK(parse(a, "rendezvous", no_env, &o, &why) == ERR_NONE);
    CHECK(o.port == 9090 && strcmp(o.host, "0.0.0.0") == 0);
    CHECK(o.has_challenge && o.is_strict && o.has_metrics);
    CHECK(o.limits.queue_high == 1048576);
    arena_free(a);
}

TEST(takes_every_spelling_of_an_option)
{
    static const char *const lines[] = {"r --port=18 --host=h", "r --port 18 --host h",
                                        "r -p 18 -h h", "r -p18 -hh"};
    struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        struct options o;
        struct str why;
        CHECK(parse(a, lines[i], full_env, &o, &why) == ERR_NONE);
        CHECK(o.port == 18 && strcmp(o.host, "h") == 0);
    }
    struct options o;
    struct str why;
    CHECK(parse(a, "r --disableCryptoChallenge --disableStrictMultiaddr=1 --disableMetrics true",
                no_env, &o, &why) == ERR_NONE);
    CHECK(!o.has_challenge && !o.is_strict && !o.has_metrics);
    CHECK(parse(a, "r --port=0", no_env, &o, &why) == ERR_NONE);
    CHECK(o.port == 9090);
    CHECK(parse(a, "r --limit stall=500 --limit=streams=7", no_env, &o, &why) == ERR_NONE);
    CHECK(o.limits.stall_ms == 500 && o.limits.streams_per_connection == 7);
    arena_free(a);
}

TEST(reads_the_environment_where_no_option_is_given)
{
    struct arena *a = arena_new();
    struct options o;
    struct str why;
    CHECK(parse(a, "r", full_env, &o, &why) == ERR_NONE);
    CHECK(o.port == 1234 && strcmp(o.host, "::1") == 0);
    CHECK(!o.has_challenge && o.is_strict && o.has_metrics);
    arena_free(a);
}

TEST(says_a_sentence_about_a_bad_flag)
{
    static const struct {
        const char *line, *why;
    } rows[] = {
        {"r --nope", "--nope: there is no such option; --help lists them."},
        {"r --port", "--port needs a value."},
        {"r --port=x", "--port x: a port is a number up to 65535."},
        {"r --port=65536", "--port 65536: a port is a number up to 65535."},
        {"r word", "word: only options are understood; --help lists them."},
        {"r --limit nope=1", "--limit nope=1: there is no limit of that name."},
        {"r --limit stall", "--limit stall: it has to be NAME=NUMBER."},
        {"r --limit stall=-1", "--limit stall=-1: that number is not allowed."},
        {"r --cluster http://h", "--cluster http://h: give it as nats://HOST:PORT."},
        {"r --limit queue-low=2000000",
         "queue-low, queue-high and queue-max have to be in that order."},
    };
    struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct options o;
        struct str why = STR("");
        CHECK(parse(a, rows[i].line, no_env, &o, &why) == ERR_SYNTAX);
        CHECK_STR(why, str_of(rows[i].why));
    }
    arena_free(a);
}

TEST_MAIN(TEST_ROW(has_npms_defaults), TEST_ROW(takes_every_spelling_of_an_option),
          TEST_ROW(reads_the_environment_where_no_option_is_given),
          TEST_ROW(says_a_sentence_about_a_bad_flag))

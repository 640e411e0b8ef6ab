/* A test program: TEST(name_as_a_sentence) { CHECK(...); } ... TEST_MAIN(a, b, c)
 * Prints TAP; exits 1 when a check failed. The same binary runs natively and under node. */
#ifndef TEST_TEST_H
#define TEST_TEST_H

#include <stdio.h>
#include <string.h>

static int test_failures;

#define TEST(name) static void name(void)
#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            test_failures++;                                                                       \
            printf("# %s:%d: CHECK(%s)\n", __FILE__, __LINE__, #condition);                        \
        }                                                                                          \
    } while (0)
#define CHECK_STR(got, want)                                                                       \
    do {                                                                                           \
        struct str got_ = (got);                                                                   \
        struct str want_ = (want);                                                                 \
        if (!str_eq(got_, want_)) {                                                                \
            test_failures++;                                                                       \
            printf("# %s:%d: %s\n#   got  \"%.*s\"\n#   want \"%.*s\"\n", __FILE__, __LINE__,      \
                   #got, (int)got_.n, got_.p == NULL ? "" : got_.p, (int)want_.n,                  \
                   want_.p == NULL ? "" : want_.p);                                                \
        }                                                                                          \
    } while (0)

struct test_row {
    const char *name;
    void (*run)(void);
};

static inline int test_run(const struct test_row *rows, size_t n)
{
    int failed = 0;
    printf("1..%zu\n", n);
    for (size_t i = 0; i < n; i++) {
        test_failures = 0;
        rows[i].run();
        printf("%s %zu - %s\n", test_failures == 0 ? "ok" : "not ok", i + 1, rows[i].name);
        failed += test_failures != 0;
    }
    return failed == 0 ? 0 : 1;
}

#define TEST_ROW(name)                                                                             \
    {                                                                                              \
#name, name                                                                                \
    }
/* TEST_MAIN(TEST_ROW(a), TEST_ROW(b)) */
#define TEST_MAIN(...)                                                                             \
    int main(void)                                                                                 \
    {                                                                                              \
        static const struct test_row rows[] = {__VA_ARGS__};                                       \
        return test_run(rows, sizeof(rows) / sizeof(rows[0]));                                     \
    }

#endif

/* Borrowed text. No allocation here. */
#include "base/str.h"

#include <string.h>

struct str str_of(const char *terminated)
{
    return terminated == NULL ? STR_ABSENT : (struct str){terminated, strlen(terminated)};
}

struct str str_make(const void *p, size_t n)
{
    return (struct str){p, n};
}

bool str_is_absent(struct str s)
{
    return s.p == NULL;
}

bool str_is_empty(struct str s)
{
    return s.n == 0;
}

bool str_eq(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

int str_cmp(struct str a, struct str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n == 0 ? 0 : memcmp(a.p, b.p, n);
    if (order != 0) {
        return order;
    }
    return (a.n > b.n) - (a.n < b.n);
}

bool str_starts(struct str s, struct str prefix)
{
    return s.n >= prefix.n && str_eq(str_sub(s, 0, prefix.n), prefix);
}

bool str_ends(struct str s, struct str suffix)
{
    return s.n >= suffix.n && str_eq(str_from(s, s.n - suffix.n), suffix);
}

struct str str_from(struct str s, size_t at)
{
    if (at > s.n) {
        at = s.n;
    }
    return s.p == NULL ? s : (struct str){s.p + at, s.n - at};
}

struct str str_sub(struct str s, size_t at, size_t n)
{
    struct str rest = str_from(s, at);
    if (n < rest.n) {
        rest.n = n;
    }
    return rest;
}

struct str str_trim(struct str s)
{
    while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t')) {
        s = str_from(s, 1);
    }
    while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t')) {
        s.n--;
    }
    return s;
}

bool str_find(struct str s, char c, size_t *at)
{
    const char *found = s.n == 0 ? NULL : memchr(s.p, c, s.n);
    if (found == NULL) {
        return false;
    }
    *at = (size_t)(found - s.p);
    return true;
}

bool str_find_last(struct str s, char c, size_t *at)
{
    for (size_t i = s.n; i > 0; i--) {
        if (s.p[i - 1] == c) {
            *at = i - 1;
            return true;
        }
    }
    return false;
}

bool str_cut(struct str s, char sep, struct str *head, struct str *tail)
{
    size_t at;
    if (!str_find(s, sep, &at)) {
        return false;
    }
    *head = str_sub(s, 0, at);
    *tail = str_from(s, at + 1);
    return true;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool str_eq_nocase(struct str a, struct str b)
{
    if (a.n != b.n) {
        return false;
    }
    for (size_t i = 0; i < a.n; i++) {
        if (lower(a.p[i]) != lower(b.p[i])) {
            return false;
        }
    }
    return true;
}

bool str_to_i64(struct str s, int64_t *out)
{
    bool negative = s.n > 0 && s.p[0] == '-';
    struct str digits = str_from(s, negative ? 1 : 0);
    int64_t value = 0;
    if (digits.n == 0) {
        return false;
    }
    for (size_t i = 0; i < digits.n; i++) {
        char c = digits.p[i];
        /* Summed up below zero, where there is one number more. */
        if (c < '0' || c > '9' || value < (INT64_MIN + (c - '0')) / 10) {
            return false;
        }
        value = value * 10 - (c - '0');
    }
    if (!negative && value == INT64_MIN) {
        return false;
    }
    *out = negative ? value : -value;
    return true;
}

/* Borrowed text: a pointer and a length, not terminated, not owned. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include "base/base.h"

struct str {
    const char *p; /* NULL only for "absent", see str_is_absent */
    size_t n;
};

/* A literal, e.g. STR("m.room.create"). */
#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})
/* The same for static tables, where a compound literal is not a constant. */
#define STR_INIT(literal)                                                                          \
    {                                                                                              \
        (literal), sizeof(literal) - 1                                                             \
    }
/* For printf-like formats: "%.*s", STR_ARG(s). */
#define STR_ARG(s) (int)(s).n, (s).p
#define STR_ABSENT ((struct str){NULL, 0})

struct strs {
    const struct str *at;
    size_t n;
};

struct str str_of(const char *terminated); /* NULL gives STR_ABSENT */
struct str str_make(const void *p, size_t n);
bool str_is_absent(struct str s);
bool str_is_empty(struct str s); /* absent counts as empty */
bool str_eq(struct str a, struct str b);
int str_cmp(struct str a, struct str b); /* bytewise, shorter first */
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
struct str str_from(struct str s, size_t at);          /* s[at..], at clamped to the length */
struct str str_sub(struct str s, size_t at, size_t n); /* both clamped */
struct str str_trim(struct str s);                     /* spaces and tabs at both ends */
bool str_find(struct str s, char c, size_t *at);       /* first c */
bool str_find_last(struct str s, char c, size_t *at);  /* last c */
/* Splits at the first sep: *head before it, *tail after it. False and untouched when there is none.
 */
bool str_cut(struct str s, char sep, struct str *head, struct str *tail);
bool str_eq_nocase(struct str a, struct str b); /* ASCII letters only: header names */
/* Decimal with optional minus; false on anything else or overflow. */
bool str_to_i64(struct str s, int64_t *out);

#endif

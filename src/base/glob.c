/* Matching with one star remembered at a time. */
#include "base/glob.h"

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Letters of other scripts count as parts of words. */
static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (unsigned char)c >= 0x80;
}

/* Where a match of the pattern at the start of text may end: at the end of text, or (not whole) at
 * the end of a word. One star is remembered at a time. */
static bool match(struct str pattern, struct str text, bool whole)
{
    size_t p = 0;
    size_t t = 0;
    size_t star = SIZE_MAX;
    size_t mark = 0;
    while (true) {
        bool at_end = p == pattern.n;
        if (at_end && (t == text.n ||
                       (!whole && (t == 0 || !is_word(text.p[t - 1]) || !is_word(text.p[t]))))) {
            return true;
        }
        if (!at_end && pattern.p[p] == '*') {
            star = p;
            mark = t;
            p++;
        } else if (!at_end && t < text.n &&
                   (pattern.p[p] == '?' || lower(pattern.p[p]) == lower(text.p[t]))) {
            p++;
            t++;
        } else if (star != SIZE_MAX && mark < text.n) {
            p = star + 1;
            mark++;
            t = mark;
        } else {
            return false;
        }
    }
}

bool glob_fits(struct str pattern, struct str text)
{
    return match(pattern, text, true);
}

bool glob_finds(struct str pattern, struct str text)
{
    bool found = false;
    for (size_t i = 0; i < text.n && pattern.n > 0 && !found; i++) {
        bool at_boundary = i == 0 || !is_word(text.p[i - 1]) || !is_word(text.p[i]);
        found = at_boundary && match(pattern, str_from(text, i), false);
    }
    return found;
}

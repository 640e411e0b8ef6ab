/* Patterns with '*' (any text) and '?' (any one byte); the case of ASCII letters does not matter.
 */
#ifndef BASE_GLOB_H
#define BASE_GLOB_H

#include "base/str.h"

/* The whole text. Quadratic at worst. */
bool glob_fits(struct str pattern, struct str text);
/* Somewhere in the text, from one boundary of words to another; an empty pattern nowhere. */
bool glob_finds(struct str pattern, struct str text);

#endif

/* Why something is refused, as a sentence for a person. */
#ifndef HOST_NATIVE_SENTENCE_H
#define HOST_NATIVE_SENTENCE_H

#include "base/base.h"

/* snprintf into why, which has room for size bytes. Always false: `return sentence_refuse(...)`. */
bool sentence_refuse(char *why, size_t size, const char *format, ...) PRINTF_LIKE(3, 4);

#endif

/* A refusal's text. */
#include "host/native/sentence.h"

#include <stdarg.h>
#include <stdio.h>

bool sentence_refuse(char *why, size_t size, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(why, size, format, args);
    va_end(args);
    return false;
}

/* Small words of the engine: log, randomness, what is ours. */
#include "engine/engine.h"

#include "event/mxid.h"

#include <stdarg.h>
#include <stdio.h>

enum { LOG_LINE_MAX = 1024 };

void hs_log(struct hs *hs, enum log_level level, const char *format, ...)
{
    char line[LOG_LINE_MAX];
    va_list args;
    if (level == LOG_DEBUG && !hs->settings.logs_debug) {
        return;
    }
    va_start(args, format);
    int n = vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    size_t length = n < 0 ? 0 : (size_t)n;
    hs->host.log(hs->host.ctx, level,
                 str_make(line, length < sizeof(line) ? length : sizeof(line) - 1));
}

void hs_random(struct hs *hs, void *out, size_t n)
{
    hs->host.random(hs->host.ctx, out, n);
}

struct str hs_random_text(struct hs *hs, struct arena *a, size_t n)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    unsigned char *text = arena_alloc(a, n + 1);
    size_t done = 0;
    while (done < n) {
        unsigned char byte;
        hs_random(hs, &byte, 1);
        if (byte < 52 * 4) { /* the rest would favour the first letters */
            text[done] = (unsigned char)letters[byte % 52];
            done++;
        }
    }
    return str_make(text, n);
}

struct event_signer hs_signer(const struct hs *hs)
{
    return (struct event_signer){hs->identity.server, hs->identity.key_id, &hs->identity.key};
}

bool hs_is_ours(const struct hs *hs, struct str id)
{
    return str_eq(mxid_server(id), hs->identity.server);
}

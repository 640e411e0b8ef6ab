/* Replies, queries, body shapes. */
#include "engine/req.h"

#include "base/encode.h"

#include <stdarg.h>
#include <stdio.h>

enum { SENTENCE_MAX = 512 };

enum err reply_json(struct req *req, struct json *body)
{
    req->reply.status = 200;
    req->reply.json = body;
    return ERR_NONE;
}

enum err reply_empty(struct req *req)
{
    return reply_json(req, json_object(req->a));
}

enum err reply_error(struct req *req, int status, const char *code, const char *format, ...)
{
    char sentence[SENTENCE_MAX];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(sentence, sizeof(sentence), format, args);
    va_end(args);
    size_t length = n < 0 ? 0 : (size_t)n;
    struct str text = str_make(sentence, length < sizeof(sentence) ? length : sizeof(sentence) - 1);
    while (text.n > 0 && !utf8_is_valid(text)) {
        text.n--; /* the cut may have gone through a character */
    }
    req->reply.status = status;
    req->reply.json = json_object(req->a);
    json_put_text(req->reply.json, "errcode", str_of(code));
    json_put_text(req->reply.json, "error", text);
    return ERR_NONE;
}

enum err reply_limit(struct req *req, enum err err)
{
    return err != ERR_LIMIT ? err
                            : reply_error(req, 413, "M_TOO_LARGE",
                                          "this is more than other servers take at once");
}

struct str req_query(struct req *req, const char *key)
{
    return http_query(req->a, req->head->query, str_of(key));
}

int64_t req_query_int(struct req *req, const char *key, int64_t fallback)
{
    int64_t value;
    return str_to_i64(req_query(req, key), &value) ? value : fallback;
}

enum err req_park(struct req *req, resume_fn resume, int64_t until_ms, bool wakes)
{
    req->reply.parked = true;
    req->resume = resume;
    req->until_ms = until_ms;
    req->wakes = wakes;
    return ERR_NONE;
}

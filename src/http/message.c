/* What is asked of a parsed message: headers, query values, phrases. */
#include "http/message.h"

#include "base/encode.h"

struct str http_header(const struct http_head *head, struct str name)
{
    for (size_t i = 0; i < head->n_headers; i++) {
        if (str_eq_nocase(head->headers[i].name, name)) {
            return head->headers[i].value;
        }
    }
    return STR_ABSENT;
}

struct str http_header_last(const struct http_head *head, struct str name)
{
    for (size_t i = head->n_headers; i > 0; i--) {
        if (str_eq_nocase(head->headers[i - 1].name, name)) {
            return head->headers[i - 1].value;
        }
    }
    return STR_ABSENT;
}

/* Cuts the next "key=value" off; false at the end. */
static bool next_pair(struct str *rest, struct str *key, struct str *value)
{
    struct str pair;
    while (rest->n > 0) {
        if (!str_cut(*rest, '&', &pair, rest)) {
            pair = *rest;
            *rest = STR("");
        }
        if (!str_cut(pair, '=', key, value)) {
            *key = pair;
            *value = STR("");
        }
        if (pair.n > 0) {
            return true;
        }
    }
    return false;
}

struct strs http_query_all(struct arena *a, struct str query, struct str key)
{
    struct str *values = arena_array(a, HTTP_QUERY_MAX, sizeof(*values));
    struct str raw_key, raw_value, name;
    size_t n = 0;
    for (size_t i = 0; i < HTTP_QUERY_MAX && next_pair(&query, &raw_key, &raw_value); i++) {
        if (percent_parse(a, raw_key, true, &name) == ERR_NONE && str_eq(name, key) &&
            percent_parse(a, raw_value, true, &values[n]) == ERR_NONE) {
            n++;
        }
    }
    return (struct strs){values, n};
}

struct str http_query(struct arena *a, struct str query, struct str key)
{
    struct str raw_key, raw_value, name, value;
    for (size_t i = 0; i < HTTP_QUERY_MAX && next_pair(&query, &raw_key, &raw_value); i++) {
        if (percent_parse(a, raw_key, true, &name) == ERR_NONE && str_eq(name, key)) {
            bool is_good = percent_parse(a, raw_value, true, &value) == ERR_NONE;
            return is_good ? value : STR_ABSENT;
        }
    }
    return STR_ABSENT;
}

const char *http_reason(int status)
{
    static const struct {
        int status;
        const char *reason;
    } rows[] = {
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {206, "Partial Content"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {411, "Length Required"},
        {413, "Content Too Large"},
        {415, "Unsupported Media Type"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (rows[i].status == status) {
            return rows[i].reason;
        }
    }
    return "Other";
}

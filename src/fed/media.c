/* A file between servers is the second part of a multipart/mixed answer. */
#include "fed/media.h"

#include "engine/call.h"
#include "engine/gate.h"
#include "engine/media.h"
#include "http/message.h"

enum { CALL_TIMEOUT_MS = 20000 };

/* --- serving -------------------------------------------------------------------------------- */

enum err fed_media_get(struct hs *hs, struct req *req)
{
    struct media m;
    struct str bytes;
    enum err err =
        media_is_id(req->params[0]) ? media_find(hs, req->a, req->params[0], &m) : ERR_ABSENT;
    if (err == ERR_ABSENT) {
        return reply_not_found(req, "there is no such file");
    }
    TRY(err);
    if (m.hash.p == NULL) {
        return reply_error(req, 504, "M_NOT_YET_UPLOADED", "the file's bytes are still to come");
    }
    TRY(media_bytes(hs, req->a, &m, &bytes));
    struct str boundary = hs_random_text(hs, req->a, 40);
    struct str disposition = media_disposition(req->a, &m, STR_ABSENT);
    struct str before = arena_fmt(req->a,
                                  "--%.*s\r\ncontent-type: application/json\r\n\r\n{}\r\n--%.*s\r\n"
                                  "content-type: %.*s\r\ncontent-disposition: %.*s\r\n\r\n",
                                  STR_ARG(boundary), STR_ARG(boundary), STR_ARG(m.content_type),
                                  STR_ARG(disposition));
    struct str after = arena_fmt(req->a, "\r\n--%.*s--\r\n", STR_ARG(boundary));
    req->reply.text = arena_join(req->a, before, bytes, after);
    req->reply.status = 200;
    req->reply.content_type =
        arena_fmt(req->a, "multipart/mixed; boundary=%.*s", STR_ARG(boundary)).p;
    return ERR_NONE;
}

/* --- fetching ------------------------------------------------------------------------------- */

struct fetch {
    uint64_t req;
    struct str id;
    resume_fn resume;
};

static bool find_text(struct str in, struct str what, size_t *at)
{
    for (size_t i = 0; i + what.n <= in.n; i++) {
        if (in.p[i] == what.p[0] && str_eq(str_sub(in, i, what.n), what)) {
            *at = i;
            return true;
        }
    }
    return false;
}

/* The second part of a multipart body, whose first line is its boundary. */
static bool second_part(struct str body, struct str *head, struct str *bytes, struct arena *a)
{
    struct str line;
    struct str rest;
    size_t at;
    if (!str_starts(body, STR("--")) || !str_cut(body, '\n', &line, &rest)) {
        return false;
    }
    struct str boundary = arena_join(a, STR("\r\n"), str_trim(line), STR(""));
    if (boundary.n > 0 && boundary.p[boundary.n - 1] == '\r') {
        boundary.n--;
    }
    if (boundary.n < 5 || !find_text(rest, boundary, &at)) {
        return false;
    }
    rest = str_from(rest, at + boundary.n + 2);
    if (!find_text(rest, STR("\r\n\r\n"), &at)) {
        return false;
    }
    *head = str_sub(rest, 0, at);
    rest = str_from(rest, at + 4);
    if (!find_text(rest, boundary, &at)) {
        return false;
    }
    *bytes = str_sub(rest, 0, at);
    return true;
}

/* The value of a header in the head of a part; absent when there is none. */
static struct str part_header(struct str head, struct str name)
{
    struct str line;
    struct str key;
    struct str value;
    while (head.n > 0) {
        if (!str_cut(head, '\n', &line, &head)) {
            line = head;
            head = STR("");
        }
        if (str_cut(line, ':', &key, &value) && str_eq_nocase(str_trim(key), name)) {
            if (value.n > 0 && value.p[value.n - 1] == '\r') {
                value.n--;
            }
            return str_trim(value);
        }
    }
    return STR_ABSENT;
}

static enum err give_up(struct hs *hs, struct req *req, int status)
{
    if (status == 404) {
        (void)reply_not_found(req, "the file's server has no such file");
    } else if (status == 504) {
        (void)reply_error(req, 504, "M_NOT_YET_UPLOADED", "the file's bytes are still to come");
    } else {
        (void)reply_error(req, 502, "M_UNKNOWN", "the file's server cannot be reached");
    }
    return gate_finish(hs, req);
}

static enum err on_media(struct hs *hs, struct call *call, int status, struct json *body,
                         const char *why)
{
    const struct fetch *fetch = call->ctx;
    struct req *req = gate_find(hs, fetch->req);
    struct str head;
    struct str bytes;
    (void)body;
    (void)why;
    if (req == NULL) {
        return ERR_NONE;
    }
    if (status != 200 || !second_part(call->text, &head, &bytes, call->a) ||
        bytes.n > MEDIA_CACHE_MAX / 4) {
        return give_up(hs, req, status);
    }
    struct media m = {.id = arena_join(call->a, call->server, STR("/"), fetch->id),
                      .content_type = media_type(part_header(head, STR("content-type")))};
    TRY(media_cache(hs, call->a, &m, bytes));
    TRY(fetch->resume(hs, req, false));
    return req->reply.status == 0 ? ERR_NONE : gate_finish(hs, req);
}

enum err media_remote(struct hs *hs, struct req *req, struct str server, struct str id,
                      resume_fn resume)
{
    if (!call_is_possible(hs, server)) {
        return reply_error(req, 502, "M_UNKNOWN", "the file's server cannot be reached");
    }
    struct call *call = call_new(hs, server, on_media);
    struct fetch *fetch = ARENA_NEW(call->a, struct fetch);
    *fetch = (struct fetch){req->id, arena_str(call->a, id), resume};
    call->ctx = fetch;
    TRY(req_park(req, NULL, -1, false));
    return call_send(hs, call, "GET",
                     arena_fmt(call->a, "/_matrix/federation/v1/media/download/%.*s", STR_ARG(id)),
                     NULL, CALL_TIMEOUT_MS);
}

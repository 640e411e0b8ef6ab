/* Uploads and downloads. A thumbnail is the original: larger than asked is allowed, and the client
 * scales. */
#include "client/media.h"

#include "engine/admission.h"
#include "engine/media.h"
#include "engine/remote.h"

enum { ID_LENGTH = 24, NAME_MAX_BYTES = 255, PENDING_MS = 24 * 3600 * 1000 };

/* Served where a page could be talked into loading them: nothing of them may run. */
#define SECURITY                                                                                   \
    "content-security-policy: sandbox; default-src 'none'; script-src 'none'; "                    \
    "style-src 'unsafe-inline'\r\n"                                                                \
    "cross-origin-resource-policy: cross-origin\r\n"                                               \
    "x-content-type-options: nosniff\r\n"                                                          \
    "referrer-policy: no-referrer\r\n"                                                             \
    "cache-control: private, max-age=86400, immutable\r\n"

static struct str uri_of(struct hs *hs, struct req *req, struct str id)
{
    return arena_fmt(req->a, "mxc://%.*s/%.*s", STR_ARG(hs->identity.server), STR_ARG(id));
}

/* Stores the body; *ok false: the refusal is set. */
static enum err take_body(struct hs *hs, struct req *req, struct str id, bool *ok)
{
    struct str name = str_sub(req_query(req, "filename"), 0, NAME_MAX_BYTES);
    struct media m = {.id = id,
                      .user = req->user,
                      .content_type = media_type(http_header(req->head, STR("content-type"))),
                      .name = name};
    enum err err = media_put(hs, req->a, &m, req->body_text);
    *ok = err == ERR_NONE;
    return err != ERR_LIMIT
               ? err
               : reply_error(req, 403, "M_FORBIDDEN", "you may keep at most %d MiB of files here",
                             MEDIA_OF_USER_MAX / 1024 / 1024);
}

enum err media_upload_post(struct hs *hs, struct req *req)
{
    struct str id = hs_random_text(hs, req->a, ID_LENGTH);
    bool ok;
    TRY(take_body(hs, req, id, &ok));
    if (!ok) {
        return ERR_NONE;
    }
    struct json *out = json_object(req->a);
    json_put_text(out, "content_uri", uri_of(hs, req, id));
    return reply_json(req, out);
}

/* --- uploading later ------------------------------------------------------------------------ */

enum err media_create_post(struct hs *hs, struct req *req)
{
    struct str id = hs_random_text(hs, req->a, ID_LENGTH);
    int64_t pending;
    TRY(store_run(hs->store, STMT_MEDIA_EXPIRE, "ii", req->user, hs->now.unix_ms - PENDING_MS));
    TRY(store_get_int(hs->store, &pending, 0, STMT_MEDIA_PENDING, "i", req->user));
    if (pending >= MEDIA_PENDING_MAX) {
        TRY(reply_error(req, 429, "M_LIMIT_EXCEEDED",
                        "%d created files wait for their bytes; upload them first",
                        MEDIA_PENDING_MAX));
        json_put_int(req->reply.json, "retry_after_ms", 60000);
        return ERR_NONE;
    }
    TRY(store_run(hs->store, STMT_MEDIA_PUT, "tittbii", id, req->user,
                  STR("application/octet-stream"), STR_ABSENT, STR_ABSENT, (int64_t)0,
                  hs->now.unix_ms));
    struct json *out = json_object(req->a);
    json_put_text(out, "content_uri", uri_of(hs, req, id));
    json_put_int(out, "unused_expires_at", hs->now.unix_ms + PENDING_MS);
    return reply_json(req, out);
}

enum err media_upload_put(struct hs *hs, struct req *req)
{
    struct media m;
    bool ok;
    enum err err = media_find(hs, req->a, req->params[1], &m);
    if (err == ERR_ABSENT || !str_eq(req->params[0], hs->identity.server) ||
        (err == ERR_NONE && m.hash.p == NULL && m.made_ms + PENDING_MS < hs->now.unix_ms)) {
        return reply_not_found(req, "no such file was created here, or it has expired");
    }
    TRY(err);
    if (m.user != req->user) {
        return reply_forbidden(req, "another user created this file");
    }
    if (m.hash.p != NULL) {
        return reply_error(req, 409, "M_CANNOT_OVERWRITE_MEDIA", "this file has its bytes already");
    }
    TRY(take_body(hs, req, m.id, &ok));
    return ok ? reply_empty(req) : ERR_NONE;
}

/* --- downloads ------------------------------------------------------------------------------ */

static enum err again(struct hs *hs, struct req *req, bool is_time_up)
{
    (void)is_time_up;
    return req->route->handler(hs, req);
}

static bool is_false(struct str text)
{
    return str_eq(text, STR("false"));
}

/* The file that the path names; *ok false: the request is answered, or waits for another server. */
static enum err find(struct hs *hs, struct req *req, struct media *m, bool *ok)
{
    struct str server = req->params[0];
    struct str id = req->params[1];
    bool is_ours = str_eq(server, hs->identity.server);
    *ok = false;
    if (!media_is_id(id) || server.n > 255) {
        return reply_not_found(req, "there is no such file");
    }
    struct str key = is_ours ? id : arena_join(req->a, server, STR("/"), id);
    enum err err = media_find(hs, req->a, key, m);
    if (err == ERR_ABSENT && !is_ours && !is_false(req_query(req, "allow_remote"))) {
        TRY(admission_fetch(hs, req));
        return req->reply.status != 0 ? ERR_NONE : hs->remote->media(hs, req, server, id, again);
    }
    if (err == ERR_ABSENT) {
        return reply_not_found(req, "there is no such file");
    }
    TRY(err);
    if (m->hash.p == NULL) {
        return reply_error(req, 504, "M_NOT_YET_UPLOADED", "the file's bytes are still to come");
    }
    *ok = true;
    return ERR_NONE;
}

static enum err reply_media(struct hs *hs, struct req *req, const struct media *m, struct str name)
{
    TRY(media_bytes(hs, req->a, m, &req->reply.text));
    req->reply.status = 200;
    req->reply.content_type = arena_str(req->a, m->content_type).p;
    req->reply.headers = arena_fmt(req->a, "content-disposition: %.*s\r\n" SECURITY,
                                   STR_ARG(media_disposition(req->a, m, name)));
    return ERR_NONE;
}

enum err media_download_get(struct hs *hs, struct req *req)
{
    struct media m;
    bool ok;
    TRY(find(hs, req, &m, &ok));
    if (!ok) {
        return ERR_NONE;
    }
    return reply_media(hs, req, &m, req->n_params > 2 ? req->params[2] : STR_ABSENT);
}

enum err media_thumbnail_get(struct hs *hs, struct req *req)
{
    struct media m;
    struct str method = req_query(req, "method");
    bool ok;
    if (req_query_int(req, "width", 0) <= 0 || req_query_int(req, "height", 0) <= 0) {
        return reply_error(req, 400, "M_INVALID_PARAM", "width and height are numbers above 0");
    }
    if (method.p != NULL && !str_eq(method, STR("crop")) && !str_eq(method, STR("scale"))) {
        return reply_error(req, 400, "M_INVALID_PARAM", "'method' is crop or scale");
    }
    TRY(find(hs, req, &m, &ok));
    if (!ok) {
        return ERR_NONE;
    }
    if (!str_starts(m.content_type, STR("image/")) ||
        str_starts(m.content_type, STR("image/svg"))) {
        return reply_error(req, 400, "M_UNKNOWN", "there are thumbnails of pictures only");
    }
    return reply_media(hs, req, &m, STR_ABSENT);
}

enum err media_config_get(struct hs *hs, struct req *req)
{
    struct json *out = json_object(req->a);
    (void)hs;
    json_put_int(out, "m.upload.size", HTTP_BODY_MAX);
    return reply_json(req, out);
}

/* Plain HTTP on libwebsockets: pages, long polling, and what an upgrade wants. */
#include "relay/host.h"

#include <string.h>

enum {
    TEXT_MAX = 1024,           /* of a path, query or host */
    HTTP_HEAD_MAX_SIZE = 4096, /* of an answer */
    ANSWER_SECONDS = 30,       /* that a socket may take for one */
};

_Static_assert((int)BATCH_SIZE > (int)HTTP_HEAD_MAX_SIZE, "heads fit the batch");

/* The answer to a request of a session, until its socket takes it. */
struct held {
    int status;
    const char *type;
    char sid[POLLING_SID_SIZE];
    bool has_sid;
    struct buf body; /* behind LWS_PRE bytes */
};

/* One being written. */
struct answer {
    struct arena *a;
    struct lws *wsi;
    unsigned char *p, *end;
    int status;
    const char *type;
    size_t length;
    struct str sid; /* for the cookie; empty: none */
    bool has_credentials, is_preflight;
    bool is_last; /* the connection ends with it */
};

/* --- heads -------------------------------------------------------------------------------- */

static struct str header(struct arena *a, struct lws *wsi, enum lws_token_indexes which)
{
    char text[TEXT_MAX];
    int n = lws_hdr_copy(wsi, text, sizeof(text), which);
    return n <= 0 ? STR_ABSENT : arena_str(a, str_make(text, (size_t)n));
}

/* libwebsockets keeps "a=1&b=2" in pieces. */
static struct str query_read(struct arena *a, struct lws *wsi)
{
    struct str query = STR("");
    char text[TEXT_MAX];
    for (int i = 0; query.n < TEXT_MAX; i++) {
        int n = lws_hdr_copy_fragment(wsi, text, sizeof(text), WSI_TOKEN_HTTP_URI_ARGS, i);
        if (n < 0) {
            break;
        }
        query = arena_join(a, query, query.n == 0 ? STR("") : STR("&"),
                           arena_str(a, str_make(text, (size_t)n)));
    }
    return query;
}

/* The method is which of these headers is there. */
static const struct {
    enum lws_token_indexes token;
    enum page_method method;
} methods[] = {
    {WSI_TOKEN_GET_URI, PAGE_GET},         {WSI_TOKEN_POST_URI, PAGE_POST},
    {WSI_TOKEN_OPTIONS_URI, PAGE_OPTIONS},
#if defined(LWS_WITH_HTTP_UNCOMMON_HEADERS) || defined(LWS_HTTP_HEADERS_ALL)
    {WSI_TOKEN_HEAD_URI, PAGE_HEAD},       {WSI_TOKEN_PUT_URI, PAGE_OTHER},
    {WSI_TOKEN_PATCH_URI, PAGE_OTHER},     {WSI_TOKEN_DELETE_URI, PAGE_OTHER},
#endif
};

static struct page_request request_read(struct arena *a, struct lws *wsi)
{
    struct server *server = lws_context_user(lws_get_context(wsi));
    struct page_request request = {.path = STR_ABSENT};
    for (size_t i = 0; i < COUNT_OF(methods) && str_is_absent(request.path); i++) {
        request.method = methods[i].method;
        request.path = header(a, wsi, methods[i].token);
    }
    request.query = query_read(a, wsi);
    request.host = header(a, wsi, WSI_TOKEN_HOST);
    struct str sid = page_sid(&request);
    if (!str_is_empty(sid)) {
        const struct polling *polling = polling_find(server->pollings, sid);
        request.sid = polling == NULL              ? SID_UNKNOWN
                      : polling_is_polled(polling) ? SID_POLLING
                                                   : SID_UPGRADED;
    }
    return request;
}

static int add(struct answer *answer, const char *name, struct str value)
{
    return lws_add_http_header_by_name(answer->wsi, (const unsigned char *)name,
                                       (const unsigned char *)value.p, (int)value.n, &answer->p,
                                       answer->end);
}

/* CORS as the npm relay has it: hapi's routes name the origin, engine.io's allow credentials. */
static int add_cors(struct answer *answer)
{
    struct str origin = header(answer->a, answer->wsi, WSI_TOKEN_ORIGIN);
    bool has_origin = !str_is_empty(origin);
    if (!has_origin && !answer->has_credentials) {
        return 0;
    }
    if (add(answer, "access-control-allow-origin:", has_origin ? origin : STR("*")) ||
        (has_origin && add(answer, "vary:", STR("origin")))) {
        return -1;
    }
    bool is_allowed = answer->has_credentials && has_origin;
    return is_allowed ? add(answer, "access-control-allow-credentials:", STR("true")) : 0;
}

/* The head into the batch, and out. */
static int send_head(struct server *server, struct answer *answer)
{
    unsigned char *start = server->batch + LWS_PRE;
    if (answer->status >= 400) {
        relay_count(server->relay, METRIC_HTTP_REFUSED);
    }
    answer->p = start;
    answer->end = start + HTTP_HEAD_MAX_SIZE;
    if (lws_add_http_common_headers(answer->wsi, (unsigned)answer->status, answer->type,
                                    answer->length, &answer->p, answer->end) ||
        add_cors(answer)) {
        return -1;
    }
    if (answer->is_preflight && add(answer, "access-control-allow-headers:", STR("Content-Type"))) {
        return -1;
    }
    if (answer->sid.n > 0) {
        struct str cookie = arena_join(answer->a, STR("io="), answer->sid,
                                       STR("; Path=/; HttpOnly; SameSite=Strict"));
        if (add(answer, "set-cookie:", cookie)) {
            return -1;
        }
    }
    if (answer->is_last && add(answer, "connection:", STR("close"))) {
        return -1;
    }
    return lws_finalize_write_http_header(answer->wsi, start, &answer->p, answer->end);
}

static int send_page(struct server *server, struct arena *a, struct lws *wsi,
                     const struct page *page, bool has_body, bool is_last)
{
    struct answer answer = {.a = a,
                            .wsi = wsi,
                            .status = page->status,
                            .type = page->type,
                            .length = page->body.n,
                            .has_credentials = page->has_credentials,
                            .is_preflight = page->is_preflight,
                            .is_last = is_last};
    size_t n = has_body ? page->body.n : 0;
    if (n > BATCH_SIZE || send_head(server, &answer)) {
        return -1;
    }
    if (n > 0) {
        memcpy(server->batch + LWS_PRE, page->body.p, n);
    }
    return lws_write(wsi, server->batch + LWS_PRE, n, LWS_WRITE_HTTP_FINAL) < 0 ? -1 : 0;
}

/* --- long polling ------------------------------------------------------------------------- */

void http_answer(void *ctx, void *request, const struct polling_answer *answer)
{
    struct server *server = ctx;
    struct lws *wsi = request;
    struct session *session = lws_wsi_user(wsi);
    session->polling = NULL;
    if (answer->status == 0) {
        hang_up(wsi);
        return;
    }
    struct held *held = base_alloc(sizeof(*held));
    held->status = answer->status;
    held->type = answer->type;
    held->has_sid = answer->sid.n > 0;
    if (held->has_sid) {
        memcpy(held->sid, answer->sid.p, POLLING_SID_SIZE);
    }
    buf_init(&held->body, LWS_PRE + answer->body.n);
    if (buf_reserve(&held->body, LWS_PRE) != NULL) {
        held->body.n = LWS_PRE; /* libwebsockets' own, in front */
    }
    buf_add(&held->body, answer->body);
    session->held = held;
    server->n_sessions++;
    lws_set_timeout(wsi, PENDING_TIMEOUT_HTTP_CONTENT, ANSWER_SECONDS); /* who does not read it */
    (void)lws_callback_on_writable(wsi);
}

static void held_drop(struct server *server, struct session *session)
{
    if (session->held != NULL) {
        server->n_sessions--;
        buf_release(&session->held->body);
        base_free(session->held);
        session->held = NULL;
    }
}

/* Sends what is held for a request. */
static int send_held(struct server *server, struct lws *wsi, struct session *session, bool is_last)
{
    struct held *held = session->held;
    struct arena *a = arena_new();
    struct answer answer = {.a = a,
                            .wsi = wsi,
                            .status = held->status,
                            .type = held->type,
                            .length = held->body.n - LWS_PRE,
                            .sid = str_make(held->sid, held->has_sid ? POLLING_SID_SIZE : 0),
                            .has_credentials = true,
                            .is_last = is_last};
    int result = send_head(server, &answer);
    if (result == 0 &&
        lws_write(wsi, held->body.p + LWS_PRE, answer.length, LWS_WRITE_HTTP_FINAL) < 0) {
        result = -1;
    }
    arena_free(a);
    held_drop(server, session);
    return is_last || (result == 0 && lws_http_transaction_completed(wsi)) ? -1 : result;
}

int on_http_writable(struct server *server, struct lws *wsi, struct session *session)
{
    bool is_held = session != NULL && session->held != NULL;
    return is_held ? send_held(server, wsi, session, false) : 0;
}

void on_http_gone(struct server *server, struct lws *wsi, struct session *session)
{
    if (session == NULL) {
        return;
    }
    struct polling *polling = session->polling;
    session->polling = NULL;
    if (polling != NULL) {
        polling_lost(server->pollings, now_get(), wsi, polling);
        settle(server);
    }
    held_drop(server, session);
}

int on_http_body(struct server *server, struct session *session, struct str bytes)
{
    if (session->polling == NULL) {
        return -1; /* the session ended meanwhile */
    }
    polling_body(server->pollings, now_get(), session->polling, bytes);
    settle(server);
    return 0;
}

int on_http_posted(struct server *server, struct session *session)
{
    if (session->polling == NULL) {
        return -1;
    }
    polling_posted(server->pollings, now_get(), session->polling);
    settle(server);
    return 0;
}

/* A request for a session, or for a new one. */
static int on_polling(struct server *server, struct arena *a, struct lws *wsi,
                      struct session *session, const struct page_request *request,
                      enum page_then then)
{
    char ip[64];
    struct polling *polling = polling_find(server->pollings, page_sid(request));
    lws_set_timeout(wsi, NO_PENDING_TIMEOUT, 0); /* the session has its own */
    if (then == PAGE_OPEN) {
        if (!polling_open(server->pollings, now_get(), ip_of(wsi, ip), page_is_base64(request),
                          wsi)) {
            return -1;
        }
    } else if (then == PAGE_POLL) {
        session->polling = polling;
        polling_get(server->pollings, now_get(), polling, wsi);
    } else {
        struct str type = header(a, wsi, WSI_TOKEN_HTTP_CONTENT_TYPE);
        session->polling = polling;
        polling_post(server->pollings, now_get(), polling, wsi,
                     str_eq(type, STR("application/octet-stream")));
        if (session->held != NULL) { /* refused: its body is not waited for */
            return send_held(server, wsi, session, true);
        }
    }
    settle(server);
    return 0;
}

/* --- requests ----------------------------------------------------------------------------- */

int on_http(struct server *server, struct lws *wsi, struct session *session)
{
    struct arena *a = arena_new();
    struct page_request request = request_read(a, wsi);
    const struct metrics *metrics =
        server->options->has_metrics ? relay_metrics(server->relay) : NULL;
    struct page page = page_get(a, &request, metrics);
    int result;
    if (page.then != PAGE_ANSWER) {
        result = on_polling(server, a, wsi, session, &request, page.then);
    } else {
        bool may_have_body = request.method == PAGE_POST || request.method == PAGE_OTHER;
        result = send_page(server, a, wsi, &page, request.method != PAGE_HEAD, may_have_body);
        if (result == 0 && (may_have_body || lws_http_transaction_completed(wsi))) {
            result = -1; /* a body may follow: it is not waited for */
        }
    }
    arena_free(a);
    return result;
}

/* RFC 6455, 4.2.1: what libwebsockets lets pass. */
static bool is_handshake(struct arena *a, struct lws *wsi)
{
    return str_eq(header(a, wsi, WSI_TOKEN_VERSION), STR("13")) &&
           header(a, wsi, WSI_TOKEN_KEY).n == 24;
}

int on_upgrade(struct server *server, struct lws *wsi, const char *to)
{
    struct arena *a = arena_new();
    struct page_request request = request_read(a, wsi);
    struct page page;
    int result = 0;
    if (!str_eq_nocase(str_of(to), STR("websocket"))) {
        page = page_get(a, &request, NULL);
        result = send_page(server, a, wsi, &page, true, true) == 0 ? 1 : -1;
    } else if (!is_handshake(a, wsi)) {
        result = -1;
    } else if (!page_upgrade(a, &request, &page)) {
        if (page.status != 0) {
            (void)send_page(server, a, wsi, &page, true, true);
        }
        result = -1;
    }
    arena_free(a);
    return result;
}

void on_handshake(struct lws *wsi, struct session *session)
{
    struct arena *a = arena_new();
    struct page_request request = request_read(a, wsi);
    struct str sid = page_sid(&request);
    session->is_base64 = page_is_base64(&request);
    session->has_sid = sid.n > 0;
    if (sid.n == POLLING_SID_SIZE) {
        memcpy(session->sid, sid.p, sid.n);
    }
    arena_free(a);
}

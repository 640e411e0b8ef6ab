/* Pages. */
#include "relay/page.h"

#include "json/json.h"

static const char HTML[] = "text/html; charset=utf-8";
static const char JSON[] = "application/json; charset=utf-8";
static const char ENGINE_JSON[] = "application/json";
static const char ENGINE_HTML[] = "text/html";

enum { PAGE_MAX = 64 * 1024 };

/* engine.io's errors, in the order in which it looks for them. */
enum engine_error { UNKNOWN_TRANSPORT, UNKNOWN_SID, BAD_METHOD, BAD_REQUEST };
static const char *const engine_errors[] = {
    [UNKNOWN_TRANSPORT] = "Transport unknown",
    [UNKNOWN_SID] = "Session ID unknown",
    [BAD_METHOD] = "Bad handshake method",
    [BAD_REQUEST] = "Bad request",
};

/* The raw value of a query parameter. Absent: not there. */
static struct str parameter(struct str query, struct str name)
{
    while (query.n > 0) {
        struct str pair = query, key, value;
        if (!str_cut(query, '&', &pair, &query)) {
            query = STR("");
        }
        if (!str_cut(pair, '=', &key, &value)) {
            key = pair;
            value = STR("");
        }
        if (str_eq(key, name)) {
            return value;
        }
    }
    return STR_ABSENT;
}

static bool is_engine(struct str path)
{
    return str_starts(path, STR("/socket.io/"));
}

static struct page engine_page(struct arena *a, enum engine_error error)
{
    struct str body =
        arena_fmt(a, "{\"code\":%d,\"message\":\"%s\"}", (int)error, engine_errors[error]);
    return (struct page){.status = 400, .type = ENGINE_JSON, .body = body, .has_credentials = true};
}

static struct page then(enum page_then what)
{
    return (struct page){.then = what, .has_credentials = true};
}

/* A request of a session of long polling. */
static struct page polling_page(const struct page_request *request)
{
    switch (request->method) {
    case PAGE_GET:
        return then(PAGE_POLL);
    case PAGE_POST:
        return then(PAGE_DATA);
    case PAGE_OPTIONS:
        return (struct page){.status = 200,
                             .type = ENGINE_HTML,
                             .body = STR(""),
                             .has_credentials = true,
                             .is_preflight = true};
    case PAGE_HEAD:
    case PAGE_OTHER:
        break;
    }
    return (struct page){.status = 500, .type = ENGINE_HTML, .body = STR("")};
}

static struct page engine_get(struct arena *a, const struct page_request *request)
{
    struct str transport = parameter(request->query, STR("transport"));
    bool is_polling = str_eq(transport, STR("polling"));
    if (!is_polling && !str_eq(transport, STR("websocket"))) {
        return engine_page(a, UNKNOWN_TRANSPORT);
    }
    switch (request->sid) {
    case SID_UNKNOWN:
        return engine_page(a, UNKNOWN_SID);
    case SID_UPGRADED:
        return engine_page(a, BAD_REQUEST);
    case SID_POLLING:
        return is_polling ? polling_page(request) : engine_page(a, BAD_REQUEST);
    case SID_NONE:
        break;
    }
    if (request->method != PAGE_GET) {
        return engine_page(a, BAD_METHOD);
    }
    /* JSONP, for browsers without CORS, is not spoken. */
    bool is_jsonp = !str_is_absent(parameter(request->query, STR("j")));
    return is_polling && !is_jsonp ? then(PAGE_OPEN) : engine_page(a, BAD_REQUEST);
}

/* A Host header may say anything: only what can be a host is shown. */
static struct str shown_host(struct arena *a, struct str host)
{
    struct str name, port;
    for (size_t i = 0; i < host.n; i++) {
        char c = host.p[i];
        bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '.' || c == '-' || c == ':';
        if (!ok) {
            host = STR_ABSENT;
        }
    }
    if (!str_cut(host, ':', &name, &port) || name.n == 0 || port.n == 0) {
        name = host.n == 0 ? STR("localhost") : host;
        port = STR("80");
    }
    return arena_fmt(a, "/dns4/%.*s/tcp/%.*s/ws/p2p-websocket-star", STR_ARG(name), STR_ARG(port));
}

static struct page info_page(struct arena *a, struct str host)
{
    struct str address = shown_host(a, host);
    struct str body = arena_fmt(
        a,
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
        "<title>websocket-star rendezvous</title>\n"
        "<h1>websocket-star rendezvous</h1>\n"
        "<p>This server lets peers find each other and relays their streams.</p>\n"
        "<p>Its address is <code>%.*s</code></p>\n"
        "<p><a href=\"/metrics\">metrics</a>, <a href=\"/health\">health</a></p>\n</html>\n",
        STR_ARG(address));
    return (struct page){.status = 200, .type = HTML, .body = body};
}

static struct page metrics_page(struct arena *a, const struct metrics *metrics)
{
    struct buf b;
    buf_init_in(&b, a, PAGE_MAX);
    metrics_write(metrics, &b);
    return (struct page){.status = 200, .type = "text/plain; charset=utf-8", .body = buf_str(&b)};
}

struct page page_get(struct arena *a, const struct page_request *request,
                     const struct metrics *metrics)
{
    bool is_get = request->method == PAGE_GET || request->method == PAGE_HEAD;
    if (is_engine(request->path) && !str_starts(request->path, STR("/socket.io/socket.io."))) {
        return engine_get(a, request);
    }
    if (is_get && str_eq(request->path, STR("/"))) {
        return info_page(a, request->host);
    }
    if (is_get && metrics != NULL && str_eq(request->path, STR("/metrics"))) {
        return metrics_page(a, metrics);
    }
    if (is_get && str_eq(request->path, STR("/health"))) {
        return (struct page){.status = 200, .type = JSON, .body = STR("{\"status\":\"ok\"}")};
    }
    return (struct page){
        .status = 404,
        .type = JSON,
        .body = STR("{\"statusCode\":404,\"error\":\"Not Found\",\"message\":\"Not Found\"}")};
}

bool page_upgrade(struct arena *a, const struct page_request *request, struct page *refusal)
{
    *refusal = (struct page){0};
    if (!is_engine(request->path)) {
        return false;
    }
    enum engine_error error = BAD_REQUEST;
    if (!str_eq(parameter(request->query, STR("transport")), STR("websocket"))) {
        error = UNKNOWN_TRANSPORT;
    } else if (request->sid == SID_UNKNOWN) {
        error = UNKNOWN_SID;
    } else {
        return true;
    }
    *refusal = (struct page){.status = 400,
                             .type = ENGINE_HTML,
                             .body = arena_str(a, str_of(engine_errors[error])),
                             .has_credentials = true};
    return false;
}

struct str page_sid(const struct page_request *request)
{
    return parameter(request->query, STR("sid"));
}

bool page_is_base64(const struct page_request *request)
{
    return parameter(request->query, STR("b64")).n > 0;
}

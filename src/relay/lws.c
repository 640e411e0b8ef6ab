/* The relay's host: libwebsockets (4.1 or newer) brings sockets, TLS, HTTP and the websocket
 * handshake and framing of what comes in; relay.c decides; what goes out is framed already and
 * leaves in batches. One thread. */
#define _GNU_SOURCE /* clocks, addresses, signalfd */

#include "crypto/hash.h"
#include "relay/key.h"
#include "relay/page.h"
#include "relay/server.h"

#include <libwebsockets.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

enum {
    BATCH_SIZE = 64 * 1024, /* bytes for one send */
    READ_SIZE = 32 * 1024,  /* bytes of one read; memory of each connection, touched as needed */
    DESCRIPTORS_SPARE = 64,
    TEXT_MAX = 1024,           /* of a path, query or host */
    HTTP_HEAD_MAX_SIZE = 2048, /* of an answer */
    CLOSE_TIMEOUT_S = 5,       /* for the other end's Close */
    STOP_MS = 1000,            /* for Close frames at the end */
    PFX_SIZE_MAX = 1024 * 1024,
};

_Static_assert(FRAME_HEADROOM - FRAME_HEADER_MAX >= LWS_PRE, "frames have room for LWS_PRE");
_Static_assert(BATCH_SIZE > HTTP_HEAD_MAX_SIZE, "heads fit the batch");

struct server {
    const struct options *options;
    struct relay *relay;
    struct lws_context *context;
    struct lws_vhost *vhost;
    lws_sorted_usec_list_t timer;
    size_t n_sessions;
    bool is_stopping, is_bad_key;
    unsigned char batch[LWS_PRE + BATCH_SIZE];
};

/* One per websocket, zeroed by libwebsockets. */
struct session {
    struct conn *conn;
    struct frame *message; /* the one being received */
    bool is_base64, is_paused, sent_close;
};

/* --- seams -------------------------------------------------------------------------------- */

static int64_t clock_ms(clockid_t which)
{
    struct timespec t;
    (void)clock_gettime(which, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static struct now now_get(void)
{
    return (struct now){clock_ms(CLOCK_MONOTONIC), clock_ms(CLOCK_REALTIME)};
}

static void random_get(void *arg, void *out, size_t n)
{
    (void)arg;
    if (getrandom(out, n, 0) != (ssize_t)n) {
        abort(); /* at most 256 bytes are asked for: the kernel gives them whole */
    }
}

/* --- what the relay wants ----------------------------------------------------------------- */

static void apply(struct conn *conn)
{
    struct lws *wsi = conn_socket(conn);
    struct session *session = lws_wsi_user(wsi);
    if (conn_is_paused(conn) != session->is_paused) {
        session->is_paused = conn_is_paused(conn);
        (void)lws_rx_flow_control(wsi, session->is_paused ? 0 : 1);
    }
    if (conn_closing(conn) == CONN_KILLED) {
        lws_set_timeout(wsi, PENDING_TIMEOUT_KILLED_BY_PARENT, LWS_TO_KILL_ASYNC);
    } else if (conn_first(conn) != NULL || conn_closing(conn) == CONN_CLOSING) {
        (void)lws_callback_on_writable(wsi);
    }
}

/* Carries out what changed. */
static void settle(struct server *server)
{
    struct conn *conn = relay_changed(server->relay);
    while (conn != NULL) {
        apply(conn);
        conn = relay_changed(server->relay);
    }
}

static void on_timer(lws_sorted_usec_list_t *timer)
{
    struct server *server = lws_container_of(timer, struct server, timer);
    struct now now = now_get();
    relay_tick(server->relay, now);
    settle(server);
    /* A dial or join made later is due later than this: all delays are longer than a scan. */
    int64_t wait_ms = relay_due_ms(server->relay) - now.mono_ms;
    lws_sul_schedule(server->context, 0, timer, on_timer,
                     (lws_usec_t)(wait_ms < 1 ? 1 : wait_ms) * LWS_US_PER_MS);
}

/* --- websockets --------------------------------------------------------------------------- */

static int on_open(struct server *server, struct lws *wsi, struct session *session)
{
    char ip[64] = "";
    (void)lws_get_peer_simple(wsi, ip, sizeof(ip));
    session->conn = relay_open(server->relay, now_get(), str_of(ip), session->is_base64, wsi);
    if (session->conn == NULL) {
        return -1;
    }
    server->n_sessions++;
    settle(server);
    return 0;
}

static void on_closed(struct server *server, struct session *session)
{
    frame_drop(session->message);
    session->message = NULL;
    if (session->conn != NULL) {
        server->n_sessions--;
        relay_gone(server->relay, now_get(), session->conn);
        session->conn = NULL;
        settle(server);
    }
}

static int on_bytes(struct server *server, struct lws *wsi, struct session *session,
                    const void *bytes, size_t n)
{
    size_t rest = lws_remaining_packet_payload(wsi);
    if (session->conn == NULL || session->sent_close) {
        return 0;
    }
    if (session->message == NULL) {
        if (n + rest > RELAY_MESSAGE_MAX) {
            lws_close_reason(wsi, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, NULL, 0);
            return -1;
        }
        session->message =
            frame_new(lws_frame_is_binary(wsi) ? FRAME_BINARY : FRAME_TEXT, n + rest);
    }
    if (session->message->n + n + rest > RELAY_MESSAGE_MAX) {
        lws_close_reason(wsi, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, NULL, 0);
        return -1;
    }
    session->message = frame_add(session->message, bytes, n);
    if (lws_is_final_fragment(wsi)) {
        struct frame *message = session->message;
        session->message = NULL;
        frame_seal(message);
        relay_message(server->relay, now_get(), session->conn, message);
        settle(server);
    }
    return 0;
}

/* A Close frame with no code in it, as engine.io sends it. libwebsockets has none. */
static int send_close(struct server *server, struct lws *wsi)
{
    static const unsigned char close_frame[] = {0x88, 0x00};
    memcpy(server->batch + LWS_PRE, close_frame, sizeof(close_frame));
    return lws_write(wsi, server->batch + LWS_PRE, sizeof(close_frame), LWS_WRITE_RAW);
}

/* Fills the batch with whole frames; a frame too large for it goes alone. 0: nothing to send. */
static int send_batch(struct server *server, struct lws *wsi, struct session *session)
{
    size_t n = 0;
    struct frame *f = conn_first(session->conn);
    while (f != NULL && frame_wire_size(f) <= BATCH_SIZE - n) {
        memcpy(server->batch + LWS_PRE + n, frame_wire(f), frame_wire_size(f));
        n += frame_wire_size(f);
        conn_sent(server->relay, session->conn);
        f = conn_first(session->conn);
    }
    if (n > 0) {
        return lws_write(wsi, server->batch + LWS_PRE, n, LWS_WRITE_RAW);
    }
    if (f == NULL) {
        return 0;
    }
    /* Shared frames are sent from their own memory: its headroom is nobody's. */
    int sent = lws_write(wsi, frame_wire(f), frame_wire_size(f), LWS_WRITE_RAW);
    conn_sent(server->relay, session->conn);
    return sent;
}

static int on_writable(struct server *server, struct lws *wsi, struct session *session)
{
    if (session->conn == NULL || session->sent_close) {
        return 0;
    }
    if (server->is_stopping) {
        (void)send_close(server, wsi);
        return -1;
    }
    if (send_batch(server, wsi, session) < 0) {
        return -1;
    }
    if (conn_first(session->conn) != NULL) {
        (void)lws_callback_on_writable(wsi);
    } else if (conn_closing(session->conn) == CONN_CLOSING) {
        session->sent_close = true;
        if (send_close(server, wsi) < 0) {
            return -1;
        }
        lws_set_timeout(wsi, PENDING_TIMEOUT_CLOSE_ACK, CLOSE_TIMEOUT_S);
    }
    settle(server);
    return 0;
}

/* --- plain HTTP --------------------------------------------------------------------------- */

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

static struct page_request request_read(struct arena *a, struct lws *wsi)
{
    struct page_request request = {.is_get = true};
    request.path = header(a, wsi, WSI_TOKEN_GET_URI);
#if defined(LWS_WITH_HTTP_UNCOMMON_HEADERS) || defined(LWS_HTTP_HEADERS_ALL)
    if (str_is_absent(request.path)) {
        request.path = header(a, wsi, WSI_TOKEN_HEAD_URI);
    }
#endif
    if (str_is_absent(request.path)) {
        request.is_get = false;
        request.path = header(a, wsi, WSI_TOKEN_POST_URI);
    }
    request.query = query_read(a, wsi);
    request.host = header(a, wsi, WSI_TOKEN_HOST);
    return request;
}

/* CORS as the npm relay has it: hapi's routes name the origin, engine.io's allow credentials. */
static int add_cors(struct arena *a, struct lws *wsi, const struct page *page, unsigned char **p,
                    unsigned char *end)
{
    static const unsigned char allow[] = "access-control-allow-origin:";
    static const unsigned char credentials[] = "access-control-allow-credentials:";
    static const unsigned char yes[] = "true";
    static const unsigned char vary[] = "vary:";
    struct str origin = header(a, wsi, WSI_TOKEN_ORIGIN);
    bool has_origin = !str_is_empty(origin);
    if (!has_origin && !page->has_credentials) {
        return 0;
    }
    origin = has_origin ? origin : STR("*");
    if (lws_add_http_header_by_name(wsi, allow, (const unsigned char *)origin.p, (int)origin.n, p,
                                    end) ||
        (has_origin &&
         lws_add_http_header_by_name(wsi, vary, (const unsigned char *)"origin", 6, p, end))) {
        return -1;
    }
    if (page->has_credentials && has_origin) {
        return lws_add_http_header_by_name(wsi, credentials, yes, sizeof(yes) - 1, p, end);
    }
    return 0;
}

static int send_page(struct server *server, struct arena *a, struct lws *wsi,
                     const struct page *page, bool has_body)
{
    unsigned char *start = server->batch + LWS_PRE;
    unsigned char *p = start, *end = start + HTTP_HEAD_MAX_SIZE;
    if (lws_add_http_common_headers(wsi, (unsigned)page->status, page->type, page->body.n, &p,
                                    end) ||
        add_cors(a, wsi, page, &p, end) || lws_finalize_write_http_header(wsi, start, &p, end)) {
        return -1;
    }
    size_t n = has_body ? page->body.n : 0;
    if (n > BATCH_SIZE) {
        return -1;
    }
    if (n > 0) {
        memcpy(start, page->body.p, n);
    }
    if (lws_write(wsi, start, n, LWS_WRITE_HTTP_FINAL) < 0) {
        return -1;
    }
    return 0;
}

static int on_http(struct server *server, struct lws *wsi)
{
    struct arena *a = arena_new();
    struct page_request request = request_read(a, wsi);
    bool has_body = !str_is_absent(header(a, wsi, WSI_TOKEN_GET_URI)) || !request.is_get;
    const struct metrics *metrics =
        server->options->has_metrics ? relay_metrics(server->relay) : NULL;
    struct page page = page_get(a, &request, metrics);
    int result = send_page(server, a, wsi, &page, has_body);
    arena_free(a);
    if (result == 0 && !request.is_get) {
        return -1; /* a body may follow: it is not waited for */
    }
    return result == 0 && lws_http_transaction_completed(wsi) ? -1 : result;
}

/* RFC 6455, 4.2.1: what libwebsockets lets pass. */
static bool is_handshake(struct arena *a, struct lws *wsi)
{
    return str_eq(header(a, wsi, WSI_TOKEN_VERSION), STR("13")) &&
           header(a, wsi, WSI_TOKEN_KEY).n == 24;
}

/* 0: upgrade; 1: answered; -1: hang up. */
static int on_upgrade(struct server *server, struct lws *wsi, const char *to)
{
    struct arena *a = arena_new();
    struct page_request request = request_read(a, wsi);
    struct page page;
    bool is_base64;
    int result = 0;
    if (!str_eq_nocase(str_of(to), STR("websocket"))) {
        page = page_get(a, &request, NULL);
        result = send_page(server, a, wsi, &page, true) == 0 ? 1 : -1;
    } else if (!is_handshake(a, wsi)) {
        result = -1;
    } else if (!page_upgrade(a, &request, &is_base64, &page)) {
        if (page.status != 0) {
            (void)send_page(server, a, wsi, &page, true);
        }
        result = -1;
    }
    arena_free(a);
    return result;
}

/* The query is gone once the websocket is open. */
static void on_handshake(struct lws *wsi, struct session *session)
{
    struct arena *a = arena_new();
    struct page_request request = request_read(a, wsi);
    struct page refusal;
    (void)page_upgrade(a, &request, &session->is_base64, &refusal);
    arena_free(a);
}

/* --- all that happens --------------------------------------------------------------------- */

static enum err load_pfx(const struct options *o, void *ssl_ctx)
{
    struct buf bytes;
    FILE *file = fopen(o->pfx, "rb");
    enum err err = ERR_ABSENT;
    buf_init(&bytes, PFX_SIZE_MAX);
    unsigned char *p = file == NULL ? NULL : buf_reserve(&bytes, PFX_SIZE_MAX);
    if (p != NULL) {
        bytes.n = fread(p, 1, PFX_SIZE_MAX, file);
        err = key_load_pfx(ssl_ctx, buf_str(&bytes), o->passphrase);
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    buf_release(&bytes);
    return err;
}

static bool has_pem(const struct options *o)
{
    return o->key != NULL && o->cert != NULL;
}

static bool has_tls(const struct options *o)
{
    return has_pem(o) || (o->pfx != NULL && o->passphrase != NULL);
}

static int load_key(struct server *server, void *ssl_ctx)
{
    const struct options *o = server->options;
    enum err err =
        has_pem(o) ? key_load_pem(ssl_ctx, o->cert, o->key, o->passphrase) : load_pfx(o, ssl_ctx);
    server->is_bad_key = err != ERR_NONE;
    return server->is_bad_key ? -1 : 0;
}

static int on_signal(struct server *server, struct lws *wsi)
{
    struct signalfd_siginfo info;
    (void)!read((int)lws_get_socket_fd(wsi), &info, sizeof(info));
    server->is_stopping = true;
    lws_callback_on_writable_all_protocol_vhost(server->vhost, lws_get_protocol(wsi));
    return 0;
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t n)
{
    struct lws_context *context = lws_get_context(wsi);
    struct server *server = context == NULL ? NULL : lws_context_user(context);
    struct session *session = user;
    if (server == NULL) {
        return 0; /* libwebsockets is only being set up */
    }
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wswitch-enum" /* there are a hundred reasons */
    switch (reason) {
    case LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS:
        return load_key(server, user);
    case LWS_CALLBACK_HTTP:
        return on_http(server, wsi);
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
        return on_upgrade(server, wsi, in);
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
        on_handshake(wsi, session);
        return 0;
    case LWS_CALLBACK_ESTABLISHED:
        return on_open(server, wsi, session);
    case LWS_CALLBACK_RECEIVE:
        return on_bytes(server, wsi, session, in, n);
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return on_writable(server, wsi, session);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        return session->sent_close ? -1 : 0; /* the answer to our Close ends it */
    case LWS_CALLBACK_CLOSED:
        on_closed(server, session);
        return 0;
    case LWS_CALLBACK_RAW_RX_FILE:
        return on_signal(server, wsi);
    default:
        return 0;
    }
#pragma GCC diagnostic pop
}

static const struct lws_protocols protocols[] = {
    {.name = "rendezvous",
     .callback = on_event,
     .per_session_data_size = sizeof(struct session),
     .rx_buffer_size = READ_SIZE,
     .tx_packet_size = BATCH_SIZE},
    {0},
};

/* The relay finds dead connections by itself: no pings of libwebsockets' own. */
static const lws_retry_bo_t no_retries = {0};

/* --- starting and ending ------------------------------------------------------------------ */

/* All the descriptors that the system lets us have. */
static unsigned raise_descriptors(const struct options *options)
{
    struct rlimit limit = {.rlim_cur = 1024};
    rlim_t wanted = (rlim_t)options->limits.connections + DESCRIPTORS_SPARE;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
    return (unsigned)limit.rlim_cur;
}

/* The host as a numeric address, for libwebsockets binds by that. */
static bool resolve(const struct options *options, char *out, size_t size)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *found = NULL;
    if (getaddrinfo(options->host, NULL, &hints, &found) != 0) {
        return false;
    }
    bool ok = getnameinfo(found->ai_addr, found->ai_addrlen, out, (socklen_t)size, NULL, 0,
                          NI_NUMERICHOST) == 0;
    freeaddrinfo(found);
    return ok;
}

static enum server_end make_vhost(struct server *server)
{
    const struct options *o = server->options;
    char address[128];
    struct lws_context_creation_info info = {
        .port = o->port,
        .iface = address,
        .protocols = protocols,
        .server_string = "rendezvous",
        .alpn = "http/1.1",
        .vhost_name = "rendezvous",
        .timeout_secs = 20,
        .keepalive_timeout = 30,
        .retry_and_idle_policy = &no_retries,
        .options = LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND,
    };
    if (!resolve(o, address, sizeof(address))) {
        return SERVER_NO_SOCKET;
    }
    if (!str_find(str_of(address), ':', &(size_t){0})) {
        info.options |= LWS_SERVER_OPTION_DISABLE_IPV6;
    }
    if (has_tls(o)) { /* load_key brings the certificate */
        info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
        info.options |= LWS_SERVER_OPTION_CREATE_VHOST_SSL_CTX;
    }
    server->vhost = lws_create_vhost(server->context, &info);
    if (server->vhost == NULL) {
        return server->is_bad_key ? SERVER_NO_KEY : SERVER_NO_SOCKET;
    }
    return SERVER_STOPPED;
}

static bool watch_signals(struct server *server)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    lws_sock_file_fd_type fd = {.filefd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC)};
    return fd.filefd >= 0 && lws_adopt_descriptor_vhost(server->vhost, LWS_ADOPT_RAW_FILE_DESC, fd,
                                                        protocols[0].name, NULL) != NULL;
}

static void serve(struct server *server)
{
    on_timer(&server->timer);
    while (!server->is_stopping && lws_service(server->context, 0) >= 0) {
    }
    /* Close frames leave, then sockets end; what hangs is cut by lws_context_destroy. */
    int64_t deadline_ms = clock_ms(CLOCK_MONOTONIC) + STOP_MS;
    while (server->n_sessions > 0 && clock_ms(CLOCK_MONOTONIC) < deadline_ms &&
           lws_service(server->context, 0) >= 0) {
    }
}

enum server_end server_run(const struct options *options, void (*listening)(const struct options *))
{
    struct server *server = base_alloc(sizeof(*server));
    struct relay_config config = {
        .has_challenge = options->has_challenge,
        .is_strict = options->is_strict,
        .limits = options->limits,
        .random = random_get,
    };
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_VALIDATE_UTF8,
        .user = server,
        .pt_serv_buf_size = BATCH_SIZE,
        .fd_limit_per_thread = raise_descriptors(options),
        .retry_and_idle_policy = &no_retries,
    };
    info.options |= has_tls(options) ? LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT : 0;
    lws_set_log_level(0, NULL); /* strangers can make it talk; the relay counts instead */
    crypto_start();
    server->options = options;
    server->relay = relay_new(&config);
    server->context = lws_create_context(&info);
    enum server_end end = server->context == NULL ? SERVER_BROKEN : make_vhost(server);
    if (end == SERVER_STOPPED && !watch_signals(server)) {
        end = SERVER_BROKEN;
    }
    if (end == SERVER_STOPPED) {
        listening(options);
        serve(server);
    }
    if (server->context != NULL) {
        lws_sul_cancel(&server->timer);
        lws_context_destroy(server->context);
    }
    relay_free(server->relay);
    base_free(server);
    return end;
}

/* The relay's host: libwebsockets (4.1 or newer) brings sockets, TLS, HTTP and the websocket
 * handshake; relay.c decides. One thread. What becomes of a websocket is websocket.c's, plain HTTP
 * is http.c's. */
#define _GNU_SOURCE /* clocks, addresses, signalfd */

#include "crypto/hash.h"
#include "relay/host.h"
#include "relay/remote.h"

#include <netdb.h>
#include <signal.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    READ_SIZE = 8 * 1024, /* bytes of one read; memory of each connection, touched as needed */
    DESCRIPTORS_SPARE = 64,
    STOP_MS = 1000, /* for Close frames at the end */
};

/* --- seams -------------------------------------------------------------------------------- */

static int64_t clock_ms(clockid_t which)
{
    struct timespec t;
    (void)clock_gettime(which, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

struct now now_get(void)
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

/* "2026-01-02T03:04:05Z warn ..." */
static void log_write(void *arg, enum log_level level, struct str fact)
{
    struct tm utc;
    char when[32] = "";
    time_t seconds = (time_t)(clock_ms(CLOCK_REALTIME) / 1000);
    (void)arg;
    if (gmtime_r(&seconds, &utc) != NULL) {
        (void)strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &utc);
    }
    (void)fprintf(stderr, "%s %s %.*s\n", when, log_level_name(level), STR_ARG(fact));
}

struct str ip_of(struct lws *wsi, char out[64])
{
    out[0] = 0;
    (void)lws_get_peer_simple(wsi, out, 64);
    return str_of(out);
}

/* --- what the relay wants ----------------------------------------------------------------- */

void hang_up(struct lws *wsi)
{
    lws_set_timeout(wsi, PENDING_TIMEOUT_KILLED_BY_PARENT, LWS_TO_KILL_ASYNC);
}

/* polling_calls.is_gone: libwebsockets goes on with a connection whose other end closed, since half
 * of it may be open. */
static bool is_gone(void *ctx, void *request)
{
    char c;
    (void)ctx;
    return recv((int)lws_get_socket_fd(request), &c, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static void on_timer(lws_sorted_usec_list_t *timer);

/* The timer runs when something is due; when that comes to be sooner, it is set anew. */
static void schedule(struct server *server, struct now now)
{
    int64_t due_ms = relay_due_ms(server->relay);
    if (due_ms < server->due_ms) {
        int64_t wait_ms = due_ms - now.mono_ms;
        server->due_ms = due_ms;
        lws_sul_schedule(server->context, 0, &server->timer, on_timer,
                         (lws_usec_t)(wait_ms < 1 ? 1 : wait_ms) * LWS_US_PER_MS);
    }
}

void settle(struct server *server)
{
    struct conn *conn = relay_changed(server->relay);
    while (conn != NULL) {
        if (conn_is_remote(conn)) {
            cluster_settle(now_get(), conn);
        } else if (conn_polling(conn) != NULL) {
            polling_settle(server->pollings, now_get(), conn_polling(conn));
        } else {
            websocket_apply(conn);
        }
        conn = relay_changed(server->relay);
    }
    if (relay_due_ms(server->relay) < server->due_ms) {
        schedule(server, now_get());
    }
}

static void on_timer(lws_sorted_usec_list_t *timer)
{
    struct server *server = lws_container_of(timer, struct server, timer);
    struct now now = now_get();
    relay_tick(server->relay, now);
    pollings_tick(server->pollings, now);
    if (server->cluster != NULL) {
        cluster_tick(server->cluster, now);
    }
    settle(server);
    server->due_ms = INT64_MAX;
    schedule(server, now);
}

/* --- all that happens --------------------------------------------------------------------- */

/* A socket counts from its first byte on, or before it. */
static int on_accepted(struct server *server, struct lws *wsi)
{
    char text[64];
    struct ip *ip = relay_socket_open(server->relay, ip_of(wsi, text));
    lws_set_opaque_user_data(wsi, ip);
    return ip == NULL ? -1 : 0;
}

static void on_destroyed(struct server *server, struct lws *wsi)
{
    struct ip *ip = lws_get_opaque_user_data(wsi);
    if (ip != NULL) {
        lws_set_opaque_user_data(wsi, NULL);
        relay_socket_gone(server->relay, ip);
    }
}

static int on_signal(struct server *server, struct lws *wsi)
{
    struct signalfd_siginfo info;
    (void)!read((int)lws_get_socket_fd(wsi), &info, sizeof(info));
    server->is_stopping = true;
    server->stop_ms = clock_ms(CLOCK_MONOTONIC) + STOP_MS;
    lws_sul_schedule(server->context, 0, &server->timer, on_timer, STOP_MS * LWS_US_PER_MS);
    pollings_end(server->pollings, now_get());
    settle(server);
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
        return tls_load(server, user);
    case LWS_CALLBACK_SERVER_NEW_CLIENT_INSTANTIATED:
        return on_accepted(server, wsi);
    case LWS_CALLBACK_WSI_DESTROY:
        on_destroyed(server, wsi);
        return 0;
    case LWS_CALLBACK_HTTP:
        return on_http(server, wsi, session);
    case LWS_CALLBACK_HTTP_BODY:
        return on_http_body(server, session, str_make(in, n));
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
        return on_http_posted(server, session);
    case LWS_CALLBACK_HTTP_WRITEABLE:
        return on_http_writable(server, wsi, session);
    case LWS_CALLBACK_HTTP_DROP_PROTOCOL:
    case LWS_CALLBACK_CLOSED_HTTP:
        on_http_gone(server, wsi, session);
        return 0;
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
        return on_upgrade(server, wsi, in);
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
        on_handshake(wsi, session);
        return 0;
    case LWS_CALLBACK_ESTABLISHED:
        return websocket_open(server, wsi, session);
    case LWS_CALLBACK_RECEIVE:
        return websocket_bytes(server, wsi, session, in, n);
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return websocket_writable(server, wsi, session);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        session->got_close = true;
        return session->sent_close ? -1 : 0; /* the answer to our Close ends it */
    case LWS_CALLBACK_CLOSED:
        websocket_closed(server, session);
        return 0;
    case LWS_CALLBACK_EVENT_WAIT_CANCELLED:
        member_deliver(server);
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
        .timeout_secs = (unsigned)(o->limits.head_timeout_ms / 1000),
        .timeout_secs_ah_idle = (unsigned)(o->limits.head_timeout_ms / 1000),
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
    if (options_have_tls(o)) { /* tls_load brings the certificate */
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
    lws_cancel_service(server->context); /* the plugin looks at timers after an event only */
    while (!server->is_stopping) {
        loop_turn(server->loop);
    }
    /* Close frames leave, then sockets end; what hangs is cut by lws_context_destroy. */
    while (server->n_sessions > 0 && clock_ms(CLOCK_MONOTONIC) < server->stop_ms) {
        loop_turn(server->loop);
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
        .log = {.most = options->log_level, .write = log_write},
    };
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_VALIDATE_UTF8,
        .user = server,
        .pt_serv_buf_size = BATCH_SIZE,
        .fd_limit_per_thread = raise_descriptors(options),
        .retry_and_idle_policy = &no_retries,
    };
    info.options |= options_have_tls(options) ? LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT : 0;
    lws_set_log_level(0, NULL); /* strangers can make it talk; the relay counts instead */
    crypto_start();
    server->options = options;
    member_prepare(server, &config);
    server->relay = relay_new(&config);
    server->pollings = pollings_new(
        server->relay, &(struct polling_calls){server, http_answer, is_gone, websocket_refuse});
    server->loop = loop_new();
    if (loop_lend(server->loop, &info)) {
        server->context = lws_create_context(&info);
    }
    enum server_end end = server->context == NULL ? SERVER_NO_LOOP : make_vhost(server);
    if (end == SERVER_STOPPED && !watch_signals(server)) {
        end = SERVER_BROKEN;
    }
    if (end == SERVER_STOPPED && !member_start(server)) {
        end = SERVER_NO_CLUSTER;
    }
    if (end == SERVER_STOPPED) {
        listening(options);
        serve(server);
    }
    member_end(server);
    if (server->context != NULL) {
        lws_sul_cancel(&server->timer);
        lws_context_destroy(server->context);
    }
    loop_free(server->loop);
    pollings_free(server->pollings);
    relay_free(server->relay);
    member_free(server);
    base_free(server);
    return end;
}

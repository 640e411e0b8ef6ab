/* The relay's host: libwebsockets (4.1 or newer) brings sockets, TLS, HTTP and the websocket
 * handshake and framing of what comes in; relay.c decides; what goes out is framed already and
 * leaves in batches. One thread. Plain HTTP is http.c's. */
#define _GNU_SOURCE /* clocks, addresses, signalfd */

#include "crypto/hash.h"
#include "relay/host.h"
#include "relay/remote.h"

#include <netdb.h>
#include <signal.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    READ_SIZE = 8 * 1024, /* bytes of one read; memory of each connection, touched as needed */
    DESCRIPTORS_SPARE = 64,
    CLOSE_TIMEOUT_S = 5, /* for the other end's Close */
    STOP_MS = 1000,      /* for Close frames at the end */
};

_Static_assert(FRAME_HEADROOM - FRAME_HEADER_MAX >= LWS_PRE, "frames have room for LWS_PRE");

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

static void apply(struct conn *conn)
{
    struct lws *wsi = conn_socket(conn);
    struct session *session = lws_wsi_user(wsi);
    if (conn_is_paused(conn) != session->is_paused) {
        session->is_paused = conn_is_paused(conn);
        (void)lws_rx_flow_control(wsi, session->is_paused ? 0 : 1);
    }
    if (conn_closing(conn) == CONN_KILLED) {
        hang_up(wsi);
    } else if (conn_first(conn) != NULL || conn_closing(conn) == CONN_CLOSING) {
        (void)lws_callback_on_writable(wsi);
    }
}

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

/* polling_calls.refuse: a websocket did not take a session over. */
static void refuse(void *ctx, void *socket)
{
    struct lws *wsi = socket;
    struct session *session = lws_wsi_user(wsi);
    (void)ctx;
    session->is_probe = false;
    session->polling = NULL;
    session->wants_close = true;
    (void)lws_callback_on_writable(wsi);
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
            apply(conn);
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

/* --- websockets --------------------------------------------------------------------------- */

static int on_open(struct server *server, struct lws *wsi, struct session *session)
{
    char ip[64];
    if (session->has_sid) {
        session->polling = polling_find(server->pollings, str_make(session->sid, POLLING_SID_SIZE));
        session->is_probe =
            session->polling != NULL && polling_probe(session->polling, now_get(), wsi);
        if (!session->is_probe) {
            refuse(server, wsi);
        }
        return 0;
    }
    session->conn = relay_open(server->relay, now_get(), ip_of(wsi, ip), session->is_base64, wsi);
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
    if (session->is_probe) {
        polling_probe_gone(session->polling);
    } else if (session->conn != NULL) {
        server->n_sessions--;
        if (!session->got_close && conn_closing(session->conn) == CONN_OPEN) {
            relay_count(server->relay, METRIC_BROKEN);
        }
        relay_gone(server->relay, now_get(), session->conn);
        if (session->polling != NULL) {
            polling_forget(server->pollings, session->polling);
        }
    }
    session->conn = NULL;
    session->polling = NULL;
    session->is_probe = false;
    settle(server);
}

/* A message of a websocket that wants to take over a session. */
static void on_probe(struct server *server, struct lws *wsi, struct session *session,
                     struct frame *message)
{
    struct polling *polling = session->polling;
    switch (polling_probe_message(server->pollings, polling, message, session->is_base64)) {
    case POLLING_PONG:
        session->wants_pong = true;
        (void)lws_callback_on_writable(wsi);
        polling_settle(server->pollings, now_get(), polling);
        return;
    case POLLING_UPGRADED:
        session->is_probe = false;
        session->conn = polling_conn(polling);
        server->n_sessions++;
        return;
    case POLLING_REFUSED:
        refuse(server, wsi);
        return;
    }
}

static int refuse_large(struct server *server, struct lws *wsi, struct session *session)
{
    if (session->conn != NULL) {
        relay_bad(server->relay, session->conn);
    }
    lws_close_reason(wsi, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, NULL, 0);
    return -1;
}

static int on_bytes(struct server *server, struct lws *wsi, struct session *session,
                    const void *bytes, size_t n)
{
    size_t rest = lws_remaining_packet_payload(wsi);
    if ((session->conn == NULL && !session->is_probe) || session->sent_close) {
        return 0;
    }
    if (session->message == NULL) {
        if (n + rest > RELAY_MESSAGE_MAX) {
            return refuse_large(server, wsi, session);
        }
        session->message =
            frame_new(lws_frame_is_binary(wsi) ? FRAME_BINARY : FRAME_TEXT, n + rest);
    }
    if (session->message->n + n + rest > RELAY_MESSAGE_MAX) {
        return refuse_large(server, wsi, session);
    }
    session->message = frame_add(session->message, bytes, n);
    if (lws_is_final_fragment(wsi)) {
        struct frame *message = session->message;
        session->message = NULL;
        frame_seal(message);
        if (session->is_probe) {
            on_probe(server, wsi, session, message);
        } else {
            relay_message(server->relay, now_get(), session->conn, message);
        }
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

/* Closes it, and waits for the other end's Close. */
static int close_session(struct server *server, struct lws *wsi, struct session *session)
{
    session->sent_close = true;
    if (send_close(server, wsi) < 0) {
        return -1;
    }
    lws_set_timeout(wsi, PENDING_TIMEOUT_CLOSE_ACK, CLOSE_TIMEOUT_S);
    return 0;
}

/* A websocket that has no connection (yet). */
static int on_writable_probe(struct server *server, struct lws *wsi, struct session *session)
{
    static const unsigned char pong[] = {0x81, 6, '3', 'p', 'r', 'o', 'b', 'e'};
    if (session->wants_pong) {
        session->wants_pong = false;
        memcpy(server->batch + LWS_PRE, pong, sizeof(pong));
        if (lws_write(wsi, server->batch + LWS_PRE, sizeof(pong), LWS_WRITE_RAW) < 0) {
            return -1;
        }
    }
    return session->wants_close ? close_session(server, wsi, session) : 0;
}

static int on_writable(struct server *server, struct lws *wsi, struct session *session)
{
    if (session->sent_close) {
        return 0;
    }
    if (server->is_stopping) {
        (void)send_close(server, wsi);
        return -1;
    }
    if (session->conn == NULL) {
        return on_writable_probe(server, wsi, session);
    }
    if (send_batch(server, wsi, session) < 0) {
        return -1;
    }
    if (conn_first(session->conn) != NULL) {
        (void)lws_callback_on_writable(wsi);
    } else if (conn_closing(session->conn) == CONN_CLOSING &&
               close_session(server, wsi, session) < 0) {
        return -1;
    }
    settle(server);
    return 0;
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
        return on_open(server, wsi, session);
    case LWS_CALLBACK_RECEIVE:
        return on_bytes(server, wsi, session, in, n);
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return on_writable(server, wsi, session);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        session->got_close = true;
        return session->sent_close ? -1 : 0; /* the answer to our Close ends it */
    case LWS_CALLBACK_CLOSED:
        on_closed(server, session);
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
    server->pollings =
        pollings_new(server->relay, &(struct polling_calls){server, http_answer, is_gone, refuse});
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

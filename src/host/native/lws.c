/* sockets.h on libwebsockets (4.1 and later), which gives the event loop and websockets. */
#include "host/native/lws.h"

#include "host/native/names.h"
#include "host/native/process.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

static int signals_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                            size_t n)
{
    struct signalfd_siginfo info;
    (void)user;
    (void)in;
    (void)n;
    if (reason == LWS_CALLBACK_RAW_RX_FILE) {
        struct sockets *s = lws_context_user(lws_get_context(wsi));
        s->is_ended = read(lws_get_socket_fd(wsi), &info, sizeof(info)) == sizeof(info);
    }
    return 0;
}

/* clang-format off */
static const struct lws_protocols protocols[] = {
    { .name = "client",   .callback = clients_callback,  .rx_buffer_size = VISIT_FEED_MAX },
    { .name = "link",     .callback = links_callback,    .rx_buffer_size = VISIT_FEED_MAX },
    { .name = "https",    .callback = https_callback,    .rx_buffer_size = VISIT_FEED_MAX },
    { .name = "names",    .callback = names_callback    },
    { .name = "listener", .callback = listener_callback },
    { .name = "servers",  .callback = listener_callback, .id = LISTENS_FOR_SERVERS },
    { .name = "signals",  .callback = signals_callback  },
    { .name = NULL },
};
/* clang-format on */

static void wake_fired(lws_sorted_usec_list_t *sul)
{
    (void)sul; /* that it ends the wait is all it is for */
}

bool sockets_wait(struct sockets *s, int64_t wait_ms)
{
    if (wait_ms > 0) {
        lws_sul_schedule(s->context, 0, &s->wake, wake_fired, wait_ms * LWS_US_PER_MS);
    } else {
        lws_sul_cancel(&s->wake);
    }
    return lws_service(s->context, wait_ms == 0 ? -1 : 0) >= 0 && !s->is_ended;
}

bool lws_send_raw(struct lws *wsi, struct str bytes)
{
    unsigned char *copy = base_alloc(LWS_PRE + bytes.n);
    memcpy(copy + LWS_PRE, bytes.p, bytes.n);
    int wrote = lws_write(wsi, copy + LWS_PRE, bytes.n, LWS_WRITE_RAW);
    base_free(copy);
    return wrote >= 0;
}

static bool file_adopt(struct sockets *s, int fd, const char *protocol)
{
    lws_sock_file_fd_type descriptor = {.filefd = fd};
    return fd >= 0 && lws_adopt_descriptor_vhost(s->vhost, LWS_ADOPT_RAW_FILE_DESC, descriptor,
                                                 protocol, NULL) != NULL;
}

static bool context_open(struct sockets *s)
{
    struct lws_context_creation_info info;
    memset(&info, 0, sizeof(info));
    info.port = CONTEXT_PORT_NO_LISTEN;
    info.protocols = protocols;
    info.user = s;
    memset(&info.gid, 0xff, sizeof(info.gid)); /* -1: as we are; the type differs by version */
    memset(&info.uid, 0xff, sizeof(info.uid));
    info.pt_serv_buf_size = VISIT_FEED_MAX;
    info.options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS;
    s->context = lws_create_context(&info);
    if (s->context == NULL) {
        return false;
    }
    s->vhost = lws_create_vhost(s->context, &info);
    return s->vhost != NULL;
}

static bool listen_at(struct sockets *s, const struct config_address *at, const char *protocol,
                      uint16_t *port, char *why)
{
    int fd = listener_open(at->address, at->port, port);
    if (fd < 0) {
        return CONFIG_REFUSE(why, "cannot listen on %s port %d: %s.", at->address, (int)at->port,
                             strerror(errno));
    }
    return file_adopt(s, fd, protocol) || CONFIG_REFUSE(why, "libwebsockets does not start.");
}

/* Certificate and key to serve with, authorities to call by. */
static bool federation_open(struct sockets *s, const struct config_federation *f, char *why)
{
    s->serving = tls_serving(f->certificate, f->key);
    if (s->serving == NULL) {
        return CONFIG_REFUSE(why, "%.80s and %.80s are not a certificate and its key in PEM.",
                             f->certificate, f->key);
    }
    s->calling = tls_calling(f->authority);
    if (s->calling == NULL) {
        return CONFIG_REFUSE(why, "%.160s holds no certificates in PEM.",
                             f->authority == NULL ? "The system's store of authorities"
                                                  : f->authority);
    }
    s->names = names_open(s->context, s->vhost);
    s->fetches = fetches_new();
    s->may_loop = f->may_loop;
    if (s->names == NULL) {
        return CONFIG_REFUSE(why, "c-ares does not start.");
    }
    return listen_at(s, &f->listen, "servers", &s->federation_port, why);
}

struct sockets *sockets_open(const struct socket_events *events, const struct config *config,
                             char *why)
{
    struct sockets *s = base_alloc(sizeof(*s));
    bool federates = config->federation.listen.address[0] != '\0';
    s->events = *events;
    buf_init(&s->head, HTTP_HEAD_MAX);
    lws_set_log_level(config->log_level == LOG_DEBUG ? LLL_ERR | LLL_WARN : LLL_ERR, NULL);
    /* The library sizes its tables by this limit, which may be a billion in a container. */
    process_limit_descriptors(SOCKETS_CONNECTIONS_MAX + SOCKETS_FETCHES_MAX + 256);
    bool ok = context_open(s) && file_adopt(s, process_signals_open(), "signals");
    ok = ok || CONFIG_REFUSE(why, "libwebsockets does not start.");
    ok = ok && listen_at(s, &config->listen, "listener", &s->port, why);
    ok = ok && (!federates || federation_open(s, &config->federation, why));
    if (!ok) {
        sockets_close(s);
        return NULL;
    }
    return s;
}

uint16_t sockets_port(const struct sockets *s)
{
    return s->port;
}

uint16_t sockets_federation_port(const struct sockets *s)
{
    return s->federation_port;
}

void sockets_close(struct sockets *s)
{
    s->is_closing = true;
    sockets_hang_up_all(s);
    names_close(s->names);
    fetches_free(s->fetches);
    if (s->context != NULL) {
        lws_context_destroy(s->context);
    }
    tls_ground_free(s->serving);
    tls_ground_free(s->calling);
    buf_release(&s->head);
    base_free(s);
}

/* sockets.h on libwebsockets (4.1 and later). The library gives the event loop and websockets;
 * clients' HTTP comes through it as raw bytes, because its own HTTP server decodes the request
 * target, which would make an encoded slash in a Matrix path the same as a plain one. */
#include "host/native/sockets.h"

#include "base/buf.h"
#include "host/native/listener.h"
#include "host/native/process.h"
#include "host/native/visit.h"

#include <libwebsockets.h>

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define ACCEPTS_A_PASS 64
#define MESSAGE_MAX (1024 * 1024) /* of a relay; it sends at most 1,000,000 bytes */
#define WRITE_MAX (256 * 1024)    /* given to the library at once */

/* A client. Slots are reused; the serial makes request ids unique. */
struct client {
    struct sockets *s;
    struct lws *wsi; /* NULL: the slot is free */
    struct visit *visit;
    uint64_t id; /* of the open request; 0: none */
    bool is_shut, is_paused;
    struct address from;
};

struct message {
    struct message *next;
    size_t n;
    bool is_text;
    unsigned char bytes[]; /* LWS_PRE for the library, then n */
};

struct link {
    struct sockets *s;
    struct lws *wsi;
    bool is_used, is_up;
    uint64_t id;
    struct message *first, *last;
    size_t queued, in_flight; /* in_flight: with the library, perhaps not with the kernel */
    struct buf in;            /* the message being received */
};

struct sockets {
    struct socket_events events;
    struct lws_context *context;
    struct lws_vhost *vhost;
    lws_sorted_usec_list_t wake;
    uint64_t serial;
    uint16_t port;
    bool is_ended, is_closing;
    struct buf head; /* of the request being handed over */
    struct client clients[SOCKETS_CONNECTIONS_MAX];
    struct link links[SOCKETS_LINKS_MAX];
};

/* --- clients ------------------------------------------------------------------------------ */

static struct client *client_find(struct sockets *s, uint64_t id)
{
    struct client *c = &s->clients[id % SOCKETS_CONNECTIONS_MAX];
    return c->wsi != NULL && c->id == id && id != 0 ? c : NULL;
}

/* Asks the library for what the connection needs next. False: close it. */
static bool client_settle(struct client *c)
{
    bool is_new, may_read = visit_wants_bytes(c->visit);
    if (visit_unsent(c->visit).n > 0) {
        lws_callback_on_writable(c->wsi);
    }
    if (may_read == c->is_paused) {
        c->is_paused = !may_read;
        lws_rx_flow_control(c->wsi, may_read ? 1 : 0);
    }
    switch (visit_ending(c->visit)) {
    case VISIT_OVER:
        return false;
    case VISIT_LINGERS:
        if (!c->is_shut) {
            c->is_shut = true;
            shutdown(lws_get_socket_fd(c->wsi), SHUT_WR);
        }
        break;
    case VISIT_STAYS:
        break;
    }
    int patience_s = visit_patience_s(c->visit, &is_new);
    if (is_new) {
        lws_set_timeout(c->wsi,
                        patience_s == 0 ? NO_PENDING_TIMEOUT : PENDING_TIMEOUT_USER_REASON_BASE,
                        patience_s);
    }
    return true;
}

/* The head with the client's address as its first header (engine/gate.c); absent: too large. */
static struct str head_with_address(struct client *c, struct str head)
{
    struct buf *out = &c->s->head;
    struct str line, rest;
    buf_clear(out);
    str_cut(head, '\n', &line, &rest);
    buf_add_fmt(out, "%.*s\nneurite-address: %s\r\n", STR_ARG(line), c->from.text);
    buf_add(out, rest);
    return out->overflow ? STR_ABSENT : buf_str(out);
}

/* Hands over a request that is complete. */
static bool client_step(struct client *c)
{
    struct sockets *s = c->s;
    struct str head, body;
    if (visit_next(c->visit, &head, &body)) {
        head = head_with_address(c, head);
        if (str_is_absent(head)) {
            visit_refuse_head(c->visit);
            return client_settle(c);
        }
        c->id = ++s->serial * SOCKETS_CONNECTIONS_MAX + (size_t)(c - s->clients);
        s->events.request(s->events.ctx, c->id, head, body);
    }
    return client_settle(c);
}

static bool client_write(struct client *c)
{
    while (visit_unsent(c->visit).n > 0 && !lws_send_pipe_choked(c->wsi)) {
        struct str unsent = visit_unsent(c->visit);
        size_t n = unsent.n < WRITE_MAX ? unsent.n : WRITE_MAX;
        unsigned char *bytes = base_alloc(LWS_PRE + n);
        memcpy(bytes + LWS_PRE, unsent.p, n);
        int wrote = lws_write(c->wsi, bytes + LWS_PRE, n, LWS_WRITE_RAW);
        base_free(bytes);
        if (wrote < 0) {
            return false;
        }
        visit_sent(c->visit, n); /* what the kernel did not take, the library keeps */
    }
    /* A request that was sent behind the answered one may be complete already. */
    return visit_unsent(c->visit).n == 0 ? client_step(c) : client_settle(c);
}

static void client_drop(struct client *c)
{
    struct sockets *s = c->s;
    if (c->id != 0 && !s->is_closing) {
        s->events.gone(s->events.ctx, c->id);
    }
    visit_free(c->visit);
    memset(c, 0, sizeof(*c));
}

static int client_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                           size_t n)
{
    struct client *c = lws_get_opaque_user_data(wsi);
    (void)user;
    if (c == NULL) {
        return 0;
    }
    if (reason == LWS_CALLBACK_RAW_RX) {
        if (n > VISIT_FEED_MAX || !visit_wants_bytes(c->visit)) {
            return -1;
        }
        visit_feed(c->visit, str_make(in, n));
        return client_step(c) ? 0 : -1;
    }
    if (reason == LWS_CALLBACK_RAW_WRITEABLE) {
        return client_write(c) ? 0 : -1;
    }
    if (reason == LWS_CALLBACK_RAW_CLOSE) {
        lws_set_opaque_user_data(wsi, NULL);
        client_drop(c);
    }
    return 0;
}

/* Takes the socket over, or closes it when there is no room. */
static void client_accept(struct sockets *s, int fd, struct address from)
{
    int on = 1;
    size_t slot = 0;
    while (slot < SOCKETS_CONNECTIONS_MAX && s->clients[slot].wsi != NULL) {
        slot++;
    }
    if (slot == SOCKETS_CONNECTIONS_MAX) {
        close(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    lws_sock_file_fd_type descriptor = {.sockfd = fd};
    struct lws *wsi =
        lws_adopt_descriptor_vhost(s->vhost, LWS_ADOPT_SOCKET, descriptor, "client", NULL);
    if (wsi == NULL) {
        return; /* the library has closed it */
    }
    struct client *c = &s->clients[slot];
    *c = (struct client){.s = s, .wsi = wsi, .visit = visit_new(), .from = from};
    lws_set_opaque_user_data(wsi, c);
    client_settle(c);
}

static int listener_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user,
                             void *in, size_t n)
{
    (void)user;
    (void)in;
    (void)n;
    if (reason != LWS_CALLBACK_RAW_RX_FILE) {
        return 0;
    }
    struct sockets *s = lws_context_user(lws_get_context(wsi));
    for (int i = 0; i < ACCEPTS_A_PASS; i++) {
        struct address from;
        int fd = listener_accept(lws_get_socket_fd(wsi), &from);
        if (fd < 0) {
            break;
        }
        client_accept(s, fd, from);
    }
    return 0;
}

void sockets_respond(struct sockets *s, uint64_t id, int status, struct str head, struct str body)
{
    struct client *c = client_find(s, id);
    if (c != NULL) {
        c->id = 0;
        visit_answer(c->visit, status, head, body);
        client_settle(c);
    }
}

void sockets_respond_all(struct sockets *s, bool is_read, int status, struct str head,
                         struct str body)
{
    for (size_t i = 0; i < SOCKETS_CONNECTIONS_MAX; i++) {
        const struct client *c = &s->clients[i];
        if (c->id != 0 && visit_is_read(c->visit) == is_read) {
            sockets_respond(s, c->id, status, head, body);
        }
    }
}

/* --- links -------------------------------------------------------------------------------- */

static struct link *link_find(struct sockets *s, uint64_t id)
{
    for (size_t i = 0; i < SOCKETS_LINKS_MAX; i++) {
        if (s->links[i].is_used && s->links[i].id == id) {
            return &s->links[i];
        }
    }
    return NULL;
}

static void link_release(struct link *link)
{
    while (link->first != NULL) {
        struct message *next = link->first->next;
        base_free(link->first);
        link->first = next;
    }
    buf_release(&link->in);
    if (link->wsi != NULL) {
        lws_set_opaque_user_data(link->wsi, NULL);
    }
    memset(link, 0, sizeof(*link));
}

static void link_fail(struct link *link, struct str why)
{
    struct sockets *s = link->s;
    uint64_t id = link->id;
    link_release(link);
    if (!s->is_closing) {
        s->events.link_down(s->events.ctx, id, why);
    }
}

static void link_report_room(struct link *link)
{
    size_t taken = link->queued + link->in_flight;
    link->s->events.link_room(link->s->events.ctx, link->id,
                              taken < SOCKETS_LINK_ROOM ? SOCKETS_LINK_ROOM - taken : 0);
}

static bool link_write(struct link *link)
{
    link->in_flight = 0; /* the library calls only when its own buffer is empty */
    while (link->first != NULL && !lws_send_pipe_choked(link->wsi)) {
        struct message *message = link->first;
        size_t n = message->n;
        int wrote = lws_write(link->wsi, message->bytes + LWS_PRE, n,
                              message->is_text ? LWS_WRITE_TEXT : LWS_WRITE_BINARY);
        link->first = message->next;
        link->queued -= n;
        link->in_flight += n;
        base_free(message);
        if (wrote < (int)n) {
            return false;
        }
    }
    /* Once more when something is with the library: that call finds in_flight gone. */
    if (link->first != NULL || link->in_flight > 0) {
        lws_callback_on_writable(link->wsi);
    }
    link_report_room(link);
    return true;
}

static bool link_read(struct link *link, struct str part)
{
    if (lws_is_first_fragment(link->wsi)) {
        buf_clear(&link->in);
    }
    buf_add(&link->in, part);
    if (link->in.overflow) {
        return false;
    }
    lws_validity_confirmed(link->wsi);
    if (lws_is_final_fragment(link->wsi)) {
        link->s->events.link_message(link->s->events.ctx, link->id, buf_str(&link->in),
                                     lws_frame_is_binary(link->wsi) == 0);
    }
    return true;
}

/* True: this was an end of the link, and it is reported. */
static bool link_ended(struct link *link, enum lws_callback_reasons reason, const char *why)
{
    if (reason == LWS_CALLBACK_CLIENT_CONNECTION_ERROR) {
        link_fail(link, why == NULL ? STR("cannot connect") : str_of(why));
        return true;
    }
    if (reason == LWS_CALLBACK_CLIENT_CLOSED || reason == LWS_CALLBACK_WSI_DESTROY) {
        link_fail(link, STR("closed"));
        return true;
    }
    return false;
}

static int link_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                         size_t n)
{
    struct link *link = lws_get_opaque_user_data(wsi);
    (void)user;
    if (link == NULL) {
        return reason == LWS_CALLBACK_CLIENT_WRITEABLE ? -1 : 0; /* hung up */
    }
    link->wsi = wsi;
    if (link_ended(link, reason, in)) {
        return 0;
    }
    if (reason == LWS_CALLBACK_CLIENT_ESTABLISHED) {
        link->is_up = true;
        link->s->events.link_up(link->s->events.ctx, link->id);
    } else if (reason == LWS_CALLBACK_CLIENT_RECEIVE) {
        return link_read(link, str_make(in, n)) ? 0 : -1;
    } else if (reason == LWS_CALLBACK_CLIENT_WRITEABLE) {
        return link_write(link) ? 0 : -1;
    }
    return 0;
}

static struct link *link_take(struct sockets *s, uint64_t id)
{
    for (size_t i = 0; i < SOCKETS_LINKS_MAX; i++) {
        if (!s->links[i].is_used) {
            s->links[i] = (struct link){.s = s, .is_used = true, .id = id};
            buf_init(&s->links[i].in, MESSAGE_MAX);
            return &s->links[i];
        }
    }
    return NULL;
}

/* "ws://host:port/path" into C strings; an IPv6 host loses its brackets. */
static bool url_split(struct str url, char *host, size_t size, int *port, const char **path,
                      struct buf *path_memory)
{
    struct str rest = str_from(url, 5), authority = rest, tail = STR_ABSENT;
    int64_t number = 80;
    size_t colon;
    str_cut(rest, '/', &authority, &tail);
    struct str name = authority;
    if (str_find_last(authority, ':', &colon) && !str_ends(authority, STR("]"))) {
        name = str_sub(authority, 0, colon);
        if (!str_to_i64(str_from(authority, colon + 1), &number)) {
            return false;
        }
    }
    if (name.n > 1 && name.p[0] == '[') {
        name = str_sub(name, 1, name.n - 2);
    }
    if (!str_starts(url, STR("ws://")) || name.n == 0 || name.n >= size || number < 1 ||
        number > 65535) {
        return false;
    }
    memcpy(host, name.p, name.n);
    host[name.n] = '\0';
    *port = (int)number;
    buf_add_char(path_memory, '/');
    buf_add(path_memory, tail);
    buf_add_char(path_memory, '\0');
    *path = (const char *)path_memory->p;
    return !path_memory->overflow;
}

void sockets_dial(struct sockets *s, uint64_t id, struct str url)
{
    char host[256], authority[300];
    struct buf path_memory;
    struct lws_client_connect_info info;
    struct link *link = link_take(s, id);
    if (link == NULL) {
        s->events.link_down(s->events.ctx, id, STR("too many links"));
        return;
    }
    memset(&info, 0, sizeof(info));
    buf_init(&path_memory, 2048);
    if (!url_split(url, host, sizeof(host), &info.port, &info.path, &path_memory)) {
        link_fail(link, STR("not a ws:// address"));
    } else {
        snprintf(authority, sizeof(authority), "%s:%d", host, info.port);
        info.context = s->context;
        info.vhost = s->vhost;
        info.address = host;
        info.host = authority;
        info.ietf_version_or_minus_one = -1;
        info.local_protocol_name = "link";
        info.opaque_user_data = link;
        info.pwsi = &link->wsi;
        /* A failure may or may not have been told to link_callback by now. */
        if (lws_client_connect_via_info(&info) == NULL && link->is_used && link->id == id) {
            link->wsi = NULL;
            link_fail(link, STR("cannot connect"));
        }
    }
    buf_release(&path_memory);
}

void sockets_send(struct sockets *s, uint64_t id, struct str bytes, bool is_text)
{
    struct link *link = link_find(s, id);
    if (link == NULL || !link->is_up) {
        return;
    }
    struct message *message = base_alloc(sizeof(*message) + LWS_PRE + bytes.n);
    message->n = bytes.n;
    message->is_text = is_text;
    if (bytes.n > 0) {
        memcpy(message->bytes + LWS_PRE, bytes.p, bytes.n);
    }
    if (link->first == NULL) {
        link->first = message;
    } else {
        link->last->next = message;
    }
    link->last = message;
    link->queued += bytes.n;
    lws_callback_on_writable(link->wsi);
}

void sockets_hang_up(struct sockets *s, uint64_t id)
{
    struct link *link = link_find(s, id);
    if (link != NULL) {
        struct lws *wsi = link->wsi;
        link_release(link);
        if (wsi != NULL) {
            lws_set_timeout(wsi, PENDING_TIMEOUT_CLOSE_SEND, LWS_TO_KILL_ASYNC);
        }
    }
}

void sockets_hang_up_all(struct sockets *s)
{
    for (size_t i = 0; i < SOCKETS_LINKS_MAX; i++) {
        if (s->links[i].is_used) {
            sockets_hang_up(s, s->links[i].id);
        }
    }
}

/* --- the loop ----------------------------------------------------------------------------- */

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
    { .name = "client",   .callback = client_callback,   .rx_buffer_size = VISIT_FEED_MAX },
    { .name = "link",     .callback = link_callback,     .rx_buffer_size = VISIT_FEED_MAX },
    { .name = "listener", .callback = listener_callback },
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

struct sockets *sockets_open(const struct socket_events *events, const char *address, uint16_t port,
                             bool is_chatty, const char **why)
{
    struct sockets *s = base_alloc(sizeof(*s));
    s->events = *events;
    buf_init(&s->head, HTTP_HEAD_MAX);
    lws_set_log_level(is_chatty ? LLL_ERR | LLL_WARN : LLL_ERR, NULL);
    /* The library sizes its tables by this limit, which may be a billion in a container. */
    process_limit_descriptors(SOCKETS_CONNECTIONS_MAX + 256);
    int fd = listener_open(address, port, &s->port);
    if (fd < 0) {
        *why = strerror(errno);
        buf_release(&s->head);
        base_free(s);
        return NULL;
    }
    if (!context_open(s) || !file_adopt(s, fd, "listener") ||
        !file_adopt(s, process_signals_open(), "signals")) {
        *why = "libwebsockets does not start";
        sockets_close(s);
        return NULL;
    }
    return s;
}

uint16_t sockets_port(const struct sockets *s)
{
    return s->port;
}

void sockets_close(struct sockets *s)
{
    s->is_closing = true;
    sockets_hang_up_all(s);
    if (s->context != NULL) {
        lws_context_destroy(s->context);
    }
    buf_release(&s->head);
    base_free(s);
}

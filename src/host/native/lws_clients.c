/* Clients. Their HTTP comes through libwebsockets as raw bytes, because its own HTTP server decodes
 * the request target, which would make an encoded slash in a Matrix path the same as a plain one.
 */
#include "host/native/lws.h"

#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ACCEPTS_A_PASS 64
#define WRITE_MAX (256 * 1024) /* given to the library at once */

static struct client *client_find(struct sockets *s, uint64_t id)
{
    struct client *c = &s->clients[id % SOCKETS_CONNECTIONS_MAX];
    return c->wsi != NULL && c->id == id && id != 0 ? c : NULL;
}

/* Asks the library for what the connection needs next. False: close it. */
static bool client_settle(struct client *c)
{
    bool is_new, may_read = visit_wants_bytes(c->visit);
    if (visit_unsent(c->visit).n > 0 || c->sealed.n > 0) {
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

/* What TLS has told already goes on to the visit as far as that takes it. */
static bool client_take_plain(struct client *c)
{
    size_t n = c->plain.n < VISIT_FEED_MAX ? c->plain.n : VISIT_FEED_MAX;
    if (n == 0 || !visit_wants_bytes(c->visit)) {
        return false;
    }
    visit_feed(c->visit, str_sub(buf_str(&c->plain), 0, n));
    buf_drop(&c->plain, n);
    return true;
}

/* Hands over a request that is complete. */
static bool client_step(struct client *c)
{
    struct sockets *s = c->s;
    struct str head, body;
    bool has_request = visit_next(c->visit, &head, &body);
    while (!has_request && client_take_plain(c)) {
        has_request = visit_next(c->visit, &head, &body);
    }
    if (has_request) {
        head = head_with_address(c, head);
        if (str_is_absent(head)) {
            visit_refuse_head(c->visit);
            return client_settle(c);
        }
        c->id = ++s->serial * SOCKETS_CONNECTIONS_MAX + (size_t)(c - s->clients);
        (c->tls != NULL ? s->events.server_request : s->events.request)(s->events.ctx, c->id, head,
                                                                        body);
    }
    return client_settle(c);
}

static bool client_read(struct client *c, struct str bytes)
{
    if (bytes.n > VISIT_FEED_MAX || !visit_wants_bytes(c->visit)) {
        return false;
    }
    if (c->tls == NULL) {
        visit_feed(c->visit, bytes);
        return client_step(c);
    }
    bool ok = tls_feed(c->tls, bytes, &c->plain);
    tls_unsent(c->tls, &c->sealed);
    return ok && client_step(c);
}

/* The next bytes for the network, borrowed; empty: there are none, or TLS is broken. */
static struct str client_next_bytes(struct client *c)
{
    struct str unsent = visit_unsent(c->visit);
    unsent = str_sub(unsent, 0, unsent.n < WRITE_MAX ? unsent.n : WRITE_MAX);
    if (c->tls == NULL) {
        return unsent;
    }
    if (unsent.n > 0 && tls_say(c->tls, unsent)) {
        visit_sent(c->visit, unsent.n);
        tls_unsent(c->tls, &c->sealed);
    }
    return buf_str(&c->sealed);
}

static bool client_write(struct client *c)
{
    while (!lws_send_pipe_choked(c->wsi)) {
        struct str bytes = client_next_bytes(c);
        if (bytes.n == 0) {
            break;
        }
        if (!lws_send_raw(c->wsi, bytes)) {
            return false;
        }
        if (c->tls == NULL) {
            visit_sent(c->visit, bytes.n);
        } else {
            buf_clear(&c->sealed);
        }
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
    tls_free(c->tls);
    buf_release(&c->plain);
    buf_release(&c->sealed);
    memset(c, 0, sizeof(*c));
}

int clients_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                     size_t n)
{
    struct client *c = lws_get_opaque_user_data(wsi);
    (void)user;
    if (c == NULL) {
        return 0;
    }
    if (reason == LWS_CALLBACK_RAW_RX) {
        return client_read(c, str_make(in, n)) ? 0 : -1;
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

/* May one more server come from there? This machine may be a proxy for all of them. */
static bool has_room_for_server(const struct sockets *s, const struct address *from)
{
    size_t n = 0;
    for (size_t i = SOCKETS_CLIENTS_MAX; i < SOCKETS_CONNECTIONS_MAX; i++) {
        n += s->clients[i].wsi != NULL && strcmp(s->clients[i].from.text, from->text) == 0;
    }
    return n < SOCKETS_SERVERS_OF_ADDRESS_MAX || address_is_here(from);
}

/* NULL: there is none. */
static struct client *free_slot(struct sockets *s, const struct address *from, bool is_server)
{
    size_t end = is_server ? SOCKETS_CONNECTIONS_MAX : SOCKETS_CLIENTS_MAX;
    size_t slot = is_server ? SOCKETS_CLIENTS_MAX : 0;
    while (slot < end && s->clients[slot].wsi != NULL) {
        slot++;
    }
    bool has = slot < end && (!is_server || has_room_for_server(s, from));
    return has ? &s->clients[slot] : NULL;
}

/* Takes the socket over, or closes it when there is no room. */
static void client_accept(struct sockets *s, int fd, struct address from, bool is_server)
{
    int on = 1;
    struct client *c = free_slot(s, &from, is_server);
    if (c == NULL) {
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
    *c = (struct client){.s = s, .wsi = wsi, .from = from};
    c->visit = visit_new(is_server ? SERVER_BODY_MAX : HTTP_BODY_MAX);
    c->tls = is_server ? tls_accept(s->serving) : NULL;
    buf_init(&c->plain, 2 * VISIT_FEED_MAX);
    buf_init(&c->sealed, 2 * WRITE_MAX);
    lws_set_opaque_user_data(wsi, c);
    client_settle(c);
}

int listener_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                      size_t n)
{
    (void)user;
    (void)in;
    (void)n;
    if (reason != LWS_CALLBACK_RAW_RX_FILE) {
        return 0;
    }
    struct sockets *s = lws_context_user(lws_get_context(wsi));
    bool is_server = lws_get_protocol(wsi)->id == LISTENS_FOR_SERVERS;
    for (int i = 0; i < ACCEPTS_A_PASS; i++) {
        struct address from;
        int fd = listener_accept(lws_get_socket_fd(wsi), &from);
        if (fd < 0) {
            break;
        }
        client_accept(s, fd, from, is_server);
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

/* names.h: c-ares opens sockets and says what it waits for; copies of them wait in the loop. */
#define _GNU_SOURCE /* F_DUPFD_CLOEXEC */
#include "host/native/lws.h"
#include "host/native/names.h"

#include <ares.h>
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <fcntl.h>
#include <netdb.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

enum { WATCHES_MAX = 16, TRY_MS = 2500, TRIES = 3, SRV_MAX = 64 };

/* A socket of c-ares, and the copy of it that the loop owns. */
struct watch {
    struct names *names;
    struct lws *wsi; /* NULL: a free place */
    ares_socket_t fd;
    bool writes;
};

struct names {
    struct lws_context *context;
    struct lws_vhost *vhost;
    ares_channel channel;
    lws_sorted_usec_list_t timer;
    struct watch watches[WATCHES_MAX];
    bool is_closing;
};

struct lookup {
    struct names *names;
    names_addresses_fn addresses;
    names_srv_fn srv;
    void *ctx;
};

static void timer_fired(lws_sorted_usec_list_t *sul);

static void timer_set(struct names *n)
{
    struct timeval at;
    if (ares_timeout(n->channel, NULL, &at) == NULL) {
        lws_sul_cancel(&n->timer);
    } else {
        lws_sul_schedule(n->context, 0, &n->timer, timer_fired,
                         (lws_usec_t)at.tv_sec * LWS_US_PER_SEC + (lws_usec_t)at.tv_usec + 1000);
    }
}

static void timer_fired(lws_sorted_usec_list_t *sul)
{
    struct names *n = lws_container_of(sul, struct names, timer);
    ares_process_fd(n->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    timer_set(n);
}

static struct watch *watch_find(struct names *n, ares_socket_t fd)
{
    for (size_t i = 0; i < WATCHES_MAX; i++) {
        if (n->watches[i].wsi != NULL && n->watches[i].fd == fd) {
            return &n->watches[i];
        }
    }
    return NULL;
}

static void watch_drop(struct watch *w)
{
    lws_set_opaque_user_data(w->wsi, NULL);
    lws_set_timeout(w->wsi, PENDING_TIMEOUT_CLOSE_SEND, LWS_TO_KILL_ASYNC);
    memset(w, 0, sizeof(*w));
}

static struct watch *watch_add(struct names *n, ares_socket_t fd)
{
    for (size_t i = 0; i < WATCHES_MAX; i++) {
        struct watch *w = &n->watches[i];
        if (w->wsi != NULL) {
            continue;
        }
        lws_sock_file_fd_type copy = {.filefd = fcntl(fd, F_DUPFD_CLOEXEC, 0)};
        struct lws *wsi = copy.filefd < 0
                              ? NULL
                              : lws_adopt_descriptor_vhost(n->vhost, LWS_ADOPT_RAW_FILE_DESC, copy,
                                                           "names", NULL);
        if (wsi != NULL) {
            *w = (struct watch){.names = n, .wsi = wsi, .fd = fd};
            lws_set_opaque_user_data(wsi, w);
            return w;
        }
        break;
    }
    return NULL; /* the timer sees to it */
}

static void on_socket(void *ctx, ares_socket_t fd, int reads, int writes)
{
    struct names *n = ctx;
    struct watch *w = watch_find(n, fd);
    if (n->is_closing) {
        return;
    }
    if (!reads && !writes) {
        if (w != NULL) {
            watch_drop(w);
        }
        return;
    }
    w = w == NULL ? watch_add(n, fd) : w;
    if (w != NULL) {
        w->writes = writes != 0;
        if (w->writes) {
            lws_callback_on_writable(w->wsi);
        }
    }
}

int names_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                   size_t n)
{
    struct watch *w = lws_get_opaque_user_data(wsi);
    (void)user;
    (void)in;
    (void)n;
    if (w == NULL) {
        return 0;
    }
    struct names *names = w->names;
    ares_socket_t fd = w->fd;
    if (reason == LWS_CALLBACK_RAW_RX_FILE) {
        ares_process_fd(names->channel, fd, ARES_SOCKET_BAD);
        timer_set(names);
    } else if (reason == LWS_CALLBACK_RAW_WRITEABLE_FILE) {
        ares_process_fd(names->channel, ARES_SOCKET_BAD, fd);
        timer_set(names);
        w = watch_find(names, fd);
        if (w != NULL && w->writes) {
            lws_callback_on_writable(w->wsi);
        }
    } else if (reason == LWS_CALLBACK_RAW_CLOSE_FILE) {
        lws_set_opaque_user_data(wsi, NULL);
        memset(w, 0, sizeof(*w));
    }
    return 0;
}

struct names *names_open(struct lws_context *context, struct lws_vhost *vhost)
{
    struct names *n = base_alloc(sizeof(*n));
    struct ares_options options = {
        .timeout = TRY_MS, .tries = TRIES, .sock_state_cb = on_socket, .sock_state_cb_data = n};
    int flags = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB;
    n->context = context;
    n->vhost = vhost;
    if (ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS &&
        ares_init_options(&n->channel, &options, flags) == ARES_SUCCESS) {
        return n;
    }
    base_free(n);
    return NULL;
}

void names_close(struct names *n)
{
    if (n != NULL) {
        n->is_closing = true;
        lws_sul_cancel(&n->timer);
        ares_destroy(n->channel);
        ares_library_cleanup();
        for (size_t i = 0; i < WATCHES_MAX; i++) {
            if (n->watches[i].wsi != NULL) {
                watch_drop(&n->watches[i]);
            }
        }
        base_free(n);
    }
}

static struct lookup *lookup_new(struct names *names, void *ctx)
{
    struct lookup *l = base_alloc(sizeof(*l));
    *l = (struct lookup){.names = names, .ctx = ctx};
    return l;
}

/* --- addresses ---------------------------------------------------------------------------- */

static bool address_take(struct name_address *out, const struct sockaddr *at)
{
    const void *bytes;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    if (at->sa_family == AF_INET) {
        memcpy(&v4, at, sizeof(v4));
        bytes = &v4.sin_addr;
        out->n = 4;
    } else if (at->sa_family == AF_INET6) {
        memcpy(&v6, at, sizeof(v6));
        bytes = &v6.sin6_addr;
        out->n = 16;
    } else {
        return false;
    }
    memcpy(out->bytes, bytes, out->n);
    return inet_ntop(at->sa_family, out->bytes, out->text, sizeof(out->text)) != NULL;
}

static void on_addresses(void *ctx, int status, int timeouts, struct ares_addrinfo *info)
{
    struct lookup *l = ctx;
    struct name_address found[NAMES_ADDRESSES_MAX];
    size_t n = 0;
    (void)timeouts;
    struct ares_addrinfo_node *at = status == ARES_SUCCESS && info != NULL ? info->nodes : NULL;
    for (; at != NULL && n < COUNT_OF(found); at = at->ai_next) {
        n += address_take(&found[n], at->ai_addr) ? 1 : 0;
    }
    if (info != NULL) {
        ares_freeaddrinfo(info);
    }
    l->addresses(l->ctx, found, n);
    base_free(l);
}

void names_addresses(struct names *names, const char *host, names_addresses_fn done, void *ctx)
{
    struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct lookup *l = lookup_new(names, ctx);
    l->addresses = done;
    ares_getaddrinfo(names->channel, host, NULL, &hints, on_addresses, l);
    timer_set(names);
}

/* --- services ----------------------------------------------------------------------------- */

static void on_srv(void *ctx, int status, int timeouts, unsigned char *answer, int length)
{
    struct lookup *l = ctx;
    struct ares_srv_reply *replies = NULL;
    struct resolve_srv found[SRV_MAX];
    size_t n = 0;
    (void)timeouts;
    if (status == ARES_SUCCESS && ares_parse_srv_reply(answer, length, &replies) == ARES_SUCCESS) {
        for (struct ares_srv_reply *r = replies; r != NULL && n < COUNT_OF(found); r = r->next) {
            found[n++] = (struct resolve_srv){r->host, r->port, r->priority, r->weight};
        }
    }
    l->srv(l->ctx, found, n);
    if (replies != NULL) {
        ares_free_data(replies);
    }
    base_free(l);
}

void names_srv(struct names *names, const char *name, names_srv_fn done, void *ctx)
{
    struct lookup *l = lookup_new(names, ctx);
    l->srv = done;
    ares_query(names->channel, name, ns_c_in, ns_t_srv, on_srv, l);
    timer_set(names);
}

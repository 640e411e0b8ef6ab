/* What the files that know libwebsockets share: lws.c runs the loop, lws_clients.c takes HTTP in,
 * lws_links.c keeps websockets to relays, lws_fetches.c asks other servers over lws_https.c and
 * lws_names.c. sockets.h is what the others see of them. */
#ifndef HOST_NATIVE_LWS_H
#define HOST_NATIVE_LWS_H

#include "base/buf.h"
#include "host/native/listener.h"
#include "host/native/sockets.h"
#include "host/native/tls.h"
#include "host/native/visit.h"

#include <libwebsockets.h>

/* A client, or another server: those have the slots from SOCKETS_CLIENTS_MAX on. Slots are reused;
 * the serial makes request ids unique. */
struct client {
    struct sockets *s;
    struct lws *wsi; /* NULL: the slot is free */
    struct visit *visit;
    uint64_t id; /* of the open request; 0: none */
    bool is_shut, is_paused;
    struct tls *tls;          /* NULL: a client; else another server */
    struct buf plain, sealed; /* beside tls: not given to the visit yet, not sent yet */
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
    struct tls_ground *serving, *calling; /* of other servers; NULL: we do not federate */
    struct names *names;
    struct fetches *fetches;
    bool may_loop;
    lws_sorted_usec_list_t wake;
    uint64_t serial;
    uint16_t port, federation_port;
    bool is_ended, is_closing;
    struct buf head; /* of the request being handed over */
    struct client clients[SOCKETS_CONNECTIONS_MAX];
    struct link links[SOCKETS_LINKS_MAX];
};

#define LISTENS_FOR_SERVERS 1 /* the id of a protocol */

/* The protocols, as libwebsockets calls them. */
lws_callback_function clients_callback, listener_callback, links_callback, https_callback,
    names_callback;

/* Hands bytes to the library, which keeps what the kernel does not take. False: it is broken. */
bool lws_send_raw(struct lws *wsi, struct str bytes);

struct fetches *fetches_new(void);
void fetches_free(struct fetches *f);

#endif

/* What the files that know libwebsockets share, loop.c apart. */
#ifndef RELAY_HOST_H
#define RELAY_HOST_H

#include "relay/carrier.h"
#include "relay/cluster.h"
#include "relay/loop.h"
#include "relay/page.h"
#include "relay/polling.h"
#include "relay/server.h"

#include <libwebsockets.h>

enum { BATCH_SIZE = 64 * 1024 }; /* bytes for one send */

struct server {
    const struct options *options;
    struct relay *relay;
    struct pollings *pollings;
    struct cluster *cluster; /* NULL: the relay is alone */
    struct carrier *carrier;
    struct loop *loop;
    struct lws_context *context;
    struct lws_vhost *vhost;
    lws_sorted_usec_list_t timer;
    int64_t due_ms;    /* when it runs */
    int64_t stop_ms;   /* once it is stopping: when that has to be over */
    size_t n_sessions; /* websockets, and answers that wait to be sent */
    bool is_stopping, is_bad_key;
    unsigned char batch[LWS_PRE + BATCH_SIZE];
};

/* One per websocket or HTTP request, zeroed by libwebsockets. */
struct session {
    struct conn *conn;       /* of a websocket */
    struct frame *message;   /* the one being received */
    struct polling *polling; /* whose request waits here, or whose place this websocket takes */
    struct held *held;       /* the request's answer, until it can be sent */
    char sid[POLLING_SID_SIZE];
    bool has_sid; /* the websocket named a session */
    bool is_probe, wants_pong, wants_close;
    bool is_base64, is_paused, sent_close, got_close;
};

/* --- lws.c -------------------------------------------------------------------------------- */

struct now now_get(void);
struct str ip_of(struct lws *wsi, char out[64]);
/* Carries out what changed. */
void settle(struct server *server);
void hang_up(struct lws *wsi);

/* --- tls.c -------------------------------------------------------------------------------- */

/* Puts certificate and key into OpenSSL's SSL_CTX; 0, or -1 and is_bad_key. */
int tls_load(struct server *server, void *ssl_ctx);

/* --- member.c: the relay as one of a cluster ------------------------------------------------ */

/* Before the relay is made, and after; false: the cluster's address cannot be used. */
void member_prepare(struct server *server, struct relay_config *config);
bool member_start(struct server *server);
/* Woken: others said something. */
void member_deliver(struct server *server);
/* The others are told, and nothing comes from them any more. */
void member_end(struct server *server);
void member_free(struct server *server);

/* --- websocket.c: libwebsockets' callbacks, with their results ----------------------------- */

int websocket_open(struct server *server, struct lws *wsi, struct session *session);
void websocket_closed(struct server *server, struct session *session);
int websocket_bytes(struct server *server, struct lws *wsi, struct session *session,
                    const void *bytes, size_t n);
int websocket_writable(struct server *server, struct lws *wsi, struct session *session);
/* Carries out what the relay wants of an open one: paused, written to, closed. */
void websocket_apply(struct conn *conn);
/* polling_calls.refuse: the websocket, a struct lws, did not take a session over. */
void websocket_refuse(void *ctx, void *socket);

/* --- http.c: libwebsockets' callbacks, with their results --------------------------------- */

int on_http(struct server *server, struct lws *wsi, struct session *session);
int on_http_body(struct server *server, struct session *session, struct str bytes);
int on_http_posted(struct server *server, struct session *session);
int on_http_writable(struct server *server, struct lws *wsi, struct session *session);
/* The request is over, answered or not. */
void on_http_gone(struct server *server, struct lws *wsi, struct session *session);
/* 0: upgrade; 1: answered; -1: hang up. */
int on_upgrade(struct server *server, struct lws *wsi, const char *to);
/* Keeps what a websocket's query says, which is gone once it is open. */
void on_handshake(struct lws *wsi, struct session *session);
/* polling_calls.answer; the request is a struct lws. */
void http_answer(void *ctx, void *request, const struct polling_answer *answer);

#endif

/* The sockets of the native host: a listener for clients and one for other servers, websockets to
 * relays, HTTPS to other servers, one timer, the signals that end the process. The files that
 * include lws.h implement it on libwebsockets, and only they know the library.
 *
 * Order of calls: sockets_open, then { sockets_wait, carry out effects } until it returns false,
 * sockets_close. Callbacks run inside sockets_wait, and link_down also inside sockets_dial. */
#ifndef HOST_NATIVE_SOCKETS_H
#define HOST_NATIVE_SOCKETS_H

#include "host/native/config.h"

#define SOCKETS_CLIENTS_MAX 2048          /* connections of clients */
#define SOCKETS_SERVERS_MAX 512           /* of other servers to us; */
#define SOCKETS_SERVERS_OF_ADDRESS_MAX 32 /* ... from one address that is not this machine */
#define SOCKETS_CONNECTIONS_MAX (SOCKETS_CLIENTS_MAX + SOCKETS_SERVERS_MAX)
#define SOCKETS_LINKS_MAX 16
#define SOCKETS_FETCHES_MAX 1024        /* connections to other servers */
#define SOCKETS_LINK_ROOM (1024 * 1024) /* bytes queued for a link before it counts as full */

struct sockets;

/* What arrives; ctx is handed through. Text is borrowed for the call. */
struct socket_events {
    void *ctx;
    void (*request)(void *ctx, uint64_t id, struct str head, struct str body);
    void (*server_request)(void *ctx, uint64_t id, struct str head, struct str body);
    /* To sockets_fetch, exactly one; also from within it. status 0: none, why says so. */
    void (*answer)(void *ctx, uint64_t id, int status, struct str why, struct str body);
    void (*gone)(void *ctx, uint64_t id); /* a request's client left before its answer */
    void (*link_up)(void *ctx, uint64_t link);
    void (*link_message)(void *ctx, uint64_t link, struct str message, bool is_text);
    void (*link_room)(void *ctx, uint64_t link, size_t room);
    void (*link_down)(void *ctx, uint64_t link, struct str why); /* the id is forgotten */
};

/* Listens where the configuration says. At log level debug the library's own warnings go to stderr
 * as well. NULL: `why` (CONFIG_SENTENCE_MAX bytes) is a sentence. */
struct sockets *sockets_open(const struct socket_events *events, const struct config *config,
                             char *why);
void sockets_close(struct sockets *s);
uint16_t sockets_port(const struct sockets *s);
uint16_t sockets_federation_port(const struct sockets *s);

/* Waits until something happens or for wait_ms (negative: no limit), and delivers all that is
 * ready. False: SIGTERM or SIGINT arrived, or the library failed. */
bool sockets_wait(struct sockets *s, int64_t wait_ms);

/* Answers a request; nothing happens when its client is gone. */
void sockets_respond(struct sockets *s, uint64_t id, int status, struct str head, struct str body);
/* Answers alike every open request that reads (GET, HEAD), or every other one. */
void sockets_respond_all(struct sockets *s, bool is_read, int status, struct str head,
                         struct str body);

/* Makes a request (HTTP/1.1, without Host) of the server of that name over HTTPS. */
void sockets_fetch(struct sockets *s, uint64_t id, struct str server, struct str request,
                   int64_t until_mono_ms);
/* Nobody waits for answers any more. */
void sockets_drop_fetches(struct sockets *s);

/* Connects a websocket to "ws://host:port/path". The host is resolved by the system, which may
 * block for as long as its resolver takes. */
void sockets_dial(struct sockets *s, uint64_t link, struct str url);
void sockets_send(struct sockets *s, uint64_t link, struct str message, bool is_text);
/* Closes without a link_down. */
void sockets_hang_up(struct sockets *s, uint64_t link);
void sockets_hang_up_all(struct sockets *s);

#endif

/* engine.io 3's long polling: sessions that are no websocket yet, and perhaps become one
 * (p2p-wire 1.12). What is for the client waits until it asks (GET); what it says comes in bodies
 * (POST); a websocket that names its session and says "2probe", then "5", takes over.
 *
 * No I/O here. A request is the host's own pointer, answered once through `answer`. */
#ifndef RELAY_POLLING_H
#define RELAY_POLLING_H

#include "relay/relay.h"

enum {
    POLLING_PROBE_MS = 10 * 1000, /* for a websocket to take over */
    POLLING_CHECK_MS = 500,       /* how often requests that wait are looked after */
};

struct polling_answer {
    int status; /* 200, or 500 with no body; 0: hang up */
    const char *type;
    struct str body; /* borrowed for the call */
    struct str sid;  /* for the cookie */
};

struct polling_calls {
    void *ctx;
    void (*answer)(void *ctx, void *request, const struct polling_answer *answer);
    /* Whether the request's connection is gone, so that no answer can reach anyone. */
    bool (*is_gone)(void *ctx, void *request);
    /* The websocket that wanted to take over must go. */
    void (*refuse)(void *ctx, void *socket);
};

struct pollings; /* all sessions */
struct polling;  /* one; gone after polling_settle, _lost or pollings_tick found it at its end */

struct pollings *pollings_new(struct relay *relay, const struct polling_calls *calls) MUST_USE;
/* Ends all of them: a GET that waits is told so. */
void pollings_end(struct pollings *all, struct now now);
void pollings_free(struct pollings *all);

/* A GET without a session makes one, and is answered at once. False: a limit says no. */
bool polling_open(struct pollings *all, struct now now, struct str ip, bool is_base64,
                  void *request) MUST_USE;
/* NULL: nobody's. */
struct polling *polling_find(const struct pollings *all, struct str sid);
/* False once a websocket has taken over. */
bool polling_is_polled(const struct polling *polling);

/* A GET. A second one at a time ends the session. */
void polling_get(struct pollings *all, struct now now, struct polling *polling, void *request);
/* A POST begins, brings bytes, is complete. A second one at a time ends the session. */
void polling_post(struct pollings *all, struct now now, struct polling *polling, void *request,
                  bool is_binary);
/* May end the session: too long. */
void polling_body(struct pollings *all, struct now now, struct polling *polling, struct str bytes);
void polling_posted(struct pollings *all, struct now now, struct polling *polling);
/* The connection of a request that waits is gone, and so is the session. */
void polling_lost(struct pollings *all, struct now now, void *request, struct polling *polling);

/* --- a websocket that names the session --------------------------------------------------- */

enum polling_verdict {
    POLLING_PONG,     /* send "3probe" to it */
    POLLING_UPGRADED, /* it has the connection now; see polling_conn */
    POLLING_REFUSED,  /* close it */
};

/* False: there is one already, or there was; close it. */
bool polling_probe(struct polling *polling, struct now now, void *socket) MUST_USE;
/* What it says. Takes the reference. is_base64: it asked for "b64=1". */
enum polling_verdict polling_probe_message(struct pollings *all, struct polling *polling,
                                           struct frame *message, bool is_base64) MUST_USE;
void polling_probe_gone(struct polling *polling);
struct conn *polling_conn(const struct polling *polling);

/* --- settling ----------------------------------------------------------------------------- */

/* After relay_changed returned a connection whose conn_polling is this. */
void polling_settle(struct pollings *all, struct now now, struct polling *polling);
/* A websocket that took over is closed and its connection gone. */
void polling_forget(struct pollings *all, struct polling *polling);
void pollings_tick(struct pollings *all, struct now now);

#endif

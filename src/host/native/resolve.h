/* From a server's name to where it is and what it must prove (server-server API, "Resolving server
 * names"): the steps as a state machine that asks for what it needs to know. No sockets in here. */
#ifndef HOST_NATIVE_RESOLVE_H
#define HOST_NATIVE_RESOLVE_H

#include "http/message.h"

#define RESOLVE_NAME_MAX 256  /* with its end */
#define RESOLVE_TARGETS_MAX 4 /* of an SRV record, the best */
#define RESOLVE_FEDERATION_PORT 8448

/* A place to connect to. C strings. */
struct target {
    char host[RESOLVE_NAME_MAX]; /* a name to look up, or a numeric address without brackets */
    uint16_t port;
    char authority[RESOLVE_NAME_MAX]; /* for the Host header */
    char identity[RESOLVE_NAME_MAX];  /* whom the certificate is for: a name, for SNI as well, or */
    bool is_address;                  /* ... a numeric address */
};

enum resolve_step {
    RESOLVE_WELL_KNOWN, /* wants https://<ask>/.well-known/matrix/server */
    RESOLVE_SRV,        /* wants the SRV records of <ask> */
    RESOLVE_DONE,       /* targets, best first, at least one */
    RESOLVE_FAILED,     /* that is no server name */
};

struct resolve {
    enum resolve_step step;
    char ask[RESOLVE_NAME_MAX];
    char name[RESOLVE_NAME_MAX]; /* as given, or as delegated to */
    bool is_delegated, is_old_service;
    struct target targets[RESOLVE_TARGETS_MAX];
    size_t n_targets;
};

struct resolve_srv {
    const char *host;
    uint16_t port, priority, weight;
};

void resolve_begin(struct resolve *r, struct str server_name);
/* The m.server that was found; absent: none. */
void resolve_take_well_known(struct resolve *r, struct str delegated);
/* The records that were found, in any order; none: n 0. */
void resolve_take_srv(struct resolve *r, const struct resolve_srv *records, size_t n);

/* m.server of an answer's body, if that is a server name; else absent. */
struct str resolve_well_known_read(struct arena *a, struct str body);
/* How long an answer with m.server may be kept, and one without: never less than five minutes, at
 * most two days. */
int64_t resolve_well_known_ms(const struct http_head *head);
#define RESOLVE_NO_WELL_KNOWN_MS (60 * 60 * 1000)

#endif

/* The relay on real sockets. Which files know libwebsockets: host.h. */
#ifndef RELAY_SERVER_H
#define RELAY_SERVER_H

#include "relay/options.h"

enum server_end {
    SERVER_STOPPED,    /* by SIGINT or SIGTERM */
    SERVER_NO_SOCKET,  /* the address cannot be had */
    SERVER_NO_KEY,     /* certificate or key cannot be used */
    SERVER_NO_CLUSTER, /* its address cannot be used */
    SERVER_NO_LOOP,    /* libwebsockets has no plugin for libev */
    SERVER_BROKEN,     /* the system refused something else */
};

/* Listens, calls listening() once it does, serves until a signal ends it. */
enum server_end server_run(const struct options *options,
                           void (*listening)(const struct options *));

#endif

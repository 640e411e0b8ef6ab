/* `rendezvous`: options, messages for people, exit status. */
#include "relay/server.h"

#include <stdio.h>
#include <stdlib.h>

#ifndef NEURITE_BUILD_ID
#define NEURITE_BUILD_ID "0"
#endif

enum { HELP_MAX = 8192 };

static const char *env(const char *name)
{
    return getenv(name);
}

static void print_help(void)
{
    struct buf help;
    buf_init(&help, HELP_MAX);
    options_help(&help);
    (void)fwrite(help.p, 1, help.n, stdout);
    buf_release(&help);
}

static void print_listening(const struct options *o)
{
    const bool has_colon = str_find(str_of(o->host), ':', &(size_t){0});
    printf("Listening on: %s://%s%s%s:%d\n", options_have_tls(o) ? "https" : "http",
           has_colon ? "[" : "", o->host, has_colon ? "]" : "", o->port);
    (void)fflush(stdout);
}

static int run(const struct options *o)
{
    switch (server_run(o, print_listening)) {
    case SERVER_STOPPED:
        printf("Rendezvous server stopped\n");
        return 0;
    case SERVER_NO_SOCKET:
        (void)fprintf(stderr, "rendezvous: cannot listen on %s port %d.\n", o->host, o->port);
        return 2;
    case SERVER_NO_KEY:
        (void)fprintf(stderr, "rendezvous: the certificate or its key cannot be used.\n");
        return 2;
    case SERVER_NO_CLUSTER:
        (void)fprintf(stderr, "rendezvous: --cluster %s cannot be used.\n", o->cluster);
        return 2;
    case SERVER_NO_LOOP:
        (void)fprintf(stderr, "rendezvous: libwebsockets does not start; it needs its plugin for "
                              "libev (Debian's libwebsockets-evlib-ev).\n");
        return 2;
    case SERVER_BROKEN:
        break;
    }
    (void)fprintf(stderr, "rendezvous: the system refused a socket.\n");
    return 2;
}

int main(int argc, char **argv)
{
    struct arena *a = arena_new();
    struct options options;
    struct str why = STR("");
    int status = 0;
    if (options_parse(a, argc, argv, env, &options, &why) != ERR_NONE) {
        (void)fprintf(stderr, "rendezvous: %.*s\n", STR_ARG(why));
        status = 2;
    } else if (options.wants_help) {
        print_help();
    } else if (options.wants_version) {
        printf("rendezvous %s\n", NEURITE_BUILD_ID);
    } else {
        status = run(&options);
    }
    arena_free(a);
    return status;
}

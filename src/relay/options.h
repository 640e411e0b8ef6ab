/* The command line of `rendezvous`: npm's options and environment variables, and a few of ours. */
#ifndef RELAY_OPTIONS_H
#define RELAY_OPTIONS_H

#include "base/buf.h"
#include "relay/limits.h"
#include "relay/log.h"

struct options {
    int port;
    const char *host;
    const char *key, *cert; /* PEM files; both or none */
    const char *pfx;        /* PKCS#12 file */
    const char *passphrase; /* of pfx or key */
    const char *cluster;    /* address of a NATS server; NULL: the relay is alone */
    bool has_challenge, is_strict, has_metrics;
    bool wants_help, wants_version;
    struct limits limits;
    enum log_level log_level;
};

/* Option before environment before default. env looks a variable up (NULL: not set). Texts are
 * borrowed from argv and the environment. ERR_SYNTAX: *why has a sentence, in the arena. */
enum err options_parse(struct arena *a, int argc, char **argv, const char *(*env)(const char *),
                       struct options *out, struct str *why) MUST_USE;
/* Whether there is a PEM certificate with its key, and whether there is any. */
bool options_have_pem(const struct options *o);
bool options_have_tls(const struct options *o);
/* What --help prints. */
void options_help(struct buf *out);

#endif

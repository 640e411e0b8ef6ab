/* The command line of `neurite`: what may be said, and a sentence for what may not. */
#ifndef HOST_NATIVE_CONFIG_H
#define HOST_NATIVE_CONFIG_H

#include "host/native/sentence.h"
#include "hs/hs.h"

#define CONFIG_RELAYS_MAX 8
#define CONFIG_WORDS_MAX 4
#define CONFIG_SENTENCE_MAX 240
/* False, with `why` (CONFIG_SENTENCE_MAX bytes) being the sentence. */
#define CONFIG_REFUSE(why, ...) sentence_refuse(why, CONFIG_SENTENCE_MAX, __VA_ARGS__)

enum config_command {
    COMMAND_SERVE,
    COMMAND_EXPORT,
    COMMAND_IMPORT,
    COMMAND_RESET,
    COMMAND_STOP,
    COMMAND_ADMIN,
};

struct config_address {
    char address[64]; /* numeric, no brackets; empty: none */
    uint16_t port;    /* 0: the system picks one */
};

/* HTTPS with servers that have ordinary names; off without an address. Files are PEM. */
struct config_federation {
    struct config_address listen;
    const char *certificate, *key;
    const char *authority; /* to believe instead of the system's; NULL: those */
    bool may_loop;         /* servers on this machine are called, too */
    const char *well_known_server, *well_known_client; /* m.server and base_url; NULL: not told */
};

/* All text borrows from argv and is NUL-terminated there, but for addresses. */
struct config {
    enum config_command command;
    const char *file;                    /* of an export */
    bool is_confirmed;                   /* a reset */
    const char *words[CONFIG_WORDS_MAX]; /* of an order to a running one */
    size_t n_words;
    struct config_address listen;
    const char *data;
    const char *server_name; /* NULL: the peer id */
    struct str relays[CONFIG_RELAYS_MAX];
    size_t n_relays;
    const char *registration_secret_file; /* NULL: shared-secret registration is off */
    enum log_level log_level;
    uint32_t password_memory_kib; /* 0: the core's default */
    bool rate_limits, guests, registration_tokens;
    struct config_federation federation;
};

enum config_outcome {
    CONFIG_RUN,
    CONFIG_HELP,
    CONFIG_HELP_FEDERATION,
    CONFIG_VERSION,
    CONFIG_WRONG, /* `why` says what and how it should be, on one line */
};

/* Reads argv[1..]. `why` has room for CONFIG_SENTENCE_MAX bytes and is a C string afterwards. */
enum config_outcome config_parse(struct config *out, int argc, char **argv, char *why);

/* What --help prints; at most 24 lines of 80 columns. */
const char *config_help(void);
const char *config_help_federation(void);

#endif

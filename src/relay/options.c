/* getopt_long with npm's names. -h is the host, as it was. */
#include "relay/options.h"

#include <getopt.h>
#include <string.h>

enum option_code {
    OPTION_PORT = 'p',
    OPTION_HOST = 'h',
    OPTION_KEY = 256,
    OPTION_CERT,
    OPTION_PFX,
    OPTION_PASSPHRASE,
    OPTION_NO_CHALLENGE,
    OPTION_NOT_STRICT,
    OPTION_NO_METRICS,
    OPTION_CLUSTER,
    OPTION_LOG_LEVEL,
    OPTION_LIMIT,
    OPTION_HELP,
    OPTION_VERSION,
};

/* clang-format off */
static const struct option long_options[] = {
    { "port",                   required_argument, NULL, OPTION_PORT },
    { "host",                   required_argument, NULL, OPTION_HOST },
    { "key",                    required_argument, NULL, OPTION_KEY },
    { "cert",                   required_argument, NULL, OPTION_CERT },
    { "tls-key",                required_argument, NULL, OPTION_KEY },
    { "tls-cert",               required_argument, NULL, OPTION_CERT },
    { "pfx",                    required_argument, NULL, OPTION_PFX },
    { "passphrase",             required_argument, NULL, OPTION_PASSPHRASE },
    { "disableCryptoChallenge", optional_argument, NULL, OPTION_NO_CHALLENGE },
    { "disableStrictMultiaddr", optional_argument, NULL, OPTION_NOT_STRICT },
    { "disableMetrics",         optional_argument, NULL, OPTION_NO_METRICS },
    { "cluster",                required_argument, NULL, OPTION_CLUSTER },
    { "log-level",              required_argument, NULL, OPTION_LOG_LEVEL },
    { "limit",                  required_argument, NULL, OPTION_LIMIT },
    { "help",                   no_argument,       NULL, OPTION_HELP },
    { "version",                no_argument,       NULL, OPTION_VERSION },
    { NULL, 0, NULL, 0 },
};
/* clang-format on */

static const char HELP[] =
    "rendezvous: lets websocket-star peers find each other and relays their streams.\n"
    "\n"
    "  -p, --port N                port to listen on (PORT; 9090)\n"
    "  -h, --host ADDRESS          address to bind (HOST; 0.0.0.0)\n"
    "      --key FILE --cert FILE  PEM files: serve TLS (KEY, CERT); also --tls-key, --tls-cert\n"
    "      --pfx FILE              PKCS#12 file: serve TLS, wants the passphrase (PFX)\n"
    "      --passphrase TEXT       of the pfx or the key (PFX_PASSPHRASE)\n"
    "      --disableCryptoChallenge  joins need not prove their key (DISABLE_CRYPTO_CHALLENGE)\n"
    "      --disableStrictMultiaddr  join with any multiaddr (DISABLE_STRICT_MULTIADDR)\n"
    "      --disableMetrics        no /metrics (DISABLE_METRICS)\n"
    "      --cluster nats://HOST:PORT  be one relay with all others there (CLUSTER)\n"
    "      --log-level LEVEL       error, warn, info or debug, to stderr (LOG_LEVEL; warn)\n"
    "      --limit NAME=N          set a limit, may be repeated:\n";

void options_help(struct buf *out)
{
    buf_add(out, STR(HELP));
    for (size_t i = 0; i < n_limit_rows; i++) {
        buf_add_fmt(out, "          %-14.*s %8lld  %s\n", STR_ARG(limit_rows[i].name),
                    (long long)limit_rows[i].standard, limit_rows[i].meaning);
    }
    buf_add(out, STR("      --help, --version\n"));
}

static const char *non_empty(const char *text)
{
    return text == NULL || text[0] == 0 ? NULL : text;
}

static void from_environment(const char *(*env)(const char *), struct options *out,
                             const char **port)
{
    *port = non_empty(env("PORT"));
    out->host = non_empty(env("HOST"));
    out->key = non_empty(env("KEY"));
    out->cert = non_empty(env("CERT"));
    out->pfx = non_empty(env("PFX"));
    out->passphrase = non_empty(env("PFX_PASSPHRASE"));
    out->cluster = non_empty(env("CLUSTER"));
    out->has_challenge = non_empty(env("DISABLE_CRYPTO_CHALLENGE")) == NULL;
    out->is_strict = non_empty(env("DISABLE_STRICT_MULTIADDR")) == NULL;
    out->has_metrics = non_empty(env("DISABLE_METRICS")) == NULL;
}

static enum err set_limit(struct arena *a, const char *text, struct options *out, struct str *why)
{
    switch (limits_set(&out->limits, str_of(text))) {
    case ERR_NONE:
        return ERR_NONE;
    case ERR_ABSENT:
        *why = arena_fmt(a, "--limit %s: there is no limit of that name.", text);
        return ERR_SYNTAX;
    case ERR_LIMIT:
        *why = arena_fmt(a, "--limit %s: that number is not allowed.", text);
        return ERR_SYNTAX;
    case ERR_SYNTAX:
    case ERR_REFUSED:
    case ERR_STORE:
    case ERR_FULL:
    case ERR_CORRUPT:
        break;
    }
    *why = arena_fmt(a, "--limit %s: it has to be NAME=NUMBER.", text);
    return ERR_SYNTAX;
}

/* One option that getopt_long has read. */
static enum err take(struct arena *a, int code, const char *text, struct options *out,
                     const char **port, const char **level, struct str *why)
{
    switch (code) {
    case OPTION_PORT:
        *port = text;
        return ERR_NONE;
    case OPTION_HOST:
        out->host = non_empty(text);
        return ERR_NONE;
    case OPTION_KEY:
        out->key = text;
        return ERR_NONE;
    case OPTION_CERT:
        out->cert = text;
        return ERR_NONE;
    case OPTION_PFX:
        out->pfx = text;
        return ERR_NONE;
    case OPTION_PASSPHRASE:
        out->passphrase = text;
        return ERR_NONE;
    case OPTION_NO_CHALLENGE:
        out->has_challenge = false;
        return ERR_NONE;
    case OPTION_NOT_STRICT:
        out->is_strict = false;
        return ERR_NONE;
    case OPTION_NO_METRICS:
        out->has_metrics = false;
        return ERR_NONE;
    case OPTION_CLUSTER:
        out->cluster = non_empty(text);
        return ERR_NONE;
    case OPTION_LOG_LEVEL:
        *level = text;
        return ERR_NONE;
    case OPTION_LIMIT:
        return set_limit(a, text, out, why);
    case OPTION_HELP:
        out->wants_help = true;
        return ERR_NONE;
    default:
        out->wants_version = true;
        return ERR_NONE;
    }
}

/* What is left once every option is read. */
static enum err complete(struct arena *a, const char *port, const char *level, struct options *out,
                         struct str *why)
{
    int64_t number = 9090;
    if (port != NULL && (!str_to_i64(str_of(port), &number) || number < 0 || number > 65535)) {
        *why = arena_fmt(a, "--port %s: a port is a number up to 65535.", port);
        return ERR_SYNTAX;
    }
    out->port = number == 0 ? 9090 : (int)number; /* 0 counts as not given */
    if (out->host == NULL) {
        out->host = "0.0.0.0";
    }
    if (out->cluster != NULL && !str_starts(str_of(out->cluster), STR("nats://"))) {
        *why = arena_fmt(a, "--cluster %s: give it as nats://HOST:PORT.", out->cluster);
        return ERR_SYNTAX;
    }
    out->log_level = LOG_WARN;
    if (level != NULL && log_level_read(str_of(level), &out->log_level) != ERR_NONE) {
        *why = arena_fmt(a, "--log-level %s: it has to be error, warn, info or debug.", level);
        return ERR_SYNTAX;
    }
    if (out->limits.queue_low > out->limits.queue_high ||
        out->limits.queue_high > out->limits.queue_max) {
        *why = STR("queue-low, queue-high and queue-max have to be in that order.");
        return ERR_SYNTAX;
    }
    return ERR_NONE;
}

enum err options_parse(struct arena *a, int argc, char **argv, const char *(*env)(const char *),
                       struct options *out, struct str *why)
{
    const char *port, *level = non_empty(env("LOG_LEVEL"));
    int code;
    *out = (struct options){.limits = limits_standard()};
    from_environment(env, out, &port);
    optind = 0; /* glibc: begin anew */
    opterr = 0;
    while ((code = getopt_long(argc, argv, ":p:h:", long_options, NULL)) != -1) {
        const char *word = argv[optind - 1];
        if (code == '?') {
            *why = arena_fmt(a, "%s: there is no such option; --help lists them.", word);
            return ERR_SYNTAX;
        }
        if (code == ':') {
            *why = arena_fmt(a, "%s needs a value.", word);
            return ERR_SYNTAX;
        }
        TRY(take(a, code, optarg, out, &port, &level, why));
    }
    for (int i = optind; i < argc; i++) {
        if (strcmp(argv[i], "true") != 0) { /* "--disableMetrics true" */
            *why = arena_fmt(a, "%s: only options are understood; --help lists them.", argv[i]);
            return ERR_SYNTAX;
        }
    }
    return complete(a, port, level, out, why);
}

bool options_have_pem(const struct options *o)
{
    return o->key != NULL && o->cert != NULL;
}

bool options_have_tls(const struct options *o)
{
    return options_have_pem(o) || (o->pfx != NULL && o->passphrase != NULL);
}

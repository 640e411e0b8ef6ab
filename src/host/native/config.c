/* The command line: one row for each flag, so that help, parser and refusals agree. */
#include "host/native/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>

struct flag {
    const char *name;
    bool has_value;
    unsigned commands; /* bits of enum config_command */
    bool (*take)(struct config *config, const char *value, char *why);
};

static bool number_parse(const char *text, unsigned long max, unsigned long *out)
{
    char *end = NULL;
    errno = 0;
    *out = strtoul(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0 && *out <= max;
}

static bool is_address(const char *text)
{
    struct in6_addr scratch;
    return inet_pton(AF_INET, text, &scratch) == 1 || inet_pton(AF_INET6, text, &scratch) == 1;
}

/* "127.0.0.1:8008", "[::1]:8008" */
static bool take_address(const char *flag, struct config_address *out, const char *value, char *why)
{
    struct str text = str_of(value), address;
    size_t colon;
    unsigned long port;
    if (!str_find_last(text, ':', &colon) || !number_parse(value + colon + 1, 65535, &port)) {
        return CONFIG_REFUSE(why, "%s wants ADDRESS:PORT, like 127.0.0.1:8008, not \"%.100s\".",
                             flag, value);
    }
    address = str_sub(text, 0, colon);
    if (address.n >= 2 && address.p[0] == '[' && address.p[address.n - 1] == ']') {
        address = str_sub(address, 1, address.n - 2);
    }
    if (address.n < sizeof(out->address)) {
        memcpy(out->address, address.p, address.n);
        out->address[address.n] = '\0';
    }
    if (address.n >= sizeof(out->address) || !is_address(out->address)) {
        return CONFIG_REFUSE(why,
                             "%s wants a numeric address, like 127.0.0.1 or [::1], not \"%.100s\".",
                             flag, value);
    }
    out->port = (uint16_t)port;
    return true;
}

static bool take_listen(struct config *config, const char *value, char *why)
{
    return take_address("--listen", &config->listen, value, why);
}

static bool take_federation_listen(struct config *config, const char *value, char *why)
{
    return take_address("--federation-listen", &config->federation.listen, value, why);
}

static bool take_tls_cert(struct config *config, const char *value, char *why)
{
    (void)why;
    config->federation.certificate = value;
    return true;
}

static bool take_tls_key(struct config *config, const char *value, char *why)
{
    (void)why;
    config->federation.key = value;
    return true;
}

static bool take_federation_ca(struct config *config, const char *value, char *why)
{
    (void)why;
    config->federation.authority = value;
    return true;
}

static bool take_federation_allow_loopback(struct config *config, const char *value, char *why)
{
    (void)value;
    (void)why;
    config->federation.may_loop = true;
    return true;
}

static bool take_data(struct config *config, const char *value, char *why)
{
    if (value[0] == '\0') {
        return CONFIG_REFUSE(why, "--data wants a directory.");
    }
    config->data = value;
    return true;
}

static bool is_host_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == ':' || c == '[' || c == ']';
}

static bool is_name(struct str name)
{
    bool is = name.n > 0 && name.n <= 230;
    for (size_t i = 0; i < name.n && is; i++) {
        is = is_host_char(name.p[i]);
    }
    return is;
}

static bool take_server_name(struct config *config, const char *value, char *why)
{
    if (!is_name(str_of(value))) {
        return CONFIG_REFUSE(
            why, "--server-name wants a name like matrix.example.org, not \"%.100s\".", value);
    }
    if (str_starts(str_of(value), STR("12D3KooW"))) {
        return CONFIG_REFUSE(
            why, "--server-name is for the name of an HTTPS server; a peer id comes from "
                 "the key in the data directory, so leave the flag out.");
    }
    config->server_name = value;
    return true;
}

static bool take_well_known_server(struct config *config, const char *value, char *why)
{
    config->federation.well_known_server = value;
    return is_name(str_of(value)) ||
           CONFIG_REFUSE(why,
                         "--well-known-server wants NAME or NAME:PORT, like "
                         "matrix.example.org:443, not \"%.100s\".",
                         value);
}

static bool take_well_known_client(struct config *config, const char *value, char *why)
{
    struct str url = str_of(value);
    bool is_url = str_starts(url, STR("https://")) || str_starts(url, STR("http://"));
    config->federation.well_known_client = value;
    return is_url || CONFIG_REFUSE(why,
                                   "--well-known-client wants a URL, like "
                                   "https://matrix.example.org, not \"%.100s\".",
                                   value);
}

/* "ws://HOST:PORT" */
static bool take_relay(struct config *config, const char *value, char *why)
{
    struct str text = str_of(value), rest = str_from(text, 5);
    size_t colon;
    unsigned long port = 0;
    bool is_relay = str_starts(text, STR("ws://")) && str_find_last(rest, ':', &colon) &&
                    colon > 0 && number_parse(rest.p + colon + 1, 65535, &port) && port > 0;
    for (size_t i = 0; is_relay && i < colon; i++) {
        is_relay = is_host_char(rest.p[i]);
    }
    if (!is_relay) {
        return CONFIG_REFUSE(
            why, "--relay wants ws://HOST:PORT, like ws://127.0.0.1:9090, not \"%.100s\".", value);
    }
    if (config->n_relays == CONFIG_RELAYS_MAX) {
        return CONFIG_REFUSE(why, "--relay may be given at most %d times.", CONFIG_RELAYS_MAX);
    }
    config->relays[config->n_relays++] = text;
    return true;
}

static bool take_secret_file(struct config *config, const char *value, char *why)
{
    (void)why;
    config->registration_secret_file = value;
    return true;
}

static bool take_log_level(struct config *config, const char *value, char *why)
{
    static const char *const levels[] = {"error", "warn", "info", "debug"};
    for (size_t i = 0; i < COUNT_OF(levels); i++) {
        if (strcmp(value, levels[i]) == 0) {
            config->log_level = (enum log_level)i;
            return true;
        }
    }
    return CONFIG_REFUSE(why, "--log-level wants error, warn, info or debug, not \"%.100s\".",
                         value);
}

static bool take_password_memory(struct config *config, const char *value, char *why)
{
    unsigned long kib;
    if (!number_parse(value, 1024 * 1024, &kib) || kib < 8) {
        return CONFIG_REFUSE(
            why, "--password-memory-kib wants a number from 8 to 1048576, not \"%.100s\".", value);
    }
    config->password_memory_kib = (uint32_t)kib;
    return true;
}

static bool take_no_rate_limits(struct config *config, const char *value, char *why)
{
    (void)value;
    (void)why;
    config->rate_limits = false;
    return true;
}

static bool take_file(struct config *config, const char *value, char *why)
{
    if (value[0] == '\0') {
        return CONFIG_REFUSE(why, "--file wants the name of a file.");
    }
    config->file = value;
    return true;
}

static bool take_confirm(struct config *config, const char *value, char *why)
{
    config->is_confirmed = strcmp(value, "reset") == 0;
    return config->is_confirmed ||
           CONFIG_REFUSE(why, "--confirm wants the word reset, not \"%.100s\".", value);
}

#define SERVE (1u << COMMAND_SERVE)
#define MOVE (1u << COMMAND_EXPORT | 1u << COMMAND_IMPORT)
#define RESET (1u << COMMAND_RESET)
#define STOP (1u << COMMAND_STOP)
#define ADMIN (1u << COMMAND_ADMIN)

static bool take_allow_guests(struct config *config, const char *value, char *why)
{
    (void)value;
    (void)why;
    config->guests = true;
    return true;
}

static bool take_registration_tokens(struct config *config, const char *value, char *why)
{
    (void)value;
    (void)why;
    config->registration_tokens = true;
    return true;
}

/* clang-format off */
static const struct flag flags[] = {
    { "--listen",                   true,  SERVE,                       take_listen          },
    { "--data",                     true,  SERVE | MOVE | RESET | STOP | ADMIN, take_data    },
    { "--server-name",              true,  SERVE,                       take_server_name     },
    { "--relay",                    true,  SERVE,                       take_relay           },
    { "--federation-listen",        true,  SERVE,                       take_federation_listen },
    { "--tls-cert",                 true,  SERVE,                       take_tls_cert        },
    { "--tls-key",                  true,  SERVE,                       take_tls_key         },
    { "--federation-ca",            true,  SERVE,                       take_federation_ca   },
    { "--federation-allow-loopback", false, SERVE,                      take_federation_allow_loopback },
    { "--well-known-server",        true,  SERVE,                       take_well_known_server },
    { "--well-known-client",        true,  SERVE,                       take_well_known_client },
    { "--registration-secret-file", true,  SERVE,                       take_secret_file     },
    { "--log-level",                true,  SERVE,                       take_log_level       },
    { "--password-memory-kib",      true,  SERVE,                       take_password_memory },
    { "--no-rate-limits",           false, SERVE,                       take_no_rate_limits  },
    { "--allow-guests",             false, SERVE,                       take_allow_guests    },
    { "--registration-tokens",      false, SERVE,                       take_registration_tokens },
    { "--file",                     true,  MOVE,                        take_file            },
    { "--confirm",                  true,  RESET,                       take_confirm         },
};

static const char *const commands[] = {
    [COMMAND_SERVE] = "",       [COMMAND_EXPORT] = "export", [COMMAND_IMPORT] = "import",
    [COMMAND_RESET] = "reset",  [COMMAND_STOP] = "stop",     [COMMAND_ADMIN] = "admin",
};
/* clang-format on */

const char *config_help_federation(void)
{
    return "Usage: neurite ... --server-name NAME --federation-listen ADDRESS:PORT\n"
           "                   --tls-cert FILE --tls-key FILE [options]\n"
           "\n"
           "Federates over HTTPS with every server that Matrix knows by its domain.\n"
           "\n"
           "  --server-name NAME      what stands after the colon in its users' ids;\n"
           "                          https://NAME/.well-known/matrix/server, an SRV\n"
           "                          record or port 8448 of NAME must lead others to it\n"
           "  --federation-listen ADDRESS:PORT\n"
           "                          serve other servers here, e.g. 0.0.0.0:8448\n"
           "  --tls-cert FILE         certificates in PEM, its own first\n"
           "  --tls-key FILE          the key of the first, in PEM\n"
           "\n"
           "Where NAME itself leads here, at port 443 or through a proxy, these are told\n"
           "below https://NAME/.well-known/matrix/:\n"
           "  --well-known-server NAME[:PORT]   where other servers find this one\n"
           "  --well-known-client URL           where clients find it\n"
           "\n"
           "For test networks only:\n"
           "  --federation-ca FILE    believe these authorities, in PEM, and no others\n"
           "  --federation-allow-loopback\n"
           "                          call servers on this machine, too\n";
}

const char *config_help(void)
{
    return "Usage: neurite --listen ADDRESS:PORT --data DIR [options]\n"
           "       neurite export|import --data DIR --file FILE   to live elsewhere\n"
           "       neurite reset --data DIR --confirm reset       delete it for good\n"
           "       neurite stop --data DIR                        end the one that runs\n"
           "       neurite admin --data DIR ORDER...              users, tokens: see help\n"
           "\n"
           "A Matrix homeserver that finds and reaches its peers through a relay.\n"
           "\n"
           "  --listen ADDRESS:PORT   serve clients here, as 127.0.0.1:8008; port 0: any\n"
           "  --data DIR              keep everything here; made if missing\n"
           "  --relay ws://HOST:PORT  join this relay (up to 8 times)\n"
           "  --server-name NAME      a name instead of the peer id, without --relay;\n"
           "                          neurite --help-federation says how it federates\n"
           "  --registration-secret-file FILE\n"
           "                          allow registration by the shared secret in FILE\n"
           "  --log-level LEVEL       error, warn, info (default) or debug, to stderr\n"
           "  --password-memory-kib N cost of a password hash (default 19456; tests: 8)\n"
           "  --no-rate-limits        never answer 429 (for tests and load)\n"
           "  --allow-guests          let people in without a name or a password\n"
           "  --registration-tokens   only who has a token may register\n"
           "  --help, --version       print this, or the version, and end\n"
           "\n"
           "DIR/admin-token holds the token for the status page at /_neurite/.\n"
           "SIGTERM or SIGINT ends it. Exit: 0 as asked, 1 could not, 2 a wrong command.\n";
}

static const struct flag *flag_find(struct str name)
{
    for (size_t i = 0; i < COUNT_OF(flags); i++) {
        if (str_eq(str_of(flags[i].name), name)) {
            return &flags[i];
        }
    }
    return NULL;
}

/* Takes "--flag value" or "--flag=value" at argv[*at] and moves *at past it. */
static bool flag_take(struct config *out, int argc, char **argv, int *at, char *why)
{
    struct str name = str_of(argv[*at]), value = STR_ABSENT;
    str_cut(name, '=', &name, &value);
    const struct flag *flag = flag_find(name);
    if (flag != NULL && (flag->commands & 1u << out->command) == 0) {
        return CONFIG_REFUSE(why, "neurite %s has no flag %s; see neurite --help.",
                             commands[out->command], flag->name);
    }
    if (flag == NULL) {
        return CONFIG_REFUSE(why, "There is no flag \"%.100s\"; see neurite --help.", argv[*at]);
    }
    (*at)++;
    if (!flag->has_value) {
        return str_is_absent(value) ? flag->take(out, NULL, why)
                                    : CONFIG_REFUSE(why, "%s takes no value.", flag->name);
    }
    if (!str_is_absent(value)) {
        return flag->take(out, value.p, why);
    }
    if (*at >= argc) {
        return CONFIG_REFUSE(why, "%s wants a value; see neurite --help.", flag->name);
    }
    return flag->take(out, argv[(*at)++], why);
}

static bool config_check_federation(const struct config *config, char *why)
{
    const struct config_federation *f = &config->federation;
    bool is_on = f->listen.address[0] != '\0';
    if (is_on && (config->server_name == NULL || f->certificate == NULL || f->key == NULL)) {
        return CONFIG_REFUSE(
            why, "--federation-listen wants --server-name, --tls-cert and --tls-key beside "
                 "it; see neurite --help-federation.");
    }
    if (!is_on &&
        (f->certificate != NULL || f->key != NULL || f->authority != NULL || f->may_loop)) {
        return CONFIG_REFUSE(why,
                             "Without --federation-listen nothing is federated over HTTPS; see "
                             "neurite --help-federation.");
    }
    return true;
}

static bool config_check(const struct config *config, char *why)
{
    if (config->command == COMMAND_SERVE && config->listen.address[0] == '\0') {
        return CONFIG_REFUSE(why, "--listen is missing, for example --listen 127.0.0.1:8008.");
    }
    if (config->data == NULL) {
        return CONFIG_REFUSE(why, "--data is missing: a directory to keep everything in.");
    }
    bool is_moving = (MOVE & 1u << config->command) != 0;
    if (is_moving && config->file == NULL) {
        return CONFIG_REFUSE(why, "--file is missing: the file to %s.", commands[config->command]);
    }
    if (config->command == COMMAND_ADMIN && config->n_words == 0) {
        return CONFIG_REFUSE(why, "An order is missing; see neurite admin --data DIR help.");
    }
    if (config->server_name != NULL && config->n_relays > 0) {
        return CONFIG_REFUSE(
            why,
            "--server-name %.100s and --relay do not go together: peers of a relay "
            "know a server by its peer id, which is made from its key.",
            config->server_name);
    }
    return config_check_federation(config, why);
}

static bool command_take(struct config *out, const char *word, char *why)
{
    for (size_t i = 1; i < COUNT_OF(commands); i++) {
        if (strcmp(commands[i], word) == 0) {
            out->command = (enum config_command)i;
            return true;
        }
    }
    return CONFIG_REFUSE(why, "There is no command \"%.100s\"; see neurite --help.", word);
}

/* Of an order to the one that runs. */
static bool word_take(struct config *out, const char *word, char *why)
{
    if (out->n_words == CONFIG_WORDS_MAX || strchr(word, '\n') != NULL) {
        return CONFIG_REFUSE(why, "This is no order; see neurite admin --data DIR help.");
    }
    out->words[out->n_words] = word;
    out->n_words++;
    return true;
}

enum config_outcome config_parse(struct config *out, int argc, char **argv, char *why)
{
    *out = (struct config){.log_level = LOG_INFO, .rate_limits = true};
    why[0] = '\0';
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            return CONFIG_HELP;
        }
        if (strcmp(argv[i], "--help-federation") == 0) {
            return CONFIG_HELP_FEDERATION;
        }
        if (strcmp(argv[i], "--version") == 0) {
            return CONFIG_VERSION;
        }
    }
    int at = 1;
    if (argc > 1 && argv[1][0] != '-') {
        if (!command_take(out, argv[1], why)) {
            return CONFIG_WRONG;
        }
        at = 2;
    }
    while (at < argc) {
        if (out->command == COMMAND_ADMIN && argv[at][0] != '-') {
            if (!word_take(out, argv[at], why)) {
                return CONFIG_WRONG;
            }
            at++;
        } else if (!flag_take(out, argc, argv, &at, why)) {
            return CONFIG_WRONG;
        }
    }
    return config_check(out, why) ? CONFIG_RUN : CONFIG_WRONG;
}

/* `neurite`: the core on sockets, a data directory and two clocks. A pass of the loop gathers what
 * is ready, ends the turn, carries out effects; a commit has synced, so FLUSH is done when asked.
 */
#include "base/limits.h"
#include "host/native/config.h"
#include "host/native/data.h"
#include "host/native/log.h"
#include "host/native/moving.h"
#include "host/native/order.h"
#include "host/native/process.h"
#include "host/native/sockets.h"
#include "host/native/window.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define EXIT_OK 0
#define EXIT_CANNOT 1
#define EXIT_USAGE 2
#define PROBE_MS 5000 /* between trials whether a full disk has room again */
#define REOPEN_MAX 10 /* instances in a row that died without a durable turn */
#define PARTING_PASSES 3
#define PASSES_MAX 1000 /* of effects and turns for one wait: more is a bug in the core */

struct neurite {
    struct config config;
    struct data data;
    struct hs *hs;
    struct sockets *sockets;
    struct window *window;
    int64_t wake_at_ms;  /* -1: never */
    int64_t probe_at_ms; /* read-only: when to try the disk again */
    bool has_input;      /* since the last hs_turn */
    bool is_read_only;
    int64_t turn_us; /* what the last turn took: the time of its commit, for the most part */
    unsigned deaths;
};

static void say(const struct neurite *n, enum log_level level, struct str text)
{
    char line[LOG_LINE_MAX];
    int64_t unix_ms = process_now().unix_ms;
    if (level <= n->config.log_level) {
        log_line(level, unix_ms, text);
        window_line(n->window, log_write(line, level, unix_ms, text));
    }
}

/* --- what the core may ask for ------------------------------------------------------------ */

static void host_random(void *ctx, void *out, size_t size)
{
    (void)ctx;
    data_random(out, size);
}

static void host_log(void *ctx, enum log_level level, struct str line)
{
    say(ctx, level, line);
}

/* --- inputs ------------------------------------------------------------------------------- */

static void on_request(void *ctx, uint64_t id, struct str head, struct str body)
{
    struct neurite *n = ctx;
    if (window_request(n->window, id, head)) {
        sockets_respond(n->sockets, id, 200, window_page_head(), window_page());
        return;
    }
    n->has_input = true;
    hs_request(n->hs, process_now(), id, head, body);
}

static void on_server_request(void *ctx, uint64_t id, struct str head, struct str body)
{
    struct neurite *n = ctx;
    n->has_input = true;
    hs_server_request(n->hs, process_now(), id, head, body);
}

static void on_answer(void *ctx, uint64_t id, int status, struct str why, struct str body)
{
    struct neurite *n = ctx;
    n->has_input = true;
    hs_answer(n->hs, process_now(), id, status, why, body);
}

static void on_gone(void *ctx, uint64_t id)
{
    struct neurite *n = ctx;
    n->has_input = true;
    hs_request_gone(n->hs, process_now(), id);
}

static void on_link_up(void *ctx, uint64_t link)
{
    struct neurite *n = ctx;
    n->has_input = true;
    hs_link_up(n->hs, process_now(), link);
}

static void on_link_message(void *ctx, uint64_t link, struct str message, bool is_text)
{
    struct neurite *n = ctx;
    n->has_input = true;
    hs_link_message(n->hs, process_now(), link, message, is_text);
}

static void on_link_room(void *ctx, uint64_t link, size_t room)
{
    struct neurite *n = ctx;
    n->has_input = true;
    hs_link_room(n->hs, process_now(), link, room);
}

static void on_link_down(void *ctx, uint64_t link, struct str why)
{
    struct neurite *n = ctx;
    n->has_input = true;
    hs_link_down(n->hs, process_now(), link, why);
}

/* --- the core's life ---------------------------------------------------------------------- */

static struct str text_or_empty(const char *text)
{
    return text == NULL ? STR("") : str_of(text);
}

static bool core_open(struct neurite *n)
{
    const struct config *c = &n->config;
    const char *why = "";
    struct host host = {.ctx = n, .random = host_random, .log = host_log};
    struct str secret = str_of(n->data.registration_secret);
    struct hs_config config = {
        .db_path = str_of(n->data.db_path),
        .server_name = text_or_empty(c->server_name),
        .relays = {.at = c->relays, .n = c->n_relays},
        .build_id = STR(NEURITE_BUILD_ID),
        .admin_token = str_of(n->data.admin_token),
        .registration_secret = secret.n == 0 ? STR_ABSENT : secret,
        .password_memory_kib = c->password_memory_kib,
        .read_only = n->is_read_only,
        .logs_debug = c->log_level == LOG_DEBUG,
        .rate_limits = c->rate_limits,
        .guests = c->guests,
        .registration_tokens = c->registration_tokens,
        .federates = c->federation.listen.address[0] != '\0',
        .well_known_server = text_or_empty(c->federation.well_known_server),
        .well_known_client = text_or_empty(c->federation.well_known_client),
    };
    enum err err = hs_open(&n->hs, &config, &host, process_now(), &why);
    if (err != ERR_NONE) {
        fprintf(stderr, "neurite: cannot open %s: %s (%s)\n", n->data.db_path, why, err_name(err));
        return false;
    }
    n->wake_at_ms = -1;
    n->has_input = true; /* let it say what it wants first */
    return true;
}

/* Whoever waits is told, since the dead instance's promises died with it. Readers ask again. */
static void waiting_dismiss(struct neurite *n, bool is_full)
{
    static const char full[] = "{\"errcode\":\"M_RESOURCE_LIMIT_EXCEEDED\",\"error\":\"the storage "
                               "is full: reading works, "
                               "writing does not; free some space\",\"limit_type\":\"storage\","
                               "\"admin_contact\":\"/_neurite/\"}";
    static const char again[] =
        "{\"errcode\":\"M_UNKNOWN\",\"error\":\"the homeserver starts again; ask once more\"}";
    struct str head = STR("content-type: application/json\r\naccess-control-allow-origin: *\r\n");
    sockets_respond_all(n->sockets, true, 503, head, str_of(again));
    sockets_respond_all(n->sockets, false, is_full ? 403 : 503, head,
                        str_of(is_full ? full : again));
}

/* A new instance on the last durable state. */
static bool core_reopen(struct neurite *n, bool is_read_only)
{
    hs_close(n->hs);
    n->hs = NULL;
    sockets_hang_up_all(n->sockets);
    sockets_drop_fetches(n->sockets);
    waiting_dismiss(n, is_read_only);
    n->is_read_only = is_read_only;
    n->probe_at_ms = process_now().mono_ms + PROBE_MS;
    return core_open(n);
}

/* The commit failed: with a full disk only reading goes on, until there is room. */
static bool core_died(struct neurite *n)
{
    if (++n->deaths > REOPEN_MAX) {
        say(n, LOG_ERROR, STR("the database cannot be written; giving up"));
        return false;
    }
    bool is_read_only = !data_has_room(&n->data);
    say(n, LOG_ERROR,
        is_read_only ? STR("the disk is full: reading only until there is room")
                     : STR("a commit failed: starting again on the last one"));
    return core_reopen(n, is_read_only);
}

/* --- effects ------------------------------------------------------------------------------ */

static void respond(struct neurite *n, const struct effect *e)
{
    struct buf longer;
    buf_init(&longer, HTTP_ANSWER_MAX);
    sockets_respond(n->sockets, e->id, e->status, e->head,
                    window_answer(n->window, e->id, e->status, e->bytes, &longer));
    buf_release(&longer);
}

/* False: the process must end. */
static bool effect_carry_out(struct neurite *n, const struct effect *e)
{
    switch (e->kind) {
    case EFFECT_RESPOND:
        respond(n, e);
        return true;
    case EFFECT_SEND:
        sockets_send(n->sockets, e->id, e->bytes, e->is_text);
        return true;
    case EFFECT_DIAL:
        sockets_dial(n->sockets, e->id, e->bytes);
        return true;
    case EFFECT_CLOSE:
        sockets_hang_up(n->sockets, e->id);
        return true;
    case EFFECT_FETCH:
        sockets_fetch(n->sockets, e->id, e->head, e->bytes, e->at_mono_ms);
        return true;
    case EFFECT_FLUSH:
        n->has_input = true;
        hs_flushed(n->hs, process_now(), e->id, true);
        n->deaths = 0;
        window_commit(n->window, n->turn_us);
        return true;
    case EFFECT_WAKE:
        n->wake_at_ms = e->at_mono_ms;
        return true;
    case EFFECT_RESTART:
        return core_died(n);
    }
    return true;
}

/* Ends the turn and does what it asks, until nothing new comes of it. */
static bool turns_run(struct neurite *n)
{
    struct effect effect;
    for (int pass = 0; pass < PASSES_MAX; pass++) {
        bool is_due = n->wake_at_ms >= 0 && process_now().mono_ms >= n->wake_at_ms;
        if (!n->has_input && !is_due) {
            return true;
        }
        n->has_input = false;
        if (is_due) {
            n->wake_at_ms = -1;
        }
        int64_t start_us = process_mono_us();
        hs_turn(n->hs, process_now());
        n->turn_us = process_mono_us() - start_us;
        while (hs_next(n->hs, &effect)) {
            if (!effect_carry_out(n, &effect)) {
                return false;
            }
        }
    }
    return true;
}

static int64_t wait_ms(const struct neurite *n)
{
    int64_t at = n->wake_at_ms, now = process_now().mono_ms;
    if (n->has_input) {
        return 0;
    }
    if (n->is_read_only && (at < 0 || n->probe_at_ms < at)) {
        at = n->probe_at_ms;
    }
    return at < 0 ? -1 : at > now ? at - now : 0;
}

static bool serve(struct neurite *n)
{
    do {
        if (n->is_read_only && process_now().mono_ms >= n->probe_at_ms) {
            n->probe_at_ms = process_now().mono_ms + PROBE_MS;
            if (data_has_room(&n->data)) {
                say(n, LOG_INFO, STR("the disk has room again"));
                if (!core_reopen(n, false)) {
                    return false;
                }
            }
        }
        if (!turns_run(n)) {
            return false;
        }
    } while (sockets_wait(n->sockets, wait_ms(n)));
    bool ok = turns_run(n);
    for (int pass = 0; ok && pass < PARTING_PASSES; pass++) {
        (void)sockets_wait(n->sockets, 0); /* what was answered last is sent */
    }
    return ok;
}

static void announce_at(const char *what, const struct config_address *at, uint16_t port)
{
    bool is_v6 = strchr(at->address, ':') != NULL;
    printf("%s://%s%s%s:%d\n", what, is_v6 ? "[" : "", at->address, is_v6 ? "]" : "", (int)port);
}

static void announce(const struct neurite *n)
{
    printf("Server name %.*s\n", STR_ARG(hs_server_name(n->hs)));
    announce_at("Listening on http", &n->config.listen, sockets_port(n->sockets));
    if (sockets_federation_port(n->sockets) != 0) {
        announce_at("Federating on https", &n->config.federation.listen,
                    sockets_federation_port(n->sockets));
    }
    fflush(stdout);
}

static int run(struct neurite *n)
{
    char why[CONFIG_SENTENCE_MAX];
    char address[sizeof(n->config.listen.address) + 8];
    struct socket_events events = {
        .ctx = n,
        .request = on_request,
        .server_request = on_server_request,
        .answer = on_answer,
        .gone = on_gone,
        .link_up = on_link_up,
        .link_message = on_link_message,
        .link_room = on_link_room,
        .link_down = on_link_down,
    };
    if (!core_open(n)) {
        return EXIT_CANNOT;
    }
    n->sockets = sockets_open(&events, &n->config, why);
    if (n->sockets == NULL) {
        fprintf(stderr, "neurite: %s\n", why);
        hs_close(n->hs);
        return EXIT_CANNOT;
    }
    announce(n);
    snprintf(address, sizeof(address), "%s %d\n", n->config.listen.address,
             (int)sockets_port(n->sockets));
    data_tell_address(&n->data, address);
    bool ok = serve(n);
    if (n->hs != NULL) {
        hs_close(n->hs);
    }
    sockets_close(n->sockets);
    return ok ? EXIT_OK : EXIT_CANNOT;
}

int main(int argc, char **argv)
{
    struct neurite n;
    char why[DATA_SENTENCE_MAX];
    memset(&n, 0, sizeof(n));
    umask(077);
    switch (config_parse(&n.config, argc, argv, why)) {
    case CONFIG_HELP:
        fputs(config_help(), stdout);
        return EXIT_OK;
    case CONFIG_HELP_FEDERATION:
        fputs(config_help_federation(), stdout);
        return EXIT_OK;
    case CONFIG_VERSION:
        puts("neurite " NEURITE_BUILD_ID);
        return EXIT_OK;
    case CONFIG_WRONG:
        fprintf(stderr, "neurite: %s\n", why);
        return EXIT_USAGE;
    case CONFIG_RUN:
        break;
    }
    if (n.config.command == COMMAND_ADMIN) {
        return order_run(&n.config) ? EXIT_OK : EXIT_CANNOT;
    }
    if (n.config.command != COMMAND_SERVE) {
        return moving_run(&n.config) ? EXIT_OK : EXIT_CANNOT;
    }
    if (!data_open(&n.data, n.config.data, n.config.registration_secret_file, why)) {
        fprintf(stderr, "neurite: %s\n", why);
        return EXIT_CANNOT;
    }
    n.window = window_new();
    int status = run(&n);
    window_free(n.window);
    data_close(&n.data);
    return status;
}

/* The turn: inputs in, one transaction, effects out. */
#include "hs/hs.h"

#include "crypto/hash.h"
#include "engine/admission.h"
#include "engine/call.h"
#include "engine/effects.h"
#include "engine/event_cache.h"
#include "engine/gate.h"
#include "engine/input.h"
#include "engine/lazy_members.h"
#include "engine/outbox.h"
#include "engine/parked.h"
#include "engine/presence.h"
#include "engine/search_index.h"
#include "engine/server_keys.h"
#include "engine/typing.h"
#include "engine/unread.h"
#include "fed/destination.h"
#include "fed/missing.h"
#include "fed/resync.h"
#include "hs/identity.h"
#include "hs/moving.h"
#include "hs/wiring.h"
#include "net/link.h"

/* --- what the network tells ----------------------------------------------------------------- */

static void on_random(void *ctx, void *out, size_t n)
{
    hs_random(ctx, out, n);
}

static void on_dial(void *ctx, uint64_t link, struct str url)
{
    struct hs *hs = ctx;
    effects_dial(hs->effects, link, url);
}

static void on_send(void *ctx, uint64_t link, struct str message, bool is_text)
{
    struct hs *hs = ctx;
    effects_send(hs->effects, link, message, is_text);
}

static void on_close(void *ctx, uint64_t link)
{
    struct hs *hs = ctx;
    effects_close(hs->effects, link);
}

struct seen {
    struct str peer_id, address;
};

static enum err put_peer(struct hs *hs, void *ctx)
{
    const struct seen *seen = ctx;
    return store_run(hs->store, STMT_PEER_PUT, "tti", seen->peer_id, seen->address,
                     hs->now.unix_ms);
}

static void on_peer_seen(void *ctx, struct str peer_id, struct str address)
{
    struct hs *hs = ctx;
    hs_log(hs, LOG_INFO, "peer %.*s is here", STR_ARG(peer_id));
    struct seen seen = {peer_id, address};
    (void)input_run(hs, put_peer, &seen, "a peer's address");
    destinations_seen(hs, peer_id);
    missing_seen(hs);
    resyncs_seen(hs, peer_id);
}

static void on_peer_gone(void *ctx, struct str peer_id)
{
    hs_log(ctx, LOG_INFO, "peer %.*s is gone", STR_ARG(peer_id));
}

static void on_request(void *ctx, uint64_t stream, struct str peer_id, const struct http_head *head,
                       struct str body)
{
    destinations_seen(ctx, peer_id);
    gate_peer(ctx, wiring_peer_routes, stream, peer_id, head, body);
}

static void on_answer(void *ctx, uint64_t call, int status, struct str why,
                      const struct http_head *head, struct str body)
{
    (void)head;
    calls_answered(ctx, call, status, why, body);
}

/* --- opening and closing -----------------------------------------------------------------------
 */

static void take_settings(struct hs *hs, const struct hs_config *config)
{
    struct arena *a = hs->process;
    struct str *relays = arena_array(a, config->relays.n + 1, sizeof(*relays));
    for (size_t i = 0; i < config->relays.n; i++) {
        relays[i] = arena_str(a, config->relays.at[i]);
    }
    hs->settings = (struct settings){
        .build_id = arena_str(a, config->build_id),
        .admin_token = arena_str(a, config->admin_token),
        .registration_secret = arena_str(a, config->registration_secret),
        .relays = {relays, config->relays.n},
        .password_cost = {config->password_memory_kib == 0 ? 19456 : config->password_memory_kib,
                          2},
        .read_only = config->read_only,
        .logs_debug = config->logs_debug,
        .rate_limits = config->rate_limits,
        .guests = config->guests,
        .registration_tokens = config->registration_tokens,
        .federates = config->federates,
        .well_known_server = arena_str(a, config->well_known_server),
        .well_known_client = arena_str(a, config->well_known_client),
    };
}

static void open_net(struct hs *hs)
{
    struct net_config config = {
        .calls = {.ctx = hs,
                  .random = on_random,
                  .dial = on_dial,
                  .send = on_send,
                  .close = on_close,
                  .peer_seen = on_peer_seen,
                  .peer_gone = on_peer_gone,
                  .request = on_request,
                  .answer = on_answer},
        .identity = hs->identity.key,
        .relays = hs->settings.relays,
    };
    if (hs->settings.relays.n > 0) {
        hs->net = net_new(&config);
    }
}

static enum err open_steps(struct hs *hs, const struct hs_config *config, const char **why)
{
    enum store_wrote wrote;
    TRY(store_open(&hs->store, config->db_path, config->vfs, config->wasm_pragmas, why));
    *why = "the first turn failed";
    TRY(store_begin(hs->store));
    TRY(moving_check(hs, config->is_import, why));
    TRY(identity_load(hs, config->server_name, why));
    *why = "the outbox cannot be read";
    TRY(destinations_load(hs));
    TRY(missing_load(hs));
    TRY(resyncs_load(hs));
    TRY(store_commit(hs->store, &wrote));
    effects_committed(hs->effects, wrote != STORE_WROTE_NOTHING);
    open_net(hs);
    return ERR_NONE;
}

enum err hs_open(struct hs **out, const struct hs_config *config, const struct host *host,
                 struct now now, const char **why)
{
    struct hs *hs = base_alloc(sizeof(*hs));
    crypto_start();
    hs->host = *host;
    hs->now = now;
    hs->started = now;
    hs->process = arena_new();
    hs->turn = arena_new();
    hs->effects = effects_new();
    hs->parked = parked_new();
    hs->calls = calls_new();
    hs->key_waits = key_waits_new();
    hs->cache = event_cache_new();
    hs->outbox = outbox_new();
    hs->admission = admission_new();
    hs->typing = typing_new();
    hs->presence = presence_new();
    hs->unread = unread_new();
    hs->lazy_members = lazy_members_new();
    hs->search_index = search_index_new(now.mono_ms);
    hs->destinations = destinations_new();
    hs->missing = missing_new();
    hs->resyncs = resyncs_new();
    hs->subscribers = wiring_subscribers;
    hs->remote = wiring_remote();
    take_settings(hs, config);
    enum err err = open_steps(hs, config, why);
    if (err != ERR_NONE) {
        hs_close(hs);
        hs = NULL;
    }
    *out = hs;
    return err;
}

void hs_close(struct hs *hs)
{
    if (hs == NULL) {
        return;
    }
    net_free(hs->net);
    resyncs_free(hs->resyncs);
    missing_free(hs->missing);
    destinations_free(hs->destinations);
    search_index_free(hs->search_index);
    lazy_members_free(hs->lazy_members);
    unread_free(hs->unread);
    presence_free(hs->presence);
    typing_free(hs->typing);
    admission_free(hs->admission);
    outbox_free(hs->outbox);
    event_cache_free(hs->cache);
    calls_free(hs->calls);
    key_waits_free(hs->key_waits);
    parked_free(hs->parked);
    effects_free(hs->effects);
    store_close(hs->store);
    arena_free(hs->turn);
    arena_free(hs->process);
    base_free(hs);
}

/* --- inputs -------------------------------------------------------------------------------------
 */

void hs_request(struct hs *hs, struct now now, uint64_t id, struct str head, struct str body)
{
    hs->now = now;
    if (!hs->dead) {
        gate_request(hs, DOOR_CLIENT, wiring_client_routes, id, head, body);
    }
}

void hs_server_request(struct hs *hs, struct now now, uint64_t id, struct str head, struct str body)
{
    hs->now = now;
    if (!hs->dead) {
        gate_request(hs, DOOR_SERVER, wiring_server_routes, id, head, body);
    }
}

void hs_answer(struct hs *hs, struct now now, uint64_t id, int status, struct str why,
               struct str body)
{
    hs->now = now;
    if (!hs->dead) {
        calls_answered(hs, id, status, why, body);
    }
}

void hs_request_gone(struct hs *hs, struct now now, uint64_t id)
{
    hs->now = now;
    if (!hs->dead) {
        gate_gone(hs, id);
    }
}

static bool is_linked(struct hs *hs, struct now now)
{
    hs->now = now;
    return !hs->dead && hs->net != NULL;
}

void hs_link_up(struct hs *hs, struct now now, uint64_t link)
{
    if (is_linked(hs, now)) {
        net_link_up(hs->net, now, link);
    }
}

void hs_link_message(struct hs *hs, struct now now, uint64_t link, struct str message, bool is_text)
{
    if (is_linked(hs, now)) {
        net_link_message(hs->net, now, link, message, is_text);
    }
}

void hs_link_room(struct hs *hs, struct now now, uint64_t link, size_t room)
{
    if (is_linked(hs, now)) {
        net_link_room(hs->net, now, link, room);
    }
}

void hs_link_down(struct hs *hs, struct now now, uint64_t link, struct str why)
{
    if (is_linked(hs, now)) {
        net_link_down(hs->net, now, link, why);
    }
}

void hs_flushed(struct hs *hs, struct now now, uint64_t turn, bool ok)
{
    hs->now = now;
    if (hs->dead) {
        return;
    }
    if (ok) {
        effects_flushed(hs->effects, turn);
    } else {
        hs_log(hs, LOG_ERROR, "flush of turn %llu failed; nothing of it left",
               (unsigned long long)turn);
        hs->dead = true;
        effects_restart(hs->effects);
    }
}

/* --- the end of a turn --------------------------------------------------------------------------
 */

static int64_t earlier(int64_t a, int64_t b)
{
    if (a < 0 || b < 0) {
        return a < 0 ? b : a;
    }
    return a < b ? a : b;
}

static void tell_wake(struct hs *hs)
{
    int64_t at = earlier(gate_next_ms(hs), destinations_next_ms(hs));
    at = earlier(at, typing_next_ms(hs));
    at = earlier(at, missing_next_ms(hs));
    at = earlier(at, resyncs_next_ms(hs));
    at = earlier(at, presence_next_ms(hs));
    at = earlier(at, search_index_next_ms(hs));
    if (hs->net != NULL) {
        at = earlier(at, net_next_ms(hs->net));
    }
    effects_wake(hs->effects, at, hs->now);
}

struct step {
    enum err (*fn)(struct hs *hs);
};

static enum err step_run(struct hs *hs, void *ctx)
{
    const struct step *step = ctx;
    return step->fn(hs);
}

/* Runs fn as an input of its own. */
static void run_input(struct hs *hs, enum err (*fn)(struct hs *hs), const char *what)
{
    struct step step = {fn};
    if (!hs->dead) {
        (void)input_run(hs, step_run, &step, what);
    }
}

void hs_turn(struct hs *hs, struct now now)
{
    enum store_wrote wrote;
    hs->now = now;
    if (hs->dead) {
        return;
    }
    if (hs->net != NULL) {
        net_tick(hs->net, now);
    }
    run_input(hs, typing_turn, "the end of typing");
    run_input(hs, presence_turn, "the end of presence");
    run_input(hs, search_index_turn, "the search index");
    server_keys_turn(hs);
    gate_resume(hs);
    missing_turn(hs);
    resyncs_turn(hs);
    destinations_turn(hs);
    if (!hs->dead) {
        calls_leave(hs);
    }
    if (!hs->dead) {
        enum err err = store_commit(hs->store, &wrote);
        if (err != ERR_NONE) {
            input_fatal(hs, err);
            return;
        }
        if (wrote == STORE_WROTE_SPARE) {
            effects_spared(hs->effects, hs->now);
        }
        effects_committed(hs->effects, wrote == STORE_WROTE);
        tell_wake(hs);
    }
    event_cache_trim(hs);
    admission_turn(hs);
    arena_clear(hs->turn);
}

bool hs_next(struct hs *hs, struct effect *out)
{
    return effects_next(hs->effects, out);
}

struct str hs_server_name(const struct hs *hs)
{
    return hs->identity.server;
}

bool hs_is_dirty(const struct hs *hs)
{
    return effects_is_dirty(hs->effects);
}

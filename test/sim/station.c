/* Carries out effects in virtual time. An instance ends by a crash at an effect, or by a flush that
 * failed; the next one opens on what the disk kept. */
#include "test/sim/station.h"

#include "hs/hs.h"
#include "test/sim/disk.h"

#include <stdio.h>
#include <string.h>

#define REQUESTS_MAX 64
#define UNIX_START_MS 1700000000000
#define TURNS_A_MS_MAX 1000
#define EFFECTS_A_TURN_MAX 100000

struct open_request {
    uint64_t id; /* 0: free */
    int64_t since_ms;
    station_answer_fn fn;
    void *ctx;
};

/* A request or an answer on its way. */
struct parcel {
    struct station *node;
    uint64_t id;
    int status;
    station_answer_fn fn;
    void *ctx;
    char *head, *body;
    size_t head_n, body_n;
};

struct station {
    struct world *world;
    size_t index;
    struct endpoint endpoint;
    struct rng rng, core_rng;
    struct disk *disk;
    size_t n_relays;
    struct hs *hs; /* NULL: down */
    uint64_t incarnation;
    int64_t opened_ms, clock_skew_ms, clock_jump_ms;
    int64_t full_until_ms;
    bool is_read_only;
    struct open_request requests[REQUESTS_MAX];
    uint64_t request_serial;
    uint64_t wake_serial;
    bool has_turn;
    int64_t turn_ms;
    int turns_now;
    char server_name[256];
};

static const char *const vfs_names[WORLD_NODES_MAX] = {"sim0", "sim1", "sim2", "sim3"};

static const char *const effect_names[] = {
    [EFFECT_RESPOND] = "answers request", [EFFECT_SEND] = "sends over link",
    [EFFECT_DIAL] = "dials link",         [EFFECT_CLOSE] = "closes link",
    [EFFECT_FLUSH] = "flushes turn",      [EFFECT_WAKE] = "wants to be woken",
    [EFFECT_RESTART] = "wants a restart", [EFFECT_FETCH] = "fetches",
};

/* The monotonic clock starts anew with each instance, the wall clock is a little wrong. */
static struct now now_of(const struct station *node)
{
    return (struct now){.mono_ms = node->world->now_ms - node->opened_ms + 1000,
                        .unix_ms = UNIX_START_MS + node->world->now_ms + node->clock_skew_ms +
                                   node->clock_jump_ms};
}

static char *copy_of(struct str s)
{
    char *copy = base_alloc(s.n + 1);
    if (s.n > 0) {
        memcpy(copy, s.p, s.n);
    }
    return copy;
}

static void on_random(void *ctx, void *out, size_t n)
{
    struct station *node = ctx;
    rng_fill(&node->core_rng, out, n);
}

static void on_log(void *ctx, enum log_level level, struct str line)
{
    struct station *node = ctx;
    world_trace(node->world, "node %zu log %d %.*s", node->index, (int)level, STR_ARG(line));
}

/* --- life and death ------------------------------------------------------------------------ */

static void turn_soon(struct station *node);

static void station_open(struct station *node)
{
    struct world *world = node->world;
    const char *why = "";
    struct str urls[WIRE_RELAYS_MAX];
    for (size_t i = 0; i < node->n_relays; i++) {
        urls[i] = wire_relay_url(i);
    }
    node->is_read_only = node->full_until_ms > world->now_ms;
    struct host host = {.ctx = node, .random = on_random, .log = on_log};
    struct hs_config config = {
        .db_path = STR("neurite.db"),
        .vfs = vfs_names[node->index],
        .wasm_pragmas = true,
        .server_name = STR(""),
        .relays = {urls, node->n_relays},
        .build_id = STR("sim"),
        .password_memory_kib = 8,
        .read_only = node->is_read_only,
        .logs_debug = true,
    };
    node->incarnation++;
    node->opened_ms = world->now_ms;
    disk_mount(node->disk);
    enum err err = hs_open(&node->hs, &config, &host, now_of(node), &why);
    world_trace(world, "node %zu opens: %s", node->index, err_name(err));
    if (err != ERR_NONE) {
        world_fail(world, "node %zu does not open again: %s (%s)", node->index, why, err_name(err));
        return;
    }
    struct str name = hs_server_name(node->hs);
    if (node->server_name[0] != '\0' && !str_eq(name, str_of(node->server_name))) {
        /* Until its first flush a homeserver has told its name to nobody. */
        world_trace(world, "node %zu has another name", node->index);
    }
    snprintf(node->server_name, sizeof(node->server_name), "%.*s", STR_ARG(name));
    turn_soon(node);
}

static void reopen(void *ctx, uint64_t word)
{
    struct station *node = ctx;
    (void)word;
    if (!node->world->is_failed) {
        station_open(node);
    }
}

static void parcel_free(void *p)
{
    struct parcel *parcel = p;

    base_free(parcel->head);
    base_free(parcel->body);
    base_free(parcel);
}

static void breaks(void *ctx, uint64_t word)
{
    struct parcel *parcel = ctx;
    (void)word;
    parcel->fn(parcel->ctx, 0, STR_ABSENT);
    parcel_free(parcel);
}

/* The client learns that its connection is gone. */
static void break_soon(struct station *node, station_answer_fn fn, void *ctx)
{
    struct parcel *parcel = base_alloc(sizeof(*parcel));
    *parcel = (struct parcel){.fn = fn, .ctx = ctx};
    agenda_put_owned(&node->world->agenda, node->world->now_ms + rng_between(&node->rng, 0, 20),
                     breaks, parcel, parcel_free);
}

/* What the instance before wrote last reaches the disk while the next one lives. */
static void late_lands(void *ctx, uint64_t word)
{
    struct station *node = ctx;
    (void)word;
    disk_late(node->disk);
}

static void station_crash(struct station *node, const char *why)
{
    struct world *world = node->world;
    world_trace(world, "node %zu crashes: %s", node->index, why);
    world->counts.crashes++;
    enum fate fate = (enum fate)rng_below(&node->rng, FATE_LATE + 1);
    hs_close(node->hs);
    node->hs = NULL;
    node->has_turn = false;
    node->wake_serial++;
    disk_unmount(node->disk, fate);
    agenda_put(&world->agenda, world->now_ms + rng_between(&node->rng, 1, 800), late_lands, node,
               0);
    for (size_t i = 0; i < REQUESTS_MAX; i++) {
        if (node->requests[i].id != 0) {
            break_soon(node, node->requests[i].fn, node->requests[i].ctx);
            node->requests[i].id = 0;
        }
    }
    if (world->wire != NULL) {
        wire_node_gone(world->wire, &node->endpoint);
    }
    agenda_put(&world->agenda, world->now_ms + rng_between(&node->rng, 1, 400), reopen, node, 0);
}

/* --- links --------------------------------------------------------------------------------- */

static bool is_present(const struct station *node, uint64_t incarnation)
{
    return node->hs != NULL && node->incarnation == incarnation;
}

static void station_link_up(void *ctx, uint64_t incarnation, uint64_t link)
{
    struct station *node = ctx;
    if (is_present(node, incarnation)) {
        hs_link_up(node->hs, now_of(node), link);
        turn_soon(node);
    }
}

static void station_link_message(void *ctx, uint64_t incarnation, uint64_t link, struct str message,
                                 bool is_text)
{
    struct station *node = ctx;
    if (is_present(node, incarnation)) {
        world_trace(node->world, "node %zu message over %llu", node->index,
                    (unsigned long long)link);
        world_trace_bytes(node->world, message);
        hs_link_message(node->hs, now_of(node), link, message, is_text);
        turn_soon(node);
    }
}

static void station_link_room(void *ctx, uint64_t incarnation, uint64_t link, size_t room)
{
    struct station *node = ctx;
    if (is_present(node, incarnation)) {
        hs_link_room(node->hs, now_of(node), link, room);
        turn_soon(node);
    }
}

static void station_link_down(void *ctx, uint64_t incarnation, uint64_t link, struct str why)
{
    struct station *node = ctx;
    if (is_present(node, incarnation)) {
        world_trace(node->world, "node %zu link %llu down: %.*s", node->index,
                    (unsigned long long)link, STR_ARG(why));
        hs_link_down(node->hs, now_of(node), link, why);
        turn_soon(node);
    }
}

/* --- the station -------------------------------------------------------------------------- */

struct station *station_new(struct world *world, size_t index, size_t relays)
{
    struct station *node = base_alloc(sizeof(*node));
    rng_init(&node->rng, rng_next(&world->rng));
    rng_init(&node->core_rng, rng_next(&world->rng));
    node->endpoint = (struct endpoint){.index = index,
                                       .ctx = node,
                                       .up = station_link_up,
                                       .message = station_link_message,
                                       .room = station_link_room,
                                       .down = station_link_down};
    node->world = world;
    node->index = index;
    node->n_relays = relays;
    node->clock_skew_ms = rng_between(&node->rng, -2000, 2000);
    node->disk = disk_new(vfs_names[index]);
    station_open(node);
    return node;
}

void station_free(struct station *node)
{
    if (node->hs != NULL) {
        hs_close(node->hs);
    }
    disk_free(node->disk);
    base_free(node);
}

struct str station_server_name(const struct station *node)
{
    return str_of(node->server_name);
}

/* --- requests ------------------------------------------------------------------------------ */

static void request_arrives(void *ctx, uint64_t word)
{
    struct parcel *parcel = ctx;
    struct station *node = parcel->node;
    size_t slot = 0;
    (void)word;
    while (slot < REQUESTS_MAX && node->requests[slot].id != 0) {
        slot++;
    }
    if (node->hs == NULL || slot == REQUESTS_MAX) {
        break_soon(node, parcel->fn, parcel->ctx);
    } else {
        struct str head = {parcel->head, parcel->head_n}, body = {parcel->body, parcel->body_n};
        uint64_t id = ++node->request_serial;
        struct str line = head, rest;
        str_cut(head, '\r', &line, &rest);
        node->requests[slot] =
            (struct open_request){id, node->world->now_ms, parcel->fn, parcel->ctx};
        world_trace(node->world, "node %zu takes request %llu: %.*s", node->index,
                    (unsigned long long)id, STR_ARG(line));
        world_trace_bytes(node->world, head);
        world_trace_bytes(node->world, body);
        hs_request(node->hs, now_of(node), id, head, body);
        turn_soon(node);
    }
    parcel_free(parcel);
}

void station_request(struct station *node, struct str head, struct str body, station_answer_fn fn,
                     void *ctx)
{
    struct parcel *parcel = base_alloc(sizeof(*parcel));
    *parcel = (struct parcel){.node = node,
                              .fn = fn,
                              .ctx = ctx,
                              .head = copy_of(head),
                              .head_n = head.n,
                              .body = copy_of(body),
                              .body_n = body.n};
    node->world->counts.requests++;
    agenda_put_owned(&node->world->agenda, node->world->now_ms + rng_between(&node->rng, 0, 3),
                     request_arrives, parcel, parcel_free);
}

static void answer_arrives(void *ctx, uint64_t word)
{
    struct parcel *parcel = ctx;
    (void)word;
    parcel->fn(parcel->ctx, parcel->status, str_make(parcel->body, parcel->body_n));
    parcel_free(parcel);
}

static void do_respond(struct station *node, const struct effect *e)
{
    for (size_t i = 0; i < REQUESTS_MAX; i++) {
        struct open_request *open = &node->requests[i];
        if (open->id == e->id) {
            struct parcel *parcel = base_alloc(sizeof(*parcel));
            *parcel = (struct parcel){.status = e->status,
                                      .fn = open->fn,
                                      .ctx = open->ctx,
                                      .body = copy_of(e->bytes),
                                      .body_n = e->bytes.n};
            open->id = 0;
            agenda_put_owned(&node->world->agenda,
                             node->world->now_ms + rng_between(&node->rng, 0, 3), answer_arrives,
                             parcel, parcel_free);
            return;
        }
    }
    world_fail(node->world, "node %zu answers request %llu, which is not open", node->index,
               (unsigned long long)e->id);
}

/* --- effects ------------------------------------------------------------------------------- */

struct flush_note {
    struct station *node;
    uint64_t incarnation, turn;
};

static void flush_ends(void *ctx, uint64_t word)
{
    struct flush_note *note = ctx;
    struct station *node = note->node;
    struct world *world = node->world;
    (void)word;
    if (node->hs != NULL && node->incarnation == note->incarnation) {
        uint64_t one_in = world->faults.bad_flush_one_in;
        bool ok = one_in == 0 || !rng_one_in(&node->rng, one_in) ||
                  !schedule_next(&world->schedule, HAPPENS_FLUSH);
        ok = ok && node->full_until_ms <= world->now_ms;
        disk_flush_end(node->disk, ok);
        world_trace(world, "node %zu flush of turn %llu %s, %u bytes", node->index,
                    (unsigned long long)note->turn, ok ? "ends" : "fails",
                    (unsigned)disk_size(node->disk));
        hs_flushed(node->hs, now_of(node), note->turn, ok);
        turn_soon(node);
    }
    base_free(note);
}

static void do_flush(struct station *node, uint64_t turn)
{
    struct flush_note *note = base_alloc(sizeof(*note));
    *note = (struct flush_note){node, node->incarnation, turn};
    if (disk_is_flushing(node->disk)) {
        world_fail(node->world, "node %zu wants a second flush in flight", node->index);
        base_free(note);
        return;
    }
    disk_flush_begin(node->disk);
    node->world->counts.flushes++;
    agenda_put_owned(&node->world->agenda, node->world->now_ms + rng_between(&node->rng, 1, 30),
                     flush_ends, note, base_free);
}

static void wakes(void *ctx, uint64_t serial)
{
    struct station *node = ctx;
    if (node->hs != NULL && node->wake_serial == serial) {
        turn_soon(node);
    }
}

static void do_wake(struct station *node, int64_t at_mono_ms)
{
    node->wake_serial++;
    if (at_mono_ms >= 0) {
        int64_t in_ms = at_mono_ms - now_of(node).mono_ms;
        agenda_put(&node->world->agenda, node->world->now_ms + (in_ms > 0 ? in_ms : 0), wakes, node,
                   node->wake_serial);
    }
}

static void trace_effect(struct station *node, const struct effect *e)
{
    struct world *world = node->world;
    if (e->kind == EFFECT_WAKE || e->kind == EFFECT_FLUSH || e->kind == EFFECT_RESTART) {
        world_trace(world, "node %zu %s %llu", node->index, effect_names[e->kind],
                    (unsigned long long)e->id);
        return;
    }
    bool is_answer = e->kind == EFFECT_RESPOND;
    world_trace(world, "node %zu %s %llu, %d, %zu bytes: %.*s", node->index, effect_names[e->kind],
                (unsigned long long)e->id, e->status, e->bytes.n,
                is_answer ? (int)(e->bytes.n < 160 ? e->bytes.n : 160) : 0,
                is_answer ? e->bytes.p : "");
    world_trace_bytes(world, e->bytes);
}

/* False: the instance is gone. */
static bool effect_do(struct station *node, const struct effect *e)
{
    struct world *world = node->world;
    trace_effect(node, e);
    if (world->faults.crash_one_in != 0 && rng_one_in(&node->rng, world->faults.crash_one_in) &&
        schedule_next(&world->schedule, HAPPENS_CRASH)) {
        station_crash(node, "at an effect");
        return false;
    }
    switch (e->kind) {
    case EFFECT_RESPOND:
        do_respond(node, e);
        break;
    case EFFECT_SEND:
        wire_send(world->wire, &node->endpoint, node->incarnation, e->id, e->bytes, e->is_text);
        break;
    case EFFECT_DIAL:
        wire_dial(world->wire, &node->endpoint, node->incarnation, e->id, e->bytes);
        break;
    case EFFECT_CLOSE:
        wire_close(world->wire, &node->endpoint, node->incarnation, e->id);
        break;
    case EFFECT_FLUSH:
        do_flush(node, e->id);
        break;
    case EFFECT_WAKE:
        do_wake(node, e->at_mono_ms);
        break;
    case EFFECT_RESTART:
        station_crash(node, "it asks to be restarted");
        return false;
    case EFFECT_FETCH: /* nobody here federates over HTTPS */
        break;
    }
    return true;
}

static void turn_run(void *ctx, uint64_t incarnation)
{
    struct station *node = ctx;
    struct world *world = node->world;
    struct effect effect;
    if (node->hs == NULL || node->incarnation != incarnation) {
        return;
    }
    node->has_turn = false;
    node->turns_now = node->turn_ms == world->now_ms ? node->turns_now + 1 : 0;
    node->turn_ms = world->now_ms;
    if (node->turns_now > TURNS_A_MS_MAX) {
        world_fail(world, "node %zu spins", node->index);
        return;
    }
    world->counts.turns++;
    hs_turn(node->hs, now_of(node));
    for (int n = 0; n < EFFECTS_A_TURN_MAX && hs_next(node->hs, &effect); n++) {
        if (!effect_do(node, &effect) || world->is_failed) {
            return;
        }
    }
}

/* What arrives within a moment is served in one turn. */
static void turn_soon(struct station *node)
{
    struct world *world = node->world;
    if (!node->has_turn) {
        node->has_turn = true;
        agenda_put(&world->agenda, world->now_ms + rng_between(&node->rng, 0, 2), turn_run, node,
                   node->incarnation);
    }
}

/* --- faults -------------------------------------------------------------------------------- */

void station_clock_jump(struct station *node, int64_t by_ms)
{
    node->clock_jump_ms = node->clock_jump_ms == 0 ? by_ms : 0;
    world_trace(node->world, "node %zu: its clock is %lld ms off", node->index,
                (long long)node->clock_jump_ms);
}

/* An instance that only reads looks from time to time whether it may write again. */
static void disk_empties(void *ctx, uint64_t word)
{
    struct station *node = ctx;
    (void)word;
    if (node->hs != NULL && node->is_read_only && node->full_until_ms <= node->world->now_ms) {
        station_crash(node, "its disk has room again");
    }
}

void station_disk_full(struct station *node, int64_t end_ms)
{
    struct world *world = node->world;
    world_trace(world, "node %zu: its disk is full until %lld", node->index, (long long)end_ms);
    node->full_until_ms = end_ms;
    agenda_put(&world->agenda, end_ms, disk_empties, node, 0);
}

void station_heal(struct station *node)
{
    node->full_until_ms = 0;
    node->clock_jump_ms = 0;
    disk_empties(node, 0);
}

int64_t station_oldest_request_ms(const struct station *node)
{
    int64_t oldest = -1;
    for (size_t i = 0; i < REQUESTS_MAX; i++) {
        const struct open_request *open = &node->requests[i];
        if (open->id != 0 && node->world->now_ms - open->since_ms > oldest) {
            oldest = node->world->now_ms - open->since_ms;
        }
    }
    return oldest;
}

const struct endpoint *station_endpoint(const struct station *node)
{
    return &node->endpoint;
}

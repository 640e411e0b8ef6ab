/* Homeservers that crash at any effect and forget what was not flushed, flushes that take their
 * time or fail, links that break, users that repeat what was not answered. Then the faults stop,
 * and everything that was acknowledged must be everywhere, once, in order. */
#include "test/sim/run.h"

#include "store/store.h"
#include "test/sim/station.h"
#include "test/sim/user.h"
#include "test/sim/weather.h"
#include "test/sim/wire.h"

#define TROUBLE_MS 60000 /* faults stop then at the latest */
#define END_MS 900000     /* and what is not well by then never will be */
#define USERS_A_NODE 3
#define MESSAGES_EACH 8

static void draw_faults(struct world *world)
{
    struct rng *rng = &world->rng;
    world->faults.crash_one_in = 30 + rng_below(rng, 600);
    world->faults.bad_flush_one_in = 20 + rng_below(rng, 200);
    world->faults.link_cut_one_in = 20 + rng_below(rng, 600);
    world->faults.clog_one_in = rng_one_in(rng, 2) ? 0 : 50 + rng_below(rng, 600);
    world->weather_every_ms = rng_one_in(rng, 3) ? 0 : rng_between(rng, 200, 8000);
}

static void world_open(struct world *world, uint64_t seed, const struct run_options *options)
{
    *world = (struct world){.seed = seed, .trace = 0xCBF29CE484222325u};
    world->is_verbose = options->is_verbose;
    world->is_quiet = options->is_quiet;
    rng_init(&world->rng, seed);
    agenda_init(&world->agenda);
    store_test_seed((uint32_t)(seed % 0x7FFFFFFE) + 1);
    world->messages_each = MESSAGES_EACH;
    rng_init(&world->weather, rng_next(&world->rng));
    draw_faults(world);
    world->n_nodes = options->nodes != 0 ? options->nodes : 1 + seed % 2;
    size_t relays = world->n_nodes == 1 ? 0 : 1 + rng_below(&world->rng, WIRE_RELAYS_MAX);
    if (relays > 0) {
        world->wire = wire_new(world, relays);
    }
    for (size_t i = 0; i < world->n_nodes; i++) {
        world->nodes[i] = station_new(world, i, relays);
    }
    world->n_users = world->n_nodes * USERS_A_NODE;
    for (size_t i = 0; i < world->n_users; i++) {
        world->users[i] = user_new(world, i, world->nodes[i % world->n_nodes]);
    }
}

static void world_close(struct world *world)
{
    for (size_t i = 0; i < world->n_users; i++) {
        user_free(world->users[i]);
    }
    for (size_t i = 0; i < world->n_nodes; i++) {
        station_free(world->nodes[i]);
    }
    if (world->wire != NULL) {
        wire_free(world->wire);
    }
    agenda_release(&world->agenda);
}

static bool all(const struct world *world, bool (*holds)(const struct user *user))
{
    for (size_t i = 0; i < world->n_users; i++) {
        if (!holds(world->users[i])) {
            return false;
        }
    }
    return true;
}

/* Lets time pass until the condition holds for all users, or `end_ms`. */
static bool run_until(struct world *world, bool (*holds)(const struct user *user), int64_t end_ms)
{
    struct appointment next;
    uint64_t steps = 0;
    while (!world->is_failed && world->now_ms < end_ms) {
        if (steps++ % 16 == 0 && all(world, holds)) {
            return true;
        }
        if (!agenda_take(&world->agenda, &next)) {
            break;
        }
        world->now_ms = next.at_ms;
        next.fn(next.ctx, next.word);
    }
    return all(world, holds);
}

static bool has_state(const struct user *user)
{
    return !str_is_absent(user_state(user));
}

static void check_agreement(struct world *world)
{
    for (size_t i = 0; i < world->n_users; i++) {
        user_ask_state(world->users[i]);
    }
    if (!run_until(world, has_state, END_MS + TROUBLE_MS)) {
        world_fail(world, "somebody cannot read the room's state");
        return;
    }
    struct str first = user_state(world->users[0]);
    for (size_t i = 1; i < world->n_users; i++) {
        struct str other = user_state(world->users[i]);
        if (!str_eq(first, other)) {
            world_fail(world, "users 0 and %zu are told different states:\n%.*s--\n%.*s", i,
                       STR_ARG(first), STR_ARG(other));
            return;
        }
    }
}

static void run(struct world *world)
{
    weather_start(world);
    run_until(world, user_has_spoken, TROUBLE_MS);
    weather_clears(world);
    bool is_well = run_until(world, user_has_spoken, END_MS);
    is_well = is_well && run_until(world, user_has_read, END_MS);
    if (!world->is_failed && !is_well) {
        world_fail(world, "not all was said and read in time");
    }
    if (!world->is_failed) {
        check_agreement(world);
    }
    for (size_t i = 0; i < world->n_users && world->is_failed && !world->is_quiet; i++) {
        user_describe(world->users[i]);
    }
}

struct run_result run_seed(uint64_t seed, const struct run_options *options)
{
    struct world *world = base_alloc(sizeof(*world));
    world_open(world, seed, options);
    run(world);
    struct run_result result = {.is_ok = !world->is_failed,
                                .nodes = world->n_nodes,
                                .ms = world->now_ms,
                                .trace = world->trace,
                                .counts = world->counts};
    world_close(world);
    base_free(world);
    return result;
}

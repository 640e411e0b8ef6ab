/* Homeservers that crash at any effect and forget what was not flushed, flushes that take their
 * time or fail, links that break, users that repeat what was not answered. Then the faults stop,
 * and everything that was acknowledged must be everywhere, once, in order. */
#include "test/sim/run.h"

#include "store/store.h"
#include "test/sim/liar.h"
#include "test/sim/station.h"
#include "test/sim/user.h"
#include "test/sim/weather.h"
#include "test/sim/wire.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define TROUBLE_MS 60000 /* faults stop then at the latest */
#define END_MS 900000    /* and what is not well by then never will be */
#define USERS_A_NODE 3
#define QUIET_MS 3000
#define NUDGES_MAX 6
#define REQUEST_MS 120000 /* no request is open for longer */

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
    if (options->schedule != NULL) {
        world->schedule = *options->schedule;
    }
    rng_init(&world->rng, seed);
    agenda_init(&world->agenda);
    store_test_seed((uint32_t)(seed % 0x7FFFFFFE) + 1);
    world->acts_each = (int)rng_between(&world->rng, 4, 14);
    world->n_rooms = 1 + rng_below(&world->rng, WORLD_ROOMS_MAX);
    rng_init(&world->weather, rng_next(&world->rng));
    draw_faults(world);
    world->is_settled = !options->is_restless;
    world->n_nodes = options->nodes != 0 ? options->nodes : 1 + seed % 2;
    size_t relays =
        world->n_nodes == 1 && !options->has_liar ? 0 : 1 + rng_below(&world->rng, WIRE_RELAYS_MAX);
    if (relays > 0) {
        world->wire = wire_new(world, relays);
    }
    for (size_t i = 0; i < world->n_nodes; i++) {
        world->nodes[i] = station_new(world, i, relays);
    }
    if (options->has_liar) {
        world->liar = liar_new(world, relays);
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
    liar_free(world->liar);
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

static bool has_all(const struct user *user)
{
    return user_is_done(user) && reader_has_all(user, false);
}

/* The users of a room are told the same state, event by event. */
static bool states_agree(const struct world *world, bool tell)
{
    for (size_t room = 0; room < world->n_rooms; room++) {
        const char *first = NULL;
        size_t first_user = 0;
        for (size_t i = 0; i < world->n_users; i++) {
            const struct place *place = &world->users[i]->places[room];
            if (place->view != VIEW_IN || place->state == NULL) {
                continue;
            }
            if (first != NULL && strcmp(first, place->state) != 0) {
                if (tell) {
                    printf("    users %zu and %zu are told different states of room %zu:\n%s--\n%s",
                           first_user, i, room, first, place->state);
                }
                return false;
            }
            first_user = first == NULL ? i : first_user;
            first = first == NULL ? place->state : first;
        }
    }
    return true;
}

static bool history_is_whole(const struct world *world, bool tell)
{
    bool all = true;
    for (size_t i = 0; i < world->n_users; i++) {
        if (!audit_finds(world->users[i], false)) {
            all = false;
            if (tell) {
                user_describe(world->users[i]);
                audit_finds(world->users[i], true);
            }
        }
    }
    return all;
}

static bool never(const struct user *user)
{
    (void)user;
    return false;
}

/* Somebody of each homeserver says something: what is said cites all that is known, so that
 * whatever was said apart comes together. */
static void nudge(struct world *world, size_t round)
{
    for (size_t room = 0; room < world->n_rooms; room++) {
        for (size_t i = 0; i < world->n_users; i++) {
            struct user *user = world->users[(i + round) % world->n_users];
            if (user->places[room].view == VIEW_IN && !user->act.is_busy) {
                user_nudge(user, room);
                break;
            }
        }
    }
}

/* Looks at everything until it is well, or will never be. */
static void check_agreement(struct world *world)
{
    for (size_t round = 0; !world->is_failed; round++) {
        for (size_t i = 0; i < world->n_users; i++) {
            audit_start(world->users[i]);
        }
        if (!run_until(world, audit_is_over, END_MS)) {
            world_fail(world, "somebody cannot read a room's history and state");
            return;
        }
        if (history_is_whole(world, false) && states_agree(world, false)) {
            return;
        }
        if (round == NUDGES_MAX) {
            world_fail(world, "the homeservers do not come to agree");
            if (!world->is_quiet) {
                history_is_whole(world, true);
                states_agree(world, true);
            }
            return;
        }
        nudge(world, round);
        run_until(world, never, world->now_ms + QUIET_MS);
        if (!run_until(world, has_all, END_MS)) {
            world_fail(world, "not all was read in time");
            return;
        }
    }
}

static void check_requests(struct world *world)
{
    for (size_t i = 0; i < world->n_nodes; i++) {
        if (station_oldest_request_ms(world->nodes[i]) > REQUEST_MS) {
            world_fail(world, "node %zu has not answered a request for %lld ms", i,
                       (long long)station_oldest_request_ms(world->nodes[i]));
        }
    }
}

static void run(struct world *world)
{
    weather_start(world);
    run_until(world, user_is_done, TROUBLE_MS);
    weather_clears(world);
    bool is_well = run_until(world, user_is_done, END_MS);
    is_well = is_well && run_until(world, has_all, END_MS);
    if (!world->is_failed && !is_well) {
        world_fail(world, "not all was said and read in time");
        for (size_t i = 0; i < world->n_users && !world->is_quiet; i++) {
            user_describe(world->users[i]);
            reader_has_all(world->users[i], true);
        }
    }
    if (!world->is_failed) {
        check_agreement(world);
    }
    if (!world->is_failed) {
        check_requests(world);
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
    if (options->happened != NULL) {
        *options->happened = world->schedule;
    }
    world_close(world);
    base_free(world);
    return result;
}

void run_tell_command(uint64_t seed, const struct run_options *options)
{
    printf("make sim SEED=%" PRIu64, seed);
    if (options->nodes != 0) {
        printf(" NODES=%zu", options->nodes);
    }
    printf("%s%s", options->is_restless ? " RESTLESS=1" : "", options->has_liar ? " LIAR=1" : "");
}

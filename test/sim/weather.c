/* Each fault ends by itself, or when the weather clears. */
#include "test/sim/weather.h"

#include "test/sim/station.h"
#include "test/sim/wire.h"

#define DAY_MS (24 * 60 * 60 * 1000LL)
#define YEAR_MS (365 * DAY_MS)

static void clock_jumps(struct world *world, size_t node)
{
    static const int64_t jumps[] = {-DAY_MS, -60 * 60 * 1000LL, 60 * 60 * 1000LL, YEAR_MS};
    int64_t by_ms = jumps[rng_below(&world->weather, COUNT_OF(jumps))];
    if (schedule_next(&world->schedule, HAPPENS_CLOCK)) {
        station_clock_jump(world->nodes[node], by_ms);
    }
}

static void disk_fills(struct world *world, size_t node)
{
    int64_t end_ms = world->now_ms + rng_between(&world->weather, 200, 4000);
    if (schedule_next(&world->schedule, HAPPENS_QUOTA)) {
        station_disk_full(world->nodes[node], end_ms);
    }
}

static void network_parts(struct world *world, size_t node)
{
    int64_t end_ms = world->now_ms + rng_between(&world->weather, 100, 20000);
    bool is_from_all = rng_one_in(&world->weather, 2);
    size_t relay = (size_t)rng_below(&world->weather, wire_relays(world->wire));
    if (!schedule_next(&world->schedule, HAPPENS_PARTITION)) {
        return;
    }
    for (size_t i = 0; i < wire_relays(world->wire); i++) {
        if (is_from_all || i == relay) {
            wire_part(world->wire, station_endpoint(world->nodes[node]), i, end_ms);
        }
    }
}

static void relay_restarts(struct world *world)
{
    size_t relay = (size_t)rng_below(&world->weather, wire_relays(world->wire));
    int64_t end_ms = world->now_ms + rng_between(&world->weather, 10, 5000);
    if (schedule_next(&world->schedule, HAPPENS_RELAY)) {
        wire_relay_restart(world->wire, relay, end_ms);
    }
}

static void weather_soon(struct world *world);

static void weather(void *ctx, uint64_t word)
{
    struct world *world = ctx;
    (void)word;
    if (world->is_clear) {
        return;
    }
    size_t node = (size_t)rng_below(&world->weather, world->n_nodes);
    uint64_t what = rng_below(&world->weather, 8);
    if (what == 0) {
        clock_jumps(world, node);
    } else if (what == 1) {
        disk_fills(world, node);
    } else if (what < 4 && world->wire != NULL) {
        network_parts(world, node);
    } else if (what == 4 && world->wire != NULL) {
        relay_restarts(world);
    }
    weather_soon(world);
}

static void weather_soon(struct world *world)
{
    agenda_put(&world->agenda,
               world->now_ms + rng_between(&world->weather, 1, world->weather_every_ms), weather,
               world, 0);
}

void weather_start(struct world *world)
{
    if (world->weather_every_ms > 0) {
        weather_soon(world);
    }
}

void weather_clears(struct world *world)
{
    world_trace(world, "faults stop");
    world->is_clear = true;
    world->faults = (struct faults){0};
    for (size_t i = 0; i < world->n_nodes; i++) {
        station_heal(world->nodes[i]);
    }
    if (world->wire != NULL) {
        wire_heal(world->wire);
    }
}

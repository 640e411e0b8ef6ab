/* State resolution of wide forks, timed:
 *   forks FORKS EVENTS   prints the events of all forks and the seconds of processor time of
 *                        one resolution
 * Each fork changes the power levels EVENTS times, one after the other, and gives as many users
 * another name; all of them conflict with those of the other forks. */
#include "room/resolve.h"

#include "base/limits.h"
#include "test/test.h"

#include "room/rooms_test.h"

#include <stdlib.h>
#include <time.h>

enum { EXIT_WRONG = 2, EVENTS_MAX = 4000 };

static const struct event *source_get(void *ctx, struct str id, bool *rejected)
{
    const struct test_room *room = ctx;
    *rejected = false;
    return map_get(&room->events, id);
}

/* The n-th change of the power levels in a fork. */
static const struct event *change_levels(struct test_room *room, long fork, long n,
                                         const struct event *before)
{
    struct str id = arena_fmt(room->a, "$levels-%ld-%ld", fork, n);
    struct str content =
        arena_fmt(room->a, "{\"users\":{\"@a:one\":100},\"events_default\":%ld}", n % 50);
    struct str auth = arena_fmt(room->a, "$create:one $a:one %.*s", STR_ARG(before->id));
    return test_event(room, id.p, "m.room.power_levels", "", "@a:one", content.p, auth.p);
}

/* Somebody calls himself something else. */
static const struct event *rename_user(struct test_room *room, long fork, long n)
{
    struct str id = arena_fmt(room->a, "$name-%ld-%ld", fork, n);
    struct str user = arena_fmt(room->a, "@u%ld:one", n);
    struct str content =
        arena_fmt(room->a, "{\"membership\":\"join\",\"displayname\":\"%ld\"}", fork);
    struct str auth = arena_fmt(room->a, "$create:one $levels:one $rules:one $u%ld", n);
    return test_event(room, id.p, "m.room.member", user.p, user.p, content.p, auth.p);
}

static void open_room(struct test_room *room, long users)
{
    test_room_init(room, "11");
    test_room_open(room, "{\"creator\":\"@a:one\"}");
    (void)test_put(room, test_event(room, "$levels:one", "m.room.power_levels", "", "@a:one",
                                    "{\"users\":{\"@a:one\":100}}", "$create:one $a:one"));
    (void)test_put(room,
                   test_event(room, "$rules:one", "m.room.join_rules", "", "@a:one",
                              "{\"join_rule\":\"public\"}", "$create:one $a:one $levels:one"));
    for (long i = 0; i < users; i++) {
        struct str id = arena_fmt(room->a, "$u%ld", i);
        struct str user = arena_fmt(room->a, "@u%ld:one", i);
        (void)test_put(room, test_event(room, id.p, "m.room.member", user.p, user.p,
                                        "{\"membership\":\"join\"}",
                                        "$create:one $levels:one $rules:one"));
    }
}

static void fill_fork(struct test_room *room, long fork, long events, struct state *out)
{
    const struct event *levels = map_get(&room->events, STR("$levels:one"));
    state_copy(out, &room->state, room->a);
    for (long i = 0; i < events; i++) {
        const struct event *name = rename_user(room, fork, i);
        levels = change_levels(room, fork, i, levels);
        state_put(out, name->type, name->state_key, name->id);
    }
    state_put(out, levels->type, levels->state_key, levels->id);
}

int main(int argc, char **argv)
{
    struct test_room room;
    struct state forks[STATE_SETS_MAX];
    struct state out;
    const struct state *sets[STATE_SETS_MAX];
    long n = argc == 3 ? strtol(argv[1], NULL, 10) : 0;
    long events = argc == 3 ? strtol(argv[2], NULL, 10) : 0;
    if (n < 2 || n > STATE_SETS_MAX || events < 1 || events > EVENTS_MAX) {
        fputs("Usage: forks FORKS EVENTS\n", stderr);
        return EXIT_WRONG;
    }
    open_room(&room, events);
    for (long i = 0; i < n; i++) {
        fill_fork(&room, i, events, &forks[i]);
        sets[i] = &forks[i];
    }
    struct resolve_source source = {&room, source_get};
    clock_t began = clock();
    CHECK(resolve_state(room.a, room.version, sets, (size_t)n, source, &out) == ERR_NONE);
    clock_t ended = clock();
    CHECK(state_count(&out) == state_count(&room.state));
    printf("%ld %.6f\n", 2 * n * events, (double)(ended - began) / CLOCKS_PER_SEC);
    arena_free(room.a);
    return test_failures == 0 ? 0 : 1;
}

/* From registration to the last act. */
#include "test/sim/user.h"

#include "test/sim/station.h"

#include <stdio.h>
#include <string.h>

static void act_soon(struct user *user, int64_t low_ms, int64_t high_ms);

bool user_copy(char *out, size_t size, struct str text)
{
    if (text.n == 0 || text.n >= size) {
        return false;
    }
    memcpy(out, text.p, text.n);
    out[text.n] = '\0';
    return true;
}

void user_unexpected(struct user *user, const char *what, int status, struct str body)
{
    world_fail(user->world, "user %zu: %s is answered %d %.*s", user->index, what, status,
               (int)(body.n < 300 ? body.n : 300), body.p);
}

static void registered(struct user *user, int status, const struct json *answer, struct str body)
{
    struct str session = json_get_text(answer, "session");
    if (status == 401 && user_copy(user->session, sizeof(user->session), session)) {
        user->step = STEP_REGISTER; /* also when it died meanwhile and has forgotten the session */
    } else if (status == 200 &&
               user_copy(user->token, sizeof(user->token), json_get_text(answer, "access_token")) &&
               user_copy(user->id, sizeof(user->id), json_get_text(answer, "user_id"))) {
        user->step = user->index == 0 ? STEP_CREATE : STEP_JOIN;
        reader_start(user);
    } else {
        user_unexpected(user, "registration", status, body);
    }
    act_soon(user, 1, 100);
}

static void ask_register(struct user *user)
{
    struct arena *a = arena_new();
    struct str auth = STR("");
    if (user->step == STEP_REGISTER) {
        auth = arena_fmt(a, ",\"auth\":{\"type\":\"m.login.dummy\",\"session\":\"%s\"}",
                         user->session);
    }
    lane_ask(&user->act, "POST", STR("/register"),
             arena_fmt(a, "{\"username\":\"u%zu\",\"password\":\"p%zu\"%.*s}", user->index,
                       user->index, STR_ARG(auth)),
             registered);
    arena_free(a);
}

static void created(struct user *user, int status, const struct json *answer, struct str body)
{
    struct world *world = user->world;
    size_t room = user->doing_room;
    if (status != 200 || !user_copy(world->rooms[room].id, sizeof(world->rooms[room].id),
                                    json_get_text(answer, "room_id"))) {
        user_unexpected(user, "the making of a room", status, body);
        return;
    }
    user->places[room].view = VIEW_IN;
    user->places[room].was_in = true;
    user->places[room].in_since_ms = world->now_ms;
    user->step = STEP_ACT;
    act_soon(user, 1, 300);
}

static void ask_create(struct user *user)
{
    user->doing_room = user->index;
    lane_ask(&user->act, "POST", STR("/createRoom"),
             user->index == 0
                 ? STR("{\"preset\":\"public_chat\",\"room_alias_name\":\"sim\",\"name\":\"Sim\"}")
                 : STR("{\"preset\":\"private_chat\",\"name\":\"Back room\"}"),
             created);
}

static bool all_are_in(const struct world *world)
{
    for (size_t i = 0; i < world->n_users; i++) {
        if (world->users[i]->step < STEP_ACT) {
            return false;
        }
    }
    return true;
}

/* Comes back from the first act_join: everybody begins in room 0. */
static void act(void *ctx, uint64_t word)
{
    struct user *user = ctx;
    struct world *world = user->world;
    (void)word;
    if (world->is_failed) {
        return;
    }
    switch (user->step) {
    case STEP_REGISTER_ASK:
    case STEP_REGISTER:
        ask_register(user);
        break;
    case STEP_CREATE:
        ask_create(user);
        break;
    case STEP_JOIN:
        if (user->places[0].view != VIEW_IN && !world->rooms[0].is_moderated[user->index]) {
            act_join(user, 0);
        } else {
            bool is_owner = user->index < world->n_rooms;
            user->step = is_owner ? STEP_CREATE : STEP_ACT;
            act_soon(user, 0, 10);
        }
        break;
    case STEP_ACT:
        if (world->is_settled && !all_are_in(world)) {
            act_soon(user, 20, 200);
            break;
        }
        if (user->acts_done >= world->acts_each) {
            user->step = STEP_DONE;
        } else if (!act_next(user)) {
            act_soon(user, 1, 300);
        }
        break;
    case STEP_DONE:
        break;
    }
}

static void act_soon(struct user *user, int64_t low_ms, int64_t high_ms)
{
    struct world *world = user->world;
    agenda_put(&world->agenda, world->now_ms + rng_between(&user->rng, low_ms, high_ms), act, user,
               0);
}

void user_goes_on(struct user *user)
{
    act_soon(user, 1, user->step == STEP_JOIN ? 800 : 300);
}

struct user *user_new(struct world *world, size_t index, struct station *node)
{
    struct user *user = base_alloc(sizeof(*user));
    user->world = world;
    user->index = index;
    user->node = node;
    rng_init(&user->rng, rng_next(&world->rng));
    lane_init(&user->act, user);
    lane_init(&user->read, user);
    lane_init(&user->glance, user);
    act_soon(user, 0, 300);
    return user;
}

void user_free(struct user *user)
{
    lane_release(&user->act);
    lane_release(&user->read);
    lane_release(&user->glance);
    for (size_t i = 0; i < WORLD_ROOMS_MAX; i++) {
        base_free(user->places[i].state);
    }
    base_free(user);
}

bool user_is_done(const struct user *user)
{
    return user->step == STEP_DONE && !user->act.is_busy;
}

void user_nudge(struct user *user, size_t room)
{
    if (user->said_n < SAID_MAX && !user->act.is_busy) {
        act_say(user, room);
    }
}

void user_describe(const struct user *user)
{
    static const char *const views[] = {"out", "invited", "in"};
    const struct world *world = user->world;
    printf("  user %zu %s: step %d, %d acts, %d said, since %s%s%s, rooms", user->index, user->id,
           (int)user->step, user->acts_done, user->said_n, user->since,
           user->act.is_busy ? ", acts" : "", user->read.is_busy ? ", reads" : "");
    for (size_t i = 0; i < world->n_rooms; i++) {
        printf(" %s", views[user->places[i].view]);
    }
    putchar('\n');
    if (user->act.is_busy) {
        struct str line = buf_str(&user->act.head), rest;
        str_cut(line, '\r', &line, &rest);
        printf("    asked at %lld: %.*s\n", (long long)user->act.asked_ms, STR_ARG(line));
    }
}

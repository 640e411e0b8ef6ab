/* What a user does, as rows: how often, how it is asked, what is made of the answer. A row that
 * cannot be done now says something instead. */
#include "test/sim/user.h"

#include "test/sim/station.h"

#include <stdio.h>
#include <string.h>

struct act {
    const char *name;
    unsigned weight;
    /* False: not now. user->doing_room, _target and _said are drawn; `a` lives until it returns. */
    bool (*ask)(struct user *user, struct arena *a);
    /* Of a 200; may be NULL. */
    void (*done)(struct user *user, const struct json *answer);
    bool may_be_refused; /* by 403 or 404 */
    bool asks_others;    /* who may not be there */
    bool moves;          /* somebody out of the room */
};

static struct place *place_of(struct user *user)
{
    return &user->places[user->doing_room];
}

static struct str room_id(const struct user *user)
{
    return str_of(user->world->rooms[user->doing_room].id);
}

static bool is_owner(const struct user *user)
{
    return user->index == user->doing_room;
}

/* Who may be thrown out: their messages at that time are taken by some servers and not by others.
 */
static bool is_troublemaker(const struct user *user)
{
    size_t nodes = user->world->n_nodes;
    return user->index >= user->world->n_rooms && (nodes == 1 || user->index / nodes == 1);
}

static void acted(struct user *user, int status, const struct json *answer, struct str body)
{
    const struct act *act = user->doing;
    bool is_refused = act->may_be_refused && (status == 403 || status == 404);
    bool is_absent = act->asks_others && status >= 502 && status <= 504;
    if (status == 200 && act->done != NULL) {
        act->done(user, answer);
    } else if (status != 200 && !is_refused && !is_absent) {
        user_unexpected(user, act->name, status, body);
    }
    if (!user->world->is_failed) {
        user_goes_on(user);
    }
}

static void ask_room(struct user *user, struct arena *a, const char *method, const char *what,
                     struct str body)
{
    lane_ask(&user->act, method, lane_path(a, "/rooms/", room_id(user), what), body, acted);
}

/* --- messages ------------------------------------------------------------------------------ */

static struct str said_text(struct arena *a, const struct user *user, int number)
{
    return arena_fmt(a, "u%zu m%d", user->index, number);
}

static void ask_said(struct user *user, struct arena *a, int number)
{
    const struct said *said = &user->said[number];
    struct str text = said_text(a, user, number), edit = STR("");
    user->doing_said = number;
    user->doing_room = said->room;
    if (said->is_edit) {
        const struct said *first = &user->said[0];
        edit = arena_fmt(a,
                         ",\"m.new_content\":{\"msgtype\":\"m.text\",\"body\":\"%.*s\"},"
                         "\"m.relates_to\":{\"rel_type\":\"m.replace\",\"event_id\":\"%s\"}",
                         STR_ARG(text), first->event_id);
    }
    struct str path = arena_fmt(a, "/send/m.room.message/t%d", number);
    ask_room(user, a, "PUT", path.p,
             arena_fmt(a, "{\"msgtype\":\"m.text\",\"body\":\"%.*s\"%.*s}", STR_ARG(text),
                       STR_ARG(edit)));
}

static void said_done(struct user *user, const struct json *answer)
{
    struct said *said = &user->said[user->doing_said];
    struct str id = json_get_text(answer, "event_id");
    if (said->is_acked && !str_eq(id, str_of(said->event_id))) {
        world_fail(user->world, "user %zu says message %d again and is told %.*s instead of %s",
                   user->index, user->doing_said, STR_ARG(id), said->event_id);
    } else if (!user_copy(said->event_id, sizeof(said->event_id), id)) {
        world_fail(user->world, "user %zu is told no event id", user->index);
    }
    said->is_acked = true;
}

/* Only who was thrown out may be told that he cannot speak. */
static void message_answered(struct user *user, int status, const struct json *answer,
                             struct str body)
{
    struct said *said = &user->said[user->doing_said];
    bool may_be_out = user->world->rooms[said->room].is_moderated[user->index] ||
                      user->places[said->room].view != VIEW_IN;
    if (status == 200) {
        said_done(user, answer);
    } else if (status == 403 && may_be_out) {
        said->is_refused = !said->is_acked;
    } else {
        user_unexpected(user, "a message", status, body);
    }
    if (!user->world->is_failed) {
        user_goes_on(user);
    }
}

static bool say(struct user *user, struct arena *a, size_t room, bool is_edit)
{
    if (user->said_n == SAID_MAX || user->places[room].view != VIEW_IN) {
        return false;
    }
    user->said[user->said_n] =
        (struct said){.room = room, .asked_ms = user->world->now_ms, .is_edit = is_edit};
    ask_said(user, a, user->said_n++);
    user->act.fn = message_answered;
    if (room == 0 && rng_one_in(&user->rng, 3)) { /* somebody at the same homeserver looks */
        act_glance(user->world->users[(user->index + user->world->n_nodes) % user->world->n_users]);
    }
    return true;
}

static bool ask_message(struct user *user, struct arena *a)
{
    return say(user, a, user->doing_room, false);
}

static bool ask_edit(struct user *user, struct arena *a)
{
    const struct said *first = &user->said[0];
    return user->said_n > 0 && first->is_acked && first->room == user->doing_room &&
           say(user, a, user->doing_room, true);
}

bool act_say(struct user *user, size_t room)
{
    struct arena *a = arena_new();
    bool says = say(user, a, room, false);
    arena_free(a);
    return says;
}

/* The same transaction id once more, under another request id: the answer was lost, say. */
static bool ask_again(struct user *user, struct arena *a)
{
    const struct said *said = &user->said[user->doing_said];
    if (user->doing_said >= user->said_n || !said->is_acked) {
        return false;
    }
    ask_said(user, a, user->doing_said);
    user->act.fn = message_answered;
    return true;
}

static bool ask_redact(struct user *user, struct arena *a)
{
    struct said *said = &user->said[user->doing_said];
    if (user->doing_said >= user->said_n || !said->is_acked || said->is_redaction_asked ||
        user->places[said->room].view != VIEW_IN) {
        return false;
    }
    said->is_redaction_asked = true;
    user->doing_room = said->room;
    struct str what = lane_path(a, "/redact/", str_of(said->event_id), "/r");
    what = arena_fmt(a, "%.*s%d", STR_ARG(what), user->doing_said);
    ask_room(user, a, "PUT", what.p, STR("{\"reason\":\"slip\"}"));
    return true;
}

static void redact_done(struct user *user, const struct json *answer)
{
    (void)answer;
    user->said[user->doing_said].is_redacted = true;
}

/* --- state --------------------------------------------------------------------------------- */

static bool ask_topic(struct user *user, struct arena *a)
{
    ask_room(user, a, "PUT", "/state/m.room.topic",
             arena_fmt(a, "{\"topic\":\"of u%zu, %d\"}", user->index, user->acts_done));
    return true;
}

static struct user *target_of(struct user *user)
{
    return user->world->users[user->doing_target];
}

static bool ask_power(struct user *user, struct arena *a)
{
    struct user *target = target_of(user);
    if (!is_owner(user) || target->id[0] == '\0' || target == user || is_troublemaker(target)) {
        return false;
    }
    ask_room(user, a, "PUT", "/state/m.room.power_levels",
             arena_fmt(a,
                       "{\"users\":{\"%s\":100,\"%s\":50},\"users_default\":0,\"events_default\":0,"
                       "\"state_default\":50,\"ban\":50,\"kick\":50,\"redact\":50,\"invite\":0}",
                       user->id, target->id));
    return true;
}

static bool ask_name(struct user *user, struct arena *a)
{
    lane_ask(&user->act, "PUT", lane_path(a, "/profile/", str_of(user->id), "/displayname"),
             arena_fmt(a, "{\"displayname\":\"U%zu the %dth\"}", user->index, user->acts_done),
             acted);
    return true;
}

/* --- membership ---------------------------------------------------------------------------- */

static bool ask_of_target(struct user *user, struct arena *a, const char *what)
{
    ask_room(user, a, "POST", what, arena_fmt(a, "{\"user_id\":\"%s\"}", target_of(user)->id));
    return true;
}

static bool ask_invite(struct user *user, struct arena *a)
{
    const struct user *target = target_of(user);
    return target->id[0] != '\0' && target != user &&
           target->places[user->doing_room].view != VIEW_IN && ask_of_target(user, a, "/invite");
}

static bool moderate(struct user *user, struct arena *a, const char *what)
{
    const struct user *target = target_of(user);
    for (size_t i = 0; i < user->world->n_users && !is_troublemaker(target); i++) {
        user->doing_target = (user->doing_target + 1) % user->world->n_users;
        target = target_of(user);
    }
    if (!is_owner(user) || target->id[0] == '\0' || !is_troublemaker(target)) {
        return false;
    }
    user->world->rooms[user->doing_room].is_moderated[target->index] = true;
    return ask_of_target(user, a, what);
}

static bool ask_kick(struct user *user, struct arena *a)
{
    return moderate(user, a, "/kick");
}

static bool ask_ban(struct user *user, struct arena *a)
{
    return moderate(user, a, "/ban");
}

static bool ask_unban(struct user *user, struct arena *a)
{
    return moderate(user, a, "/unban");
}

static bool ask_leave(struct user *user, struct arena *a)
{
    if (is_owner(user)) {
        return false;
    }
    ask_room(user, a, "POST", "/leave", STR("{}"));
    return true;
}

static void leave_done(struct user *user, const struct json *answer)
{
    struct place *place = place_of(user);
    (void)answer;
    place->view = VIEW_OUT;
    place->is_shut = true;
    place->shut_ms = user->world->now_ms;
    place->era++;
}

static bool ask_join(struct user *user, struct arena *a)
{
    const struct world *world = user->world;
    struct str where = room_id(user);
    if (user->doing_room == 0) {
        where = arena_fmt(a, "#sim:%.*s", STR_ARG(station_server_name(world->nodes[0])));
    }
    place_of(user)->is_joining = true;
    place_of(user)->is_shut = false;
    lane_ask(&user->act, "POST", lane_path(a, "/join/", where, ""), STR("{}"), acted);
    return true;
}

static void join_answered(struct user *user, int status, const struct json *answer, struct str body)
{
    struct place *place = place_of(user);
    place->is_joining = false;
    if (status == 200) {
        place->view = VIEW_IN;
        place->was_in = true;
        place->in_since_ms = user->world->now_ms;
        place->join_answered_ms = user->world->now_ms;
    }
    acted(user, status, answer, body);
}

static bool ask_letter(struct user *user, struct arena *a)
{
    const struct user *target = target_of(user);
    if (user->letters_n == LETTERS_MAX || target->id[0] == '\0') {
        return false;
    }
    user->letters[user->letters_n] = (struct letter){.to = user->doing_target};
    lane_ask(&user->act, "PUT", arena_fmt(a, "/sendToDevice/sim.letter/l%d", user->letters_n),
             arena_fmt(a, "{\"messages\":{\"%s\":{\"*\":{\"text\":\"u%zu m%d\"}}}}", target->id,
                       user->index, user->letters_n),
             acted);
    user->letters_n++;
    return true;
}

static void letter_done(struct user *user, const struct json *answer)
{
    (void)answer;
    user->letters[user->letters_n - 1].is_acked = true;
}

static void vain_answered(struct user *user, int status, const struct json *answer, struct str body)
{
    (void)answer;
    if (status != 400) {
        user_unexpected(user, "a room that cannot be", status, body);
    } else {
        user_goes_on(user);
    }
}

/* The creator takes the power from himself, so that the room cannot be finished: it never was. */
static bool ask_in_vain(struct user *user, struct arena *a)
{
    (void)a;
    lane_ask(&user->act, "POST", STR("/createRoom"),
             STR("{\"name\":\"never\",\"power_level_content_override\":{\"users\":{}}}"),
             vain_answered);
    return true;
}

/* --- reading ------------------------------------------------------------------------------- */

static bool ask_back(struct user *user, struct arena *a)
{
    if (!place_of(user)->was_in) {
        return false;
    }
    ask_room(user, a, "GET", "/messages?dir=b&limit=20", STR(""));
    return true;
}

static void check_events(struct user *user, size_t room, const struct json *events)
{
    for (struct json *e = json_first(events); e != NULL; e = json_next(e)) {
        struct str text = json_get_text(json_get_object(e, "content"), "body");
        struct str id = json_get_text(e, "event_id");
        size_t sender;
        int number;
        reader_check(user, room, text, id);
        if (reader_identify(user->world, text, &sender, &number)) {
            user_copy(user->glimpsed[sender][number], EVENT_ID, id);
        }
    }
}

static void glanced(struct user *user, int status, const struct json *answer, struct str body)
{
    if (status == 200) {
        check_events(user, 0, json_get_array(answer, "chunk"));
    } else if (status != 403) {
        user_unexpected(user, "a glance", status, body);
    }
}

static void glance(void *ctx, uint64_t word)
{
    struct user *user = ctx;
    (void)word;
    if (!user->glance.is_busy && user->places[0].view == VIEW_IN) {
        struct arena *a = arena_new();
        lane_ask(
            &user->glance, "GET",
            lane_path(a, "/rooms/", str_of(user->world->rooms[0].id), "/messages?dir=b&limit=5"),
            STR(""), glanced);
        arena_free(a);
    }
}

void act_glance(struct user *user)
{
    struct world *world = user->world;
    agenda_put(&world->agenda, world->now_ms + rng_between(&user->rng, 2, 25), glance, user, 0);
}

static void back_done(struct user *user, const struct json *answer)
{
    check_events(user, user->doing_room, json_get_array(answer, "chunk"));
}

/* From a token of long ago; the first time it is only put by. */
static bool ask_old(struct user *user, struct arena *a)
{
    if (user->old_since[0] == '\0') {
        memcpy(user->old_since, user->since, sizeof(user->since));
        return false;
    }
    lane_ask(&user->act, "GET", arena_fmt(a, "/sync?timeout=0&since=%s", user->old_since), STR(""),
             acted);
    return true;
}

static void old_done(struct user *user, const struct json *answer)
{
    const struct json *joined = json_get_object(json_get_object(answer, "rooms"), "join");
    for (size_t i = 0; i < user->world->n_rooms; i++) {
        const struct json *room = json_get_object(joined, user->world->rooms[i].id);
        check_events(user, i, json_get_array(json_get_object(room, "timeline"), "events"));
    }
}

static bool ask_receipt(struct user *user, struct arena *a)
{
    if (user->last_seen[0] == '\0' || user->places[user->last_seen_room].view != VIEW_IN) {
        return false;
    }
    user->doing_room = user->last_seen_room;
    struct str what = lane_path(a, "/receipt/m.read/", str_of(user->last_seen), "");
    ask_room(user, a, "POST", what.p, STR("{}"));
    return true;
}

static bool ask_typing(struct user *user, struct arena *a)
{
    struct str what = lane_path(a, "/typing/", str_of(user->id), "");
    ask_room(user, a, "PUT", what.p, STR("{\"typing\":true,\"timeout\":5000}"));
    return true;
}

/* --- the table ----------------------------------------------------------------------------- */

/* clang-format off */
static const struct act acts[] = {
    {"a message",      30, ask_message, NULL,        false, false, false}, /* the first: instead of others */
    {"an edit",         6, ask_edit,    NULL,        false, false, false},
    {"a repetition",    4, ask_again,   NULL,        false, false, false},
    {"a redaction",     4, ask_redact,  redact_done, true,  false, false},
    {"a topic",         3, ask_topic,   NULL,        true,  false, false},
    {"power levels",    2, ask_power,   NULL,        true,  false, false},
    {"a display name",  2, ask_name,    NULL,        false, false, false},
    {"a letter",        6, ask_letter,  letter_done, false, false, false},
    {"a vain room",     2, ask_in_vain, NULL,        false, false, false},
    {"an invitation",   5, ask_invite,  NULL,        true,  true, false},
    {"a kick",          6, ask_kick,    NULL,        true,  true, true},
    {"a ban",           2, ask_ban,     NULL,        true,  true, true},
    {"an unban",        3, ask_unban,   NULL,        true,  true, true},
    {"leaving",         3, ask_leave,   leave_done,  true,  true, true},
    {"paging back",     4, ask_back,    back_done,   true,  false, false},
    {"an old token",    4, ask_old,     old_done,    false, false, false},
    {"a receipt",       4, ask_receipt, NULL,        true,  false, false},
    {"typing",          4, ask_typing,  NULL,        true,  false, false},
};
/* clang-format on */
static const struct act joining = {"joining", 0, ask_join, NULL, true, true, false};

static const struct act *draw(struct rng *rng)
{
    unsigned sum = 0;
    for (size_t i = 0; i < COUNT_OF(acts); i++) {
        sum += acts[i].weight;
    }
    unsigned at = (unsigned)rng_below(rng, sum);
    size_t i = 0;
    while (at >= acts[i].weight) {
        at -= acts[i].weight;
        i++;
    }
    return &acts[i];
}

static void join(struct user *user, struct arena *a)
{
    user->doing = &joining;
    ask_join(user, a);
    user->act.fn = join_answered;
}

void act_join(struct user *user, size_t room)
{
    struct arena *a = arena_new();
    user->doing_room = room;
    join(user, a);
    arena_free(a);
}

bool act_next(struct user *user)
{
    struct world *world = user->world;
    size_t number = user->index * SCHEDULE_ACTS + (size_t)user->acts_done;
    const struct act *act = draw(&user->rng);
    size_t room = (size_t)rng_below(&user->rng, world->n_rooms);
    bool comes_back = rng_one_in(&user->rng, 2);
    user->doing_target = (size_t)rng_below(&user->rng, world->n_users);
    user->doing_said = (int)rng_below(&user->rng, (uint64_t)user->said_n + 1);
    user->acts_done++;
    if (!schedule_allows(&world->schedule, HAPPENS_ACT, number)) {
        return false;
    }
    if (user->places[room].view == VIEW_OUT) {
        room = 0;
    }
    user->doing_room = room;
    user->doing = act->moves && world->is_settled ? &acts[0] : act;
    act = user->doing;
    struct arena *a = arena_new();
    bool asks = true;
    world_trace(world, "user %zu wants %s in room %zu", user->index, act->name, room);
    if (user->places[room].view != VIEW_IN && comes_back) {
        join(user, a);
    } else if (user->places[room].view != VIEW_IN && act->ask != ask_back) {
        asks = false;
    } else if (!act->ask(user, a)) {
        user->doing = &acts[0];
        asks = ask_message(user, a);
    }
    arena_free(a);
    return asks;
}

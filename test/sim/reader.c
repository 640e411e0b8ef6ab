/* The lane that reads: /sync, and back over the gaps that it leaves. */
#include "test/sim/user.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SYNC_TIMEOUT_MS 3000

bool reader_identify(const struct world *world, struct str text, size_t *user, int *number)
{
    char copy[TEXT_MAX];
    unsigned u, m;
    if (!user_copy(copy, sizeof(copy), text) || sscanf(copy, "u%u m%u", &u, &m) != 2) {
        return false;
    }
    *user = u;
    *number = (int)m;
    return u < world->n_users && *number < world->users[u]->said_n;
}

bool said_is_contested(const struct world *world, size_t user, const struct said *said)
{
    return world->rooms[said->room].is_moderated[user];
}

void reader_check(struct user *user, size_t room, struct str text, struct str event_id)
{
    struct world *world = user->world;
    const struct place *place = &user->places[room];
    size_t sender;
    int number;
    if (text.n == 0 || !reader_identify(world, text, &sender, &number)) {
        return;
    }
    const struct said *said = &world->users[sender]->said[number];
    if (said->room != room || said->is_refused) {
        world_fail(world, "user %zu reads \"%.*s\" in room %zu, it was %s", user->index,
                   STR_ARG(text), room, said->is_refused ? "refused" : "said elsewhere");
    } else if (said->is_acked && !str_eq(event_id, str_of(said->event_id))) {
        world_fail(world, "user %zu reads \"%.*s\" as %.*s, it was acknowledged as %s", user->index,
                   STR_ARG(text), STR_ARG(event_id), said->event_id);
    } else if (place->is_shut && said->asked_ms > place->shut_ms) {
        world_fail(world, "user %zu is out of room %zu since %lld and reads \"%.*s\" of %lld",
                   user->index, room, (long long)place->shut_ms, STR_ARG(text),
                   (long long)said->asked_ms);
    }
}

/* Once each, and in the order of its sender. */
static void check_order(struct user *user, size_t room, size_t sender, int number, uint32_t era)
{
    struct world *world = user->world;
    const struct user *other = world->users[sender];
    if (other->said[number].asked_ms <= user->places[room].in_since_ms) {
        return; /* what was said before we came may have come here by any way */
    }
    for (int i = number + 1; i < other->said_n; i++) {
        const struct seen *later = &user->seen[sender][i];
        if (later->is_there && !later->is_history && later->era == era &&
            other->said[i].room == room) {
            world_fail(world, "user %zu reads message %d of user %zu after its message %d",
                       user->index, number, sender, i);
        }
    }
}

static void saw(struct user *user, size_t room, const struct json *event, bool is_history,
                uint32_t era)
{
    struct world *world = user->world;
    struct str text = json_get_text(json_get_object(event, "content"), "body");
    struct str id = json_get_text(event, "event_id");
    size_t sender;
    int number;
    reader_check(user, room, text, id);
    if (!reader_identify(world, text, &sender, &number)) {
        return;
    }
    world_trace(world, "user %zu reads \"%.*s\", %.*s%s", user->index, STR_ARG(text), STR_ARG(id),
                is_history ? ", in the history" : "");
    struct seen *seen = &user->seen[sender][number];
    if (seen->is_there && seen->era == era && !is_history) {
        world_fail(world, "user %zu reads message %d of user %zu twice: %s and %.*s", user->index,
                   number, sender, seen->event_id, STR_ARG(id));
    }
    if (!is_history) {
        check_order(user, room, sender, number, era);
    }
    *seen = (struct seen){true, is_history, era, ""};
    user_copy(seen->event_id, sizeof(seen->event_id), id);
    memcpy(user->last_seen, seen->event_id, sizeof(user->last_seen));
    user->last_seen_room = room;
}

static void told_member(struct user *user, size_t room, const struct json *event)
{
    const struct world *world = user->world;
    struct str membership = json_get_text(json_get_object(event, "content"), "membership");
    for (size_t i = 0; i < world->n_users; i++) {
        if (str_eq(json_get_text(event, "state_key"), str_of(world->users[i]->id))) {
            user->places[room].is_gone[i] =
                str_eq(membership, STR("leave")) || str_eq(membership, STR("ban"));
        }
    }
}

/* An event of a timeline or of a state, in order: what its sender may say follows from those
 * before, and it does not replace itself. */
static void check_sequence(struct user *user, size_t room, const struct json *event)
{
    struct world *world = user->world;
    struct str id = json_get_text(event, "event_id");
    struct str replaced = json_get_text(json_get_object(event, "unsigned"), "replaces_state");
    size_t sender;
    int number;
    if (str_eq(json_get_text(event, "type"), STR("m.room.member"))) {
        told_member(user, room, event);
    }
    if (replaced.n > 0 && str_eq(replaced, id)) {
        world_fail(world, "user %zu reads that %.*s replaces itself", user->index, STR_ARG(id));
    }
    if (reader_identify(world, json_get_text(json_get_object(event, "content"), "body"), &sender,
                        &number) &&
        user->places[room].is_gone[sender]) {
        world_fail(world, "user %zu reads message %d of user %zu, who is out of room %zu: %.*s",
                   user->index, number, sender, room, STR_ARG(id));
    }
}

static void check_sequences(struct user *user, size_t room, const struct json *told)
{
    static const char *const parts[] = {"state", "timeline"};
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        const struct json *events = json_get_array(json_get_object(told, parts[i]), "events");
        for (struct json *e = json_first(events); e != NULL; e = json_next(e)) {
            check_sequence(user, room, e);
        }
    }
}

/* --- back over gaps ------------------------------------------------------------------------ */

static void read_on(struct user *user);

static bool is_seen(const struct user *user, const struct json *event)
{
    size_t sender;
    int number;
    struct str text = json_get_text(json_get_object(event, "content"), "body");
    return reader_identify(user->world, text, &sender, &number) &&
           user->seen[sender][number].is_there;
}

static struct place *first_gap(struct user *user)
{
    for (size_t i = 0; i < user->world->n_rooms; i++) {
        if (user->places[i].gap[0] != '\0') {
            return &user->places[i];
        }
    }
    return NULL;
}

/* A page of what a sync left out; done when it meets something known, or the beginning. */
static void history_read(struct user *user, int status, const struct json *answer, struct str body)
{
    struct place *place = first_gap(user);
    size_t room = (size_t)(place - user->places);
    bool is_known = false;
    if (status == 403 &&
        (place->view != VIEW_IN || user->world->rooms[room].is_moderated[user->index])) {
        place->gap[0] = '\0';
    } else if (status != 200) {
        user_unexpected(user, "reading back", status, body);
        return;
    }
    for (struct json *e = json_first(json_get_array(answer, "chunk")); e != NULL;
         e = json_next(e)) {
        if (is_seen(user, e)) {
            is_known = true;
        } else {
            saw(user, room, e, true, user->places[room].asked_era);
        }
    }
    place->gap[0] = '\0';
    if (!is_known) {
        user_copy(place->gap, sizeof(place->gap), json_get_text(answer, "end"));
    }
    read_on(user);
}

static void ask_history(struct user *user, const struct place *place)
{
    struct arena *a = arena_new();
    size_t room = (size_t)(place - user->places);
    struct str path = lane_path(a, "/rooms/", str_of(user->world->rooms[room].id), "");
    path = arena_fmt(a, "%.*s/messages?dir=b&limit=50&from=%s", STR_ARG(path), place->gap);
    lane_ask(&user->read, "GET", path, STR(""), history_read);
    arena_free(a);
}

/* --- sync ---------------------------------------------------------------------------------- */

static bool room_find(const struct world *world, struct str id, size_t *room)
{
    for (size_t i = 0; i < world->n_rooms; i++) {
        if (str_eq(str_of(world->rooms[i].id), id)) {
            *room = i;
            return true;
        }
    }
    return false;
}

static void read_joined(struct user *user, size_t room, const struct json *told)
{
    struct place *place = &user->places[room];
    struct json *timeline = json_get_object(told, "timeline");
    check_sequences(user, room, told);
    if (json_get_bool(timeline, "limited", false)) {
        user_copy(place->gap, sizeof(place->gap), json_get_text(timeline, "prev_batch"));
    }
    for (struct json *e = json_first(json_get_array(timeline, "events")); e != NULL;
         e = json_next(e)) {
        saw(user, room, e, false, user->places[room].asked_era);
    }
}

static void goes_out(struct user *user, struct place *place)
{
    place->era += place->view == VIEW_IN;
    place->view = VIEW_OUT;
    place->gap[0] = '\0';
    place->is_shut = true;
    place->shut_ms = user->world->now_ms;
}

/* The server says that we are out; it knew of any join that was answered before we asked. */
static void read_left(struct user *user, size_t room, const struct json *told)
{
    struct place *place = &user->places[room];
    struct json *timeline = json_get_object(told, "timeline");
    for (struct json *e = json_first(json_get_array(timeline, "events")); e != NULL;
         e = json_next(e)) {
        saw(user, room, e, false, place->view == VIEW_IN ? place->era : place->era - 1);
    }
    if (place->is_joining || place->join_answered_ms >= user->read.asked_ms) {
        place->is_unsure = true;
    } else if (!place->is_shut) {
        goes_out(user, place);
    }
}

/* A room is made by one answered request, or not at all. */
static void read_unknown(struct user *user, struct str id)
{
    const struct world *world = user->world;
    bool is_known = true;
    for (size_t i = 0; i < world->n_rooms; i++) {
        is_known = is_known && world->rooms[i].id[0] != '\0';
    }
    if (is_known) {
        world_fail(user->world, "user %zu is in the room %.*s, which nobody made", user->index,
                   STR_ARG(id));
    }
}

static void read_letters(struct user *user, const struct json *events)
{
    struct world *world = user->world;
    for (struct json *e = json_first(events); e != NULL; e = json_next(e)) {
        char text[TEXT_MAX];
        unsigned u, n;
        if (!user_copy(text, sizeof(text), json_get_text(json_get_object(e, "content"), "text")) ||
            sscanf(text, "u%u m%u", &u, &n) != 2 || u >= world->n_users || n >= LETTERS_MAX) {
            continue;
        }
        if (user->has_letter[u][n] || world->users[u]->letters[n].to != user->index) {
            world_fail(world, "user %zu gets letter %u of user %u %s", user->index, n, u,
                       user->has_letter[u][n] ? "twice" : "that was to another");
        }
        user->has_letter[u][n] = true;
    }
}

static bool has_letters(const struct user *user, bool tell)
{
    const struct world *world = user->world;
    bool all = true;
    for (size_t u = 0; u < world->n_users; u++) {
        const struct user *other = world->users[u];
        for (int n = 0; n < other->letters_n; n++) {
            const struct letter *letter = &other->letters[n];
            if (letter->is_acked && letter->to == user->index && !user->has_letter[u][n]) {
                all = false;
                if (tell) {
                    printf("    has not got letter %d of user %zu\n", n, u);
                }
            }
        }
    }
    return all;
}

static void read_rooms(struct user *user, const struct json *rooms)
{
    size_t room;
    struct json *list = json_get_object(rooms, "join");
    for (struct json *r = json_first(list); r != NULL; r = json_next(r)) {
        if (room_find(user->world, json_key(r), &room)) {
            read_joined(user, room, r);
        } else {
            read_unknown(user, json_key(r));
        }
    }
    list = json_get_object(rooms, "leave");
    for (struct json *r = json_first(list); r != NULL; r = json_next(r)) {
        if (room_find(user->world, json_key(r), &room)) {
            read_left(user, room, r);
        }
    }
    list = json_get_object(rooms, "invite");
    for (struct json *r = json_first(list); r != NULL; r = json_next(r)) {
        if (room_find(user->world, json_key(r), &room) && user->places[room].view == VIEW_OUT) {
            user->places[room].view = VIEW_INVITED;
        }
    }
}

/* Stream tokens never go back: "s<position>_<epoch>". */
static void read_token(struct user *user, struct str token)
{
    struct str number, epoch;
    int64_t position = 0;
    if (!str_cut(str_from(token, 1), '_', &number, &epoch) || !str_to_i64(number, &position) ||
        !user_copy(user->since, sizeof(user->since), token)) {
        world_fail(user->world, "user %zu gets the sync token %.*s", user->index, STR_ARG(token));
    } else if (position < user->position) {
        world_fail(user->world, "user %zu is sent back from %lld to %lld", user->index,
                   (long long)user->position, (long long)position);
    }
    user->position = position;
}

static void synced(struct user *user, int status, const struct json *answer, struct str body)
{
    if (status != 200) {
        user_unexpected(user, "a sync", status, body);
        return;
    }
    read_token(user, json_get_text(answer, "next_batch"));
    read_letters(user, json_get_array(json_get_object(answer, "to_device"), "events"));
    read_rooms(user, json_get_object(answer, "rooms"));
    read_on(user);
}

static void rooms_told(struct user *user, int status, const struct json *answer, struct str body)
{
    if (status != 200) {
        user_unexpected(user, "the list of rooms", status, body);
        return;
    }
    const struct json *rooms = json_get_array(answer, "joined_rooms");
    for (size_t i = 0; i < user->world->n_rooms; i++) {
        struct place *place = &user->places[i];
        bool is_in = false;
        for (struct json *r = json_first(rooms); r != NULL; r = json_next(r)) {
            is_in = is_in || str_eq(json_text(r), str_of(user->world->rooms[i].id));
        }
        if (place->is_unsure && !place->is_joining &&
            place->join_answered_ms < user->read.asked_ms) {
            place->is_unsure = false;
            if (!is_in && !place->is_shut) {
                goes_out(user, place);
            }
        }
    }
    read_on(user);
}

static bool is_unsure(const struct user *user)
{
    bool unsure = false;
    for (size_t i = 0; i < user->world->n_rooms; i++) {
        unsure = unsure || (user->places[i].is_unsure && !user->places[i].is_joining);
    }
    return unsure;
}

static void read_on(struct user *user)
{
    const struct place *gap = first_gap(user);
    if (user->world->is_failed) {
        return;
    }
    for (size_t i = 0; i < user->world->n_rooms; i++) {
        user->places[i].asked_era = user->places[i].era;
    }
    if (gap != NULL) {
        ask_history(user, gap);
        return;
    }
    if (is_unsure(user)) {
        lane_ask(&user->read, "GET", STR("/joined_rooms"), STR(""), rooms_told);
        return;
    }
    struct arena *a = arena_new();
    struct str since = STR("");
    if (user->since[0] != '\0') {
        since = arena_fmt(a, "&since=%s", user->since);
    }
    lane_ask(&user->read, "GET",
             arena_fmt(a,
                       "/sync?timeout=%d&filter=%%7B%%22room%%22%%3A%%7B%%22timeline%%22%%3A%%7B"
                       "%%22limit%%22%%3A%d%%7D%%7D%%7D%.*s",
                       SYNC_TIMEOUT_MS, user->index % 3 == 0 ? 5 : 100, STR_ARG(since)),
             STR(""), synced);
    arena_free(a);
}

void reader_start(struct user *user)
{
    read_on(user);
}

bool reader_has_all(const struct user *user, bool tell)
{
    const struct world *world = user->world;
    bool all = has_letters(user, tell);
    for (size_t u = 0; u < world->n_users; u++) {
        const struct user *other = world->users[u];
        for (int m = 0; m < other->said_n; m++) {
            const struct said *said = &other->said[m];
            const struct place *place = &user->places[said->room];
            bool is_due = said->is_acked && !said->is_redaction_asked &&
                          !said_is_contested(world, u, said) && place->view == VIEW_IN &&
                          said->asked_ms > place->in_since_ms;
            if (is_due && !user->seen[u][m].is_there) {
                all = false;
                if (tell) {
                    printf("    has not read message %d of user %zu in room %zu, of %lld: %s\n", m,
                           u, said->room, (long long)said->asked_ms, said->event_id);
                }
            }
        }
    }
    return all;
}

/* The last look: everything said in a room, from its end to its beginning, and its state. */
#include "test/sim/user.h"

#include "base/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void next_room(struct user *user);

static bool find_by_id(const struct world *world, size_t room, struct str id, size_t *sender,
                       int *number)
{
    for (size_t u = 0; u < world->n_users; u++) {
        const struct user *other = world->users[u];
        for (int m = 0; m < other->said_n; m++) {
            if (other->said[m].room == room && str_eq(str_of(other->said[m].event_id), id)) {
                *sender = u;
                *number = m;
                return true;
            }
        }
    }
    return false;
}

static void find(struct user *user, size_t room, const struct json *event)
{
    struct world *world = user->world;
    struct str text = json_get_text(json_get_object(event, "content"), "body");
    struct str id = json_get_text(event, "event_id");
    size_t sender;
    int number;
    reader_check(user, room, text, id);
    bool is_ours = text.n > 0 ? reader_identify(world, text, &sender, &number)
                              : find_by_id(world, room, id, &sender, &number);
    if (!is_ours) {
        return;
    }
    const struct said *said = &world->users[sender]->said[number];
    if (text.n == 0 && !said->is_redaction_asked) {
        world_fail(world, "user %zu finds message %d of user %zu redacted, nobody asked for it",
                   user->index, number, sender);
    } else if (text.n > 0 && said->is_redacted && !said_is_contested(world, sender, said)) {
        world_trace(world, "user %zu finds message %d of user %zu, which is redacted", user->index,
                    number, sender);
        return; /* not found in the form that it should have: looked at again */
    }
    const struct seen *seen = &user->seen[sender][number];
    if (seen->is_there && !str_eq(str_of(seen->event_id), id)) {
        world_fail(world, "user %zu finds message %d of user %zu as %.*s, it was %s once",
                   user->index, number, sender, STR_ARG(id), seen->event_id);
    }
    const char *glimpsed = user->glimpsed[sender][number];
    if (glimpsed[0] != '\0' && !str_eq(str_of(glimpsed), id)) {
        world_fail(world, "user %zu finds message %d of user %zu as %.*s, it glimpsed %s",
                   user->index, number, sender, STR_ARG(id), glimpsed);
    }
    if (user->found[sender][number]++ > 0) {
        world_fail(world, "user %zu finds message %d of user %zu twice", user->index, number,
                   sender);
    }
}

/* --- state --------------------------------------------------------------------------------- */

static int text_order(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static void state_told(struct user *user, int status, const struct json *answer, struct str body)
{
    struct place *place = &user->places[user->doing_room];
    struct arena *a = arena_new();
    struct buf text;
    size_t n = 0;
    struct str *lines = arena_array(a, json_count(answer) + 1, sizeof(*lines));
    if (status != 200 && status != 403) {
        user_unexpected(user, "the state of a room", status, body);
    }
    for (struct json *e = json_first(answer); status == 200 && e != NULL; e = json_next(e)) {
        struct buf content;
        buf_init_in(&content, a, EVENT_SIZE_MAX);
        json_write(&content, json_get_object(e, "content"));
        lines[n++] = arena_fmt(a, "%.*s \"%.*s\" %.*s %.*s", STR_ARG(json_get_text(e, "type")),
                               STR_ARG(json_get_text(e, "state_key")),
                               STR_ARG(json_get_text(e, "event_id")), STR_ARG(buf_str(&content)));
    }
    qsort(lines, n, sizeof(*lines), text_order);
    buf_init(&text, HTTP_ANSWER_MAX);
    for (size_t i = 0; i < n; i++) {
        buf_add(&text, lines[i]);
        buf_add_char(&text, '\n');
    }
    base_free(place->state);
    place->state = base_alloc(text.n + 1);
    memcpy(place->state, text.n > 0 ? text.p : (const unsigned char *)"", text.n);
    place->is_audited = true;
    buf_release(&text);
    arena_free(a);
    next_room(user);
}

/* --- history ------------------------------------------------------------------------------- */

static void ask_page(struct user *user, struct str from);

static void page_told(struct user *user, int status, const struct json *answer, struct str body)
{
    size_t room = user->doing_room;
    if (status != 200) {
        /* Out of it since a moment ago: /sync will tell. */
        world_trace(user->world, "user %zu cannot look: %d %.*s", user->index, status,
                    (int)(body.n < 100 ? body.n : 100), body.p);
        user->places[room].is_audited = true;
        next_room(user);
        return;
    }
    for (struct json *e = json_first(json_get_array(answer, "chunk")); e != NULL;
         e = json_next(e)) {
        find(user, room, e);
    }
    struct str end = json_get_text(answer, "end");
    if (end.n > 0) {
        ask_page(user, end);
        return;
    }
    struct arena *a = arena_new();
    lane_ask(&user->act, "GET",
             lane_path(a, "/rooms/", str_of(user->world->rooms[room].id), "/state"), STR(""),
             state_told);
    arena_free(a);
}

static void ask_page(struct user *user, struct str from)
{
    struct arena *a = arena_new();
    struct str path = lane_path(a, "/rooms/", str_of(user->world->rooms[user->doing_room].id), "");
    path = arena_fmt(a, "%.*s/messages?dir=b&limit=100%s%.*s", STR_ARG(path),
                     from.n > 0 ? "&from=" : "", STR_ARG(from));
    lane_ask(&user->act, "GET", path, STR(""), page_told);
    arena_free(a);
}

static void next_room(struct user *user)
{
    const struct world *world = user->world;
    if (world->is_failed) {
        return;
    }
    for (size_t i = 0; i < world->n_rooms; i++) {
        if (user->places[i].view == VIEW_IN && !user->places[i].is_audited) {
            user->doing_room = i;
            ask_page(user, STR(""));
            return;
        }
    }
}

void audit_start(struct user *user)
{
    memset(user->found, 0, sizeof(user->found));
    for (size_t i = 0; i < user->world->n_rooms; i++) {
        user->places[i].is_audited = false;
        base_free(user->places[i].state);
        user->places[i].state = NULL;
    }
    next_room(user);
}

bool audit_is_over(const struct user *user)
{
    for (size_t i = 0; i < user->world->n_rooms; i++) {
        if (user->places[i].view == VIEW_IN && !user->places[i].is_audited) {
            return false;
        }
    }
    return !user->act.is_busy;
}

bool audit_finds(const struct user *user, bool tell)
{
    const struct world *world = user->world;
    bool all = true;
    for (size_t u = 0; u < world->n_users; u++) {
        const struct user *other = world->users[u];
        for (int m = 0; m < other->said_n; m++) {
            const struct said *said = &other->said[m];
            /* What was answered, and what this one has read, answered or not. */
            bool is_due = (said->is_acked || user->seen[u][m].is_there) &&
                          !said_is_contested(world, u, said) &&
                          user->places[said->room].view == VIEW_IN;
            if (is_due && user->found[u][m] == 0) {
                all = false;
                if (tell) {
                    printf("    misses message %d of user %zu in room %zu, of %lld: %s\n", m, u,
                           said->room, (long long)said->asked_ms, said->event_id);
                }
            }
        }
    }
    return all;
}

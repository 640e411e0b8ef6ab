/* Two lanes, each with one request open at most: one acts, the other syncs. */
#include "test/sim/user.h"

#include "base/limits.h"
#include "test/sim/station.h"
#include "json/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEEN_MAX 1024
#define TEXT_MAX 32
#define SYNC_TIMEOUT_MS 3000

enum step {
    STEP_REGISTER_ASK,
    STEP_REGISTER,
    STEP_CREATE,
    STEP_JOIN,
    STEP_WAIT, /* until all have joined */
    STEP_SEND,
    STEP_DONE,
    STEP_STATE,
};

struct seen {
    char text[TEXT_MAX], event_id[80];
    bool is_history; /* read back over a gap: its place among the others says nothing */
};

struct lane {
    struct user *user;
    void (*answered)(struct user *user, int status, struct str body);
    struct buf head, body;
    bool is_busy;
};

struct user {
    struct world *world;
    struct station *node;
    size_t index;
    struct rng rng;
    enum step step;
    struct lane act, read;
    uint64_t request_serial;
    char token[128], session[128], id[320], since[128];
    char gap[160];    /* where to read back from; empty: no gap */
    int64_t position; /* of since */
    int sent;         /* messages acknowledged */
    struct seen acked[SEEN_MAX], seen[SEEN_MAX];
    size_t n_seen;
    char *state;
    struct str state_text;
};

/* --- requests ------------------------------------------------------------------------------ */

static void lane_answered(void *ctx, int status, struct str body);

static void lane_go(void *ctx, uint64_t word)
{
    struct lane *lane = ctx;
    (void)word;
    station_request(lane->user->node, buf_str(&lane->head), buf_str(&lane->body), lane_answered,
                    lane);
}

static bool is_full(int status, struct str body)
{
    return status == 403 && strstr(body.p, "M_RESOURCE_LIMIT_EXCEEDED") != NULL;
}

/* A connection that broke says nothing about what happened: ask again, word for word. */
static void lane_answered(void *ctx, int status, struct str body)
{
    struct lane *lane = ctx;
    struct user *user = lane->user;
    struct world *world = user->world;
    world_trace(world, "user %zu is answered %d", user->index, status);
    if (status == 0 || is_full(status, body)) {
        agenda_put(&world->agenda, world->now_ms + rng_between(&user->rng, 10, 200), lane_go, lane,
                   0);
        return;
    }
    lane->is_busy = false;
    lane->answered(user, status, body);
}

static void lane_ask(struct lane *lane, const char *method, struct str path, struct str body)
{
    struct user *user = lane->user;
    assert(!lane->is_busy);
    lane->is_busy = true;
    buf_clear(&lane->head);
    buf_clear(&lane->body);
    buf_add(&lane->body, body);
    buf_add_fmt(&lane->head, "%s /_matrix/client/v3%.*s HTTP/1.1\r\nhost: sim\r\n", method,
                STR_ARG(path));
    if (user->token[0] != '\0') {
        buf_add_fmt(&lane->head, "authorization: Bearer %s\r\n", user->token);
    }
    if (strcmp(method, "GET") != 0) {
        buf_add_fmt(&lane->head, "neurite-request-id: u%zu-%" PRIu64 "\r\n", user->index,
                    user->request_serial++);
        buf_add_fmt(&lane->head, "content-type: application/json\r\ncontent-length: %zu\r\n",
                    body.n);
    }
    buf_add(&lane->head, STR("\r\n"));
    lane_go(lane, 0);
}

static void lane_init(struct lane *lane, struct user *user,
                      void (*answered)(struct user *user, int status, struct str body))
{
    *lane = (struct lane){.user = user, .answered = answered};
    buf_init(&lane->head, HTTP_HEAD_MAX);
    buf_init(&lane->body, HTTP_BODY_MAX);
}

static void escape(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        bool is_plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                        (c >= 'a' && c <= 'z') || c == '-' || c == '.' || c == '_';
        buf_add_fmt(out, is_plain ? "%c" : "%%%02X", (unsigned char)c);
    }
}

/* --- acting -------------------------------------------------------------------------------- */

static void message_text(char *out, size_t user, int number)
{
    snprintf(out, TEXT_MAX, "u%zu m%d", user, number);
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
                       user->index, STR_ARG(auth)));
    arena_free(a);
}

static void ask_join(struct user *user)
{
    struct buf path;
    buf_init(&path, 1024);
    buf_add(&path, STR("/join/"));
    escape(&path, STR("#sim:"));
    escape(&path, station_server_name(user->world->nodes[0]));
    lane_ask(&user->act, "POST", buf_str(&path), STR("{}"));
    buf_release(&path);
}

static void ask_send(struct user *user)
{
    struct buf path;
    char text[TEXT_MAX];
    struct arena *a = arena_new();
    message_text(text, user->index, user->sent);
    buf_init(&path, 1024);
    buf_add(&path, STR("/rooms/"));
    escape(&path, str_of(user->world->room));
    buf_add_fmt(&path, "/send/m.room.message/t%d", user->sent);
    lane_ask(&user->act, "PUT", buf_str(&path),
             arena_fmt(a, "{\"msgtype\":\"m.text\",\"body\":\"%s\"}", text));
    buf_release(&path);
    arena_free(a);
}

static void ask_state(struct user *user)
{
    struct buf path;
    buf_init(&path, 1024);
    buf_add(&path, STR("/rooms/"));
    escape(&path, str_of(user->world->room));
    buf_add(&path, STR("/state"));
    lane_ask(&user->act, "GET", buf_str(&path), STR(""));
    buf_release(&path);
}

static bool all_joined(const struct world *world)
{
    for (size_t i = 0; i < world->n_users; i++) {
        if (!user_is_joined(world->users[i])) {
            return false;
        }
    }
    return true;
}

static void act_soon(struct user *user, int64_t low_ms, int64_t high_ms);

static void act(void *ctx, uint64_t word)
{
    struct user *user = ctx;
    (void)word;
    switch (user->step) {
    case STEP_REGISTER_ASK:
    case STEP_REGISTER:
        ask_register(user);
        break;
    case STEP_CREATE:
        lane_ask(&user->act, "POST", STR("/createRoom"),
                 STR("{\"preset\":\"public_chat\",\"room_alias_name\":\"sim\",\"name\":\"Sim\"}"));
        break;
    case STEP_JOIN:
        ask_join(user);
        break;
    case STEP_WAIT:
        user->step = all_joined(user->world) ? STEP_SEND : STEP_WAIT;
        act_soon(user, 20, 200);
        break;
    case STEP_SEND:
        ask_send(user);
        break;
    case STEP_STATE:
        ask_state(user);
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

static void read_on(struct user *user);

static bool copy_text(char *out, size_t size, struct str text)
{
    if (text.n == 0 || text.n >= size) {
        return false;
    }
    memcpy(out, text.p, text.n);
    out[text.n] = '\0';
    return true;
}

static void unexpected(struct user *user, const char *what, int status, struct str body)
{
    world_fail(user->world, "user %zu: %s is answered %d %.*s", user->index, what, status,
               (int)(body.n < 300 ? body.n : 300), body.p);
}

static void registered(struct user *user, int status, const struct json *answer, struct str body)
{
    if (user->step == STEP_REGISTER_ASK) {
        if (status != 401 ||
            !copy_text(user->session, sizeof(user->session), json_get_text(answer, "session"))) {
            unexpected(user, "registration", status, body);
        }
        user->step = STEP_REGISTER;
    } else if (status == 401) {
        /* The server died between the stages and has forgotten the session. */
        copy_text(user->session, sizeof(user->session), json_get_text(answer, "session"));
    } else if (status == 200 &&
               copy_text(user->token, sizeof(user->token), json_get_text(answer, "access_token")) &&
               copy_text(user->id, sizeof(user->id), json_get_text(answer, "user_id"))) {
        user->step = user->index == 0 ? STEP_CREATE : STEP_JOIN;
        read_on(user);
    } else {
        unexpected(user, "registration", status, body);
    }
}

static void message_acked(struct user *user, const struct json *answer)
{
    struct seen *acked = &user->acked[user->sent];
    message_text(acked->text, user->index, user->sent);
    copy_text(acked->event_id, sizeof(acked->event_id), json_get_text(answer, "event_id"));
    user->sent++;
    if (user->sent == user->world->messages_each) {
        user->step = STEP_DONE;
    }
}

static int text_order(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static void state_told(struct user *user, struct arena *a, const struct json *answer)
{
    struct buf text;
    size_t n = 0;
    struct str *ids = arena_array(a, json_count(answer) + 1, sizeof(*ids));
    for (struct json *e = json_first(answer); e != NULL; e = json_next(e)) {
        ids[n++] = json_get_text(e, "event_id");
    }
    qsort(ids, n, sizeof(*ids), text_order);
    buf_init(&text, HTTP_ANSWER_MAX);
    for (size_t i = 0; i < n; i++) {
        buf_add(&text, ids[i]);
        buf_add_char(&text, '\n');
    }
    base_free(user->state);
    user->state = base_alloc(text.n + 1);
    memcpy(user->state, text.p, text.n);
    user->state_text = str_make(user->state, text.n);
    buf_release(&text);
    user->step = STEP_DONE;
}

static void acted(struct user *user, int status, struct str body)
{
    struct arena *a = arena_new();
    struct json *answer = NULL;
    if (json_parse(a, body, &answer, NULL) != ERR_NONE) {
        unexpected(user, "a request", status, body);
    } else if (user->step == STEP_REGISTER_ASK || user->step == STEP_REGISTER) {
        registered(user, status, answer, body);
    } else if (user->step == STEP_CREATE && status == 200) {
        copy_text(user->world->room, sizeof(user->world->room), json_get_text(answer, "room_id"));
        user->step = STEP_WAIT;
    } else if (user->step == STEP_JOIN) {
        /* The room may not be there yet, or its homeserver be down: try again later. */
        user->step = status == 200 ? STEP_WAIT : STEP_JOIN;
    } else if (user->step == STEP_SEND && status == 200) {
        message_acked(user, answer);
    } else if (user->step == STEP_STATE && status == 200) {
        state_told(user, a, answer);
    } else {
        unexpected(user, user->step == STEP_SEND ? "a message" : "a request", status, body);
    }
    arena_free(a);
    if (user->step != STEP_DONE && !user->world->is_failed) {
        act_soon(user, 1, user->step == STEP_JOIN ? 800 : 300);
    }
}

/* --- reading ------------------------------------------------------------------------------- */

static void ask_history(struct user *user)
{
    struct buf path;
    buf_init(&path, 1024);
    buf_add(&path, STR("/rooms/"));
    escape(&path, str_of(user->world->room));
    buf_add(&path, STR("/messages?dir=b&limit=50&from="));
    escape(&path, str_of(user->gap));
    lane_ask(&user->read, "GET", buf_str(&path), STR(""));
    buf_release(&path);
}

static void read_on(struct user *user)
{
    struct arena *a = arena_new();
    struct str since = STR("");
    if (user->since[0] != '\0') {
        since = arena_fmt(a, "&since=%s", user->since);
    }
    lane_ask(&user->read, "GET",
             arena_fmt(a,
                       "/sync?timeout=%d&filter=%%7B%%22room%%22%%3A%%7B%%22timeline%%22%%3A%%7B"
                       "%%22limit%%22%%3A100%%7D%%7D%%7D%.*s",
                       SYNC_TIMEOUT_MS, STR_ARG(since)),
             STR(""));
    arena_free(a);
}

static int number_of(const char *text)
{
    const char *m = strchr(text, 'm');
    return m == NULL ? -1 : (int)strtol(m + 1, NULL, 10);
}

static bool is_seen(const struct user *user, struct str event_id)
{
    for (size_t i = 0; i < user->n_seen; i++) {
        if (str_eq(str_of(user->seen[i].event_id), event_id)) {
            return true;
        }
    }
    return false;
}

/* Once each, and in the order of its sender. */
static void saw(struct user *user, struct str text, struct str event_id, bool is_history)
{
    struct seen *new = &user->seen[user->n_seen];
    size_t sender_n = 0;
    if (user->n_seen == SEEN_MAX || !copy_text(new->text, TEXT_MAX, text) ||
        !copy_text(new->event_id, sizeof(new->event_id), event_id)) {
        world_fail(user->world, "user %zu sees a strange message", user->index);
        return;
    }
    new->is_history = is_history;
    str_find(text, ' ', &sender_n);
    for (size_t i = 0; i < user->n_seen; i++) {
        const struct seen *old = &user->seen[i];
        if (strcmp(old->event_id, new->event_id) == 0 || strcmp(old->text, new->text) == 0) {
            world_fail(user->world, "user %zu sees \"%s\" twice: %s and %s", user->index, new->text,
                       old->event_id, new->event_id);
        } else if (strncmp(old->text, new->text, sender_n + 1) == 0 && !is_history &&
                   !old->is_history && number_of(old->text) > number_of(new->text)) {
            world_fail(user->world, "user %zu sees \"%s\" after \"%s\"", user->index, new->text,
                       old->text);
        }
    }
    user->n_seen++;
}

static void read_room(struct user *user, const struct json *room)
{
    struct json *timeline = json_get_object(room, "timeline");
    if (json_get_bool(timeline, "limited", false)) {
        copy_text(user->gap, sizeof(user->gap), json_get_text(timeline, "prev_batch"));
    }
    for (struct json *e = json_first(json_get_array(timeline, "events")); e != NULL;
         e = json_next(e)) {
        if (str_eq(json_get_text(e, "type"), STR("m.room.message"))) {
            saw(user, json_get_text(json_get_object(e, "content"), "body"),
                json_get_text(e, "event_id"), false);
        }
    }
}

/* Stream tokens never go back: "s<position>_<epoch>". */
static void read_token(struct user *user, struct str token)
{
    struct str number, epoch;
    int64_t position = 0;
    if (!str_cut(str_from(token, 1), '_', &number, &epoch) || !str_to_i64(number, &position) ||
        !copy_text(user->since, sizeof(user->since), token)) {
        world_fail(user->world, "user %zu gets the sync token %.*s", user->index, STR_ARG(token));
    } else if (position < user->position) {
        world_fail(user->world, "user %zu is sent back from %lld to %lld", user->index,
                   (long long)user->position, (long long)position);
    }
    user->position = position;
}

/* A page of what a sync left out; done when it meets something known, or the beginning. */
static void read_history(struct user *user, const struct json *answer)
{
    bool is_known = false;
    for (struct json *e = json_first(json_get_array(answer, "chunk")); e != NULL;
         e = json_next(e)) {
        if (!str_eq(json_get_text(e, "type"), STR("m.room.message"))) {
            continue;
        }
        struct str id = json_get_text(e, "event_id");
        is_known = is_known || is_seen(user, id);
        if (!is_seen(user, id)) {
            saw(user, json_get_text(json_get_object(e, "content"), "body"), id, true);
        }
    }
    user->gap[0] = '\0';
    if (!is_known) {
        copy_text(user->gap, sizeof(user->gap), json_get_text(answer, "end"));
    }
}

static void has_read(struct user *user, int status, struct str body)
{
    struct arena *a = arena_new();
    struct json *answer = NULL;
    if (status != 200 || json_parse(a, body, &answer, NULL) != ERR_NONE) {
        unexpected(user, "reading", status, body);
    } else if (user->gap[0] != '\0') {
        read_history(user, answer);
    } else {
        read_token(user, json_get_text(answer, "next_batch"));
        struct json *rooms = json_get_object(json_get_object(answer, "rooms"), "join");
        for (struct json *room = json_first(rooms); room != NULL; room = json_next(room)) {
            read_room(user, room);
        }
    }
    arena_free(a);
    if (!user->world->is_failed && user->gap[0] != '\0') {
        ask_history(user);
    } else if (!user->world->is_failed) {
        read_on(user);
    }
}

/* --- from outside -------------------------------------------------------------------------- */

struct user *user_new(struct world *world, size_t index, struct station *node)
{
    struct user *user = base_alloc(sizeof(*user));
    user->world = world;
    user->index = index;
    user->node = node;
    rng_init(&user->rng, rng_next(&world->rng));
    lane_init(&user->act, user, acted);
    lane_init(&user->read, user, has_read);
    act_soon(user, 0, 300);
    return user;
}

void user_free(struct user *user)
{
    buf_release(&user->act.head);
    buf_release(&user->act.body);
    buf_release(&user->read.head);
    buf_release(&user->read.body);
    base_free(user->state);
    base_free(user);
}

bool user_is_joined(const struct user *user)
{
    return user->step >= STEP_WAIT;
}

bool user_has_spoken(const struct user *user)
{
    return user->sent == user->world->messages_each;
}

static bool has_seen(const struct user *user, const struct seen *acked)
{
    for (size_t i = 0; i < user->n_seen; i++) {
        if (strcmp(user->seen[i].text, acked->text) == 0) {
            if (strcmp(user->seen[i].event_id, acked->event_id) != 0) {
                world_fail(user->world, "user %zu sees \"%s\" as %s, it was acknowledged as %s",
                           user->index, acked->text, user->seen[i].event_id, acked->event_id);
            }
            return true;
        }
    }
    return false;
}

bool user_has_read(const struct user *user)
{
    const struct world *world = user->world;
    for (size_t i = 0; i < world->n_users; i++) {
        const struct user *other = world->users[i];
        for (int m = 0; m < other->sent; m++) {
            if (!has_seen(user, &other->acked[m])) {
                return false;
            }
        }
    }
    return true;
}

static bool has_text(const struct user *user, const char *text)
{
    for (size_t i = 0; i < user->n_seen; i++) {
        if (strcmp(user->seen[i].text, text) == 0) {
            return true;
        }
    }
    return false;
}

void user_describe(const struct user *user)
{
    const struct world *world = user->world;
    printf("  user %zu %s: step %d, %d acknowledged, %zu seen, since %s, acts %d, reads %d\n",
           user->index, user->id, (int)user->step, user->sent, user->n_seen, user->since,
           user->act.is_busy, user->read.is_busy);
    for (size_t i = 0; i < world->n_users; i++) {
        const struct user *other = world->users[i];
        for (int m = 0; m < other->sent; m++) {
            if (!has_text(user, other->acked[m].text)) {
                printf("    misses \"%s\" %s\n", other->acked[m].text, other->acked[m].event_id);
            }
        }
    }
}

void user_ask_state(struct user *user)
{
    user->step = STEP_STATE;
    user->state_text = STR_ABSENT;
    act_soon(user, 0, 10);
}

struct str user_state(const struct user *user)
{
    return user->state_text;
}

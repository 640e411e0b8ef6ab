/* Typing notices. A notice is not worth a row: what a rollback leaves here is at worst a notice too
 * many, and it ends by itself. */
#include "engine/typing.h"

#include "engine/current.h"
#include "engine/edu_in.h"
#include "engine/publish.h"
#include "event/mxid.h"

#include <string.h>

struct typist {
    int64_t user, until_ms;
};

struct typing_room {
    int64_t room, position;
    struct typist users[TYPING_USERS_MAX];
    size_t n;
};

struct typing {
    struct typing_room *rooms[TYPING_ROOMS_MAX]; /* in order of first notice */
    size_t n;
};

struct typing *typing_new(void)
{
    return base_alloc(sizeof(struct typing));
}

void typing_free(struct typing *typing)
{
    for (size_t i = 0; typing != NULL && i < typing->n; i++) {
        base_free(typing->rooms[i]);
    }
    base_free(typing);
}

static struct typing_room *find(const struct hs *hs, int64_t room)
{
    const struct typing *t = hs->typing;
    for (size_t i = 0; i < t->n; i++) {
        if (t->rooms[i]->room == room) {
            return t->rooms[i];
        }
    }
    return NULL;
}

/* A room nobody types in gives its place away; NULL: all are busy. */
static struct typing_room *make(struct hs *hs, int64_t room)
{
    struct typing *t = hs->typing;
    struct typing_room *r = NULL;
    if (t->n < TYPING_ROOMS_MAX) {
        r = base_alloc(sizeof(*r));
        r->room = room;
        t->rooms[t->n] = r;
        t->n++;
        return r;
    }
    for (size_t i = 0; i < t->n; i++) {
        r = t->rooms[i];
        if (r->n == 0) {
            *r = (struct typing_room){.room = room};
            return r;
        }
    }
    return NULL;
}

static void drop(struct typing_room *r, size_t i)
{
    r->n--;
    memmove(&r->users[i], &r->users[i + 1], (r->n - i) * sizeof(r->users[0]));
}

/* *changed: somebody else types now than before. */
static void put(struct hs *hs, struct typing_room *r, int64_t user, int64_t until_ms, bool *changed)
{
    size_t i = 0;
    while (i < r->n && r->users[i].user != user) {
        i++;
    }
    *changed = until_ms > hs->now.mono_ms ? i == r->n && i < TYPING_USERS_MAX : i < r->n;
    if (until_ms <= hs->now.mono_ms) {
        if (i < r->n) {
            drop(r, i);
        }
        return;
    }
    if (i < r->n) {
        r->users[i].until_ms = until_ms;
    } else if (i < TYPING_USERS_MAX) {
        r->users[i] = (struct typist){user, until_ms};
        r->n++;
    }
}

static enum err tell(struct hs *hs, struct typing_room *r)
{
    struct room *room;
    TRY(room_get(hs, r->room, &room));
    TRY(store_position_next(hs->store, &r->position));
    TRY(room_touch(hs, room, r->position));
    return publish_room_news(hs, r->room);
}

enum err typing_set(struct hs *hs, struct room *room, int64_t user, bool is_typing,
                    int64_t timeout_ms)
{
    struct typing_room *r = find(hs, room->nid);
    bool changed;
    timeout_ms = timeout_ms < TYPING_TIMEOUT_MAX_MS ? timeout_ms : TYPING_TIMEOUT_MAX_MS;
    if (r == NULL && is_typing) {
        r = make(hs, room->nid);
    }
    if (r == NULL) {
        return ERR_NONE;
    }
    put(hs, r, user, is_typing ? hs->now.mono_ms + timeout_ms : 0, &changed);
    return changed ? tell(hs, r) : ERR_NONE;
}

int64_t typing_position(const struct hs *hs, int64_t room)
{
    const struct typing_room *r = find(hs, room);
    int64_t newest = store_position(hs->store); /* less, when the change was rolled back */
    int64_t position = r == NULL ? 0 : r->position;
    return position < newest ? position : newest;
}

enum err typing_list(struct hs *hs, struct arena *a, int64_t room, struct json *user_ids)
{
    const struct typing_room *r = find(hs, room);
    for (size_t i = 0; r != NULL && i < r->n; i++) {
        struct str user_id;
        TRY(store_name_text(hs->store, a, r->users[i].user, &user_id));
        json_push_text(user_ids, user_id);
    }
    return ERR_NONE;
}

int64_t typing_next_ms(const struct hs *hs)
{
    int64_t next = -1;
    for (size_t i = 0; i < hs->typing->n; i++) {
        const struct typing_room *r = hs->typing->rooms[i];
        for (size_t k = 0; k < r->n; k++) {
            if (next < 0 || r->users[k].until_ms < next) {
                next = r->users[k].until_ms;
            }
        }
    }
    return next;
}

enum err typing_turn(struct hs *hs)
{
    for (size_t i = 0; i < hs->typing->n; i++) {
        struct typing_room *r = hs->typing->rooms[i];
        bool changed = false;
        for (size_t k = r->n; k > 0; k--) {
            if (r->users[k - 1].until_ms <= hs->now.mono_ms) {
                drop(r, k - 1);
                changed = true;
            }
        }
        if (changed) {
            TRY(tell(hs, r));
        }
    }
    return ERR_NONE;
}

enum { TYPING_REMOTE_MS = 30000 };

enum err typing_receive(struct hs *hs, struct str origin, const struct json *content)
{
    struct str user_id = json_get_text(content, "user_id");
    struct str membership;
    struct room *room;
    int64_t user;
    bool is_allowed;
    if (!mxid_is_user(user_id) || !str_eq(mxid_server(user_id), origin)) {
        return ERR_NONE;
    }
    enum err err = room_find(hs, json_get_text(content, "room_id"), &room);
    if (err == ERR_ABSENT) {
        return ERR_NONE;
    }
    TRY(err);
    TRY(store_name_find(hs->store, user_id, &user));
    TRY(store_get_str(hs->store, hs->turn, &membership, STMT_MEMBER_GET, "ii", user, room->nid));
    TRY(current_allows_server(hs, room, origin, &is_allowed));
    if (!is_allowed || !str_eq(membership, STR("join"))) {
        return ERR_NONE;
    }
    return typing_set(hs, room, user, json_get_bool(content, "typing", false), TYPING_REMOTE_MS);
}

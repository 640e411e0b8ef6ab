/* Which rooms are told, and as what: joined, invited, knocked, left. */
#include "sync/stream.h"

#include "engine/current.h"
#include "engine/snapshot.h"

enum err sync_member_get(struct sync *s, int64_t room, struct sync_member *out)
{
    struct query q;
    *out = (struct sync_member){0};
    enum err err = query_one(&q, s->hs->store, STMT_MEMBER_GET, "ii", s->user, room);
    if (err == ERR_ABSENT) {
        return ERR_NONE;
    }
    TRY(err);
    out->word = query_str(&q, s->a, 0);
    out->event = query_int(&q, 1);
    out->position = query_int(&q, 2);
    out->forgotten = query_int(&q, 3) != 0;
    out->stripped = query_str(&q, s->a, 4);
    return query_end(&q);
}

/* rooms.<key>.<room id> */
static void put_room(struct sync *s, const char *key, struct json **part, struct str room_id,
                     struct json *body)
{
    if (*part == NULL) {
        struct json *rooms = json_get(s->out, STR("rooms"));
        rooms = rooms == NULL ? json_put_object(s->out, STR("rooms")) : rooms;
        *part = json_put_object(rooms, str_of(key));
    }
    json_put(*part, room_id, body);
    s->has_news = true;
}

/* --- joined and left ---------------------------------------------------------------------- */

static enum err was_joined(struct sync *s, const struct room *room, bool *joined)
{
    int64_t snapshot;
    int64_t nid = 0;
    struct stored *member;
    *joined = false;
    TRY(sync_state_at(s, room, s->since, &snapshot));
    if (snapshot != 0) {
        TRY(snapshot_get(s->hs, snapshot, STR("m.room.member"), s->user_id, &nid));
    }
    if (nid != 0) {
        TRY(event_get(s->hs, nid, &member));
        *joined = str_eq(event_membership(member->ev), STR("join"));
    }
    return ERR_NONE;
}

/* All who are joined to an encrypted room that the reader entered or left just now. */
static enum err note_members(struct sync *s, struct sync_room *r)
{
    struct query q;
    struct stored *encryption;
    TRY(current_get(s->hs, r->room, STR("m.room.encryption"), STR(""), &encryption));
    if (encryption == NULL || s->is_initial) {
        return ERR_NONE;
    }
    query_start(&q, s->hs->store, STMT_MEMBER_LIST, "it", r->room->nid, STR("join"));
    while (query_next(&q)) {
        if (query_int(&q, 0) != s->user) {
            map_put(r->is_joined ? &s->met : &s->parted, query_str(&q, s->a, 1), s);
        }
    }
    return query_end(&q);
}

static enum err fill_joined(struct sync *s, struct sync_room *r)
{
    bool members;
    TRY(timeline_collect(s, r));
    TRY(sync_state_put(s, r, &members));
    TRY(timeline_put(s, r));
    TRY(ephemeral_put(s, r));
    TRY(account_data_put_room(s, r));
    if (members) {
        TRY(summary_put(s, r));
    }
    return r->is_whole ? note_members(s, r) : ERR_NONE;
}

/* With use_state_after an empty state_after alone is nothing to tell. */
static bool is_empty(const struct sync_room *r)
{
    const struct json *after = json_get(r->json, STR("state_after"));
    size_t n = json_count(r->json);
    return n == 0 || (n == 1 && after != NULL && json_count(json_get_array(after, "events")) == 0);
}

/* Clients look for these parts without asking whether they are there. */
static void complete(struct sync *s, const struct sync_room *r)
{
    (void)sync_events(r->json, s->state_after ? "state_after" : "state");
    (void)sync_events(r->json, "account_data");
    if (r->is_joined) {
        (void)sync_events(r->json, "ephemeral");
    }
}

static enum err add_joined(struct sync *s, struct room *room, const struct sync_member *m)
{
    bool joined = true;
    struct sync_room r = {.room = room, .is_joined = true, .upto = s->upto, .since = s->since};
    r.member_event = m->event;
    r.member_position = m->position;
    r.end = room->snapshot;
    r.json = json_object(s->a);
    if (!s->is_initial && m->position > s->since) {
        TRY(was_joined(s, room, &joined));
    }
    r.is_whole = s->is_initial || !joined;
    r.since = r.is_whole ? INT64_MIN : s->since;
    if (!joined) {
        numbers_add(s->a, &s->entered, room->nid);
    }
    TRY(fill_joined(s, &r));
    if (is_empty(&r) && !s->full_state) {
        return ERR_NONE;
    }
    TRY(unread_put(s, &r));
    complete(s, &r);
    put_room(s, "join", &s->joins, room->id, r.json);
    return ERR_NONE;
}

/* A room that was only known from outside: an invite that was rejected or withdrawn. */
static enum err add_left_outside(struct sync *s, const struct room *room,
                                 const struct sync_member *m)
{
    struct json *body = json_object(s->a);
    struct json *timeline = json_put_object(body, STR("timeline"));
    struct json *events = json_array(s->a);
    if (m->stripped.p != NULL && json_parse(s->a, m->stripped, &events, NULL) != ERR_NONE) {
        return ERR_CORRUPT;
    }
    json_put(timeline, STR("events"), events);
    json_put_bool(timeline, "limited", false);
    (void)sync_events(body, s->state_after ? "state_after" : "state");
    put_room(s, "leave", &s->leaves, room->id, body);
    return ERR_NONE;
}

enum err sync_was_in(struct sync *s, const struct stored *ev, bool *was_in)
{
    int64_t nid = 0;
    struct stored *before;
    *was_in = false;
    if (ev->before == 0) {
        return ERR_NONE;
    }
    TRY(snapshot_get(s->hs, ev->before, STR("m.room.member"), s->user_id, &nid));
    if (nid != 0) {
        TRY(event_get(s->hs, nid, &before));
        *was_in = str_eq(event_membership(before->ev), STR("join"));
    }
    return ERR_NONE;
}

static enum err fill_left(struct sync *s, struct sync_room *r, struct stored *leave)
{
    bool members;
    bool joined = false;
    bool was_in;
    TRY(sync_was_in(s, leave, &was_in));
    if (!s->is_initial) {
        TRY(was_joined(s, r->room, &joined));
    }
    r->is_whole = was_in && !joined;
    r->since = r->is_whole ? INT64_MIN : s->since;
    if (!was_in && !joined) { /* the state of the room is not his to see */
        struct stored **only = arena_alloc(s->a, sizeof(*only));
        *only = leave;
        r->raw = r->shown = only;
        r->n_raw = r->n_shown = 1;
        return timeline_put(s, r);
    }
    TRY(timeline_collect(s, r));
    TRY(sync_state_put(s, r, &members));
    TRY(timeline_put(s, r));
    TRY(account_data_put_room(s, r));
    return note_members(s, r);
}

static enum err add_left(struct sync *s, struct room *room, const struct sync_member *m)
{
    struct stored *leave = NULL;
    struct sync_room r = {.room = room, .upto = m->position, .since = s->since};
    if (m->forgotten || (s->is_initial ? !s->filter->include_leave : m->position <= s->since)) {
        return ERR_NONE;
    }
    if (m->event != 0) {
        TRY(event_get(s->hs, m->event, &leave));
    }
    if (leave == NULL || leave->after == 0) {
        return add_left_outside(s, room, m);
    }
    r.member_event = m->event;
    r.member_position = m->position;
    r.end = leave->after;
    r.json = json_object(s->a);
    TRY(fill_left(s, &r, leave));
    complete(s, &r);
    put_room(s, "leave", &s->leaves, room->id, r.json);
    return ERR_NONE;
}

/* --- invites and knocks ------------------------------------------------------------------- */

/* Of one's own member event in stripped state; absent: not told. */
static struct str inviter_of(const struct json *stripped, struct str user_id)
{
    for (const struct json *x = json_first(stripped); x != NULL; x = json_next(x)) {
        if (str_eq(json_get_text(x, "type"), STR("m.room.member")) &&
            str_eq(json_get_text(x, "state_key"), user_id)) {
            return json_get_text(x, "sender");
        }
    }
    return STR_ABSENT;
}

/* What the inviter's server sent along, or the room's own state where we are in it. */
static enum err stripped_of(struct sync *s, const struct room *room, const struct sync_member *m,
                            struct json **out)
{
    struct stored *member = NULL;
    if (m->event != 0) {
        TRY(event_get(s->hs, m->event, &member));
    }
    if (m->stripped.p == NULL) {
        return client_event_stripped(s->hs, s->a, room, member == NULL ? NULL : member->ev, out);
    }
    if (json_parse(s->a, m->stripped, out, NULL) != ERR_NONE || !json_is(*out, JSON_ARRAY)) {
        return ERR_CORRUPT;
    }
    if (member != NULL && str_is_absent(inviter_of(*out, s->user_id))) {
        json_push(*out, client_event_strip(s->a, member->ev));
    }
    return ERR_NONE;
}

/* Who invites and nothing else. */
static struct json *bare(struct sync *s, const struct sync_member *m, struct str sender)
{
    struct json *events = json_array(s->a);
    struct json *member = json_push_object(events);
    json_put_text(member, "type", STR("m.room.member"));
    json_put_text(member, "sender", sender);
    json_put_text(member, "state_key", s->user_id);
    json_put_text(json_put_object(member, STR("content")), "membership", m->word);
    return events;
}

/* Anybody may invite, and sends along what he likes. */
static enum err add_outside(struct sync *s, const struct room *room, const struct sync_member *m)
{
    struct json *events;
    bool is_invite = str_eq(m->word, STR("invite"));
    if (!s->is_initial && m->position <= s->since) {
        return ERR_NONE;
    }
    TRY(stripped_of(s, room, m, &events));
    struct str sender = inviter_of(events, s->user_id);
    if (is_invite && sync_is_ignored(s, sender)) {
        return ERR_NONE;
    }
    s->stripped_left -= (int64_t)json_str(s->a, events).n;
    events = s->stripped_left < 0 ? bare(s, m, sender) : events;
    struct json *body = json_object(s->a);
    struct json *state =
        json_put_object(body, is_invite ? STR("invite_state") : STR("knock_state"));
    json_put(state, STR("events"), events);
    if (is_invite) {
        put_room(s, "invite", &s->invites, room->id, body);
    } else {
        put_room(s, "knock", &s->knocks, room->id, body);
    }
    return ERR_NONE;
}

/* --- which ones --------------------------------------------------------------------------- */

static enum err add(struct sync *s, int64_t nid)
{
    struct sync_member m;
    struct room *room;
    TRY(sync_member_get(s, nid, &m));
    if (m.word.p == NULL) {
        return ERR_NONE;
    }
    TRY(room_get(s->hs, nid, &room));
    if (!sync_filter_allows_room(s->filter, room->id)) {
        return ERR_NONE;
    }
    if (str_eq(m.word, STR("join"))) {
        return add_joined(s, room, &m);
    }
    if (str_eq(m.word, STR("invite")) || str_eq(m.word, STR("knock"))) {
        return add_outside(s, room, &m);
    }
    return add_left(s, room, &m);
}

static enum err add_all(struct sync *s, const struct numbers *rows)
{
    for (size_t i = 0; i < rows->n; i++) {
        TRY(add(s, rows->at[i]));
    }
    return ERR_NONE;
}

static enum err list_own(struct sync *s, struct numbers *out)
{
    struct query q;
    query_start(&q, s->hs->store, STMT_MEMBER_ROOMS, "i", s->user);
    while (query_next(&q)) {
        numbers_add(s->a, out, query_int(&q, 0));
    }
    return query_end(&q);
}

enum err rooms_initial(struct sync *s)
{
    struct numbers rows = {0};
    TRY(list_own(s, &rows));
    return add_all(s, &rows);
}

/* Rooms with news for anybody. */
static enum err list_changed(struct sync *s, struct numbers *out)
{
    struct query q;
    query_start(&q, s->hs->store, STMT_ROOM_CHANGED, "i", s->since);
    while (query_next(&q)) {
        numbers_add(s->a, out, query_int(&q, 0));
    }
    return query_end(&q);
}

/* Rooms with nothing new but the reader's own data. */
static enum err list_tagged(struct sync *s, struct numbers *out)
{
    struct query q;
    struct numbers rows = {0};
    query_start(&q, s->hs->store, STMT_ACCOUNT_DATA_ROOMS_AFTER, "ii", s->user, s->since);
    while (query_next(&q)) {
        numbers_add(s->a, &rows, query_int(&q, 0));
    }
    TRY(query_end(&q));
    for (size_t i = 0; i < rows.n; i++) {
        struct room *room;
        if (rows.at[i] == 0) {
            continue;
        }
        TRY(room_get(s->hs, rows.at[i], &room));
        if (room->last_position <= s->since && !numbers_has(out, rows.at[i])) {
            numbers_add(s->a, out, rows.at[i]);
        }
    }
    return ERR_NONE;
}

enum err rooms_with_news(struct sync *s, struct numbers *out)
{
    TRY(list_changed(s, out));
    return list_tagged(s, out);
}

enum err rooms_changed(struct sync *s)
{
    struct numbers rows = {0};
    TRY(s->full_state ? list_own(s, &rows) : rooms_with_news(s, &rows));
    return add_all(s, &rows);
}

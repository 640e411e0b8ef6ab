/* Rows for other servers. */
#include "engine/outbox.h"

#include "event/mxid.h"

#include <string.h>

enum {
    KICKED_MAX = 4096,
    SERVERS_MAX = 4096,     /* of one room */
    NEWCOMER_ENDS_MAX = 64, /* of the graph, looked at for a server that joins */
};

struct outbox {
    struct outbox_kick kicked[KICKED_MAX];
    size_t n_kicked;
};

struct outbox *outbox_new(void)
{
    return base_alloc(sizeof(struct outbox));
}

void outbox_free(struct outbox *outbox)
{
    base_free(outbox);
}

static void kick(struct outbox *o, int64_t server, bool is_edu)
{
    for (size_t i = 0; i < o->n_kicked; i++) {
        if (o->kicked[i].server == server) {
            o->kicked[i].only_edus = o->kicked[i].only_edus && is_edu;
            return;
        }
    }
    if (o->n_kicked < KICKED_MAX) { /* the rest is found by the destinations' own timer */
        o->kicked[o->n_kicked] = (struct outbox_kick){.server = server, .only_edus = is_edu};
        o->n_kicked++;
    }
}

size_t outbox_take_kicked(struct hs *hs, struct outbox_kick *kicks, size_t max)
{
    struct outbox *o = hs->outbox;
    size_t n = o->n_kicked < max ? o->n_kicked : max;
    memcpy(kicks, o->kicked, n * sizeof(*kicks));
    o->n_kicked -= n;
    memmove(o->kicked, o->kicked + n, o->n_kicked * sizeof(*kicks));
    return n;
}

struct servers {
    int64_t *at;
    size_t n, cap;
};

static void add(struct hs *hs, struct servers *s, int64_t server)
{
    if (s->n == s->cap) {
        s->cap = s->cap == 0 ? 16 : 2 * s->cap;
        int64_t *at = arena_array(hs->turn, s->cap, sizeof(*at));
        for (size_t i = 0; i < s->n; i++) {
            at[i] = s->at[i];
        }
        s->at = at;
    }
    s->at[s->n] = server;
    s->n++;
}

static enum err servers_of(struct hs *hs, int64_t room, struct servers *out)
{
    int64_t server = 0;
    *out = (struct servers){0};
    do {
        TRY(store_get_int(hs->store, &server, 0, STMT_MEMBER_SERVER_AFTER, "ii", room, server));
        if (server != 0 && server != hs->identity.server_name) {
            add(hs, out, server);
        }
    } while (server != 0 && out->n < SERVERS_MAX);
    return ERR_NONE;
}

/* Who is kicked or banned hears of it, although his server may have left with it. */
static enum err add_target(struct hs *hs, const struct event *ev, struct servers *out)
{
    int64_t server;
    if (!str_eq(ev->type, STR("m.room.member")) || hs_is_ours(hs, ev->state_key) ||
        str_eq(event_membership(ev), STR("invite"))) {
        return ERR_NONE; /* an invite travels by a request of its own */
    }
    TRY(store_name(hs->store, mxid_server(ev->state_key), &server));
    for (size_t i = 0; i < out->n; i++) {
        if (out->at[i] == server) {
            return ERR_NONE;
        }
    }
    add(hs, out, server);
    return ERR_NONE;
}

static enum err put(struct hs *hs, int64_t server, int64_t event, struct str json, struct str key)
{
    kick(hs->outbox, server, event == 0);
    return store_run(hs->store, STMT_OUTBOX_PUT, "iitt", server, event, json, key);
}

/* Ours, or of a server that has nobody in the room any more. */
static enum err is_ours_to_tell(struct hs *hs, const struct stored *s, bool *is)
{
    int64_t server, user;
    *is = s->status == EVENT_ACCEPTED && hs_is_ours(hs, s->ev->sender);
    if (*is || s->status != EVENT_ACCEPTED) {
        return ERR_NONE;
    }
    TRY(store_name(hs->store, mxid_server(s->ev->sender), &server));
    TRY(store_get_int(hs->store, &user, 0, STMT_MEMBER_OF_SERVER, "ii", s->room, server));
    *is = user == 0;
    return ERR_NONE;
}

/* What we said before we heard of a join was not sent to the server that joined, and perhaps
 * nothing will ever be said that cites it. Our own ends of the graph make it ask for the rest; and
 * those of who is gone, which nobody else tells. */
static enum err tell_newcomer(struct hs *hs, const struct fact *fact)
{
    int64_t server, ends[NEWCOMER_ENDS_MAX];
    size_t n = 0;
    struct query q;
    if (!fact->is_new || !str_eq(fact->ev->type, STR("m.room.member")) ||
        hs_is_ours(hs, fact->ev->state_key) || !str_eq(event_membership(fact->ev), STR("join"))) {
        return ERR_NONE;
    }
    query_start(&q, hs->store, STMT_EXTREMITY_LIST, "i", fact->room->nid);
    while (n < COUNT_OF(ends) && query_next(&q)) {
        ends[n++] = query_int(&q, 0);
    }
    TRY(query_end(&q));
    TRY(store_name(hs->store, mxid_server(fact->ev->state_key), &server));
    for (size_t i = 0; i < n; i++) {
        struct stored *s;
        bool is;
        TRY(event_get(hs, ends[i], &s));
        TRY(is_ours_to_tell(hs, s, &is));
        if (is) {
            TRY(put(hs, server, s->nid, STR_ABSENT, STR_ABSENT));
        }
    }
    return ERR_NONE;
}

enum err outbox_on_fact(struct hs *hs, const struct fact *fact)
{
    if (!fact->is_local) {
        return tell_newcomer(hs, fact);
    }
    struct servers servers;
    int64_t author;
    TRY(servers_of(hs, fact->room->nid, &servers));
    TRY(add_target(hs, fact->ev, &servers));
    TRY(store_name(hs->store, mxid_server(fact->ev->sender), &author));
    for (size_t i = 0; i < servers.n; i++) {
        if (servers.at[i] != author) { /* it has told us itself, by send_join say */
            TRY(put(hs, servers.at[i], fact->event, STR_ABSENT, STR_ABSENT));
        }
    }
    return ERR_NONE;
}

enum err outbox_pass_on(struct hs *hs, struct room *room, const struct stored *s)
{
    struct fact fact = {.room = room,
                        .ev = s->ev,
                        .event = s->nid,
                        .position = s->position,
                        .is_new = true,
                        .is_local = true};
    return outbox_on_fact(hs, &fact);
}

static struct str edu_text(struct hs *hs, struct str edu_type, const struct json *content)
{
    struct json *edu = json_object(hs->turn);
    json_put_text(edu, "edu_type", edu_type);
    json_put(edu, STR("content"), json_copy(hs->turn, content));
    return json_str(hs->turn, edu);
}

/* What no peer takes would be sent for ever, and nothing after it. */
static enum err put_edu(struct hs *hs, int64_t server, struct str text, struct str key)
{
    if (text.n > TRANSACTION_SIZE_MAX) {
        return ERR_LIMIT;
    }
    if (key.p != NULL) {
        int64_t sent;
        TRY(store_get_int(hs->store, &sent, 0, STMT_DESTINATION_SENT, "i", server));
        TRY(store_run(hs->store, STMT_OUTBOX_REPLACE, "iti", server, key, sent));
    }
    return put(hs, server, 0, text, key);
}

enum err outbox_edu_room(struct hs *hs, int64_t room, struct str edu_type,
                         const struct json *content, struct str key)
{
    struct servers servers;
    struct str text = edu_text(hs, edu_type, content);
    TRY(servers_of(hs, room, &servers));
    for (size_t i = 0; i < servers.n; i++) {
        TRY(put_edu(hs, servers.at[i], text, key));
    }
    return ERR_NONE;
}

enum err outbox_edu_server(struct hs *hs, struct str server, struct str edu_type,
                           const struct json *content, struct str key)
{
    int64_t name;
    TRY(store_name(hs->store, server, &name));
    return put_edu(hs, name, edu_text(hs, edu_type, content), key);
}

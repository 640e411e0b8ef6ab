/* Keys of other servers: kept in the database, asked for where they are missing. */
#include "engine/server_keys.h"

#include "engine/call.h"
#include "engine/input.h"
#include "event/mxid.h"
#include "event/seal.h"

#include <string.h>

enum {
    KEY_TIMEOUT_MS = 10000,
    KEY_VALID_MAX_MS = 7 * 24 * 60 * 60 * 1000, /* the longest that a server is believed */
    KEYS_OF_SERVER_MAX = 16,
    SERVERS_ASKED_MAX = 256,  /* for one waiter */
    DOCUMENT_MAX = 64 * 1024, /* bytes of what a server tells; it is kept with each key */
    WAITS_MAX = 512,
    REFUSALS_MAX = 1024, /* the newest are remembered */
    REFUSAL_KEEP_MS = 15000,
};

struct key_wait {
    uint64_t id; /* 0: a free place */
    struct key_waiter waiter;
    size_t open; /* servers still to answer */
};

/* A server that has not told what was asked: not asked again at once. */
struct refusal {
    char server[MXID_MAX + 1];
    int64_t until_ms;
};

struct key_waits {
    struct key_wait at[WAITS_MAX];
    uint64_t last_id;
    struct refusal refusals[REFUSALS_MAX];
    size_t next_refusal;
};

struct key_waits *key_waits_new(void)
{
    return base_alloc(sizeof(struct key_waits));
}

void key_waits_free(struct key_waits *waits)
{
    base_free(waits);
}

/* --- what is known ------------------------------------------------------------------------ */

struct known {
    uint8_t key[SIGN_PUBLIC_SIZE];
    int64_t until_ms;
    bool is_old;
};

static enum err known_get(struct hs *hs, struct str server, struct str key_id, struct known *out)
{
    struct query q;
    int64_t name;
    TRY(store_name_find(hs->store, server, &name));
    TRY(query_one(&q, hs->store, STMT_SERVER_KEY_GET, "it", name, key_id));
    struct str key = query_str(&q, hs->turn, 0);
    out->until_ms = query_int(&q, 1);
    out->is_old = query_int(&q, 2) != 0;
    TRY(query_end(&q));
    if (key.n != SIGN_PUBLIC_SIZE) {
        return ERR_CORRUPT;
    }
    memcpy(out->key, key.p, SIGN_PUBLIC_SIZE);
    return ERR_NONE;
}

enum err server_key_find(struct hs *hs, struct str server, struct str key_id, int64_t at_ms,
                         uint8_t key[SIGN_PUBLIC_SIZE])
{
    struct known known;
    if (mxid_is_peer(server, key)) {
        return str_eq(key_id, mxid_peer_key_id()) ? ERR_NONE : ERR_ABSENT;
    }
    if (str_eq(server, hs->identity.server)) {
        memcpy(key, hs->identity.key.public_key, SIGN_PUBLIC_SIZE);
        return ERR_NONE; /* whatever it was called when it signed: there never was another */
    }
    TRY(known_get(hs, server, key_id, &known));
    memcpy(key, known.key, SIGN_PUBLIC_SIZE);
    return at_ms <= known.until_ms ? ERR_NONE : ERR_ABSENT;
}

enum err server_keys_told(struct hs *hs, struct arena *a, struct str server, struct json **out)
{
    int64_t name;
    struct str text;
    *out = NULL;
    TRY(store_name_find(hs->store, server, &name));
    TRY(store_get_str(hs->store, a, &text, STMT_SERVER_KEY_DOCUMENT, "i", name));
    return text.p == NULL ? ERR_NONE : json_parse(a, text, out, NULL);
}

enum err server_keys_check(struct hs *hs, struct arena *a, const struct event *ev,
                           struct str server)
{
    enum err verdict = ERR_ABSENT;
    int64_t at_ms = ev->version->key_validity ? ev->origin_server_ts : INT64_MIN;
    struct strs ids = seal_key_ids(a, ev->tree, server);
    for (size_t i = 0; i < ids.n && i < KEYS_OF_SERVER_MAX; i++) {
        uint8_t key[SIGN_PUBLIC_SIZE];
        enum err err = server_key_find(hs, server, ids.at[i], at_ms, key);
        if (err == ERR_ABSENT) {
            continue;
        }
        TRY(err);
        if (seal_check(a, ev, server, ids.at[i], key) == ERR_NONE) {
            return ERR_NONE;
        }
        verdict = ERR_REFUSED;
    }
    return ids.n == 0 ? ERR_REFUSED : verdict;
}

/* --- what a server tells ------------------------------------------------------------------ */

bool server_keys_are_of(struct arena *a, const struct json *body, struct str server)
{
    const struct json *keys = json_get_object(body, "verify_keys");
    uint8_t key[SIGN_PUBLIC_SIZE];
    size_t n = 0;
    if (!str_eq(json_get_text(body, "server_name"), server) || json_str(a, body).n > DOCUMENT_MAX) {
        return false;
    }
    if (mxid_is_peer(server, key)) {
        return seal_json_check(a, body, server, mxid_peer_key_id(), key) == ERR_NONE;
    }
    for (const struct json *k = json_first(keys); k != NULL && n < KEYS_OF_SERVER_MAX; n++) {
        if (seal_key_parse(json_get_text(k, "key"), key) == ERR_NONE &&
            seal_json_check(a, body, server, json_key(k), key) == ERR_NONE) {
            return true;
        }
        k = json_next(k);
    }
    return false;
}

struct document {
    struct hs *hs;
    struct arena *a;
    struct str server;
    const struct json *body;
    int64_t name;
};

static enum err keep(const struct document *d, const struct json *entry, bool is_old)
{
    uint8_t key[SIGN_PUBLIC_SIZE];
    int64_t latest = d->hs->now.unix_ms + KEY_VALID_MAX_MS;
    int64_t until =
        is_old ? json_get_int(entry, "expired_ts", 0) : json_get_int(d->body, "valid_until_ts", 0);
    if (seal_key_parse(json_get_text(entry, "key"), key) != ERR_NONE ||
        !mxid_key_id_fits(d->server, json_key(entry))) {
        return ERR_NONE;
    }
    return store_run(d->hs->store, STMT_SERVER_KEY_PUT, "itbiit", d->name, json_key(entry),
                     str_make(key, sizeof(key)), until < latest ? until : latest, (int64_t)is_old,
                     json_str(d->a, d->body));
}

static enum err take(const struct document *d)
{
    const struct json *keys = json_get_object(d->body, "verify_keys");
    const struct json *old_keys = json_get_object(d->body, "old_verify_keys");
    size_t n = 0;
    if (!server_keys_are_of(d->a, d->body, d->server)) {
        hs_log(d->hs, LOG_INFO, "what %.*s tells of its keys is not signed", STR_ARG(d->server));
        return ERR_NONE;
    }
    for (const struct json *k = json_first(old_keys); k != NULL && n < KEYS_OF_SERVER_MAX; n++) {
        TRY(keep(d, k, true));
        k = json_next(k);
    }
    n = 0;
    for (const struct json *k = json_first(keys); k != NULL && n < KEYS_OF_SERVER_MAX; n++) {
        TRY(keep(d, k, false));
        k = json_next(k);
    }
    return ERR_NONE;
}

/* --- asking ------------------------------------------------------------------------------- */

/* One question; lives in its call's arena. */
struct question {
    uint64_t wait;
    struct strs key_ids;
    bool is_counted; /* an answer that fails is told a second time */
};

static struct key_wait *wait_find(struct key_waits *waits, uint64_t id)
{
    for (size_t i = 0; i < WAITS_MAX; i++) {
        if (waits->at[i].id == id) {
            return &waits->at[i];
        }
    }
    return NULL;
}

static void refusal_note(struct hs *hs, struct str server)
{
    struct key_waits *waits = hs->key_waits;
    struct refusal *r = &waits->refusals[waits->next_refusal % REFUSALS_MAX];
    waits->next_refusal++;
    assert(server.n <= MXID_MAX);
    memcpy(r->server, server.p, server.n);
    r->server[server.n] = '\0';
    r->until_ms = hs->now.mono_ms + REFUSAL_KEEP_MS;
}

static bool has_refused(const struct hs *hs, struct str server)
{
    for (size_t i = 0; i < REFUSALS_MAX; i++) {
        const struct refusal *r = &hs->key_waits->refusals[i];
        if (r->until_ms > hs->now.mono_ms && str_eq(str_of(r->server), server)) {
            return true;
        }
    }
    return false;
}

/* Is there a key that its server vouches for still? Of former days' keys nothing new is to learn.
 */
static enum err is_current(struct hs *hs, struct str server, struct strs key_ids, bool *is)
{
    *is = false;
    for (size_t i = 0; i < key_ids.n && i < KEYS_OF_SERVER_MAX && !*is; i++) {
        struct known known;
        enum err err = known_get(hs, server, key_ids.at[i], &known);
        if (err != ERR_ABSENT) {
            TRY(err);
            *is = known.is_old || known.until_ms > hs->now.unix_ms;
        }
    }
    return ERR_NONE;
}

enum err server_keys_is_known(struct hs *hs, struct str server, struct str key_id, bool *is)
{
    *is = mxid_is_peer(server, NULL) || str_eq(server, hs->identity.server);
    return *is ? ERR_NONE : is_current(hs, server, (struct strs){&key_id, 1}, is);
}

static enum err on_keys(struct hs *hs, struct call *call, int status, struct json *body,
                        const char *why)
{
    struct question *q = call->ctx;
    struct key_wait *wait = wait_find(hs->key_waits, q->wait);
    bool is_told;
    if (wait != NULL && !q->is_counted) {
        wait->open--;
    }
    q->is_counted = true;
    if (status == 200 && body != NULL) {
        struct document d = {.hs = hs, .a = call->a, .server = call->server, .body = body};
        TRY(store_name(hs->store, call->server, &d.name));
        TRY(take(&d));
    }
    TRY(is_current(hs, call->server, q->key_ids, &is_told));
    if (!is_told) {
        hs_log(hs, LOG_INFO, "the key of %.*s cannot be had (%d %s)", STR_ARG(call->server), status,
               why);
        refusal_note(hs, call->server);
    }
    return ERR_NONE;
}

/* A new question of wait to server. */
static enum err ask(struct hs *hs, struct key_wait *wait, struct str server, struct strs key_ids)
{
    struct call *call = call_new(hs, server, on_keys);
    struct question *q = ARENA_NEW(call->a, struct question);
    struct str *ids = arena_array(call->a, key_ids.n, sizeof(*ids));
    for (size_t i = 0; i < key_ids.n; i++) {
        ids[i] = arena_str(call->a, key_ids.at[i]);
    }
    *q = (struct question){.wait = wait->id, .key_ids = {ids, key_ids.n}};
    call->ctx = q;
    TRY(call_send(hs, call, "GET", STR("/_matrix/key/v2/server"), NULL, KEY_TIMEOUT_MS));
    wait->open++;
    return ERR_NONE;
}

/* What one call of server_keys_await gathers. */
struct gather {
    struct hs *hs;
    struct key_wait *wait;
    struct str asked[SERVERS_ASKED_MAX];
    size_t n;
};

static enum err want(struct gather *g, struct str server, struct strs key_ids)
{
    bool is_known;
    if (!mxid_is_server(server) || key_ids.n == 0 || g->n == SERVERS_ASKED_MAX || g->wait == NULL ||
        str_eq(server, g->hs->identity.server) || !call_is_possible(g->hs, server) ||
        mxid_is_peer(server, NULL)) {
        return ERR_NONE;
    }
    for (size_t i = 0; i < g->n; i++) {
        if (str_eq(g->asked[i], server)) {
            return ERR_NONE;
        }
    }
    TRY(is_current(g->hs, server, key_ids, &is_known));
    if (is_known || has_refused(g->hs, server)) {
        return ERR_NONE;
    }
    g->asked[g->n++] = server;
    return ask(g->hs, g->wait, server, key_ids);
}

/* Those who must have signed it, as far as that can be told without its room. */
static enum err want_of_event(struct gather *g, const struct json *object)
{
    static const char *const ids[] = {"sender", "event_id"};
    struct str servers[3];
    const struct json *content = json_get_object(object, "content");
    if (!json_is(json_get(object, STR("signatures")), JSON_OBJECT)) {
        return ERR_NONE;
    }
    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        servers[i] = mxid_server(json_get_text(object, ids[i]));
    }
    servers[2] = mxid_server(json_get_text(content, "join_authorised_via_users_server"));
    for (size_t i = 0; i < COUNT_OF(servers); i++) {
        TRY(want(g, servers[i], seal_key_ids(g->hs->turn, object, servers[i])));
    }
    return ERR_NONE;
}

static struct gather gather_begin(struct hs *hs, struct key_waiter waiter)
{
    struct gather g = {.hs = hs, .wait = wait_find(hs->key_waits, 0)};
    if (g.wait != NULL) {
        *g.wait = (struct key_wait){.id = ++hs->key_waits->last_id, .waiter = waiter};
    }
    return g;
}

/* True: there is something to wait for. */
static bool gather_end(const struct gather *g, enum err err)
{
    bool waits = err == ERR_NONE && g->wait != NULL && g->wait->open > 0;
    if (g->wait != NULL && !waits) {
        g->wait->id = 0;
    }
    return waits;
}

enum err server_keys_await(struct hs *hs, struct str server, struct str key_id,
                           struct key_waiter waiter, bool *waits)
{
    struct gather g = gather_begin(hs, waiter);
    enum err err = want(&g, server, (struct strs){&key_id, 1});
    *waits = gather_end(&g, err);
    return err;
}

enum err server_keys_await_events(struct hs *hs, const struct json *body, struct key_waiter waiter,
                                  bool *waits)
{
    struct gather g = gather_begin(hs, waiter);
    enum err err = want_of_event(&g, body);
    for (const struct json *m = json_first(body); m != NULL && err == ERR_NONE; m = json_next(m)) {
        err = json_is(m, JSON_OBJECT) ? want_of_event(&g, m) : err;
        const struct json *e = json_is(m, JSON_ARRAY) ? json_first(m) : NULL;
        for (; e != NULL && err == ERR_NONE; e = json_next(e)) {
            err = want_of_event(&g, e);
        }
    }
    *waits = gather_end(&g, err);
    return err;
}

void server_keys_turn(struct hs *hs)
{
    for (size_t i = 0; i < WAITS_MAX && hs->key_waits->last_id > 0; i++) {
        struct key_wait *wait = &hs->key_waits->at[i];
        if (wait->id != 0 && wait->open == 0) {
            wait->id = 0;
            wait->waiter.done(hs, wait->waiter.id);
        }
    }
}

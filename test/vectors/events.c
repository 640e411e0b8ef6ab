/* One room, event by event in its order: bytes, hashes, signatures, ids, redactions, and that the
 * rules allow each of them. */
#include "base/encode.h"
#include "base/limits.h"
#include "event/redact.h"
#include "event/seal.h"
#include "room/auth.h"
#include "vectors/vectors.h"
#include "json/canon.h"

struct room {
    struct tally *tally;
    struct arena *a;
    const struct room_version *version;
    struct str server, key_id;
    uint8_t key[SIGN_PUBLIC_SIZE];
    const struct event **events;
    size_t n_events;
    struct state state; /* before the event at hand: these rooms have no forks */
};

static struct str canonical_sha256(const struct room *room, const struct json *pdu)
{
    struct buf text;
    uint8_t hash[HASH_SIZE];
    struct strs nothing = {0};
    buf_init_in(&text, room->a, 1 << 20);
    enum err err = room->version->strict_json ? canon_write(&text, pdu, nothing)
                                              : canon_write_lenient(&text, pdu, nothing);
    hash_sha256(hash, buf_str(&text));
    return err == ERR_NONE ? hex_write(room->a, str_make(hash, sizeof(hash))) : STR("");
}

static const struct event *find(const struct room *room, struct str id)
{
    for (size_t i = 0; i < room->n_events; i++) {
        if (str_eq(room->events[i]->id, id)) {
            return room->events[i];
        }
    }
    return NULL;
}

static const struct event *state_before(void *ctx, struct str type, struct str state_key)
{
    const struct room *room = ctx;
    return find(room, state_get(&room->state, type, state_key));
}

/* Is the event citing what the selection names, no more and no less? */
static bool cites_what_it_needs(const struct room *room, const struct event *ev)
{
    struct auth_keys keys =
        auth_needs(room->a, ev->version, ev->type, ev->sender, ev->state_key, ev->content);
    size_t n = 0;
    for (size_t i = 0; i < keys.n; i++) {
        struct str id = state_get(&room->state, keys.at[i].type, keys.at[i].state_key);
        bool cited = str_is_absent(id);
        n += !cited;
        for (size_t k = 0; k < ev->auth_events.n; k++) {
            cited = cited || str_eq(ev->auth_events.at[k], id);
        }
        if (!cited) {
            return false;
        }
    }
    return n == ev->auth_events.n;
}

static struct verdict judge(const struct room *room, const struct event *ev)
{
    const struct event *events[EVENT_AUTH_MAX];
    const struct event *create = room->n_events == 0 ? NULL : room->events[0];
    size_t n = 0;
    for (size_t i = 0; i < ev->auth_events.n; i++) {
        events[n] = find(room, ev->auth_events.at[i]);
        if (events[n] == NULL) {
            return verdict_reject("an auth event is not in the file");
        }
        n++;
    }
    struct auth_cited cited = {events, n, create};
    struct auth_view before = {.ctx = NULL, .get = state_before};
    struct room copy = *room;
    before.ctx = &copy;
    struct verdict v = auth_check_alone(room->a, ev, create, events, NULL, n);
    if (v.kind == VERDICT_ACCEPT) {
        v = auth_check(room->a, ev, auth_view_cited(&cited));
    }
    return v.kind == VERDICT_ACCEPT ? auth_check(room->a, ev, before) : v;
}

static void check_seal(const struct room *room, const struct event *ev, const struct json *row)
{
    struct tally *t = room->tally;
    struct str id = json_get_text(row, "event_id");
    struct strs servers = seal_servers(room->a, ev);
    struct strs key_ids = seal_key_ids(room->a, ev->tree, room->server);
    bool signed_by_all = servers.n == 1 && str_eq(servers.at[0], room->server) && key_ids.n == 1 &&
                         str_eq(key_ids.at[0], room->key_id) &&
                         seal_check(room->a, ev, room->server, room->key_id, room->key) == ERR_NONE;
    tally_check(t, TALLY_HASH, seal_hash_fits(room->a, ev), id, NULL);
    tally_check(t, TALLY_SIGNATURE, signed_by_all, id, NULL);
    tally_check(t, TALLY_ID, str_eq(ev->id, id), id, ev->id.p);
    struct event *left = NULL;
    const struct json *want = json_get(row, STR("redacted"));
    bool same = redact_event(room->a, ev, &left) == ERR_NONE && json_eq(left->tree, want) &&
                seal_check(room->a, left, room->server, room->key_id, room->key) == ERR_NONE;
    tally_check(t, TALLY_REDACTION, same, id, same || left == NULL ? NULL : left->json.p);
}

static void check_event(struct room *room, const struct json *row)
{
    struct tally *t = room->tally;
    struct str id = json_get_text(row, "event_id");
    const struct json *pdu = json_get(row, STR("pdu"));
    struct event *ev = NULL;
    const char *why = NULL;
    struct str sha256 = canonical_sha256(room, pdu);
    tally_check(t, TALLY_CANONICAL, str_eq(sha256, json_get_text(row, "canonical_sha256")), id,
                NULL);
    if (event_parse(room->a, room->version, json_copy(room->a, pdu), &ev, &why) != ERR_NONE) {
        tally_check(t, TALLY_ID, false, id, why);
        return;
    }
    check_seal(room, ev, row);
    tally_check(t, TALLY_SELECTION, cites_what_it_needs(room, ev), id, NULL);
    struct verdict v = judge(room, ev);
    tally_check(t, TALLY_AUTH, v.kind == VERDICT_ACCEPT, id, v.why);
    room->events[room->n_events] = ev;
    room->n_events++;
    if (event_is_state(ev)) {
        state_put(&room->state, ev->type, ev->state_key, ev->id);
    }
}

void check_events(struct tally *t, struct arena *a, const struct json *file)
{
    struct room room = {
        .tally = t,
        .a = a,
        .version = room_version_find(t->version),
        .server = json_get_text(file, "server_name"),
        .key_id = json_get_text(file, "key_id"),
    };
    struct state want;
    const struct json *events = json_get_array(file, "events");
    state_init(&room.state, a);
    state_init(&want, a);
    room.events = arena_array(a, json_count(events), sizeof(struct event *));
    bool key = seal_key_parse(json_get_text(file, "verify_key"), room.key) == ERR_NONE;
    tally_check(t, TALLY_SIGNATURE, key, room.key_id, "not a key");
    for (const struct json *x = json_first(events); x != NULL; x = json_next(x)) {
        check_event(&room, x);
    }
    const struct json *state = json_get_array(file, "current_state");
    for (const struct json *x = json_first(state); x != NULL; x = json_next(x)) {
        state_put(&want, json_get_text(x, "type"), json_get_text(x, "state_key"),
                  json_get_text(x, "event_id"));
    }
    tally_check(t, TALLY_STATE, state_eq(&room.state, &want), room.server, NULL);
}

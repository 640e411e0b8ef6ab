/* What no server may say, as tables. */
#include "test/sim/liar.h"

#include "base/encode.h"
#include "base/limits.h"
#include "event/seal.h"
#include "test/sim/user.h"

#include <string.h>

#define OVERSIZE 70000
#define FLOOD 50

/* --- events -------------------------------------------------------------------------------- */

/* An event on its way out: the tree, and whom it is about. */
struct draft {
    struct liar *liar;
    struct arena *a;
    struct json *pdu;
    const struct user *victim;
};

static struct str room_id(const struct liar *liar)
{
    return str_of(liar->world->rooms[0].id);
}

static const struct user *victim_of(struct liar *liar)
{
    return liar->world->users[rng_below(&liar->rng, liar->world->n_users)];
}

/* One that it knows of; NULL: none. */
static const struct heard *recall(struct liar *liar)
{
    size_t n = liar->n_heard < LIAR_HEARD_MAX ? liar->n_heard : LIAR_HEARD_MAX;
    return n == 0 ? NULL : &liar->heard[rng_below(&liar->rng, n)];
}

static struct str unknown_id(struct liar *liar, struct arena *a)
{
    uint8_t bytes[32];
    rng_fill(&liar->rng, bytes, sizeof(bytes));
    struct str text = base64url_write(a, str_make((const char *)bytes, sizeof(bytes)));
    return arena_join(a, STR("$"), text, STR(""));
}

/* What a member may say, in good form. */
static struct draft draft_message(struct liar *liar, struct arena *a)
{
    const struct heard *prev = recall(liar);
    struct draft d = {.liar = liar, .a = a, .pdu = json_object(a), .victim = victim_of(liar)};
    json_put_text(d.pdu, "type", STR("m.room.message"));
    json_put_text(d.pdu, "room_id", room_id(liar));
    json_put_text(d.pdu, "sender", str_of(liar->user_id));
    int64_t depth = prev == NULL ? 0 : prev->depth;
    json_put_int(d.pdu, "depth", depth + (depth < EVENT_DEPTH_MAX));
    json_put_int(d.pdu, "origin_server_ts", 1700000000000 + liar->world->now_ms);
    struct json *content = json_put_object(d.pdu, STR("content"));
    json_put_text(content, "msgtype", STR("m.text"));
    json_put_text(content, "body", arena_fmt(a, "lie %lld", (long long)liar->world->now_ms));
    struct json *prevs = json_put_array(d.pdu, STR("prev_events"));
    json_push_text(prevs, str_of(prev == NULL ? liar->join_id : prev->id));
    struct json *auth = json_put_array(d.pdu, STR("auth_events"));
    json_push_text(auth, str_of(liar->create_id));
    json_push_text(auth, str_of(liar->power_id));
    json_push_text(auth, str_of(liar->join_id));
    return d;
}

static void draft_state(struct draft *d, const char *type, struct str state_key)
{
    json_put_text(d->pdu, "type", str_of(type));
    json_put_text(d->pdu, "state_key", state_key);
    json_put_object(d->pdu, STR("content"));
}

static void draft_member(struct draft *d, const char *membership)
{
    draft_state(d, "m.room.member", str_of(d->victim->id));
    json_put_text(json_get_object(d->pdu, "content"), "membership", str_of(membership));
}

static void as_another(struct draft *d)
{
    json_put_text(d->pdu, "sender", str_of(d->victim->id));
    json_put_text(json_get_object(d->pdu, "content"), "body",
                  arena_fmt(d->a, "u%zu m0", d->victim->index));
}

static void as_another_joins(struct draft *d)
{
    draft_member(d, "join");
    json_put_text(d->pdu, "sender", str_of(d->victim->id));
}

static void kicks(struct draft *d)
{
    draft_member(d, "leave");
}

static void bans(struct draft *d)
{
    draft_member(d, "ban");
}

static void joins_another(struct draft *d)
{
    draft_member(d, "join");
}

static void takes_power(struct draft *d)
{
    draft_state(d, "m.room.power_levels", STR(""));
    struct json *users = json_put_object(json_get_object(d->pdu, "content"), STR("users"));
    json_put_int(users, d->liar->user_id, 100);
}

static void creates(struct draft *d)
{
    draft_state(d, "m.room.create", STR(""));
    json_put_array(d->pdu, STR("prev_events"));
    json_put_array(d->pdu, STR("auth_events"));
}

static void sets_topic(struct draft *d)
{
    draft_state(d, "m.room.topic", STR(""));
    json_put_text(json_get_object(d->pdu, "content"), "topic", STR("a lie"));
}

static void redacts(struct draft *d)
{
    const struct heard *target = recall(d->liar);
    json_put_text(d->pdu, "type", STR("m.room.redaction"));
    json_put_text(json_put_object(d->pdu, STR("content")), "redacts",
                  str_of(target == NULL ? d->liar->join_id : target->id));
}

static void cites_wrongly(struct draft *d)
{
    const struct heard *other = recall(d->liar);
    struct json *auth = json_get_array(d->pdu, "auth_events");
    json_push_text(auth, str_of(other == NULL ? d->liar->join_id : other->id));
}

static void cites_nothing(struct draft *d)
{
    json_put_array(d->pdu, STR("auth_events"));
}

static void cites_unknown(struct draft *d)
{
    json_push_text(json_get_array(d->pdu, "auth_events"), unknown_id(d->liar, d->a));
}

static void follows_unknown(struct draft *d)
{
    struct json *prevs = json_put_array(d->pdu, STR("prev_events"));
    json_push_text(prevs, unknown_id(d->liar, d->a));
    json_push_text(prevs, unknown_id(d->liar, d->a));
}

static void follows_unknown_from_the_ground(struct draft *d)
{
    follows_unknown(d);
    json_put_int(d->pdu, "depth", 0);
}

static void follows_nothing(struct draft *d)
{
    json_put_array(d->pdu, STR("prev_events"));
}

static void follows_too_many(struct draft *d)
{
    struct json *prevs = json_get_array(d->pdu, "prev_events");
    for (int i = 0; i < EVENT_PREV_MAX + 5; i++) {
        json_push_text(prevs, unknown_id(d->liar, d->a));
    }
}

static void is_at_the_end_of_depth(struct draft *d)
{
    json_put_int(d->pdu, "depth", EVENT_DEPTH_MAX);
}

static void is_of_another_age(struct draft *d)
{
    json_put_int(d->pdu, "origin_server_ts", EVENT_DEPTH_MAX);
}

static void is_too_large(struct draft *d)
{
    char *text = arena_alloc(d->a, OVERSIZE);
    memset(text, 'x', OVERSIZE);
    json_put_text(json_get_object(d->pdu, "content"), "body", str_make(text, OVERSIZE));
}

static void has_no_signature(struct draft *d)
{
    json_remove(d->pdu, STR("signatures"));
}

static void has_a_bad_signature(struct draft *d)
{
    json_put_int(d->pdu, "depth", json_get_int(d->pdu, "depth", 1) ^ 1);
}

static void has_another_content(struct draft *d)
{
    json_put_text(json_get_object(d->pdu, "content"), "body", STR("exchanged"));
}

static void has_no_type(struct draft *d)
{
    json_remove(d->pdu, STR("type"));
}

static void is_of_another_room(struct draft *d)
{
    json_put_text(d->pdu, "room_id", STR("!nowhere:localhost"));
}

struct twist {
    void (*before)(struct draft *d); /* it is signed; NULL: nothing */
    void (*after)(struct draft *d);
};

static const struct twist twists[] = {
    {NULL, NULL}, /* now and then the truth */
    {NULL, NULL},
    {as_another, NULL},
    {as_another_joins, NULL},
    {kicks, NULL},
    {bans, NULL},
    {joins_another, NULL},
    {takes_power, NULL},
    {creates, NULL},
    {sets_topic, NULL},
    {redacts, NULL},
    {cites_wrongly, NULL},
    {cites_nothing, NULL},
    {cites_unknown, NULL},
    {follows_unknown, NULL},
    {follows_unknown, cites_unknown},
    {follows_unknown_from_the_ground, NULL},
    {follows_nothing, NULL},
    {follows_too_many, NULL},
    {is_at_the_end_of_depth, NULL},
    {is_of_another_age, NULL},
    {is_too_large, NULL},
    {is_of_another_room, NULL},
    {NULL, has_no_signature},
    {NULL, has_a_bad_signature},
    {NULL, has_another_content},
    {NULL, has_no_type},
};

static struct json *seal(struct draft *d)
{
    struct event_signer signer = liar_signer(d->liar);
    struct str sealed;
    if (seal_sign(d->a, room_version_default(), d->pdu, &signer, &sealed) != ERR_NONE) {
        world_fail(d->liar->world, "the liar cannot sign");
    }
    return d->pdu;
}

static struct json *twisted(struct liar *liar, struct arena *a)
{
    struct draft d = draft_message(liar, a);
    const struct twist *twist = &twists[rng_below(&liar->rng, COUNT_OF(twists))];
    if (twist->before != NULL) {
        twist->before(&d);
    }
    (void)seal(&d);
    if (twist->after != NULL) {
        twist->after(&d);
    }
    return d.pdu;
}

static struct json *replayed(struct liar *liar, struct arena *a)
{
    const struct heard *heard = recall(liar);
    struct json *pdu = NULL;
    if (heard == NULL || json_parse(a, str_of(heard->json), &pdu, NULL) != ERR_NONE) {
        return json_object(a);
    }
    return pdu;
}

/* --- attacks ------------------------------------------------------------------------------- */

static size_t any_node(struct liar *liar)
{
    return (size_t)rng_below(&liar->rng, liar->world->n_nodes);
}

static void transact(struct liar *liar, struct arena *a, size_t node, struct json *pdus,
                     struct json *edus)
{
    struct json *body = json_object(a);
    json_put_text(body, "origin", net_peer_id(liar->net));
    json_put_int(body, "origin_server_ts", 1700000000000 + liar->world->now_ms);
    json_put(body, STR("pdus"), pdus);
    json_put(body, STR("edus"), edus);
    struct str path = arena_fmt(a, "/_matrix/federation/v1/send/l%llu",
                                (unsigned long long)rng_below(&liar->rng, 100000));
    liar_ask(liar, node, "PUT", path, json_str(a, body));
}

static void send_twisted(struct liar *liar, struct arena *a)
{
    struct json *pdus = json_array(a);
    for (uint64_t n = 1 + rng_below(&liar->rng, 3); n > 0; n--) {
        json_push(pdus, twisted(liar, a));
    }
    transact(liar, a, any_node(liar), pdus, json_array(a));
}

/* Two servers hear different things at the same place. */
static void equivocate(struct liar *liar, struct arena *a)
{
    struct draft one = draft_message(liar, a);
    struct draft other = {.liar = liar, .a = a, .pdu = json_copy(a, one.pdu)};
    json_put_text(json_get_object(other.pdu, "content"), "body", STR("the contrary"));
    size_t node = any_node(liar);
    struct json *first = json_array(a);
    struct json *second = json_array(a);
    json_push(first, seal(&one));
    json_push(second, seal(&other));
    transact(liar, a, node, first, json_array(a));
    transact(liar, a, (node + 1) % liar->world->n_nodes, second, json_array(a));
}

static void replay(struct liar *liar, struct arena *a)
{
    struct json *pdus = json_array(a);
    for (int i = 0; i < 20; i++) {
        json_push(pdus, replayed(liar, a));
    }
    transact(liar, a, any_node(liar), pdus, json_array(a));
}

static void flood(struct liar *liar, struct arena *a)
{
    struct json *pdus = json_array(a);
    for (int i = 0; i < FLOOD; i++) {
        struct draft d = draft_message(liar, a);
        follows_unknown_from_the_ground(&d);
        json_push(pdus, seal(&d));
    }
    transact(liar, a, any_node(liar), pdus, json_array(a));
}

/* clang-format off */
static const char *const edus[] = {
    "{\"edu_type\":\"m.typing\",\"content\":{\"room_id\":\"%s\",\"user_id\":\"%s\",\"typing\":true}}",
    "{\"edu_type\":\"m.receipt\",\"content\":{\"%s\":{\"m.read\":{\"%s\":{\"event_ids\":[\"$x\"],\"data\":{\"ts\":1}}}}}}",
    "{\"edu_type\":\"m.presence\",\"content\":{\"room\":\"%s\",\"push\":[{\"user_id\":\"%s\",\"presence\":\"online\"}]}}",
    "{\"edu_type\":\"m.device_list_update\",\"content\":{\"room\":\"%s\",\"user_id\":\"%s\",\"device_id\":\"A\",\"stream_id\":1}}",
    "{\"edu_type\":\"m.direct_to_device\",\"content\":{\"room\":\"%s\",\"sender\":\"%s\",\"type\":\"sim.letter\",\"message_id\":\"1\"}}",
    "{\"edu_type\":\"%s%s\",\"content\":[]}",
    "[\"%s\",\"%s\"]",
};
/* clang-format on */

/* In the name of somebody else. */
static void send_notices(struct liar *liar, struct arena *a)
{
    struct json *list = json_array(a);
    for (size_t i = 0; i < COUNT_OF(edus); i++) {
        struct json *edu;
        struct buf text;
        buf_init_in(&text, a, HTTP_BODY_MAX);
        const char *rest = edus[i];
        struct str words[] = {room_id(liar), str_of(victim_of(liar)->id)};
        for (size_t k = 0; k < COUNT_OF(words); k++) {
            const char *at = strstr(rest, "%s");
            buf_add(&text, str_make(rest, (size_t)(at - rest)));
            buf_add(&text, words[k]);
            rest = at + 2;
        }
        buf_add(&text, str_of(rest));
        if (json_parse(a, buf_str(&text), &edu, NULL) == ERR_NONE) {
            json_push(list, edu);
        }
    }
    transact(liar, a, any_node(liar), json_array(a), list);
}

static void send_rubbish(struct liar *liar, struct arena *a)
{
    static const char *const rubbish[] = {
        "",
        "[]",
        "{",
        "{\"pdus\":{}}",
        "{\"pdus\":[1,null,[],\"x\",{}],\"edus\":[1,null,{}]}",
        "{\"pdus\":[],\"edus\":[],\"origin\":7}",
        "\xff\xfe",
    };
    struct str path =
        arena_fmt(a, "/_matrix/federation/v1/send/r%lld", (long long)liar->world->now_ms);
    liar_ask(liar, any_node(liar), "PUT", path,
             str_of(rubbish[rng_below(&liar->rng, COUNT_OF(rubbish))]));
}

/* Questions and demands that are not its own to make. */
static void demand(struct liar *liar, struct arena *a)
{
    static const struct {
        const char *method, *before, *after;
    } demands[] = {
        {"GET", "v1/make_join/", "/@u0:elsewhere?ver=11"},
        {"PUT", "v2/send_join/", "/$x"},
        {"PUT", "v1/send_join/", "/$x"},
        {"PUT", "v2/send_leave/", "/$x"},
        {"PUT", "v2/invite/", "/$x"},
        {"PUT", "v1/send_knock/", "/$x"},
        {"GET", "v1/backfill/", "?v=$x&limit=100000"},
        {"GET", "v1/state/", "?event_id=$x"},
        {"GET", "v1/event_auth/", "/$x"},
        {"POST", "v1/get_missing_events/", ""},
    };
    size_t i = (size_t)rng_below(&liar->rng, COUNT_OF(demands));
    bool is_get = strcmp(demands[i].method, "GET") == 0;
    struct str path = arena_fmt(a, "/_matrix/federation/%s%.*s%s", demands[i].before,
                                STR_ARG(percent_write(a, room_id(liar))), demands[i].after);
    liar_ask(liar, any_node(liar), demands[i].method, path,
             is_get ? STR("") : json_str(a, twisted(liar, a)));
}

static void (*const attacks[])(struct liar *liar, struct arena *a) = {
    send_twisted, send_twisted, send_twisted, equivocate,   replay,
    flood,        send_notices, send_rubbish, send_twisted, demand,
};

void lies_attack(struct liar *liar)
{
    struct arena *a = arena_new();
    attacks[rng_below(&liar->rng, COUNT_OF(attacks))](liar, a);
    arena_free(a);
}

/* --- answers ------------------------------------------------------------------------------- */

/* Of every form at once: whoever asked finds there what he looks for, and it is not true. */
static struct str falsehood(struct liar *liar, struct arena *a)
{
    static const char *const lists[] = {"pdus", "events", "auth_chain", "state", "auth_events"};
    struct json *out = json_object(a);
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        struct json *list = json_put_array(out, str_of(lists[i]));
        for (uint64_t n = rng_below(&liar->rng, 6); n > 0; n--) {
            json_push(list, rng_one_in(&liar->rng, 3) ? replayed(liar, a) : twisted(liar, a));
        }
    }
    json_put(out, STR("event"), twisted(liar, a));
    json_put_text(out, "room_version", room_version_default()->name);
    json_put_text(out, "origin", str_of("nobody"));
    json_put_text(out, "room_id", room_id(liar));
    json_push_text(json_put_array(out, STR("servers")), net_peer_id(liar->net));
    json_put_int(json_put_object(out, STR("device_keys")), "x", 1);
    return json_str(a, out);
}

static const struct {
    int status; /* 0: none ever comes */
    const char *body;
} empty_words[] = {
    {0, ""},
    {200, ""},
    {200, "{}"},
    {200, "[]"},
    {200, "<html>"},
    {403, "{}"},
    {404, "{\"errcode\":\"M_NOT_FOUND\"}"},
    {500, "oops"},
    {200, "null"},
    {302, ""},
};

bool lies_answer(struct liar *liar, struct arena *a, const struct http_head *head, int *status,
                 struct str *body)
{
    uint64_t drawn = rng_below(&liar->rng, 2 * COUNT_OF(empty_words));
    bool is_news = str_starts(head->path, STR("/_matrix/federation/v1/send/"));
    *status = 200;
    *body = STR("{\"pdus\":{}}");
    if (is_news && !rng_one_in(&liar->rng, 4)) {
        return true; /* else it would hear nothing more */
    }
    if (drawn < COUNT_OF(empty_words)) {
        *status = empty_words[drawn].status;
        *body = str_of(empty_words[drawn].body);
    } else {
        *body = falsehood(liar, a);
    }
    world_trace(liar->world, "the liar answers %d to %.*s", *status,
                (int)(head->path.n < 60 ? head->path.n : 60), head->path.p);
    return *status != 0;
}

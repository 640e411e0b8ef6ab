/* A peer without a homeserver: the stack of src/net, and a join. */
#include "test/sim/liar.h"

#include "base/encode.h"
#include "event/mxid.h"
#include "event/seal.h"
#include "test/sim/station.h"

#include <stdio.h>
#include <string.h>

#define UNIX_START_MS 1700000000000
#define INCARNATION 1
#define CALL_MS 20000

static struct now now_of(const struct liar *liar)
{
    int64_t ms = liar->world->now_ms;
    return (struct now){.mono_ms = ms + 1, .unix_ms = UNIX_START_MS + ms};
}

static void wakes(void *ctx, uint64_t serial);

/* After each input. */
static void settle(struct liar *liar)
{
    int64_t at = net_next_ms(liar->net);
    liar->wake_serial++;
    if (at >= 0) {
        int64_t in_ms = at - now_of(liar).mono_ms;
        agenda_put(&liar->world->agenda, liar->world->now_ms + (in_ms > 0 ? in_ms : 0), wakes, liar,
                   liar->wake_serial);
    }
}

static void wakes(void *ctx, uint64_t serial)
{
    struct liar *liar = ctx;
    if (serial == liar->wake_serial) {
        net_tick(liar->net, now_of(liar));
        settle(liar);
    }
}

/* --- websockets ---------------------------------------------------------------------------- */

static void link_up(void *ctx, uint64_t incarnation, uint64_t link)
{
    struct liar *liar = ctx;
    (void)incarnation;
    net_link_up(liar->net, now_of(liar), link);
    settle(liar);
}

static void link_message(void *ctx, uint64_t incarnation, uint64_t link, struct str message,
                         bool is_text)
{
    struct liar *liar = ctx;
    (void)incarnation;
    net_link_message(liar->net, now_of(liar), link, message, is_text);
    settle(liar);
}

static void link_room(void *ctx, uint64_t incarnation, uint64_t link, size_t room)
{
    struct liar *liar = ctx;
    (void)incarnation;
    net_link_room(liar->net, now_of(liar), link, room);
    settle(liar);
}

static void link_down(void *ctx, uint64_t incarnation, uint64_t link, struct str why)
{
    struct liar *liar = ctx;
    (void)incarnation;
    net_link_down(liar->net, now_of(liar), link, why);
    settle(liar);
}

static void on_random(void *ctx, void *out, size_t n)
{
    struct liar *liar = ctx;
    rng_fill(&liar->rng, out, n);
}

static void on_dial(void *ctx, uint64_t link, struct str url)
{
    struct liar *liar = ctx;
    wire_dial(liar->world->wire, &liar->endpoint, INCARNATION, link, url);
}

static void on_send(void *ctx, uint64_t link, struct str message, bool is_text)
{
    struct liar *liar = ctx;
    wire_send(liar->world->wire, &liar->endpoint, INCARNATION, link, message, is_text);
}

static void on_close(void *ctx, uint64_t link)
{
    struct liar *liar = ctx;
    wire_close(liar->world->wire, &liar->endpoint, INCARNATION, link);
}

static void on_peer_seen(void *ctx, struct str peer_id, struct str address)
{
    (void)ctx;
    (void)peer_id;
    (void)address;
}

static void on_peer_gone(void *ctx, struct str peer_id)
{
    (void)ctx;
    (void)peer_id;
}

/* --- what it hears ------------------------------------------------------------------------- */

static void keep(char *out, size_t size, struct str text)
{
    snprintf(out, size, "%.*s", STR_ARG(text));
}

static void hear(struct liar *liar, struct arena *a, const struct json *pdu)
{
    struct event *ev;
    if (event_parse(a, room_version_default(), json_copy(a, pdu), &ev, NULL) != ERR_NONE ||
        !str_eq(ev->room_id, str_of(liar->world->rooms[0].id)) || ev->id.n >= LIAR_ID) {
        return;
    }
    struct heard *heard = &liar->heard[liar->n_heard++ % LIAR_HEARD_MAX];
    base_free(heard->json);
    heard->json = base_alloc(ev->json.n + 1);
    memcpy(heard->json, ev->json.p, ev->json.n);
    keep(heard->id, sizeof(heard->id), ev->id);
    heard->depth = ev->depth;
    if (event_is(ev, STR("m.room.create"), STR(""))) {
        keep(liar->create_id, sizeof(liar->create_id), ev->id);
    } else if (event_is(ev, STR("m.room.power_levels"), STR(""))) {
        keep(liar->power_id, sizeof(liar->power_id), ev->id);
    }
}

static void hear_all(struct liar *liar, struct arena *a, const struct json *pdus)
{
    for (const struct json *p = json_first(pdus); p != NULL; p = json_next(p)) {
        hear(liar, a, p);
    }
}

static void on_request(void *ctx, uint64_t stream, struct str peer_id, const struct http_head *head,
                       struct str body)
{
    struct liar *liar = ctx;
    struct arena *a = arena_new();
    struct json *json;
    int status;
    struct str answer;
    (void)peer_id;
    if (body.n > 0 && json_parse(a, body, &json, NULL) == ERR_NONE) {
        hear_all(liar, a, json_get_array(json, "pdus"));
    }
    if (lies_answer(liar, a, head, &status, &answer)) {
        net_answer(liar->net, now_of(liar), stream, status,
                   STR("content-type: application/json\r\n"), answer);
    }
    arena_free(a);
}

/* --- what it asks -------------------------------------------------------------------------- */

struct event_signer liar_signer(const struct liar *liar)
{
    return (struct event_signer){net_peer_id(liar->net), mxid_peer_key_id(), &liar->key};
}

static uint64_t call(struct liar *liar, size_t node, const char *method, struct str path,
                     struct str body)
{
    struct arena *a = arena_new();
    struct buf text;
    struct str auth = STR("");
    struct json *content = NULL;
    struct str name = station_server_name(liar->world->nodes[node]);
    struct event_signer signer = liar_signer(liar);
    if (json_parse(a, body, &content, NULL) != ERR_NONE) {
        content = NULL; /* nobody could check a signature over it */
    }
    struct seal_request request = {str_of(method), path, name, content};
    if (seal_request_sign(a, &request, &signer, &auth) != ERR_NONE) {
        world_trace(liar->world, "the liar cannot sign its request");
    }
    buf_init_in(&text, a, HTTP_HEAD_MAX + HTTP_BODY_MAX);
    buf_add_fmt(&text,
                "%s %.*s HTTP/1.1\r\nhost: %.*s\r\nauthorization: %.*s\r\n"
                "content-length: %zu\r\n\r\n",
                method, STR_ARG(path), STR_ARG(name), STR_ARG(auth), body.n);
    buf_add(&text, body);
    liar->call_serial++;
    net_call(liar->net, now_of(liar), name, liar->call_serial, buf_str(&text), CALL_MS);
    arena_free(a);
    settle(liar);
    return liar->call_serial;
}

void liar_ask(struct liar *liar, size_t node, const char *method, struct str path, struct str body)
{
    world_trace(liar->world, "the liar asks node %zu: %s %.*s", node, method, STR_ARG(path));
    (void)call(liar, node, method, path, body);
}

/* --- the join ------------------------------------------------------------------------------ */

static void ask_template(struct liar *liar)
{
    struct arena *a = arena_new();
    struct str path = arena_fmt(a, "/_matrix/federation/v1/make_join/%.*s/%.*s?ver=%.*s",
                                STR_ARG(percent_write(a, str_of(liar->world->rooms[0].id))),
                                STR_ARG(percent_write(a, str_of(liar->user_id))),
                                STR_ARG(room_version_default()->name));
    liar->join_call = call(liar, 0, "GET", path, STR(""));
    arena_free(a);
}

static void send_join(struct liar *liar, struct arena *a, struct json *template)
{
    struct event *ev;
    struct event_signer signer = liar_signer(liar);
    if (template == NULL ||
        event_complete(a, room_version_default(), template, &signer, &ev, NULL) != ERR_NONE) {
        return;
    }
    keep(liar->join_id, sizeof(liar->join_id), ev->id);
    struct str path =
        arena_fmt(a, "/_matrix/federation/v2/send_join/%.*s/%.*s",
                  STR_ARG(percent_write(a, ev->room_id)), STR_ARG(percent_write(a, ev->id)));
    liar->join_call = call(liar, 0, "PUT", path, ev->json);
}

static void on_answer(void *ctx, uint64_t number, int status, struct str why,
                      const struct http_head *head, struct str body)
{
    struct liar *liar = ctx;
    struct arena *a = arena_new();
    struct json *json;
    (void)head;
    world_trace(liar->world, "the liar is answered %d %.*s", status, STR_ARG(why));
    if (number == liar->join_call) {
        liar->join_call = 0;
        if (status != 200 || json_parse(a, body, &json, NULL) != ERR_NONE) {
            /* once more, later */
        } else if (json_get_array(json, "state") != NULL) {
            hear_all(liar, a, json_get_array(json, "state"));
            liar->is_in = true;
            world_trace(liar->world, "the liar is in");
        } else {
            send_join(liar, a, json_get_object(json, "event"));
        }
    }
    arena_free(a);
}

static void acts(void *ctx, uint64_t word)
{
    struct liar *liar = ctx;
    struct world *world = liar->world;
    (void)word;
    if (world->is_failed || world->is_clear) {
        return;
    }
    if (liar->is_in) {
        if (schedule_next(&world->schedule, HAPPENS_ATTACK)) {
            lies_attack(liar);
        }
    } else if (liar->join_call == 0 && world->rooms[0].id[0] != '\0') {
        ask_template(liar);
    }
    agenda_put(&world->agenda, world->now_ms + rng_between(&liar->rng, 50, 1500), acts, liar, 0);
}

/* --- the whole ----------------------------------------------------------------------------- */

struct liar *liar_new(struct world *world, size_t relays)
{
    struct liar *liar = base_alloc(sizeof(*liar));
    struct str urls[WIRE_RELAYS_MAX];
    uint8_t seed[SIGN_SEED_SIZE];
    *liar = (struct liar){.world = world};
    rng_init(&liar->rng, world->seed ^ 0x11A12);
    rng_fill(&liar->rng, seed, sizeof(seed));
    sign_key_from_seed(&liar->key, seed);
    liar->endpoint = (struct endpoint){.index = WORLD_NODES_MAX,
                                       .ctx = liar,
                                       .up = link_up,
                                       .message = link_message,
                                       .room = link_room,
                                       .down = link_down};
    for (size_t i = 0; i < relays; i++) {
        urls[i] = wire_relay_url(i);
    }
    struct net_config config = {.calls = {.ctx = liar,
                                          .random = on_random,
                                          .dial = on_dial,
                                          .send = on_send,
                                          .close = on_close,
                                          .peer_seen = on_peer_seen,
                                          .peer_gone = on_peer_gone,
                                          .request = on_request,
                                          .answer = on_answer},
                                .identity = liar->key,
                                .relays = {urls, relays}};
    liar->net = net_new(&config);
    snprintf(liar->user_id, sizeof(liar->user_id), "@liar:%.*s", STR_ARG(net_peer_id(liar->net)));
    net_tick(liar->net, now_of(liar));
    settle(liar);
    agenda_put(&world->agenda, rng_between(&liar->rng, 100, 2000), acts, liar, 0);
    return liar;
}

void liar_free(struct liar *liar)
{
    if (liar == NULL) {
        return;
    }
    net_free(liar->net);
    for (size_t i = 0; i < LIAR_HEARD_MAX; i++) {
        base_free(liar->heard[i].json);
    }
    base_free(liar);
}

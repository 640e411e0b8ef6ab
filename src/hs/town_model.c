/* The network of the town stands for src/net: every function of net/link.h that the core calls. */
#include "hs/town_model.h"

#include "base/arena.h"
#include "base/encode.h"
#include "engine/engine.h"
#include "event/seal.h"
#include "net/link.h"

#include <stdarg.h>
#include <stdio.h>

enum { PARCELS_MAX = 20000, ROUNDS_MAX = 10000 };

/* --- the network's double --------------------------------------------------------------------- */

struct net {
    struct net_config config;
    struct house *house;
};

struct net *net_new(const struct net_config *config)
{
    struct net *net = base_alloc(sizeof(*net));
    net->config = *config;
    return net;
}

void net_free(struct net *net)
{
    base_free(net);
}

void net_call(struct net *net, struct now now, struct str peer_id, uint64_t call,
              struct str request, int64_t timeout_ms)
{
    struct town *t = net->house->town;
    struct parcel *p = &t->parcels[t->n_parcels];
    (void)now;
    (void)timeout_ms;
    assert(t->n_parcels < PARCELS_MAX);
    t->n_parcels++;
    *p = (struct parcel){.from = (int)(net->house - t->houses), .to = -1, .id = call};
    for (int i = 0; i < t->n; i++) {
        if (str_eq(town_name(t, i), peer_id)) {
            p->to = i;
        }
    }
    struct http_head head;
    struct str text = arena_str(t->a, request);
    long n = http_parse_request(text, &head);
    assert(n > 0);
    p->head = str_sub(text, 0, (size_t)n);
    p->body = str_from(text, (size_t)n);
    p->line = arena_fmt(t->a, "%.*s %.*s", STR_ARG(head.method_text), STR_ARG(head.target));
}

void net_answer(struct net *net, struct now now, uint64_t stream, int status, struct str headers,
                struct str body)
{
    struct town *t = net->house->town;
    (void)now;
    (void)headers;
    assert(stream < t->n_parcels);
    t->parcels[stream].status = status;
    t->parcels[stream].answer = arena_str(t->a, body);
}

size_t net_peer_count(const struct net *net)
{
    return (size_t)net->house->town->n - 1;
}

struct net_peer_info net_peer_info(const struct net *net, size_t i)
{
    struct town *t = net->house->town;
    size_t self = (size_t)(net->house - t->houses);
    size_t at = i < self ? i : i + 1;
    return (struct net_peer_info){
        .id = town_name(t, (int)at), .connected = !t->houses[at].is_away, .rtt_ms = -1};
}

bool net_is_peer_known(const struct net *net, struct str peer_id)
{
    for (size_t i = 0; i < net_peer_count(net); i++) {
        if (str_eq(net_peer_info(net, i).id, peer_id)) {
            return true;
        }
    }
    return false;
}

void net_tick(struct net *net, struct now now)
{
    (void)net;
    (void)now;
}

int64_t net_next_ms(const struct net *net)
{
    (void)net;
    return -1;
}

size_t net_relay_count(const struct net *net)
{
    (void)net;
    return 0;
}

struct net_relay_info net_relay_info(const struct net *net, size_t i)
{
    (void)net;
    (void)i;
    return (struct net_relay_info){0};
}

const char *net_relay_state_name(enum net_relay_state state)
{
    (void)state;
    return "";
}

void net_link_up(struct net *net, struct now now, uint64_t link)
{
    (void)net;
    (void)now;
    (void)link;
}

void net_link_message(struct net *net, struct now now, uint64_t link, struct str message,
                      bool is_text)
{
    (void)message;
    (void)is_text;
    net_link_up(net, now, link);
}

void net_link_room(struct net *net, struct now now, uint64_t link, size_t room)
{
    (void)room;
    net_link_up(net, now, link);
}

void net_link_down(struct net *net, struct now now, uint64_t link, struct str why)
{
    (void)why;
    net_link_up(net, now, link);
}

/* --- houses ----------------------------------------------------------------------------------- */

static void on_random(void *ctx, void *out, size_t n)
{
    struct house *h = ctx;
    rng_fill(&h->rng, out, n);
}

static void on_log(void *ctx, enum log_level level, struct str line)
{
    const struct house *h = ctx;
    if (h->town->log != NULL) {
        h->town->log(h->town, (int)(h - h->town->houses), level, line);
    }
}

/* Ends the turn and takes what comes of it. True: something happened. */
static bool turn(struct town *t, struct house *h)
{
    struct effect e;
    bool moved = false;
    size_t parcels = t->n_parcels;
    hs_turn(h->hs, t->now);
    while (hs_next(h->hs, &e)) {
        if (e.kind == EFFECT_FLUSH) {
            hs_flushed(h->hs, t->now, e.id, true);
        } else if (e.kind == EFFECT_RESPOND) {
            moved = true;
            assert(e.id < TOWN_ASKED_MAX);
            t->asked[e.id] = e.status;
            if (json_parse(t->a, e.bytes, &t->answer, NULL) != ERR_NONE) {
                t->answer = NULL;
            }
        } else if (e.kind == EFFECT_WAKE) {
            h->wake_ms = e.at_mono_ms;
        } else if (e.kind == EFFECT_RESTART) {
            h->restarted = true;
        }
    }
    return moved || t->n_parcels > parcels;
}

static enum err house_open(struct town *t, int house, struct str path, const char *vfs)
{
    struct house *h = &t->houses[house];
    struct str relay = STR("ws://127.0.0.1:1");
    struct hs_config config = {.db_path = path,
                               .vfs = vfs,
                               .wasm_pragmas = vfs == NULL,
                               .build_id = STR("test"),
                               .relays = {&relay, 1},
                               .password_memory_kib = 8};
    struct host host = {h, on_random, on_log};
    const char *why = "";
    uint32_t openings = h->openings;
    *h = (struct house){.town = t,
                        .rng = {(uint64_t)house + 1 + openings * TOWN_MAX},
                        .wake_ms = -1,
                        .openings = openings + 1};
    TRY(hs_open(&h->hs, &config, &host, t->now, &why));
    h->hs->net->house = h;
    return ERR_NONE;
}

struct town *town_new(int n)
{
    struct arena *a = arena_new();
    struct town *t = ARENA_NEW(a, struct town);
    t->a = a;
    t->n = n;
    t->now = (struct now){1000, 1700000000000};
    t->parcels = base_alloc(PARCELS_MAX * sizeof(*t->parcels));
    for (int i = 0; i < n; i++) {
        enum err err = house_open(t, i, STR(":memory:"), NULL);
        assert(err == ERR_NONE);
    }
    town_run(t);
    return t;
}

void town_free(struct town *t)
{
    for (int i = 0; i < t->n; i++) {
        hs_close(t->houses[i].hs);
    }
    base_free(t->parcels);
    arena_free(t->a);
}

struct str town_name(struct town *t, int house)
{
    return hs_server_name(t->houses[house].hs);
}

/* --- what moves ------------------------------------------------------------------------------- */

/* Neither heard nor reached: away, or dead and not opened again. */
static bool is_gone(const struct house *h)
{
    return h->is_away || h->restarted;
}

static void deliver(struct town *t, struct parcel *p)
{
    struct http_head head;
    struct hs *hs = t->houses[p->to].hs;
    long n = http_parse_request(p->head, &head);
    assert(n > 0);
    hs->now = t->now;
    hs->net->config.calls.request(hs, (uint64_t)(p - t->parcels), town_name(t, p->from), &head,
                                  p->body);
}

static void give_back(struct town *t, struct parcel *p, const char *why)
{
    struct http_head head = {.status = p->status};
    p->is_done = true;
    if (p->id == 0 || t->houses[p->from].restarted) { /* the test's own, or nobody's any more */
        return;
    }
    struct hs *hs = t->houses[p->from].hs;
    hs->now = t->now;
    hs->net->config.calls.answer(hs, p->id, p->status, str_of(why), &head, p->answer);
}

enum err town_open(struct town *t, int house, struct str path, const char *vfs)
{
    for (size_t i = t->first; i < t->n_parcels; i++) {
        struct parcel *p = &t->parcels[i];
        if (p->from == house) {
            p->is_done = true;
        } else if (p->to == house && p->is_sent && !p->is_done) {
            p->status = 0;
            give_back(t, p, "the connection broke");
        }
    }
    hs_close(t->houses[house].hs);
    return house_open(t, house, path, vfs);
}

/* One step of a parcel. True: it moved. */
static bool carry(struct town *t, struct parcel *p)
{
    bool is_answer = p->status != 0;
    if (p->is_done || p->is_held || (p->is_sent && !is_answer)) {
        return false;
    }
    enum fate fate = t->rule == NULL ? FATE_PASS : t->rule(t, p);
    bool is_cut = p->to < 0 || is_gone(&t->houses[p->to]) || is_gone(&t->houses[p->from]);
    if (fate == FATE_HOLD) {
        p->is_held = true;
    } else if (fate == FATE_LOSE || is_cut) {
        p->status = 0;
        p->answer = STR("");
        give_back(t, p, "nobody is there");
    } else if (p->status != 0) { /* also a request that the rule has answered */
        give_back(t, p, "");
    } else {
        p->is_sent = true;
        deliver(t, p);
    }
    return fate != FATE_HOLD;
}

void town_run(struct town *t)
{
    bool moved = true;
    for (int round = 0; moved && round < ROUNDS_MAX; round++) {
        moved = false;
        for (int i = 0; i < t->n; i++) {
            moved = turn(t, &t->houses[i]) || moved;
        }
        while (t->first < t->n_parcels && t->parcels[t->first].is_done) {
            t->first++;
        }
        for (size_t i = t->first; i < t->n_parcels; i++) {
            moved = carry(t, &t->parcels[i]) || moved;
        }
    }
    assert(!moved);
}

void town_pass(struct town *t, int64_t ms)
{
    int64_t end = t->now.mono_ms + ms;
    town_run(t);
    while (t->now.mono_ms < end) {
        int64_t next = end;
        for (int i = 0; i < t->n; i++) {
            int64_t wake = t->houses[i].wake_ms;
            if (wake > t->now.mono_ms && wake < next) {
                next = wake;
            }
        }
        t->now.unix_ms += next - t->now.mono_ms;
        t->now.mono_ms = next;
        town_run(t);
    }
}

void town_let_go(struct town *t)
{
    for (size_t i = t->first; i < t->n_parcels; i++) {
        t->parcels[i].is_held = false;
    }
    town_run(t);
}

void town_release(struct town *t)
{
    t->rule = NULL;
    town_let_go(t);
}

/* --- what people do --------------------------------------------------------------------------- */

struct str town_text(struct town *t, const char *format, ...)
{
    char text[4096];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    assert(n >= 0 && (size_t)n < sizeof(text));
    return arena_str(t->a, str_make(text, (size_t)n));
}

uint64_t town_begin(struct town *t, int house, const char *who, const char *line, const char *body)
{
    uint64_t id = t->next_id + 1;
    struct str head = town_text(t, "%s HTTP/1.1\r\nhost: x\r\n%s\r\n", line, who);
    assert(id < TOWN_ASKED_MAX);
    t->next_id = id;
    t->asked[id] = 0;
    t->answer = NULL;
    hs_request(t->houses[house].hs, t->now, id, head, str_of(body));
    town_run(t);
    return id;
}

int town_ask(struct town *t, int house, const char *who, const char *line, const char *body)
{
    return t->asked[town_begin(t, house, who, line, body)];
}

const char *town_user(struct town *t, int house, const char *name)
{
    struct str body = town_text(
        t, "{\"username\":\"%s\",\"password\":\"p\",\"auth\":{\"type\":\"m.login.dummy\"}}", name);
    int status = town_ask(t, house, "", "POST /_matrix/client/v3/register", body.p);
    assert(status == 200);
    struct str token = json_get_text(t->answer, "access_token");
    return town_text(t, "authorization: Bearer %.*s\r\n", STR_ARG(token)).p;
}

const char *town_user_id(struct town *t, int house, const char *name)
{
    return town_text(t, "@%s:%.*s", name, STR_ARG(town_name(t, house))).p;
}

struct json *town_signed(struct town *t, int house, struct json *object)
{
    struct event_signer signer = hs_signer(t->houses[house].hs);
    enum err err = seal_json_sign(t->a, object, &signer);
    assert(err == ERR_NONE);
    return object;
}

int town_serve(struct town *t, int from, int to, const char *line, const char *body)
{
    struct str method;
    struct str target;
    struct json *content = NULL;
    struct event_signer signer = hs_signer(t->houses[from].hs);
    struct parcel *p = &t->parcels[t->n_parcels];
    bool is_cut = str_cut(str_of(line), ' ', &method, &target);
    struct str auth;
    assert(is_cut && t->n_parcels < PARCELS_MAX);
    if (body[0] != 0) {
        enum err err = json_parse(t->a, str_of(body), &content, NULL);
        assert(err == ERR_NONE);
    }
    struct seal_request request = {method, target, town_name(t, to), content};
    enum err err = seal_request_sign(t->a, &request, &signer, &auth);
    assert(err == ERR_NONE);
    t->n_parcels++;
    *p = (struct parcel){.from = from, .to = to, .line = arena_str(t->a, str_of(line))};
    p->head =
        town_text(t, "%s HTTP/1.1\r\nhost: x\r\nauthorization: %.*s\r\n\r\n", line, STR_ARG(auth));
    p->body = arena_str(t->a, str_of(body));
    town_run(t);
    t->answer = NULL;
    if (json_parse(t->a, p->answer, &t->answer, NULL) != ERR_NONE) {
        t->answer = NULL;
    }
    return p->status;
}

/* --- rooms ------------------------------------------------------------------------------------ */

struct str town_room(struct town *t, int house, const char *who, const char *body)
{
    int status = town_ask(t, house, who, "POST /_matrix/client/v3/createRoom", body);
    assert(status == 200);
    return json_get_text(t->answer, "room_id");
}

bool town_join(struct town *t, int house, const char *who, struct str room, int through)
{
    struct str line = town_text(t, "POST /_matrix/client/v3/join/%.*s?server_name=%.*s",
                                STR_ARG(percent_write(t->a, room)), STR_ARG(town_name(t, through)));
    return town_ask(t, house, who, line.p, "{}") == 200;
}

bool town_leave(struct town *t, int house, const char *who, struct str room)
{
    struct str line = town_text(t, "POST /_matrix/client/v3/rooms/%.*s/leave",
                                STR_ARG(percent_write(t->a, room)));
    return town_ask(t, house, who, line.p, "{}") == 200;
}

struct str town_put(struct town *t, int house, const char *who, struct str room, const char *what,
                    const char *content)
{
    struct str line = town_text(t, "PUT /_matrix/client/v3/rooms/%.*s/%s",
                                STR_ARG(percent_write(t->a, room)), what);
    return town_ask(t, house, who, line.p, content) == 200 ? json_get_text(t->answer, "event_id")
                                                           : STR_ABSENT;
}

struct str town_say(struct town *t, int house, const char *who, struct str room, const char *text)
{
    struct str what = town_text(t, "send/m.room.message/t%llu", (unsigned long long)t->next_id);
    return town_put(t, house, who, room, what.p,
                    town_text(t, "{\"msgtype\":\"m.text\",\"body\":\"%s\"}", text).p);
}

bool town_sees(struct town *t, int house, const char *who, struct str room, struct str event_id)
{
    struct str line =
        town_text(t, "GET /_matrix/client/v3/rooms/%.*s/event/%.*s",
                  STR_ARG(percent_write(t->a, room)), STR_ARG(percent_write(t->a, event_id)));
    return town_ask(t, house, who, line.p, "") == 200;
}

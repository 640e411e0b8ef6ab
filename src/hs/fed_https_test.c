/* A homeserver that federates over HTTPS, and another one that this test plays. */
#include "hs/town_model.h"

#include "base/encode.h"
#include "engine/engine.h"
#include "event/seal.h"
#include "test/test.h"

enum {
    FETCHES_MAX = 512,
    DAY_MS = 24 * 60 * 60 * 1000,
    LARGE_KEYS = 128 * 1024,
    RATE_KEY_BURST = 60
};

#define HERE STR("here.example")
#define THERE STR("there.example")
#define ROOM STR("!room:there.example")

/* What was asked of other servers, and is not answered yet. */
struct fetch {
    uint64_t id;
    struct str server, line;
};

struct world {
    struct hs *hs;
    struct arena *a;
    struct now now;
    uint64_t next_id;
    struct rng rng;
    int status; /* of the last RESPOND, 0: none since the last request */
    struct str body;
    struct fetch fetches[FETCHES_MAX];
    size_t n_fetches;
    struct sign_key key, old_key; /* of the other server */
    int64_t expired_ms;           /* when it gave the old one up */
    size_t padding;               /* bytes that it adds to what it tells of its keys */
};

static void on_random(void *ctx, void *out, size_t n)
{
    struct world *w = ctx;
    rng_fill(&w->rng, out, n);
}

static void on_log(void *ctx, enum log_level level, struct str line)
{
    (void)ctx;
    if (level == LOG_ERROR) {
        printf("# %.*s\n", STR_ARG(line));
    }
}

static void take_fetch(struct world *w, const struct effect *e)
{
    struct str line = e->bytes, rest;
    str_cut(e->bytes, '\r', &line, &rest);
    CHECK(w->n_fetches < FETCHES_MAX);
    w->fetches[w->n_fetches++] =
        (struct fetch){e->id, arena_str(w->a, e->head), arena_str(w->a, line)};
}

static void drain(struct world *w)
{
    struct effect e;
    hs_turn(w->hs, w->now);
    while (hs_next(w->hs, &e)) {
        if (e.kind == EFFECT_FLUSH) {
            hs_flushed(w->hs, w->now, e.id, true);
        } else if (e.kind == EFFECT_RESPOND) {
            w->status = e.status;
            w->body = arena_str(w->a, e.bytes);
        } else if (e.kind == EFFECT_FETCH) {
            take_fetch(w, &e);
        }
    }
}

static void world_open(struct world *w)
{
    static const uint8_t seed[SIGN_SEED_SIZE] = {1}, old_seed[SIGN_SEED_SIZE] = {2};
    struct hs_config config = {.db_path = STR(":memory:"),
                               .server_name = HERE,
                               .wasm_pragmas = true,
                               .build_id = STR("test"),
                               .password_memory_kib = 8,
                               .federates = true,
                               .well_known_server = STR("host.example:443")};
    struct host host = {w, on_random, on_log};
    const char *why = "";
    *w = (struct world){.a = arena_new(), .now = {1000, 1700000000000}, .rng = {1}};
    w->expired_ms = w->now.unix_ms - DAY_MS;
    sign_key_from_seed(&w->key, seed);
    sign_key_from_seed(&w->old_key, old_seed);
    CHECK(hs_open(&w->hs, &config, &host, w->now, &why) == ERR_NONE);
    drain(w);
}

static void world_close(struct world *w)
{
    hs_close(w->hs);
    arena_free(w->a);
}

static struct event_signer signer_of(const struct world *w, bool is_old)
{
    return is_old ? (struct event_signer){THERE, STR("ed25519:old"), &w->old_key}
                  : (struct event_signer){THERE, STR("ed25519:new"), &w->key};
}

static struct str key_text(struct world *w, const struct sign_key *key)
{
    return base64_write(w->a, str_make(key->public_key, sizeof(key->public_key)));
}

/* What the other server tells of its keys. */
static struct str tell_keys(struct world *w)
{
    struct json *out = json_object(w->a);
    struct event_signer signer = signer_of(w, false);
    char *padding = arena_alloc(w->a, w->padding + 1);
    memset(padding, 'x', w->padding);
    json_put_text(out, "server_name", THERE);
    json_put_text(out, "padding", str_make(padding, w->padding));
    json_put_int(out, "valid_until_ts", w->now.unix_ms + DAY_MS);
    struct json *keys = json_put_object(out, STR("verify_keys"));
    json_put_text(json_put_object(keys, STR("ed25519:new")), "key", key_text(w, &w->key));
    struct json *former = json_put_object(out, STR("old_verify_keys"));
    struct json *old = json_put_object(former, STR("ed25519:old"));
    json_put_text(old, "key", key_text(w, &w->old_key));
    json_put_int(old, "expired_ts", w->expired_ms);
    CHECK(seal_json_sign(w->a, out, &signer) == ERR_NONE);
    return json_str(w->a, out);
}

/* Answers what was asked: of keys the other server tells its own, and nothing else is known. */
static void answer_fetches(struct world *w)
{
    size_t n = w->n_fetches;
    w->n_fetches = 0;
    for (size_t i = 0; i < n; i++) {
        const struct fetch *f = &w->fetches[i];
        bool is_known =
            str_eq(f->server, THERE) && str_starts(f->line, STR("GET /_matrix/key/v2/server "));
        hs_answer(w->hs, w->now, f->id, is_known ? 200 : 404, STR(""),
                  is_known ? tell_keys(w) : STR("{}"));
    }
    drain(w);
}

/* A request of the other server, signed with one of its keys; content may be NULL. */
static int ask_as_server(struct world *w, struct str method, struct str uri,
                         const struct json *content, bool with_old_key)
{
    struct event_signer signer = signer_of(w, with_old_key);
    struct seal_request request = {method, uri, HERE, content};
    struct str auth;
    CHECK(seal_request_sign(w->a, &request, &signer, &auth) == ERR_NONE);
    struct str head = arena_fmt(w->a, "%.*s %.*s HTTP/1.1\r\nauthorization: %.*s\r\n\r\n",
                                STR_ARG(method), STR_ARG(uri), STR_ARG(auth));
    w->status = 0;
    hs_server_request(w->hs, w->now, ++w->next_id, head,
                      content == NULL ? STR("") : json_str(w->a, content));
    drain(w);
    while (w->status == 0 && w->n_fetches > 0) {
        answer_fetches(w);
    }
    return w->status;
}

static void ask_as_client(struct world *w, struct str method, struct str uri, const char *headers,
                          struct str body)
{
    struct str head = arena_fmt(w->a, "%.*s %.*s HTTP/1.1\r\nhost: x\r\n%s\r\n", STR_ARG(method),
                                STR_ARG(uri), headers);
    w->status = 0;
    hs_request(w->hs, w->now, ++w->next_id, head, body);
    drain(w);
}

static const char *sign_up(struct world *w)
{
    struct json *json;
    ask_as_client(w, STR("POST"), STR("/_matrix/client/v3/register"), "",
                  STR("{\"username\":\"alice\",\"password\":\"p\",\"auth\":{\"type\":"
                      "\"m.login.dummy\"}}"));
    CHECK(w->status == 200);
    CHECK(json_parse(w->a, w->body, &json, NULL) == ERR_NONE);
    struct str token = json_get_text(json, "access_token");
    return arena_fmt(w->a, "authorization: Bearer %.*s\r\n", STR_ARG(token)).p;
}

static int ask_for_alice(struct world *w, bool with_old_key)
{
    return ask_as_server(
        w, STR("GET"), STR("/_matrix/federation/v1/query/profile?user_id=%40alice%3Ahere.example"),
        NULL, with_old_key);
}

TEST(a_key_that_was_given_up_signs_no_request)
{
    struct world w;
    world_open(&w);
    (void)sign_up(&w);
    CHECK(ask_for_alice(&w, true) == 401);
    CHECK(ask_for_alice(&w, false) == 200);
    CHECK(ask_for_alice(&w, true) == 401);
    world_close(&w);
}

TEST(a_key_is_asked_for_again_when_its_server_vouched_for_it_until_now)
{
    struct world w;
    world_open(&w);
    (void)sign_up(&w);
    CHECK(ask_for_alice(&w, false) == 200);
    w.now.unix_ms += 2 * DAY_MS;
    w.now.mono_ms += 2 * DAY_MS;
    CHECK(ask_for_alice(&w, false) == 200);
    world_close(&w);
}

/* An invite of alice that was made at that time, signed with the old key. */
static int invite(struct world *w, int64_t made_ms)
{
    struct event_signer signer = signer_of(w, true);
    struct json *content = json_object(w->a), *body = json_object(w->a);
    struct event *ev;
    const char *why = "";
    json_put_text(content, "membership", STR("invite"));
    struct event_parts parts = {.type = STR("m.room.member"),
                                .sender = STR("@bob:there.example"),
                                .room_id = ROOM,
                                .state_key = STR("@alice:here.example"),
                                .content = content,
                                .depth = 5,
                                .origin_server_ts = made_ms};
    CHECK(event_build(w->a, room_version_default(), &parts, &signer, &ev, &why) == ERR_NONE);
    json_put_text(body, "room_version", room_version_default()->name);
    json_put(body, STR("event"), json_copy(w->a, ev->tree));
    json_put_array(body, STR("invite_room_state"));
    struct str uri =
        arena_fmt(w->a, "/_matrix/federation/v2/invite/%.*s/%.*s",
                  STR_ARG(percent_write(w->a, ROOM)), STR_ARG(percent_write(w->a, ev->id)));
    return ask_as_server(w, STR("PUT"), uri, body, false);
}

TEST(a_key_that_was_given_up_signs_only_events_of_its_time)
{
    struct world w;
    world_open(&w);
    (void)sign_up(&w);
    CHECK(invite(&w, w.expired_ms + 1) == 403);
    CHECK(invite(&w, w.expired_ms - 1) == 200);
    world_close(&w);
}

TEST(a_server_tells_no_more_of_its_keys_than_fits)
{
    struct world w;
    world_open(&w);
    (void)sign_up(&w);
    w.padding = LARGE_KEYS;
    CHECK(ask_for_alice(&w, false) == 401);
    world_close(&w);
}

TEST(a_transaction_of_fifty_events_of_the_largest_size_is_taken_from_a_server_only)
{
    struct world w;
    world_open(&w);
    struct json *body = json_object(w.a);
    struct json *pdus = json_put_array(body, STR("pdus"));
    char *filler = arena_alloc(w.a, EVENT_SIZE_MAX);
    memset(filler, 'x', EVENT_SIZE_MAX);
    for (int i = 0; i < TRANSACTION_PDUS_MAX; i++) {
        struct json *pdu = json_push_object(pdus);
        json_put_text(pdu, "room_id", ROOM);
        json_put_text(pdu, "filler", str_make(filler, EVENT_SIZE_MAX - 100));
    }
    struct str uri = STR("/_matrix/federation/v1/send/large");
    CHECK(ask_as_server(&w, STR("PUT"), uri, body, false) == 200);
    ask_as_client(&w, STR("POST"), STR("/_matrix/client/v3/register"), "", json_str(w.a, body));
    CHECK(w.status == 413);
    world_close(&w);
}

/* An answer with events of as many servers. */
static struct str answer_of_many(struct world *w, int servers)
{
    struct json *body = json_object(w->a);
    json_put_text(body, "room_id", ROOM);
    json_push_text(json_put_array(body, STR("servers")), THERE);
    struct json *events = json_put_array(body, STR("events"));
    for (int i = 0; i < servers; i++) {
        struct str server = arena_fmt(w->a, "s%d.example", i);
        struct json *event = json_push_object(events);
        json_put_text(event, "sender", arena_fmt(w->a, "@u:%.*s", STR_ARG(server)));
        struct json *of = json_put_object(event, STR("signatures"));
        json_put_text(json_put_object(of, server), "ed25519:k", STR("AAAA"));
    }
    return json_str(w->a, body);
}

TEST(the_keys_of_all_servers_of_a_large_room_are_asked_for)
{
    enum { SERVERS = 400 };
    struct world w;
    size_t asked = 0;
    world_open(&w);
    const char *alice = sign_up(&w);
    ask_as_client(&w, STR("GET"), STR("/_matrix/client/v3/directory/room/%23a%3Athere.example"),
                  alice, STR(""));
    CHECK(w.n_fetches == 1);
    w.n_fetches = 0;
    hs_answer(w.hs, w.now, w.fetches[0].id, 200, STR(""), answer_of_many(&w, SERVERS));
    drain(&w);
    while (w.n_fetches > 0) {
        CHECK(w.status == 0);
        asked += w.n_fetches;
        answer_fetches(&w);
    }
    CHECK(asked == SERVERS);
    CHECK(w.status == 200);
    world_close(&w);
}

TEST(the_door_for_servers_says_where_the_name_leads_to_and_opens_to_no_client)
{
    struct world w;
    world_open(&w);
    CHECK(ask_as_server(&w, STR("GET"), STR("/.well-known/matrix/server"), NULL, false) == 200);
    CHECK_STR(w.body, STR("{\"m.server\":\"host.example:443\"}"));
    CHECK(ask_as_server(&w, STR("GET"), STR("/.well-known/matrix/client"), NULL, false) == 404);
    CHECK(ask_as_server(&w, STR("GET"), STR("/_matrix/client/versions"), NULL, false) == 404);
    world_close(&w);
}

static void pass(struct world *w, int64_t ms)
{
    w->now.unix_ms += ms;
    w->now.mono_ms += ms;
    drain(w);
}

/* A stranger's request, signed by nobody that is known, or by no one at all. */
static int ask_as_stranger(struct world *w, struct str line, const char *origin, struct str body)
{
    struct str head =
        arena_fmt(w->a,
                  "%.*s HTTP/1.1\r\nneurite-address: 192.0.2.1\r\nauthorization: X-Matrix "
                  "origin=\"%s\",key=\"ed25519:k\",sig=\"AAAA\"\r\n\r\n",
                  STR_ARG(line), origin);
    w->status = 0;
    hs_server_request(w->hs, w->now, ++w->next_id, head, body);
    drain(w);
    return w->status;
}

TEST(a_server_that_asks_too_much_is_told_to_wait_and_another_is_not)
{
    enum { BURST = 1000 };
    struct world w;
    world_open(&w);
    w.hs->settings.rate_limits = true;
    for (int i = 0; i < BURST; i++) {
        CHECK(ask_for_alice(&w, false) == 404);
    }
    CHECK(ask_for_alice(&w, false) == 429);
    CHECK(ask_as_stranger(&w, STR("GET /_matrix/key/v2/server"), "x.example", STR("")) == 200);
    w.now.mono_ms += 1000;
    CHECK(ask_for_alice(&w, false) == 404);
    world_close(&w);
}

TEST(an_address_has_only_so_many_unknown_servers_looked_for)
{
    struct world w;
    int asked = 0;
    world_open(&w);
    w.hs->settings.rate_limits = true;
    for (int i = 0; i < 2 * RATE_KEY_BURST; i++) {
        const char *origin = arena_fmt(w.a, "s%d.example", i).p;
        int status =
            ask_as_stranger(&w, STR("GET /_matrix/federation/v1/event/$e"), origin, STR(""));
        asked += status == 0;
        CHECK(status == 0 || status == 429);
    }
    CHECK(asked == RATE_KEY_BURST);
    CHECK(w.n_fetches == RATE_KEY_BURST);
    world_close(&w);
}

TEST(servers_take_only_so_many_of_the_places_where_requests_wait)
{
    struct world w;
    int waiting = 0;
    world_open(&w);
    for (int i = 0; i < 2 * REQUESTS_PARKED_OF_ONE; i++) {
        const char *origin = arena_fmt(w.a, "s%d.example", i).p;
        waiting +=
            ask_as_stranger(&w, STR("GET /_matrix/federation/v1/event/$e"), origin, STR("")) == 0;
    }
    CHECK(waiting == REQUESTS_PARKED_OF_ONE);
    world_close(&w);
}

/* As a notary: what of the servers s0, s1, ... */
static int ask_of_others(struct world *w, int first, int n)
{
    struct json *body = json_object(w->a);
    struct json *wanted = json_put_object(body, STR("server_keys"));
    for (int i = first; i < first + n; i++) {
        (void)json_put_object(wanted, arena_fmt(w->a, "s%d.example", i));
    }
    return ask_as_stranger(w, STR("POST /_matrix/key/v2/query"), "x.example", json_str(w->a, body));
}

TEST(who_asks_the_notary_again_and_again_has_no_more_others_asked)
{
    struct world w;
    world_open(&w);
    for (int i = 0; i < 4; i++) {
        CHECK(ask_of_others(&w, i * 40, 40) == 0);
        CHECK(w.n_fetches == (size_t)(i + 1) * 32);
    }
    CHECK(ask_of_others(&w, 200, 40) == 200);
    CHECK_STR(w.body, STR("{\"server_keys\":[]}"));
    w.n_fetches = 0;
    pass(&w, 20 * 1000); /* nobody answers */
    CHECK(w.status == 200);
    CHECK(ask_of_others(&w, 200, 40) == 0);
    world_close(&w);
}

TEST(the_notary_tells_what_it_was_told_and_asks_when_that_is_too_old)
{
    struct world w;
    world_open(&w);
    (void)sign_up(&w);
    CHECK(ask_for_alice(&w, false) == 200); /* so its keys are known */
    struct str line = STR("GET /_matrix/key/v2/query/there.example");
    CHECK(ask_as_stranger(&w, line, "x.example", STR("")) == 200);
    CHECK(w.n_fetches == 0);
    CHECK(strstr(w.body.p, "\"here.example\"") != NULL);
    w.now.unix_ms += 2 * DAY_MS;
    w.now.mono_ms += 2 * DAY_MS;
    CHECK(ask_as_stranger(&w, line, "x.example", STR("")) == 0);
    CHECK(w.n_fetches == 1);
    hs_answer(w.hs, w.now, w.fetches[0].id, 0, STR("gone"), STR(""));
    drain(&w);
    CHECK(w.status == 200);
    CHECK(strstr(w.body.p, "\"ed25519:new\"") != NULL); /* the last it told */
    world_close(&w);
}

TEST(the_invites_of_an_address_are_exchanged_one_after_the_other)
{
    struct world w;
    world_open(&w);
    (void)sign_up(&w);
    struct json *body = json_object(w.a);
    json_put_text(body, "medium", STR("email"));
    json_put_text(body, "address", STR("a@b.example"));
    json_put_text(body, "mxid", STR("@alice:here.example"));
    struct json *invites = json_put_array(body, STR("invites"));
    for (int i = 0; i < 3; i++) {
        struct json *invite = json_push_object(invites);
        json_put_text(invite, "sender", arena_fmt(w.a, "@u:s%d.example", i));
        json_put_text(invite, "room_id", ROOM);
        (void)json_put_object(invite, STR("signed"));
    }
    struct str line = STR("PUT /_matrix/federation/v1/3pid/onbind");
    CHECK(ask_as_stranger(&w, line, "x.example", json_str(w.a, body)) == 0);
    for (int i = 0; i < 3; i++) {
        CHECK(w.status == 0);
        CHECK(w.n_fetches == 1);
        CHECK_STR(w.fetches[0].server, arena_fmt(w.a, "s%d.example", i));
        answer_fetches(&w);
    }
    CHECK(w.n_fetches == 0);
    CHECK(w.status == 200);
    world_close(&w);
}

/* How many transactions were sent and are answered now with that status, 0: nobody is there. */
static size_t answer_transactions(struct world *w, int status)
{
    size_t n = w->n_fetches;
    w->n_fetches = 0;
    for (size_t i = 0; i < n; i++) {
        CHECK(str_starts(w->fetches[i].line, STR("PUT /_matrix/federation/v1/send/")));
        hs_answer(w->hs, w->now, w->fetches[i].id, status, STR(""), STR("{}"));
    }
    drain(w);
    return n;
}

/* Something waits for the other server, which answers with that status until it is patient. */
static void fall_behind(struct world *w, int status)
{
    const char *alice = sign_up(w);
    ask_as_client(w, STR("PUT"), STR("/_matrix/client/v3/sendToDevice/m.dummy/1"), alice,
                  STR("{\"messages\":{\"@bob:there.example\":{\"*\":{}}}}"));
    CHECK(w->status == 200);
    pass(w, 1000);
    for (int i = 0; i < 8; i++) {
        CHECK(answer_transactions(w, status) == 1);
        pass(w, 600 * 1000);
    }
    CHECK(answer_transactions(w, status) == 1);
    CHECK(answer_transactions(w, status) == 0);
}

/* It sends us an empty transaction; how many are sent to it in the same moment? */
static size_t hear(struct world *w)
{
    struct json *body = json_object(w->a);
    json_put_array(body, STR("pdus"));
    CHECK(ask_as_server(w, STR("PUT"), STR("/_matrix/federation/v1/send/back"), body, false) ==
          200);
    return answer_transactions(w, 200);
}

TEST(what_waits_for_a_server_that_was_away_leaves_when_it_is_heard_of)
{
    static const int away[] = {0, 502};
    for (size_t i = 0; i < COUNT_OF(away); i++) {
        struct world w;
        world_open(&w);
        fall_behind(&w, away[i]);
        CHECK(hear(&w) == 1);
        world_close(&w);
    }
}

TEST(who_refuses_what_we_send_is_not_asked_sooner_for_sending_himself)
{
    struct world w;
    world_open(&w);
    fall_behind(&w, 400);
    CHECK(hear(&w) == 0);
    world_close(&w);
}

TEST_MAIN(TEST_ROW(a_key_that_was_given_up_signs_no_request),
          TEST_ROW(a_key_is_asked_for_again_when_its_server_vouched_for_it_until_now),
          TEST_ROW(a_key_that_was_given_up_signs_only_events_of_its_time),
          TEST_ROW(a_server_tells_no_more_of_its_keys_than_fits),
          TEST_ROW(a_transaction_of_fifty_events_of_the_largest_size_is_taken_from_a_server_only),
          TEST_ROW(the_keys_of_all_servers_of_a_large_room_are_asked_for),
          TEST_ROW(the_door_for_servers_says_where_the_name_leads_to_and_opens_to_no_client),
          TEST_ROW(a_server_that_asks_too_much_is_told_to_wait_and_another_is_not),
          TEST_ROW(an_address_has_only_so_many_unknown_servers_looked_for),
          TEST_ROW(servers_take_only_so_many_of_the_places_where_requests_wait),
          TEST_ROW(who_asks_the_notary_again_and_again_has_no_more_others_asked),
          TEST_ROW(the_notary_tells_what_it_was_told_and_asks_when_that_is_too_old),
          TEST_ROW(the_invites_of_an_address_are_exchanged_one_after_the_other),
          TEST_ROW(what_waits_for_a_server_that_was_away_leaves_when_it_is_heard_of),
          TEST_ROW(who_refuses_what_we_send_is_not_asked_sooner_for_sending_himself))

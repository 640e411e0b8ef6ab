/* The border: a whole homeserver in memory, driven turn by turn. */
#include "hs/town_model.h"

#include "base/arena.h"
#include "test/test.h"
#include "json/json.h"

struct world {
    struct hs *hs;
    struct arena *a;
    struct now now;
    uint64_t next_id;
    struct rng rng;
    bool holds_flushes; /* leave FLUSH unanswered */
    uint64_t held;      /* the turn of the flush that waits */
    int status;         /* of the last RESPOND */
    uint64_t answered;
    size_t n_answers;
    struct str body;
    bool restarted;
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

static void drain(struct world *w)
{
    struct effect e;
    hs_turn(w->hs, w->now);
    while (hs_next(w->hs, &e)) {
        if (e.kind == EFFECT_FLUSH && w->holds_flushes) {
            w->held = e.id;
        } else if (e.kind == EFFECT_FLUSH) {
            hs_flushed(w->hs, w->now, e.id, true);
        } else if (e.kind == EFFECT_RESPOND) {
            w->status = e.status;
            w->answered = e.id;
            w->n_answers++;
            w->body = arena_str(w->a, e.bytes);
        } else if (e.kind == EFFECT_RESTART) {
            w->restarted = true;
        }
    }
}

static void world_open_as(struct world *w, bool rate_limits)
{
    struct hs_config config = {.db_path = STR(":memory:"),
                               .wasm_pragmas = true,
                               .build_id = STR("test"),
                               .password_memory_kib = 8,
                               .rate_limits = rate_limits};
    struct host host = {w, on_random, on_log};
    const char *why = "";
    *w = (struct world){.a = arena_new(), .now = {1000, 1700000000000}, .rng = {1}};
    CHECK(hs_open(&w->hs, &config, &host, w->now, &why) == ERR_NONE);
    drain(w);
}

static void world_open(struct world *w)
{
    world_open_as(w, false);
}

static void world_close(struct world *w)
{
    hs_close(w->hs);
    arena_free(w->a);
}

/* Makes a request and ends the turn. headers: further lines with "\r\n" behind each. */
static uint64_t ask(struct world *w, const char *line, const char *headers, const char *body)
{
    w->next_id++;
    w->status = 0;
    struct str head = arena_fmt(w->a, "%s HTTP/1.1\r\nhost: x\r\n%s\r\n", line, headers);
    hs_request(w->hs, w->now, w->next_id, head, str_of(body));
    drain(w);
    return w->next_id;
}

static struct json *answer(struct world *w)
{
    struct json *json = NULL;
    CHECK(json_parse(w->a, w->body, &json, NULL) == ERR_NONE);
    return json;
}

static const char *sign_up(struct world *w, const char *name)
{
    struct str body = arena_fmt(
        w->a, "{\"username\":\"%s\",\"password\":\"p\",\"auth\":{\"type\":\"m.login.dummy\"}}",
        name);
    (void)ask(w, "POST /_matrix/client/v3/register", "", body.p);
    CHECK(w->status == 200);
    struct str token = json_get_text(answer(w), "access_token");
    return arena_fmt(w->a, "authorization: Bearer %.*s\r\n", STR_ARG(token)).p;
}

static const char *errcode(struct world *w)
{
    struct str code = json_get_text(answer(w), "errcode");
    return code.p == NULL ? "" : code.p;
}

TEST(an_answer_to_a_write_waits_until_it_is_durable)
{
    struct world w;
    world_open(&w);
    w.holds_flushes = true;
    (void)ask(&w, "POST /_matrix/client/v3/register", "",
              "{\"username\":\"a\",\"password\":\"p\",\"auth\":{\"type\":\"m.login.dummy\"}}");
    CHECK(w.n_answers == 0);
    CHECK(w.held != 0);
    (void)ask(&w, "GET /_matrix/client/versions", "", "");
    CHECK(w.n_answers == 0); /* a read of the same turn's state waits as well */
    hs_flushed(w.hs, w.now, w.held, true);
    drain(&w);
    CHECK(w.n_answers == 2);
    world_close(&w);
}

TEST(a_failed_flush_lets_nothing_out)
{
    struct world w;
    world_open(&w);
    w.holds_flushes = true;
    (void)ask(&w, "POST /_matrix/client/v3/register", "",
              "{\"username\":\"a\",\"password\":\"p\",\"auth\":{\"type\":\"m.login.dummy\"}}");
    hs_flushed(w.hs, w.now, w.held, false);
    drain(&w);
    CHECK(w.n_answers == 0);
    CHECK(w.restarted);
    world_close(&w);
}

TEST(a_refused_request_leaves_nothing_behind)
{
    struct world w;
    world_open(&w);
    const char *alice = sign_up(&w, "alice");
    (void)ask(&w, "POST /_matrix/client/v3/createRoom", alice,
              "{\"room_alias_name\":\"taken\",\"invite\":[\"no user id\"]}");
    CHECK(w.status == 400);
    (void)ask(&w, "POST /_matrix/client/v3/createRoom", alice, "{\"room_alias_name\":\"taken\"}");
    CHECK(w.status == 200);
    (void)ask(&w, "GET /_matrix/client/v3/joined_rooms", alice, "");
    CHECK(json_count(json_get_array(answer(&w), "joined_rooms")) == 1);
    world_close(&w);
}

TEST(a_repeated_request_id_acts_once_and_answers_alike)
{
    struct world w;
    world_open(&w);
    const char *alice = sign_up(&w, "alice");
    const char *headers = arena_fmt(w.a, "%sneurite-request-id: one\r\n", alice).p;
    (void)ask(&w, "POST /_matrix/client/v3/createRoom", headers, "{}");
    struct str first = w.body;
    (void)ask(&w, "POST /_matrix/client/v3/createRoom", headers, "{}");
    CHECK(w.status == 200);
    CHECK_STR(w.body, first);
    (void)ask(&w, "POST /_matrix/client/v3/createRoom", headers, "{\"name\":\"x\"}");
    CHECK(w.status == 400);
    CHECK(strcmp(errcode(&w), "M_INVALID_PARAM") == 0);
    (void)ask(&w, "GET /_matrix/client/v3/joined_rooms", alice, "");
    CHECK(json_count(json_get_array(answer(&w), "joined_rooms")) == 1);
    world_close(&w);
}

TEST(a_repeated_request_id_is_known_though_the_clock_was_wrong_meanwhile)
{
    static const int64_t year_ms = (int64_t)365 * 24 * 3600 * 1000;
    struct world w;
    world_open(&w);
    const char *alice = sign_up(&w, "alice");
    const char *one = arena_fmt(w.a, "%sneurite-request-id: one\r\n", alice).p;
    const char *two = arena_fmt(w.a, "%sneurite-request-id: two\r\n", alice).p;
    (void)ask(&w, "POST /_matrix/client/v3/createRoom", one, "{}");
    struct str first = w.body;
    w.now.unix_ms += year_ms;
    (void)ask(&w, "POST /_matrix/client/v3/createRoom", two, "{}");
    w.now.unix_ms -= year_ms;
    (void)ask(&w, "POST /_matrix/client/v3/createRoom", one, "{}");
    CHECK_STR(w.body, first);
    (void)ask(&w, "GET /_matrix/client/v3/joined_rooms", alice, "");
    CHECK(json_count(json_get_array(answer(&w), "joined_rooms")) == 2);
    world_close(&w);
}

TEST(a_repeated_transaction_id_answers_alike_though_its_sender_has_left_since)
{
    struct world w;
    world_open(&w);
    const char *alice = sign_up(&w, "alice");
    const char *one = arena_fmt(w.a, "%sneurite-request-id: one\r\n", alice).p;
    (void)ask(&w, "POST /_matrix/client/v3/createRoom", alice, "{}");
    struct str room = json_get_text(answer(&w), "room_id");
    const char *send =
        arena_fmt(w.a, "PUT /_matrix/client/v3/rooms/%.*s/send/test.word/txn", STR_ARG(room)).p;
    (void)ask(&w, send, one, "{}");
    CHECK(w.status == 200);
    struct str first = w.body;
    (void)ask(&w, arena_fmt(w.a, "POST /_matrix/client/v3/rooms/%.*s/leave", STR_ARG(room)).p,
              alice, "{}");
    CHECK(w.status == 200);
    (void)ask(&w, send, one, "{}");
    CHECK(w.status == 200);
    CHECK_STR(w.body, first);
    world_close(&w);
}

/* unsigned.transaction_id of the event of that path, as that device sees it. */
static struct str shown_txn_id(struct world *w, const char *path, const char *who)
{
    (void)ask(w, path, who, "");
    CHECK(w->status == 200);
    return json_get_text(json_get_object(answer(w), "unsigned"), "transaction_id");
}

TEST(a_transaction_id_is_shown_to_the_device_that_gave_it_alone)
{
    struct world w;
    world_open(&w);
    const char *alice = sign_up(&w, "alice");
    (void)ask(&w, "POST /_matrix/client/v3/login", "",
              "{\"type\":\"m.login.password\",\"identifier\":{\"type\":\"m.id.user\",\"user\":"
              "\"alice\"},\"password\":\"p\"}");
    struct str token = json_get_text(answer(&w), "access_token");
    const char *other = arena_fmt(w.a, "authorization: Bearer %.*s\r\n", STR_ARG(token)).p;
    (void)ask(&w, "POST /_matrix/client/v3/createRoom", alice, "{}");
    struct str room = json_get_text(answer(&w), "room_id");
    (void)ask(
        &w, arena_fmt(w.a, "PUT /_matrix/client/v3/rooms/%.*s/send/test.word/txn", STR_ARG(room)).p,
        alice, "{}");
    struct str event_id = json_get_text(answer(&w), "event_id");
    const char *path = arena_fmt(w.a, "GET /_matrix/client/v3/rooms/%.*s/event/%.*s", STR_ARG(room),
                                 STR_ARG(event_id))
                           .p;
    CHECK_STR(shown_txn_id(&w, path, alice), STR("txn"));
    CHECK(str_is_absent(shown_txn_id(&w, path, other)));
    world_close(&w);
}

TEST(a_long_poll_answers_in_the_turn_of_the_change)
{
    struct world w;
    world_open(&w);
    const char *alice = sign_up(&w, "alice");
    (void)ask(&w, "POST /_matrix/client/v3/createRoom", alice, "{}");
    (void)ask(&w, "GET /_matrix/client/v3/sync?timeout=0", alice, "");
    struct str since = json_get_text(answer(&w), "next_batch");
    const char *line =
        arena_fmt(w.a, "GET /_matrix/client/v3/sync?timeout=20000&since=%.*s", STR_ARG(since)).p;
    uint64_t poll = ask(&w, line, alice, "");
    CHECK(w.status == 0);
    uint64_t made = ask(&w, "POST /_matrix/client/v3/createRoom", alice, "{}");
    CHECK(w.n_answers >= 2);
    CHECK(w.answered == poll || w.answered == made);
    world_close(&w);
}

TEST(a_long_poll_ends_with_its_time)
{
    struct world w;
    world_open(&w);
    const char *alice = sign_up(&w, "alice");
    (void)ask(&w, "GET /_matrix/client/v3/sync?timeout=0", alice, "");
    struct str since = json_get_text(answer(&w), "next_batch");
    const char *line =
        arena_fmt(w.a, "GET /_matrix/client/v3/sync?timeout=20000&since=%.*s", STR_ARG(since)).p;
    uint64_t poll = ask(&w, line, alice, "");
    CHECK(w.status == 0);
    w.now.mono_ms += 19999;
    drain(&w);
    CHECK(w.status == 0);
    w.now.mono_ms += 2;
    drain(&w);
    CHECK(w.answered == poll && w.status == 200);
    world_close(&w);
}

TEST(bytes_that_are_no_request_get_an_answer)
{
    struct world w;
    world_open(&w);
    hs_request(w.hs, w.now, 99, STR("\x01\x02 nonsense"), STR(""));
    drain(&w);
    CHECK(w.answered == 99 && w.status == 400);
    (void)ask(&w, "GET /_matrix/client/v3/nope", "", "");
    CHECK(w.status == 404 && strcmp(errcode(&w), "M_UNRECOGNIZED") == 0);
    (void)ask(&w, "DELETE /_matrix/client/v3/login", "", "");
    CHECK(w.status == 405 && strcmp(errcode(&w), "M_UNRECOGNIZED") == 0);
    world_close(&w);
}

/* A registration in the turn at hand, from an address. */
static void try_sign_up(struct world *w, const char *name, const char *address)
{
    struct str body = arena_fmt(
        w->a, "{\"username\":\"%s\",\"password\":\"p\",\"auth\":{\"type\":\"m.login.dummy\"}}",
        name);
    struct str head = arena_fmt(w->a,
                                "POST /_matrix/client/v3/register HTTP/1.1\r\n"
                                "neurite-address: %s\r\n\r\n",
                                address);
    w->next_id++;
    hs_request(w->hs, w->now, w->next_id, head, body);
}

TEST(a_turn_hashes_one_password_and_few_wait_from_an_address)
{
    struct world w;
    world_open_as(&w, true);
    for (int i = 0; i < 4; i++) {
        try_sign_up(&w, arena_fmt(w.a, "u%d", i).p, "192.0.2.1");
    }
    try_sign_up(&w, "elsewhere", "192.0.2.2");
    drain(&w);
    CHECK(w.n_answers == 2); /* the first, and a 429 for the fourth */
    CHECK(w.status == 429 && strcmp(errcode(&w), "M_LIMIT_EXCEEDED") == 0);
    CHECK(json_get_int(answer(&w), "retry_after_ms", 0) > 0);
    for (size_t n = 3; n <= 5; n++) {
        w.now.mono_ms += 1;
        drain(&w);
        CHECK(w.n_answers == n && w.status == 200);
    }
    world_close(&w);
}

TEST(trials_of_a_password_are_counted_wherever_they_are_made)
{
    struct world w;
    world_open_as(&w, true);
    const char *who = sign_up(&w, "alice");
    const char *body = "{\"new_password\":\"q\",\"auth\":{\"type\":\"m.login.password\","
                       "\"password\":\"guess\"}}";
    int tries = 0;
    do {
        (void)ask(&w, "POST /_matrix/client/v3/account/password", who, body);
        tries++;
    } while (w.status == 401 && tries < 100);
    CHECK(w.status == 429 && tries > 5);
    const char *login = "{\"type\":\"m.login.password\",\"user\":\"alice\",\"password\":\"p\"}";
    (void)ask(&w, "POST /_matrix/client/v3/login", "", login);
    CHECK(w.status == 429); /* of the same account */
    world_close(&w);
}

TEST(a_trial_that_waits_for_its_turn_is_counted_once)
{
    enum { LOGINS = 10 };
    struct world w;
    world_open_as(&w, true);
    (void)sign_up(&w, "alice");
    const char *login = "{\"type\":\"m.login.password\",\"user\":\"alice\",\"password\":\"p\"}";
    size_t before = w.n_answers;
    for (int i = 0; i < LOGINS; i++) {
        struct str head = arena_fmt(w.a,
                                    "POST /_matrix/client/v3/login HTTP/1.1\r\n"
                                    "neurite-address: 192.0.2.%d\r\n\r\n",
                                    i + 1);
        w.next_id++;
        hs_request(w.hs, w.now, w.next_id, head, str_of(login));
    }
    for (size_t n = 1; n <= LOGINS; n++) {
        drain(&w);
        CHECK(w.n_answers == before + n && w.status == 200);
        w.now.mono_ms += 1;
    }
    world_close(&w);
}

TEST(too_many_requests_are_told_when_to_come_back)
{
    struct world w;
    world_open_as(&w, true);
    const char *login = "{\"type\":\"m.login.password\",\"identifier\":{\"type\":\"m.id.user\","
                        "\"user\":\"nobody\"},\"password\":\"p\"}";
    int tries = 0;
    do {
        (void)ask(&w, "POST /_matrix/client/v3/login", "neurite-address: 192.0.2.1\r\n", login);
        tries++;
    } while (w.status == 403 && tries < 1000);
    CHECK(w.status == 429 && tries > 5);
    int64_t wait_ms = json_get_int(answer(&w), "retry_after_ms", 0);
    CHECK(wait_ms > 0);
    (void)ask(&w, "POST /_matrix/client/v3/login", "neurite-address: 192.0.2.2\r\n", login);
    CHECK(w.status == 403); /* of another address */
    (void)ask(&w, "POST /_matrix/client/v3/login",
              "neurite-address: 127.0.0.1\r\nx-forwarded-for: 192.0.2.9, 192.0.2.1\r\n", login);
    CHECK(w.status == 429); /* a proxy speaks for the first */
    (void)ask(&w, "POST /_matrix/client/v3/login",
              "neurite-address: 127.0.0.1\r\nx-forwarded-for: 192.0.2.9\r\n"
              "x-forwarded-for: 192.0.2.1\r\n",
              login);
    CHECK(w.status == 429); /* whether it lengthens the line or adds one */
    w.now.mono_ms += wait_ms;
    (void)ask(&w, "POST /_matrix/client/v3/login", "neurite-address: 192.0.2.1\r\n", login);
    CHECK(w.status == 403);
    world_close(&w);
}

TEST(one_message_is_not_kept_for_any_number_of_devices)
{
    enum { DEVICES = 40, SIZE = 900000 };
    struct world w;
    struct buf body;
    world_open(&w);
    const char *who = sign_up(&w, "a");
    struct str user = str_of("");
    for (int i = 0; i < DEVICES; i++) {
        (void)ask(&w, "POST /_matrix/client/v3/login", "",
                  "{\"type\":\"m.login.password\",\"user\":\"a\",\"password\":\"p\"}");
        CHECK(w.status == 200);
        user = json_get_text(answer(&w), "user_id");
    }
    buf_init(&body, 2 * SIZE);
    buf_add_fmt(&body, "{\"messages\":{\"%.*s\":{\"*\":{\"filler\":\"", STR_ARG(user));
    for (int i = 0; i < SIZE; i++) {
        buf_add_char(&body, 'x');
    }
    buf_add(&body, STR("\"}}}}"));
    buf_add_char(&body, 0);
    (void)ask(&w, "PUT /_matrix/client/v3/sendToDevice/m.test/1", who, buf_str(&body).p);
    CHECK(w.status == 413);
    (void)ask(&w, "GET /_matrix/client/v3/sync", who, "");
    CHECK(w.status == 200 && json_get(answer(&w), STR("to_device")) == NULL);
    buf_release(&body);
    world_close(&w);
}

TEST(names_and_tokens_are_not_guessed_by_reading_fast)
{
    static const char *const guesses[] = {
        "GET /_matrix/client/v3/register/available?username=b",
        "GET /_matrix/client/v1/register/m.login.registration_token/validity?token=t",
        "GET /_synapse/admin/v1/register",
    };
    for (size_t i = 0; i < COUNT_OF(guesses); i++) {
        struct world w;
        world_open_as(&w, true);
        int tries = 0;
        do {
            (void)ask(&w, guesses[i], "neurite-address: 192.0.2.1\r\n", "");
            tries++;
        } while (w.status != 429 && tries < 100);
        CHECK(w.status == 429 && tries > 5);
        (void)ask(&w, "GET /_matrix/client/v3/login", "neurite-address: 192.0.2.1\r\n", "");
        CHECK(w.status == 200); /* what a client reads as it starts is not counted with them */
        world_close(&w);
    }
}

TEST(what_costs_much_is_counted_with_what_costs_much)
{
    static const char *const costly[] = {
        "GET /_matrix/client/v3/initialSync",
        "PUT /_matrix/client/v3/presence/%40a:x/status",
    };
    struct world w;
    world_open_as(&w, true);
    const char *who = sign_up(&w, "a");
    for (size_t i = 0; i < COUNT_OF(costly); i++) {
        int tries = 0;
        do {
            (void)ask(&w, costly[i], who, "{\"presence\":\"online\"}");
            tries++;
        } while (w.status != 429 && tries < 250);
        CHECK(w.status == 429);
    }
    world_close(&w);
}

TEST_MAIN(TEST_ROW(an_answer_to_a_write_waits_until_it_is_durable),
          TEST_ROW(a_failed_flush_lets_nothing_out),
          TEST_ROW(names_and_tokens_are_not_guessed_by_reading_fast),
          TEST_ROW(one_message_is_not_kept_for_any_number_of_devices),
          TEST_ROW(what_costs_much_is_counted_with_what_costs_much),
          TEST_ROW(a_refused_request_leaves_nothing_behind),
          TEST_ROW(a_repeated_request_id_acts_once_and_answers_alike),
          TEST_ROW(a_repeated_request_id_is_known_though_the_clock_was_wrong_meanwhile),
          TEST_ROW(a_repeated_transaction_id_answers_alike_though_its_sender_has_left_since),
          TEST_ROW(a_transaction_id_is_shown_to_the_device_that_gave_it_alone),
          TEST_ROW(a_long_poll_answers_in_the_turn_of_the_change),
          TEST_ROW(a_long_poll_ends_with_its_time),
          TEST_ROW(bytes_that_are_no_request_get_an_answer),
          TEST_ROW(a_turn_hashes_one_password_and_few_wait_from_an_address),
          TEST_ROW(trials_of_a_password_are_counted_wherever_they_are_made),
          TEST_ROW(a_trial_that_waits_for_its_turn_is_counted_once),
          TEST_ROW(too_many_requests_are_told_when_to_come_back))

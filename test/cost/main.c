/* A homeserver without a host, for counting instructions:
 *   cost make FILE ROOMS EVENTS MEMBERS [NAME]   a database, all of it by client requests: rooms of
 *                                         one owner, half of the messages and all members in the
 *                                         first. NAME: the server's, else its peer id
 *   cost send FILE N                      N messages into the first room, each a turn of its own
 *   cost sync FILE N                      the same, and after each another member's /sync
 * What is to be counted runs below measured(): valgrind --tool=callgrind --toggle-collect=measured
 */
#include "base/arena.h"
#include "hs/hs.h"
#include "test/rng.h"
#include "json/json.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    EXIT_WRONG = 2,
    BATCH = 500, /* requests of a turn while the database is made */
    WARM_UP = 20,
    LINE_MAX = 1024,
};

struct bench {
    struct hs *hs;
    struct now now;
    struct rng rng;
    uint64_t id;
    size_t n_pending; /* asked since the turn began */
    struct arena *a;
    struct str body; /* of the last answer */
    char token[LINE_MAX];
};

static void on_random(void *ctx, void *out, size_t n)
{
    struct bench *b = ctx;
    rng_fill(&b->rng, out, n);
}

static void on_log(void *ctx, enum log_level level, struct str line)
{
    (void)ctx;
    if (level == LOG_ERROR) {
        fprintf(stderr, "cost: %.*s\n", STR_ARG(line));
    }
}

_Noreturn static void PRINTF_LIKE(1, 2) give_up(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("cost: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

static void turn(struct bench *b)
{
    struct effect e;
    b->now.mono_ms++;
    b->now.unix_ms++;
    hs_turn(b->hs, b->now);
    while (hs_next(b->hs, &e)) {
        if (e.kind == EFFECT_FLUSH) {
            hs_flushed(b->hs, b->now, e.id, true);
        } else if (e.kind == EFFECT_RESPOND && e.status != 200) {
            give_up("%d %.*s", e.status, STR_ARG(e.bytes));
        } else if (e.kind == EFFECT_RESPOND) {
            b->body = arena_str(b->a, e.bytes);
        } else if (e.kind == EFFECT_RESTART) {
            give_up("the database cannot be written");
        }
    }
    b->n_pending = 0;
}

/* The request joins the turn at hand. */
static void request(struct bench *b, struct str line, struct str body)
{
    struct str head =
        arena_fmt(b->a, "%.*s HTTP/1.1\r\nhost: localhost\r\n%s%s\r\n\r\n", STR_ARG(line),
                  b->token[0] == '\0' ? "" : "authorization: Bearer ", b->token);
    b->id++;
    b->n_pending++;
    hs_request(b->hs, b->now, b->id, head, body);
}

/* Asks and ends the turn: what one message costs. */
void measured(struct bench *b, struct str line, struct str body);
__attribute__((noinline)) void measured(struct bench *b, struct str line, struct str body)
{
    request(b, line, body);
    turn(b);
}

static struct json *answer(struct bench *b)
{
    struct json *json;
    if (json_parse(b->a, b->body, &json, NULL) != ERR_NONE) {
        give_up("the answer is not JSON");
    }
    return json;
}

static struct json *ask(struct bench *b, struct str line, struct str body)
{
    request(b, line, body);
    turn(b);
    return answer(b);
}

static void batched(struct bench *b, struct str line, struct str body)
{
    request(b, line, body);
    if (b->n_pending == BATCH) {
        turn(b);
        arena_clear(b->a);
    }
}

static void take_token(struct bench *b, const struct json *from)
{
    struct str token = json_get_text(from, "access_token");
    if (str_is_empty(token) || token.n >= sizeof(b->token)) {
        give_up("no access token");
    }
    memcpy(b->token, token.p, token.n);
    b->token[token.n] = '\0';
}

static void sign_in(struct bench *b, const char *call, long user)
{
    b->token[0] = '\0';
    struct str line = arena_fmt(b->a, "POST /_matrix/client/v3/%s", call);
    struct str body = arena_fmt(b->a,
                                "{\"type\":\"m.login.password\",\"identifier\":{\"type\":"
                                "\"m.id.user\",\"user\":\"u%ld\"},\"username\":\"u%ld\","
                                "\"password\":\"a good password\","
                                "\"auth\":{\"type\":\"m.login.dummy\"}}",
                                user, user);
    take_token(b, ask(b, line, body));
}

static struct str escaped(struct arena *a, struct str room)
{
    return arena_fmt(a, "%%21%.*s", STR_ARG(str_from(room, 1)));
}

static struct str make_room(struct bench *b, struct arena *keep, const char *more)
{
    struct str body = arena_fmt(b->a, "{\"preset\":\"public_chat\"%s}", more);
    struct json *made = ask(b, STR("POST /_matrix/client/v3/createRoom"), body);
    return escaped(keep, json_get_text(made, "room_id"));
}

static struct str say_line(struct bench *b, struct str room, long i)
{
    return arena_fmt(b->a, "PUT /_matrix/client/v3/rooms/%.*s/send/m.room.message/%x-%ld",
                     STR_ARG(room), (unsigned)rng_next(&b->rng), i);
}

static struct str say_body(struct bench *b, long i)
{
    return arena_fmt(b->a,
                     "{\"msgtype\":\"m.text\",\"body\":\"message %ld of an ordinary length, "
                     "as people write them\"}",
                     i);
}

static void make(struct bench *b, long rooms, long events, long members)
{
    struct arena *keep = arena_new();
    struct str *at = arena_array(keep, (size_t)rooms, sizeof(*at));
    sign_in(b, "register", 0);
    at[0] = make_room(b, keep, ",\"room_alias_name\":\"first\"");
    for (long i = 1; i < members; i++) {
        sign_in(b, "register", i);
        request(b, arena_fmt(b->a, "POST /_matrix/client/v3/join/%.*s", STR_ARG(at[0])), STR("{}"));
    }
    sign_in(b, "login", 0);
    for (long i = 1; i < rooms; i++) {
        at[i] = make_room(b, keep, "");
        arena_clear(b->a);
    }
    for (long i = 0; i < events; i++) {
        struct str room = at[i % 2 == 0 ? 0 : (i / 2) % rooms];
        batched(b, say_line(b, room, i), say_body(b, i));
    }
    turn(b);
    arena_free(keep);
}

static void say(struct bench *b, struct str room, long i, bool counts)
{
    struct str line = say_line(b, room, i);
    struct str body = say_body(b, i);
    if (counts) {
        measured(b, line, body);
    } else {
        (void)ask(b, line, body);
    }
}

static struct str sync_line(struct bench *b, struct str since)
{
    return since.p == NULL
               ? STR("GET /_matrix/client/v3/sync?filter=%7B%22room%22:%7B%22timeline%22"
                     ":%7B%22limit%22:1%7D,%22state%22:%7B%22lazy_load_members%22:true"
                     "%7D%7D%7D")
               : arena_fmt(b->a, "GET /_matrix/client/v3/sync?since=%.*s", STR_ARG(since));
}

/* By u0 and, where somebody reads, u1. */
static void run(struct bench *b, bool reads, long n)
{
    static char reader[LINE_MAX], writer[LINE_MAX];
    struct str since = STR_ABSENT;
    sign_in(b, "login", 1);
    memcpy(reader, b->token, sizeof(reader));
    sign_in(b, "login", 0);
    memcpy(writer, b->token, sizeof(writer));
    struct json *whoami = ask(b, STR("GET /_matrix/client/v3/account/whoami"), STR(""));
    struct str server, user;
    if (!str_cut(json_get_text(whoami, "user_id"), ':', &user, &server)) {
        give_up("no server name");
    }
    struct str line =
        arena_fmt(b->a, "GET /_matrix/client/v3/directory/room/%%23first:%.*s", STR_ARG(server));
    struct str room = escaped(b->a, json_get_text(ask(b, line, STR("")), "room_id"));
    for (long i = 0; i < WARM_UP + n; i++) {
        bool counts = i >= WARM_UP;
        memcpy(b->token, writer, sizeof(writer));
        say(b, room, i, counts && !reads);
        memcpy(b->token, reader, sizeof(reader));
        if (reads && counts) {
            measured(b, sync_line(b, since), STR(""));
        } else if (reads) {
            (void)ask(b, sync_line(b, since), STR(""));
        }
        if (reads) {
            since = json_get_text(answer(b), "next_batch");
        }
    }
}

/* While the database is made, nothing has to be durable. */
static void open_core(struct bench *b, const char *file, const char *name, bool makes)
{
    struct hs_config config = {.db_path = str_of(file),
                               .server_name = name == NULL ? STR_ABSENT : str_of(name),
                               .wasm_pragmas = makes,
                               .build_id = STR("cost"),
                               .password_memory_kib = 8};
    struct host host = {b, on_random, on_log};
    const char *why = "";
    FILE *made = fopen(file, "ab"); /* sqlite opens what is there */
    if (made == NULL || fclose(made) != 0) {
        give_up("%s cannot be written", file);
    }
    if (hs_open(&b->hs, &config, &host, b->now, &why) != ERR_NONE) {
        give_up("%s: %s", file, why);
    }
    turn(b);
}

int main(int argc, char **argv)
{
    static struct bench b;
    bool makes = (argc == 6 || argc == 7) && strcmp(argv[1], "make") == 0;
    bool reads = argc == 4 && strcmp(argv[1], "sync") == 0;
    if (!makes && !reads && !(argc == 4 && strcmp(argv[1], "send") == 0)) {
        fputs("Usage: cost make FILE ROOMS EVENTS MEMBERS [NAME] | cost send|sync FILE N\n",
              stderr);
        return EXIT_WRONG;
    }
    b = (struct bench){.now = {1000, makes ? 1700000000000 : 1800000000000}, .a = arena_new()};
    rng_init(&b.rng, (uint64_t)time(NULL)); /* no transaction id twice */
    open_core(&b, argv[2], argc == 7 ? argv[6] : NULL, makes);
    if (makes) {
        make(&b, strtol(argv[3], NULL, 10), strtol(argv[4], NULL, 10), strtol(argv[5], NULL, 10));
    } else {
        run(&b, reads, strtol(argv[3], NULL, 10));
    }
    hs_close(b.hs);
    arena_free(b.a);
    return 0;
}

/* The pipeline of a request: parse, find the row, authenticate, check the body, run once, answer.
 */
#include "engine/gate.h"

#include "crypto/hash.h"
#include "engine/admission.h"
#include "engine/auth_token.h"
#include "engine/call.h"
#include "engine/effects.h"
#include "engine/input.h"
#include "engine/parked.h"
#include "engine/peer_auth.h"
#include "engine/route.h"
#include "engine/server_keys.h"

#include <string.h>

#define CORS                                                                                       \
    "access-control-allow-origin: *\r\n"                                                           \
    "access-control-allow-methods: GET, POST, PUT, DELETE, OPTIONS\r\n"                            \
    "access-control-allow-headers: X-Requested-With, Content-Type, Authorization, "                \
    "Neurite-Request-Id\r\n"

static struct str reply_text(struct req *req)
{
    if (!str_is_absent(req->reply.text)) {
        return req->reply.text;
    }
    struct buf out;
    buf_init_in(&out, req->a, HTTP_ANSWER_MAX);
    json_write(&out, req->reply.json);
    if (out.overflow) { /* a sync of enormous rooms, say */
        (void)reply_error(req, 500, "M_TOO_LARGE", "the answer would have more than %d bytes",
                          HTTP_ANSWER_MAX);
        buf_clear(&out);
        json_write(&out, req->reply.json);
    }
    return buf_str(&out);
}

static void answer(struct hs *hs, struct req *req, int status, struct str head, struct str text)
{
    if (req->door == DOOR_PEER) {
        calls_reply(hs->calls, req->id, status, head, text);
    } else if (!req->is_gone) {
        effects_respond(hs->effects, req->id, status, head, text);
    }
}

/* Pages of other origins may read what clients are told, but nothing below /_neurite; and where to
 * find it, whichever door is the one that the name leads to. */
static struct str reply_head(struct req *req)
{
    const char *type =
        req->reply.content_type == NULL ? "application/json" : req->reply.content_type;
    /* A peer's head is gone once its request was parked. */
    struct str path = req->door == DOOR_PEER ? STR("") : req->head->path;
    bool is_open = (req->door == DOOR_CLIENT && !str_starts(path, STR("/_neurite"))) ||
                   str_starts(path, STR("/.well-known/"));
    return arena_fmt(req->a, "content-type: %s\r\n%.*s%s", type, STR_ARG(req->reply.headers),
                     is_open ? CORS : "");
}

/* The reply as bytes, to the asker and to whoever repeated the request meanwhile. */
static void respond(struct hs *hs, struct req *req)
{
    struct str head = reply_head(req);
    struct str text = reply_text(req);
    answer(hs, req, req->reply.status, head, text);
    if (str_is_absent(req->request_id)) {
        return;
    }
    struct req *follower = parked_follower(hs->parked, req->id);
    while (follower != NULL) {
        answer(hs, follower, req->reply.status, head, text);
        parked_drop(hs->parked, follower);
        follower = parked_follower(hs->parked, req->id);
    }
}

/* Keeps the answer beside its effect, so that a repetition gets the same. What is kept is counted,
 * not timed, since a clock that jumps would forget it all. */
static enum err remember(struct hs *hs, struct req *req)
{
    if (req->request_id.p == NULL || req->reply.status >= 400) {
        return ERR_NONE;
    }
    TRY(store_run(hs->store, STMT_REQUEST_ID_PUT, "btbitb", req->request_session, req->request_id,
                  str_make(req->request_asked, sizeof(req->request_asked)),
                  (int64_t)req->reply.status, reply_head(req), reply_text(req)));
    TRY(store_run(hs->store, STMT_REQUEST_ID_FORGET_OF, "bi", req->request_session,
                  (int64_t)REQUEST_IDS_OF_SESSION));
    return store_run(hs->store, STMT_REQUEST_ID_FORGET, "i", (int64_t)REQUEST_IDS_MAX);
}

/* Was this request made before? *done: it is answered, or waits for the first one. */
static enum err once(struct hs *hs, struct req *req, bool *done)
{
    struct str id = http_header(req->head, STR("neurite-request-id"));
    static const char nobody[HASH_SIZE] = {0};
    *done = false;
    if (req->door != DOOR_CLIENT || str_is_empty(id) || id.n > 64 ||
        req->head->method == HTTP_GET) {
        return ERR_NONE;
    }
    req->request_id = id;
    req->request_session =
        req->token_hash.p == NULL ? str_make(nobody, sizeof(nobody)) : req->token_hash;
    struct str line = arena_fmt(req->a, "%.*s %.*s\n", STR_ARG(req->head->method_text),
                                STR_ARG(req->head->target));
    hash_sha256_pair(req->request_asked, line, req->body_text);
    struct str asked = str_make(req->request_asked, sizeof(req->request_asked));

    struct req *first = parked_of_request_id(hs->parked, req);
    if (first != NULL && memcmp(first->request_asked, req->request_asked, HASH_SIZE) == 0) {
        *done = true;
        req->leader = first->id;
        return req_park(req, NULL, -1, false);
    }
    struct query q;
    enum err err = query_one(&q, hs->store, STMT_REQUEST_ID_GET, "bt", req->request_session, id);
    if (err == ERR_ABSENT && first == NULL) {
        return ERR_NONE;
    }
    *done = true;
    if (err == ERR_ABSENT || !str_eq(query_str(&q, req->a, 0), asked)) {
        req->request_id = STR_ABSENT;
        TRY(err == ERR_ABSENT ? ERR_NONE : query_end(&q));
        return reply_error(req, 400, "M_INVALID_PARAM",
                           "Neurite-Request-Id was used for another request; take a new one");
    }
    TRY(err);
    req->reply.status = (int)query_int(&q, 1);
    req->reply.text = query_str(&q, req->a, 3);
    req->request_id = STR_ABSENT; /* already kept */
    return query_end(&q);
}

static enum err parse_body(struct req *req, bool *refused)
{
    const char *why = NULL;
    const char *odd = route_query_fault(req);
    *refused = true;
    if (odd != NULL) {
        return reply_error(req, 400, "M_INVALID_PARAM", "'%s' is a whole number, 0 or more", odd);
    }
    if (req->route->body == route_bytes ||
        (str_is_empty(req->body_text) && req->route->body == NULL)) {
        *refused = false;
        req->body = json_object(req->a);
        return ERR_NONE;
    }
    enum err err = json_parse(req->a, req->body_text, &req->body, &why);
    if (err != ERR_NONE) {
        return reply_error(req, 400, err == ERR_LIMIT ? "M_BAD_JSON" : "M_NOT_JSON",
                           "the body is not JSON as Matrix has it: %s", why == NULL ? "" : why);
    }
    if (!json_is(req->body, JSON_OBJECT)) {
        return reply_error(req, 400, "M_BAD_JSON", "the body must be a JSON object");
    }
    bool missing;
    const char *fault = route_body_fault(req->a, req->route->body, req->body, &missing);
    if (fault != NULL) {
        return reply_error(req, 400, missing ? "M_MISSING_PARAM" : "M_BAD_JSON", "%s", fault);
    }
    *refused = false;
    return ERR_NONE;
}

static enum err authenticate(struct hs *hs, struct req *req)
{
    if (req->route->who == WHO_SERVER) {
        return peer_auth_check(hs, req);
    }
    return auth_token_check(hs, req);
}

static enum err find_route(const struct route *const *tables, struct req *req)
{
    switch (route_find(tables, req)) {
    case ROUTE_FOUND:
        return ERR_NONE;
    case ROUTE_NO_METHOD:
        return reply_error(req, 405, "M_UNRECOGNIZED", "this path has no method %.*s",
                           STR_ARG(req->head->method_text));
    case ROUTE_BAD_PATH:
        return reply_error(req, 400, "M_INVALID_PARAM", "the path is not well escaped UTF-8");
    case ROUTE_NO_PATH:
        break;
    }
    return reply_error(req, 404, "M_UNRECOGNIZED", "this homeserver does not know that path");
}

static enum err admit_client(struct hs *hs, struct req *req, bool *done)
{
    TRY(authenticate(hs, req));
    *done = req->reply.status != 0;
    if (!*done) {
        TRY(admission_check(hs, req));
        *done = req->reply.status != 0;
    }
    /* A logout that is repeated has no token any more, but an answer that was kept. */
    if (!*done || req->reply.status == 401) {
        TRY(once(hs, req, done));
        *done = *done || req->reply.status != 0;
    }
    return *done ? ERR_NONE : parse_body(req, done);
}

static enum err serve(struct hs *hs, struct req *req);

static enum err serve_again(struct hs *hs, struct req *req, bool is_time_up)
{
    (void)is_time_up;
    req->reply.parked = false;
    req->until_ms = -1;
    return serve(hs, req);
}

static void keys_are_here(struct hs *hs, uint64_t id)
{
    struct req *req = parked_find(hs->parked, DOOR_SERVER, id);
    if (req != NULL) {
        req->until_ms = hs->now.mono_ms;
    }
}

/* The body is part of what is signed. */
static enum err admit_peer(struct hs *hs, struct req *req, bool *done)
{
    TRY(parse_body(req, done));
    if (!*done) {
        TRY(authenticate(hs, req));
        *done = req->reply.status != 0;
    }
    return ERR_NONE;
}

static bool is_again(const struct req *req)
{
    return req->resume == serve_again;
}

/* The key of who says to have signed the request, if there is one to ask for. */
static enum err await_signer(struct hs *hs, struct req *req, struct key_waiter waiter, bool *waits)
{
    struct str server, key_id;
    bool is_known;
    if (req->route->who != WHO_SERVER || !peer_auth_signer(req, &server, &key_id)) {
        return ERR_NONE;
    }
    TRY(server_keys_is_known(hs, server, key_id, &is_known));
    if (!is_known && !is_again(req)) {
        TRY(admission_key(hs, req));
    }
    return req->reply.status != 0 ? ERR_NONE : server_keys_await(hs, server, key_id, waiter, waits);
}

/* First the key of who asks, before anything of his is read; then those of the events in what he
 * brings. */
static enum err admit_server(struct hs *hs, struct req *req, bool *done)
{
    struct key_waiter waiter = {keys_are_here, req->id};
    if (!is_again(req)) {
        TRY(admission_door(hs, req));
        *done = req->reply.status != 0;
    }
    if (*done) {
        return ERR_NONE;
    }
    bool waits = false;
    TRY(await_signer(hs, req, waiter, &waits));
    *done = req->reply.status != 0;
    if (!waits && !*done) {
        TRY(admit_peer(hs, req, done));
    }
    if (!waits && !*done) {
        TRY(admission_check(hs, req));
        *done = req->reply.status != 0;
    }
    if (!waits && !*done) {
        TRY(server_keys_await_events(hs, req->body, waiter, &waits));
    }
    *done = *done || waits;
    return waits ? req_park(req, serve_again, -1, false) : ERR_NONE;
}

/* Of all doors; *done: the handler has nothing to do any more. */
static enum err admit(struct hs *hs, struct req *req, bool *done)
{
    *done = false;
    switch (req->door) {
    case DOOR_CLIENT:
        return admit_client(hs, req, done);
    case DOOR_PEER:
        return admit_peer(hs, req, done);
    case DOOR_SERVER:
        break;
    }
    return admit_server(hs, req, done);
}

/* Everything inside the savepoint. A reply is set, or the request is parked. */
static enum err serve(struct hs *hs, struct req *req)
{
    bool done;
    TRY(admit(hs, req, &done));
    if (done || req->reply.status != 0) {
        return ERR_NONE;
    }
    if (hs->settings.read_only && req->head->method != HTTP_GET && req->door == DOOR_CLIENT) {
        TRY(reply_error(req, 403, "M_RESOURCE_LIMIT_EXCEEDED",
                        "the storage is full: reading works, writing does not; free some space"));
        json_put_text(req->reply.json, "limit_type", STR("storage"));
        json_put_text(req->reply.json, "admin_contact", STR("/_neurite/"));
        return ERR_NONE;
    }
    TRY(req->route->handler(hs, req));
    assert(req->reply.parked || req->reply.status != 0);
    return ERR_NONE;
}

static void internal_error(struct hs *hs, struct req *req, enum err err)
{
    hs_log(hs, LOG_ERROR, "%.*s %.*s failed: %s (%s)", STR_ARG(req->head->method_text),
           STR_ARG(req->head->path), err_name(err), store_why(hs->store));
    (void)reply_error(req, 500, "M_UNKNOWN", "the homeserver could not do this (%s); try again",
                      err_name(err));
    req->reply.text = STR_ABSENT;
    req->reply.headers = STR_ABSENT;
    req->reply.parked = false;
}

/* Runs one step of a request as an input and answers it, unless it stays parked. */
static void run(struct hs *hs, struct req *req, enum err (*step)(struct hs *, struct req *))
{
    struct input in;
    enum err err = input_begin(hs, &in);
    if (err != ERR_NONE) {
        input_fatal(hs, err);
        return;
    }
    err = step(hs, req);
    if (err == ERR_NONE && !req->reply.parked) {
        err = remember(hs, req);
    }
    bool keep = req->reply.parked || req->reply.status < 400 || req->reply.keep;
    enum err ended = input_end(hs, &in, err, keep);
    if (input_is_fatal(err) || ended != ERR_NONE) {
        input_fatal(hs, ended != ERR_NONE ? ended : err);
        return;
    }
    if (err != ERR_NONE) {
        internal_error(hs, req, err);
    }
    if (!req->reply.parked) {
        respond(hs, req);
    }
}

static enum err step_first(struct hs *hs, struct req *req)
{
    return req->reply.status != 0 ? ERR_NONE : serve(hs, req);
}

/* One who asks takes only so many of the places of all, and so do servers beside clients. */
static bool keep_parked(struct hs *hs, struct req *req)
{
    size_t of_servers = 0;
    size_t of_asker = parked_of_asker(hs->parked, req, &of_servers);
    bool is_server = req->door != DOOR_CLIENT;
    return of_asker < REQUESTS_PARKED_OF_ONE &&
           !(is_server && of_servers >= REQUESTS_PARKED_OF_SERVERS) && parked_keep(hs->parked, req);
}

/* Keeps a parked request, or ends it. */
static void settle(struct hs *hs, struct req *req)
{
    if (req->reply.parked && !hs->dead && keep_parked(hs, req)) {
        return;
    }
    if (req->reply.parked && !hs->dead) {
        req->reply.parked = false;
        (void)reply_error(req, 429, "M_LIMIT_EXCEEDED", "too many requests wait here; try again");
        json_put_int(req->reply.json, "retry_after_ms", 1000);
        respond(hs, req);
    }
    arena_free(req->a);
}

static struct req *req_new(enum door door, uint64_t id)
{
    struct arena *a = arena_new();
    struct req *req = ARENA_NEW(a, struct req);
    req->a = a;
    req->id = id;
    req->door = door;
    req->until_ms = -1;
    return req;
}

/* The host's word comes first in the head, so a client cannot put its own before it. Programs on
 * this machine may speak for others: a reverse proxy does. */
static struct str address_of(const struct http_head *head)
{
    struct str address = http_header(head, STR("neurite-address"));
    struct str others = http_header_last(head, STR("x-forwarded-for"));
    bool is_local = str_eq(address, STR("127.0.0.1")) || str_eq(address, STR("::1"));
    size_t comma;
    if (!is_local || str_is_empty(others)) {
        return address;
    }
    return str_trim(str_find_last(others, ',', &comma) ? str_from(others, comma + 1) : others);
}

void gate_request(struct hs *hs, enum door door, const struct route *const *tables, uint64_t id,
                  struct str head, struct str body)
{
    struct req *req = req_new(door, id);
    struct http_head *parsed = ARENA_NEW(req->a, struct http_head);
    size_t body_max = door == DOOR_SERVER ? SERVER_BODY_MAX : HTTP_BODY_MAX;
    head = arena_str(req->a, head);
    req->body_text = arena_str(req->a, body);
    req->head = parsed;
    if (http_parse_request(head, parsed) <= 0) {
        (void)reply_error(req, 400, "M_UNKNOWN", "this is not an HTTP/1.1 request head");
        parsed->method_text = STR("?");
    } else if (parsed->method == HTTP_OPTIONS) {
        (void)reply_empty(req);
    } else if (body.n > body_max) {
        (void)reply_error(req, 413, "M_TOO_LARGE", "a body has at most %zu bytes", body_max);
    } else {
        (void)find_route(tables, req);
    }
    req->address = address_of(parsed);
    run(hs, req, step_first);
    settle(hs, req);
}

void gate_peer(struct hs *hs, const struct route *const *tables, uint64_t stream,
               struct str peer_id, const struct http_head *head, struct str body)
{
    struct req *req = req_new(DOOR_PEER, stream);
    req->head = head;
    req->body_text = body;
    req->origin = arena_str(req->a, peer_id);
    (void)find_route(tables, req);
    run(hs, req, step_first);
    if (req->reply.parked) {
        req->head = NULL; /* borrowed for the callback only */
        req->body_text = STR_ABSENT;
    }
    settle(hs, req);
}

/* Of a client or a server that the host serves: their ids are of one sequence. */
static struct req *find_of_host(struct hs *hs, uint64_t id)
{
    struct req *req = parked_find(hs->parked, DOOR_CLIENT, id);
    return req != NULL ? req : parked_find(hs->parked, DOOR_SERVER, id);
}

void gate_gone(struct hs *hs, uint64_t id)
{
    struct req *req = find_of_host(hs, id);
    if (req != NULL && req->wakes) {
        parked_drop(hs->parked, req);
    } else if (req != NULL) { /* a write goes on: its answer is kept under its request id */
        req->is_gone = true;
    }
}

struct req *gate_find(struct hs *hs, uint64_t id)
{
    struct req *req = find_of_host(hs, id);
    return req != NULL ? req : parked_find(hs->parked, DOOR_PEER, id);
}

enum err gate_finish(struct hs *hs, struct req *req)
{
    req->reply.parked = false;
    TRY(remember(hs, req));
    respond(hs, req);
    parked_drop(hs->parked, req);
    return ERR_NONE;
}

void gate_news(struct hs *hs, int64_t user)
{
    parked_news(hs->parked, user);
}

void gate_room_news(struct hs *hs, int64_t room)
{
    parked_room_news(hs->parked, room);
}

static enum err step_resume(struct hs *hs, struct req *req)
{
    bool is_time_up = req->until_ms >= 0 && hs->now.mono_ms >= req->until_ms;
    TRY(req->resume(hs, req, is_time_up));
    if (req->reply.status != 0) {
        req->reply.parked = false;
    }
    return ERR_NONE;
}

void gate_resume(struct hs *hs)
{
    struct req *req = parked_ready(hs->parked, hs->now.mono_ms);
    for (size_t n = 0; req != NULL && !hs->dead && n < REQUESTS_PARKED_MAX; n++) {
        run(hs, req, step_resume);
        if (req->reply.parked) {
            parked_renew(hs->parked, req);
        } else {
            parked_drop(hs->parked, req);
        }
        req = parked_ready(hs->parked, hs->now.mono_ms);
    }
}

int64_t gate_next_ms(const struct hs *hs)
{
    return parked_next_ms(hs->parked);
}

size_t gate_parked_count(const struct hs *hs)
{
    return parked_count(hs->parked);
}

/* Outgoing requests and replies, queued until the end of the turn. */
#include "engine/call.h"

#include "engine/effects.h"
#include "engine/input.h"
#include "engine/server_keys.h"
#include "event/mxid.h"
#include "event/seal.h"
#include "net/link.h"

enum { CALLS_MAX = 4096, KEY_ROUNDS_MAX = 4 };

/* One thing for the network: a call (call != NULL) or a reply. */
struct parcel {
    struct parcel *next;
    struct call *call;
    struct str line, rest; /* of a call's request, in its arena: the first line, all after Host */
    int64_t timeout_ms;
    struct arena *a; /* of a reply */
    uint64_t stream;
    int status;
    struct str head, body;
};

struct calls {
    struct call *open[CALLS_MAX]; /* queued or sent, not answered */
    size_t n_open;
    struct parcel *first, **end;
    size_t queued; /* ever, without those cut */
    uint64_t next_id;
};

struct calls *calls_new(void)
{
    struct calls *calls = base_alloc(sizeof(*calls));
    calls->end = &calls->first;
    calls->next_id = 1;
    return calls;
}

static void forget(struct calls *calls, struct call *call)
{
    for (size_t i = 0; i < calls->n_open; i++) {
        if (calls->open[i] == call) {
            calls->n_open--;
            calls->open[i] = calls->open[calls->n_open];
            break;
        }
    }
    arena_free(call->a);
}

static void parcel_free(struct parcel *p)
{
    arena_free(p->a);
    base_free(p);
}

void calls_free(struct calls *calls)
{
    if (calls == NULL) {
        return;
    }
    while (calls->first != NULL) {
        struct parcel *p = calls->first;
        calls->first = p->next;
        parcel_free(p);
    }
    while (calls->n_open > 0) {
        forget(calls, calls->open[0]);
    }
    base_free(calls);
}

bool call_is_possible(const struct hs *hs, struct str server)
{
    return mxid_is_peer(server, NULL) ? hs->net != NULL
                                      : hs->settings.federates && mxid_is_server(server);
}

/* Before there was M_UNRECOGNIZED it was 404 without a word. */
bool call_is_unknown(int status, const struct json *body)
{
    struct str code = json_get_text(body, "errcode");
    return str_eq(code, STR("M_UNRECOGNIZED")) ? status == 400 || status == 404 || status == 405
                                               : status == 404 && str_is_absent(code);
}

const struct json *call_unwrap(const struct json *body)
{
    return json_is(body, JSON_ARRAY) && json_count(body) == 2 ? json_next(json_first(body)) : NULL;
}

struct call *call_new(struct hs *hs, struct str server, answer_fn answer)
{
    struct arena *a = arena_new();
    struct call *call = ARENA_NEW(a, struct call);
    *call = (struct call){.a = a, .id = hs->calls->next_id, .answer = answer};
    call->server = arena_str(a, server);
    hs->calls->next_id++;
    return call;
}

static void queue(struct calls *calls, struct parcel what)
{
    struct parcel *p = base_alloc(sizeof(*p));
    *p = what;
    p->next = NULL;
    *calls->end = p;
    calls->end = &p->next;
    calls->queued++;
}

enum err call_send(struct hs *hs, struct call *call, const char *method, struct str path,
                   const struct json *body, int64_t timeout_ms)
{
    struct str auth;
    struct str content = body == NULL ? STR("") : json_str(call->a, body);
    if (hs->calls->n_open == CALLS_MAX) {
        arena_free(call->a);
        return ERR_LIMIT;
    }
    struct event_signer signer = hs_signer(hs);
    struct seal_request request = {str_of(method), path, call->server, body};
    TRY(seal_request_sign(call->a, &request, &signer, &auth));
    struct str line = arena_fmt(call->a, "%s %.*s HTTP/1.1\r\n", method, STR_ARG(path));
    struct str head = arena_fmt(call->a, "authorization: %.*s\r\n", STR_ARG(auth));
    struct str length =
        body == NULL
            ? STR("\r\n")
            : arena_fmt(call->a, "content-type: application/json\r\ncontent-length: %zu\r\n\r\n",
                        content.n);
    hs->calls->open[hs->calls->n_open] = call;
    hs->calls->n_open++;
    queue(hs->calls, (struct parcel){.call = call,
                                     .line = line,
                                     .rest = arena_join(call->a, head, length, content),
                                     .timeout_ms = timeout_ms});
    return ERR_NONE;
}

void calls_reply(struct calls *calls, uint64_t stream, int status, struct str head, struct str body)
{
    struct arena *a = arena_new();
    queue(calls, (struct parcel){.a = a,
                                 .stream = stream,
                                 .status = status,
                                 .head = arena_str(a, head),
                                 .body = arena_str(a, body)});
}

size_t calls_mark(const struct calls *calls)
{
    return calls->queued;
}

void calls_cut(struct calls *calls, size_t mark)
{
    size_t n = 0;
    for (struct parcel *p = calls->first; p != NULL; p = p->next) {
        n++;
    }
    size_t drop = calls->queued - mark;
    assert(drop <= n);
    struct parcel **at = &calls->first;
    for (size_t keep = n - drop; keep > 0; keep--) {
        assert(*at != NULL);
        at = &(*at)->next;
    }
    struct parcel *p = *at;
    *at = NULL;
    calls->end = at;
    while (p != NULL) {
        struct parcel *next = p->next;
        if (p->call != NULL) {
            forget(calls, p->call);
        }
        parcel_free(p);
        p = next;
    }
    calls->queued = mark;
}

static void leave(struct hs *hs, const struct parcel *p)
{
    struct call *call = p->call;
    if (!call_is_possible(hs, call->server)) {
        calls_answered(hs, call->id, 0, STR("this server name cannot be reached"), STR(""));
    } else if (mxid_is_peer(call->server, NULL)) {
        struct str host =
            arena_fmt(call->a, "host: %.*s\r\nconnection: close\r\n", STR_ARG(call->server));
        net_call(hs->net, hs->now, call->server, call->id,
                 arena_join(call->a, p->line, host, p->rest), p->timeout_ms);
    } else {
        effects_fetch(hs->effects, call->id, call->server,
                      arena_join(call->a, p->line, p->rest, STR("")),
                      hs->now.mono_ms + p->timeout_ms);
    }
}

void calls_leave(struct hs *hs)
{
    struct calls *calls = hs->calls;
    while (calls->first != NULL) {
        struct parcel *p = calls->first;
        calls->first = p->next;
        if (calls->first == NULL) {
            calls->end = &calls->first;
        }
        if (p->call == NULL) {
            if (hs->net != NULL) {
                net_answer(hs->net, hs->now, p->stream, p->status, p->head, p->body);
            }
        } else {
            leave(hs, p);
        }
        parcel_free(p);
    }
}

static struct call *find(const struct hs *hs, uint64_t id)
{
    for (size_t i = 0; i < hs->calls->n_open; i++) {
        if (hs->calls->open[i]->id == id) {
            return hs->calls->open[i];
        }
    }
    return NULL;
}

bool call_is_open(const struct hs *hs, uint64_t id)
{
    return find(hs, id) != NULL;
}

/* Runs the callback as an input of its own. */
static enum err run_answer(struct hs *hs, struct call *call, int status, const char *why)
{
    struct input in;
    TRY(input_begin(hs, &in));
    enum err err = call->answer(hs, call, status, status == 0 ? NULL : call->body, why);
    enum err ended = input_end(hs, &in, err, true);
    return ended != ERR_NONE ? ERR_CORRUPT : err;
}

static void deliver(struct hs *hs, struct call *call)
{
    const char *why = call->why.p == NULL ? "" : call->why.p;
    enum err err = run_answer(hs, call, call->status, why);
    if (err != ERR_NONE && !input_is_fatal(err)) { /* taken back: it counts as a failed call */
        hs_log(hs, LOG_WARN, "an answer of %.*s could not be taken: %s (%s)", STR_ARG(call->server),
               err_name(err), store_why(hs->store));
        err = run_answer(hs, call, 0, "its answer could not be taken");
    }
    if (err != ERR_NONE && input_is_fatal(err)) {
        input_fatal(hs, err);
    }
    forget(hs->calls, call);
}

struct hold {
    struct call *call;
    struct key_waiter waiter;
    bool waits;
};

static enum err hold(struct hs *hs, void *ctx)
{
    struct hold *h = ctx;
    return server_keys_await_events(hs, h->call->body, h->waiter, &h->waits);
}

static void deliver_held(struct hs *hs, uint64_t id);

/* Does the call wait for keys of the events in its answer? They are asked for in rounds: a large
 * room has more servers than are asked at once. */
static bool is_held(struct hs *hs, struct call *call)
{
    struct hold h = {call, {deliver_held, call->id}, false};
    bool may = hs->settings.federates && call->status == 200 && call->body != NULL;
    if (may && call->key_rounds++ < KEY_ROUNDS_MAX) {
        (void)input_run(hs, hold, &h, "asking for keys");
    }
    return h.waits;
}

/* The keys of its events are known, or cannot be. */
static void deliver_held(struct hs *hs, uint64_t id)
{
    struct call *call = find(hs, id);
    if (call != NULL && !is_held(hs, call) && !hs->dead) {
        deliver(hs, call);
    }
}

void calls_answered(struct hs *hs, uint64_t id, int status, struct str why, struct str body)
{
    struct call *call = find(hs, id);
    if (call == NULL) {
        return;
    }
    call->status = status;
    call->why = arena_str(call->a, why);
    call->text = body;
    if (status == 0 || json_parse(call->a, body, &call->body, NULL) != ERR_NONE) {
        call->body = NULL;
    }
    if (is_held(hs, call)) {
        call->text = arena_str(call->a, body);
    } else if (!hs->dead) {
        deliver(hs, call);
    }
}

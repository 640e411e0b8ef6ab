/* Sessions of long polling. */
#include "relay/polling.h"

#include "base/encode.h"
#include "base/map.h"
#include "relay/payload.h"

enum { BATCH_MAX = 256 }; /* packets in one body */

static const char TEXT_TYPE[] = "text/plain; charset=UTF-8";
static const char BINARY_TYPE[] = "application/octet-stream";
static const char HTML_TYPE[] = "text/html"; /* as engine.io answers a POST */

struct polling {
    char sid[POLLING_SID_SIZE];
    struct conn *conn;
    void *poll, *post;   /* requests that wait for their answer; NULL: none */
    struct buf body;     /* of the POST */
    bool is_binary;      /* that body */
    bool is_posted;      /* its packets are taken, its answer waits until we read again */
    void *probe;         /* a websocket that may take over */
    bool has_probed;     /* it said so, and wants the GET that waits to end */
    bool is_upgraded;    /* it did */
    int64_t probe_by_ms; /* it must have, by then */
};

struct pollings {
    struct relay *relay;
    struct polling_calls calls;
    struct map sessions; /* by session id */
    int64_t check_ms;    /* when to look after them next */
};

struct pollings *pollings_new(struct relay *relay, const struct polling_calls *calls)
{
    struct pollings *all = base_alloc(sizeof(*all));
    all->relay = relay;
    all->calls = *calls;
    map_init(&all->sessions);
    return all;
}

void pollings_free(struct pollings *all)
{
    assert(map_count(&all->sessions) == 0);
    map_release(&all->sessions);
    base_free(all);
}

static struct str sid_of(const struct polling *polling)
{
    return str_make(polling->sid, POLLING_SID_SIZE);
}

/* --- answers ------------------------------------------------------------------------------ */

/* *request is answered, and waits no longer. */
static void answer(struct pollings *all, struct polling *polling, void **request, const char *type,
                   struct str body)
{
    struct polling_answer a = {200, type, body, sid_of(polling)};
    void *waiting = *request;
    *request = NULL;
    if (waiting != NULL) {
        all->calls.answer(all->calls.ctx, waiting, &a);
    }
}

static void refuse_request(struct pollings *all, void *request, int status)
{
    struct polling_answer a = {status, HTML_TYPE, STR(""), STR("")};
    if (request != NULL) {
        all->calls.answer(all->calls.ctx, request, &a);
    }
}

static void forget(struct pollings *all, struct polling *polling)
{
    (void)map_remove(&all->sessions, sid_of(polling));
    buf_release(&polling->body);
    base_free(polling);
}

/* The GET that waits hears engine.io's close; a POST is cut off, or was taken all the same. */
static void end(struct pollings *all, struct now now, struct polling *polling)
{
    if (polling->is_posted) {
        answer(all, polling, &polling->post, HTML_TYPE, STR("ok"));
    }
    void *post = polling->post;
    polling->post = NULL;
    answer(all, polling, &polling->poll, TEXT_TYPE, STR("1:1"));
    refuse_request(all, post, 0);
    if (polling->probe != NULL) {
        all->calls.refuse(all->calls.ctx, polling->probe);
    }
    relay_gone(all->relay, now, polling->conn);
    forget(all, polling);
}

/* What waits goes out as one body, binary when a packet of it is. */
static void flush(struct pollings *all, struct polling *polling)
{
    struct frame *batch[BATCH_MAX];
    size_t n = 0, bytes = 0;
    bool is_binary = false;
    struct frame *f = conn_first(polling->conn);
    while (f != NULL && n < BATCH_MAX && (n == 0 || bytes + f->n <= RELAY_MESSAGE_MAX)) {
        batch[n] = frame_hold(f);
        n++;
        bytes += f->n;
        is_binary = is_binary || f->kind == FRAME_BINARY;
        conn_sent(all->relay, polling->conn);
        f = conn_first(polling->conn);
    }
    struct buf body;
    buf_init(&body, SIZE_MAX / 2);
    for (size_t i = 0; i < n; i++) {
        payload_add(&body, batch[i], is_binary);
        frame_drop(batch[i]);
    }
    answer(all, polling, &polling->poll, is_binary ? BINARY_TYPE : TEXT_TYPE, buf_str(&body));
    buf_release(&body);
}

void polling_settle(struct pollings *all, struct now now, struct polling *polling)
{
    if (conn_closing(polling->conn) != CONN_OPEN) {
        end(all, now, polling);
        return;
    }
    if (polling->is_posted && !conn_is_paused(polling->conn)) {
        polling->is_posted = false;
        answer(all, polling, &polling->post, HTML_TYPE, STR("ok"));
    }
    if (polling->poll != NULL && conn_first(polling->conn) != NULL) {
        flush(all, polling);
    } else if (polling->poll != NULL && polling->has_probed) {
        answer(all, polling, &polling->poll, TEXT_TYPE, STR("1:6"));
    }
}

/* --- sessions ----------------------------------------------------------------------------- */

bool polling_open(struct pollings *all, struct now now, struct str ip, bool is_base64,
                  void *request)
{
    struct polling *polling = base_alloc(sizeof(*polling));
    buf_init(&polling->body, RELAY_MESSAGE_MAX);
    polling->conn = relay_open_polling(all->relay, now, ip, is_base64, polling->sid, polling);
    if (polling->conn == NULL) {
        base_free(polling);
        return false;
    }
    map_put(&all->sessions, sid_of(polling), polling);
    polling->poll = request;
    polling_settle(all, now, polling);
    return true;
}

struct polling *polling_find(const struct pollings *all, struct str sid)
{
    return map_get(&all->sessions, sid);
}

bool polling_is_polled(const struct polling *polling)
{
    return !polling->is_upgraded;
}

struct conn *polling_conn(const struct polling *polling)
{
    return polling->conn;
}

void polling_forget(struct pollings *all, struct polling *polling)
{
    assert(polling->is_upgraded);
    forget(all, polling);
}

void pollings_tick(struct pollings *all, struct now now)
{
    if (now.mono_ms < all->check_ms) {
        return;
    }
    all->check_ms = now.mono_ms + POLLING_CHECK_MS;
    for (struct map_entry *e = map_next(&all->sessions, NULL); e != NULL;
         e = map_next(&all->sessions, e)) {
        struct polling *polling = e->value;
        if (polling->probe != NULL && polling->probe_by_ms <= now.mono_ms) {
            void *probe = polling->probe;
            polling_probe_gone(polling);
            all->calls.refuse(all->calls.ctx, probe);
        }
        if (polling->poll != NULL && all->calls.is_gone(all->calls.ctx, polling->poll)) {
            end(all, now, polling);
        }
    }
}

void pollings_end(struct pollings *all, struct now now)
{
    for (struct map_entry *e = map_next(&all->sessions, NULL); e != NULL;
         e = map_next(&all->sessions, e)) {
        struct polling *polling = e->value;
        if (!polling->is_upgraded) {
            end(all, now, polling);
        }
    }
}

/* --- requests ----------------------------------------------------------------------------- */

void polling_get(struct pollings *all, struct now now, struct polling *polling, void *request)
{
    if (polling->poll != NULL) {
        refuse_request(all, request, 500);
        end(all, now, polling);
        return;
    }
    polling->poll = request;
    polling_settle(all, now, polling);
}

void polling_post(struct pollings *all, struct now now, struct polling *polling, void *request,
                  bool is_binary)
{
    if (polling->post != NULL) {
        refuse_request(all, request, 500);
        end(all, now, polling);
        return;
    }
    polling->post = request;
    polling->is_binary = is_binary;
}

void polling_body(struct pollings *all, struct now now, struct polling *polling, struct str bytes)
{
    buf_add(&polling->body, bytes);
    if (polling->body.overflow) {
        end(all, now, polling);
    }
}

/* False: the client said goodbye. */
static bool take_packets(struct pollings *all, struct now now, struct polling *polling)
{
    struct str rest = buf_str(&polling->body);
    struct frame *packet = NULL;
    enum err err = ERR_NONE;
    if (!polling->is_binary && (rest.n == 0 || !utf8_is_valid(rest))) {
        err = ERR_SYNTAX;
    }
    while (err == ERR_NONE && conn_closing(polling->conn) == CONN_OPEN) {
        err = payload_next(&rest, polling->is_binary, &packet);
        if (packet == NULL) {
            break;
        }
        if (packet->kind == FRAME_TEXT && str_starts(frame_payload(packet), STR("1"))) {
            frame_drop(packet);
            return false;
        }
        relay_message(all->relay, now, polling->conn, packet);
    }
    if (err != ERR_NONE) {
        relay_bad(all->relay, polling->conn);
    }
    return true;
}

void polling_posted(struct pollings *all, struct now now, struct polling *polling)
{
    bool stays = take_packets(all, now, polling);
    buf_release(&polling->body);
    buf_init(&polling->body, RELAY_MESSAGE_MAX);
    polling->is_posted = true;
    if (stays) {
        polling_settle(all, now, polling);
        return;
    }
    answer(all, polling, &polling->post, HTML_TYPE, STR("ok"));
    answer(all, polling, &polling->poll, TEXT_TYPE, STR("1:6"));
    end(all, now, polling);
}

void polling_lost(struct pollings *all, struct now now, void *request, struct polling *polling)
{
    if (polling->poll == request) {
        polling->poll = NULL;
    } else {
        assert(polling->post == request);
        polling->post = NULL;
    }
    end(all, now, polling);
}

/* --- a websocket takes over --------------------------------------------------------------- */

bool polling_probe(struct polling *polling, struct now now, void *socket)
{
    if (polling->probe != NULL || polling->is_upgraded) {
        return false;
    }
    polling->probe = socket;
    polling->probe_by_ms = now.mono_ms + POLLING_PROBE_MS;
    return true;
}

void polling_probe_gone(struct polling *polling)
{
    polling->probe = NULL;
    polling->has_probed = false;
}

enum polling_verdict polling_probe_message(struct pollings *all, struct polling *polling,
                                           struct frame *message, bool is_base64)
{
    struct str said = frame_payload(message);
    bool is_text = message->kind == FRAME_TEXT;
    enum polling_verdict verdict = POLLING_REFUSED;
    if (is_text && str_eq(said, STR("2probe"))) {
        polling->has_probed = true;
        verdict = POLLING_PONG;
    } else if (is_text && str_starts(said, STR("5"))) {
        void *post = polling->post, *probe = polling->probe;
        polling_probe_gone(polling);
        polling->is_upgraded = true;
        polling->post = NULL;
        answer(all, polling, &polling->poll, TEXT_TYPE, STR("1:1"));
        refuse_request(all, post, 0);
        conn_upgrade(all->relay, polling->conn, probe, is_base64);
        verdict = POLLING_UPGRADED;
    } else {
        polling_probe_gone(polling);
    }
    frame_drop(message);
    return verdict;
}

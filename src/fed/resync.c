/* One question after the other to each server; its truth is the table `remote_lists`. */
#include "fed/resync.h"

#include "base/encode.h"
#include "engine/call.h"
#include "engine/device_lists.h"
#include "engine/edu_in.h"
#include "engine/input.h"
#include "engine/remote_keys.h"
#include "fed/attempt.h"

enum {
    LANES_MAX = 256,
    CALL_TIMEOUT_MS = 20000,
    RETRY_MS = 5000,
    RETRY_MAX_MS = 3600000,
};

struct lane {
    int64_t server; /* its number in names */
    bool is_unreached;
    struct attempt attempt;
};

struct resyncs {
    struct lane at[LANES_MAX];
    size_t n;
    bool has_more; /* servers with stale lists found no place */
};

struct resyncs *resyncs_new(void)
{
    return base_alloc(sizeof(struct resyncs));
}

void resyncs_free(struct resyncs *r)
{
    base_free(r);
}

static struct lane *find(struct resyncs *r, int64_t server)
{
    for (size_t i = 0; i < r->n; i++) {
        if (r->at[i].server == server) {
            return &r->at[i];
        }
    }
    return NULL;
}

/* A free place, or that of whoever waits and failed most often; NULL: all are being asked. */
static struct lane *find_place(struct resyncs *r)
{
    struct lane *place = NULL;
    if (r->n < LANES_MAX) {
        return &r->at[r->n++];
    }
    for (size_t i = 0; i < LANES_MAX; i++) {
        struct lane *lane = &r->at[i];
        if (attempt_is_idle(&lane->attempt)) {
            return lane;
        }
        if (lane->attempt.call == 0 && lane->attempt.failures > 0 &&
            (place == NULL || lane->attempt.failures > place->attempt.failures)) {
            place = lane;
        }
    }
    r->has_more = true;
    return place;
}

static void due(struct hs *hs, int64_t server)
{
    struct lane *lane = find(hs->resyncs, server);
    if (lane == NULL) {
        lane = find_place(hs->resyncs);
        if (lane == NULL) {
            return;
        }
        *lane = (struct lane){.server = server};
    }
    if (!lane->attempt.is_due || lane->attempt.failures == 0) {
        attempt_due(&lane->attempt, hs->now.mono_ms);
    }
}

enum err resyncs_load(struct hs *hs)
{
    struct query q;
    hs->resyncs->has_more = false;
    query_start(&q, hs->store, STMT_REMOTE_LIST_SERVERS, "");
    while (query_next(&q)) {
        due(hs, query_int(&q, 0));
    }
    return query_end(&q);
}

void resyncs_seen(struct hs *hs, struct str server)
{
    struct resyncs *r = hs->resyncs;
    int64_t number = 0;
    for (size_t i = 0; i < r->n; i++) {
        if (r->at[i].attempt.failures == 0 || !r->at[i].is_unreached) {
            continue;
        }
        if (number == 0 &&
            (store_name_find(hs->store, server, &number) != ERR_NONE || number == 0)) {
            return;
        }
        if (r->at[i].server == number) {
            attempt_hasten(hs, &r->at[i].attempt);
        }
    }
}

int64_t resyncs_next_ms(const struct hs *hs)
{
    int64_t next = -1;
    for (size_t i = 0; i < hs->resyncs->n; i++) {
        next = attempt_next_ms(&hs->resyncs->at[i].attempt, next);
    }
    return next;
}

/* --- what makes them due ------------------------------------------------------------------------
 */

static enum err due_name(struct hs *hs, struct str server)
{
    int64_t number;
    TRY(store_name(hs->store, server, &number));
    due(hs, number);
    return ERR_NONE;
}

enum err resync_device_list(struct hs *hs, struct str origin, const struct json *content)
{
    TRY(device_list_receive(hs, origin, content));
    return due_name(hs, origin);
}

enum err resync_signing_key(struct hs *hs, struct str origin, const struct json *content)
{
    TRY(signing_key_receive(hs, origin, content));
    return due_name(hs, origin);
}

/* --- one question -------------------------------------------------------------------------------
 */

struct question {
    int64_t server;
    struct remote_keys keys;
    struct str user_id;
};

/* Told that there is nothing to tell? Whoever is only busy, or broken, is asked again. */
static bool is_refusal(int status)
{
    return status >= 400 && status < 500 && status != 408 && status != 429;
}

static enum err on_answer(struct hs *hs, struct call *call, int status, struct json *body,
                          const char *why)
{
    const struct question *asked = call->ctx;
    struct lane *lane = find(hs->resyncs, asked->server);
    bool taken;
    assert(lane != NULL);
    if (status == 200 && json_get_array(body, "devices") != NULL) {
        attempt_succeeded(&lane->attempt);
        attempt_due(&lane->attempt, hs->now.mono_ms); /* look for more */
        const struct json *answer = remote_keys_of_devices(call->a, asked->user_id, body);
        TRY(remote_keys_take(hs, &asked->keys, asked->user_id, answer,
                             json_get_int(body, "stream_id", 0), &taken));
        return taken ? device_list_note(hs, asked->keys.user) : ERR_NONE;
    }
    hs_log(hs, LOG_INFO, "devices of %.*s: %d %s", STR_ARG(asked->user_id), status, why);
    if (is_refusal(status)) {
        attempt_succeeded(&lane->attempt);
        attempt_due(&lane->attempt, hs->now.mono_ms);
        TRY(remote_keys_drop(hs, asked->keys.user));
        return device_list_note(hs, asked->keys.user);
    }
    lane->is_unreached = status == 0;
    attempt_failed(hs, &lane->attempt, RETRY_MS, RETRY_MAX_MS);
    TRY(store_run(hs->store, STMT_REMOTE_LIST_FAILED, "i", asked->keys.list));
    /* Clients hear that it changed; they ask again until somebody answers. */
    return asked->keys.failures == 0 ? device_list_note(hs, asked->keys.user) : ERR_NONE;
}

/* An input of its own: what there is to ask of the lane's server, if anything. */
static enum err ask(struct hs *hs, void *ctx)
{
    struct lane *lane = ctx;
    struct query q;
    struct str server;
    enum err err = query_one(&q, hs->store, STMT_REMOTE_LIST_DUE, "i", lane->server);
    if (err == ERR_ABSENT) {
        attempt_rest(&lane->attempt);
        return ERR_NONE;
    }
    TRY(err);
    struct str user_id = query_str(&q, hs->turn, 0);
    TRY(query_end(&q));
    TRY(store_name_text(hs->store, hs->turn, lane->server, &server));
    struct call *call = call_new(hs, server, on_answer);
    struct question *question = ARENA_NEW(call->a, struct question);
    question->server = lane->server;
    question->user_id = arena_str(call->a, user_id);
    call->ctx = question;
    err = remote_keys_find(hs, question->user_id, &question->keys);
    if (err != ERR_NONE) {
        arena_free(call->a);
        return err;
    }
    attempt_begin(&lane->attempt, call->id);
    struct str path = arena_fmt(call->a, "/_matrix/federation/v1/user/devices/%.*s",
                                STR_ARG(percent_write(call->a, user_id)));
    return call_send(hs, call, "GET", path, NULL, CALL_TIMEOUT_MS);
}

static bool has_room(const struct resyncs *r)
{
    bool has = r->n < LANES_MAX;
    for (size_t i = 0; !has && i < r->n; i++) {
        has = attempt_is_idle(&r->at[i].attempt);
    }
    return has;
}

void resyncs_turn(struct hs *hs)
{
    struct resyncs *r = hs->resyncs;
    if (r->has_more && has_room(r)) {
        r->has_more = resyncs_load(hs) != ERR_NONE || r->has_more;
    }
    for (size_t i = 0; i < r->n && !hs->dead; i++) {
        struct attempt *at = &r->at[i].attempt;
        attempt_mend(hs, at, RETRY_MS);
        if (attempt_is_ready(hs, at) &&
            input_run(hs, ask, &r->at[i], "asking for devices") != ERR_NONE) {
            attempt_mend(hs, at, 0);
            attempt_failed(hs, at, RETRY_MS, RETRY_MAX_MS);
        }
    }
}

/* The queues to other servers. What is to be sent is in the outbox; here is only who is in flight
 * and when to try again. */
#include "fed/destination.h"

#include "engine/call.h"
#include "engine/input.h"
#include "engine/outbox.h"
#include "fed/attempt.h"
#include "fed/catch_up.h"

enum {
    DESTINATIONS_MAX = 4096,
    SEND_TIMEOUT_MS = 30000,
    BACKOFF_FIRST_MS = 1000,
    BACKOFF_MAX_MS = 600000,
    TXN_ID_LENGTH = 16,
    EDU_WAIT_MS = 20, /* a message often follows at once: then one transaction carries both */
};

struct destination {
    int64_t server; /* its number in names; 0: a free place */
    bool is_unreached;
    struct attempt attempt;
};

struct destinations {
    struct destination at[DESTINATIONS_MAX];
    size_t n;
    bool has_more; /* servers with rows found no place */
};

struct destinations *destinations_new(void)
{
    return base_alloc(sizeof(struct destinations));
}

void destinations_free(struct destinations *d)
{
    base_free(d);
}

static struct destination *find(struct destinations *d, int64_t server)
{
    for (size_t i = 0; i < d->n; i++) {
        if (d->at[i].server == server) {
            return &d->at[i];
        }
    }
    return NULL;
}

/* Its place, or that of one with nothing to send. NULL: the table is full, the rows wait. */
static struct destination *make(struct destinations *d, int64_t server)
{
    struct destination *at = find(d, server);
    for (size_t i = 0; at == NULL && i < DESTINATIONS_MAX; i++) {
        if (i == d->n || attempt_is_idle(&d->at[i].attempt)) {
            at = &d->at[i];
            d->n += i == d->n;
            *at = (struct destination){.server = server};
        }
    }
    d->has_more = d->has_more || at == NULL;
    return at;
}

/* After that time at the latest, but for one that failed, which has a time of its own. */
static void due(struct hs *hs, int64_t server, int64_t wait_ms)
{
    struct destination *at = make(hs->destinations, server);
    if (at != NULL && (!at->attempt.is_due || at->attempt.failures == 0)) {
        attempt_due(&at->attempt, hs->now.mono_ms + wait_ms);
    }
}

enum err destinations_load(struct hs *hs)
{
    struct query q;
    hs->destinations->has_more = false;
    query_start(&q, hs->store, STMT_OUTBOX_SERVERS, "");
    while (query_next(&q)) {
        due(hs, query_int(&q, 0), 0);
    }
    return query_end(&q);
}

static void hasten(struct hs *hs, struct str server, bool only_unreached)
{
    struct destinations *d = hs->destinations;
    int64_t number = 0;
    for (size_t i = 0; i < d->n; i++) {
        struct destination *at = &d->at[i];
        if (at->attempt.failures == 0 || (only_unreached && !at->is_unreached)) {
            continue;
        }
        if (number == 0 &&
            (store_name_find(hs->store, server, &number) != ERR_NONE || number == 0)) {
            return; /* never a destination */
        }
        if (at->server == number) {
            attempt_hasten(hs, &at->attempt);
        }
    }
}

void destinations_seen(struct hs *hs, struct str server)
{
    hasten(hs, server, false);
}

void destinations_heard(struct hs *hs, struct str server)
{
    hasten(hs, server, true);
}

int64_t destinations_next_ms(const struct hs *hs)
{
    const struct destinations *d = hs->destinations;
    int64_t next = -1;
    for (size_t i = 0; i < d->n; i++) {
        next = attempt_next_ms(&d->at[i].attempt, next);
    }
    return next;
}

/* --- one transaction ------------------------------------------------------------------------ */

struct transaction {
    int64_t server;
    struct str id;
    int64_t last_id; /* of the outbox rows in it */
    struct json *pdus, *edus;
};

/* The transaction that was under way is sent again as it was; else a new one is cut. */
static enum err cut(struct hs *hs, struct arena *a, struct transaction *t)
{
    struct query q;
    int64_t up_to = INT64_MAX;
    size_t n_pdus = 0;
    size_t n_edus = 0;
    size_t size = 0;
    enum err err = query_one(&q, hs->store, STMT_DESTINATION_GET, "i", t->server);
    if (err == ERR_NONE) {
        t->id = query_str(&q, a, 0);
        up_to = t->id.p == NULL ? INT64_MAX : query_int(&q, 1);
        TRY(query_end(&q));
    } else if (err != ERR_ABSENT) {
        return err;
    }
    query_start(&q, hs->store, STMT_OUTBOX_HEAD, "iii", t->server, up_to,
                (int64_t)TRANSACTION_PDUS_MAX);
    while (query_next(&q)) {
        bool is_pdu = query_int(&q, 1) != 0;
        struct str text = query_str(&q, a, is_pdu ? 3 : 2);
        struct json *row;
        if ((is_pdu ? n_pdus : n_edus) == (is_pdu ? TRANSACTION_PDUS_MAX : TRANSACTION_EDUS_MAX)) {
            break;
        }
        if (t->last_id != 0 && size + text.n > TRANSACTION_SIZE_MAX) {
            break;
        }
        size += text.n;
        err = json_parse(a, text, &row, NULL);
        t->last_id = query_int(&q, 0);
        if (err == ERR_NONE) {
            json_push(is_pdu ? t->pdus : t->edus, row);
        }
        n_pdus += is_pdu;
        n_edus += !is_pdu;
    }
    return query_end(&q);
}

/* What waits, or else what was missed meanwhile; last_id 0: nothing. */
static enum err next(struct hs *hs, struct arena *a, struct transaction *t)
{
    bool more = true;
    TRY(cut(hs, a, t));
    while (t->last_id == 0 && more) {
        TRY(catch_up_next(hs, t->server, &more));
        if (more) {
            TRY(cut(hs, a, t));
        }
    }
    return ERR_NONE;
}

static enum err on_answer(struct hs *hs, struct call *call, int status, struct json *body,
                          const char *why);

/* An input of its own: what there is for the destination, if anything. */
static enum err send(struct hs *hs, void *ctx)
{
    struct destination *to = ctx;
    struct str name;
    TRY(store_name_text(hs->store, hs->turn, to->server, &name));
    if (name.p == NULL) { /* named by an input that was taken back */
        attempt_rest(&to->attempt);
        return ERR_NONE;
    }
    struct call *call = call_new(hs, name, on_answer);
    struct transaction *t = ARENA_NEW(call->a, struct transaction);
    *t = (struct transaction){
        .server = to->server, .pdus = json_array(call->a), .edus = json_array(call->a)};
    enum err err = next(hs, call->a, t);
    if (err != ERR_NONE || t->last_id == 0) {
        arena_free(call->a);
        attempt_rest(&to->attempt);
        return err;
    }
    if (t->id.p == NULL) {
        t->id = hs_random_text(hs, call->a, TXN_ID_LENGTH);
        err = store_run(hs->store, STMT_DESTINATION_PUT, "itiii", to->server, t->id, t->last_id,
                        (int64_t)0, (int64_t)0);
        if (err != ERR_NONE) {
            arena_free(call->a);
            return err;
        }
    }
    struct json *body = json_object(call->a);
    json_put_text(body, "origin", hs->identity.server);
    json_put_int(body, "origin_server_ts", hs->now.unix_ms);
    json_put(body, STR("pdus"), t->pdus);
    json_put(body, STR("edus"), t->edus);
    call->ctx = t;
    attempt_begin(&to->attempt, call->id);
    struct str path = arena_fmt(call->a, "/_matrix/federation/v1/send/%.*s", STR_ARG(t->id));
    return call_send(hs, call, "PUT", path, body, SEND_TIMEOUT_MS);
}

static void log_refused(struct hs *hs, struct call *call, struct json *body)
{
    const struct json *pdus = json_get_object(body, "pdus");
    for (const struct json *p = json_first(pdus); p != NULL; p = json_next(p)) {
        struct str error = json_get_text(p, "error");
        if (error.n > 0) {
            hs_log(hs, LOG_WARN, "%.*s refused %.*s: %.*s", STR_ARG(call->server),
                   STR_ARG(json_key(p)), STR_ARG(error));
        }
    }
}

/* Not there, or a proxy stands where it was. */
static bool is_unreached(int status)
{
    return status == 0 || (status >= 502 && status <= 504);
}

static enum err on_answer(struct hs *hs, struct call *call, int status, struct json *body,
                          const char *why)
{
    const struct transaction *t = call->ctx;
    struct destination *to = find(hs->destinations, t->server);
    assert(to != NULL);
    if (status == 200) {
        attempt_succeeded(&to->attempt);
        attempt_due(&to->attempt, hs->now.mono_ms); /* look for more */
        log_refused(hs, call, body);
        TRY(store_run(hs->store, STMT_OUTBOX_DONE, "ii", t->server, t->last_id));
        TRY(store_run(hs->store, STMT_DESTINATION_PUT, "itiii", t->server, STR_ABSENT, (int64_t)0,
                      (int64_t)0, (int64_t)0));
        store_spare(hs->store); /* sent once more, it is known there and answered alike */
        return ERR_NONE;
    }
    to->is_unreached = is_unreached(status);
    attempt_failed(hs, &to->attempt, BACKOFF_FIRST_MS, BACKOFF_MAX_MS);
    hs_log(hs, LOG_INFO, "transaction to %.*s failed (%d %s), try %lld", STR_ARG(call->server),
           status, why, (long long)to->attempt.failures);
    return catch_up_trim(hs, t->server, t->last_id, to->attempt.failures);
}

static void take_kicked(struct hs *hs)
{
    struct outbox_kick kicks[64];
    size_t n = outbox_take_kicked(hs, kicks, COUNT_OF(kicks));
    while (n > 0) {
        for (size_t i = 0; i < n; i++) {
            due(hs, kicks[i].server, kicks[i].only_edus ? EDU_WAIT_MS : 0);
        }
        n = outbox_take_kicked(hs, kicks, COUNT_OF(kicks));
    }
}

static bool has_room(const struct destinations *d)
{
    bool has = d->n < DESTINATIONS_MAX;
    for (size_t i = 0; !has && i < d->n; i++) {
        has = attempt_is_idle(&d->at[i].attempt);
    }
    return has;
}

void destinations_turn(struct hs *hs)
{
    struct destinations *d = hs->destinations;
    take_kicked(hs);
    if (d->has_more && has_room(d)) {
        d->has_more = destinations_load(hs) != ERR_NONE || d->has_more;
    }
    for (size_t i = 0; i < d->n && !hs->dead; i++) {
        struct attempt *at = &d->at[i].attempt;
        attempt_mend(hs, at, BACKOFF_FIRST_MS);
        if (attempt_is_ready(hs, at) && input_run(hs, send, &d->at[i], "sending") != ERR_NONE) {
            attempt_mend(hs, at, 0);
            attempt_failed(hs, at, BACKOFF_FIRST_MS, BACKOFF_MAX_MS);
        }
    }
}

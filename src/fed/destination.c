/* The queues to other servers. What is to be sent is in the outbox; here is only who is in flight
 * and when to try again. */
#include "fed/destination.h"

#include "base/map.h"
#include "engine/call.h"
#include "engine/outbox.h"

enum {
    DESTINATIONS_MAX = 4096,
    SEND_SIZE_MAX = HTTP_BODY_MAX - 65536, /* less than a receiver takes, with one event to spare */
    SEND_TIMEOUT_MS = 30000,
    BACKOFF_FIRST_MS = 1000,
    BACKOFF_MAX_MS = 600000,
    TXN_ID_LENGTH = 16,
};

struct destination {
    int64_t server;
    struct str name; /* in destinations.names */
    bool in_flight, is_due;
    uint64_t call; /* in flight */
    int64_t failures;
    int64_t retry_ms; /* mono_ms */
};

struct destinations {
    struct arena *names;
    struct destination at[DESTINATIONS_MAX];
    size_t n;
};

struct destinations *destinations_new(void)
{
    struct destinations *d = base_alloc(sizeof(*d));
    d->names = arena_new();
    return d;
}

void destinations_free(struct destinations *d)
{
    if (d != NULL) {
        arena_free(d->names);
        base_free(d);
    }
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

/* NULL when the table is full: its rows wait in the database for a free place. */
static struct destination *make(struct destinations *d, int64_t server, struct str name)
{
    struct destination *at = find(d, server);
    if (at == NULL && d->n < DESTINATIONS_MAX) {
        at = &d->at[d->n];
        d->n++;
        *at = (struct destination){.server = server, .name = arena_str(d->names, name)};
    }
    return at;
}

enum err destinations_load(struct hs *hs)
{
    struct query q;
    query_start(&q, hs->store, STMT_OUTBOX_SERVERS, "");
    while (query_next(&q)) {
        struct destination *at =
            make(hs->destinations, query_int(&q, 0), query_str(&q, hs->turn, 1));
        if (at != NULL) {
            at->is_due = true;
        }
    }
    return query_end(&q);
}

void destinations_seen(struct hs *hs, struct str server)
{
    struct destinations *d = hs->destinations;
    for (size_t i = 0; i < d->n; i++) {
        if (str_eq(d->at[i].name, server) && d->at[i].failures > 0) {
            d->at[i].failures = 0;
            d->at[i].retry_ms = hs->now.mono_ms;
        }
    }
}

int64_t destinations_next_ms(const struct hs *hs)
{
    const struct destinations *d = hs->destinations;
    int64_t next = -1;
    for (size_t i = 0; i < d->n; i++) {
        bool waits = d->at[i].is_due && !d->at[i].in_flight;
        if (waits && (next < 0 || d->at[i].retry_ms < next)) {
            next = d->at[i].retry_ms;
        }
    }
    return next;
}

/* --- one transaction
 * ------------------------------------------------------------------------------ */

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
        if (t->last_id != 0 && size + text.n > SEND_SIZE_MAX) {
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

static enum err on_answer(struct hs *hs, struct call *call, int status, struct json *body,
                          const char *why);

static enum err send(struct hs *hs, struct destination *to)
{
    struct call *call = call_new(hs, to->name, on_answer);
    struct transaction *t = ARENA_NEW(call->a, struct transaction);
    *t = (struct transaction){
        .server = to->server, .pdus = json_array(call->a), .edus = json_array(call->a)};
    enum err err = cut(hs, call->a, t);
    if (err != ERR_NONE || t->last_id == 0) {
        arena_free(call->a);
        to->is_due = err != ERR_NONE;
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
    to->in_flight = true;
    to->call = call->id;
    struct str path = arena_fmt(call->a, "/_matrix/federation/v1/send/%.*s", STR_ARG(t->id));
    return call_send(hs, call, "PUT", path, body, SEND_TIMEOUT_MS);
}

static int64_t back_off(struct hs *hs, int64_t failures)
{
    int64_t wait = BACKOFF_FIRST_MS;
    uint8_t jitter;
    for (int64_t i = 1; i < failures && wait < BACKOFF_MAX_MS; i++) {
        wait *= 2;
    }
    wait = wait > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : wait;
    hs_random(hs, &jitter, 1);
    return wait / 2 + wait * jitter / 255;
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

static enum err on_answer(struct hs *hs, struct call *call, int status, struct json *body,
                          const char *why)
{
    const struct transaction *t = call->ctx;
    struct destination *to = find(hs->destinations, t->server);
    assert(to != NULL);
    to->in_flight = false;
    if (status == 200) {
        to->failures = 0;
        to->is_due = true; /* look for more */
        to->retry_ms = hs->now.mono_ms;
        log_refused(hs, call, body);
        TRY(store_run(hs->store, STMT_OUTBOX_DONE, "ii", t->server, t->last_id));
        return store_run(hs->store, STMT_DESTINATION_PUT, "itiii", t->server, STR_ABSENT,
                         (int64_t)0, (int64_t)0, (int64_t)0);
    }
    to->failures++;
    to->is_due = true;
    to->retry_ms = hs->now.mono_ms + back_off(hs, to->failures);
    hs_log(hs, LOG_INFO, "transaction to %.*s failed (%d %s), try %lld", STR_ARG(to->name), status,
           why, (long long)to->failures);
    return ERR_NONE;
}

static enum err take_kicked(struct hs *hs)
{
    int64_t servers[64];
    size_t n = outbox_take_kicked(hs, servers, COUNT_OF(servers));
    while (n > 0) {
        for (size_t i = 0; i < n; i++) {
            struct str name;
            TRY(store_name_text(hs->store, hs->turn, servers[i], &name));
            struct destination *to = make(hs->destinations, servers[i], name);
            if (to != NULL && !to->is_due) {
                to->is_due = true;
                to->retry_ms = hs->now.mono_ms;
            }
        }
        n = outbox_take_kicked(hs, servers, COUNT_OF(servers));
    }
    return ERR_NONE;
}

enum err destinations_turn(struct hs *hs)
{
    struct destinations *d = hs->destinations;
    TRY(take_kicked(hs));
    for (size_t i = 0; i < d->n; i++) {
        struct destination *to = &d->at[i];
        if (to->is_due && !to->in_flight && hs->now.mono_ms >= to->retry_ms) {
            to->is_due = false;
            TRY(send(hs, to));
        }
    }
    return ERR_NONE;
}

void destinations_rolled_back(struct hs *hs)
{
    struct destinations *d = hs->destinations;
    for (size_t i = 0; i < d->n; i++) {
        struct destination *to = &d->at[i];
        if (to->in_flight && !call_is_open(hs, to->call)) {
            to->in_flight = false;
            to->is_due = true;
            to->retry_ms = hs->now.mono_ms + BACKOFF_FIRST_MS;
        }
    }
}

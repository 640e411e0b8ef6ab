/* libnats: one connection, two subscriptions, and a queue each way between other threads and the
 * relay's. The library's calls wait while its server hangs, or while it looks for one again, so
 * what is published leaves by a thread of its own. */
#include "relay/carrier.h"

#include "base/encode.h"

#include <nats/nats.h>
#include <pthread.h>
#include <string.h>
#include <sys/queue.h>

#define SUBJECT "rendezvous."
#define SUBJECT_ALL SUBJECT "all"

enum {
    SUBJECT_MAX = 64,
    RECONNECT_MS = 200,
    RECONNECT_JITTER_MS = 100,
    FLUSH_MS = 500,
    WAITING_MAX = 65536,        /* messages not handed over yet; more are lost */
    OUT_MAX = 64 * 1024 * 1024, /* bytes that wait for a slow server; more are lost */
    WRITE_MS = 2000,            /* a server that takes nothing for so long is dead */
    PING_MS = 2000,             /* and one that is silent for two of these */
    PINGS_OUT_MAX = 2,
};

/* A message that leaves. */
struct parcel {
    STAILQ_ENTRY(parcel) next;
    char subject[SUBJECT_MAX];
    size_t n;
    char bytes[];
};

struct carrier {
    struct carrier_calls calls;
    natsConnection *connection;
    natsSubscription *all, *own;
    pthread_mutex_t lock; /* of what follows */
    natsMsg **waiting;    /* WAITING_MAX of them fit */
    size_t n_waiting;
    bool is_lost;
    unsigned n_open;          /* subscriptions with messages still to come */
    pthread_cond_t is_silent; /* there is none */
    STAILQ_HEAD(parcels, parcel) out;
    size_t out_bytes;
    bool is_ending;        /* nothing more is published */
    pthread_cond_t is_out; /* there is something, or it is ending */
    natsMsg **taken;       /* the relay's alone: what is being handed over */
    struct arena *scratch; /* as well */
    pthread_t speaker;
    bool has_speaker;
};

/* --- on the library's threads --------------------------------------------------------------- */

static void on_message(natsConnection *connection, natsSubscription *subscription, natsMsg *message,
                       void *arg)
{
    struct carrier *carrier = arg;
    (void)connection;
    (void)subscription;
    (void)pthread_mutex_lock(&carrier->lock);
    bool is_first = carrier->n_waiting == 0;
    bool has_room = carrier->n_waiting < WAITING_MAX;
    if (has_room) {
        carrier->waiting[carrier->n_waiting] = message;
        carrier->n_waiting++;
    }
    (void)pthread_mutex_unlock(&carrier->lock);
    if (!has_room) {
        natsMsg_Destroy(message); /* the receivers count, and miss it */
    } else if (is_first) {
        carrier->calls.wake(carrier->calls.arg);
    }
}

static void on_moved(natsConnection *connection, void *arg)
{
    struct carrier *carrier = arg;
    (void)connection;
    (void)pthread_mutex_lock(&carrier->lock);
    carrier->is_lost = true;
    (void)pthread_mutex_unlock(&carrier->lock);
    carrier->calls.wake(carrier->calls.arg);
}

/* The last call of a subscription: the library has let go of its messages. */
static void on_complete(void *arg)
{
    struct carrier *carrier = arg;
    (void)pthread_mutex_lock(&carrier->lock);
    carrier->n_open--;
    (void)pthread_cond_signal(&carrier->is_silent);
    (void)pthread_mutex_unlock(&carrier->lock);
}

/* --- on the speaker's thread ----------------------------------------------------------------- */

/* NULL: all has left, and nothing more comes. */
static struct parcel *next_parcel(struct carrier *carrier)
{
    (void)pthread_mutex_lock(&carrier->lock);
    while (STAILQ_EMPTY(&carrier->out) && !carrier->is_ending) {
        (void)pthread_cond_wait(&carrier->is_out, &carrier->lock);
    }
    struct parcel *parcel = STAILQ_FIRST(&carrier->out);
    if (parcel != NULL) {
        STAILQ_REMOVE_HEAD(&carrier->out, next);
        carrier->out_bytes -= parcel->n;
    }
    (void)pthread_mutex_unlock(&carrier->lock);
    return parcel;
}

static void *speak(void *arg)
{
    struct carrier *carrier = arg;
    struct parcel *parcel = next_parcel(carrier);
    while (parcel != NULL) {
        /* What does not leave is lost, as the bus may; the receivers count. */
        if (natsConnection_Status(carrier->connection) == NATS_CONN_STATUS_CONNECTED) {
            (void)natsConnection_Publish(carrier->connection, parcel->subject, parcel->bytes,
                                         (int)parcel->n);
        }
        base_free(parcel);
        parcel = next_parcel(carrier);
    }
    return NULL;
}

/* --- on the relay's ----------------------------------------------------------------------- */

static natsStatus set_options(natsOptions *options, const char *url, struct carrier *carrier)
{
    natsStatus s = natsOptions_SetURL(options, url);
    s = s != NATS_OK ? s : natsOptions_SetName(options, "rendezvous");
    s = s != NATS_OK ? s : natsOptions_SetNoEcho(options, true);
    s = s != NATS_OK ? s : natsOptions_SetSendAsap(options, true);
    s = s != NATS_OK ? s : natsOptions_SetAllowReconnect(options, true);
    s = s != NATS_OK ? s : natsOptions_SetMaxReconnect(options, -1);
    s = s != NATS_OK ? s : natsOptions_SetReconnectWait(options, RECONNECT_MS);
    s = s != NATS_OK
            ? s
            : natsOptions_SetReconnectJitter(options, RECONNECT_JITTER_MS, RECONNECT_JITTER_MS);
    s = s != NATS_OK ? s : natsOptions_SetWriteDeadline(options, WRITE_MS);
    /* One thread for both subscriptions: what a relay says to all and to us keeps its order. */
    s = s != NATS_OK ? s : natsOptions_UseGlobalMessageDelivery(options, true);
    s = s != NATS_OK ? s : natsOptions_SetPingInterval(options, PING_MS);
    s = s != NATS_OK ? s : natsOptions_SetMaxPingsOut(options, PINGS_OUT_MAX);
    s = s != NATS_OK ? s : natsOptions_SetDisconnectedCB(options, on_moved, carrier);
    s = s != NATS_OK ? s : natsOptions_SetReconnectedCB(options, on_moved, carrier);
    return s != NATS_OK ? s : natsOptions_SetRetryOnFailedConnect(options, true, on_moved, carrier);
}

/* Of one relay, or of all (absent). */
static void write_subject(struct carrier *carrier, char out[SUBJECT_MAX], struct str site)
{
    struct arena *a = carrier->scratch;
    struct str text = str_is_absent(site)
                          ? STR(SUBJECT_ALL)
                          : arena_join(a, STR(SUBJECT), base64url_write(a, site), STR(""));
    assert(text.n < SUBJECT_MAX);
    memcpy(out, text.p, text.n);
    out[text.n] = 0;
    arena_clear(a);
}

static natsStatus subscribe(struct carrier *carrier, const char *subject, natsSubscription **out)
{
    natsStatus s = natsConnection_Subscribe(out, carrier->connection, subject, on_message, carrier);
    if (s != NATS_OK) {
        return s;
    }
    (void)pthread_mutex_lock(&carrier->lock);
    carrier->n_open++;
    (void)pthread_mutex_unlock(&carrier->lock);
    s = natsSubscription_SetOnCompleteCB(*out, on_complete, carrier);
    if (s != NATS_OK) {
        on_complete(carrier); /* closed already: the library does not say so any more */
    }
    return s;
}

static natsStatus subscribe_both(struct carrier *carrier, struct str own)
{
    char subject[SUBJECT_MAX];
    write_subject(carrier, subject, own);
    natsStatus s = subscribe(carrier, SUBJECT_ALL, &carrier->all);
    s = s != NATS_OK ? s : subscribe(carrier, subject, &carrier->own);
    return s != NATS_OK ? s : natsSubscription_SetPendingLimits(carrier->own, WAITING_MAX, -1);
}

struct carrier *carrier_open(const char *url, struct str own, const struct carrier_calls *calls)
{
    struct carrier *carrier = base_alloc(sizeof(*carrier));
    natsOptions *options = NULL;
    carrier->calls = *calls;
    carrier->scratch = arena_new();
    carrier->waiting = base_alloc(WAITING_MAX * sizeof(*carrier->waiting));
    carrier->taken = base_alloc(WAITING_MAX * sizeof(*carrier->taken));
    (void)pthread_mutex_init(&carrier->lock, NULL);
    (void)pthread_cond_init(&carrier->is_out, NULL);
    (void)pthread_cond_init(&carrier->is_silent, NULL);
    STAILQ_INIT(&carrier->out);
    natsStatus s = natsOptions_Create(&options);
    s = s != NATS_OK ? s : set_options(options, url, carrier);
    s = s != NATS_OK ? s : natsConnection_Connect(&carrier->connection, options);
    s = s == NATS_NOT_YET_CONNECTED ? NATS_OK : s;
    s = s != NATS_OK ? s : subscribe_both(carrier, own);
    natsOptions_Destroy(options);
    carrier->has_speaker =
        s == NATS_OK && pthread_create(&carrier->speaker, NULL, speak, carrier) == 0;
    if (!carrier->has_speaker) {
        carrier_close(carrier);
        return NULL;
    }
    return carrier;
}

void carrier_publish(struct carrier *carrier, struct str site, struct str bytes)
{
    struct parcel *parcel = base_realloc(NULL, sizeof(*parcel) + bytes.n);
    write_subject(carrier, parcel->subject, site);
    memcpy(parcel->bytes, bytes.p, bytes.n);
    parcel->n = bytes.n;
    (void)pthread_mutex_lock(&carrier->lock);
    bool has_room = parcel->n <= OUT_MAX - carrier->out_bytes;
    if (has_room) {
        STAILQ_INSERT_TAIL(&carrier->out, parcel, next);
        carrier->out_bytes += parcel->n;
        (void)pthread_cond_signal(&carrier->is_out);
    }
    (void)pthread_mutex_unlock(&carrier->lock);
    if (!has_room) {
        base_free(parcel);
    }
}

void carrier_deliver(struct carrier *carrier)
{
    (void)pthread_mutex_lock(&carrier->lock);
    natsMsg **messages = carrier->waiting;
    size_t n = carrier->n_waiting;
    bool is_lost = carrier->is_lost;
    carrier->waiting = carrier->taken;
    carrier->taken = messages;
    carrier->n_waiting = 0;
    carrier->is_lost = false;
    (void)pthread_mutex_unlock(&carrier->lock);
    if (is_lost) {
        carrier->calls.lost(carrier->calls.arg);
    }
    for (size_t i = 0; i < n; i++) {
        carrier->calls.hear(
            carrier->calls.arg,
            str_make(natsMsg_GetData(messages[i]), (size_t)natsMsg_GetDataLength(messages[i])));
        natsMsg_Destroy(messages[i]);
    }
}

static void end_speaker(struct carrier *carrier)
{
    (void)pthread_mutex_lock(&carrier->lock);
    carrier->is_ending = true;
    (void)pthread_cond_signal(&carrier->is_out);
    (void)pthread_mutex_unlock(&carrier->lock);
    if (carrier->has_speaker) {
        (void)pthread_join(carrier->speaker, NULL);
    }
}

/* The library frees messages on one thread and delivers them on another, and its end stops the
 * first without regard for the second: what that one lets go of later is never freed. So both
 * subscriptions end before the library does. */
static void end_subscriptions(struct carrier *carrier)
{
    natsConnection_Close(carrier->connection);
    (void)pthread_mutex_lock(&carrier->lock);
    while (carrier->n_open > 0) {
        (void)pthread_cond_wait(&carrier->is_silent, &carrier->lock);
    }
    (void)pthread_mutex_unlock(&carrier->lock);
    for (size_t i = 0; i < carrier->n_waiting; i++) {
        natsMsg_Destroy(carrier->waiting[i]);
    }
    natsSubscription_Destroy(carrier->all);
    natsSubscription_Destroy(carrier->own);
}

void carrier_close(struct carrier *carrier)
{
    end_speaker(carrier);
    (void)natsConnection_FlushTimeout(carrier->connection, FLUSH_MS);
    end_subscriptions(carrier);
    natsConnection_Destroy(carrier->connection);
    (void)nats_CloseAndWait(0); /* its threads have ended */
    base_free(carrier->waiting);
    base_free(carrier->taken);
    arena_free(carrier->scratch);
    (void)pthread_cond_destroy(&carrier->is_out);
    (void)pthread_cond_destroy(&carrier->is_silent);
    (void)pthread_mutex_destroy(&carrier->lock);
    base_free(carrier);
}

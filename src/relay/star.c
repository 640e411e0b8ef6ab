/* Who is here: ss-join with its challenge, ws-peer, ss-leave, and the rights of ss-dial
 * (p2p-wire 1.5 to 1.9). */
#include "base/encode.h"
#include "base/rate.h"
#include "relay/address.h"
#include "relay/key.h"
#include "relay/socketio.h"
#include "relay/state.h"

#include <string.h>

/* Before and after the quoted address in an announcement. */
#define ANNOUNCE_START "42[\"ws-peer\","
enum { ANNOUNCE_TAIL = 1, JOINS_SPAN_MS = 60000, STAMPS_PER_MS = 1 << 16 };

static struct str argument(const struct json *event, size_t at)
{
    const struct json *x = json_first(event);
    while (x != NULL && at > 0) {
        x = json_next(x);
        at--;
    }
    return json_text(x);
}

/* --- addresses ---------------------------------------------------------------------------- */

static void list_swap(struct relay *relay, size_t i, size_t j)
{
    struct address *x = relay->list[i], *y = relay->list[j];
    relay->list[i] = y;
    relay->list[j] = x;
    y->index = i;
    x->index = j;
}

/* Puts it among those whose owners are told by repetition, or behind them. */
static void list_set_plain(struct relay *relay, struct address *address, bool is_plain)
{
    bool was_plain = address->index < relay->n_plain;
    if (is_plain && !was_plain) {
        list_swap(relay, address->index, relay->n_plain);
        relay->n_plain++;
    } else if (!is_plain && was_plain) {
        relay->n_plain--;
        list_swap(relay, address->index, relay->n_plain);
    }
}

/* Counts an address that is, or is no longer, a client's of ours, and says so to the cluster. */
static void set_here(struct relay *relay, const struct address *address, bool is_here)
{
    const struct relay_cluster *cluster = &relay->config.cluster;
    if (address->owner->is_remote) {
        return;
    }
    if (is_here) {
        relay->n_here++;
    } else {
        relay->n_here--;
    }
    if (cluster->moved != NULL) {
        cluster->moved(cluster->arg, address->text, address->stamp, is_here);
    }
}

void address_drop(struct relay *relay, struct address *address)
{
    log_fact(&relay->config.log, LOG_INFO, "left", address->text);
    set_here(relay, address, false);
    list_set_plain(relay, address, false);
    list_swap(relay, address->index, relay->n_list - 1);
    relay->n_list--;
    (void)map_remove(&relay->addresses, address->text);
    TAILQ_REMOVE(&relay->due, address, due);
    TAILQ_REMOVE(&address->owner->addresses, address, owned);
    address->owner->n_addresses--;
    if (address->announcement != NULL) {
        roster_went(relay, address);
    }
    frame_drop(address->announcement);
    heap_free(address->text);
    base_free(address);
}

static struct address *address_new(struct relay *relay, struct conn *owner, struct str text)
{
    struct address *address = base_alloc(sizeof(*address));
    address->text = heap_str(text);
    address->owner = owner;
    if (!str_is_absent(address_peer_id(relay->scratch, text))) {
        address->announcement = socketio_event(relay->scratch, STR("ws-peer"), &text, 1);
    }
    if (relay->n_list == relay->cap_list) {
        relay->cap_list = relay->cap_list == 0 ? 16 : relay->cap_list * 2;
        relay->list = base_realloc(relay->list, relay->cap_list * sizeof(struct address *));
    }
    address->index = relay->n_list;
    relay->list[relay->n_list] = address;
    relay->n_list++;
    map_put(&relay->addresses, address->text, address);
    log_fact(&relay->config.log, LOG_INFO, "joined", text);
    return address;
}

/* Tells at most n others of an address, each round beginning where the last one stopped. */
static void announce(struct relay *relay, struct address *address, size_t n)
{
    size_t told = 0;
    if (address->announcement == NULL) {
        return;
    }
    for (size_t i = 0; i < relay->n_plain && told < n; i++) {
        struct address *other = relay->list[address->turn % relay->n_plain];
        address->turn = (address->turn + 1) % relay->n_plain;
        if (other == address) {
            continue;
        }
        told++;
        /* Who does not keep up misses a repetition, not a message. */
        if ((int64_t)other->owner->out.bytes <= relay->config.limits.queue_high) {
            conn_send(relay, other->owner, address->announcement);
            metrics_add(&relay->metrics, METRIC_ANNOUNCEMENTS, 1);
        }
    }
}

void star_tick(struct relay *relay, struct now now)
{
    struct address *address = TAILQ_FIRST(&relay->due);
    while (address != NULL && address->due_ms <= now.mono_ms) {
        announce(relay, address, (size_t)relay->config.limits.announcements);
        TAILQ_REMOVE(&relay->due, address, due);
        address->due_ms = now.mono_ms + RELAY_ANNOUNCE_MS;
        TAILQ_INSERT_TAIL(&relay->due, address, due);
        address = TAILQ_FIRST(&relay->due);
    }
}

/* null,null,["other", ...] */
static void answer_peers(struct relay *relay, struct conn *conn, const struct address *self,
                         struct str ack)
{
    struct buf b;
    bool is_first = true;
    buf_init(&b, SIZE_MAX / 2);
    buf_add(&b, STR("null,null,["));
    for (size_t i = 1; i < relay->n_list && b.n < RELAY_PEERS_SIZE; i++) {
        const struct address *other = relay->list[(self->index + i) % relay->n_list];
        if (other->announcement == NULL || (conn->has_presence && !other->is_told)) {
            continue; /* whom nobody can find, and who will be told */
        }
        struct str text = str_from(frame_payload(other->announcement), sizeof(ANNOUNCE_START) - 1);
        buf_add(&b, is_first ? STR("") : STR(","));
        buf_add(&b, str_sub(text, 0, text.n - ANNOUNCE_TAIL));
        is_first = false;
    }
    buf_add_char(&b, ']');
    conn_send_new(relay, conn, socketio_answer(relay->scratch, ack, buf_str(&b)));
    buf_release(&b);
}

/* --- joining ------------------------------------------------------------------------------ */

static void refuse_join(struct relay *relay, struct conn *conn, struct str ack, struct str json)
{
    metrics_add(&relay->metrics, METRIC_JOINS_FAILURE, 1);
    conn_send_new(relay, conn, socketio_answer(relay->scratch, ack, json));
}

struct address *address_take(struct relay *relay, struct now now, struct conn *conn,
                             struct str text, int64_t stamp)
{
    struct address *address = map_get(&relay->addresses, text);
    bool is_new = address == NULL;
    if (is_new) {
        address = address_new(relay, conn, text);
    } else {
        relay->n_here -= address->owner->is_remote ? 0 : 1;
        TAILQ_REMOVE(&relay->due, address, due);
        TAILQ_REMOVE(&address->owner->addresses, address, owned);
        address->owner->n_addresses--;
        address->owner = conn;
    }
    address->stamp = stamp;
    list_set_plain(relay, address, !conn->has_presence && !conn->is_remote);
    TAILQ_INSERT_TAIL(&conn->addresses, address, owned);
    conn->n_addresses++;
    address->due_ms = now.mono_ms + RELAY_ANNOUNCE_MS;
    TAILQ_INSERT_TAIL(&relay->due, address, due);
    set_here(relay, address, true);
    announce(relay, address, relay->n_list);
    if (is_new && address->announcement != NULL) {
        roster_came(relay, address);
    }
    return address;
}

/* Later than now and than any stamp the address had, and no other relay's. */
static int64_t next_stamp(const struct relay *relay, struct now now, const struct address *address)
{
    int64_t ms = now.unix_ms;
    if (address != NULL && address->stamp / STAMPS_PER_MS >= ms) {
        ms = address->stamp / STAMPS_PER_MS + 1;
    }
    return ms * STAMPS_PER_MS + relay->config.cluster.salt;
}

/* The last one to join an address has it: a page that reloads gets its own back at once. */
static void join(struct relay *relay, struct now now, struct conn *conn, struct str text,
                 struct str ack)
{
    const struct address *known = map_get(&relay->addresses, text);
    if ((known == NULL || known->owner != conn) &&
        (int64_t)conn->n_addresses >= relay->config.limits.addresses_per_connection) {
        LIMIT_HIT(relay, addresses_per_connection);
        refuse_join(relay, conn, ack, STR("\"Too many addresses\""));
        return;
    }
    int64_t stamp = next_stamp(relay, now, known);
    const struct address *address = address_take(relay, now, conn, text, stamp);
    metrics_add(&relay->metrics, METRIC_JOINS_SUCCESS, 1);
    answer_peers(relay, conn, address, ack);
}

static struct challenge *challenge_find(struct conn *conn, struct str address)
{
    struct challenge *challenge = TAILQ_FIRST(&conn->challenges);
    while (challenge != NULL && !str_eq(challenge->address, address)) {
        challenge = TAILQ_NEXT(challenge, next);
    }
    return challenge;
}

static void challenge_drop(struct conn *conn, struct challenge *challenge)
{
    TAILQ_REMOVE(&conn->challenges, challenge, next);
    conn->n_challenges--;
    heap_free(challenge->address);
    heap_free(challenge->key);
    base_free(challenge);
}

/* Two random UUIDs (RFC 4122, version 4), one after the other. */
static void nonce_write(struct relay *relay, char out[NONCE_SIZE])
{
    uint8_t bytes[32];
    relay->config.random(relay->config.random_arg, bytes, sizeof(bytes));
    size_t n = 0;
    for (size_t i = 0; i < sizeof(bytes); i++) {
        size_t at = i % 16;
        if (at == 6) {
            bytes[i] = (uint8_t)((bytes[i] & 0x0f) | 0x40);
        } else if (at == 8) {
            bytes[i] = (uint8_t)((bytes[i] & 0x3f) | 0x80);
        }
        if (at == 4 || at == 6 || at == 8 || at == 10) {
            out[n] = '-';
            n++;
        }
        struct str hex = hex_write(relay->scratch, str_make(&bytes[i], 1));
        memcpy(out + n, hex.p, 2);
        n += 2;
    }
    assert(n == NONCE_SIZE);
}

static void challenge_start(struct relay *relay, struct conn *conn, struct str address,
                            struct str pub, struct str ack)
{
    struct str encoded, id, wanted = address_peer_id(relay->scratch, address);
    struct key key;
    metrics_add(&relay->metrics, METRIC_JOINS, 1);
    if (str_is_absent(wanted) || hex_parse(relay->scratch, pub, &encoded) != ERR_NONE ||
        key_parse(encoded, &key) != ERR_NONE ||
        key_peer_id(relay->scratch, encoded, &id) != ERR_NONE || !str_eq(id, wanted)) {
        refuse_join(relay, conn, ack, STR("{}")); /* what npm's makes of an Error */
        return;
    }
    if ((int64_t)conn->n_challenges >= relay->config.limits.addresses_per_connection) {
        LIMIT_HIT(relay, addresses_per_connection);
        refuse_join(relay, conn, ack, STR("\"Too many addresses\""));
        return;
    }
    struct challenge *challenge = base_alloc(sizeof(*challenge));
    challenge->address = heap_str(address);
    challenge->key = heap_str(encoded);
    nonce_write(relay, challenge->nonce);
    TAILQ_INSERT_TAIL(&conn->challenges, challenge, next);
    conn->n_challenges++;
    struct str json = arena_fmt(relay->scratch, "null,\"%.*s\"", (int)NONCE_SIZE, challenge->nonce);
    conn_send_new(relay, conn, socketio_answer(relay->scratch, ack, json));
}

static void challenge_answer(struct relay *relay, struct now now, struct conn *conn,
                             struct challenge *challenge, struct str text, struct str ack)
{
    struct str signature;
    struct key key;
    enum err err = key_parse(challenge->key, &key);
    if (err == ERR_NONE && hex_parse(relay->scratch, text, &signature) != ERR_NONE) {
        signature = STR("");
    }
    if (err == ERR_NONE) {
        err = key_check(&key, str_make(challenge->nonce, NONCE_SIZE), signature);
    }
    if (err == ERR_NONE) {
        challenge->failures = 0;
        join(relay, now, conn, challenge->address, ack);
        return;
    }
    metrics_add(&relay->metrics, METRIC_JOINS, 1);
    refuse_join(relay, conn, ack,
                err == ERR_REFUSED ? STR("\"Signature Invalid\"") : STR("\"Crypto error\""));
    challenge->failures++;
    if (challenge->failures >= relay->config.limits.join_attempts) {
        LIMIT_HIT(relay, join_attempts);
        challenge_drop(conn, challenge);
    }
}

/* A join is told to many, a signature takes time, and the answer lists everybody: who asks too
 * often, or does not read what he asked for, is refused. */
static bool may_join(struct relay *relay, struct now now, struct conn *conn)
{
    if ((int64_t)conn->out.bytes > relay->config.limits.queue_high) {
        LIMIT_HIT(relay, queue_high);
        return false;
    }
    bool may = rate_take(&conn->joins_ms, now.mono_ms, relay->config.limits.joins, JOINS_SPAN_MS);
    if (!may) {
        LIMIT_HIT(relay, joins);
    }
    return may;
}

static void on_join(struct relay *relay, struct now now, struct conn *conn,
                    const struct json *event, struct str ack)
{
    struct str address = argument(event, 1);
    struct str pub = argument(event, 2);
    struct arena *a = relay->scratch;
    if (str_is_absent(address) || str_is_absent(pub) || str_is_absent(ack) ||
        !address_is_multiaddr(a, address)) {
        return;
    }
    if (!may_join(relay, now, conn)) {
        refuse_join(relay, conn, ack, STR("\"Too many joins\""));
        return;
    }
    address = address_canonical(a, address);
    if ((int64_t)address.n > relay->config.limits.address_size) {
        LIMIT_HIT(relay, address_size);
    }
    if ((relay->config.is_strict && !address_is_strict(a, address)) ||
        (int64_t)address.n > relay->config.limits.address_size) {
        metrics_add(&relay->metrics, METRIC_JOINS, 1);
        refuse_join(relay, conn, ack, STR("\"Invalid multiaddr\""));
    } else if (!relay->config.has_challenge) {
        metrics_add(&relay->metrics, METRIC_JOINS, 1);
        join(relay, now, conn, address, ack);
    } else if (pub.n == 0) {
        metrics_add(&relay->metrics, METRIC_JOINS, 1);
        refuse_join(relay, conn, ack, STR("\"Crypto Challenge required but no Id provided\""));
    } else {
        struct challenge *challenge = challenge_find(conn, address);
        if (challenge == NULL) {
            challenge_start(relay, conn, address, pub, ack);
        } else {
            challenge_answer(relay, now, conn, challenge, pub, ack);
        }
    }
}

/* --- leaving, dialling -------------------------------------------------------------------- */

static void on_leave(struct relay *relay, struct conn *conn, const struct json *event)
{
    struct str text = argument(event, 1);
    if (str_is_absent(text)) {
        return;
    }
    struct address *address = map_get(&relay->addresses, address_canonical(relay->scratch, text));
    if (address != NULL && address->owner == conn) {
        address_drop(relay, address);
    }
}

void star_refuse_dial(struct relay *relay, struct conn *conn, struct str ack, const char *why)
{
    metrics_add(&relay->metrics, METRIC_DIALS_FAILURE, 1);
    conn_send_new(relay, conn, socketio_answer_text(relay->scratch, ack, str_of(why)));
}

/* Who rings when own dials an address; NULL: nobody. */
static struct conn *listener_of(struct relay *relay, struct now now, const struct address *own,
                                const struct address *address, struct str id)
{
    const struct relay_cluster *cluster = &relay->config.cluster;
    if (address == NULL) {
        return NULL;
    }
    return address->owner->is_remote
               ? cluster->ring(cluster->arg, now, address->owner, own->text, address->text, id)
               : address->owner;
}

static void on_dial(struct relay *relay, struct now now, struct conn *conn,
                    const struct json *event, struct str ack)
{
    struct arena *a = relay->scratch;
    struct str from = argument(event, 1), to = argument(event, 2), id = argument(event, 3);
    if (str_is_absent(from) || str_is_absent(to) || str_is_absent(id) || str_is_absent(ack) ||
        !address_is_multiaddr(a, from) || !address_is_multiaddr(a, to)) {
        return;
    }
    struct address *own = map_get(&relay->addresses, address_canonical(a, from));
    struct address *other = map_get(&relay->addresses, address_canonical(a, to));
    metrics_add(&relay->metrics, METRIC_DIALS, 1);
    if (own == NULL || own->owner != conn) {
        star_refuse_dial(relay, conn, ack, "Not authorized for this address");
        return;
    }
    struct dial dial = {conn, listener_of(relay, now, own, other, id), own->text, id, ack};
    if (dial.listener == NULL) {
        star_refuse_dial(relay, conn, ack, "Peer not found");
        return;
    }
    stream_dial(relay, now, &dial);
}

static void on_presence(struct relay *relay, struct conn *conn)
{
    struct address *address = TAILQ_FIRST(&conn->addresses);
    roster_on(relay, conn);
    while (address != NULL) {
        list_set_plain(relay, address, false);
        address = TAILQ_NEXT(address, owned);
    }
}

static void leave_all(struct relay *relay, struct conn *conn)
{
    while (!TAILQ_EMPTY(&conn->addresses)) {
        address_drop(relay, TAILQ_FIRST(&conn->addresses));
    }
}

void star_event(struct relay *relay, struct now now, struct conn *conn, struct str name,
                const struct json *event, struct str ack)
{
    if (str_eq(name, STR("ss-join"))) {
        on_join(relay, now, conn, event, ack);
    } else if (str_eq(name, STR("ss-dial"))) {
        on_dial(relay, now, conn, event, ack);
    } else if (str_eq(name, STR("ss-leave"))) {
        on_leave(relay, conn, event);
    } else if (str_eq(name, STR("ss-presence"))) {
        on_presence(relay, conn);
    } else if (str_eq(name, STR("disconnect"))) {
        leave_all(relay, conn); /* as npm's relay takes an event of that name */
    }
}

void star_gone(struct relay *relay, struct conn *conn)
{
    leave_all(relay, conn);
    while (!TAILQ_EMPTY(&conn->challenges)) {
        challenge_drop(conn, TAILQ_FIRST(&conn->challenges));
    }
}

void star_free(struct relay *relay)
{
    assert(relay->n_list == 0);
    base_free(relay->list);
    map_release(&relay->addresses);
}

/* Signalling with the relay: joining, and who is there. Names of events and their order: p2p-wire's
 * "ss-join" and "ss-dial"; "incomming" is spelt so on the wire. */
#include "net/wsstar_streams.h"

#include "base/encode.h"
#include "net/addr.h"

#include <string.h>

enum {
    PING_INTERVAL_MS = 25 * 1000, /* when the handshake does not say */
    PING_TIMEOUT_MS = 20 * 1000,
    PING_LEAST_MS = 1000,
    PING_MOST_MS = 10 * 60 * 1000,
    NONCE_MAX = 1024,
    WHY_MAX = 200,
};

enum state {
    DOWN,
    WAITS_OPEN,
    WAITS_CONNECT,
    WAITS_NONCE,
    WAITS_PEERS,
    JOINED,
};

struct wsstar {
    struct wsstar_calls calls;
    struct sign_key key;
    enum state state;
    struct arena *own;     /* the address */
    struct arena *scratch; /* one message */
    struct str address;
    struct socketio socketio;
    struct buf out;
    struct buf why;
    uint64_t next_ack_id; /* goes on counting over reconnects, as the npm client's does */
    uint64_t join_ack_id;
    int64_t ping_interval_ms, ping_timeout_ms, next_ping_ms, heard_ms, join_deadline_ms;
    bool has_presence; /* the relay tells arrivals and departures, once */
    struct wsstar_streams streams;
};

struct wsstar *wsstar_new(const struct sign_key *key, struct str address,
                          const struct wsstar_calls *calls)
{
    struct wsstar *w = base_alloc(sizeof(*w));
    w->calls = *calls;
    w->key = *key;
    w->own = arena_new();
    w->scratch = arena_new();
    w->address = arena_str(w->own, address);
    socketio_init(&w->socketio);
    streams_init(&w->streams, &w->calls);
    buf_init(&w->out, 4 * ADDRESS_MAX);
    buf_init(&w->why, WHY_MAX);
    return w;
}

void wsstar_free(struct wsstar *w)
{
    if (w == NULL) {
        return;
    }
    streams_release(&w->streams);
    socketio_release(&w->socketio);
    buf_release(&w->out);
    buf_release(&w->why);
    arena_free(w->scratch);
    arena_free(w->own);
    base_free(w);
}

/* why may be the relay's own words: only plain characters of it are kept. */
static enum err fail(struct wsstar *w, enum err err, struct str why)
{
    buf_clear(&w->why);
    for (size_t i = 0; i < why.n && i < WHY_MAX; i++) {
        buf_add_char(&w->why, why.p[i] >= ' ' && why.p[i] <= '~' ? why.p[i] : '?');
    }
    return err;
}

static void send_out(struct wsstar *w, bool is_text)
{
    assert(!w->out.overflow);
    w->calls.send(w->calls.ctx, buf_str(&w->out), is_text);
}

/* --- joining ---------------------------------------------------------------------------------- */

static void send_join(struct wsstar *w, struct str proof)
{
    w->join_ack_id = w->next_ack_id;
    w->next_ack_id++;
    buf_clear(&w->out);
    buf_add_fmt(&w->out, "42%llu[\"ss-join\",\"%.*s\",\"%.*s\"]",
                (unsigned long long)w->join_ack_id, STR_ARG(w->address), STR_ARG(proof));
    send_out(w, true);
}

static int64_t clamp_ms(int64_t value)
{
    return value < PING_LEAST_MS ? PING_LEAST_MS : (value > PING_MOST_MS ? PING_MOST_MS : value);
}

static enum err take_open(struct wsstar *w, const struct json *handshake, int64_t now_ms)
{
    if (w->state != WAITS_OPEN) {
        return ERR_NONE;
    }
    w->ping_interval_ms = clamp_ms(json_get_int(handshake, "pingInterval", PING_INTERVAL_MS));
    w->ping_timeout_ms = clamp_ms(json_get_int(handshake, "pingTimeout", PING_TIMEOUT_MS));
    w->next_ping_ms = now_ms + w->ping_interval_ms;
    w->state = WAITS_CONNECT;
    return ERR_NONE;
}

static enum err take_connect(struct wsstar *w)
{
    uint8_t key[ADDR_KEY_SIZE];
    if (w->state != WAITS_CONNECT) {
        return ERR_NONE;
    }
    addr_key_write(key, w->key.public_key);
    w->state = WAITS_NONCE;
    buf_clear(&w->out);
    buf_add(&w->out,
            STR("42[\"ss-presence\"]")); /* npm's relay does not know it, and says nothing */
    send_out(w, true);
    send_join(w, hex_write(w->scratch, str_make(key, sizeof(key))));
    return ERR_NONE;
}

static void take_peer(struct wsstar *w, const struct json *address,
                      void (*tell)(void *ctx, struct str address))
{
    struct str canonical;
    if (json_is(address, JSON_TEXT) &&
        addr_canonical(w->scratch, json_text(address), &canonical) == ERR_NONE &&
        !str_eq(canonical, w->address)) {
        tell(w->calls.ctx, canonical);
    }
}

static void take_peers(struct wsstar *w, const struct json *list,
                       void (*tell)(void *ctx, struct str address))
{
    for (const struct json *x = json_first(list); x != NULL; x = json_next(x)) {
        take_peer(w, x, tell);
    }
}

static enum err take_join_ack(struct wsstar *w, const struct json *args)
{
    const struct json *error = json_first(args);
    const struct json *nonce = error == NULL ? NULL : json_next(error);
    const struct json *peers = nonce == NULL ? NULL : json_next(nonce);
    if (error != NULL && !json_is(error, JSON_NULL)) {
        return fail(w, ERR_REFUSED,
                    json_is(error, JSON_TEXT) ? json_text(error)
                                              : STR("the relay does not accept our key"));
    }
    struct str text = json_text(nonce);
    if (w->state == WAITS_NONCE && text.n > 0 && text.n <= NONCE_MAX) {
        uint8_t signature[SIGN_SIZE];
        sign_make(signature, &w->key, text);
        w->state = WAITS_PEERS;
        send_join(w, hex_write(w->scratch, str_make(signature, sizeof(signature))));
        return ERR_NONE;
    }
    if (!json_is(peers, JSON_ARRAY)) {
        return fail(w, ERR_SYNTAX, STR("the relay's answer to ss-join makes no sense"));
    }
    w->state = JOINED; /* at once when the relay's challenge is off: Noise proves peers anyway */
    w->calls.joined(w->calls.ctx);
    take_peers(w, peers, w->calls.peer);
    return ERR_NONE;
}

/* --- events ----------------------------------------------------------------------------------- */

static enum err take_ack(struct wsstar *w, uint64_t id, const struct json *args)
{
    bool is_joining = w->state == WAITS_NONCE || w->state == WAITS_PEERS;
    if (is_joining && id == w->join_ack_id) {
        return take_join_ack(w, args);
    }
    streams_ack(&w->streams, id, args);
    return ERR_NONE;
}

static void take_event(struct wsstar *w, const struct socketio_packet *packet)
{
    struct str prefix = STR(STREAM_EVENTS);
    if (str_starts(packet->name, prefix)) {
        streams_event(&w->streams, packet, str_from(packet->name, prefix.n));
    } else if (packet->args != NULL && str_eq(packet->name, STR("ss-presence"))) {
        w->has_presence = true;
    } else if (packet->args == NULL || w->state != JOINED) {
        return;
    } else if (str_eq(packet->name, STR("ws-peer"))) {
        take_peer(w, json_next(json_first(packet->args)), w->calls.peer);
    } else if (str_eq(packet->name, STR("ss-peers"))) {
        const struct json *arrived = json_next(json_first(packet->args));
        take_peers(w, arrived, w->calls.peer);
        take_peers(w, arrived == NULL ? NULL : json_next(arrived), w->calls.peer_left);
    } else if (str_eq(packet->name, STR("ss-incomming"))) {
        streams_incoming(&w->streams, w->scratch, packet);
    }
}

static enum err take_packet(struct wsstar *w, const struct socketio_packet *packet, int64_t now_ms)
{
    switch (packet->kind) {
    case SOCKETIO_NOTHING:
        return ERR_NONE;
    case SOCKETIO_OPEN:
        return take_open(w, packet->args, now_ms);
    case SOCKETIO_CONNECT:
        return take_connect(w);
    case SOCKETIO_DISCONNECT:
        return fail(w, ERR_ABSENT, STR("the relay sent us away"));
    case SOCKETIO_EVENT:
        take_event(w, packet);
        return ERR_NONE;
    case SOCKETIO_ACK:
        return take_ack(w, packet->id, packet->args);
    }
    return ERR_NONE;
}

/* --- the websocket ---------------------------------------------------------------------------- */

void wsstar_up(struct wsstar *w, int64_t now_ms)
{
    socketio_release(&w->socketio);
    socketio_init(&w->socketio);
    w->state = WAITS_OPEN;
    w->has_presence = false;
    w->heard_ms = now_ms;
    w->join_deadline_ms = now_ms + WSSTAR_JOIN_TIMEOUT_MS;
    w->ping_interval_ms = PING_INTERVAL_MS;
    w->ping_timeout_ms = PING_TIMEOUT_MS;
    w->next_ping_ms = now_ms + PING_INTERVAL_MS;
}

enum err wsstar_message(struct wsstar *w, struct str message, bool is_text, int64_t now_ms)
{
    struct socketio_packet packet;
    if (w->state == DOWN) {
        return ERR_NONE;
    }
    w->heard_ms = now_ms;
    enum err err = socketio_read(&w->socketio, w->scratch, message, is_text, &packet);
    if (err != ERR_NONE) {
        err = fail(w, err, STR("the relay does not speak socket.io"));
    } else {
        err = take_packet(w, &packet, now_ms);
    }
    streams_sweep(&w->streams);
    arena_clear(w->scratch);
    return err;
}

void wsstar_down(struct wsstar *w)
{
    w->state = DOWN;
    streams_down(&w->streams);
}

enum err wsstar_tick(struct wsstar *w, int64_t now_ms)
{
    if (w->state == DOWN) {
        return ERR_NONE;
    }
    if (now_ms - w->heard_ms >= w->ping_interval_ms + w->ping_timeout_ms) {
        return fail(w, ERR_ABSENT, STR("the relay is silent"));
    }
    if (w->state != JOINED && now_ms >= w->join_deadline_ms) {
        return fail(w, ERR_ABSENT, STR("the relay did not let us join in time"));
    }
    if (now_ms >= w->next_ping_ms) {
        w->calls.send(w->calls.ctx, STR("2"), true);
        w->next_ping_ms = now_ms + w->ping_interval_ms;
    }
    streams_tick(&w->streams, now_ms);
    return ERR_NONE;
}

int64_t wsstar_next_ms(const struct wsstar *w)
{
    if (w->state == DOWN) {
        return -1;
    }
    int64_t next = w->heard_ms + w->ping_interval_ms + w->ping_timeout_ms;
    next = w->next_ping_ms < next ? w->next_ping_ms : next;
    if (w->state != JOINED && w->join_deadline_ms < next) {
        next = w->join_deadline_ms;
    }
    int64_t dials = streams_next_ms(&w->streams);
    return dials < next ? dials : next;
}

struct wsstar_stream *wsstar_dial(struct wsstar *w, struct str to, void *user, int64_t now_ms)
{
    struct dial dial = {w->address, to, user, w->next_ack_id, now_ms};
    struct wsstar_stream *stream = w->state == JOINED ? streams_dial(&w->streams, &dial) : NULL;
    w->next_ack_id += stream == NULL ? 0 : 1;
    return stream;
}

bool wsstar_is_joined(const struct wsstar *w)
{
    return w->state == JOINED;
}

bool wsstar_has_presence(const struct wsstar *w)
{
    return w->has_presence;
}

struct str wsstar_why(const struct wsstar *w)
{
    return buf_str(&w->why);
}

struct str wsstar_address(const struct wsstar *w)
{
    return w->address;
}

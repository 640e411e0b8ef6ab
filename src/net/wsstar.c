/* Signalling with the relay. Names of events and their order: p2p-wire's "ss-join", "ss-dial" and
 * "stream data"; "incomming" is spelt so on the wire. */
#include "net/wsstar.h"

#include "base/encode.h"
#include "net/addr.h"

#include <string.h>

#define STREAM_EVENT "socket.io-pull-stream."

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

enum stream_state {
    DIALLING,
    OPEN,
    GONE, /* to be swept */
};

struct wsstar_stream {
    enum stream_state state;
    bool is_dialler, is_writable;
    void *user;
    uint64_t ack_id; /* of our ss-dial */
    int64_t deadline_ms;
    char id[WSSTAR_DIAL_ID_MAX];
    size_t id_n;
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
    struct wsstar_stream **streams;
    size_t n, cap;
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
    buf_init(&w->out, LINK_CHUNK_MAX + 4 * ADDRESS_MAX);
    buf_init(&w->why, WHY_MAX);
    return w;
}

void wsstar_free(struct wsstar *w)
{
    if (w == NULL) {
        return;
    }
    for (size_t i = 0; i < w->n; i++) {
        base_free(w->streams[i]);
    }
    base_free(w->streams);
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

/* --- streams ---------------------------------------------------------------------------------- */

static struct wsstar_stream *stream_add(struct wsstar *w, bool is_dialler, struct str id)
{
    assert(id.n <= WSSTAR_DIAL_ID_MAX);
    struct wsstar_stream *s = base_alloc(sizeof(*s));
    s->state = DIALLING;
    s->is_dialler = is_dialler;
    memcpy(s->id, id.p, id.n);
    s->id_n = id.n;
    if (w->n == w->cap) {
        w->cap = w->cap == 0 ? 8 : w->cap * 2;
        w->streams = base_realloc(w->streams, w->cap * sizeof(struct wsstar_stream *));
    }
    w->streams[w->n] = s;
    w->n++;
    return s;
}

static void sweep(struct wsstar *w)
{
    size_t kept = 0;
    for (size_t i = 0; i < w->n; i++) {
        if (w->streams[i]->state == GONE) {
            base_free(w->streams[i]);
        } else {
            w->streams[kept] = w->streams[i];
            kept++;
        }
    }
    w->n = kept;
}

/* The name of the half that carries our bytes, or theirs. */
static const char *half_name(const struct wsstar_stream *s, bool is_ours)
{
    return s->is_dialler == is_ours ? "dialer" : "listener";
}

/* "<id>.dialer" or "<id>.listener" to the stream that has it as our half, or as theirs. */
static struct wsstar_stream *stream_find(struct wsstar *w, struct str half, bool is_ours)
{
    for (size_t i = 0; i < w->n; i++) {
        struct wsstar_stream *s = w->streams[i];
        struct str rest = str_from(half, s->id_n + 1);
        if (s->state != GONE && half.n > s->id_n && half.p[s->id_n] == '.' &&
            memcmp(half.p, s->id, s->id_n) == 0 && str_eq(rest, str_of(half_name(s, is_ours)))) {
            return s;
        }
    }
    return NULL;
}

static void send_stream_event(struct wsstar *w, const struct wsstar_stream *s, const char *what,
                              bool is_ours, const char *tail)
{
    buf_clear(&w->out);
    buf_add_fmt(&w->out, "42[\"" STREAM_EVENT "%s.%.*s.%s\"%s]", what, (int)s->id_n, s->id,
                half_name(s, is_ours), tail);
    send_out(w, true);
}

void wsstar_end(struct wsstar *w, struct wsstar_stream *s)
{
    if (s->is_writable) {
        send_stream_event(w, s, "error", true, ",true");
    }
    s->state = GONE;
}

/* A UUID, version 4, as the npm client names its dials. */
static void make_dial_id(struct wsstar *w, char out[37])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t bytes[16];
    w->calls.random(w->calls.ctx, bytes, sizeof(bytes));
    bytes[6] = (uint8_t)((bytes[6] & 15) | 64);
    bytes[8] = (uint8_t)((bytes[8] & 63) | 128);
    size_t n = 0;
    for (size_t i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            out[n] = '-';
            n++;
        }
        out[n] = digits[bytes[i] >> 4];
        out[n + 1] = digits[bytes[i] & 15];
        n += 2;
    }
    out[n] = 0;
}

struct wsstar_stream *wsstar_dial(struct wsstar *w, struct str to, void *user, int64_t now_ms)
{
    char id[37];
    if (w->state != JOINED || w->n >= NET_CONNS_MAX || to.n > ADDRESS_MAX) {
        return NULL;
    }
    make_dial_id(w, id);
    struct wsstar_stream *s = stream_add(w, true, str_of(id));
    s->user = user;
    s->ack_id = w->next_ack_id;
    w->next_ack_id++;
    s->deadline_ms = now_ms + WSSTAR_DIAL_TIMEOUT_MS;
    buf_clear(&w->out);
    buf_add_fmt(&w->out, "42%llu[\"ss-dial\",\"%.*s\",", (unsigned long long)s->ack_id,
                STR_ARG(w->address));
    json_write_text(&w->out, to);
    buf_add_fmt(&w->out, ",\"%s\"]", id);
    send_out(w, true);
    return s;
}

bool wsstar_is_writable(const struct wsstar_stream *s)
{
    return s->is_writable && s->state == OPEN;
}

size_t wsstar_write(struct wsstar *w, struct wsstar_stream *s, struct str chunk)
{
    assert(wsstar_is_writable(s) && chunk.n <= LINK_CHUNK_MAX);
    buf_clear(&w->out);
    buf_add_fmt(&w->out,
                "451-[\"" STREAM_EVENT "queue.%.*s.%s\",{\"_placeholder\":true,\"num\":0}]",
                (int)s->id_n, s->id, half_name(s, true));
    size_t sent = w->out.n;
    send_out(w, true);
    buf_clear(&w->out);
    buf_add_char(&w->out, 4);
    buf_add(&w->out, chunk);
    sent += w->out.n;
    send_out(w, false);
    return sent;
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

static void take_dial_ack(struct wsstar *w, struct wsstar_stream *s, const struct json *args)
{
    const struct json *error = json_first(args);
    if (error == NULL || json_is(error, JSON_NULL)) {
        s->state = OPEN;
        send_stream_event(w, s, "accept", false, "");
        w->calls.dialled(w->calls.ctx, s->user, STR_ABSENT);
        return;
    }
    wsstar_end(w, s);
    w->calls.dialled(w->calls.ctx, s->user,
                     json_is(error, JSON_TEXT) ? json_text(error) : STR("refused"));
}

static enum err take_ack(struct wsstar *w, uint64_t id, const struct json *args)
{
    bool is_joining = w->state == WAITS_NONCE || w->state == WAITS_PEERS;
    if (is_joining && id == w->join_ack_id) {
        return take_join_ack(w, args);
    }
    for (size_t i = 0; i < w->n; i++) {
        struct wsstar_stream *s = w->streams[i];
        if (s->is_dialler && s->state == DIALLING && s->ack_id == id) {
            take_dial_ack(w, s, args);
            break;
        }
    }
    return ERR_NONE;
}

static bool is_dial_id(struct str id)
{
    for (size_t i = 0; i < id.n; i++) {
        if (id.p[i] <= ' ' || id.p[i] > '~' || id.p[i] == '"' || id.p[i] == '\\') {
            return false;
        }
    }
    return id.n > 0 && id.n <= WSSTAR_DIAL_ID_MAX;
}

static void send_ack(struct wsstar *w, uint64_t id, const char *args)
{
    buf_clear(&w->out);
    buf_add_fmt(&w->out, "43%llu[%s]", (unsigned long long)id, args);
    send_out(w, true);
}

/* Why a dial is refused, as JSON; NULL: it is not. */
static const char *check_incoming(struct wsstar *w, struct str id, const struct json *from,
                                  struct str *address)
{
    if (!is_dial_id(id) || addr_canonical(w->scratch, json_text(from), address) != ERR_NONE) {
        return "\"Invalid multiaddr\"";
    }
    if (stream_find(w, arena_join(w->scratch, id, STR(".dialer"), STR("")), false) != NULL) {
        return "\"Dial id already in use\"";
    }
    return w->n >= NET_CONNS_MAX ? "\"Too many streams\"" : NULL;
}

static void take_incoming(struct wsstar *w, const struct socketio_packet *packet)
{
    const struct json *id = json_next(json_first(packet->args));
    const struct json *from = id == NULL ? NULL : json_next(id);
    struct str address;
    if (!packet->has_id || !json_is(id, JSON_TEXT) || !json_is(from, JSON_TEXT)) {
        return;
    }
    const char *why = check_incoming(w, json_text(id), from, &address);
    if (why != NULL) {
        send_ack(w, packet->id, why);
        return;
    }
    struct wsstar_stream *s = stream_add(w, false, json_text(id));
    s->state = OPEN;
    s->user = w->calls.incoming(w->calls.ctx, s, address);
    if (s->user == NULL) {
        s->state = GONE;
        send_ack(w, packet->id, "\"Refused\"");
        return;
    }
    send_stream_event(w, s, "accept", false, "");
    send_ack(w, packet->id, "");
}

static void take_stream_event(struct wsstar *w, const struct socketio_packet *packet,
                              struct str what)
{
    struct str verb, half;
    if (!str_cut(what, '.', &verb, &half)) {
        return;
    }
    bool is_accept = str_eq(verb, STR("accept"));
    struct wsstar_stream *s = stream_find(w, half, is_accept);
    if (s == NULL) {
        return;
    }
    if (is_accept) {
        s->is_writable = true;
    } else if (str_eq(verb, STR("queue")) && s->state == OPEN && packet->attachment.n > 0) {
        w->calls.data(w->calls.ctx, s->user, packet->attachment);
    } else if (str_eq(verb, STR("error"))) {
        wsstar_end(w, s);
        w->calls.ended(w->calls.ctx, s->user);
    }
}

static void take_event(struct wsstar *w, const struct socketio_packet *packet)
{
    struct str prefix = STR(STREAM_EVENT);
    if (str_starts(packet->name, prefix)) {
        take_stream_event(w, packet, str_from(packet->name, prefix.n));
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
        take_incoming(w, packet);
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
    sweep(w);
    arena_clear(w->scratch);
    return err;
}

void wsstar_down(struct wsstar *w)
{
    w->state = DOWN;
    for (size_t i = 0; i < w->n; i++) {
        struct wsstar_stream *s = w->streams[i];
        bool was_dialling = s->state == DIALLING;
        if (s->state != GONE) {
            s->state = GONE;
            if (was_dialling) {
                w->calls.dialled(w->calls.ctx, s->user, STR("the relay is gone"));
            } else {
                w->calls.ended(w->calls.ctx, s->user);
            }
        }
    }
    sweep(w);
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
    for (size_t i = 0; i < w->n; i++) {
        struct wsstar_stream *s = w->streams[i];
        if (s->state == DIALLING && now_ms >= s->deadline_ms) {
            wsstar_end(w, s);
            w->calls.dialled(w->calls.ctx, s->user, STR("the dial was not answered"));
        }
    }
    sweep(w);
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
    for (size_t i = 0; i < w->n; i++) {
        const struct wsstar_stream *s = w->streams[i];
        if (s->state == DIALLING && s->deadline_ms < next) {
            next = s->deadline_ms;
        }
    }
    return next;
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

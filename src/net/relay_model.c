/* The relay's side of p2p-wire.md 1.6 to 1.11, as small as can be. */
#include "net/relay_model.h"

#include <string.h>

#define SP "socket.io-pull-stream."

static void send_text(struct model *m, int client, struct str text)
{
    if (client >= 0 && m->clients[client].is_open) {
        m->send(m->ctx, client, text, true);
    }
}

void model_init(struct model *m)
{
    *m = (struct model){.a = arena_new(), .next_ack = 7};
}

void model_release(struct model *m)
{
    for (int i = 0; i < MODEL_CLIENTS_MAX; i++) {
        if (m->clients[i].is_open) {
            socketio_release(&m->clients[i].socketio);
        }
    }
    arena_free(m->a);
}

int model_open(struct model *m)
{
    int client = 0;
    while (m->clients[client].is_open) {
        client++;
    }
    assert(client < MODEL_CLIENTS_MAX);
    m->clients[client] = (struct model_client){.is_open = true};
    socketio_init(&m->clients[client].socketio);
    send_text(m, client,
              STR("0{\"sid\":\"x\",\"upgrades\":[],\"pingInterval\":25000,"
                  "\"pingTimeout\":20000}"));
    send_text(m, client, STR("40"));
    return client;
}

static void tell_others(struct model *m, int client)
{
    for (int i = 0; i < MODEL_CLIENTS_MAX; i++) {
        if (i != client && m->clients[i].is_joined) {
            send_text(m, i, arena_fmt(m->a, "42[\"ws-peer\",\"%s\"]", m->clients[client].address));
        }
    }
}

static void take_join(struct model *m, int client, uint64_t id, struct str address)
{
    struct model_client *c = &m->clients[client];
    if (!c->has_nonce) {
        c->has_nonce = true;
        send_text(m, client, arena_fmt(m->a, "43%d[null,\"nonce-nonce\"]", (int)id));
        return;
    }
    assert(address.n < sizeof(c->address));
    memcpy(c->address, address.p, address.n);
    c->address[address.n] = 0;
    c->is_joined = true;
    struct str list = STR("");
    for (int i = 0; i < MODEL_CLIENTS_MAX; i++) {
        if (i != client && m->clients[i].is_joined) {
            list = arena_fmt(m->a, "%.*s%s\"%s\"", STR_ARG(list), list.n > 0 ? "," : "",
                             m->clients[i].address);
        }
    }
    tell_others(m, client);
    send_text(m, client, arena_fmt(m->a, "43%d[null,null,[%.*s]]", (int)id, STR_ARG(list)));
}

static void take_dial(struct model *m, int client, uint64_t id, struct str to, struct str dial)
{
    m->dials++;
    for (int i = MODEL_CLIENTS_MAX - 1; i >= 0; i--) {
        if (!m->clients[i].is_joined || !str_eq(to, str_of(m->clients[i].address))) {
            continue;
        }
        if (m->never_answers_dials) {
            return;
        }
        struct model_stream *s = m->streams;
        while (s->is_open) {
            s++;
        }
        assert(s < m->streams + MODEL_STREAMS_MAX && dial.n < sizeof(s->id));
        *s = (struct model_stream){.is_open = true, .dialer = client, .listener = i};
        memcpy(s->id, dial.p, dial.n);
        s->dial_ack = id;
        s->incoming_ack = m->next_ack++;
        send_text(m, client, arena_fmt(m->a, "42[\"" SP "accept.%s.dialer\"]", s->id));
        send_text(m, i,
                  arena_fmt(m->a, "42%d[\"ss-incomming\",\"%s\",\"%s\"]", (int)s->incoming_ack,
                            s->id, m->clients[client].address));
        return;
    }
    send_text(m, client, arena_fmt(m->a, "43%d[\"Peer not found\"]", (int)id));
}

static void take_ack(struct model *m, int client, uint64_t id, const struct json *args)
{
    for (int i = 0; i < MODEL_STREAMS_MAX; i++) {
        struct model_stream *s = &m->streams[i];
        if (s->is_open && s->listener == client && s->incoming_ack == id) {
            send_text(m, client, arena_fmt(m->a, "42[\"" SP "accept.%s.listener\"]", s->id));
            send_text(m, s->dialer,
                      arena_fmt(m->a, "43%d%.*s", (int)s->dial_ack, STR_ARG(json_str(m->a, args))));
        }
    }
}

static void forward_chunk(struct model *m, int other, struct str name, struct str chunk)
{
    send_text(m, other,
              arena_fmt(m->a, "451-[\"%.*s\",{\"_placeholder\":true,\"num\":0}]", STR_ARG(name)));
    m->send(m->ctx, other, arena_join(m->a, STR("\4"), chunk, STR("")), false);
}

/* "queue.<id>.dialer" and "error.<id>.dialer" go on to the other end as they are. */
static void take_stream_event(struct model *m, int client, const struct socketio_packet *packet)
{
    struct str rest = str_from(packet->name, sizeof(SP) - 1), verb, id, half;
    if (!str_cut(rest, '.', &verb, &rest) || !str_cut(rest, '.', &id, &half) ||
        str_eq(verb, STR("accept"))) {
        return;
    }
    for (int i = 0; i < MODEL_STREAMS_MAX; i++) {
        struct model_stream *s = &m->streams[i];
        if (!s->is_open || !str_eq(id, str_of(s->id))) {
            continue;
        }
        int other = client == s->dialer ? s->listener : s->dialer;
        s->ended += str_eq(verb, STR("error"));
        s->is_open = s->ended < 2;
        if (other < 0 || !m->clients[other].is_open) {
            return;
        }
        if (str_eq(verb, STR("error"))) {
            send_text(m, other, arena_fmt(m->a, "42[\"%.*s\",true]", STR_ARG(packet->name)));
            return;
        }
        struct str rest_of_chunk = packet->attachment;
        for (int piece = 0; m->splits && piece < 3; piece++) {
            size_t n = (size_t)rng_below(&m->rng, 5) * rest_of_chunk.n / 7;
            forward_chunk(m, other, packet->name, str_sub(rest_of_chunk, 0, n));
            rest_of_chunk = str_from(rest_of_chunk, n);
        }
        forward_chunk(m, other, packet->name, rest_of_chunk);
        return;
    }
}

static void take_event(struct model *m, int client, const struct socketio_packet *packet)
{
    if (str_starts(packet->name, STR(SP))) {
        take_stream_event(m, client, packet);
        return;
    }
    struct str args[4] = {STR(""), STR(""), STR(""), STR("")};
    size_t n = 0;
    for (const struct json *x = json_first(packet->args); x != NULL && n < 4; x = json_next(x)) {
        args[n] = json_text(x);
        n++;
    }
    if (str_eq(packet->name, STR("ss-join"))) {
        take_join(m, client, packet->id, args[1]);
    } else if (str_eq(packet->name, STR("ss-dial"))) {
        take_dial(m, client, packet->id, args[2], args[3]);
    }
}

void model_message(struct model *m, int client, struct str message, bool is_text)
{
    struct model_client *c = &m->clients[client];
    struct socketio_packet packet;
    if (!c->is_open) {
        return;
    }
    if (str_eq(message, STR("2"))) {
        send_text(m, client, STR("3"));
        return;
    }
    enum err err = socketio_read(&c->socketio, m->a, message, is_text, &packet);
    assert(err == ERR_NONE);
    if (packet.kind == SOCKETIO_EVENT) {
        take_event(m, client, &packet);
    } else if (packet.kind == SOCKETIO_ACK) {
        take_ack(m, client, packet.id, packet.args);
    }
    arena_clear(m->a);
}

void model_close(struct model *m, int client)
{
    struct model_client *c = &m->clients[client];
    if (!c->is_open) {
        return;
    }
    c->is_open = c->is_joined = false;
    socketio_release(&c->socketio);
    for (int i = 0; i < MODEL_STREAMS_MAX; i++) {
        struct model_stream *s = &m->streams[i];
        if (s->is_open && (s->dialer == client || s->listener == client)) {
            bool was_dialer = s->dialer == client;
            s->is_open = false;
            send_text(m, was_dialer ? s->listener : s->dialer,
                      arena_fmt(m->a, "42[\"" SP "error.%s.%s\",true]", s->id,
                                was_dialer ? "dialer" : "listener"));
        }
    }
    arena_clear(m->a);
}

void model_announce(struct model *m)
{
    for (int i = 0; i < MODEL_CLIENTS_MAX; i++) {
        if (m->clients[i].is_joined) {
            tell_others(m, i);
        }
    }
    arena_clear(m->a);
}

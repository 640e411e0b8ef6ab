/* Streams of a relay: "ss-dial" and its answers, the halves' "accept", "queue" and "error". */
#include "net/wsstar_streams.h"

#include "net/addr.h"

#include <string.h>

enum { DIAL_ID_SIZE = 37 }; /* a UUID as text, and its end */

enum stream_state {
    DIALLING,
    OPEN,
    GONE, /* to be swept */
};

struct wsstar_stream {
    struct wsstar_streams *all;
    enum stream_state state;
    bool is_dialler, is_writable;
    void *user;
    uint64_t ack_id; /* of our ss-dial */
    int64_t deadline_ms;
    char id[WSSTAR_DIAL_ID_MAX];
    size_t id_n;
};

void streams_init(struct wsstar_streams *all, const struct wsstar_calls *calls)
{
    *all = (struct wsstar_streams){.calls = calls};
    buf_init(&all->out, LINK_CHUNK_MAX + 4 * ADDRESS_MAX);
}

void streams_release(struct wsstar_streams *all)
{
    for (size_t i = 0; i < all->n; i++) {
        base_free(all->list[i]);
    }
    base_free(all->list);
    buf_release(&all->out);
}

static void send_out(struct wsstar_streams *all, bool is_text)
{
    assert(!all->out.overflow);
    all->calls->send(all->calls->ctx, buf_str(&all->out), is_text);
}

static struct wsstar_stream *stream_add(struct wsstar_streams *all, bool is_dialler, struct str id)
{
    assert(id.n <= WSSTAR_DIAL_ID_MAX);
    struct wsstar_stream *s = base_alloc(sizeof(*s));
    s->all = all;
    s->state = DIALLING;
    s->is_dialler = is_dialler;
    memcpy(s->id, id.p, id.n);
    s->id_n = id.n;
    if (all->n == all->cap) {
        all->cap = all->cap == 0 ? 8 : all->cap * 2;
        all->list = base_realloc(all->list, all->cap * sizeof(struct wsstar_stream *));
    }
    all->list[all->n] = s;
    all->n++;
    return s;
}

void streams_sweep(struct wsstar_streams *all)
{
    size_t kept = 0;
    for (size_t i = 0; i < all->n; i++) {
        if (all->list[i]->state == GONE) {
            base_free(all->list[i]);
        } else {
            all->list[kept] = all->list[i];
            kept++;
        }
    }
    all->n = kept;
}

/* The name of the half that carries our bytes, or theirs. */
static const char *half_name(const struct wsstar_stream *s, bool is_ours)
{
    return s->is_dialler == is_ours ? "dialer" : "listener";
}

/* "<id>.dialer" or "<id>.listener" to the stream that has it as our half, or as theirs. */
static struct wsstar_stream *stream_find(struct wsstar_streams *all, struct str half, bool is_ours)
{
    for (size_t i = 0; i < all->n; i++) {
        struct wsstar_stream *s = all->list[i];
        struct str rest = str_from(half, s->id_n + 1);
        if (s->state != GONE && half.n > s->id_n && half.p[s->id_n] == '.' &&
            memcmp(half.p, s->id, s->id_n) == 0 && str_eq(rest, str_of(half_name(s, is_ours)))) {
            return s;
        }
    }
    return NULL;
}

/* An event of a half: verb "accept", "error"; tail: more arguments, each behind a comma. */
static void send_half(const struct wsstar_stream *s, const char *verb, bool is_ours,
                      const char *tail)
{
    struct buf *out = &s->all->out;
    buf_clear(out);
    buf_add_fmt(out, "42[\"" STREAM_EVENTS "%s.%.*s.%s\"%s]", verb, (int)s->id_n, s->id,
                half_name(s, is_ours), tail);
    send_out(s->all, true);
}

void wsstar_end(struct wsstar_stream *s)
{
    if (s->is_writable) {
        send_half(s, "error", true, ",true");
    }
    s->state = GONE;
}

/* A UUID, version 4, as the npm client names its dials. */
static void make_dial_id(struct wsstar_streams *all, char out[DIAL_ID_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t bytes[16];
    all->calls->random(all->calls->ctx, bytes, sizeof(bytes));
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

struct wsstar_stream *streams_dial(struct wsstar_streams *all, const struct dial *dial)
{
    char id[DIAL_ID_SIZE];
    if (all->n >= NET_CONNS_MAX || dial->to.n > ADDRESS_MAX) {
        return NULL;
    }
    make_dial_id(all, id);
    struct wsstar_stream *s = stream_add(all, true, str_of(id));
    s->user = dial->user;
    s->ack_id = dial->ack_id;
    s->deadline_ms = dial->now_ms + WSSTAR_DIAL_TIMEOUT_MS;
    buf_clear(&all->out);
    buf_add_fmt(&all->out, "42%llu[\"ss-dial\",\"%.*s\",", (unsigned long long)s->ack_id,
                STR_ARG(dial->from));
    json_write_text(&all->out, dial->to);
    buf_add_fmt(&all->out, ",\"%s\"]", id);
    send_out(all, true);
    return s;
}

bool wsstar_is_writable(const struct wsstar_stream *s)
{
    return s->is_writable && s->state == OPEN;
}

size_t wsstar_write(struct wsstar_stream *s, struct str chunk)
{
    struct buf *out = &s->all->out;
    assert(wsstar_is_writable(s) && chunk.n <= LINK_CHUNK_MAX);
    buf_clear(out);
    buf_add_fmt(out, "451-[\"" STREAM_EVENTS "queue.%.*s.%s\",{\"_placeholder\":true,\"num\":0}]",
                (int)s->id_n, s->id, half_name(s, true));
    size_t sent = out->n;
    send_out(s->all, true);
    buf_clear(out);
    buf_add_char(out, 4);
    buf_add(out, chunk);
    sent += out->n;
    send_out(s->all, false);
    return sent;
}

static void take_dial_ack(struct wsstar_streams *all, struct wsstar_stream *s,
                          const struct json *args)
{
    const struct json *error = json_first(args);
    if (error == NULL || json_is(error, JSON_NULL)) {
        s->state = OPEN;
        send_half(s, "accept", false, "");
        all->calls->dialled(all->calls->ctx, s->user, STR_ABSENT);
        return;
    }
    wsstar_end(s);
    all->calls->dialled(all->calls->ctx, s->user,
                        json_is(error, JSON_TEXT) ? json_text(error) : STR("refused"));
}

void streams_ack(struct wsstar_streams *all, uint64_t id, const struct json *args)
{
    for (size_t i = 0; i < all->n; i++) {
        struct wsstar_stream *s = all->list[i];
        if (s->is_dialler && s->state == DIALLING && s->ack_id == id) {
            take_dial_ack(all, s, args);
            return;
        }
    }
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

static void send_ack(struct wsstar_streams *all, uint64_t id, const char *args)
{
    buf_clear(&all->out);
    buf_add_fmt(&all->out, "43%llu[%s]", (unsigned long long)id, args);
    send_out(all, true);
}

/* Why a dial is refused, as JSON; NULL: it is not. */
static const char *check_incoming(struct wsstar_streams *all, struct arena *scratch, struct str id,
                                  const struct json *from, struct str *address)
{
    if (!is_dial_id(id) || addr_canonical(scratch, json_text(from), address) != ERR_NONE) {
        return "\"Invalid multiaddr\"";
    }
    if (stream_find(all, arena_join(scratch, id, STR(".dialer"), STR("")), false) != NULL) {
        return "\"Dial id already in use\"";
    }
    return all->n >= NET_CONNS_MAX ? "\"Too many streams\"" : NULL;
}

void streams_incoming(struct wsstar_streams *all, struct arena *scratch,
                      const struct socketio_packet *packet)
{
    const struct json *id = json_next(json_first(packet->args));
    const struct json *from = id == NULL ? NULL : json_next(id);
    struct str address;
    if (!packet->has_id || !json_is(id, JSON_TEXT) || !json_is(from, JSON_TEXT)) {
        return;
    }
    const char *why = check_incoming(all, scratch, json_text(id), from, &address);
    if (why != NULL) {
        send_ack(all, packet->id, why);
        return;
    }
    struct wsstar_stream *s = stream_add(all, false, json_text(id));
    s->state = OPEN;
    s->user = all->calls->incoming(all->calls->ctx, s, address);
    if (s->user == NULL) {
        s->state = GONE;
        send_ack(all, packet->id, "\"Refused\"");
        return;
    }
    send_half(s, "accept", false, "");
    send_ack(all, packet->id, "");
}

void streams_event(struct wsstar_streams *all, const struct socketio_packet *packet,
                   struct str what)
{
    struct str verb, half;
    if (!str_cut(what, '.', &verb, &half)) {
        return;
    }
    bool is_accept = str_eq(verb, STR("accept"));
    struct wsstar_stream *s = stream_find(all, half, is_accept);
    if (s == NULL) {
        return;
    }
    if (is_accept) {
        s->is_writable = true;
    } else if (str_eq(verb, STR("queue")) && s->state == OPEN && packet->attachment.n > 0) {
        all->calls->data(all->calls->ctx, s->user, packet->attachment);
    } else if (str_eq(verb, STR("error"))) {
        wsstar_end(s);
        all->calls->ended(all->calls->ctx, s->user);
    }
}

void streams_down(struct wsstar_streams *all)
{
    for (size_t i = 0; i < all->n; i++) {
        struct wsstar_stream *s = all->list[i];
        bool was_dialling = s->state == DIALLING;
        if (s->state != GONE) {
            s->state = GONE;
            if (was_dialling) {
                all->calls->dialled(all->calls->ctx, s->user, STR("the relay is gone"));
            } else {
                all->calls->ended(all->calls->ctx, s->user);
            }
        }
    }
    streams_sweep(all);
}

void streams_tick(struct wsstar_streams *all, int64_t now_ms)
{
    for (size_t i = 0; i < all->n; i++) {
        struct wsstar_stream *s = all->list[i];
        if (s->state == DIALLING && now_ms >= s->deadline_ms) {
            wsstar_end(s);
            all->calls->dialled(all->calls->ctx, s->user, STR("the dial was not answered"));
        }
    }
    streams_sweep(all);
}

int64_t streams_next_ms(const struct wsstar_streams *all)
{
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < all->n; i++) {
        const struct wsstar_stream *s = all->list[i];
        if (s->state == DIALLING && s->deadline_ms < next) {
            next = s->deadline_ms;
        }
    }
    return next;
}

/* Streams, windows and frames of yamux. */
#include "net/yamux.h"

#include <string.h>

enum { HEADER_SIZE = 12, SLICE_MAX = 16 * 1024, CONTROL_MAX = 64 * 1024 };
enum { FORGOTTEN_ENDED_MS = 10 * 1000, FORGOTTEN_MS = 5 * 60 * 1000 };
enum { TYPE_DATA, TYPE_WINDOW, TYPE_PING, TYPE_GO_AWAY };
enum { FLAG_SYN = 1, FLAG_ACK = 2, FLAG_FIN = 4, FLAG_RST = 8, FLAGS_ALL = 15 };
enum { GO_AWAY_NORMAL, GO_AWAY_PROTOCOL, GO_AWAY_INTERNAL };
static const uint64_t SEND_WINDOW_MAX = UINT32_MAX;

struct stream {
    uint32_t id;
    void *user;
    struct buf send;
    size_t sent;          /* of send, already pulled */
    uint64_t send_window; /* what the peer still takes */
    uint32_t receive_window;
    uint32_t consumed; /* not yet granted again */
    bool must_syn, must_ack, must_end, has_ended, peer_has_ended;
    bool is_forgotten;
    int64_t forgotten_ms;
    bool is_gone; /* to be swept: callbacks may still hold the pointer */
};

struct header {
    uint8_t version, type;
    uint16_t flags;
    uint32_t id, length;
};

struct yamux {
    struct yamux_calls calls;
    bool is_dialer, is_going_away;
    uint32_t next_id;
    struct stream **streams; /* in the order they were opened */
    size_t n, cap, turn;     /* turn: which stream may speak first */
    struct buf control;      /* whole frames that belong to no living stream */
    unsigned char header[HEADER_SIZE];
    size_t header_n;
    struct header frame; /* whose body is being received */
    uint32_t body_left;
    uint32_t ping_value;
    int64_t ping_at_ms, rtt_ms;
    bool is_ping_open;
};

struct yamux *yamux_new(bool is_dialer, const struct yamux_calls *calls)
{
    struct yamux *y = base_alloc(sizeof(*y));
    y->calls = *calls;
    y->is_dialer = is_dialer;
    y->next_id = is_dialer ? 1 : 2;
    y->rtt_ms = -1;
    buf_init(&y->control, CONTROL_MAX);
    return y;
}

static void stream_free(struct stream *s)
{
    buf_release(&s->send);
    base_free(s);
}

void yamux_free(struct yamux *y)
{
    if (y == NULL) {
        return;
    }
    for (size_t i = 0; i < y->n; i++) {
        stream_free(y->streams[i]);
    }
    base_free(y->streams);
    buf_release(&y->control);
    base_free(y);
}

static struct stream *stream_find(const struct yamux *y, uint32_t id)
{
    for (size_t i = y->n; i > 0; i--) {
        if (y->streams[i - 1]->id == id && !y->streams[i - 1]->is_gone) {
            return y->streams[i - 1];
        }
    }
    return NULL;
}

static struct stream *stream_add(struct yamux *y, uint32_t id, void *user)
{
    struct stream *s = base_alloc(sizeof(*s));
    *s = (struct stream){.id = id, .user = user};
    s->send_window = s->receive_window = YAMUX_WINDOW;
    buf_init(&s->send, YAMUX_QUEUE_MAX);
    if (y->n == y->cap) {
        y->cap = y->cap == 0 ? 8 : y->cap * 2;
        y->streams = base_realloc(y->streams, y->cap * sizeof(*y->streams));
    }
    y->streams[y->n] = s;
    y->n++;
    return s;
}

/* Frees what is gone. Never while a callback runs. */
static void sweep(struct yamux *y)
{
    size_t kept = 0;
    for (size_t i = 0; i < y->n; i++) {
        if (y->streams[i]->is_gone) {
            stream_free(y->streams[i]);
        } else {
            y->streams[kept] = y->streams[i];
            kept++;
        }
    }
    y->n = kept;
}

static void write_header(struct buf *out, unsigned type, unsigned flags, uint32_t id,
                         uint32_t length)
{
    buf_add_char(out, 0);
    buf_add_char(out, (char)type);
    buf_add_u16be(out, (uint16_t)flags);
    buf_add_u32be(out, id);
    buf_add_u32be(out, length);
}

static void stream_end_if_done(struct stream *s)
{
    if (s->has_ended && s->peer_has_ended) {
        s->is_gone = true;
    }
}

/* --- input ------------------------------------------------------------------------------------ */

static enum err protocol_error(struct yamux *y)
{
    write_header(&y->control, TYPE_GO_AWAY, 0, 0, GO_AWAY_PROTOCOL);
    y->is_going_away = true;
    return ERR_SYNTAX;
}

/* The peer opens a stream. NULL without error: refused by a reset. */
static enum err take_syn(struct yamux *y, uint32_t id, struct stream **out)
{
    *out = NULL;
    bool is_theirs = (id % 2 == 1) != y->is_dialer;
    if (!is_theirs || stream_find(y, id) != NULL) {
        return protocol_error(y);
    }
    if (y->is_going_away || y->n >= YAMUX_STREAMS_MAX) {
        write_header(&y->control, TYPE_WINDOW, FLAG_RST, id, 0);
        return ERR_NONE;
    }
    struct stream *s = stream_add(y, id, NULL);
    s->must_ack = true;
    s->user = y->calls.opened(y->calls.ctx, id);
    if (s->user == NULL) {
        yamux_reset(y, id);
    }
    *out = s->is_gone ? NULL : s;
    return ERR_NONE;
}

static void take_end(struct yamux *y, struct stream *s)
{
    if (!s->peer_has_ended) {
        s->peer_has_ended = true;
        stream_end_if_done(s);
        if (!s->is_forgotten) {
            y->calls.ended(y->calls.ctx, s->user);
        }
    }
}

static void take_reset(struct yamux *y, struct stream *s)
{
    s->is_gone = true;
    if (!s->is_forgotten) {
        y->calls.reset(y->calls.ctx, s->user);
    }
}

static enum err take_stream_frame(struct yamux *y, const struct header *f)
{
    struct stream *s = stream_find(y, f->id);
    if (f->id == 0) {
        return protocol_error(y);
    }
    if ((f->flags & FLAG_SYN) != 0) {
        TRY(take_syn(y, f->id, &s));
    }
    y->frame = *f;
    y->body_left = f->type == TYPE_DATA ? f->length : 0;
    if (s == NULL) { /* unknown or closed: skipped */
        return f->type == TYPE_DATA && f->length > YAMUX_WINDOW ? protocol_error(y) : ERR_NONE;
    }
    if (f->type == TYPE_WINDOW) {
        uint64_t window = s->send_window + f->length;
        s->send_window = window > SEND_WINDOW_MAX ? SEND_WINDOW_MAX : window;
    } else if (f->length > s->receive_window || (s->peer_has_ended && f->length > 0)) {
        return protocol_error(y);
    } else {
        s->receive_window -= f->length;
    }
    if ((f->flags & FLAG_RST) != 0) {
        take_reset(y, s);
    } else if ((f->flags & FLAG_FIN) != 0 && y->body_left == 0) {
        take_end(y, s);
    }
    return ERR_NONE;
}

static enum err take_ping(struct yamux *y, const struct header *f, int64_t now_ms)
{
    if (f->id != 0) {
        return protocol_error(y);
    }
    if (f->flags == FLAG_SYN) {
        write_header(&y->control, TYPE_PING, FLAG_ACK, 0, f->length);
        return ERR_NONE;
    }
    if (f->flags != FLAG_ACK || !y->is_ping_open || f->length != y->ping_value) {
        return protocol_error(y);
    }
    y->is_ping_open = false;
    y->ping_value++;
    y->rtt_ms = now_ms - y->ping_at_ms;
    return ERR_NONE;
}

static enum err take_go_away(struct yamux *y, const struct header *f)
{
    if (f->id != 0) {
        return protocol_error(y);
    }
    y->is_going_away = true;
    return f->length == GO_AWAY_NORMAL ? ERR_NONE : ERR_REFUSED;
}

static uint32_t read_u32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static enum err take_header(struct yamux *y, int64_t now_ms)
{
    const unsigned char *p = y->header;
    struct header f = {p[0], p[1], (uint16_t)(p[2] << 8 | p[3]), read_u32(p + 4), read_u32(p + 8)};
    if (f.version != 0 || (f.flags & ~FLAGS_ALL) != 0) {
        return protocol_error(y);
    }
    switch (f.type) {
    case TYPE_DATA:
    case TYPE_WINDOW:
        return take_stream_frame(y, &f);
    case TYPE_PING:
        return take_ping(y, &f, now_ms);
    case TYPE_GO_AWAY:
        return take_go_away(y, &f);
    default:
        return protocol_error(y);
    }
}

static void take_body(struct yamux *y, struct str *bytes)
{
    struct str part = str_sub(*bytes, 0, y->body_left);
    *bytes = str_from(*bytes, part.n);
    y->body_left -= (uint32_t)part.n;
    struct stream *s = stream_find(y, y->frame.id);
    if (s == NULL) {
        return;
    }
    if (s->is_forgotten) {
        s->consumed += (uint32_t)part.n;
    } else {
        y->calls.data(y->calls.ctx, s->user, part);
    }
    if (y->body_left == 0 && (y->frame.flags & FLAG_FIN) != 0 && !s->is_gone) {
        take_end(y, s);
    }
}

enum err yamux_feed(struct yamux *y, struct str bytes, int64_t now_ms)
{
    enum err err = ERR_NONE;
    while (bytes.n > 0 && err == ERR_NONE) {
        if (y->body_left > 0) {
            take_body(y, &bytes);
            continue;
        }
        struct str part = str_sub(bytes, 0, HEADER_SIZE - y->header_n);
        memcpy(y->header + y->header_n, part.p, part.n);
        y->header_n += part.n;
        bytes = str_from(bytes, part.n);
        if (y->header_n == HEADER_SIZE) {
            y->header_n = 0;
            err = take_header(y, now_ms);
        }
        if (y->control.overflow) { /* asked for more answers than we could send */
            err = ERR_LIMIT;
        }
    }
    sweep(y);
    return err;
}

/* --- output ----------------------------------------------------------------------------------- */

static size_t stream_waiting(const struct stream *s)
{
    size_t waiting = s->send.n - s->sent;
    return waiting < s->send_window ? waiting : (size_t)s->send_window;
}

/* A grant goes out when half of the window is used up, or on a frame that is due anyway. */
static bool must_grant(const struct stream *s)
{
    return s->consumed >= YAMUX_WINDOW / 2 && !s->peer_has_ended;
}

static bool can_end(const struct stream *s)
{
    return s->must_end && s->sent == s->send.n;
}

static bool stream_has_output(const struct stream *s)
{
    return !s->is_gone &&
           (s->must_syn || s->must_ack || must_grant(s) || stream_waiting(s) > 0 || can_end(s));
}

static void pull_window(struct stream *s, struct buf *out)
{
    unsigned flags = (s->must_syn ? FLAG_SYN : 0u) | (s->must_ack ? FLAG_ACK : 0u);
    uint32_t grant = s->must_syn ? 0 : s->consumed;
    write_header(out, TYPE_WINDOW, flags, s->id, grant);
    s->receive_window += grant;
    s->consumed -= grant;
    s->must_syn = s->must_ack = false;
}

/* One stream's next frames, at most `room` bytes and SLICE_MAX of data. */
static bool pull_stream(struct stream *s, struct buf *out, size_t room)
{
    size_t before = out->n;
    if ((s->must_syn || s->must_ack || must_grant(s)) && room >= HEADER_SIZE) {
        pull_window(s, out);
        room -= HEADER_SIZE;
    }
    size_t size = stream_waiting(s);
    if (size > 0 && room > HEADER_SIZE) {
        size = size < SLICE_MAX ? size : SLICE_MAX;
        size = size < room - HEADER_SIZE ? size : room - HEADER_SIZE;
        write_header(out, TYPE_DATA, 0, s->id, (uint32_t)size);
        buf_add(out, str_sub(buf_str(&s->send), s->sent, size));
        s->sent += size;
        s->send_window -= size;
        room -= HEADER_SIZE + size;
        if (s->sent == s->send.n) {
            buf_release(&s->send);
            s->sent = 0;
        }
    }
    if (can_end(s) && room >= HEADER_SIZE) {
        write_header(out, TYPE_WINDOW, FLAG_FIN, s->id, 0);
        s->must_end = false;
        s->has_ended = true;
        stream_end_if_done(s);
    }
    return out->n > before;
}

static bool pull_control(struct yamux *y, struct buf *out, size_t room)
{
    size_t size = y->control.n < room ? y->control.n : room;
    size -= size % HEADER_SIZE;
    buf_add(out, str_sub(buf_str(&y->control), 0, size));
    buf_drop(&y->control, size);
    return size > 0;
}

bool yamux_pull(struct yamux *y, struct buf *out, size_t max)
{
    size_t start = out->n;
    assert(out->max - out->n >= max);
    pull_control(y, out, max);
    bool has_more = y->n > 0;
    while (has_more) {
        has_more = false;
        for (size_t i = 0; i < y->n; i++) {
            struct stream *s = y->streams[(y->turn + i) % y->n];
            size_t room = max - (out->n - start);
            if (stream_has_output(s) && pull_stream(s, out, room)) {
                has_more = true;
            }
        }
        y->turn = (y->turn + 1) % y->n;
    }
    sweep(y);
    return out->n > start;
}

bool yamux_has_output(const struct yamux *y)
{
    for (size_t i = 0; i < y->n; i++) {
        if (stream_has_output(y->streams[i])) {
            return true;
        }
    }
    return y->control.n > 0;
}

/* --- streams ---------------------------------------------------------------------------------- */

uint32_t yamux_open(struct yamux *y, void *user)
{
    assert(user != NULL);
    if (y->is_going_away || y->n >= YAMUX_STREAMS_MAX || y->next_id > UINT32_MAX - 2) {
        return 0;
    }
    struct stream *s = stream_add(y, y->next_id, user);
    s->must_syn = true;
    y->next_id += 2;
    return s->id;
}

enum err yamux_write(struct yamux *y, uint32_t id, struct str bytes)
{
    struct stream *s = stream_find(y, id);
    if (s == NULL) {
        return ERR_NONE;
    }
    assert(!s->must_end && !s->has_ended);
    buf_add(&s->send, bytes);
    return s->send.overflow ? ERR_LIMIT : ERR_NONE;
}

void yamux_end(struct yamux *y, uint32_t id)
{
    struct stream *s = stream_find(y, id);
    if (s != NULL && !s->has_ended) {
        s->must_end = true;
    }
}

void yamux_reset(struct yamux *y, uint32_t id)
{
    struct stream *s = stream_find(y, id);
    if (s == NULL) {
        return;
    }
    s->is_gone = true;
    if (!s->must_syn) { /* else the peer never heard of it */
        write_header(&y->control, TYPE_WINDOW, FLAG_RST, id, 0);
    }
}

void yamux_consume(struct yamux *y, uint32_t id, size_t n)
{
    struct stream *s = stream_find(y, id);
    if (s != NULL) {
        assert(n <= YAMUX_WINDOW - s->consumed);
        s->consumed += (uint32_t)n;
    }
}

void yamux_forget(struct yamux *y, uint32_t id, int64_t now_ms)
{
    struct stream *s = stream_find(y, id);
    if (s != NULL && !s->is_forgotten) {
        s->is_forgotten = true;
        s->forgotten_ms = now_ms;
    }
}

void yamux_tidy(struct yamux *y, int64_t now_ms)
{
    for (size_t i = 0; i < y->n; i++) {
        struct stream *s = y->streams[i];
        int64_t limit = s->has_ended ? FORGOTTEN_ENDED_MS : FORGOTTEN_MS;
        if (!s->is_gone && s->is_forgotten && now_ms - s->forgotten_ms >= limit) {
            yamux_reset(y, s->id);
        }
    }
}

/* --- the session ------------------------------------------------------------------------------ */

void yamux_ping(struct yamux *y, int64_t now_ms)
{
    if (!y->is_ping_open) {
        write_header(&y->control, TYPE_PING, FLAG_SYN, 0, y->ping_value);
        y->is_ping_open = true;
        y->ping_at_ms = now_ms;
    }
}

bool yamux_is_ping_open(const struct yamux *y)
{
    return y->is_ping_open;
}

int64_t yamux_rtt_ms(const struct yamux *y)
{
    return y->rtt_ms;
}

void yamux_go_away(struct yamux *y)
{
    if (!y->is_going_away) {
        write_header(&y->control, TYPE_GO_AWAY, 0, 0, GO_AWAY_NORMAL);
        y->is_going_away = true;
    }
}

bool yamux_is_going_away(const struct yamux *y)
{
    return y->is_going_away;
}

size_t yamux_stream_count(const struct yamux *y)
{
    size_t count = 0;
    for (size_t i = 0; i < y->n; i++) {
        count += !y->streams[i]->is_gone;
    }
    return count;
}

size_t yamux_queued(const struct yamux *y)
{
    size_t queued = 0;
    for (size_t i = 0; i < y->n; i++) {
        queued += y->streams[i]->is_gone ? 0 : y->streams[i]->send.n - y->streams[i]->sent;
    }
    return queued;
}

/* The framing of one connection: a switch on state, bytes in a bounded buffer. */
#include "host/native/conn.h"

#include "base/buf.h"
#include "http/message.h"

#include <string.h>

#define OUT_MAX (HTTP_ANSWER_MAX + HTTP_HEAD_MAX)
#define KEEP_MAX (64 * 1024) /* an idle connection holds no larger buffer */

enum conn_state {
    CONN_HEAD,  /* reading a head */
    CONN_BODY,  /* reading a body */
    CONN_OPEN,  /* a request is with the core */
    CONN_DRAIN, /* refused: the rest is dropped, so that the refusal is read before a reset */
};

/* What the connection waits for, and how long it may. */
enum conn_phase {
    PHASE_NEW,
    PHASE_ANSWER,
    PHASE_IDLE,
    PHASE_HEAD,
    PHASE_BODY,
    PHASE_SEND,
    PHASE_DRAIN
};
static const int patience_s[] = {
    [PHASE_NEW] = 0,   [PHASE_ANSWER] = 0, [PHASE_IDLE] = 75, [PHASE_HEAD] = 30,
    [PHASE_BODY] = 30, [PHASE_SEND] = 60,  [PHASE_DRAIN] = 5,
};

struct conn {
    enum conn_state state;
    enum conn_phase phase;
    struct buf in, body, out;
    size_t sent;         /* of out */
    struct arena *arena; /* of the request being read */
    struct str head;     /* in the arena, from CONN_BODY on */
    struct http_body framing;
    bool is_head_method, ends_after; /* of the request at hand */
    bool was_refused;
};

struct conn *conn_new(void)
{
    struct conn *conn = base_alloc(sizeof(*conn));
    buf_init(&conn->in, HTTP_HEAD_MAX + CONN_FEED_MAX);
    buf_init(&conn->body, HTTP_BODY_MAX);
    buf_init(&conn->out, OUT_MAX);
    conn->arena = arena_new();
    return conn;
}

void conn_free(struct conn *conn)
{
    if (conn != NULL) {
        buf_release(&conn->in);
        buf_release(&conn->body);
        buf_release(&conn->out);
        arena_free(conn->arena);
        base_free(conn);
    }
}

static void buf_empty(struct buf *b, size_t max)
{
    if (b->cap > KEEP_MAX) {
        buf_release(b);
        buf_init(b, max);
    } else {
        buf_clear(b);
    }
}

void conn_feed(struct conn *conn, struct str bytes)
{
    assert(bytes.n <= CONN_FEED_MAX && conn_wants_bytes(conn));
    if (conn->state != CONN_DRAIN) {
        buf_add(&conn->in, bytes);
    }
}

bool conn_wants_bytes(const struct conn *conn)
{
    return conn->in.n <= HTTP_HEAD_MAX;
}

static void answer_write(struct conn *conn, int status, struct str head, struct str body)
{
    bool has_length = status >= 200 && status != 204 && status != 304;
    buf_add_fmt(&conn->out, "HTTP/1.1 %d %s\r\n", status, http_reason(status));
    buf_add(&conn->out, head);
    if (has_length) {
        buf_add_fmt(&conn->out, "content-length: %zu\r\n", body.n);
    }
    if (conn->ends_after) {
        buf_add(&conn->out, STR("connection: close\r\n"));
    }
    buf_add(&conn->out, STR("\r\n"));
    if (has_length && !conn->is_head_method) {
        buf_add(&conn->out, body);
    }
}

static void refuse(struct conn *conn, int status, struct str body)
{
    conn->ends_after = true;
    conn->was_refused = true;
    conn->state = CONN_DRAIN;
    arena_clear(conn->arena);
    buf_clear(&conn->in);
    buf_empty(&conn->body, HTTP_BODY_MAX);
    answer_write(conn, status,
                 STR("content-type: application/json\r\naccess-control-allow-origin: *\r\n"), body);
}

static void refuse_too_large(struct conn *conn)
{
    refuse(conn, 413,
           STR("{\"errcode\":\"M_TOO_LARGE\",\"error\":\"The body is larger than 1 MiB.\"}"));
}

static void refuse_malformed(struct conn *conn)
{
    refuse(conn, 400,
           STR("{\"errcode\":\"M_UNKNOWN\",\"error\":\"This is not an HTTP/1.1 request.\"}"));
}

/* A word in a comma-separated header, e.g. "close" in Connection. */
static bool header_has(const struct http_head *head, struct str name, struct str word)
{
    struct str rest = http_header(head, name), item;
    while (!str_is_absent(rest)) {
        if (!str_cut(rest, ',', &item, &rest)) {
            item = rest;
            rest = STR_ABSENT;
        }
        if (str_eq_nocase(str_trim(item), word)) {
            return true;
        }
    }
    return false;
}

/* A declared length that is too large is refused before its bytes are asked for. */
static bool body_begin(struct conn *conn, const struct http_head *head, bool has_bytes)
{
    bool is_sound = http_body_start(&conn->framing, conn->arena, head, false);
    if (conn->framing.framing == HTTP_BODY_LENGTH && conn->framing.left > HTTP_BODY_MAX) {
        refuse_too_large(conn);
        return false;
    }
    if (!is_sound) {
        refuse_malformed(conn);
        return false;
    }
    if (!conn->framing.done && !has_bytes && header_has(head, STR("expect"), STR("100-continue"))) {
        buf_add(&conn->out, STR("HTTP/1.1 100 Continue\r\n\r\n"));
    }
    return true;
}

static bool head_has_end(struct str bytes)
{
    for (size_t i = 3; i < bytes.n && i < HTTP_HEAD_MAX; i++) {
        if (bytes.p[i] == '\n' && (bytes.p[i - 1] == '\n' || bytes.p[i - 2] == '\n')) {
            return true;
        }
    }
    return false;
}

static void head_refuse(struct conn *conn)
{
    if (conn->in.n > HTTP_HEAD_MAX && !head_has_end(buf_str(&conn->in))) {
        refuse(conn, 431,
               STR("{\"errcode\":\"M_TOO_LARGE\",\"error\":\"The request's head is too large.\"}"));
    } else {
        refuse_malformed(conn);
    }
}

/* An HTTP/1.0 client does not expect the connection to stay. */
static bool is_http_1_1(struct str raw)
{
    struct str line = raw, rest;
    str_cut(raw, '\n', &line, &rest);
    return str_ends(line, STR("HTTP/1.1\r")) || str_ends(line, STR("HTTP/1.1"));
}

/* True: a head is complete and acceptable; its body may follow. */
static bool head_read(struct conn *conn)
{
    struct http_head head;
    size_t blank = 0;
    memset(&head, 0, sizeof(head));
    /* RFC 9112 section 2.2: empty lines before a request line are skipped. */
    while (blank < conn->in.n && (conn->in.p[blank] == '\r' || conn->in.p[blank] == '\n')) {
        blank++;
    }
    buf_drop(&conn->in, blank);
    if (conn->in.n == 0) {
        return false;
    }
    long n = http_parse_request(buf_str(&conn->in), &head);
    if (n == 0 && conn->in.n <= HTTP_HEAD_MAX) {
        return false;
    }
    if (n <= 0) {
        head_refuse(conn);
        return false;
    }
    struct str raw = str_sub(buf_str(&conn->in), 0, (size_t)n);
    conn->is_head_method = head.method == HTTP_HEAD_METHOD;
    conn->ends_after = header_has(&head, STR("connection"), STR("close")) || !is_http_1_1(raw);
    conn->head = arena_str(conn->arena, raw);
    if (!body_begin(conn, &head, conn->in.n > (size_t)n)) {
        return false;
    }
    buf_drop(&conn->in, (size_t)n);
    conn->state = CONN_BODY;
    return true;
}

/* True: the body is whole. */
static bool body_read(struct conn *conn)
{
    while (!conn->framing.done && conn->in.n > 0) {
        long used = http_body_feed(&conn->framing, buf_str(&conn->in), &conn->body);
        if (used < 0) {
            if (conn->body.overflow || conn->body.n + conn->in.n > HTTP_BODY_MAX) {
                refuse_too_large(conn);
            } else {
                refuse_malformed(conn);
            }
            return false;
        }
        buf_drop(&conn->in, (size_t)used);
        if (used == 0) {
            break;
        }
    }
    return conn->framing.done;
}

bool conn_next(struct conn *conn, struct str *head, struct str *body)
{
    if (conn->state == CONN_HEAD && !head_read(conn)) {
        return false;
    }
    if (conn->state != CONN_BODY || !body_read(conn)) {
        return false;
    }
    conn->state = CONN_OPEN;
    *head = conn->head;
    *body = buf_str(&conn->body);
    return true;
}

bool conn_is_open(const struct conn *conn)
{
    return conn->state == CONN_OPEN;
}

void conn_answer(struct conn *conn, int status, struct str head, struct str body)
{
    assert(conn->state == CONN_OPEN);
    answer_write(conn, status, head, body);
    conn->state = conn->ends_after ? CONN_DRAIN : CONN_HEAD;
    conn->head = STR_ABSENT;
    arena_clear(conn->arena);
    buf_empty(&conn->body, HTTP_BODY_MAX);
}

struct str conn_unsent(const struct conn *conn)
{
    return str_from(buf_str(&conn->out), conn->sent);
}

void conn_sent(struct conn *conn, size_t n)
{
    conn->sent += n;
    assert(conn->sent <= conn->out.n);
    if (conn->sent == conn->out.n) {
        buf_empty(&conn->out, OUT_MAX);
        conn->sent = 0;
    }
}

enum conn_ending conn_ending(const struct conn *conn)
{
    if (conn->state != CONN_DRAIN || conn->out.n > 0) {
        return CONN_STAYS;
    }
    return conn->was_refused ? CONN_LINGERS : CONN_OVER;
}

static enum conn_phase phase_of(const struct conn *conn)
{
    if (conn->out.n > 0) {
        return PHASE_SEND;
    }
    switch (conn->state) {
    case CONN_HEAD:
        return conn->in.n == 0 ? PHASE_IDLE : PHASE_HEAD;
    case CONN_BODY:
        return PHASE_BODY;
    case CONN_OPEN:
        return PHASE_ANSWER;
    case CONN_DRAIN:
        break;
    }
    return PHASE_DRAIN;
}

int conn_patience_s(struct conn *conn, bool *is_new)
{
    enum conn_phase phase = phase_of(conn);
    *is_new = phase != conn->phase || phase == PHASE_BODY || phase == PHASE_SEND;
    conn->phase = phase;
    return patience_s[phase];
}

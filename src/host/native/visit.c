/* The framing of one connection: a switch on state, bytes in a bounded buffer. */
#include "host/native/visit.h"

#include "base/buf.h"
#include "http/message.h"

#include <string.h>

#define MIB (1024 * 1024)
#define OUT_MAX (HTTP_ANSWER_MAX + HTTP_HEAD_MAX)
#define KEEP_MAX (64 * 1024) /* an idle connection holds no larger buffer */

enum visit_state {
    VISIT_HEAD,  /* reading a head */
    VISIT_BODY,  /* reading a body */
    VISIT_OPEN,  /* a request is with the core */
    VISIT_DRAIN, /* refused: the rest is dropped, so that the refusal is read before a reset */
};

/* What the connection waits for, and how long it may. */
enum visit_phase {
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

struct visit {
    enum visit_state state;
    enum visit_phase phase;
    struct buf in, body, out;
    size_t body_max;
    size_t sent;         /* of out */
    struct arena *arena; /* of the request being read */
    struct str head;     /* in the arena, from VISIT_BODY on */
    struct http_body framing;
    bool is_head_method, is_read, ends_after; /* of the request at hand */
    bool was_refused;
};

struct visit *visit_new(size_t body_max)
{
    struct visit *visit = base_alloc(sizeof(*visit));
    buf_init(&visit->in, HTTP_HEAD_MAX + VISIT_FEED_MAX);
    visit->body_max = body_max;
    buf_init(&visit->body, body_max);
    buf_init(&visit->out, OUT_MAX);
    visit->arena = arena_new();
    return visit;
}

void visit_free(struct visit *visit)
{
    if (visit != NULL) {
        buf_release(&visit->in);
        buf_release(&visit->body);
        buf_release(&visit->out);
        arena_free(visit->arena);
        base_free(visit);
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

void visit_feed(struct visit *visit, struct str bytes)
{
    assert(bytes.n <= VISIT_FEED_MAX && visit_wants_bytes(visit));
    if (visit->state != VISIT_DRAIN) {
        buf_add(&visit->in, bytes);
    }
}

bool visit_wants_bytes(const struct visit *visit)
{
    return visit->in.n <= HTTP_HEAD_MAX;
}

static void answer_write(struct visit *visit, int status, struct str head, struct str body)
{
    bool has_length = status >= 200 && status != 204 && status != 304;
    buf_add_fmt(&visit->out, "HTTP/1.1 %d %s\r\n", status, http_reason(status));
    buf_add(&visit->out, head);
    if (has_length) {
        buf_add_fmt(&visit->out, "content-length: %zu\r\n", body.n);
    }
    if (visit->ends_after) {
        buf_add(&visit->out, STR("connection: close\r\n"));
    }
    buf_add(&visit->out, STR("\r\n"));
    if (has_length && !visit->is_head_method) {
        buf_add(&visit->out, body);
    }
}

static void refuse(struct visit *visit, int status, struct str body)
{
    visit->ends_after = true;
    visit->was_refused = true;
    visit->state = VISIT_DRAIN;
    buf_clear(&visit->in);
    buf_empty(&visit->body, visit->body_max);
    answer_write(visit, status,
                 STR("content-type: application/json\r\naccess-control-allow-origin: *\r\n"), body);
    arena_clear(visit->arena);
}

static void refuse_too_large(struct visit *visit)
{
    refuse(visit, 413,
           arena_fmt(visit->arena,
                     "{\"errcode\":\"M_TOO_LARGE\",\"error\":\"The body is larger than %zu MiB.\"}",
                     visit->body_max / MIB));
}

static void refuse_malformed(struct visit *visit)
{
    refuse(visit, 400,
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
static bool body_begin(struct visit *visit, const struct http_head *head, bool has_bytes)
{
    bool is_sound = http_body_start(&visit->framing, visit->arena, head, false, visit->body_max);
    if (visit->framing.framing == HTTP_BODY_LENGTH && visit->framing.left > visit->body_max) {
        refuse_too_large(visit);
        return false;
    }
    if (!is_sound) {
        refuse_malformed(visit);
        return false;
    }
    if (!visit->framing.done && !has_bytes &&
        header_has(head, STR("expect"), STR("100-continue"))) {
        buf_add(&visit->out, STR("HTTP/1.1 100 Continue\r\n\r\n"));
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

void visit_refuse_head(struct visit *visit)
{
    refuse(visit, 431,
           STR("{\"errcode\":\"M_TOO_LARGE\",\"error\":\"The request's head is too large.\"}"));
}

static void head_refuse(struct visit *visit)
{
    if (visit->in.n > HTTP_HEAD_MAX && !head_has_end(buf_str(&visit->in))) {
        visit_refuse_head(visit);
    } else {
        refuse_malformed(visit);
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
static bool head_read(struct visit *visit)
{
    struct http_head head;
    size_t blank = 0;
    memset(&head, 0, sizeof(head));
    /* RFC 9112 section 2.2: empty lines before a request line are skipped. */
    while (blank < visit->in.n && (visit->in.p[blank] == '\r' || visit->in.p[blank] == '\n')) {
        blank++;
    }
    buf_drop(&visit->in, blank);
    if (visit->in.n == 0) {
        return false;
    }
    long n = http_parse_request(buf_str(&visit->in), &head);
    if (n == 0 && visit->in.n <= HTTP_HEAD_MAX) {
        return false;
    }
    if (n <= 0) {
        head_refuse(visit);
        return false;
    }
    struct str raw = str_sub(buf_str(&visit->in), 0, (size_t)n);
    visit->is_head_method = head.method == HTTP_HEAD_METHOD;
    visit->is_read = visit->is_head_method || head.method == HTTP_GET;
    visit->ends_after = header_has(&head, STR("connection"), STR("close")) || !is_http_1_1(raw);
    visit->head = arena_str(visit->arena, raw);
    if (!body_begin(visit, &head, visit->in.n > (size_t)n)) {
        return false;
    }
    buf_drop(&visit->in, (size_t)n);
    visit->state = VISIT_BODY;
    return true;
}

/* True: the body is whole. */
static bool body_read(struct visit *visit)
{
    while (!visit->framing.done && visit->in.n > 0) {
        long used = http_body_feed(&visit->framing, buf_str(&visit->in), &visit->body);
        if (used < 0) {
            if (visit->body.overflow || visit->body.n + visit->in.n > visit->body_max) {
                refuse_too_large(visit);
            } else {
                refuse_malformed(visit);
            }
            return false;
        }
        buf_drop(&visit->in, (size_t)used);
        if (used == 0) {
            break;
        }
    }
    return visit->framing.done;
}

bool visit_next(struct visit *visit, struct str *head, struct str *body)
{
    if (visit->state == VISIT_HEAD && !head_read(visit)) {
        return false;
    }
    if (visit->state != VISIT_BODY || !body_read(visit)) {
        return false;
    }
    visit->state = VISIT_OPEN;
    *head = visit->head;
    *body = buf_str(&visit->body);
    return true;
}

bool visit_is_open(const struct visit *visit)
{
    return visit->state == VISIT_OPEN;
}

bool visit_is_read(const struct visit *visit)
{
    return visit->state == VISIT_OPEN && visit->is_read;
}

void visit_answer(struct visit *visit, int status, struct str head, struct str body)
{
    assert(visit->state == VISIT_OPEN);
    answer_write(visit, status, head, body);
    visit->state = visit->ends_after ? VISIT_DRAIN : VISIT_HEAD;
    visit->head = STR_ABSENT;
    arena_clear(visit->arena);
    buf_empty(&visit->body, visit->body_max);
}

struct str visit_unsent(const struct visit *visit)
{
    return str_from(buf_str(&visit->out), visit->sent);
}

void visit_sent(struct visit *visit, size_t n)
{
    visit->sent += n;
    assert(visit->sent <= visit->out.n);
    if (visit->sent == visit->out.n) {
        buf_empty(&visit->out, OUT_MAX);
        visit->sent = 0;
    }
}

enum visit_ending visit_ending(const struct visit *visit)
{
    if (visit->state != VISIT_DRAIN || visit->out.n > 0) {
        return VISIT_STAYS;
    }
    return visit->was_refused ? VISIT_LINGERS : VISIT_OVER;
}

static enum visit_phase phase_of(const struct visit *visit)
{
    if (visit->out.n > 0) {
        return PHASE_SEND;
    }
    switch (visit->state) {
    case VISIT_HEAD:
        return visit->in.n == 0 ? PHASE_IDLE : PHASE_HEAD;
    case VISIT_BODY:
        return PHASE_BODY;
    case VISIT_OPEN:
        return PHASE_ANSWER;
    case VISIT_DRAIN:
        break;
    }
    return PHASE_DRAIN;
}

int visit_patience_s(struct visit *visit, bool *is_new)
{
    enum visit_phase phase = phase_of(visit);
    *is_new = phase != visit->phase || phase == PHASE_BODY || phase == PHASE_SEND;
    visit->phase = phase;
    return patience_s[phase];
}

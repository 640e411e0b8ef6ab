/* Heads of packets, read by hand: a relayed chunk never meets the JSON parser. */
#include "relay/socketio.h"

#include "relay/limits.h"

enum {
    ACK_DIGITS_MAX = 15, /* what JavaScript counts exactly */
    PACKET_MAX = 16 * 1024 * 1024,
};

static size_t digits(struct str s)
{
    size_t n = 0;
    while (n < s.n && s.p[n] >= '0' && s.p[n] <= '9') {
        n++;
    }
    return n;
}

static enum err read_attachments(struct str *rest, unsigned *n_attachments)
{
    int64_t n;
    size_t length = digits(*rest);
    if (length == 0 || length > 3 || length == rest->n || rest->p[length] != '-' ||
        !str_to_i64(str_sub(*rest, 0, length), &n) || n < 1 || n > RELAY_ATTACHMENTS_MAX) {
        return ERR_SYNTAX;
    }
    *n_attachments = (unsigned)n;
    *rest = str_from(*rest, length + 1);
    return ERR_NONE;
}

enum err socketio_read(struct str text, struct socketio_packet *out)
{
    int kind = text.n == 0 ? -1 : text.p[0] - '0';
    struct str rest = str_from(text, 1);
    if (kind < SOCKETIO_CONNECT || kind > SOCKETIO_BINARY_ACK) {
        return ERR_ABSENT;
    }
    *out = (struct socketio_packet){.kind = (enum socketio_kind)kind, .space = STR("/")};
    if (kind == SOCKETIO_BINARY_EVENT || kind == SOCKETIO_BINARY_ACK) {
        TRY(read_attachments(&rest, &out->n_attachments));
    }
    if (str_starts(rest, STR("/")) && !str_cut(rest, ',', &out->space, &rest)) {
        out->space = rest;
        rest = STR("");
    }
    size_t n = digits(rest);
    if (n > 0) {
        out->ack = str_sub(rest, 0, n);
        rest = str_from(rest, n);
    }
    out->json = rest;
    return n > ACK_DIGITS_MAX ? ERR_ABSENT : ERR_NONE;
}

struct str socketio_name(struct str json, struct str *rest)
{
    size_t at = 2;
    if (!str_starts(json, STR("[\""))) {
        return STR_ABSENT;
    }
    while (at < json.n && json.p[at] != '"') {
        if (json.p[at] == '\\' || (unsigned char)json.p[at] < ' ') {
            return STR_ABSENT;
        }
        at++;
    }
    if (at == json.n) {
        return STR_ABSENT;
    }
    *rest = str_from(json, at + 1);
    return str_sub(json, 2, at - 2);
}

/* Depth by brackets outside of strings, before a parser that recurses sees the text. */
static bool is_shallow(struct str json)
{
    int depth = 0;
    bool in_text = false;
    for (size_t i = 0; i < json.n; i++) {
        char c = json.p[i];
        if (in_text) {
            i += c == '\\';
            in_text = c != '"';
        } else if (c == '[' || c == '{') {
            depth++;
        } else if (c == ']' || c == '}') {
            depth--;
        } else {
            in_text = c == '"';
        }
        if (depth > RELAY_JSON_DEPTH_MAX) {
            return false;
        }
    }
    return true;
}

enum err socketio_payload(struct arena *a, struct str json, struct json **out)
{
    if (json.n > RELAY_EVENT_MAX || !is_shallow(json)) {
        return ERR_LIMIT;
    }
    TRY(json_parse(a, json, out, NULL));
    return json_is(*out, JSON_ARRAY) ? ERR_NONE : ERR_SYNTAX;
}

bool socketio_placeholder(const struct json *argument, int64_t *number)
{
    return json_get_bool(argument, "_placeholder", false) &&
           json_int(json_get(argument, STR("num")), number);
}

/* Recursion is bounded by socketio_payload. */
bool socketio_placeholders_fit(const struct json *payload, unsigned n)
{
    if (json_get_bool(payload, "_placeholder", false)) {
        int64_t number;
        return socketio_placeholder(payload, &number) && number >= 0 && number < n;
    }
    if (json_is(payload, JSON_ARRAY) || json_is(payload, JSON_OBJECT)) {
        for (const struct json *x = json_first(payload); x != NULL; x = json_next(x)) {
            if (!socketio_placeholders_fit(x, n)) {
                return false;
            }
        }
    }
    return true;
}

bool socketio_is_true(const struct json *value)
{
    int64_t number;
    switch (json_kind(value)) {
    case JSON_NULL:
        return false;
    case JSON_BOOL:
        return json_bool(value, false);
    case JSON_INT:
        return json_int(value, &number) && number != 0;
    case JSON_TEXT:
        return json_text(value).n > 0;
    case JSON_NUMBER:
    case JSON_ARRAY:
    case JSON_OBJECT:
        return true;
    }
    return true;
}

static struct frame *made(struct buf *b)
{
    assert(!b->overflow);
    return frame_of(buf_str(b));
}

static void add_event(struct buf *b, struct str name, const struct str *texts, size_t n)
{
    buf_add_char(b, '[');
    json_write_text(b, name);
    for (size_t i = 0; i < n; i++) {
        buf_add_char(b, ',');
        json_write_text(b, texts[i]);
    }
    buf_add_char(b, ']');
}

struct frame *socketio_event(struct arena *a, struct str name, const struct str *texts, size_t n)
{
    struct buf b;
    buf_init_in(&b, a, PACKET_MAX);
    buf_add(&b, STR("42"));
    add_event(&b, name, texts, n);
    return made(&b);
}

struct frame *socketio_ask(struct arena *a, uint64_t ack, struct str name, const struct str *texts,
                           size_t n)
{
    struct buf b;
    buf_init_in(&b, a, PACKET_MAX);
    buf_add_fmt(&b, "42%llu", (unsigned long long)ack);
    add_event(&b, name, texts, n);
    return made(&b);
}

struct frame *socketio_answer(struct arena *a, struct str ack, struct str json)
{
    struct buf b;
    buf_init_in(&b, a, ack.n + json.n + PACKET_MAX);
    buf_add(&b, STR("43"));
    buf_add(&b, ack);
    buf_add_char(&b, '[');
    buf_add(&b, json); /* a roster of ten thousand is a megabyte: no format */
    buf_add_char(&b, ']');
    return made(&b);
}

struct frame *socketio_answer_text(struct arena *a, struct str ack, struct str text)
{
    struct buf b;
    buf_init_in(&b, a, PACKET_MAX);
    json_write_text(&b, text);
    return socketio_answer(a, ack, buf_str(&b));
}

struct frame *socketio_chunk(struct arena *a, struct str name)
{
    struct buf b;
    buf_init_in(&b, a, PACKET_MAX);
    buf_add(&b, STR("451-["));
    json_write_text(&b, name);
    buf_add(&b, STR(",{\"_placeholder\":true,\"num\":0}]"));
    return made(&b);
}

struct frame *socketio_value(struct arena *a, struct str name, const struct json *value)
{
    struct buf b;
    buf_init_in(&b, a, PACKET_MAX);
    buf_add(&b, STR("42["));
    json_write_text(&b, name);
    buf_add_char(&b, ',');
    json_write(&b, value);
    buf_add_char(&b, ']');
    return made(&b);
}

struct frame *socketio_no_space(struct arena *a, struct str space)
{
    return frame_of(arena_fmt(a, "44%.*s,\"Invalid namespace\"", STR_ARG(space)));
}

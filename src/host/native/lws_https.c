/* https.h: raw bytes in the loop, through tls.h; HTTP is read by http/reader.h. */
#include "host/native/ground.h"
#include "host/native/https.h"
#include "host/native/lws.h"
#include "host/native/names.h"

#include <string.h>

#define CONNECT_US (10 * LWS_US_PER_SEC)
#define IDLE_US (30 * LWS_US_PER_SEC)
#define CHUNK_MAX (64 * 1024)

enum https_state {
    HTTPS_LOOKS_UP,
    HTTPS_CONNECTS,
    HTTPS_IDLE,
    HTTPS_ASKS,
};

struct https {
    struct sockets *s;
    struct lws *wsi; /* NULL: not connecting and not connected */
    struct https_calls calls;
    struct target target;
    struct name_address addresses[NAMES_ADDRESSES_MAX];
    size_t n_addresses, next_address;
    enum https_state state;
    bool is_closed;    /* by its user at a moment when somebody still holds it: */
    bool is_looked_up; /* ... c-ares, or */
    bool is_telling;   /* ... we, around a call of answered */
    bool was_used, has_begun;
    const char *why; /* the last address failed; static */
    struct tls *tls; /* once the socket is connected */
    struct buf out;  /* the request; not sealed yet */
    struct buf in, sealed;
    size_t answer_max;
    struct http_reader answer;
    lws_sorted_usec_list_t timer;
};

static void socket_drop(struct https *c)
{
    if (c->wsi != NULL) {
        lws_set_opaque_user_data(c->wsi, NULL);
        lws_set_timeout(c->wsi, PENDING_TIMEOUT_CLOSE_SEND, LWS_TO_KILL_ASYNC);
        c->wsi = NULL;
    }
    tls_free(c->tls);
    c->tls = NULL;
    buf_clear(&c->in);
    buf_clear(&c->sealed);
}

static void release(struct https *c)
{
    lws_sul_cancel(&c->timer);
    socket_drop(c);
    buf_release(&c->out);
    buf_release(&c->in);
    buf_release(&c->sealed);
    http_reader_release(&c->answer);
    base_free(c);
}

static void fail(struct https *c, const char *why)
{
    struct https_calls calls = c->calls;
    bool has_begun = c->has_begun;
    release(c);
    calls.down(calls.ctx, why, has_begun);
}

static void timer_fired(lws_sorted_usec_list_t *sul);

static void become(struct https *c, enum https_state state)
{
    c->state = state;
    if (state == HTTPS_ASKS) {
        lws_sul_cancel(&c->timer); /* who asks has a deadline of his own */
    } else {
        lws_sul_schedule(c->s->context, 0, &c->timer, timer_fired,
                         state == HTTPS_IDLE ? IDLE_US : CONNECT_US);
    }
}

static struct lws *connect_to(struct https *c, const struct name_address *address)
{
    lws_sock_file_fd_type descriptor = {
        .sockfd = connector_open(address->bytes, address->n, c->target.port)};
    return descriptor.sockfd < 0 ? NULL
                                 : lws_adopt_descriptor_vhost(c->s->vhost, LWS_ADOPT_SOCKET,
                                                              descriptor, "https", NULL);
}

static void connect_next(struct https *c)
{
    socket_drop(c);
    while (c->wsi == NULL && c->next_address < c->n_addresses) {
        c->wsi = connect_to(c, &c->addresses[c->next_address++]);
        c->why = "it cannot be connected to";
    }
    if (c->wsi == NULL) {
        fail(c, c->why);
        return;
    }
    lws_set_opaque_user_data(c->wsi, c);
    lws_callback_on_writable(c->wsi);
    become(c, HTTPS_CONNECTS);
}

/* The attempt at hand has failed. */
static void connect_again(struct https *c, const char *why)
{
    c->why = why;
    connect_next(c);
}

static void timer_fired(lws_sorted_usec_list_t *sul)
{
    struct https *c = lws_container_of(sul, struct https, timer);
    if (c->state == HTTPS_CONNECTS) {
        connect_again(c, "it does not accept a connection in time");
    } else if (c->state == HTTPS_IDLE) {
        fail(c, "nothing was asked for long");
    }
}

static void on_addresses(void *ctx, const struct name_address *found, size_t n)
{
    struct https *c = ctx;
    c->is_looked_up = false;
    if (c->is_closed) {
        release(c);
        return;
    }
    if (c->s->is_closing) {
        return;
    }
    c->why = n == 0 ? "its name has no address" : "its address is private";
    for (size_t i = 0; i < n; i++) {
        enum ground ground = ground_of(found[i].bytes, found[i].n);
        if (ground == GROUND_PUBLIC || (ground == GROUND_LOOPBACK && c->s->may_loop)) {
            c->addresses[c->n_addresses++] = found[i];
        }
    }
    connect_next(c);
}

static void looked_up_later(lws_sorted_usec_list_t *sul)
{
    struct https *c = lws_container_of(sul, struct https, timer);
    c->is_looked_up = true;
    names_addresses(c->s->names, c->target.host, on_addresses, c);
}

struct https *https_open(struct sockets *s, const struct target *target, size_t answer_max,
                         const struct https_calls *calls)
{
    struct https *c = base_alloc(sizeof(*c));
    c->s = s;
    c->calls = *calls;
    c->target = *target;
    c->answer_max = answer_max;
    buf_init(&c->out, HTTP_HEAD_MAX + HTTP_BODY_MAX);
    buf_init(&c->in, 2 * VISIT_FEED_MAX);
    buf_init(&c->sealed, 2 * CHUNK_MAX);
    http_reader_init(&c->answer, true, answer_max);
    lws_sul_schedule(s->context, 0, &c->timer, looked_up_later, 1);
    return c;
}

void https_close(struct https *c)
{
    if (c->is_looked_up || c->is_telling) {
        c->is_closed = true;
    } else {
        release(c);
    }
}

bool https_is_idle(const struct https *c)
{
    return c->state == HTTPS_IDLE;
}

bool https_was_used(const struct https *c)
{
    return c->was_used;
}

void https_ask(struct https *c, struct str request)
{
    struct str line = request, rest = STR("");
    assert(c->state == HTTPS_IDLE);
    str_cut(request, '\n', &line, &rest);
    buf_clear(&c->out);
    buf_add_fmt(&c->out, "%.*s\nHost: %s\r\n", STR_ARG(line), c->target.authority);
    buf_add(&c->out, rest);
    http_reader_release(&c->answer);
    http_reader_init(&c->answer, true, c->answer_max);
    c->has_begun = false;
    become(c, HTTPS_ASKS);
    lws_callback_on_writable(c->wsi);
}

/* --- what the library tells --------------------------------------------------------------- */

static bool stays_open(const struct http_reader *answer)
{
    return answer->framing.framing != HTTP_BODY_UNTIL_END &&
           !str_eq_nocase(http_header(&answer->head, STR("connection")), STR("close"));
}

/* The answer is whole. False: the connection is gone. */
static bool on_answered(struct https *c, bool is_open)
{
    struct http_reader answer = c->answer;
    http_reader_init(&c->answer, true, c->answer_max);
    c->was_used = true;
    is_open = is_open && stays_open(&answer);
    if (is_open) {
        become(c, HTTPS_IDLE);
    }
    c->is_telling = true;
    c->calls.answered(c->calls.ctx, &answer);
    c->is_telling = false;
    http_reader_release(&answer);
    if (c->is_closed) {
        release(c);
        return false;
    }
    if (!is_open) {
        fail(c, "it closed the connection");
    }
    return is_open;
}

/* What TLS has told. False: the connection is gone. */
static bool on_plain(struct https *c)
{
    struct str bytes = buf_str(&c->in);
    if (bytes.n == 0) {
        return true;
    }
    if (c->state != HTTPS_ASKS) {
        fail(c, "it speaks without being asked");
        return false;
    }
    c->has_begun = true;
    enum http_reader_state state = http_reader_feed(&c->answer, &bytes);
    bool has_more = bytes.n > 0;
    buf_clear(&c->in);
    if (state == HTTP_READER_DONE) {
        return on_answered(c, !has_more);
    }
    if (state == HTTP_READER_FAILED) {
        fail(c, c->answer.why);
        return false;
    }
    return true;
}

static bool on_closed(struct https *c, const char *why)
{
    if (c->state == HTTPS_CONNECTS) {
        connect_again(c, why);
    } else if (c->state == HTTPS_ASKS && c->has_begun &&
               http_reader_end(&c->answer) == HTTP_READER_DONE) {
        return on_answered(c, false);
    } else {
        fail(c, why);
    }
    return false;
}

static bool on_bytes(struct https *c, struct str bytes)
{
    bool was_up = c->tls != NULL && tls_is_up(c->tls);
    if (c->tls == NULL || !tls_feed(c->tls, bytes, &c->in)) {
        const char *why = c->tls == NULL ? "it does not speak TLS" : tls_why(c->tls);
        return on_plain(c) && on_closed(c, why);
    }
    tls_unsent(c->tls, &c->sealed);
    lws_callback_on_writable(c->wsi);
    if (!was_up && tls_is_up(c->tls)) {
        become(c, HTTPS_IDLE);
        c->calls.up(c->calls.ctx);
    }
    return on_plain(c);
}

/* Seals the next part of the request. */
static bool seal(struct https *c)
{
    size_t n = c->out.n < CHUNK_MAX ? c->out.n : CHUNK_MAX;
    if (n > 0 && !tls_say(c->tls, str_sub(buf_str(&c->out), 0, n))) {
        return false;
    }
    buf_drop(&c->out, n);
    tls_unsent(c->tls, &c->sealed);
    return true;
}

static bool on_writable(struct https *c)
{
    if (c->tls == NULL) {
        if (connector_error(lws_get_socket_fd(c->wsi)) != 0) {
            connect_again(c, "it cannot be connected to");
            return false;
        }
        c->tls = tls_connect(c->s->calling, c->target.identity, c->target.is_address);
        tls_unsent(c->tls, &c->sealed);
    }
    while (!lws_send_pipe_choked(c->wsi)) {
        if (tls_is_up(c->tls) && !seal(c)) {
            return on_closed(c, tls_why(c->tls));
        }
        if (c->sealed.n == 0) {
            return true;
        }
        if (!lws_send_raw(c->wsi, buf_str(&c->sealed))) {
            return on_closed(c, "it closed the connection");
        }
        buf_clear(&c->sealed);
    }
    lws_callback_on_writable(c->wsi);
    return true;
}

int https_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                   size_t n)
{
    struct https *c = lws_get_opaque_user_data(wsi);
    (void)user;
    if (c == NULL) {
        return reason == LWS_CALLBACK_RAW_RX || reason == LWS_CALLBACK_RAW_WRITEABLE ? -1 : 0;
    }
    if (reason == LWS_CALLBACK_RAW_RX) {
        return on_bytes(c, str_make(in, n)) ? 0 : -1;
    }
    if (reason == LWS_CALLBACK_RAW_WRITEABLE) {
        return on_writable(c) ? 0 : -1;
    }
    if (reason == LWS_CALLBACK_RAW_CLOSE) {
        lws_set_opaque_user_data(wsi, NULL);
        c->wsi = NULL;
        (void)on_closed(c, "it closed the connection");
    }
    return 0;
}

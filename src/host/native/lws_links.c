/* Websockets to relays. */
#include "host/native/lws.h"

#include <stdio.h>
#include <string.h>

#define MESSAGE_MAX (1024 * 1024) /* of a relay; it sends at most 1,000,000 bytes */

static struct link *link_find(struct sockets *s, uint64_t id)
{
    for (size_t i = 0; i < SOCKETS_LINKS_MAX; i++) {
        if (s->links[i].is_used && s->links[i].id == id) {
            return &s->links[i];
        }
    }
    return NULL;
}

static void link_release(struct link *link)
{
    while (link->first != NULL) {
        struct message *next = link->first->next;
        base_free(link->first);
        link->first = next;
    }
    buf_release(&link->in);
    if (link->wsi != NULL) {
        lws_set_opaque_user_data(link->wsi, NULL);
    }
    memset(link, 0, sizeof(*link));
}

static void link_fail(struct link *link, struct str why)
{
    struct sockets *s = link->s;
    uint64_t id = link->id;
    link_release(link);
    if (!s->is_closing) {
        s->events.link_down(s->events.ctx, id, why);
    }
}

static void link_report_room(struct link *link)
{
    size_t taken = link->queued + link->in_flight;
    link->s->events.link_room(link->s->events.ctx, link->id,
                              taken < SOCKETS_LINK_ROOM ? SOCKETS_LINK_ROOM - taken : 0);
}

static bool link_write(struct link *link)
{
    link->in_flight = 0; /* the library calls only when its own buffer is empty */
    while (link->first != NULL && !lws_send_pipe_choked(link->wsi)) {
        struct message *message = link->first;
        size_t n = message->n;
        int wrote = lws_write(link->wsi, message->bytes + LWS_PRE, n,
                              message->is_text ? LWS_WRITE_TEXT : LWS_WRITE_BINARY);
        link->first = message->next;
        link->queued -= n;
        link->in_flight += n;
        base_free(message);
        if (wrote < (int)n) {
            return false;
        }
    }
    /* Once more when something is with the library: that call finds in_flight gone. */
    if (link->first != NULL || link->in_flight > 0) {
        lws_callback_on_writable(link->wsi);
    }
    link_report_room(link);
    return true;
}

static bool link_read(struct link *link, struct str part)
{
    if (lws_is_first_fragment(link->wsi)) {
        buf_clear(&link->in);
    }
    buf_add(&link->in, part);
    if (link->in.overflow) {
        return false;
    }
    lws_validity_confirmed(link->wsi);
    if (lws_is_final_fragment(link->wsi)) {
        link->s->events.link_message(link->s->events.ctx, link->id, buf_str(&link->in),
                                     lws_frame_is_binary(link->wsi) == 0);
    }
    return true;
}

/* True: this was an end of the link, and it is reported. */
static bool link_ended(struct link *link, enum lws_callback_reasons reason, const char *why)
{
    if (reason == LWS_CALLBACK_CLIENT_CONNECTION_ERROR) {
        link_fail(link, why == NULL ? STR("cannot connect") : str_of(why));
        return true;
    }
    if (reason == LWS_CALLBACK_CLIENT_CLOSED || reason == LWS_CALLBACK_WSI_DESTROY) {
        link_fail(link, STR("closed"));
        return true;
    }
    return false;
}

int links_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                   size_t n)
{
    struct link *link = lws_get_opaque_user_data(wsi);
    (void)user;
    if (link == NULL) {
        return reason == LWS_CALLBACK_CLIENT_WRITEABLE ? -1 : 0; /* hung up */
    }
    link->wsi = wsi;
    if (link_ended(link, reason, in)) {
        return 0;
    }
    if (reason == LWS_CALLBACK_CLIENT_ESTABLISHED) {
        link->is_up = true;
        link->s->events.link_up(link->s->events.ctx, link->id);
    } else if (reason == LWS_CALLBACK_CLIENT_RECEIVE) {
        return link_read(link, str_make(in, n)) ? 0 : -1;
    } else if (reason == LWS_CALLBACK_CLIENT_WRITEABLE) {
        return link_write(link) ? 0 : -1;
    }
    return 0;
}

static struct link *link_take(struct sockets *s, uint64_t id)
{
    for (size_t i = 0; i < SOCKETS_LINKS_MAX; i++) {
        if (!s->links[i].is_used) {
            s->links[i] = (struct link){.s = s, .is_used = true, .id = id};
            buf_init(&s->links[i].in, MESSAGE_MAX);
            return &s->links[i];
        }
    }
    return NULL;
}

/* "ws://host:port/path" into C strings; an IPv6 host loses its brackets. */
static bool url_split(struct str url, char *host, size_t size, int *port, const char **path,
                      struct buf *path_memory)
{
    struct str rest = str_from(url, 5), authority = rest, tail = STR_ABSENT;
    int64_t number = 80;
    size_t colon;
    str_cut(rest, '/', &authority, &tail);
    struct str name = authority;
    if (str_find_last(authority, ':', &colon) && !str_ends(authority, STR("]"))) {
        name = str_sub(authority, 0, colon);
        if (!str_to_i64(str_from(authority, colon + 1), &number)) {
            return false;
        }
    }
    if (name.n > 1 && name.p[0] == '[') {
        name = str_sub(name, 1, name.n - 2);
    }
    if (!str_starts(url, STR("ws://")) || name.n == 0 || name.n >= size || number < 1 ||
        number > 65535) {
        return false;
    }
    memcpy(host, name.p, name.n);
    host[name.n] = '\0';
    *port = (int)number;
    buf_add_char(path_memory, '/');
    buf_add(path_memory, tail);
    buf_add_char(path_memory, '\0');
    *path = (const char *)path_memory->p;
    return !path_memory->overflow;
}

void sockets_dial(struct sockets *s, uint64_t id, struct str url)
{
    char host[256], authority[300];
    struct buf path_memory;
    struct lws_client_connect_info info;
    struct link *link = link_take(s, id);
    if (link == NULL) {
        s->events.link_down(s->events.ctx, id, STR("too many links"));
        return;
    }
    memset(&info, 0, sizeof(info));
    buf_init(&path_memory, 2048);
    if (!url_split(url, host, sizeof(host), &info.port, &info.path, &path_memory)) {
        link_fail(link, STR("not a ws:// address"));
    } else {
        snprintf(authority, sizeof(authority), "%s:%d", host, info.port);
        info.context = s->context;
        info.vhost = s->vhost;
        info.address = host;
        info.host = authority;
        info.ietf_version_or_minus_one = -1;
        info.local_protocol_name = "link";
        info.opaque_user_data = link;
        info.pwsi = &link->wsi;
        /* A failure may or may not have been told to link_callback by now. */
        if (lws_client_connect_via_info(&info) == NULL && link->is_used && link->id == id) {
            link->wsi = NULL;
            link_fail(link, STR("cannot connect"));
        }
    }
    buf_release(&path_memory);
}

void sockets_send(struct sockets *s, uint64_t id, struct str bytes, bool is_text)
{
    struct link *link = link_find(s, id);
    if (link == NULL || !link->is_up) {
        return;
    }
    struct message *message = base_alloc(sizeof(*message) + LWS_PRE + bytes.n);
    message->n = bytes.n;
    message->is_text = is_text;
    if (bytes.n > 0) {
        memcpy(message->bytes + LWS_PRE, bytes.p, bytes.n);
    }
    if (link->first == NULL) {
        link->first = message;
    } else {
        link->last->next = message;
    }
    link->last = message;
    link->queued += bytes.n;
    lws_callback_on_writable(link->wsi);
}

void sockets_hang_up(struct sockets *s, uint64_t id)
{
    struct link *link = link_find(s, id);
    if (link != NULL) {
        struct lws *wsi = link->wsi;
        link_release(link);
        if (wsi != NULL) {
            lws_set_timeout(wsi, PENDING_TIMEOUT_CLOSE_SEND, LWS_TO_KILL_ASYNC);
        }
    }
}

void sockets_hang_up_all(struct sockets *s)
{
    for (size_t i = 0; i < SOCKETS_LINKS_MAX; i++) {
        if (s->links[i].is_used) {
            sockets_hang_up(s, s->links[i].id);
        }
    }
}

/* Arrivals and departures for clients that ask for them by "ss-presence": each told once, at once,
 * never repeated. What moves while many listen is gathered for a moment, so that the messages sent
 * in a second are bounded, however many come and go:
 *
 *     42["ss-presence"]                                 asked, and answered the same
 *     42["ss-peers",["<arrived>",...],["<gone>",...]]   what has changed since
 *
 * npm's clients ask for nothing and are told as npm's relay tells them; npm's relay ignores it. */
#include "relay/state.h"
#include "json/json.h"

enum {
    LISTENERS_PER_MS = 10,              /* messages sent in a millisecond, on the average */
    MOVED_MAX = 256,                    /* addresses gathered */
    MESSAGE_MAX = MOVED_MAX * 4096 * 6, /* the longest addresses, all of them escaped */
};

void roster_on(struct relay *relay, struct conn *conn)
{
    if (!conn->has_presence) {
        conn->has_presence = true;
        TAILQ_INSERT_TAIL(&relay->listeners, conn, listening);
        relay->n_listeners++;
    }
    conn_send_new(relay, conn, frame_of(STR("42[\"ss-presence\"]")));
}

void roster_gone(struct relay *relay, struct conn *conn)
{
    if (conn->has_presence) {
        TAILQ_REMOVE(&relay->listeners, conn, listening);
        relay->n_listeners--;
        conn->has_presence = false;
    }
}

static void add_moved(struct relay *relay, struct buf *out, bool is_here)
{
    bool is_first = true;
    for (struct map_entry *e = map_next(&relay->moved, NULL); e != NULL;
         e = map_next(&relay->moved, e)) {
        if ((map_get(&relay->addresses, e->key) != NULL) == is_here) {
            buf_add(out, is_first ? STR("") : STR(","));
            json_write_text(out, e->key);
            is_first = false;
        }
    }
}

static void moved_clear(struct relay *relay)
{
    for (struct map_entry *e = map_next(&relay->moved, NULL); e != NULL;
         e = map_next(&relay->moved, e)) {
        heap_free(str_make(e->value, e->key.n));
    }
    map_clear(&relay->moved);
}

static void flush(struct relay *relay, struct now now)
{
    struct buf text;
    buf_init(&text, MESSAGE_MAX);
    buf_add(&text, STR("42[\"ss-peers\",["));
    add_moved(relay, &text, true);
    buf_add(&text, STR("],["));
    add_moved(relay, &text, false);
    buf_add(&text, STR("]]"));
    moved_clear(relay);
    struct frame *f = frame_of(buf_str(&text));
    struct conn *conn = TAILQ_FIRST(&relay->listeners);
    while (conn != NULL) {
        conn_send(relay, conn, f);
        conn = TAILQ_NEXT(conn, listening);
    }
    frame_drop(f);
    buf_release(&text);
    metrics_add(&relay->metrics, METRIC_ANNOUNCEMENTS, relay->n_listeners);
    relay->moved_due_ms = now.mono_ms + (int64_t)relay->n_listeners / LISTENERS_PER_MS;
}

void roster_moved(struct relay *relay, struct now now, struct str address)
{
    if (relay->n_listeners == 0) {
        return;
    }
    if (map_get(&relay->moved, address) == NULL) {
        struct str copy = heap_str(address);
        union {
            const char *borrowed;
            void *own;
        } p = {.borrowed = copy.p};
        map_put(&relay->moved, copy, p.own);
    }
    if (map_count(&relay->moved) >= MOVED_MAX) {
        flush(relay, now);
    }
}

void roster_tick(struct relay *relay, struct now now)
{
    if (map_count(&relay->moved) > 0 && relay->moved_due_ms <= now.mono_ms) {
        flush(relay, now);
    }
}

int64_t roster_due_ms(const struct relay *relay)
{
    return map_count(&relay->moved) > 0 ? relay->moved_due_ms : INT64_MAX;
}

void roster_free(struct relay *relay)
{
    moved_clear(relay);
    map_release(&relay->moved);
}

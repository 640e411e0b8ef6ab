/* Arrivals and departures for clients that ask for them by "ss-presence": each told once, at once,
 * never repeated. What moves while many listen is gathered, and told to a slice of them at a time,
 * so that both the messages of a second and the work of a moment are bounded, however many come and
 * go. Who came and went before it was told is not told at all.
 *
 *     42["ss-presence"]                                 asked, and answered the same
 *     42["ss-peers",["<arrived>",...],["<gone>",...]]   what has changed since
 *
 * npm's clients ask for nothing and are told as npm's relay tells them; npm's relay ignores it. */
#include "relay/state.h"
#include "json/json.h"

enum {
    LISTENERS_PER_MS = 10,              /* messages sent in a millisecond, on the average */
    SLICE = 256,                        /* listeners told in one go */
    MOVED_MAX = 256,                    /* addresses in one message */
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

/* An address that moved is told, or needs not be. */
static void moved_drop(struct relay *relay, struct str text)
{
    struct address *address = map_get(&relay->addresses, text);
    if (address != NULL) {
        address->is_told = true;
    }
    char *copy = map_remove(&relay->moved, text);
    heap_free(str_make(copy, text.n));
}

/* The first n of those that moved, as the elements of an array: those that are here, or gone. */
static void add_moved(struct relay *relay, struct buf *out, size_t n, bool is_here)
{
    bool is_first = true;
    for (struct map_entry *e = map_next(&relay->moved, NULL); e != NULL && n > 0;
         e = map_next(&relay->moved, e), n--) {
        if ((map_get(&relay->addresses, e->key) != NULL) == is_here) {
            buf_add(out, is_first ? STR("") : STR(","));
            json_write_text(out, e->key);
            is_first = false;
        }
    }
}

/* Drops the first n of those that moved. */
static void moved_clear(struct relay *relay, size_t n)
{
    struct map_entry *e = map_next(&relay->moved, NULL);
    for (size_t i = 0; i < n && e != NULL; i++) {
        struct map_entry *next = map_next(&relay->moved, e);
        moved_drop(relay, e->key);
        e = next;
    }
}

static void begin(struct relay *relay)
{
    struct buf text;
    buf_init(&text, MESSAGE_MAX);
    buf_add(&text, STR("42[\"ss-peers\",["));
    add_moved(relay, &text, MOVED_MAX, true);
    buf_add(&text, STR("],["));
    add_moved(relay, &text, MOVED_MAX, false);
    buf_add(&text, STR("]]"));
    moved_clear(relay, MOVED_MAX);
    relay->telling = frame_of(buf_str(&text));
    relay->told_next = TAILQ_FIRST(&relay->listeners);
    buf_release(&text);
}

static void end(struct relay *relay)
{
    frame_drop(relay->telling);
    relay->telling = NULL;
}

static void tell_slice(struct relay *relay, struct now now)
{
    int64_t n = 0;
    for (; relay->told_next != NULL && n < SLICE; n++) {
        conn_send(relay, relay->told_next, relay->telling);
        relay->told_next = TAILQ_NEXT(relay->told_next, listening);
    }
    metrics_add(&relay->metrics, METRIC_ANNOUNCEMENTS, (uint64_t)n);
    relay->tell_ms = now.mono_ms + n / LISTENERS_PER_MS;
    if (relay->told_next == NULL) {
        end(relay);
    }
}

void roster_gone(struct relay *relay, struct conn *conn)
{
    if (!conn->has_presence) {
        return;
    }
    if (relay->told_next == conn) {
        relay->told_next = TAILQ_NEXT(conn, listening);
    }
    TAILQ_REMOVE(&relay->listeners, conn, listening);
    relay->n_listeners--;
    conn->has_presence = false;
    if (relay->n_listeners == 0) {
        end(relay);
        moved_clear(relay, map_count(&relay->moved));
    }
}

static void moved_put(struct relay *relay, struct str text)
{
    struct str copy = heap_str(text);
    map_put(&relay->moved, copy, heap_of(copy));
}

void roster_came(struct relay *relay, struct address *address)
{
    /* Who is thought to be here and went and came in the meantime is told as arrived. */
    address->is_told = relay->n_listeners == 0 || map_get(&relay->moved, address->text) != NULL;
    if (!address->is_told) {
        moved_put(relay, address->text);
    }
}

void roster_went(struct relay *relay, const struct address *address)
{
    if (!address->is_told) {
        moved_drop(relay, address->text);
    } else if (relay->n_listeners > 0 && map_get(&relay->moved, address->text) == NULL) {
        moved_put(relay, address->text);
    }
}

void roster_tick(struct relay *relay, struct now now)
{
    if (roster_due_ms(relay) > now.mono_ms) {
        return;
    }
    if (relay->telling == NULL) {
        begin(relay);
    }
    tell_slice(relay, now);
}

int64_t roster_due_ms(const struct relay *relay)
{
    bool has_news = relay->telling != NULL || map_count(&relay->moved) > 0;
    return has_news ? relay->tell_ms : INT64_MAX;
}

void roster_free(struct relay *relay)
{
    assert(relay->telling == NULL && map_count(&relay->moved) == 0);
    map_release(&relay->moved);
}

/* Calls between a client here and one at another relay: see cluster.h. */
#include "base/encode.h"
#include "relay/site.h"
#include "relay/state.h"

#include <string.h>

static struct str write_key(char out[CALL_KEY_SIZE], bool is_ours, uint64_t number)
{
    out[0] = is_ours ? 'o' : 't';
    memcpy(out + 1, &number, sizeof(number));
    return str_make(out, CALL_KEY_SIZE);
}

static struct call *call_new(struct site *site, struct now now, bool is_ours, uint64_t number)
{
    struct cluster *cluster = site->cluster;
    if (map_count(&site->calls) >= CLUSTER_CALLS_MAX) {
        return NULL;
    }
    struct call *call = base_alloc(sizeof(*call));
    call->remote.is_call = true;
    call->site = site;
    call->is_ours = is_ours;
    call->number = number;
    call->conn = remote_open(cluster->relay, now, call);
    map_put(&site->calls, write_key(call->key, is_ours, number), call);
    cluster->n_calls++;
    return call;
}

static void call_free(struct call *call, struct now now)
{
    struct cluster *cluster = call->site->cluster;
    relay_gone(cluster->relay, now, call->conn);
    (void)map_remove(&call->site->calls, str_make(call->key, CALL_KEY_SIZE));
    cluster->n_calls--;
    heap_free(call->dial);
    base_free(call);
}

static void call_say(struct call *call, enum bus_word word, uint64_t flags, struct str rest)
{
    site_say(call->site, (struct bus_message){.word = word,
                                              .number = call->number,
                                              .flags = flags | (call->is_ours ? 0 : BUS_YOURS),
                                              .rest = rest});
}

struct conn *call_ring(void *arg, struct now now, struct conn *site_conn, struct str from,
                       struct str to, struct str id)
{
    struct cluster *cluster = arg;
    struct call *call = call_new(conn_socket(site_conn), now, true, cluster->next_number);
    if (call == NULL) {
        return NULL;
    }
    struct buf texts;
    buf_init(&texts, RELAY_EVENT_MAX);
    bus_add_text(&texts, from);
    bus_add_text(&texts, to);
    bus_add_text(&texts, id);
    call->dial = heap_str(buf_str(&texts));
    buf_release(&texts);
    cluster->next_number++;
    conn_touch(cluster->relay, call->conn); /* it ends when the dial is refused here */
    return call->conn;
}

/* --- what the relay says to a call's connection --------------------------------------------- */

/* In place of "ss-incomming", the first that the listener's end of a call hears. */
static void say_dial(struct call *call)
{
    call_say(call, BUS_DIAL, 0, call->dial);
    heap_free(call->dial);
    call->dial = STR_ABSENT;
}

static void say_frames(struct call *call)
{
    struct relay *relay = call->site->cluster->relay;
    struct frame *f = conn_first(call->conn);
    while (f != NULL && call->under_way < CLUSTER_WINDOW) {
        if (!str_is_absent(call->dial)) {
            say_dial(call);
        } else {
            call->under_way += f->n;
            call_say(call, BUS_FRAME, f->kind == FRAME_BINARY ? BUS_BINARY : 0, frame_payload(f));
        }
        conn_sent(relay, call->conn);
        f = conn_first(call->conn);
    }
}

/* Small grants are gathered: what is kept back is always less than the window. */
static void say_grant(struct call *call)
{
    if (call->to_be_granted >= CLUSTER_WINDOW / 4 && !conn_is_paused(call->conn)) {
        struct buf number;
        buf_init(&number, CALL_KEY_SIZE);
        varint_write(&number, call->to_be_granted);
        call->to_be_granted = 0;
        call_say(call, BUS_GRANT, 0, buf_str(&number));
        buf_release(&number);
    }
}

void call_settle(struct call *call, struct now now)
{
    say_frames(call);
    say_grant(call);
    bool is_over = conn_streams(call->conn) == 0 && conn_first(call->conn) == NULL;
    if (is_over || conn_closing(call->conn) != CONN_OPEN) {
        if (str_is_absent(call->dial)) {
            call_say(call, BUS_END, 0, STR(""));
        }
        call_free(call, now);
    }
}

/* --- what the other relay says -------------------------------------------------------------- */

static void hear_dial(struct site *site, struct now now, const struct bus_message *message)
{
    struct str rest = message->rest, from, to, id;
    char key[CALL_KEY_SIZE];
    if (bus_take_text(&rest, &from) != ERR_NONE || bus_take_text(&rest, &to) != ERR_NONE ||
        bus_take_text(&rest, &id) != ERR_NONE ||
        map_get(&site->calls, write_key(key, false, message->number)) != NULL) {
        return;
    }
    struct call *call = call_new(site, now, false, message->number);
    if (call == NULL) {
        site_say(site, (struct bus_message){
                           .word = BUS_END, .number = message->number, .flags = BUS_YOURS});
        return;
    }
    remote_dial(site->cluster->relay, now, call->conn, from, to, id);
}

static void hear_frame(struct call *call, struct now now, const struct bus_message *message)
{
    bool is_binary = (message->flags & BUS_BINARY) != 0;
    struct str bytes = message->rest;
    if (bytes.n > RELAY_MESSAGE_MAX) {
        return;
    }
    struct frame *f = frame_new(is_binary ? FRAME_BINARY : FRAME_TEXT, bytes.n);
    f = frame_add(f, bytes.p, bytes.n);
    frame_seal(f);
    relay_message(call->site->cluster->relay, now, call->conn, f);
    call->to_be_granted += bytes.n;
    conn_touch(call->site->cluster->relay, call->conn);
}

static void hear_grant(struct call *call, const struct bus_message *message)
{
    struct str rest = message->rest;
    uint64_t n;
    if (bus_take_number(&rest, &n) == ERR_NONE && n <= call->under_way) {
        call->under_way -= (size_t)n;
        conn_touch(call->site->cluster->relay, call->conn);
    }
}

void call_hear(struct site *site, struct now now, const struct bus_message *message)
{
    if (message->word == BUS_DIAL) {
        hear_dial(site, now, message);
        return;
    }
    char key[CALL_KEY_SIZE];
    bool is_ours = (message->flags & BUS_YOURS) != 0;
    struct call *call = map_get(&site->calls, write_key(key, is_ours, message->number));
    if (call == NULL) {
        return; /* it ended here, and the other end will hear so */
    }
    if (message->word == BUS_FRAME) {
        hear_frame(call, now, message);
    } else if (message->word == BUS_GRANT) {
        hear_grant(call, message);
    } else {
        call_free(call, now);
    }
}

void call_end_all(struct site *site, struct now now)
{
    for (struct map_entry *e = map_next(&site->calls, NULL); e != NULL;
         e = map_next(&site->calls, e)) {
        call_free(e->value, now);
    }
}

/* Dials and the two one-way halves of a stream (p2p-wire 1.9, 1.10, 1.11, 5.2).
 *
 *   dialer --- ss-dial ---> relay --- ss-incomming ---> listener      ringing
 *          <--- ack ------        <------ ack ---------               open
 *   half ".dialer":   dialer   -> chunks -> listener
 *   half ".listener": listener -> chunks -> dialer
 *
 * A half waits in memory until its receiver accepts it. Too much waiting for a receiver pauses the
 * half's sender; a half that stays paused is ended. A stream is freed when both halves have ended.
 */
#include "relay/socketio.h"
#include "relay/state.h"

#define STREAM_PREFIX "socket.io-pull-stream."

static bool half_done(const struct half *half)
{
    return half->is_ended && (half->to == NULL || half->waiting.n == 0);
}

/* --- pausing ------------------------------------------------------------------------------ */

static void half_block(struct relay *relay, struct now now, struct half *half)
{
    if (half->is_blocked) {
        return;
    }
    assert(half->from != NULL && half->to != NULL);
    half->is_blocked = true;
    half->blocked_ms = now.mono_ms;
    TAILQ_INSERT_TAIL(&half->to->blocked, half, blocked);
    half->from->n_paused_by++;
    conn_touch(relay, half->from);
}

static void half_unblock(struct relay *relay, struct half *half)
{
    if (!half->is_blocked) {
        return;
    }
    assert(half->from != NULL && half->to != NULL);
    half->is_blocked = false;
    TAILQ_REMOVE(&half->to->blocked, half, blocked);
    half->from->n_paused_by--;
    conn_touch(relay, half->from);
}

void stream_drained(struct relay *relay, struct conn *conn)
{
    struct half *half = TAILQ_FIRST(&conn->blocked);
    if (half == NULL || (int64_t)conn->out.bytes > relay->config.limits.queue_low) {
        return;
    }
    while (half != NULL) {
        struct half *next = TAILQ_NEXT(half, blocked);
        if (half->is_accepted) {
            half_unblock(relay, half);
        }
        half = next;
    }
}

/* --- the life of a half ------------------------------------------------------------------- */

static void half_forget_waiting(struct half *half)
{
    if (half->to != NULL) {
        half->to->unaccepted_bytes -= half->waiting.bytes;
    }
    queue_release(&half->waiting);
}

static void half_pass(struct relay *relay, struct half *half, struct frame *f)
{
    if (half->to == NULL || f == NULL) {
        return;
    }
    if (half->is_accepted) {
        conn_send(relay, half->to, f);
    } else {
        size_t before = half->waiting.bytes;
        queue_push(&half->waiting, f);
        half->to->unaccepted_bytes += half->waiting.bytes - before;
    }
}

static struct str half_event(struct relay *relay, const struct half *half, const char *verb)
{
    const char *side = half == &half->stream->halves[SIDE_DIALER] ? "dialer" : "listener";
    return arena_fmt(relay->scratch, STREAM_PREFIX "%s.%.*s.%s", verb, STR_ARG(half->stream->id),
                     side);
}

/* Nothing more is taken from the sender; the receiver is told by the frame, if there is one. */
static void half_end(struct relay *relay, struct half *half, struct frame *error)
{
    if (half->is_ended) {
        return;
    }
    half_unblock(relay, half);
    half->is_ended = true;
    half_pass(relay, half, error);
}

/* Ends a half in the relay's own name. reason is JSON. */
static void half_cut(struct relay *relay, struct half *half, const char *reason)
{
    if (half->is_ended) {
        return;
    }
    struct buf b;
    buf_init_in(&b, relay->scratch, RELAY_EVENT_MAX);
    buf_add(&b, STR("42["));
    json_write_text(&b, half_event(relay, half, "error"));
    buf_add_fmt(&b, ",%s]", reason);
    struct frame *error = frame_of(buf_str(&b));
    half_end(relay, half, error);
    frame_drop(error);
}

static void stop_ringing(struct relay *relay, struct stream *stream)
{
    assert(stream->is_ringing && stream->ends[SIDE_DIALER] != NULL &&
           stream->ends[SIDE_LISTENER] != NULL);
    stream->is_ringing = false;
    TAILQ_REMOVE(&relay->ringing, stream, ringing);
    stream->ends[SIDE_DIALER]->n_ringing--;
    stream->ends[SIDE_LISTENER]->n_ringing--;
}

static void stream_free(struct relay *relay, struct stream *stream)
{
    if (stream->is_ringing) {
        stop_ringing(relay, stream);
    }
    for (size_t i = 0; i < 2; i++) {
        struct half *half = &stream->halves[i];
        half_unblock(relay, half);
        half_forget_waiting(half);
    }
    for (size_t i = 0; i < 2; i++) {
        if (stream->ends[i] != NULL) {
            (void)map_remove(&stream->ends[i]->streams, stream->id);
        }
    }
    relay->n_streams--;
    heap_free(stream->id);
    heap_free(stream->dialer_ack);
    base_free(stream);
}

static void stream_free_if_done(struct relay *relay, struct stream *stream)
{
    if (!stream->is_ringing && half_done(&stream->halves[SIDE_DIALER]) &&
        half_done(&stream->halves[SIDE_LISTENER])) {
        stream_free(relay, stream);
    }
}

/* The half called name in which conn has the role: it sends (or receives). */
static struct half *half_find(const struct conn *conn, struct str name, bool is_sender)
{
    enum side side = str_ends(name, STR(".dialer")) ? SIDE_DIALER : SIDE_LISTENER;
    struct str suffix = side == SIDE_DIALER ? STR(".dialer") : STR(".listener");
    if (!str_ends(name, suffix)) {
        return NULL;
    }
    struct stream *stream = map_get(&conn->streams, str_sub(name, 0, name.n - suffix.n));
    if (stream == NULL) {
        return NULL;
    }
    struct half *half = &stream->halves[side];
    return (is_sender ? half->from : half->to) == conn ? half : NULL;
}

/* --- dialling ----------------------------------------------------------------------------- */

static const char *dial_refusal(struct relay *relay, const struct dial *dial)
{
    const struct limits *limits = &relay->config.limits;
    const struct conn *ends[] = {dial->dialer, dial->listener};
    if ((int64_t)dial->id.n > limits->dial_id_size) {
        LIMIT_HIT(relay, dial_id_size);
        return "Dial id too long";
    }
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        if (map_get(&ends[i]->streams, dial->id) != NULL) {
            return "Dial id already in use";
        }
        if ((int64_t)map_count(&ends[i]->streams) >= limits->streams_per_connection) {
            LIMIT_HIT(relay, streams_per_connection);
            return "Too many streams";
        }
        if ((int64_t)ends[i]->n_ringing >= limits->ringing_per_connection) {
            LIMIT_HIT(relay, ringing_per_connection);
            return "Too many unanswered dials";
        }
    }
    return NULL;
}

static struct stream *stream_new(struct relay *relay, struct now now, const struct dial *dial)
{
    struct stream *stream = base_alloc(sizeof(*stream));
    struct half *there = &stream->halves[SIDE_DIALER], *back = &stream->halves[SIDE_LISTENER];
    *there = (struct half){.stream = stream, .from = dial->dialer, .to = dial->listener};
    *back = (struct half){.stream = stream, .from = dial->listener, .to = dial->dialer};
    stream->id = heap_str(dial->id);
    stream->dialer_ack = heap_str(dial->ack);
    stream->ends[SIDE_DIALER] = dial->dialer;
    stream->ends[SIDE_LISTENER] = dial->listener;
    stream->is_ringing = true;
    stream->listener_ack = dial->listener->next_ack;
    stream->deadline_ms = now.mono_ms + relay->config.limits.dial_timeout_ms;
    dial->listener->next_ack++;
    dial->dialer->n_ringing++;
    dial->listener->n_ringing++;
    relay->n_streams++;
    TAILQ_INSERT_TAIL(&relay->ringing, stream, ringing);
    map_put(&dial->dialer->streams, stream->id, stream);
    map_put(&dial->listener->streams, stream->id, stream);
    return stream;
}

void stream_dial(struct relay *relay, struct now now, const struct dial *dial)
{
    const struct str texts[] = {dial->id, dial->from};
    const char *why = dial_refusal(relay, dial);
    if (why != NULL) {
        metrics_add(&relay->metrics, METRIC_DIALS_FAILURE, 1);
        conn_send_new(relay, dial->dialer,
                      socketio_answer_text(relay->scratch, dial->ack, str_of(why)));
        return;
    }
    struct stream *stream = stream_new(relay, now, dial);
    log_fact(&relay->config.log, LOG_DEBUG, "dialled by", dial->from);
    struct str accept = half_event(relay, &stream->halves[SIDE_DIALER], "accept");
    conn_send_new(relay, dial->dialer, socketio_event(relay->scratch, accept, NULL, 0));
    conn_send_new(relay, dial->listener,
                  socketio_ask(relay->scratch, stream->listener_ack, STR("ss-incomming"), texts,
                               COUNT_OF(texts)));
}

/* The dial fails; why is JSON. */
static void fail_dial(struct relay *relay, struct stream *stream, struct str why)
{
    stop_ringing(relay, stream);
    metrics_add(&relay->metrics, METRIC_DIALS_FAILURE, 1);
    conn_send_new(relay, stream->ends[SIDE_DIALER],
                  socketio_answer(relay->scratch, stream->dialer_ack, why));
    stream_free(relay, stream);
}

/* The stream our question number ack was about. */
static struct stream *asked_about(const struct conn *listener, struct str ack)
{
    int64_t number;
    if (!str_to_i64(ack, &number)) {
        return NULL;
    }
    for (struct map_entry *e = map_next(&listener->streams, NULL); e != NULL;
         e = map_next(&listener->streams, e)) {
        struct stream *stream = e->value;
        if (stream->ends[SIDE_LISTENER] == listener && stream->listener_ack == (uint64_t)number) {
            return stream;
        }
    }
    return NULL;
}

void stream_answer(struct relay *relay, struct conn *listener, struct str ack,
                   const struct json *refusal)
{
    struct stream *stream = asked_about(listener, ack);
    bool is_refused = socketio_is_true(refusal);
    if (stream == NULL) {
        return;
    }
    if (!stream->is_ringing) {
        if (is_refused && stream->ends[SIDE_DIALER] == NULL) {
            stream_free(relay, stream); /* the dialer went before the answer */
        }
        return;
    }
    if (is_refused) {
        fail_dial(relay, stream, json_str(relay->scratch, refusal));
        return;
    }
    stop_ringing(relay, stream);
    metrics_add(&relay->metrics, METRIC_DIALS_SUCCESS, 1);
    struct half *half = &stream->halves[SIDE_LISTENER];
    conn_send_new(relay, listener,
                  socketio_event(relay->scratch, half_event(relay, half, "accept"), NULL, 0));
    conn_send_new(relay, stream->ends[SIDE_DIALER],
                  socketio_answer(relay->scratch, stream->dialer_ack, STR("")));
    stream_free_if_done(relay, stream);
}

void stream_tick(struct relay *relay, struct now now)
{
    struct stream *stream = TAILQ_FIRST(&relay->ringing);
    while (stream != NULL && stream->deadline_ms <= now.mono_ms) {
        metrics_add(&relay->metrics, METRIC_DIALS_TIMED_OUT, 1);
        LIMIT_HIT(relay, dial_timeout_ms);
        fail_dial(relay, stream, STR("\"Dial timed out\""));
        stream = TAILQ_FIRST(&relay->ringing);
    }
}

/* --- data --------------------------------------------------------------------------------- */

bool stream_is_sender(const struct conn *conn, struct str name)
{
    const struct half *half = half_find(conn, name, true);
    return half != NULL && !half->is_ended;
}

void stream_accept(struct relay *relay, struct conn *conn, struct str name)
{
    struct half *half = half_find(conn, name, false);
    if (half == NULL || half->is_accepted) {
        return;
    }
    half->is_accepted = true;
    for (struct frame *f = queue_first(&half->waiting); f != NULL;
         f = queue_first(&half->waiting)) {
        size_t before = half->waiting.bytes;
        conn_send(relay, conn, f);
        queue_pop(&half->waiting);
        conn->unaccepted_bytes -= before - half->waiting.bytes;
    }
    if ((int64_t)conn->out.bytes <= relay->config.limits.queue_high) {
        half_unblock(relay, half);
    }
    stream_free_if_done(relay, half->stream);
}

/* Pauses the sender, or worse, after a chunk was passed. */
static void press(struct relay *relay, struct now now, struct half *half)
{
    const struct limits *limits = &relay->config.limits;
    if (half->is_accepted) {
        if ((int64_t)half->to->out.bytes > limits->queue_high) {
            LIMIT_HIT(relay, queue_high);
            half_block(relay, now, half);
        }
    } else if ((int64_t)half->to->unaccepted_bytes > limits->queue_max) {
        half_forget_waiting(half);
        metrics_add(&relay->metrics, METRIC_STREAMS_CUT, 1);
        half_cut(relay, half, "\"receiver too slow\"");
    } else if ((int64_t)half->waiting.bytes > limits->unaccepted_max ||
               (int64_t)half->to->unaccepted_bytes > limits->queue_high) {
        LIMIT_HIT(relay, unaccepted_max);
        half_block(relay, now, half);
    }
}

void stream_chunk(struct relay *relay, struct now now, struct conn *conn, struct str name,
                  struct frame *header, struct frame *chunk)
{
    struct half *half = half_find(conn, name, true);
    if (half == NULL || half->is_ended || half->to == NULL) {
        return;
    }
    metrics_add(&relay->metrics, METRIC_RELAYED_CHUNKS, 1);
    metrics_add(&relay->metrics, METRIC_RELAYED_BYTES, chunk->n - 1);
    if (header != NULL) {
        half_pass(relay, half, header);
    } else {
        struct frame *made = socketio_chunk(relay->scratch, half_event(relay, half, "queue"));
        half_pass(relay, half, made);
        frame_drop(made);
    }
    half_pass(relay, half, chunk);
    press(relay, now, half);
    stream_free_if_done(relay, half->stream);
}

void stream_end(struct relay *relay, struct conn *conn, struct str name, struct frame *error)
{
    struct half *half = half_find(conn, name, true);
    if (half != NULL) {
        half_end(relay, half, error);
        stream_free_if_done(relay, half->stream);
    }
}

void stream_scan(struct relay *relay, struct now now, struct conn *conn)
{
    struct half *half = TAILQ_FIRST(&conn->blocked);
    while (half != NULL && half->blocked_ms + relay->config.limits.stall_ms <= now.mono_ms) {
        struct stream *stream = half->stream;
        LIMIT_HIT(relay, stall_ms);
        metrics_add(&relay->metrics, METRIC_STREAMS_CUT, 1);
        if (!half->is_accepted) {
            half_forget_waiting(half);
        }
        half_cut(relay, half, "\"receiver too slow\"");
        stream_free_if_done(relay, stream);
        half = TAILQ_FIRST(&conn->blocked);
    }
}

/* --- an end goes -------------------------------------------------------------------------- */

/* What conn sent ends as npm's relay ends it, with true; what it received is forgotten. */
static void end_goes(struct relay *relay, struct stream *stream, enum side side, bool is_told)
{
    struct half *sent = &stream->halves[side];
    struct half *received = &stream->halves[side == SIDE_DIALER ? SIDE_LISTENER : SIDE_DIALER];
    half_cut(relay, sent, "true");
    if (is_told && received->is_accepted) {
        half_cut(relay, received, "true");
    }
    half_end(relay, received, NULL);
    half_forget_waiting(received);
    (void)map_remove(&stream->ends[side]->streams, stream->id);
    sent->from = NULL;
    received->to = NULL;
    stream->ends[side] = NULL;
    stream_free_if_done(relay, stream);
}

void stream_gone(struct relay *relay, struct conn *conn, bool is_told)
{
    for (struct map_entry *e = map_next(&conn->streams, NULL); e != NULL;
         e = map_next(&conn->streams, e)) {
        struct stream *stream = e->value;
        if (stream->ends[SIDE_DIALER] == stream->ends[SIDE_LISTENER]) {
            stream_free(relay, stream); /* it dialled itself */
        } else if (stream->is_ringing && stream->ends[SIDE_LISTENER] == conn) {
            fail_dial(relay, stream, STR("\"Peer not found\""));
        } else {
            if (stream->is_ringing) {
                stop_ringing(relay, stream);
                metrics_add(&relay->metrics, METRIC_DIALS_FAILURE, 1);
            }
            end_goes(relay, stream, stream->ends[SIDE_DIALER] == conn ? SIDE_DIALER : SIDE_LISTENER,
                     is_told);
        }
    }
}

/* Slow readers, silence, floods: what section 5.2 of the wire's description asks for. */
#include "test/test.h"

#include "relay/testbed.h"

#define QUEUE_HEADER "451-[\"" SP ".queue.ID.dialer\",{\"_placeholder\":true,\"num\":0}]"

static void send_chunk(struct bed *bed, struct conn *from, size_t n)
{
    struct frame *chunk = frame_add(frame_new(FRAME_BINARY, n), "\x04", 1);
    static const unsigned char zeros[4096];
    while (chunk->n < n) {
        chunk = frame_add(chunk, zeros, n - chunk->n < 4096 ? n - chunk->n : 4096);
    }
    frame_seal(chunk);
    bed_say(bed, from, QUEUE_HEADER);
    relay_message(bed->relay, bed->now, from, chunk);
}

static size_t count_heard(struct bed *bed, struct conn *conn)
{
    size_t n = 0;
    while (conn_first(conn) != NULL) {
        n += conn_first(conn)->kind == FRAME_BINARY ? 1 : 0;
        conn_sent(bed->relay, conn);
    }
    return n;
}

TEST(pauses_a_sender_at_the_high_mark_and_lets_it_go_on_below_the_low_one)
{
    struct bed bed;
    bed_start(&bed, false);
    struct conn *a = bed_join(&bed, ADDR_A), *b = bed_join(&bed, ADDR_B);
    bed_stream(&bed, a, b);
    size_t sent = 0;
    while (!conn_is_paused(a) && sent < 1000) {
        send_chunk(&bed, a, 16385);
        sent++;
    }
    CHECK(sent == 64); /* 64 x 16 KiB and their headers are more than 1 MiB */
    CHECK(!conn_is_paused(b));
    CHECK(relay_metrics(bed.relay)->value[METRIC_PAUSED] == 1);
    size_t heard = 0;
    while (conn_is_paused(a) && conn_first(b) != NULL) {
        heard += conn_first(b)->kind == FRAME_BINARY ? 1 : 0;
        conn_sent(bed.relay, b);
    }
    CHECK(heard == 49); /* 15 x 16 KiB are left */
    heard += count_heard(&bed, b);
    CHECK(heard == sent);
    bed_gone(&bed, a);
    bed_gone(&bed, b);
    bed_end(&bed);
}

TEST(keeps_a_paused_sender_alive_with_noops_and_ends_its_stream_after_the_stall)
{
    struct bed bed;
    bed_start(&bed, false);
    struct conn *a = bed_join(&bed, ADDR_A), *b = bed_join(&bed, ADDR_B);
    bed_stream(&bed, a, b);
    while (!conn_is_paused(a)) {
        send_chunk(&bed, a, 16385);
    }
    bed_skip(&bed, a);
    bed_wait(&bed, 29000);
    CHECK(conn_is_paused(a));
    HEARS(&bed, a, "6");
    bed_wait(&bed, 1000);
    CHECK(!conn_is_paused(a));
    CHECK(relay_metrics(bed.relay)->value[METRIC_STREAMS_CUT] == 1);
    send_chunk(&bed, a, 10); /* goes nowhere */
    struct str last = STR(""), heard = bed_hear(&bed, b);
    while (heard.n > 0) {
        last = str_starts(heard, STR("42[\"socket.io")) ? heard : last;
        heard = bed_hear(&bed, b);
    }
    CHECK_STR(last, STR("42[\"" SP ".error.ID.dialer\",\"receiver too slow\"]"));
    bed_gone(&bed, a);
    bed_gone(&bed, b);
    bed_end(&bed);
}

TEST(keeps_little_for_a_stream_that_nobody_accepts)
{
    struct bed bed;
    bed_start(&bed, false);
    struct conn *a = bed_join(&bed, ADDR_A), *b = bed_join(&bed, ADDR_B);
    bed_skip(&bed, a);
    bed_say(&bed, a, "422[\"ss-dial\",\"" ADDR_A "\",\"" ADDR_B "\",\"ID\"]");
    size_t sent = 0;
    while (!conn_is_paused(a) && sent < 1000) {
        send_chunk(&bed, a, 16385);
        sent++;
    }
    CHECK(sent == 16); /* 256 KiB and the headers */
    CHECK(count_heard(&bed, b) == 0);
    bed_say(&bed, b, "42[\"" SP ".accept.ID.dialer\"]");
    CHECK(!conn_is_paused(a));
    CHECK(count_heard(&bed, b) == sent);
    bed_gone(&bed, a);
    bed_gone(&bed, b);
    bed_end(&bed);
}

TEST(lets_a_paused_sender_go_when_its_receiver_goes)
{
    struct bed bed;
    bed_start(&bed, false);
    struct conn *a = bed_join(&bed, ADDR_A), *b = bed_join(&bed, ADDR_B);
    bed_stream(&bed, a, b);
    while (!conn_is_paused(a)) {
        send_chunk(&bed, a, 16385);
    }
    bed_gone(&bed, b);
    CHECK(!conn_is_paused(a));
    send_chunk(&bed, a, 16385);
    CHECK(conn_closing(a) == CONN_OPEN);
    CHECK(relay_metrics(bed.relay)->value[METRIC_QUEUE_BYTES] < 1024);
    bed_gone(&bed, a);
    bed_end(&bed);
}

TEST(closes_a_receiver_for_whom_too_much_waits)
{
    struct bed bed;
    struct limits limits = limits_standard();
    limits.queue_max = 1 << 20;
    limits.queue_high = 1 << 20;
    bed_start_with(&bed, false, &limits);
    struct conn *a = bed_join(&bed, ADDR_A), *b = bed_join(&bed, ADDR_B);
    bed_stream(&bed, a, b);
    for (int i = 0; i < 3; i++) {
        send_chunk(&bed, a, 500000);
    }
    CHECK(conn_closing(b) == CONN_KILLED);
    CHECK(conn_first(b) == NULL);
    CHECK(conn_closing(a) == CONN_OPEN);
    bed_gone(&bed, b);
    bed_gone(&bed, a);
    bed_end(&bed);
}

/* The standard bound is 8 MiB: as bytes on the wire it would be millions of pongs. */
TEST(counts_what_a_short_message_takes_while_it_waits)
{
    struct bed bed;
    struct limits limits = limits_standard();
    limits.queue_max = 65536;
    bed_start_with(&bed, false, &limits);
    struct conn *a = bed_join(&bed, ADDR_A);
    for (int i = 0; i < 2000; i++) {
        bed_say(&bed, a, "2");
    }
    CHECK(conn_closing(a) == CONN_KILLED);
    bed_gone(&bed, a);
    bed_end(&bed);
}

TEST(refuses_joins_of_a_client_that_does_not_read_their_answers)
{
    struct bed bed;
    struct limits limits = limits_standard();
    limits.queue_high = 1024;
    bed_start_with(&bed, false, &limits);
    struct conn *a = bed_join(&bed, ADDR_A);
    bed_skip(&bed, a);
    for (int i = 0; i < 40; i++) {
        bed_say(&bed, a, "427[\"ss-join\",\"" ADDR_A "\",\"\"]");
    }
    size_t lists = 0, refusals = 0;
    for (struct str heard = bed_hear(&bed, a); heard.n > 0; heard = bed_hear(&bed, a)) {
        lists += str_eq(heard, STR("437[null,null,[]]")) ? 1 : 0;
        refusals += str_eq(heard, STR("437[\"Too many joins\"]")) ? 1 : 0;
    }
    CHECK(lists > 1 && refusals > 0 && lists + refusals == 40);
    bed_say(&bed, a, "427[\"ss-join\",\"" ADDR_A "\",\"\"]");
    HEARS(&bed, a, "437[null,null,[]]"); /* it has read them */
    bed_gone(&bed, a);
    bed_end(&bed);
}

TEST(ends_a_dial_that_nobody_answers_after_thirty_seconds)
{
    struct bed bed;
    bed_start(&bed, false);
    struct conn *a = bed_join(&bed, ADDR_A), *b = bed_join(&bed, ADDR_B);
    bed_skip(&bed, a);
    bed_say(&bed, a, "427[\"ss-dial\",\"" ADDR_A "\",\"" ADDR_B "\",\"ID\"]");
    HEARS(&bed, a, "42[\"" SP ".accept.ID.dialer\"]");
    CHECK(relay_due_ms(bed.relay) <= bed.now.mono_ms + 30000);
    bed_wait(&bed, 29999);
    bed_say(&bed, b, "2"); /* both are heard from meanwhile */
    while (str_starts(bed_hear(&bed, a), STR("42[\"ws-peer"))) {
    }
    HEARS(&bed, a, "");
    bed_wait(&bed, 1);
    struct str heard = bed_hear(&bed, a);
    while (str_starts(heard, STR("42[\"ws-peer"))) {
        heard = bed_hear(&bed, a);
    }
    CHECK_STR(heard, STR("437[\"Dial timed out\"]"));
    bed_say(&bed, b, "430[]"); /* too late, and harmless */
    CHECK(relay_metrics(bed.relay)->value[METRIC_STREAMS] == 0);
    bed_gone(&bed, a);
    bed_gone(&bed, b);
    bed_end(&bed);
}

TEST(answers_a_dial_whose_listener_goes)
{
    struct bed bed;
    bed_start(&bed, false);
    struct conn *a = bed_join(&bed, ADDR_A), *b = bed_join(&bed, ADDR_B);
    bed_skip(&bed, a);
    bed_say(&bed, a, "427[\"ss-dial\",\"" ADDR_A "\",\"" ADDR_B "\",\"ID\"]");
    bed_skip(&bed, a);
    bed_gone(&bed, b);
    HEARS(&bed, a, "437[\"Peer not found\"]");
    bed_gone(&bed, a);
    bed_end(&bed);
}

TEST(tells_a_listener_that_its_dialer_went_before_the_answer)
{
    struct bed bed;
    bed_start(&bed, false);
    struct conn *a = bed_join(&bed, ADDR_A), *b = bed_join(&bed, ADDR_B);
    bed_say(&bed, a, "427[\"ss-dial\",\"" ADDR_A "\",\"" ADDR_B "\",\"ID\"]");
    bed_gone(&bed, a);
    bed_skip(&bed, b);
    bed_say(&bed, b, "42[\"" SP ".accept.ID.dialer\"]");
    HEARS(&bed, b, "42[\"" SP ".error.ID.dialer\",true]");
    bed_say(&bed, b, "430[]");
    HEARS(&bed, b, "");
    CHECK(relay_metrics(bed.relay)->value[METRIC_STREAMS] == 0);
    a = bed_join(&bed, ADDR_A);
    bed_say(&bed, a, "427[\"ss-dial\",\"" ADDR_A "\",\"" ADDR_B "\",\"ID\"]");
    bed_gone(&bed, a);
    bed_say(&bed, b, "431[\"no\"]"); /* a refusal frees it as well */
    CHECK(relay_metrics(bed.relay)->value[METRIC_STREAMS] == 0);
    bed_gone(&bed, b);
    bed_end(&bed);
}

TEST(closes_a_connection_that_is_silent_for_forty_five_seconds)
{
    struct bed bed;
    bed_start(&bed, false);
    struct conn *a = bed_join(&bed, ADDR_A), *b = bed_join(&bed, ADDR_B);
    bed_wait(&bed, 44000);
    bed_say(&bed, b, "2");
    CHECK(conn_closing(a) == CONN_OPEN);
    bed_wait(&bed, 1000);
    CHECK(conn_closing(a) == CONN_CLOSING);
    CHECK(conn_closing(b) == CONN_OPEN);
    bed_gone(&bed, a);
    bed_gone(&bed, b);
    bed_end(&bed);
}

TEST(lets_a_connection_dial_itself)
{
    struct bed bed;
    bed_start(&bed, false);
    struct conn *a = bed_join(&bed, ADDR_A);
    bed_say(&bed, a, "421[\"ss-dial\",\"" ADDR_A "\",\"" ADDR_A "\",\"ID\"]");
    HEARS(&bed, a, "42[\"" SP ".accept.ID.dialer\"]");
    HEARS(&bed, a, "420[\"ss-incomming\",\"ID\",\"" ADDR_A "\"]");
    bed_say(&bed, a, "42[\"" SP ".accept.ID.dialer\"]");
    bed_say(&bed, a, "430[]");
    HEARS(&bed, a, "42[\"" SP ".accept.ID.listener\"]");
    HEARS(&bed, a, "431[]");
    while (!conn_is_paused(a)) {
        send_chunk(&bed, a, 16385);
    }
    CHECK(count_heard(&bed, a) == 64);
    CHECK(!conn_is_paused(a));
    bed_gone(&bed, a);
    bed_end(&bed);
}

TEST(refuses_what_is_over_a_limit)
{
    struct bed bed;
    struct limits limits = limits_standard();
    limits.connections_per_ip = 2;
    limits.addresses_per_connection = 1;
    limits.ringing_per_connection = 2;
    bed_start_with(&bed, false, &limits);
    struct conn *a = bed_join(&bed, ADDR_A), *b = bed_join(&bed, ADDR_B);
    CHECK(bed_open(&bed) == NULL);
    bed_skip(&bed, a);
    bed_say(&bed, a, "420[\"ss-join\",\"/dns4/x/ws/p2p-websocket-star/ipfs/" ID_A "\",\"\"]");
    HEARS(&bed, a, "430[\"Too many addresses\"]");
    for (int i = 0; i < 2; i++) {
        bed_say(&bed, a,
                arena_fmt(bed.a, "421[\"ss-dial\",\"" ADDR_A "\",\"" ADDR_B "\",\"%d\"]", i).p);
        bed_skip(&bed, a);
    }
    bed_say(&bed, a, "422[\"ss-dial\",\"" ADDR_A "\",\"" ADDR_B "\",\"2\"]");
    HEARS(&bed, a, "432[\"Too many unanswered dials\"]");
    bed_gone(&bed, a);
    struct conn *c = bed_open(&bed); /* a place is free again */
    CHECK(c != NULL);
    bed_gone(&bed, b);
    bed_gone(&bed, c);
    bed_end(&bed);
}

TEST(tells_each_address_to_a_bounded_number_of_others_in_a_round)
{
    struct bed bed;
    struct limits limits = limits_standard();
    limits.announcements = 3;
    bed_start_with(&bed, false, &limits);
    struct conn *conns[8];
    for (size_t i = 0; i < COUNT_OF(conns); i++) {
        conns[i] =
            bed_join(&bed, arena_fmt(bed.a, "/dns4/h%zu/ws/p2p-websocket-star/ipfs/" ID_A, i).p);
    }
    uint64_t before = relay_metrics(bed.relay)->value[METRIC_ANNOUNCEMENTS];
    CHECK(before == 8 * 7 / 2); /* each newcomer to all who were there */
    bed_wait(&bed, 10000);
    CHECK(relay_metrics(bed.relay)->value[METRIC_ANNOUNCEMENTS] == before + 8 * 3);
    for (size_t i = 0; i < COUNT_OF(conns); i++) {
        bed_gone(&bed, conns[i]);
    }
    bed_end(&bed);
}

TEST(leaves_nothing_behind_after_many_streams)
{
    struct bed bed;
    bed_start(&bed, false);
    struct conn *a = bed_join(&bed, ADDR_A), *b = bed_join(&bed, ADDR_B);
    for (int i = 0; i < 2000; i++) {
        bed_stream(&bed, a, b);
        bed_say(&bed, a, "42[\"" SP ".error.ID.dialer\",true]");
        bed_say(&bed, b, "42[\"" SP ".error.ID.listener\",true]");
        bed_skip(&bed, a);
        bed_skip(&bed, b);
        arena_clear(bed.a);
    }
    CHECK(relay_metrics(bed.relay)->value[METRIC_STREAMS] == 0);
    CHECK(relay_metrics(bed.relay)->value[METRIC_DIALS_SUCCESS] == 2000);
    bed_gone(&bed, a);
    bed_gone(&bed, b);
    bed_end(&bed);
}

TEST_MAIN(TEST_ROW(pauses_a_sender_at_the_high_mark_and_lets_it_go_on_below_the_low_one),
          TEST_ROW(keeps_a_paused_sender_alive_with_noops_and_ends_its_stream_after_the_stall),
          TEST_ROW(keeps_little_for_a_stream_that_nobody_accepts),
          TEST_ROW(lets_a_paused_sender_go_when_its_receiver_goes),
          TEST_ROW(closes_a_receiver_for_whom_too_much_waits),
          TEST_ROW(counts_what_a_short_message_takes_while_it_waits),
          TEST_ROW(refuses_joins_of_a_client_that_does_not_read_their_answers),
          TEST_ROW(ends_a_dial_that_nobody_answers_after_thirty_seconds),
          TEST_ROW(answers_a_dial_whose_listener_goes),
          TEST_ROW(tells_a_listener_that_its_dialer_went_before_the_answer),
          TEST_ROW(closes_a_connection_that_is_silent_for_forty_five_seconds),
          TEST_ROW(lets_a_connection_dial_itself), TEST_ROW(refuses_what_is_over_a_limit),
          TEST_ROW(tells_each_address_to_a_bounded_number_of_others_in_a_round),
          TEST_ROW(leaves_nothing_behind_after_many_streams))

/* Who is told of whom: once for those who ask for it, by repetition for the others. */
#include "test/test.h"

#include "relay/testbed.h"

static struct conn *join_with_presence(struct bed *bed, const char *address)
{
    struct conn *conn = bed_open(bed);
    bed_skip(bed, conn);
    bed_say(bed, conn, "42[\"ss-presence\"]");
    HEARS(bed, conn, "42[\"ss-presence\"]");
    bed_say(bed, conn, arena_fmt(bed->a, "420[\"ss-join\",\"%s\",\"00\"]", address).p);
    bed_skip(bed, conn);
    return conn;
}

TEST(tells_an_arrival_and_a_departure_once_and_at_once)
{
    struct bed bed;
    bed_start(&bed, false);
    struct conn *a = join_with_presence(&bed, ADDR_A);
    struct conn *b = bed_join(&bed, ADDR_B);
    HEARS(&bed, a, "42[\"ss-peers\",[\"" ADDR_B "\"],[]]");
    bed_wait(&bed, 25000);
    HEARS(&bed, a, ""); /* no repetition */
    HEARS(&bed, b, "42[\"ws-peer\",\"" ADDR_A "\"]");
    bed_gone(&bed, b);
    HEARS(&bed, a, "42[\"ss-peers\",[],[\"" ADDR_B "\"]]");
    bed_gone(&bed, a);
    bed_end(&bed);
}

TEST(tells_npms_clients_of_those_with_presence_as_of_any_other)
{
    struct bed bed;
    bed_start(&bed, false);
    struct conn *a = bed_join(&bed, ADDR_A);
    struct conn *b = join_with_presence(&bed, ADDR_B);
    HEARS(&bed, a, "42[\"ws-peer\",\"" ADDR_B "\"]");
    bed_wait(&bed, 11000);
    HEARS(&bed, a, "42[\"ws-peer\",\"" ADDR_B "\"]");
    HEARS(&bed, a, "");
    HEARS(&bed, b, "");
    bed_gone(&bed, a);
    bed_gone(&bed, b);
    bed_end(&bed);
}

TEST(tells_presence_that_is_asked_for_after_the_join)
{
    struct bed bed;
    bed_start(&bed, false);
    struct conn *a = bed_join(&bed, ADDR_A);
    bed_say(&bed, a, "42[\"ss-presence\"]");
    bed_skip(&bed, a);
    struct conn *b = bed_join(&bed, ADDR_B);
    HEARS(&bed, a, "42[\"ss-peers\",[\"" ADDR_B "\"],[]]");
    HEARS(&bed, a, "");
    bed_say(&bed, b, "42[\"ss-leave\",\"" ADDR_B "\"]");
    HEARS(&bed, a, "42[\"ss-peers\",[],[\"" ADDR_B "\"]]");
    bed_gone(&bed, a);
    bed_gone(&bed, b);
    bed_end(&bed);
}

enum { CROWD = 200 };

/* Reads of that many listeners what they were sent in the meantime. */
static size_t count_heard(struct bed *bed, struct conn **crowd)
{
    size_t n = 0;
    for (size_t i = 0; i < CROWD; i++) {
        for (; conn_first(crowd[i]) != NULL; n++) {
            conn_sent(bed->relay, crowd[i]);
        }
    }
    return n;
}

TEST(gathers_what_moves_while_many_listen)
{
    struct bed bed;
    struct conn *crowd[CROWD], *late[20];
    bed_start(&bed, false);
    for (size_t i = 0; i < CROWD; i++) {
        crowd[i] = bed_open(&bed);
        bed_say(&bed, crowd[i], "42[\"ss-presence\"]");
    }
    (void)count_heard(&bed, crowd);
    for (size_t i = 0; i < COUNT_OF(late); i++) {
        /* Any id will do: the challenge is off. */
        struct str id = arena_fmt(bed.a, "12D3KooWA4Xop1JaT3MHxwYMkCepYsv4iPVopMXwCz5iHYdBfe%c%c",
                                  (char)('A' + i % 8), (char)('a' + i / 8));
        late[i] = bed_open(&bed);
        struct str join =
            arena_fmt(bed.a, "420[\"ss-join\",\"" ADDR("%.*s") "\",\"00\"]", STR_ARG(id));
        bed_say(&bed, late[i], join.p);
    }
    CHECK(count_heard(&bed, crowd) == CROWD); /* the first of them, at once */
    CHECK(relay_due_ms(bed.relay) <= bed.now.mono_ms + CROWD / 10);
    bed_wait(&bed, CROWD / 10);
    CHECK(count_heard(&bed, crowd) == CROWD); /* the others, in one message */
    CHECK(relay_due_ms(bed.relay) > bed.now.mono_ms);
    for (size_t i = 0; i < CROWD; i++) {
        bed_gone(&bed, crowd[i]);
    }
    for (size_t i = 0; i < COUNT_OF(late); i++) {
        bed_gone(&bed, late[i]);
    }
    bed_end(&bed);
}

TEST_MAIN(TEST_ROW(tells_an_arrival_and_a_departure_once_and_at_once),
          TEST_ROW(tells_npms_clients_of_those_with_presence_as_of_any_other),
          TEST_ROW(tells_presence_that_is_asked_for_after_the_join),
          TEST_ROW(gathers_what_moves_while_many_listen))

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

enum { CROWD = 200, LATE = 20 };

/* What n listeners were sent in the meantime. */
static size_t count_heard(struct bed *bed, struct conn **crowd, size_t n_crowd)
{
    size_t n = 0;
    for (size_t i = 0; i < n_crowd; i++) {
        for (; conn_first(crowd[i]) != NULL; n++) {
            conn_sent(bed->relay, crowd[i]);
        }
    }
    return n;
}

static void listen(struct bed *bed, struct conn **crowd, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        crowd[i] = bed_open(bed);
        bed_say(bed, crowd[i], "42[\"ss-presence\"]");
    }
    (void)count_heard(bed, crowd, n);
}

static void end_all(struct bed *bed, struct conn **conns, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bed_gone(bed, conns[i]);
    }
}

/* Joins one of many; any id will do, since the challenge is off. */
static struct conn *join_nth(struct bed *bed, size_t i)
{
    static const char letters[] = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijk";
    size_t n = sizeof(letters) - 1;
    struct conn *conn = bed_open(bed);
    struct str id = arena_fmt(bed->a, "12D3KooWA4Xop1JaT3MHxwYMkCepYsv4iPVopMXwCz5iHYdBf%c%c%c",
                              letters[i % n], letters[i / n % n], letters[i / n / n]);
    bed_say(bed, conn,
            arena_fmt(bed->a, "420[\"ss-join\",\"" ADDR("%.*s") "\",\"00\"]", STR_ARG(id)).p);
    return conn;
}

TEST(gathers_what_moves_while_many_listen)
{
    struct bed bed;
    struct conn *crowd[CROWD], *late[LATE];
    bed_start(&bed, false);
    listen(&bed, crowd, CROWD);
    for (size_t i = 0; i < LATE; i++) {
        late[i] = join_nth(&bed, i);
    }
    CHECK(count_heard(&bed, crowd, CROWD) == CROWD); /* the first of them, at once */
    CHECK(relay_due_ms(bed.relay) <= bed.now.mono_ms + CROWD / 10);
    bed_wait(&bed, CROWD / 10);
    CHECK(count_heard(&bed, crowd, CROWD) == CROWD); /* the others, in one message */
    CHECK(relay_due_ms(bed.relay) > bed.now.mono_ms);
    end_all(&bed, crowd, CROWD);
    end_all(&bed, late, LATE);
    bed_end(&bed);
}

enum { MANY = 1000, FLOOD = 600, SLICE_MOST = 256 };

TEST(does_bounded_work_at_a_time_in_a_flood_of_joins)
{
    static struct conn *crowd[MANY], *flood[FLOOD];
    struct bed bed;
    size_t n_messages = 0;
    bed_start(&bed, false);
    listen(&bed, crowd, MANY);
    for (size_t i = 0; i < FLOOD; i++) {
        flood[i] = join_nth(&bed, i);
        CHECK(count_heard(&bed, crowd, MANY) <= (i == 0 ? SLICE_MOST : 0));
    }
    /* 1 + 256 + 256 + 87 addresses, each message in four slices, one of them sent already. */
    for (size_t i = 0; i < 15; i++) {
        bed_wait(&bed, SLICE_MOST / 10 + 1);
        size_t n = count_heard(&bed, crowd, MANY);
        CHECK(n > 0 && n <= SLICE_MOST);
        n_messages += n;
    }
    CHECK(n_messages == 4 * MANY - SLICE_MOST);
    end_all(&bed, flood, FLOOD);
    end_all(&bed, crowd, MANY);
    bed_end(&bed);
}

TEST(says_nothing_of_who_came_and_went_untold)
{
    static struct conn *crowd[CROWD];
    struct bed bed;
    bed_start(&bed, false);
    listen(&bed, crowd, CROWD);
    struct conn *first = join_nth(&bed, 0);
    for (size_t i = 1; i < FLOOD; i++) {
        bed_gone(&bed, join_nth(&bed, i));
    }
    CHECK(count_heard(&bed, crowd, CROWD) == CROWD); /* of the first */
    bed_wait(&bed, 1000);
    CHECK(count_heard(&bed, crowd, CROWD) == 0);
    bed_gone(&bed, first);
    CHECK(count_heard(&bed, crowd, CROWD) == CROWD);
    end_all(&bed, crowd, CROWD);
    bed_end(&bed);
}

TEST(goes_on_telling_when_the_next_listener_goes)
{
    static struct conn *crowd[MANY];
    struct bed bed;
    bed_start(&bed, false);
    listen(&bed, crowd, MANY);
    struct conn *late = join_nth(&bed, 0);
    CHECK(count_heard(&bed, crowd, MANY) == SLICE_MOST);
    bed_gone(&bed, crowd[SLICE_MOST]);
    for (size_t i = 0; i < 3; i++) {
        bed_wait(&bed, SLICE_MOST / 10 + 1);
    }
    CHECK(count_heard(&bed, crowd, SLICE_MOST) == 0);
    CHECK(count_heard(&bed, crowd + SLICE_MOST + 1, MANY - SLICE_MOST - 1) ==
          MANY - SLICE_MOST - 1);
    end_all(&bed, crowd, SLICE_MOST);
    end_all(&bed, crowd + SLICE_MOST + 1, MANY - SLICE_MOST - 1);
    bed_gone(&bed, late);
    bed_end(&bed);
}

TEST_MAIN(TEST_ROW(tells_an_arrival_and_a_departure_once_and_at_once),
          TEST_ROW(tells_npms_clients_of_those_with_presence_as_of_any_other),
          TEST_ROW(tells_presence_that_is_asked_for_after_the_join),
          TEST_ROW(gathers_what_moves_while_many_listen),
          TEST_ROW(does_bounded_work_at_a_time_in_a_flood_of_joins),
          TEST_ROW(says_nothing_of_who_came_and_went_untold),
          TEST_ROW(goes_on_telling_when_the_next_listener_goes))

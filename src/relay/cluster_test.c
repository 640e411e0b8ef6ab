/* Relays of one cluster over a bus in memory, which a test may cut. */
#include "test/test.h"

#include "base/encode.h"
#include "relay/cluster.h"
#include "relay/remote.h"
#include "relay/testbed.h"

#include <string.h>

#define ADDR_C ADDR("12D3KooW9pP4Seg3kZYhySpuVjn1RPdQBsUFZKiFxGMGQN5MeL6A")

enum { RELAYS = 3, PARCELS_MAX = 4096 };

/* A message under way. */
struct parcel {
    struct str to, bytes;
    size_t from;
};

struct place {
    struct bed bed;
    struct cluster *cluster;
    struct town *town;
    size_t index;
    bool is_dead;
};

struct town {
    struct arena *a;
    struct place places[RELAYS];
    size_t n;
    struct parcel parcels[PARCELS_MAX];
    size_t n_parcels, n_done;
    bool is_cut; /* the bus loses everything */
};

static void town_publish(void *arg, struct str site, struct str bytes)
{
    struct place *place = arg;
    struct town *town = place->town;
    if (town->is_cut) {
        return;
    }
    CHECK(town->n_parcels < PARCELS_MAX);
    town->parcels[town->n_parcels] =
        (struct parcel){arena_str(town->a, site), arena_str(town->a, bytes), place->index};
    if (str_is_absent(site)) {
        town->parcels[town->n_parcels].to = STR_ABSENT;
    }
    town->n_parcels++;
}

static struct str id_of(const struct place *place)
{
    static const char ids[RELAYS][SITE_ID_SIZE + 1] = {"relay-one-------", "relay-two-------",
                                                       "relay-three-----"};
    return str_make(ids[place->index], SITE_ID_SIZE);
}

/* What every relay's host does after each input. */
static void settle(struct place *place)
{
    struct conn *conn = relay_changed(place->bed.relay);
    while (conn != NULL) {
        if (conn_is_remote(conn)) {
            cluster_settle(place->bed.now, conn);
        }
        conn = relay_changed(place->bed.relay);
    }
}

/* Until nothing is under way. */
static void town_run(struct town *town)
{
    for (size_t i = 0; i < town->n; i++) {
        settle(&town->places[i]);
    }
    while (town->n_done < town->n_parcels) {
        struct parcel parcel = town->parcels[town->n_done];
        town->n_done++;
        for (size_t i = 0; i < town->n; i++) {
            struct place *place = &town->places[i];
            bool is_for = str_is_absent(parcel.to) || str_eq(parcel.to, id_of(place));
            if (i != parcel.from && is_for && !place->is_dead) {
                cluster_hear(place->cluster, place->bed.now, parcel.bytes);
                settle(place);
            }
        }
    }
    town->n_done = 0;
    town->n_parcels = 0;
}

static void town_wait(struct town *town, int64_t ms)
{
    for (; ms > 0; ms -= 1000) {
        for (size_t i = 0; i < town->n; i++) {
            struct place *place = &town->places[i];
            if (!place->is_dead) {
                bed_wait(&place->bed, 1000);
                cluster_tick(place->cluster, place->bed.now);
            }
        }
        town_run(town);
    }
}

static void town_start(struct town *town, size_t n)
{
    *town = (struct town){.a = arena_new(), .n = n};
    for (size_t i = 0; i < n; i++) {
        struct place *place = &town->places[i];
        *place = (struct place){.town = town, .index = i};
        struct cluster_config config = {.publish = town_publish, .arg = place};
        memcpy(config.id, id_of(place).p, SITE_ID_SIZE);
        struct relay_config relay_config = {.is_strict = true,
                                            .limits = limits_standard(),
                                            .random = bed_random,
                                            .random_arg = &place->bed};
        place->cluster = cluster_new(&config, &relay_config);
        place->bed = (struct bed){.a = arena_new(), .now = {1000000, 5}, .random = STR("")};
        place->bed.relay = relay_new(&relay_config);
        cluster_start(place->cluster, place->bed.now, place->bed.relay);
    }
    crypto_start();
    town_run(town);
    town_wait(town, 2000);
    for (size_t i = 0; i < n; i++) {
        CHECK(cluster_sites(town->places[i].cluster) == n - 1);
    }
}

/* All clients must be gone. */
static void town_end(struct town *town)
{
    town_run(town);
    for (size_t i = 0; i < town->n; i++) {
        struct place *place = &town->places[i];
        if (!place->is_dead) {
            cluster_end(place->cluster, place->bed.now);
        }
        town_run(town);
    }
    for (size_t i = 0; i < town->n; i++) {
        struct place *place = &town->places[i];
        CHECK(cluster_calls(place->cluster) == 0);
        cluster_free(place->cluster);
        bed_end(&place->bed);
    }
    arena_free(town->a);
}

/* A client joined at a relay, its queue empty. */
static struct conn *join_at(struct town *town, size_t at, const char *address)
{
    struct conn *conn = bed_join(&town->places[at].bed, address);
    town_run(town);
    return conn;
}

static void say_at(struct town *town, size_t at, struct conn *conn, const char *text)
{
    bed_say(&town->places[at].bed, conn, text);
    town_run(town);
}

static void gone_at(struct town *town, size_t at, struct conn *conn)
{
    bed_gone(&town->places[at].bed, conn);
    town_run(town);
}

/* Two relays with a client each: a at ADDR_A, b at ADDR_B. */
static void pair_start(struct town *town, struct conn **a, struct conn **b)
{
    town_start(town, 2);
    *a = join_at(town, 0, ADDR_A);
    *b = join_at(town, 1, ADDR_B);
}

/* Both go, and all that is left ends. */
static void pair_end(struct town *town, struct conn *a, struct conn *b)
{
    gone_at(town, 0, a);
    gone_at(town, 1, b);
    town_end(town);
}

#define HEARS_AT(town, at, conn, text) HEARS(&(town)->places[at].bed, conn, text)

/* An open stream "ID" from a at the first relay to b at the second, accepted by both. */
static void call_up(struct town *town, struct conn *a, struct conn *b)
{
    bed_skip(&town->places[0].bed, a);
    bed_skip(&town->places[1].bed, b);
    say_at(town, 0, a, "427[\"ss-dial\",\"" ADDR_A "\",\"" ADDR_B "\",\"ID\"]");
    HEARS_AT(town, 0, a, "42[\"" SP ".accept.ID.dialer\"]");
    struct str ask = bed_hear(&town->places[1].bed, b);
    CHECK(str_ends(ask, STR("[\"ss-incomming\",\"ID\",\"" ADDR_A "\"]")));
    HEARS_AT(town, 0, a, "");
    say_at(town, 1, b, "42[\"" SP ".accept.ID.dialer\"]");
    say_at(town, 1, b, arena_fmt(town->a, "43%c[]", ask.n > 2 ? ask.p[2] : ' ').p);
    HEARS_AT(town, 1, b, "42[\"" SP ".accept.ID.listener\"]");
    HEARS_AT(town, 0, a, "437[]");
    say_at(town, 0, a, "42[\"" SP ".accept.ID.listener\"]");
}

static void chunk_at(struct town *town, size_t at, struct conn *conn, const char *half, size_t n)
{
    struct bed *bed = &town->places[at].bed;
    bed_say(
        bed, conn,
        arena_fmt(bed->a, "451-[\"" SP ".queue.%s\",{\"_placeholder\":true,\"num\":0}]", half).p);
    char *bytes = arena_alloc(bed->a, n + 1);
    bytes[0] = 4;
    bed_frame(bed, conn, FRAME_BINARY, str_make(bytes, n + 1));
    town_run(town);
}

TEST(tells_every_relay_who_came_and_who_went)
{
    struct town town;
    town_start(&town, 3);
    struct conn *a = join_at(&town, 0, ADDR_A);
    struct conn *b = join_at(&town, 1, ADDR_B);
    HEARS_AT(&town, 0, a, "42[\"ws-peer\",\"" ADDR_B "\"]");
    HEARS_AT(&town, 0, a, "");
    HEARS_AT(&town, 1, b, "");
    struct conn *c = bed_open(&town.places[2].bed);
    bed_skip(&town.places[2].bed, c);
    say_at(&town, 2, c, "420[\"ss-join\",\"" ADDR_C "\",\"00\"]");
    HEARS_AT(&town, 2, c, "430[null,null,[\"" ADDR_B "\",\"" ADDR_A "\"]]");
    HEARS_AT(&town, 0, a, "42[\"ws-peer\",\"" ADDR_C "\"]");
    gone_at(&town, 1, b);
    say_at(&town, 0, a, "421[\"ss-dial\",\"" ADDR_A "\",\"" ADDR_B "\",\"ID\"]");
    bed_wait(&town.places[0].bed, 20000);
    CHECK_STR(bed_hear(&town.places[0].bed, a), STR("431[\"Peer not found\"]"));
    gone_at(&town, 0, a);
    gone_at(&town, 2, c);
    town_end(&town);
}

TEST(carries_a_call_between_two_relays)
{
    struct town town;
    struct conn *a, *b;
    pair_start(&town, &a, &b);
    call_up(&town, a, b);
    chunk_at(&town, 0, a, "ID.dialer", 2);
    HEARS_AT(&town, 1, b, "451-[\"" SP ".queue.ID.dialer\",{\"_placeholder\":true,\"num\":0}]");
    HEARS_AT(&town, 1, b, "B 040000");
    chunk_at(&town, 1, b, "ID.listener", 1);
    HEARS_AT(&town, 0, a, "451-[\"" SP ".queue.ID.listener\",{\"_placeholder\":true,\"num\":0}]");
    HEARS_AT(&town, 0, a, "B 0400");
    say_at(&town, 0, a, "42[\"" SP ".error.ID.dialer\",true]");
    HEARS_AT(&town, 1, b, "42[\"" SP ".error.ID.dialer\",true]");
    CHECK(cluster_calls(town.places[0].cluster) == 1);
    say_at(&town, 1, b, "42[\"" SP ".error.ID.listener\",true]");
    HEARS_AT(&town, 0, a, "42[\"" SP ".error.ID.listener\",true]");
    CHECK(cluster_calls(town.places[0].cluster) == 0);
    CHECK(cluster_calls(town.places[1].cluster) == 0);
    pair_end(&town, a, b);
}

TEST(passes_a_refusal_on)
{
    struct town town;
    struct conn *a, *b;
    pair_start(&town, &a, &b);
    bed_skip(&town.places[0].bed, a);
    say_at(&town, 0, a, "427[\"ss-dial\",\"" ADDR_A "\",\"" ADDR_B "\",\"ID\"]");
    HEARS_AT(&town, 0, a, "42[\"" SP ".accept.ID.dialer\"]");
    say_at(&town, 1, b, "430[\"busy\"]");
    HEARS_AT(&town, 0, a, "437[\"busy\"]");
    CHECK(cluster_calls(town.places[0].cluster) == 0);
    pair_end(&town, a, b);
}

TEST(a_slow_reader_pauses_its_sender_at_the_other_relay)
{
    struct town town;
    struct conn *a, *b;
    pair_start(&town, &a, &b);
    struct relay *near = town.places[0].bed.relay, *far = town.places[1].bed.relay;
    call_up(&town, a, b);
    size_t n = 0;
    while (!conn_is_paused(a) && n < 1000) {
        chunk_at(&town, 0, a, "ID.dialer", 16000);
        n++;
    }
    struct limits limits = limits_standard();
    uint64_t waiting = relay_metrics(near)->value[METRIC_QUEUE_BYTES] +
                       relay_metrics(far)->value[METRIC_QUEUE_BYTES];
    CHECK(conn_is_paused(a) && waiting < (uint64_t)limits.queue_high * 3);
    size_t heard = 0;
    while (conn_first(b) != NULL) {
        heard += conn_first(b)->kind == FRAME_BINARY ? 1 : 0;
        conn_sent(far, b);
        town_run(&town);
    }
    CHECK(heard == n && !conn_is_paused(a));
    pair_end(&town, a, b);
}

TEST(an_end_that_goes_is_told_to_the_other_relays_client)
{
    struct town town;
    struct conn *a, *b;
    pair_start(&town, &a, &b);
    call_up(&town, a, b);
    gone_at(&town, 0, a);
    HEARS_AT(&town, 1, b, "42[\"" SP ".error.ID.dialer\",true]");
    CHECK(cluster_calls(town.places[1].cluster) == 0);
    gone_at(&town, 1, b);
    town_end(&town);
}

TEST(a_gap_in_what_a_relay_says_ends_the_calls_with_it)
{
    struct town town;
    struct conn *a, *b;
    pair_start(&town, &a, &b);
    call_up(&town, a, b);
    town.is_cut = true;
    chunk_at(&town, 0, a, "ID.dialer", 10);
    town.is_cut = false;
    HEARS_AT(&town, 1, b, "");
    chunk_at(&town, 0, a, "ID.dialer", 10);
    HEARS_AT(&town, 1, b, "42[\"" SP ".error.ID.dialer\",true]");
    HEARS_AT(&town, 0, a, "42[\"" SP ".error.ID.listener\",true]");
    CHECK(cluster_calls(town.places[0].cluster) == 0);
    bed_skip(&town.places[0].bed, a);
    bed_skip(&town.places[1].bed, b);
    call_up(&town, a, b); /* and they dial again */
    pair_end(&town, a, b);
}

TEST(a_change_that_was_lost_is_asked_for)
{
    struct town town;
    town_start(&town, 2);
    struct conn *a = join_at(&town, 0, ADDR_A);
    town.is_cut = true;
    struct conn *b = join_at(&town, 1, ADDR_B);
    town.is_cut = false;
    HEARS_AT(&town, 0, a, "");
    town_wait(&town, 3000);
    HEARS_AT(&town, 0, a, "42[\"ws-peer\",\"" ADDR_B "\"]");
    town.is_cut = true;
    gone_at(&town, 1, b);
    town.is_cut = false;
    town_wait(&town, 3000);
    bed_skip(&town.places[0].bed, a);
    say_at(&town, 0, a, "421[\"ss-dial\",\"" ADDR_A "\",\"" ADDR_B "\",\"ID\"]");
    HEARS_AT(&town, 0, a, "431[\"Peer not found\"]");
    gone_at(&town, 0, a);
    town_end(&town);
}

TEST(a_silent_relays_clients_are_gone_and_come_back_with_it)
{
    struct town town;
    struct conn *a, *b;
    pair_start(&town, &a, &b);
    call_up(&town, a, b);
    town.is_cut = true;
    town_wait(&town, CLUSTER_SILENT_MS);
    CHECK(cluster_sites(town.places[0].cluster) == 0);
    bed_skip(&town.places[0].bed, a);
    say_at(&town, 0, a, "421[\"ss-dial\",\"" ADDR_A "\",\"" ADDR_B "\",\"ID\"]");
    HEARS_AT(&town, 0, a, "431[\"Peer not found\"]");
    town.is_cut = false;
    town_wait(&town, 3000);
    bed_skip(&town.places[1].bed, b);
    call_up(&town, a, b);
    pair_end(&town, a, b);
}

TEST(an_address_is_the_later_joiners_wherever_that_is)
{
    struct town town;
    town_start(&town, 3);
    struct conn *a = join_at(&town, 0, ADDR_A), *old = join_at(&town, 2, ADDR_B);
    struct conn *b = join_at(&town, 1, ADDR_B);
    call_up(&town, a, b);
    gone_at(&town, 2, old); /* its relay notices late that it has gone */
    chunk_at(&town, 0, a, "ID.dialer", 1);
    HEARS_AT(&town, 1, b, "451-[\"" SP ".queue.ID.dialer\",{\"_placeholder\":true,\"num\":0}]");
    pair_end(&town, a, b);
}

TEST(a_bus_that_comes_back_finds_no_calls_left)
{
    struct town town;
    struct conn *a, *b;
    pair_start(&town, &a, &b);
    call_up(&town, a, b);
    cluster_lost(town.places[0].cluster, town.places[0].bed.now);
    town_run(&town);
    HEARS_AT(&town, 0, a, "42[\"" SP ".error.ID.listener\",true]");
    HEARS_AT(&town, 1, b, "42[\"" SP ".error.ID.dialer\",true]");
    CHECK(cluster_calls(town.places[1].cluster) == 0);
    pair_end(&town, a, b);
}

TEST(a_dial_that_is_refused_here_leaves_no_call_behind)
{
    struct town town;
    struct conn *a, *b;
    pair_start(&town, &a, &b);
    bed_skip(&town.places[0].bed, a);
    char id[200];
    memset(id, 'x', sizeof(id) - 1);
    id[sizeof(id) - 1] = 0;
    say_at(&town, 0, a,
           arena_fmt(town.a, "427[\"ss-dial\",\"" ADDR_A "\",\"" ADDR_B "\",\"%s\"]", id).p);
    HEARS_AT(&town, 0, a, "437[\"Dial id too long\"]");
    CHECK(cluster_calls(town.places[0].cluster) == 0);
    pair_end(&town, a, b);
}

/* A word of the second relay's, which the test speaks for it, to the first. */
static void say_for_two(struct town *town, struct bus_message message, const char *address)
{
    struct place *place = &town->places[0];
    struct buf rest, bytes;
    buf_init_in(&rest, town->a, 4096);
    buf_init_in(&bytes, town->a, 4096);
    if (address != NULL) {
        varint_write(&rest, 1);
        bus_add_text(&rest, str_of(address));
    }
    message.site = STR("relay-two-------");
    message.rest = buf_str(&rest);
    bus_write(&bytes, &message);
    cluster_hear(place->cluster, place->bed.now, buf_str(&bytes));
    settle(place);
}

/* The list that a client hears which joins at the first relay. */
static struct str list_at_first(struct town *town)
{
    struct place *place = &town->places[0];
    struct conn *c = bed_open(&place->bed);
    bed_skip(&place->bed, c);
    bed_say(&place->bed, c, "420[\"ss-join\",\"" ADDR_C "\",\"00\"]");
    struct str list = bed_hear(&place->bed, c);
    bed_gone(&place->bed, c);
    return list;
}

static bool has_text(struct str s, const char *text)
{
    size_t n = strlen(text);
    for (size_t i = 0; i + n <= s.n; i++) {
        if (memcmp(s.p + i, text, n) == 0) {
            return true;
        }
    }
    return false;
}

TEST(a_roster_of_which_a_part_was_lost_counts_for_nothing)
{
    struct town town;
    town_start(&town, 1);
    say_for_two(&town,
                (struct bus_message){
                    .word = BUS_ROSTER, .sequence = 1, .number = 7, .flags = BUS_FIRST | BUS_LAST},
                ADDR_A);
    CHECK(has_text(list_at_first(&town), ADDR_A));
    say_for_two(
        &town,
        (struct bus_message){.word = BUS_ROSTER, .sequence = 2, .number = 8, .flags = BUS_FIRST},
        ADDR_B);
    say_for_two(
        &town,
        (struct bus_message){.word = BUS_ROSTER, .sequence = 4, .number = 8, .flags = BUS_LAST},
        NULL);
    CHECK(has_text(list_at_first(&town), ADDR_A)); /* the lost part may have had it */
    town.n_parcels = 0;
    town_wait(&town, 1000); /* so that it may ask again */
    say_for_two(&town, (struct bus_message){.word = BUS_HELLO, .number = 8}, NULL);
    CHECK(town.n_parcels == 1 && town.parcels[0].bytes.p[1] == BUS_ASK);
    town_end(&town);
}

TEST(a_change_that_the_roster_had_already_is_not_asked_for)
{
    struct town town;
    town_start(&town, 1);
    say_for_two(&town,
                (struct bus_message){
                    .word = BUS_ROSTER, .sequence = 1, .number = 7, .flags = BUS_FIRST | BUS_LAST},
                ADDR_A);
    town_wait(&town, 1000);
    say_for_two(&town, (struct bus_message){.word = BUS_PEERS, .number = 7}, ADDR_A);
    CHECK(town.n_parcels == 0);
    say_for_two(&town, (struct bus_message){.word = BUS_PEERS, .number = 8}, ADDR_B);
    CHECK(town.n_parcels == 0 && has_text(list_at_first(&town), ADDR_B));
    town_end(&town);
}

TEST(drops_what_it_cannot_read)
{
    struct town town;
    town_start(&town, 2);
    static const char *const words[] = {
        "",
        "\x01",
        "\x02\x01relay-four------\x01\x01\x01",
        "\x01\x7frelay-four------\x01\x01\x01",
        "\x01\x05relay-two-------\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        "\x01\x02relay-two-------\x01\x7f\x01\x01\x7f/ip4"};
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        cluster_hear(town.places[0].cluster, town.places[0].bed.now, str_of(words[i]));
    }
    CHECK(cluster_sites(town.places[0].cluster) == 1);
    town_end(&town);
}

TEST_MAIN(TEST_ROW(tells_every_relay_who_came_and_who_went),
          TEST_ROW(carries_a_call_between_two_relays), TEST_ROW(passes_a_refusal_on),
          TEST_ROW(a_slow_reader_pauses_its_sender_at_the_other_relay),
          TEST_ROW(an_end_that_goes_is_told_to_the_other_relays_client),
          TEST_ROW(a_gap_in_what_a_relay_says_ends_the_calls_with_it),
          TEST_ROW(a_change_that_was_lost_is_asked_for),
          TEST_ROW(a_silent_relays_clients_are_gone_and_come_back_with_it),
          TEST_ROW(an_address_is_the_later_joiners_wherever_that_is),
          TEST_ROW(a_bus_that_comes_back_finds_no_calls_left),
          TEST_ROW(a_dial_that_is_refused_here_leaves_no_call_behind),
          TEST_ROW(a_roster_of_which_a_part_was_lost_counts_for_nothing),
          TEST_ROW(a_change_that_the_roster_had_already_is_not_asked_for),
          TEST_ROW(drops_what_it_cannot_read))

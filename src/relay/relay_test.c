/* The captured conversations of real clients with npm's relay, frame by frame. */
#include "test/test.h"

#include "relay/testbed.h"

#define DIAL "fde24d56-352a-497b-b81e-947192655498"
#define QUEUE(side) "451-[\"" SP ".queue." DIAL "." side "\",{\"_placeholder\":true,\"num\":0}]"

TEST(replays_connect_and_join_with_the_captured_nonces_and_signatures)
{
    struct bed bed;
    bed_start(&bed, true);
    bed.random = STR("5404f1a7d64726012eea5a9900007c" /* the sid, then the nonce */
                     "e6ec2a24-7cf9-4440-9022-74245869457552408b6c-34e3-4f65-89ed-97dbfcfccc3e");
    struct conn *a = bed_open(&bed);
    HEARS(&bed, a,
          "0{\"sid\":\"VATxp9ZHJgEu6lqZAAB8\",\"upgrades\":[],\"pingInterval\":25000,"
          "\"pingTimeout\":20000}");
    HEARS(&bed, a, "40");
    bed_say(&bed, a, "420[\"ss-join\",\"" ADDR_A "\",\"" KEY_A "\"]");
    HEARS(&bed, a,
          "430[null,\"e6ec2a24-7cf9-4440-9022-74245869457552408b6c-34e3-4f65-89ed-97dbfcfccc3e\"]");
    bed_say(&bed, a,
            "421[\"ss-join\",\"" ADDR_A "\",\"5542e0f691576f8e2d0de966b2f6207797ea16d918f3089882634"
            "abd3c89baada22f26ceeb33542f4b626c2c7434c89fddc4a25988e75a129875eda883649304\"]");
    HEARS(&bed, a, "431[null,null,[]]");

    bed.random = STR("dfd59dd8162cf54821217fd540007d"
                     "e2389dae-5c59-40ae-8bd0-c04b1c033a4249bc68cb-775c-4d24-8901-935b03bb54d1");
    struct conn *b = bed_open(&bed);
    bed_skip(&bed, b);
    bed_say(&bed, b, "420[\"ss-join\",\"" ADDR_B "\",\"" KEY_B "\"]");
    bed_skip(&bed, b);
    bed_say(&bed, b,
            "421[\"ss-join\",\"" ADDR_B "\",\"80c2af141a2a226e9bc9ecb84ad6ccd5628d8e3daf665a55a3fdc"
            "74982ecdc1911ab3ca65d48134ef674b195fe36a6fff9e3e2bcfd33f5516dc30104e6f02905\"]");
    HEARS(&bed, a, "42[\"ws-peer\",\"" ADDR_B "\"]");
    HEARS(&bed, b, "431[null,null,[\"" ADDR_A "\"]]");
    HEARS(&bed, a, "");
    bed_wait(&bed, 10000);
    HEARS(&bed, a, "42[\"ws-peer\",\"" ADDR_B "\"]");
    HEARS(&bed, b, "42[\"ws-peer\",\"" ADDR_A "\"]");
    bed_gone(&bed, a);
    bed_gone(&bed, b);
    bed_end(&bed);
}

TEST(replays_the_join_of_an_rsa_key)
{
    static const char address[] = ADDR("QmU5UWPmnUrd9VVii3gd9vGtRjeNVneVDvUjf9ZXyZKvLW");
    static const char key[] =
        "080012a20130819f300d06092a864886f70d010101050003818d0030818902818100a68c517e4719b261f06467"
        "b063258a2b3aebfbf441a0db75a791585a86cb92cb9bfbef3a3f0a0ce572b02a3250bc86f50d40a7cf88f07e1a"
        "f2f1a2c53c309f2c67e4c018efa56fa867d29b5f07c6f4aaba8ff88bc73a60c2394220584a31a486415e2bfb59"
        "ef80abe1aaf6d6d802236f2899375aca9d9e9dd10a875eac587c210203010001";
    static const char signature[] =
        "9d4b96dc482d77c469ab6f843895a159a26ef2fa3fc3e0332188343409e175a41ebef4763df7a5226d6a3ef069"
        "98ee76399f11c225c0a66c3a6463da1fc31001ce320fd7211ba61590322f36dabc03e1b5047ff17f099020a9e7"
        "34c7b9b2b9949da3a988335624bb5285ca7d515ea493bc4772ff5ade811a6473cfb598ed1ebb";
    struct bed bed;
    bed_start(&bed, true);
    bed.random = STR("000000000000000000000000000000"
                     "1b5292f1-eb57-4056-934a-aadb7fb201618e766164-007f-4bfa-8483-47b5460fc61d");
    struct conn *a = bed_open(&bed);
    bed_skip(&bed, a);
    bed_say(&bed, a, arena_fmt(bed.a, "420[\"ss-join\",\"%s\",\"%s\"]", address, key).p);
    HEARS(&bed, a,
          "430[null,\"1b5292f1-eb57-4056-934a-aadb7fb201618e766164-007f-4bfa-8483-47b5460fc61d\"]");
    bed_say(&bed, a, arena_fmt(bed.a, "421[\"ss-join\",\"%s\",\"%s\"]", address, signature).p);
    HEARS(&bed, a, "431[null,null,[]]");
    bed_gone(&bed, a);
    bed_end(&bed);
}

TEST(replays_dial_data_both_ways_and_half_closes)
{
    static const char *const chunks[] = {"0468656c6c6f", "04776f726c6421", "04"};
    struct bed bed;
    bed_start(&bed, false);
    struct conn *a = bed_join(&bed, ADDR_A), *b = bed_join(&bed, ADDR_B);
    bed_skip(&bed, a);
    bed_say(&bed, a, "422[\"ss-dial\",\"" ADDR_A "\",\"" ADDR_B "\",\"" DIAL "\"]");
    HEARS(&bed, a, "42[\"" SP ".accept." DIAL ".dialer\"]");
    HEARS(&bed, a, "");
    HEARS(&bed, b, "420[\"ss-incomming\",\"" DIAL "\",\"" ADDR_A "\"]");
    bed_say(&bed, b, "42[\"" SP ".accept." DIAL ".dialer\"]");
    bed_say(&bed, b, "430[]");
    HEARS(&bed, b, "42[\"" SP ".accept." DIAL ".listener\"]");
    HEARS(&bed, a, "432[]");
    bed_say(&bed, a, "42[\"" SP ".accept." DIAL ".listener\"]");
    struct conn *ends[] = {a, b};
    static const char *const headers[] = {QUEUE("dialer"), QUEUE("listener")};
    static const char *const errors[] = {"42[\"" SP ".error." DIAL ".dialer\",true]",
                                         "42[\"" SP ".error." DIAL ".listener\",true]"};
    for (size_t side = 0; side < 2; side++) {
        struct conn *from = ends[side], *to = ends[1 - side];
        for (size_t i = 0; i < COUNT_OF(chunks); i++) {
            bed_say(&bed, from, headers[side]);
            bed_bytes(&bed, from, chunks[i]);
            HEARS(&bed, to, headers[side]);
            CHECK_STR(bed_hear(&bed, to), arena_fmt(bed.a, "B %s", chunks[i]));
        }
        CHECK(relay_metrics(bed.relay)->value[METRIC_STREAMS] == 1);
        bed_say(&bed, from, errors[side]);
        HEARS(&bed, to, errors[side]);
        HEARS(&bed, from, "");
    }
    CHECK(relay_metrics(bed.relay)->value[METRIC_STREAMS] == 0);
    bed_gone(&bed, a);
    bed_gone(&bed, b);
    bed_end(&bed);
}

TEST(answers_wrong_joins_as_captured)
{
    struct bed bed;
    bed_start(&bed, true);
    struct conn *a = bed_open(&bed);
    bed_skip(&bed, a);
    bed_say(&bed, a, "420[\"ss-join\",\"/ip4/127.0.0.1/tcp/9090/ws/ipfs/" ID_A "\",\"" KEY_A "\"]");
    HEARS(&bed, a, "430[\"Invalid multiaddr\"]");
    bed_say(&bed, a, "421[\"ss-join\",\"" ADDR_A "\",\"\"]");
    HEARS(&bed, a, "431[\"Crypto Challenge required but no Id provided\"]");
    bed_say(&bed, a, "422[\"ss-join\",\"" ADDR_A "\",\"" KEY_B "\"]");
    HEARS(&bed, a, "432[{}]");
    bed_say(&bed, a, "423[\"ss-join\",\"" ADDR_A "\",\"0801\"]");
    HEARS(&bed, a, "433[{}]");
    bed_say(&bed, a, "424[\"ss-join\",\"" ADDR_A "\",\"zz\"]");
    HEARS(&bed, a, "434[{}]");
    bed_say(&bed, a, "42[\"ss-join\",\"" ADDR_A "\",\"" KEY_A "\"]"); /* no ack id */
    bed_say(&bed, a, "425[\"ss-join\",1,\"" KEY_A "\"]");
    bed_say(&bed, a, "426[\"ss-join\",\"nonsense\",\"" KEY_A "\"]");
    HEARS(&bed, a, "");
    bed_say(&bed, a, "427[\"ss-join\",\"" ADDR_A "\",\"" KEY_A "\"]");
    CHECK(str_starts(bed_hear(&bed, a), STR("437[null,\"")));
    static const char zeros[] =
        "00000000000000000000000000000000000000000000000000000000000000000000"
        "000000000000000000000000000000000000000000000000000000000000";
    bed_say(&bed, a, arena_fmt(bed.a, "428[\"ss-join\",\"" ADDR_A "\",\"%s\"]", zeros).p);
    HEARS(&bed, a, "438[\"Signature Invalid\"]");
    bed_say(&bed, a, "429[\"ss-join\",\"" ADDR_A "\",\"0000\"]");
    HEARS(&bed, a, "439[\"Crypto error\"]");
    bed_say(&bed, a, "4210[\"ss-join\",\"" ADDR_A "\",\"0000\"]");
    HEARS(&bed, a, "4310[\"Crypto error\"]");
    bed_say(&bed, a, "4211[\"ss-join\",\"" ADDR_A "\",\"0000\"]"); /* the nonce is gone by now */
    HEARS(&bed, a, "4311[{}]");
    CHECK(relay_metrics(bed.relay)->value[METRIC_PEERS] == 0);
    bed_gone(&bed, a);
    bed_end(&bed);
}

TEST(answers_wrong_dials_as_captured)
{
    struct bed bed;
    bed_start(&bed, false);
    struct conn *a = bed_join(&bed, ADDR_A), *b = bed_join(&bed, ADDR_B);
    bed_skip(&bed, a);
    bed_say(&bed, a,
            "423[\"ss-dial\",\"" ADDR_A "\",\"" ADDR("QmcgpsyWgH8Y8ajJz1Cu72KnS5uo2Aa2LpzU7"
                                                     "kinSupNKC") "\",\"X\"]");
    HEARS(&bed, a, "433[\"Peer not found\"]");
    bed_say(&bed, a, "420[\"ss-dial\",\"" ADDR_B "\",\"" ADDR_A "\",\"X\"]");
    HEARS(&bed, a, "430[\"Not authorized for this address\"]");
    bed_say(&bed, a, "425[\"ss-dial\",\"" ADDR_A "\",\"" ADDR_B "\",\"X\"]");
    HEARS(&bed, a, "42[\"" SP ".accept.X.dialer\"]");
    HEARS(&bed, b, "420[\"ss-incomming\",\"X\",\"" ADDR_A "\"]");
    bed_say(&bed, a, "426[\"ss-dial\",\"" ADDR_A "\",\"" ADDR_B "\",\"X\"]");
    HEARS(&bed, a, "436[\"Dial id already in use\"]");
    bed_say(&bed, b, "430[\"refused!\"]");
    HEARS(&bed, a, "435[\"refused!\"]");
    CHECK(relay_metrics(bed.relay)->value[METRIC_STREAMS] == 0);
    bed_gone(&bed, a);
    bed_gone(&bed, b);
    bed_end(&bed);
}

TEST(tells_the_other_end_when_a_listener_goes)
{
    struct bed bed;
    bed_start(&bed, false);
    struct conn *a = bed_join(&bed, ADDR_A), *b = bed_join(&bed, ADDR_B);
    bed_stream(&bed, a, b);
    bed_say(&bed, b, "41");
    HEARS(&bed, b, "42[\"" SP ".error.ID.dialer\",true]");
    HEARS(&bed, a, "42[\"" SP ".error.ID.listener\",true]");
    bed_say(&bed, a, "451-[\"" SP ".queue.ID.dialer\",{\"_placeholder\":true,\"num\":0}]");
    bed_bytes(&bed, a, "0401");
    HEARS(&bed, b, "");
    CHECK(conn_closing(a) == CONN_OPEN);
    CHECK(relay_metrics(bed.relay)->value[METRIC_STREAMS] == 0);
    CHECK(relay_metrics(bed.relay)->value[METRIC_PEERS] == 1);
    bed_say(&bed, b, "42[\"ss-join\",\"" ADDR_B "\",\"\"]"); /* it said goodbye */
    CHECK(relay_metrics(bed.relay)->value[METRIC_PEERS] == 1);
    bed_gone(&bed, b);
    bed_gone(&bed, a);
    bed_end(&bed);
}

TEST(tells_the_other_end_when_a_connection_breaks)
{
    struct bed bed;
    bed_start(&bed, false);
    struct conn *a = bed_join(&bed, ADDR_A), *b = bed_join(&bed, ADDR_B);
    bed_stream(&bed, a, b);
    bed_gone(&bed, b);
    HEARS(&bed, a, "42[\"" SP ".error.ID.listener\",true]");
    HEARS(&bed, a, "");
    bed_gone(&bed, a);
    bed_end(&bed);
}

TEST(keeps_what_an_end_sent_before_it_was_accepted_and_went)
{
    struct bed bed;
    bed_start(&bed, false);
    struct conn *a = bed_join(&bed, ADDR_A), *b = bed_join(&bed, ADDR_B);
    bed_skip(&bed, a);
    bed_say(&bed, a, "422[\"ss-dial\",\"" ADDR_A "\",\"" ADDR_B "\",\"ID\"]");
    bed_say(&bed, b, "430[]");
    bed_say(&bed, b, "451-[\"" SP ".queue.ID.listener\",{\"_placeholder\":true,\"num\":0}]");
    bed_bytes(&bed, b, "0407");
    bed_gone(&bed, b);
    bed_skip(&bed, a);
    bed_say(&bed, a, "42[\"" SP ".accept.ID.listener\"]");
    HEARS(&bed, a, "451-[\"" SP ".queue.ID.listener\",{\"_placeholder\":true,\"num\":0}]");
    HEARS(&bed, a, "B 0407");
    HEARS(&bed, a, "42[\"" SP ".error.ID.listener\",true]");
    CHECK(relay_metrics(bed.relay)->value[METRIC_STREAMS] == 0);
    bed_gone(&bed, a);
    bed_end(&bed);
}

TEST(answers_pings_and_foreign_namespaces)
{
    struct bed bed;
    bed_start(&bed, false);
    struct conn *a = bed_join(&bed, ADDR_A);
    bed_say(&bed, a, "2");
    HEARS(&bed, a, "3");
    bed_say(&bed, a, "2probe");
    HEARS(&bed, a, "3");
    bed_say(&bed, a, "40/foo");
    HEARS(&bed, a, "44/foo,\"Invalid namespace\"");
    bed_say(&bed, a, "40"); /* a second CONNECT is ignored: the address stays */
    CHECK(relay_metrics(bed.relay)->value[METRIC_PEERS] == 1);
    bed_gone(&bed, a);
    bed_end(&bed);
}

TEST(closes_or_ignores_bad_packets_as_npms_relay_does)
{
    static const char *const closed[] = {
        "",         "9x",    "x",           "42[\"ss-join\"", "42{\"a\":1}", "42[]",
        "42[null]", "430{}", "450-[\"a\"]", "4511-[\"a\"]",   "451[]",       "45-1-[\"a\"]"};
    static const char *const ignored[] = {"1",
                                          "5",
                                          "6",
                                          "48",
                                          "42",
                                          "42[1]",
                                          "43999[]",
                                          "42/foo,[\"x\"]",
                                          "44\"boom\"",
                                          "42[\"error\",\"x\"]",
                                          "4299999999999999999999[\"x\"]"};
    struct bed bed;
    bed_start(&bed, false);
    for (size_t i = 0; i < COUNT_OF(closed); i++) {
        struct conn *a = bed_open(&bed);
        bed_say(&bed, a, closed[i]);
        CHECK(conn_closing(a) == CONN_CLOSING);
        bed_gone(&bed, a);
    }
    for (size_t i = 0; i < COUNT_OF(ignored); i++) {
        struct conn *a = bed_open(&bed);
        bed_skip(&bed, a);
        bed_say(&bed, a, ignored[i]);
        HEARS(&bed, a, "");
        CHECK(conn_closing(a) == CONN_OPEN);
        bed_gone(&bed, a);
    }
    bed_end(&bed);
}

TEST(closes_on_wrong_attachments)
{
    struct bed bed;
    bed_start(&bed, false);
    struct conn *a = bed_open(&bed);
    bed_bytes(&bed, a, "047a7a"); /* without a header */
    CHECK(conn_closing(a) == CONN_CLOSING);
    bed_gone(&bed, a);
    a = bed_open(&bed);
    bed_say(&bed, a, "451-[\"a\",{\"_placeholder\":true,\"num\":0}]");
    bed_say(&bed, a, "42[\"b\"]");
    CHECK(conn_closing(a) == CONN_CLOSING);
    bed_gone(&bed, a);
    a = bed_open(&bed);
    bed_say(&bed, a, "451-[\"a\",{\"_placeholder\":true,\"num\":9}]");
    CHECK(conn_closing(a) == CONN_CLOSING);
    bed_gone(&bed, a);
    bed_end(&bed);
}

TEST(takes_chunks_in_every_spelling)
{
    static const char *const header =
        "451-[\"" SP ".queue.ID.dialer\",{\"_placeholder\":true,\"num\":0}]";
    struct bed bed;
    bed_start(&bed, false);
    struct conn *a = bed_join(&bed, ADDR_A), *b = bed_join(&bed, ADDR_B);
    bed_stream(&bed, a, b);
    bed_say(&bed, a, "451-[ \"" SP ".queue.ID.dialer\" , {\"num\":0, \"_placeholder\":true} ]");
    bed_bytes(&bed, a, "0401");
    HEARS(&bed, b, header);
    HEARS(&bed, b, "B 0401");
    bed_say(&bed, a, header);
    bed_say(&bed, a, "b4aGVsbG8="); /* base64 of "hello" */
    HEARS(&bed, b, header);
    HEARS(&bed, b, "B 0468656c6c6f");
    bed_say(&bed, a, "42[\"" SP ".queue.ID.dialer\",\"\\u00e4\"]"); /* as text: its UTF-8 */
    HEARS(&bed, b, header);
    HEARS(&bed, b, "B 04c3a4");
    bed_say(&bed, a, "42[\"" SP ".queue.ID.dialer\",{\"length\":200000000}]");
    HEARS(&bed, b, "");
    bed_gone(&bed, a);
    bed_gone(&bed, b);
    bed_end(&bed);
}

TEST(speaks_base64_to_clients_that_asked_for_it)
{
    struct bed bed;
    bed_start(&bed, false);
    struct conn *a = bed_join(&bed, ADDR_A);
    struct conn *b = relay_open(bed.relay, bed.now, STR("192.0.2.2"), true, &bed);
    bed_say(&bed, b, "420[\"ss-join\",\"" ADDR_B "\",\"\"]");
    bed_skip(&bed, b);
    bed_stream(&bed, a, b);
    bed_say(&bed, a, "451-[\"" SP ".queue.ID.dialer\",{\"_placeholder\":true,\"num\":0}]");
    bed_bytes(&bed, a, "0468656c6c6f");
    HEARS(&bed, b, "451-[\"" SP ".queue.ID.dialer\",{\"_placeholder\":true,\"num\":0}]");
    HEARS(&bed, b, "b4aGVsbG8=");
    bed_gone(&bed, a);
    bed_gone(&bed, b);
    bed_end(&bed);
}

TEST(takes_both_spellings_for_one_address)
{
    struct bed bed;
    bed_start(&bed, false);
    struct conn *a = bed_join(&bed, ADDR_A);
    struct conn *b = bed_join(&bed, "/ip4/127.0.0.1/tcp/9090/ws/p2p-websocket-star/p2p/" ID_B);
    HEARS(&bed, a, "42[\"ws-peer\",\"" ADDR_B "\"]");
    bed_say(&bed, a, "423[\"ss-dial\",\"" ADDR_A "\",\"" ADDR_B "\",\"X\"]");
    HEARS(&bed, b, "420[\"ss-incomming\",\"X\",\"" ADDR_A "\"]");
    bed_gone(&bed, a);
    bed_gone(&bed, b);
    bed_end(&bed);
}

TEST(gives_an_address_to_the_last_one_that_joins_it)
{
    struct bed bed;
    bed_start(&bed, false);
    struct conn *old = bed_join(&bed, ADDR_A), *b = bed_join(&bed, ADDR_B);
    struct conn *new = bed_join(&bed, ADDR_A);
    bed_skip(&bed, b);
    bed_skip(&bed, old);
    bed_wait(&bed, 10000);
    HEARS(&bed, b, "42[\"ws-peer\",\"" ADDR_A "\"]"); /* once, not twice */
    HEARS(&bed, b, "");
    HEARS(&bed, old, "");
    bed_gone(&bed, old); /* takes nothing away from the new owner */
    bed_say(&bed, b, "423[\"ss-dial\",\"" ADDR_B "\",\"" ADDR_A "\",\"X\"]");
    bed_skip(&bed, b);
    CHECK(str_starts(bed_hear(&bed, new), STR("42[\"ws-peer\"")));
    HEARS(&bed, new, "420[\"ss-incomming\",\"X\",\"" ADDR_B "\"]");
    bed_gone(&bed, b);
    bed_gone(&bed, new);
    bed_end(&bed);
}

TEST(never_announces_what_npms_clients_cannot_read)
{
    struct bed bed;
    bed_start(&bed, false);
    struct conn *a = bed_join(&bed, ADDR_A);
    struct conn *b = bed_join(&bed, "/ip4/127.0.0.1/tcp/9090/ws/p2p-websocket-star");
    HEARS(&bed, a, "");
    CHECK(relay_metrics(bed.relay)->value[METRIC_PEERS] == 2);
    bed_gone(&bed, a);
    bed_gone(&bed, b);
    bed_end(&bed);
}

TEST_MAIN(TEST_ROW(replays_connect_and_join_with_the_captured_nonces_and_signatures),
          TEST_ROW(replays_the_join_of_an_rsa_key),
          TEST_ROW(replays_dial_data_both_ways_and_half_closes),
          TEST_ROW(answers_wrong_joins_as_captured), TEST_ROW(answers_wrong_dials_as_captured),
          TEST_ROW(tells_the_other_end_when_a_listener_goes),
          TEST_ROW(tells_the_other_end_when_a_connection_breaks),
          TEST_ROW(keeps_what_an_end_sent_before_it_was_accepted_and_went),
          TEST_ROW(answers_pings_and_foreign_namespaces),
          TEST_ROW(closes_or_ignores_bad_packets_as_npms_relay_does),
          TEST_ROW(closes_on_wrong_attachments), TEST_ROW(takes_chunks_in_every_spelling),
          TEST_ROW(speaks_base64_to_clients_that_asked_for_it),
          TEST_ROW(takes_both_spellings_for_one_address),
          TEST_ROW(gives_an_address_to_the_last_one_that_joins_it),
          TEST_ROW(never_announces_what_npms_clients_cannot_read))

/* Bodies of long polling, byte for byte and hostile. */
#include "relay/payload.h"
#include "test/test.h"

#include "base/encode.h"

static struct frame *frame_make(enum frame_kind kind, struct str bytes)
{
    struct frame *f = frame_add(frame_new(kind, bytes.n), bytes.p, bytes.n);
    frame_seal(f);
    return f;
}

static void adds(struct buf *out, enum frame_kind kind, struct str bytes, bool is_binary)
{
    struct frame *f = frame_make(kind, bytes);
    payload_add(out, f, is_binary);
    frame_drop(f);
}

TEST(writes_texts_counted_in_utf16_units)
{
    struct buf out;
    buf_init(&out, 1000);
    adds(&out, FRAME_TEXT, STR("40"), false);
    adds(&out, FRAME_TEXT, STR("4\xe6\x97\xa5\xf0\x9f\xa6\x86"), false);
    CHECK_STR(buf_str(&out), STR("2:404:4\xe6\x97\xa5\xf0\x9f\xa6\x86"));
    buf_release(&out);
}

TEST(writes_a_binary_body_when_one_packet_is_binary)
{
    struct buf out;
    buf_init(&out, 1000);
    adds(&out, FRAME_TEXT, STR("451-[\"x\"]"), true);
    adds(&out, FRAME_BINARY, STR("\x04hello wide"), true);
    CHECK_STR(buf_str(&out), STR("\x00\x09\xff"
                                 "451-[\"x\"]"
                                 "\x01\x01\x01\xff\x04hello wide"));
    buf_release(&out);
}

TEST(reads_back_what_it_writes)
{
    static const struct str texts[] = {STR_INIT("2"), STR_INIT("4\xc5\xbe\xf0\x9f\xa6\x86"),
                                       STR_INIT("40/\xe6\x97\xa5,[]")};
    for (int is_binary = 0; is_binary < 2; is_binary++) {
        struct buf out;
        buf_init(&out, 1000);
        for (size_t i = 0; i < COUNT_OF(texts); i++) {
            adds(&out, FRAME_TEXT, texts[i], is_binary != 0);
        }
        struct str rest = buf_str(&out);
        struct frame *packet;
        for (size_t i = 0; i < COUNT_OF(texts); i++) {
            CHECK(payload_next(&rest, is_binary != 0, &packet) == ERR_NONE);
            if (packet == NULL) {
                CHECK(packet != NULL);
                break;
            }
            CHECK_STR(frame_payload(packet), texts[i]);
            CHECK(packet->kind == FRAME_TEXT);
            frame_drop(packet);
        }
        CHECK(payload_next(&rest, is_binary != 0, &packet) == ERR_NONE && packet == NULL);
        buf_release(&out);
    }
}

TEST(refuses_lengths_that_lie)
{
    static const struct {
        struct str body;
        bool is_binary;
    } rows[] = {
        {STR_INIT("x"), false},
        {STR_INIT("5"), false},
        {STR_INIT(":"), false},
        {STR_INIT("5:2"), false},
        {STR_INIT("-1:2"), false},
        {STR_INIT("99999999999999999999:2"), false},
        {STR_INIT("2:4\xf0\x9f\xa6\x86"), false}, /* cuts a code point in two */
        {STR_INIT("\x01"), true},
        {STR_INIT("\x01\xff"), true},
        {STR_INIT("\x02\x01\xff"
                  "2"),
         true},
        {STR_INIT("\x01\x05\xff\x04"), true},
        {STR_INIT("\x01\x0a\xff\x04"), true},
        {STR_INIT("\x01\x09\x09\x09\x09\x09\x09\x09\x09\x09\xff\x04"), true},
        {STR_INIT("\x00\x02\xff"
                  "4\xff"),
         true}, /* no UTF-8 */
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct str rest = rows[i].body;
        struct frame *packet = NULL;
        CHECK(payload_next(&rest, rows[i].is_binary, &packet) == ERR_SYNTAX);
        CHECK(packet == NULL);
    }
}

TEST(skips_empty_texts)
{
    struct str rest = STR("0:0:1:2");
    struct frame *packet;
    CHECK(payload_next(&rest, false, &packet) == ERR_NONE && packet != NULL);
    CHECK_STR(frame_payload(packet), STR("2"));
    frame_drop(packet);
}

TEST_MAIN(TEST_ROW(writes_texts_counted_in_utf16_units),
          TEST_ROW(writes_a_binary_body_when_one_packet_is_binary),
          TEST_ROW(reads_back_what_it_writes), TEST_ROW(refuses_lengths_that_lie),
          TEST_ROW(skips_empty_texts))

/* History that is fetched from others: its place and its order. */
#include "hs/town_model.h"

#include "base/encode.h"
#include "test/test.h"

static struct json *page(struct town *t, int house, const char *who, struct str room,
                         const char *query)
{
    struct str line = town_text(t, "GET /_matrix/client/v3/rooms/%.*s/messages?dir=b&%s",
                                STR_ARG(percent_write(t->a, room)), query);
    CHECK(town_ask(t, house, who, line.p, "") == 200);
    return json_get_array(t->answer, "chunk");
}

TEST(of_two_edits_the_later_one_counts_whatever_came_first)
{
    struct town *t = town_new(2);
    const char *alice = town_user(t, 0, "alice");
    const char *bob = town_user(t, 1, "bob");
    struct str room = town_room(t, 0, alice, "{\"preset\":\"public_chat\"}");
    struct str first = town_say(t, 0, alice, room, "one");
    for (int i = 0; i < 3; i++) {
        town_pass(t, 10);
        struct str content = town_text(
            t,
            "{\"msgtype\":\"m.text\",\"body\":\"* edit %d\",\"m.new_content\":{\"msgtype\":"
            "\"m.text\",\"body\":\"edit %d\"},\"m.relates_to\":{\"rel_type\":\"m.replace\","
            "\"event_id\":\"%.*s\"}}",
            i, i, STR_ARG(first));
        struct str what = town_text(t, "send/m.room.message/e%d", i);
        CHECK(town_put(t, 0, alice, room, what.p, content.p).n > 0);
    }
    CHECK(town_join(t, 1, bob, room, 0));
    (void)page(t, 1, bob, room, "limit=50");
    CHECK(town_sees(t, 1, bob, room, first));
    const struct json *edit = json_get_object(
        json_get_object(json_get_object(t->answer, "unsigned"), "m.relations"), "m.replace");
    CHECK_STR(json_get_text(json_get_object(edit, "content"), "body"), STR("* edit 2"));
    town_free(t);
}

TEST_MAIN(TEST_ROW(of_two_edits_the_later_one_counts_whatever_came_first))

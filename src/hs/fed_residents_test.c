/* A join through residents that are gone, or that do not tell the truth: the next one is asked, and
 * nothing of what they told stays. */
#include "hs/town_model.h"

#include "base/encode.h"
#include "test/test.h"

#include <string.h>

/* What house 0 answers in place of the truth. */
struct lie {
    const char *to, *status_and_answer;
};

static const struct lie lies[] = {
    {"/make_join/", "{}"},
    {"/make_join/", "[]"},
    {"/make_join/", "{\"room_version\":\"none\",\"event\":{\"type\":\"m.room.member\"}}"},
    {"/make_join/", "{\"room_version\":\"11\",\"event\":{\"type\":\"m.room.power_levels\","
                    "\"content\":{\"membership\":\"join\"}}}"},
    {"/send_join/", "no JSON"},
    {"/send_join/", "{}"},
    {"/send_join/", "{\"state\":[],\"auth_chain\":[]}"},
    {"/send_join/", "{\"state\":7,\"auth_chain\":{}}"},
    {"/send_join/", "{\"state\":[{\"type\":\"m.room.create\",\"state_key\":\"\"}],"
                    "\"auth_chain\":[]}"},
    {"/send_join/", NULL}, /* all as it should be, but for the signatures */
};

static size_t told;

static enum fate lie(struct town *t, struct parcel *p)
{
    if (p->to != 0 || p->status != 200 || strstr(p->line.p, lies[told].to) == NULL) {
        return FATE_PASS;
    }
    if (lies[told].status_and_answer != NULL) {
        p->answer = str_of(lies[told].status_and_answer);
        return FATE_PASS;
    }
    char *text = arena_alloc(t->a, p->answer.n);
    memcpy(text, p->answer.p, p->answer.n);
    for (size_t i = 0; i + 12 < p->answer.n; i++) {
        if (memcmp(text + i, "\"signatures\"", 12) == 0) {
            text[i + 1] = 'x';
        }
    }
    p->answer = str_make(text, p->answer.n);
    return FATE_PASS;
}

struct scene {
    struct town *t;
    const char *alice, *bob, *carol;
    struct str room;
};

/* Alice's room at house 0 with Carol of house 2 in it. */
static struct scene scene_new(void)
{
    struct town *t = town_new(3);
    struct scene s = {.t = t,
                      .alice = town_user(t, 0, "alice"),
                      .bob = town_user(t, 1, "bob"),
                      .carol = town_user(t, 2, "carol")};
    s.room = town_room(t, 0, s.alice, "{\"preset\":\"public_chat\",\"name\":\"Den\"}");
    CHECK(town_join(t, 2, s.carol, s.room, 0));
    return s;
}

/* Bob asks house 0 first, then house 2. */
static int join(struct scene *s)
{
    struct str line =
        town_text(s->t, "POST /_matrix/client/v3/join/%.*s?server_name=%.*s&server_name=%.*s",
                  STR_ARG(percent_write(s->t->a, s->room)), STR_ARG(town_name(s->t, 0)),
                  STR_ARG(town_name(s->t, 2)));
    return town_ask(s->t, 1, s->bob, line.p, "{}");
}

static void check_inside(struct scene *s)
{
    struct str said = town_say(s->t, 2, s->carol, s->room, "welcome");
    struct str name = town_text(s->t, "GET /_matrix/client/v3/rooms/%.*s/state/m.room.name",
                                STR_ARG(percent_write(s->t->a, s->room)));
    struct str answered = town_say(s->t, 1, s->bob, s->room, "thanks");
    CHECK(town_sees(s->t, 1, s->bob, s->room, said));
    CHECK(town_sees(s->t, 2, s->carol, s->room, answered));
    CHECK(town_ask(s->t, 1, s->bob, name.p, "") == 200);
    CHECK_STR(json_get_text(s->t->answer, "name"), STR("Den"));
}

TEST(a_resident_that_lies_is_passed_over)
{
    for (told = 0; told < COUNT_OF(lies); told++) {
        struct scene s = scene_new();
        s.t->rule = lie;
        int status = join(&s);
        CHECK(status == 200);
        if (status != 200) {
            printf("# after lie %zu the join is answered %d\n", told, status);
        }
        check_inside(&s);
        town_free(s.t);
    }
}

TEST(a_resident_that_is_gone_is_passed_over)
{
    struct scene s = scene_new();
    s.t->houses[0].is_away = true;
    CHECK(join(&s) == 200);
    check_inside(&s);
    town_free(s.t);
}

TEST(where_every_resident_lies_nobody_is_in_the_room)
{
    struct scene s = scene_new();
    s.t->rule = lie;
    s.t->houses[2].is_away = true;
    for (told = 0; told < COUNT_OF(lies); told++) {
        CHECK(join(&s) == 404);
    }
    CHECK(town_ask(s.t, 1, s.bob, "GET /_matrix/client/v3/joined_rooms", "") == 200);
    CHECK(json_count(json_get_array(s.t->answer, "joined_rooms")) == 0);
    s.t->houses[2].is_away = false;
    s.t->rule = NULL;
    CHECK(join(&s) == 200);
    check_inside(&s);
    town_free(s.t);
}

TEST_MAIN(TEST_ROW(a_resident_that_lies_is_passed_over),
          TEST_ROW(a_resident_that_is_gone_is_passed_over),
          TEST_ROW(where_every_resident_lies_nobody_is_in_the_room))

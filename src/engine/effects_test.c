/* Nothing leaves before the turn it saw is durable, and then in order. */
#include "engine/effects.h"

#include "test/test.h"

/* The next effect's kind, or -1. */
static int next(struct effects *e, struct effect *out)
{
    return effects_next(e, out) ? (int)out->kind : -1;
}

TEST(an_answer_waits_for_the_flush_of_its_turn)
{
    struct effects *e = effects_new();
    struct effect out;
    effects_respond(e, 7, 200, STR("a: b\r\n"), STR("{}"));
    CHECK(next(e, &out) == -1);
    effects_committed(e, true);
    CHECK(next(e, &out) == EFFECT_FLUSH);
    uint64_t turn = out.id;
    CHECK(next(e, &out) == -1);
    CHECK(effects_is_dirty(e));
    effects_flushed(e, turn);
    CHECK(next(e, &out) == EFFECT_RESPOND);
    CHECK(out.id == 7 && out.status == 200);
    CHECK_STR(out.head, STR("a: b\r\n"));
    CHECK_STR(out.bytes, STR("{}"));
    CHECK(!effects_is_dirty(e));
    effects_free(e);
}

TEST(a_read_waits_for_the_flush_in_flight)
{
    struct effects *e = effects_new();
    struct effect out;
    effects_committed(e, true);
    CHECK(next(e, &out) == EFFECT_FLUSH);
    uint64_t turn = out.id;
    effects_respond(e, 1, 200, STR(""), STR("read"));
    effects_committed(e, false);
    CHECK(next(e, &out) == -1);
    effects_flushed(e, turn);
    CHECK(next(e, &out) == EFFECT_RESPOND);
    effects_free(e);
}

TEST(a_read_with_nothing_to_wait_for_leaves_at_once)
{
    struct effects *e = effects_new();
    struct effect out;
    effects_respond(e, 1, 200, STR(""), STR("read"));
    effects_committed(e, false);
    CHECK(next(e, &out) == EFFECT_RESPOND);
    effects_free(e);
}

TEST(one_flush_is_in_flight_and_the_next_takes_all_that_came_since)
{
    struct effects *e = effects_new();
    struct effect out;
    effects_committed(e, true);
    CHECK(next(e, &out) == EFFECT_FLUSH);
    uint64_t first = out.id;
    effects_committed(e, true);
    effects_committed(e, true);
    CHECK(next(e, &out) == -1);
    effects_flushed(e, first);
    CHECK(next(e, &out) == EFFECT_FLUSH);
    CHECK(out.id == first + 2);
    effects_free(e);
}

TEST(a_cut_drops_what_came_after_the_mark_and_nothing_else)
{
    struct effects *e = effects_new();
    struct effect out;
    effects_send(e, 1, STR("kept"), true);
    size_t mark = effects_mark(e);
    effects_send(e, 1, STR("cut"), true);
    effects_send(e, 1, STR("cut too"), true);
    effects_cut(e, mark);
    effects_send(e, 1, STR("after"), false);
    effects_committed(e, false);
    CHECK(next(e, &out) == EFFECT_SEND);
    CHECK_STR(out.bytes, STR("kept"));
    CHECK(next(e, &out) == EFFECT_SEND);
    CHECK_STR(out.bytes, STR("after"));
    CHECK(!out.is_text);
    CHECK(next(e, &out) == -1);
    effects_free(e);
}

TEST(after_a_lost_turn_only_a_restart_leaves_and_only_once)
{
    struct effects *e = effects_new();
    struct effect out;
    effects_respond(e, 1, 200, STR(""), STR("never"));
    effects_restart(e);
    effects_respond(e, 2, 200, STR(""), STR("never either"));
    CHECK(next(e, &out) == EFFECT_RESTART);
    CHECK(next(e, &out) == -1);
    effects_free(e);
}

TEST(a_wake_is_told_when_it_changes)
{
    struct effects *e = effects_new();
    struct effect out;
    CHECK(next(e, &out) == -1);
    effects_wake(e, 500, (struct now){100, 0});
    CHECK(next(e, &out) == EFFECT_WAKE);
    CHECK(out.at_mono_ms == 500);
    effects_wake(e, 500, (struct now){100, 0});
    CHECK(next(e, &out) == -1);
    effects_free(e);
}

TEST(what_is_due_still_is_told_again)
{
    struct effects *e = effects_new();
    struct effect out;
    effects_wake(e, 500, (struct now){100, 0});
    CHECK(next(e, &out) == EFFECT_WAKE && out.at_mono_ms == 500);
    effects_wake(e, 500, (struct now){500, 0});
    CHECK(next(e, &out) == EFFECT_WAKE && out.at_mono_ms == 501);
    effects_wake(e, -1, (struct now){501, 0});
    CHECK(next(e, &out) == EFFECT_WAKE && out.at_mono_ms == -1);
    effects_free(e);
}

TEST(what_is_spared_waits_for_another_turn_s_flush_and_holds_nothing_back)
{
    struct effects *e = effects_new();
    struct effect out;
    effects_spared(e, (struct now){100, 0});
    effects_respond(e, 1, 200, STR(""), STR("read"));
    effects_committed(e, false);
    effects_wake(e, -1, (struct now){100, 0});
    CHECK(next(e, &out) == EFFECT_RESPOND);
    CHECK(next(e, &out) == EFFECT_WAKE);
    CHECK(next(e, &out) == -1);
    CHECK(effects_is_dirty(e));
    effects_committed(e, true);
    effects_wake(e, -1, (struct now){101, 0});
    CHECK(next(e, &out) == EFFECT_FLUSH);
    effects_flushed(e, out.id);
    CHECK(!effects_is_dirty(e));
    effects_wake(e, -1, (struct now){102, 0});
    CHECK(next(e, &out) == EFFECT_WAKE && out.at_mono_ms == -1);
    effects_free(e);
}

TEST(what_is_spared_is_flushed_in_a_moment_also_behind_a_flush_in_flight)
{
    struct effects *e = effects_new();
    struct effect out;
    effects_committed(e, true);
    CHECK(next(e, &out) == EFFECT_FLUSH);
    uint64_t first = out.id;
    effects_spared(e, (struct now){100, 0});
    effects_committed(e, false);
    effects_wake(e, -1, (struct now){100, 0});
    CHECK(next(e, &out) == EFFECT_WAKE);
    int64_t due = out.at_mono_ms;
    CHECK(due > 100);
    effects_flushed(e, first);
    effects_spared(e, (struct now){due - 1, 0});
    effects_wake(e, -1, (struct now){due - 1, 0});
    CHECK(next(e, &out) == -1);
    effects_wake(e, -1, (struct now){due, 0});
    CHECK(next(e, &out) == EFFECT_FLUSH);
    CHECK(out.id != first);
    effects_flushed(e, out.id);
    CHECK(!effects_is_dirty(e));
    effects_free(e);
}

TEST_MAIN(TEST_ROW(an_answer_waits_for_the_flush_of_its_turn),
          TEST_ROW(a_read_waits_for_the_flush_in_flight),
          TEST_ROW(a_read_with_nothing_to_wait_for_leaves_at_once),
          TEST_ROW(one_flush_is_in_flight_and_the_next_takes_all_that_came_since),
          TEST_ROW(a_cut_drops_what_came_after_the_mark_and_nothing_else),
          TEST_ROW(after_a_lost_turn_only_a_restart_leaves_and_only_once),
          TEST_ROW(a_wake_is_told_when_it_changes), TEST_ROW(what_is_due_still_is_told_again),
          TEST_ROW(what_is_spared_waits_for_another_turn_s_flush_and_holds_nothing_back),
          TEST_ROW(what_is_spared_is_flushed_in_a_moment_also_behind_a_flush_in_flight))

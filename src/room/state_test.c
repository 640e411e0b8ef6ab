#include "room/state.h"

#include "base/buf.h"

#include "test/test.h"

TEST(entries_are_put_replaced_and_removed)
{
    struct arena *a = arena_new();
    struct state s;
    state_init(&s, a);
    CHECK(str_is_absent(state_get(&s, STR("t"), STR(""))));
    CHECK(!state_remove(&s, STR("t"), STR("")) && state_next(&s, NULL) == NULL);
    state_put(&s, STR("t"), STR(""), STR("$1"));
    state_put(&s, STR("t"), STR("k"), STR("$2"));
    state_put(&s, STR("tk"), STR(""), STR("$3"));
    state_put(&s, STR("t"), STR(""), STR("$4"));
    CHECK(state_count(&s) == 3);
    CHECK_STR(state_get(&s, STR("t"), STR("")), STR("$4"));
    CHECK_STR(state_get(&s, STR("t"), STR("k")), STR("$2"));
    CHECK_STR(state_get(&s, STR("tk"), STR("")), STR("$3"));
    CHECK(state_remove(&s, STR("t"), STR("k")) && state_count(&s) == 2);
    CHECK(str_is_absent(state_get(&s, STR("t"), STR("k"))));
    state_put(&s, STR("t"), STR("k"), STR("$5"));
    CHECK_STR(state_get(&s, STR("t"), STR("k")), STR("$5"));
    arena_free(a);
}

TEST(a_walk_follows_the_order_of_insertion_through_growth)
{
    struct arena *a = arena_new();
    struct state s, copy;
    size_t n = 0;
    state_init(&s, a);
    for (int i = 0; i < 1000; i++) {
        struct str key = arena_fmt(a, "%d", i);
        state_put_copy(&s, STR("t"), key, key);
    }
    for (int i = 0; i < 1000; i += 2) {
        CHECK(state_remove(&s, STR("t"), arena_fmt(a, "%d", i)));
    }
    state_copy(&copy, &s, a);
    state_put(&s, STR("t"), STR("late"), STR("x"));
    for (const struct state_entry *e = state_next(&copy, NULL); e; e = state_next(&copy, e)) {
        CHECK_STR(e->state_key, arena_fmt(a, "%zu", 2 * n + 1));
        n++;
    }
    CHECK(n == 500 && state_count(&copy) == 500 && state_count(&s) == 501);
    arena_free(a);
}

struct changes {
    struct buf text;
};

static void note(void *ctx, struct str type, struct str state_key, struct str event_id)
{
    struct changes *c = ctx;
    buf_add_fmt(&c->text, "%.*s/%.*s=%.*s ", STR_ARG(type), STR_ARG(state_key), (int)event_id.n,
                event_id.p == NULL ? "" : event_id.p);
}

TEST(a_difference_names_what_is_new_other_and_gone)
{
    struct arena *a = arena_new();
    struct state from, to;
    struct changes c;
    state_init(&from, a);
    state_init(&to, a);
    buf_init_in(&c.text, a, 1000);
    CHECK(state_eq(&from, &to));
    state_put(&from, STR("same"), STR(""), STR("$1"));
    state_put(&from, STR("other"), STR(""), STR("$2"));
    state_put(&from, STR("gone"), STR("k"), STR("$3"));
    state_put(&to, STR("new"), STR(""), STR("$5"));
    state_put(&to, STR("other"), STR(""), STR("$4"));
    state_put(&to, STR("same"), STR(""), STR("$1"));
    CHECK(!state_eq(&from, &to));
    state_diff(&from, &to, note, &c);
    CHECK_STR(buf_str(&c.text), STR("new/=$5 other/=$4 gone/k= "));
    (void)state_remove(&from, STR("gone"), STR("k"));
    state_put(&from, STR("new"), STR(""), STR("$5"));
    state_put(&from, STR("other"), STR(""), STR("$4"));
    CHECK(state_eq(&from, &to) && state_eq(&to, &from));
    arena_free(a);
}

TEST_MAIN(TEST_ROW(entries_are_put_replaced_and_removed),
          TEST_ROW(a_walk_follows_the_order_of_insertion_through_growth),
          TEST_ROW(a_difference_names_what_is_new_other_and_gone))

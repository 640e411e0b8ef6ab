#include "base/map.h"
#include "test/test.h"

static int values[2000];

TEST(an_empty_map_answers_nothing)
{
    struct map m;
    map_init(&m);
    CHECK(map_get(&m, STR("a")) == NULL);
    CHECK(map_remove(&m, STR("a")) == NULL);
    CHECK(map_next(&m, NULL) == NULL);
    CHECK(map_count(&m) == 0);
    map_release(&m);
}

TEST(values_are_found_replaced_and_removed)
{
    struct map m;
    map_init(&m);
    map_put(&m, STR("a"), &values[1]);
    map_put(&m, STR(""), &values[2]);
    map_put(&m, STR("a"), &values[3]);
    CHECK(map_count(&m) == 2);
    CHECK(map_get(&m, STR("a")) == &values[3]);
    CHECK(map_get(&m, STR("")) == &values[2]);
    CHECK(map_get(&m, STR("b")) == NULL);
    CHECK(map_remove(&m, STR("a")) == &values[3]);
    CHECK(map_remove(&m, STR("a")) == NULL);
    CHECK(map_get(&m, STR("a")) == NULL);
    CHECK(map_count(&m) == 1);
    map_put(&m, STR("a"), &values[4]);
    CHECK(map_get(&m, STR("a")) == &values[4]);
    map_clear(&m);
    CHECK(map_count(&m) == 0 && map_get(&m, STR("a")) == NULL);
    map_release(&m);
}

/* Fills with k0, k1, ...; the keys live in the arena. */
static void fill(struct map *m, struct arena *a, int n)
{
    for (int i = 0; i < n; i++) {
        map_put(m, arena_fmt(a, "k%d", i), &values[i]);
    }
}

TEST(walks_go_in_order_of_insertion_whatever_was_removed)
{
    struct arena *a = arena_new();
    struct map m;
    map_init_in(&m, a);
    fill(&m, a, 2000);
    for (int i = 0; i < 2000; i += 2) {
        CHECK(map_remove(&m, arena_fmt(a, "k%d", i)) == &values[i]);
    }
    int want = 1;
    for (struct map_entry *e = map_next(&m, NULL); e != NULL; e = map_next(&m, e)) {
        CHECK(e->value == &values[want]);
        want += 2;
    }
    CHECK(want == 2001);
    CHECK(map_count(&m) == 1000);
    arena_free(a);
}

TEST(the_entry_at_hand_may_be_removed_or_replaced_in_a_walk)
{
    struct arena *a = arena_new();
    struct map m;
    map_init(&m);
    fill(&m, a, 8); /* as many as the first table holds */
    for (struct map_entry *e = map_next(&m, NULL); e != NULL; e = map_next(&m, e)) {
        struct str key = e->key;
        map_put(&m, key, &values[100]);
        if (e == m.entries) {
            map_remove(&m, key);
        }
    }
    CHECK(map_count(&m) == 7);
    CHECK(map_get(&m, STR("k0")) == NULL && map_get(&m, STR("k7")) == &values[100]);
    map_release(&m);
    arena_free(a);
}

TEST(putting_and_removing_for_ever_needs_no_more_room)
{
    struct map m;
    map_init(&m);
    for (int i = 0; i < 10000; i++) {
        map_put(&m, STR("a"), &values[0]);
        CHECK(map_get(&m, STR("a")) == &values[0]);
        map_remove(&m, STR("a"));
    }
    CHECK(m.cap_entries <= 64 && m.n_slots <= 128);
    map_release(&m);
}

TEST_MAIN(TEST_ROW(an_empty_map_answers_nothing), TEST_ROW(values_are_found_replaced_and_removed),
          TEST_ROW(walks_go_in_order_of_insertion_whatever_was_removed),
          TEST_ROW(the_entry_at_hand_may_be_removed_or_replaced_in_a_walk),
          TEST_ROW(putting_and_removing_for_ever_needs_no_more_room))

#include "base/arena.h"
#include "test/test.h"

static bool is_zero(const unsigned char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (p[i] != 0) {
            return false;
        }
    }
    return true;
}

TEST(memory_is_zeroed_and_aligned_also_after_a_clear)
{
    struct arena *a = arena_new();
    for (int round = 0; round < 3; round++) {
        for (size_t size = 1; size < 3000; size += 97) {
            unsigned char *p = arena_alloc(a, size);
            CHECK((uintptr_t)p % _Alignof(max_align_t) == 0);
            CHECK(is_zero(p, size));
            memset(p, 0xFF, size);
        }
        arena_clear(a);
        CHECK(arena_size(a) == 0);
    }
    arena_free(a);
}

TEST(a_piece_larger_than_a_block_is_served)
{
    struct arena *a = arena_new();
    unsigned char *small = arena_alloc(a, 8);
    unsigned char *large = arena_alloc(a, 1000000);
    small[0] = 1;
    large[999999] = 2;
    CHECK(arena_size(a) >= 1000008);
    CHECK(small[0] == 1);
    arena_free(a);
}

TEST(pieces_do_not_overlap)
{
    struct arena *a = arena_new();
    enum { N = 500 };
    int *pieces[N];
    for (int i = 0; i < N; i++) {
        pieces[i] = arena_array(a, 25, sizeof(int));
        pieces[i][0] = i;
        pieces[i][24] = i;
    }
    for (int i = 0; i < N; i++) {
        CHECK(pieces[i][0] == i && pieces[i][24] == i);
    }
    arena_free(a);
}

struct trace {
    char text[8];
    size_t n;
};

struct note {
    struct trace *trace;
    char letter;
};

static void write_note(void *p)
{
    const struct note *note = p;
    note->trace->text[note->trace->n] = note->letter;
    note->trace->n++;
}

TEST(deferred_calls_run_last_first_and_once)
{
    struct trace trace = {{0}, 0};
    struct note notes[] = {{&trace, 'a'}, {&trace, 'b'}, {&trace, 'c'}};
    struct arena *a = arena_new();
    arena_defer(a, write_note, &notes[0]);
    arena_defer(a, write_note, &notes[1]);
    arena_clear(a);
    CHECK_STR(str_make(trace.text, trace.n), STR("ba"));
    arena_defer(a, write_note, &notes[2]);
    arena_free(a);
    CHECK_STR(str_make(trace.text, trace.n), STR("bac"));
    arena_free(NULL);
}

TEST(copies_are_terminated_and_absent_stays_absent)
{
    struct arena *a = arena_new();
    struct str copy = arena_str(a, str_make("abcdef", 3));
    CHECK_STR(copy, STR("abc"));
    CHECK(strlen(copy.p) == 3);
    CHECK(str_is_absent(arena_str(a, STR_ABSENT)));
    CHECK(!str_is_absent(arena_str(a, STR(""))));
    arena_free(a);
}

TEST(formats_and_joins_live_in_the_arena)
{
    struct arena *a = arena_new();
    CHECK_STR(arena_fmt(a, "%s-%d", "x", 42), STR("x-42"));
    CHECK_STR(arena_fmt(a, "%s", ""), STR(""));
    CHECK_STR(arena_join(a, STR("a"), STR_ABSENT, STR("c")), STR("ac"));
    CHECK_STR(arena_join(a, STR_ABSENT, STR_ABSENT, STR_ABSENT), STR(""));
    arena_free(a);
}

TEST_MAIN(TEST_ROW(memory_is_zeroed_and_aligned_also_after_a_clear),
          TEST_ROW(a_piece_larger_than_a_block_is_served), TEST_ROW(pieces_do_not_overlap),
          TEST_ROW(deferred_calls_run_last_first_and_once),
          TEST_ROW(copies_are_terminated_and_absent_stays_absent),
          TEST_ROW(formats_and_joins_live_in_the_arena))

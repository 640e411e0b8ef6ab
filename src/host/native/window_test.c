/* What the host adds to the workshop window. */
#include "host/native/window.h"

#include "base/limits.h"
#include "test/test.h"
#include "json/json.h"

#define HEAD(path) STR("GET " path " HTTP/1.1\r\nhost: localhost\r\n\r\n")

static struct json *status_of(struct window *w, struct arena *a, uint64_t id)
{
    struct buf out;
    struct json *status = NULL;
    buf_init_in(&out, a, HTTP_ANSWER_MAX);
    CHECK(!window_request(w, id, HEAD("/_neurite/status?x=y")));
    struct str text = window_answer(w, id, 200, STR("{\"server_name\":\"s\"}"), &out);
    CHECK(json_parse(a, text, &status, NULL) == ERR_NONE);
    CHECK(str_eq(json_get_text(status, "server_name"), STR("s")));
    return json_get_object(status, "host");
}

TEST(serves_the_page_for_its_path_only)
{
    struct window *w = window_new();
    CHECK(window_request(w, 1, HEAD("/_neurite/")));
    CHECK(window_request(w, 1, HEAD("/_neurite")));
    CHECK(window_request(w, 1, HEAD("/_neurite/?a=b")));
    CHECK(!window_request(w, 1, HEAD("/_neurite/else")));
    CHECK(!window_request(w, 1, HEAD("/_matrix/client/versions")));
    CHECK(!window_request(w, 1, STR("POST /_neurite/ HTTP/1.1\r\n\r\n")));
    CHECK(!window_request(w, 1, STR("GET")));
    CHECK(str_starts(window_page(), STR("<!doctype html>")));
    window_free(w);
}

TEST(leaves_other_answers_and_refusals_alone)
{
    struct window *w = window_new();
    struct arena *a = arena_new();
    struct buf out;
    buf_init_in(&out, a, HTTP_ANSWER_MAX);
    CHECK(str_eq(window_answer(w, 7, 200, STR("{}"), &out), STR("{}")));
    CHECK(!window_request(w, 7, HEAD("/_neurite/status")));
    CHECK(str_eq(window_answer(w, 7, 401, STR("{}"), &out), STR("{}")));
    CHECK(str_eq(window_answer(w, 7, 200, STR("{}"), &out), STR("{}")));
    arena_free(a);
    window_free(w);
}

TEST(keeps_the_last_500_lines_in_order)
{
    struct window *w = window_new();
    struct arena *a = arena_new();
    for (int i = 0; i < 1234; i++) {
        window_line(w, arena_fmt(a, "line \"%d\"", i));
    }
    const struct json *log = json_get_array(status_of(w, a, 3), "log");
    int i = 734;
    CHECK(json_count(log) == WINDOW_LINES_MAX);
    for (const struct json *line = json_first(log); line != NULL; line = json_next(line)) {
        CHECK(str_eq(json_text(line), arena_fmt(a, "line \"%d\"", i++)));
    }
    arena_free(a);
    window_free(w);
}

TEST(tells_the_times_of_commits)
{
    struct window *w = window_new();
    struct arena *a = arena_new();
    struct buf out;
    CHECK(json_get(json_get_object(status_of(w, a, 3), "commit"), STR("p50_ms")) == NULL);
    for (int i = 1; i <= 100; i++) {
        window_commit(w, i * 1000);
    }
    const struct json *commit = json_get_object(status_of(w, a, 3), "commit");
    CHECK(json_get_int(commit, "n", 0) == 100);
    CHECK(str_eq(json_literal(json_get(commit, STR("p50_ms"))), STR("51.000")));
    CHECK(str_eq(json_literal(json_get(commit, STR("p99_ms"))), STR("100.000")));
    buf_init_in(&out, a, HTTP_ANSWER_MAX);
    CHECK(!window_request(w, 9, HEAD("/_neurite/metrics")));
    struct str text = window_answer(w, 9, 200, STR("neurite_accounts 1\n"), &out);
    CHECK(str_starts(text, STR("neurite_accounts 1\n# HELP neurite_commits_total ")));
    CHECK(str_ends(text, STR("\nneurite_commit_seconds{quantile=\"0.5\"} 0.051000\n"
                             "neurite_commit_seconds{quantile=\"0.99\"} 0.100000\n"
                             "neurite_commit_seconds_count 100\n")));
    arena_free(a);
    window_free(w);
}

TEST(of_more_questions_than_it_remembers_the_oldest_are_answered_without_it)
{
    struct window *w = window_new();
    struct arena *a = arena_new();
    struct buf out;
    buf_init_in(&out, a, HTTP_ANSWER_MAX);
    for (uint64_t id = 1; id <= WINDOW_ASKED_MAX + 1; id++) {
        CHECK(!window_request(w, id, HEAD("/_neurite/status")));
    }
    CHECK(str_eq(window_answer(w, 1, 200, STR("{}"), &out), STR("{}")));
    CHECK(window_answer(w, 2, 200, STR("{\"a\":1}"), &out).n > 7);
    arena_free(a);
    window_free(w);
}

TEST_MAIN(TEST_ROW(serves_the_page_for_its_path_only),
          TEST_ROW(leaves_other_answers_and_refusals_alone),
          TEST_ROW(keeps_the_last_500_lines_in_order), TEST_ROW(tells_the_times_of_commits),
          TEST_ROW(of_more_questions_than_it_remembers_the_oldest_are_answered_without_it))

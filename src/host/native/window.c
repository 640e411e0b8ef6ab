/* Two rings and a few words around them. */
#include "host/native/window.h"

#include "json/json.h"

#include "status_page.h"

#include <stdlib.h>
#include <string.h>

enum view {
    VIEW_NONE = 0,
    VIEW_PAGE,
    VIEW_STATUS,
    VIEW_METRICS,
};

struct window {
    struct str lines[WINDOW_LINES_MAX]; /* each owned */
    size_t n_lines;                     /* written so far, as all of these counts */
    int64_t commits_us[WINDOW_COMMITS_MAX];
    size_t n_commits;
    struct {
        uint64_t id;
        enum view view;
    } asked[WINDOW_ASKED_MAX]; /* a ring, too: a client may leave before its answer */
    size_t n_asked;
};

struct window *window_new(void)
{
    return base_alloc(sizeof(struct window));
}

void window_free(struct window *w)
{
    if (w != NULL) {
        for (size_t i = 0; i < WINDOW_LINES_MAX; i++) {
            base_free((void *)(uintptr_t)w->lines[i].p);
        }
        base_free(w);
    }
}

void window_line(struct window *w, struct str line)
{
    struct str *slot = &w->lines[w->n_lines++ % WINDOW_LINES_MAX];
    char *copy = base_alloc(line.n + 1);
    memcpy(copy, line.p, line.n);
    base_free((void *)(uintptr_t)slot->p);
    *slot = str_make(copy, line.n);
}

void window_commit(struct window *w, int64_t took_us)
{
    w->commits_us[w->n_commits++ % WINDOW_COMMITS_MAX] = took_us;
}

static enum view view_of(struct str head)
{
    struct str method, target, path, rest;
    if (!str_cut(head, ' ', &method, &rest) || !str_eq(method, STR("GET")) ||
        !str_cut(rest, ' ', &target, &rest)) {
        return VIEW_NONE;
    }
    path = target;
    (void)str_cut(target, '?', &path, &rest);
    if (str_eq(path, STR("/_neurite/")) || str_eq(path, STR("/_neurite"))) {
        return VIEW_PAGE;
    }
    if (str_eq(path, STR("/_neurite/status"))) {
        return VIEW_STATUS;
    }
    return str_eq(path, STR("/_neurite/metrics")) ? VIEW_METRICS : VIEW_NONE;
}

bool window_request(struct window *w, uint64_t id, struct str head)
{
    enum view view = view_of(head);
    if (view > VIEW_PAGE) {
        size_t slot = w->n_asked++ % WINDOW_ASKED_MAX;
        w->asked[slot].id = id;
        w->asked[slot].view = view;
    }
    return view == VIEW_PAGE;
}

struct str window_page_head(void)
{
    return STR("content-type: text/html; charset=utf-8\r\n"
               "content-security-policy: default-src 'none'; connect-src 'self'; img-src data:; "
               "style-src 'unsafe-inline'; script-src 'unsafe-inline'; frame-ancestors 'none'\r\n"
               "cache-control: no-store\r\n");
}

struct str window_page(void)
{
    return str_make(status_page, status_page_size);
}

static int compare(const void *a, const void *b)
{
    int64_t x, y;
    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return (x > y) - (x < y);
}

/* The time that so many in a hundred of the last commits stayed below; 0 without any. */
static int64_t quantile_us(const struct window *w, size_t percent)
{
    int64_t sorted[WINDOW_COMMITS_MAX];
    size_t n = w->n_commits < WINDOW_COMMITS_MAX ? w->n_commits : WINDOW_COMMITS_MAX;
    if (n == 0) {
        return 0;
    }
    memcpy(sorted, w->commits_us, n * sizeof(sorted[0]));
    qsort(sorted, n, sizeof(sorted[0]), compare);
    return sorted[n * percent / 100];
}

static void add_ms(struct buf *out, const char *key, int64_t us)
{
    buf_add_fmt(out, ",\"%s\":%lld.%03d", key, (long long)(us / 1000), (int)(us % 1000));
}

static void add_status(const struct window *w, struct buf *out)
{
    buf_add_fmt(out, ",\"host\":{\"flushes\":%zu,\"commit\":{\"n\":%zu", w->n_commits,
                w->n_commits < WINDOW_COMMITS_MAX ? w->n_commits : WINDOW_COMMITS_MAX);
    if (w->n_commits > 0) {
        add_ms(out, "p50_ms", quantile_us(w, 50));
        add_ms(out, "p99_ms", quantile_us(w, 99));
    }
    buf_add(out, STR("},\"log\":["));
    size_t first = w->n_lines < WINDOW_LINES_MAX ? 0 : w->n_lines - WINDOW_LINES_MAX;
    for (size_t i = first; i < w->n_lines; i++) {
        if (i > first) {
            buf_add_char(out, ',');
        }
        json_write_text(out, w->lines[i % WINDOW_LINES_MAX]);
    }
    buf_add(out, STR("]}}"));
}

static void add_seconds(struct buf *out, const char *quantile, int64_t us)
{
    buf_add_fmt(out, "neurite_commit_seconds{quantile=\"%s\"} %lld.%06d\n", quantile,
                (long long)(us / 1000000), (int)(us % 1000000));
}

static void add_metrics(const struct window *w, struct buf *out)
{
    buf_add_fmt(out,
                "# HELP neurite_commits_total durable commits since the start\n"
                "# TYPE neurite_commits_total counter\n"
                "neurite_commits_total %zu\n"
                "# HELP neurite_commit_seconds how long the last commits took\n"
                "# TYPE neurite_commit_seconds summary\n",
                w->n_commits);
    if (w->n_commits > 0) {
        add_seconds(out, "0.5", quantile_us(w, 50));
        add_seconds(out, "0.99", quantile_us(w, 99));
    }
    buf_add_fmt(out, "neurite_commit_seconds_count %zu\n", w->n_commits);
}

/* Forgets the request. */
static enum view take_asked(struct window *w, uint64_t id)
{
    for (size_t i = 0; i < WINDOW_ASKED_MAX; i++) {
        if (w->asked[i].view != VIEW_NONE && w->asked[i].id == id) {
            enum view view = w->asked[i].view;
            w->asked[i].view = VIEW_NONE;
            return view;
        }
    }
    return VIEW_NONE;
}

struct str window_answer(struct window *w, uint64_t id, int status, struct str bytes,
                         struct buf *out)
{
    enum view view = take_asked(w, id);
    if (view == VIEW_NONE || status != 200) {
        return bytes;
    }
    if (view == VIEW_STATUS) {
        buf_add(out, str_sub(bytes, 0, bytes.n - 1)); /* an object, and it goes on */
        add_status(w, out);
    } else {
        buf_add(out, bytes);
        add_metrics(w, out);
    }
    return out->overflow ? bytes : buf_str(out);
}

#include "host/native/resolve.h"

#include "test/test.h"

#include <string.h>

/* What the world answers, and where the name must lead. */
struct row {
    const char *name;
    const char *well_known;          /* m.server; NULL: none */
    const char *fed_host, *old_host; /* of the SRV records, at port 77; NULL: none */
    const char *asked;               /* in order */
    const char *host;                /* NULL: no server name */
    uint16_t port;
    const char *authority, *identity;
    bool is_address;
};

/* clang-format off */
static const struct row names[] = {
    /* name            m.server        SRV, fed and old   asked                                                    host        port  Host              identity */
    {"1.2.3.4",        NULL,           NULL, NULL,        "",                                                      "1.2.3.4",  8448, "1.2.3.4",        "1.2.3.4",  true },
    {"1.2.3.4:5",      NULL,           NULL, NULL,        "",                                                      "1.2.3.4",  5,    "1.2.3.4:5",      "1.2.3.4",  true },
    {"[2001:db8::1]",  NULL,           NULL, NULL,        "",                                                      "2001:db8::1", 8448, "[2001:db8::1]", "2001:db8::1", true },
    {"[::1]:65535",    NULL,           NULL, NULL,        "",                                                      "::1",      65535, "[::1]:65535",   "::1",      true },
    {"a.org:80",       "b.org",        "s.org", "o.org",  "",                                                      "a.org",    80,   "a.org:80",       "a.org",    false},
    {"a.org",          "9.9.9.9",      "s.org", "o.org",  "w:a.org ",                                              "9.9.9.9",  8448, "9.9.9.9",        "9.9.9.9",  true },
    {"a.org",          "[::2]:9",      NULL, NULL,        "w:a.org ",                                              "::2",      9,    "[::2]:9",        "::2",      true },
    {"a.org",          "b.org:443",    "s.org", "o.org",  "w:a.org ",                                              "b.org",    443,  "b.org:443",      "b.org",    false},
    {"a.org",          "b.org",        "s.org", "o.org",  "w:a.org s:_matrix-fed._tcp.b.org ",                     "s.org",    77,   "b.org",          "b.org",    false},
    {"a.org",          "b.org",        NULL, "o.org",     "w:a.org s:_matrix-fed._tcp.b.org s:_matrix._tcp.b.org ", "o.org",   77,   "b.org",          "b.org",    false},
    {"a.org",          "b.org",        NULL, NULL,        "w:a.org s:_matrix-fed._tcp.b.org s:_matrix._tcp.b.org ", "b.org",   8448, "b.org",          "b.org",    false},
    {"a.org",          NULL,           "s.org", NULL,     "w:a.org s:_matrix-fed._tcp.a.org ",                     "s.org",    77,   "a.org",          "a.org",    false},
    {"a.org",          NULL,           NULL, "o.org",     "w:a.org s:_matrix-fed._tcp.a.org s:_matrix._tcp.a.org ", "o.org",   77,   "a.org",          "a.org",    false},
    {"a.org",          NULL,           NULL, NULL,        "w:a.org s:_matrix-fed._tcp.a.org s:_matrix._tcp.a.org ", "a.org",   8448, "a.org",          "a.org",    false},
    {"a.org",          "b_org",        "s.org", NULL,     "w:a.org s:_matrix-fed._tcp.a.org ",                     "s.org",    77,   "a.org",          "a.org",    false},
    {"a.org:0",        NULL,           NULL, NULL,        "",                                                      NULL,       0,    NULL,             NULL,       false},
    {"a.org:65536",    NULL,           NULL, NULL,        "",                                                      NULL,       0,    NULL,             NULL,       false},
    {"a.org:",         NULL,           NULL, NULL,        "",                                                      NULL,       0,    NULL,             NULL,       false},
    {"a org",          NULL,           NULL, NULL,        "",                                                      NULL,       0,    NULL,             NULL,       false},
    {"[::1",           NULL,           NULL, NULL,        "",                                                      NULL,       0,    NULL,             NULL,       false},
    {"[::1]8",         NULL,           NULL, NULL,        "",                                                      NULL,       0,    NULL,             NULL,       false},
    {"[a.org]",        NULL,           NULL, NULL,        "",                                                      NULL,       0,    NULL,             NULL,       false},
    {"",               NULL,           NULL, NULL,        "",                                                      NULL,       0,    NULL,             NULL,       false},
};
/* clang-format on */

static void answer(struct resolve *r, const struct row *row)
{
    if (r->step == RESOLVE_WELL_KNOWN) {
        resolve_take_well_known(r, row->well_known == NULL ? STR_ABSENT : str_of(row->well_known));
        return;
    }
    bool is_old = strncmp(r->ask, "_matrix._tcp.", 13) == 0;
    const char *host = is_old ? row->old_host : row->fed_host;
    struct resolve_srv record = {host, 77, 10, 1};
    resolve_take_srv(r, &record, host == NULL ? 0 : 1);
}

TEST(a_name_leads_where_the_specification_says)
{
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const struct row *row = &names[i];
        struct resolve r;
        char asked[512] = "";
        resolve_begin(&r, str_of(row->name));
        for (int n = 0; n < 5 && (r.step == RESOLVE_WELL_KNOWN || r.step == RESOLVE_SRV); n++) {
            size_t at = strlen(asked);
            CHECK(at < 200);
            snprintf(asked + at, sizeof(asked) - at, "%s:%.100s ",
                     r.step == RESOLVE_SRV ? "s" : "w", r.ask);
            answer(&r, row);
        }
        CHECK_STR(str_of(asked), str_of(row->asked));
        CHECK((r.step == RESOLVE_DONE) == (row->host != NULL));
        if (row->host != NULL && r.step == RESOLVE_DONE) {
            CHECK(r.n_targets == 1 && r.targets[0].port == row->port);
            CHECK_STR(str_of(r.targets[0].host), str_of(row->host));
            CHECK_STR(str_of(r.targets[0].authority), str_of(row->authority));
            CHECK_STR(str_of(r.targets[0].identity), str_of(row->identity));
            CHECK(r.targets[0].is_address == row->is_address);
        }
    }
}

TEST(a_name_that_certificates_of_others_would_fit_leads_nowhere)
{
    struct resolve r;
    struct arena *a = arena_new();
    resolve_begin(&r, STR(".example.org"));
    CHECK(r.step == RESOLVE_FAILED);
    CHECK(str_is_absent(resolve_well_known_read(a, STR("{\"m.server\":\".example.org:1\"}"))));
    arena_free(a);
}

TEST(the_best_records_come_first_and_bad_ones_not_at_all)
{
    static const struct resolve_srv records[] = {
        {"c.org", 1, 20, 0},   {"b.org", 1, 10, 1}, {"a.org", 1, 10, 9}, {"bad host", 1, 0, 0},
        {"zero.org", 0, 0, 0}, {"d.org", 1, 30, 0}, {"e.org", 1, 40, 0},
    };
    static const char *const order[] = {"a.org", "b.org", "c.org", "d.org"};
    struct resolve r;
    resolve_begin(&r, STR("x.org"));
    resolve_take_well_known(&r, STR_ABSENT);
    resolve_take_srv(&r, records, COUNT_OF(records));
    CHECK(r.step == RESOLVE_DONE && r.n_targets == RESOLVE_TARGETS_MAX);
    for (size_t i = 0; i < r.n_targets && i < COUNT_OF(order); i++) {
        CHECK_STR(str_of(r.targets[i].host), str_of(order[i]));
    }
}

TEST(a_well_known_body_is_read)
{
    struct arena *a = arena_new();
    CHECK_STR(resolve_well_known_read(a, STR("{\"m.server\":\"b.org:1\"}")), STR("b.org:1"));
    CHECK(str_is_absent(resolve_well_known_read(a, STR("{\"m.server\":\"b.org:x\"}"))));
    CHECK(str_is_absent(resolve_well_known_read(a, STR("{\"m.server\":5}"))));
    CHECK(str_is_absent(resolve_well_known_read(a, STR("<html>"))));
    arena_free(a);
}

TEST(a_well_known_answer_is_kept_within_bounds)
{
    static const struct {
        const char *value;
        int64_t seconds;
    } ages[] = {
        {"max-age=3600", 3600},
        {"public, Max-Age=7200", 7200},
        {"max-age=1", 300},
        {"max-age=99999999", 172800},
        {"no-store", 300},
        {"max-age=soon", 86400},
        {"no-cache, max-age=600", 300},
        {"max-age=99999999999999999", 86400},
    };
    struct http_head head = {.n_headers = 1};
    for (size_t i = 0; i < COUNT_OF(ages); i++) {
        head.headers[0] = (struct http_header){STR("Cache-Control"), str_of(ages[i].value)};
        CHECK(resolve_well_known_ms(&head) == ages[i].seconds * 1000);
    }
    head.n_headers = 0;
    CHECK(resolve_well_known_ms(&head) == 86400 * 1000);
}

TEST_MAIN(TEST_ROW(a_name_leads_where_the_specification_says),
          TEST_ROW(a_name_that_certificates_of_others_would_fit_leads_nowhere),
          TEST_ROW(the_best_records_come_first_and_bad_ones_not_at_all),
          TEST_ROW(a_well_known_body_is_read), TEST_ROW(a_well_known_answer_is_kept_within_bounds))

/* Storage under fault, sqlite's own way: for each operation and each kind of fault, the 1st, 2nd
 * ... call of that kind fails until the operation passes undisturbed. After each the power is cut:
 * the database opens and is whole, and holds one of the states that the undisturbed run has between
 * its turns, not one before the answer if there was an answer. Then the house goes on as the host
 * has it, the same request is answered as the first would have been, and what it did is there once.
 *
 *   faults [PLACES]   so many calls of each, spread evenly (0: every one)
 *
 * With RELIABILITY=FILE in the environment a line of JSON for each kind of fault is put behind that
 * file: what docs/reliability.md is made of. Allocations are sqlite's; the core's own end the
 * process when they fail, as a kill does. */
#include "hs/town_model.h"
#include "test/faults/digest.h"
#include "test/faults/faults.h"
#include "test/faults/place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STATES_MAX = 64, PLACES = 2, LATER_MS = 120000 };

/* What the operation does when nothing fails. */
struct course {
    uint64_t states[STATES_MAX]; /* of this house's database, after each flush */
    size_t n, at_answer;         /* the newest state at the answer */
    uint64_t calls[FAULT_COUNT];
    int status;
    const char *answer;
};

struct tally {
    uint64_t injected, acknowledged, lost, doubled;
};

struct bench {
    struct disk *disk, *grave; /* the grave: what remains of a disk, to be looked at */
    struct place *place;
    struct course course;
    struct tally tally[FAULT_COUNT];
    const struct operation *op;
    const char *complaint;
    char place_text[100];
};

static void complain(struct bench *b, const char *what, const char *why)
{
    printf("# %s, %s: %s%s%s\n", b->op->name, b->place_text, what, why[0] == '\0' ? "" : ": ", why);
    b->complaint = what;
}

/* --- what remains ----------------------------------------------------------------------------- */

static uint64_t remains_read(struct bench *b, enum remains remains, uint32_t seed)
{
    uint64_t here = 0;
    disk_copy(b->grave, b->disk, remains, seed);
    for (int house = PLACE_HOUSES - 1; house >= 0; house--) {
        const char *why = "";
        if (!digest_read(b->grave, place_path(house), &here, &why)) {
            complain(b, "the database is not whole", why);
        }
    }
    return here;
}

static void on_flush(void *ctx)
{
    struct bench *b = ctx;
    struct course *c = &b->course;
    faults_pause(true);
    uint64_t now = remains_read(b, REMAINS_FLUSHED, 0);
    faults_pause(false);
    if (c->n == 0 || c->states[c->n - 1] != now) {
        assert(c->n < STATES_MAX);
        c->states[c->n++] = now;
    }
}

/* Where the state stands in the undisturbed course; its end: nowhere. */
static size_t state_find(const struct course *c, uint64_t state)
{
    size_t i = 0;
    while (i < c->n && c->states[i] != state) {
        i++;
    }
    return i;
}

/* --- doing it --------------------------------------------------------------------------------- */

static bool is_opening(const struct operation *op)
{
    return op->line == NULL;
}

/* The town in which the operation is about to happen. */
static struct town *prepare(struct bench *b)
{
    bool is_empty = strcmp(b->op->who, "nobody") == 0;
    struct town *t = is_empty ? place_town_empty(b->place) : place_town(b->place);
    for (int house = 0; house < PLACE_HOUSES; house++) {
        if (!is_opening(b->op) && place_open(b->place, t, house) != ERR_NONE) {
            complain(b, "a house does not open", "");
        }
    }
    return t;
}

static int act(struct bench *b, struct town *t)
{
    if (is_opening(b->op)) {
        return place_open(b->place, t, 0) == ERR_NONE ? 200 : 500;
    }
    return place_do(b->place, t, b->op);
}

static void course_run(struct bench *b)
{
    struct course *c = &b->course;
    struct town *t;
    *c = (struct course){0};
    (void)snprintf(b->place_text, sizeof(b->place_text), "undisturbed");
    t = prepare(b);
    c->states[c->n++] = remains_read(b, REMAINS_WRITTEN, 0);
    disk_watch(b->disk, on_flush, b);
    faults_arm(FAULT_READ, 0, false);
    c->status = act(b, t);
    (void)faults_disarm();
    disk_watch(b->disk, NULL, NULL);
    c->at_answer = c->n - 1;
    for (int kind = 0; kind < FAULT_COUNT; kind++) {
        c->calls[kind] = faults_calls((enum fault)kind);
    }
    if (c->status != 200) {
        complain(b, "it does not pass", "");
        printf("# status %d %.*s\n", c->status, STR_ARG(json_str(t->a, t->answer)));
    }
    town_free(t);
}

/* A house that died, or did not open, is opened as its host would. */
static void restart(struct bench *b, struct town *t)
{
    for (int house = 0; house < PLACE_HOUSES; house++) {
        const struct house *h = &t->houses[house];
        if ((h->hs == NULL || h->restarted) && place_open(b->place, t, house) != ERR_NONE) {
            complain(b, "it does not open again", "");
        }
    }
}

static void go_on(struct bench *b, struct town *t, struct tally *tally, struct json *first)
{
    restart(b, t);
    town_pass(t, LATER_MS);
    if (!is_opening(b->op)) {
        int status = place_do(b->place, t, b->op);
        bool is_write = strncmp(b->op->line, "GET", 3) != 0;
        if (status != 200) {
            complain(b, "asked again it fails", json_str(t->a, t->answer).p);
        } else if (is_write && first != NULL && !json_eq(first, t->answer)) {
            tally->doubled++;
            complain(b, "asked again it answers otherwise", json_str(t->a, t->answer).p);
        }
    }
    town_pass(t, LATER_MS);
    if (b->op->then != NULL && place_read(b->place, t, b->op->then) != 200) {
        tally->lost++;
        complain(b, "what it did cannot be read", b->op->then);
    }
}

static void place_check(struct bench *b, enum fault kind, uint64_t nth, bool is_lasting)
{
    struct tally *tally = &b->tally[kind];
    (void)snprintf(b->place_text, sizeof(b->place_text), "%s, number %llu%s", fault_name(kind),
                   (unsigned long long)nth, is_lasting ? " and all later" : "");
    struct town *t = prepare(b);
    faults_arm(kind, nth, is_lasting);
    int status = act(b, t);
    tally->injected += faults_disarm() > 0;
    bool is_acknowledged = status >= 200 && status < 300;
    struct json *first = is_acknowledged ? t->answer : NULL;
    uint64_t state =
        remains_read(b, nth % 2 == 0 ? REMAINS_FLUSHED : REMAINS_WRITTEN, (uint32_t)nth * 7919u);
    size_t at = state_find(&b->course, state);
    tally->acknowledged += is_acknowledged;
    if (!b->op->is_between && at == b->course.n && !is_opening(b->op)) {
        tally->lost++;
        complain(b, "the database holds half a turn", "");
    } else if (!b->op->is_between && is_acknowledged && at < b->course.at_answer) {
        tally->lost++;
        complain(b, "it was acknowledged and is not there", "");
    }
    go_on(b, t, tally, first);
    town_free(t);
    (void)remains_read(b, REMAINS_WRITTEN, 0);
}

static uint64_t operation_check(struct bench *b, uint64_t places)
{
    uint64_t done = 0;
    course_run(b);
    for (int kind = 0; kind < FAULT_COUNT; kind++) {
        uint64_t calls = b->course.calls[kind];
        uint64_t n = places == 0 || calls < places ? calls : places;
        for (uint64_t i = 0; i < n; i++) {
            uint64_t nth = 1 + calls * (2 * i + 1) / (2 * n); /* n == calls: i + 1 */
            place_check(b, (enum fault)kind, nth, done % 2 == 1);
            done++;
        }
    }
    return done;
}

static void report(const struct bench *b, const char *file, uint64_t places)
{
    FILE *out = file == NULL ? NULL : fopen(file, "a");
    for (int kind = 0; out != NULL && kind < FAULT_COUNT; kind++) {
        const struct tally *tally = &b->tally[kind];
        (void)fprintf(out,
                      "{\"fault\":\"storage: %s, in each of %zu operations\",\"injected\":%llu,"
                      "\"acknowledged\":%llu,\"lost\":%llu,\"duplicated\":%llu,"
                      "\"command\":\"make reliability PARTS=storage PLACES=%llu\"}\n",
                      fault_name((enum fault)kind), operations_n,
                      (unsigned long long)tally->injected, (unsigned long long)tally->acknowledged,
                      (unsigned long long)tally->lost, (unsigned long long)tally->doubled,
                      (unsigned long long)places);
    }
    if (out != NULL) {
        (void)fclose(out);
    }
}

int main(int argc, char **argv)
{
    uint64_t places = argc > 1 ? strtoull(argv[1], NULL, 10) : PLACES;
    int failed = 0;
    faults_start();
    struct bench b = {.disk = disk_new("here"), .grave = disk_new("grave")};
    b.place = place_new(b.disk);
    printf("1..%zu\n", operations_n);
    for (size_t i = 0; i < operations_n; i++) {
        b.op = &operations[i];
        b.complaint = NULL;
        uint64_t n = operation_check(&b, places);
        printf("%s %zu - %s, whatever fails (%llu faults)\n", b.complaint == NULL ? "ok" : "not ok",
               i + 1, b.op->name, (unsigned long long)n);
        failed += b.complaint != NULL;
    }
    report(&b, getenv("RELIABILITY"), places);
    place_free(b.place);
    disk_free(b.disk);
    disk_free(b.grave);
    return failed > 0;
}

/* Requests to other servers: where each server is, and a few connections to it that are used again.
 * A request waits until its server is found and a connection is free, at most until its deadline.
 */
#include "host/native/https.h"
#include "host/native/lws.h"
#include "host/native/names.h"
#include "host/native/process.h"

#include <string.h>

#define PLACES_MAX 1024
#define LANES_MAX 4                        /* connections to one server at a time */
#define REDIRECTS_MAX 3                    /* of a well-known file */
#define WELL_KNOWN_MAX 65536               /* bytes of it */
#define WELL_KNOWN_US (8 * LWS_US_PER_SEC) /* with all its redirects */
#define PLACE_KEEP_MS (5 * 60 * 1000)
#define WELL_KNOWN_PATH "/.well-known/matrix/server"

/* A request that has not been answered. */
struct errand {
    struct errand *next;
    struct place *place;
    uint64_t id;
    lws_sorted_usec_list_t deadline;
    bool is_repeated;
    struct str request; /* behind the struct */
};

struct lane {
    struct place *place;
    struct https *https;   /* NULL: free */
    struct errand *errand; /* in flight */
    size_t target;
    bool was_up;   /* it could be connected to */
    bool was_used; /* before the errand */
};

enum place_state {
    PLACE_UNKNOWN,
    PLACE_SOUGHT,
    PLACE_KNOWN,
};

/* A server, and what is known of where it is. */
struct place {
    struct place *next;
    struct sockets *s;
    char server[RESOLVE_NAME_MAX];
    enum place_state state;
    struct resolve resolve;
    size_t target; /* to connect to next */
    int64_t known_until_ms, well_known_until_ms;
    char delegated[RESOLVE_NAME_MAX]; /* by the well-known file; empty: it does not */
    struct https *well_known;         /* being fetched */
    lws_sorted_usec_list_t well_known_deadline;
    struct target well_known_at;
    char well_known_path[512];
    int redirects;
    struct errand *first;
    struct lane lanes[LANES_MAX];
};

struct fetches {
    struct place *places;
    size_t n;
};

struct fetches *fetches_new(void)
{
    return base_alloc(sizeof(struct fetches));
}

static int64_t now_ms(void)
{
    return process_now().mono_ms;
}

/* --- errands ------------------------------------------------------------------------------ */

static void errand_free(struct errand *e)
{
    lws_sul_cancel(&e->deadline);
    base_free(e);
}

static void errand_unlink(struct errand *e)
{
    struct errand **at = &e->place->first;
    while (*at != NULL && *at != e) {
        at = &(*at)->next;
    }
    if (*at == e) {
        *at = e->next;
    }
}

static void errand_fail(struct sockets *s, struct errand *e, const char *why)
{
    uint64_t id = e->id;
    errand_free(e);
    s->events.answer(s->events.ctx, id, 0, str_of(why), STR(""));
}

static void fail_all(struct place *place, const char *why)
{
    struct errand *e = place->first;
    place->first = NULL;
    place->known_until_ms = 0;
    place->target = 0;
    while (e != NULL) {
        struct errand *next = e->next;
        errand_fail(place->s, e, why);
        e = next;
    }
}

static void pump(struct place *place);

static void deadline_fired(lws_sorted_usec_list_t *sul)
{
    struct errand *e = lws_container_of(sul, struct errand, deadline);
    struct place *place = e->place;
    errand_unlink(e);
    for (size_t i = 0; i < LANES_MAX; i++) {
        struct lane *lane = &place->lanes[i];
        if (lane->errand == e) { /* nobody would know what an answer that comes late is to */
            lane->errand = NULL;
            https_close(lane->https);
            lane->https = NULL;
        }
    }
    errand_fail(place->s, e, "it did not answer in time");
    pump(place);
}

/* --- lanes -------------------------------------------------------------------------------- */

static void lane_up(void *ctx)
{
    struct lane *lane = ctx;
    lane->was_up = true;
    pump(lane->place);
}

static void lane_answered(void *ctx, const struct http_reader *answer)
{
    struct lane *lane = ctx;
    struct place *place = lane->place;
    struct errand *e = lane->errand;
    lane->errand = NULL;
    if (e != NULL) {
        uint64_t id = e->id;
        errand_free(e);
        place->s->events.answer(place->s->events.ctx, id, answer->head.status, STR(""),
                                buf_str(&answer->body));
    }
    pump(place);
}

/* A connection that was idle may have been closed while we wrote: that is no answer, and what may
 * be asked twice is asked again on a new one. */
static bool may_repeat(const struct errand *e, bool was_used, bool has_begun)
{
    return was_used && !has_begun && !e->is_repeated && !str_starts(e->request, STR("POST "));
}

static void lane_down(void *ctx, const char *why, bool has_begun)
{
    struct lane *lane = ctx;
    struct place *place = lane->place;
    struct errand *e = lane->errand;
    bool was_used = lane->was_used, was_up = lane->was_up;
    lane->errand = NULL;
    lane->https = NULL;
    if (e != NULL && may_repeat(e, was_used, has_begun)) {
        e->is_repeated = true;
        e->next = place->first;
        place->first = e;
    } else if (e != NULL) {
        errand_fail(place->s, e, why);
    }
    if (!was_up && lane->target == place->target && ++place->target >= place->resolve.n_targets) {
        fail_all(place, why);
    }
    pump(place);
}

static void lane_ask(struct lane *lane)
{
    struct place *place = lane->place;
    struct errand *e = place->first;
    place->first = e->next;
    e->next = NULL;
    lane->errand = e;
    lane->was_used = https_was_used(lane->https);
    https_ask(lane->https, e->request);
}

static void lane_open(struct lane *lane)
{
    struct place *place = lane->place;
    struct https_calls calls = {
        .ctx = lane, .up = lane_up, .answered = lane_answered, .down = lane_down};
    lane->target = place->target;
    lane->was_up = false;
    lane->https =
        https_open(place->s, &place->resolve.targets[place->target], HTTP_ANSWER_MAX, &calls);
}

/* --- finding a server --------------------------------------------------------------------- */

static void resolve_on(struct place *place);

static void well_known_end(struct place *place, struct str delegated, int64_t keep_ms)
{
    struct str name = delegated.n < RESOLVE_NAME_MAX ? delegated : STR_ABSENT;
    lws_sul_cancel(&place->well_known_deadline);
    if (place->well_known != NULL) {
        https_close(place->well_known);
        place->well_known = NULL;
    }
    memset(place->delegated, 0, sizeof(place->delegated));
    if (name.n > 0) {
        memcpy(place->delegated, name.p, name.n);
    }
    place->well_known_until_ms = now_ms() + keep_ms;
    resolve_take_well_known(&place->resolve, name.n > 0 ? name : STR_ABSENT);
    resolve_on(place);
}

/* Without it, who says nothing would be sought for ever. */
static void well_known_late(lws_sorted_usec_list_t *sul)
{
    struct place *place = lws_container_of(sul, struct place, well_known_deadline);
    well_known_end(place, STR_ABSENT, PLACE_KEEP_MS);
}

static void well_known_up(void *ctx)
{
    struct place *place = ctx;
    char request[600];
    int n = snprintf(request, sizeof(request),
                     "GET %s HTTP/1.1\r\nAccept: application/json\r\n\r\n", place->well_known_path);
    https_ask(place->well_known, str_make(request, (size_t)n));
}

/* Where to look for the well-known file: "https://host[:port]/path". False: we go nowhere else. */
static bool well_known_aim(struct place *place, struct str url)
{
    struct target *at = &place->well_known_at;
    struct str rest = str_from(url, 8), authority = rest, path = STR("");
    struct resolve r;
    str_cut(rest, '/', &authority, &path);
    if (!str_starts(url, STR("https://")) || path.n + 2 > sizeof(place->well_known_path)) {
        return false;
    }
    resolve_begin(&r, authority);
    if (r.step == RESOLVE_DONE) { /* with a port, or an address */
        *at = r.targets[0];
    } else if (r.step == RESOLVE_WELL_KNOWN) {
        memset(at, 0, sizeof(*at));
        memcpy(at->host, r.ask, sizeof(at->host));
        memcpy(at->authority, r.ask, sizeof(at->authority));
        memcpy(at->identity, r.ask, sizeof(at->identity));
        at->port = 443;
    } else {
        return false;
    }
    place->well_known_path[0] = '/';
    memcpy(place->well_known_path + 1, path.p, path.n);
    place->well_known_path[path.n + 1] = '\0';
    return true;
}

static void well_known_open(struct place *place);

static void well_known_answered(void *ctx, const struct http_reader *answer)
{
    struct place *place = ctx;
    int status = answer->head.status;
    if (status >= 301 && status <= 308 && place->redirects < REDIRECTS_MAX &&
        well_known_aim(place, http_header(&answer->head, STR("location")))) {
        place->redirects++;
        https_close(place->well_known);
        well_known_open(place);
        return;
    }
    struct arena *a = arena_new();
    struct str delegated =
        status == 200 ? resolve_well_known_read(a, buf_str(&answer->body)) : STR_ABSENT;
    well_known_end(place, delegated,
                   str_is_absent(delegated) ? RESOLVE_NO_WELL_KNOWN_MS
                                            : resolve_well_known_ms(&answer->head));
    arena_free(a);
}

static void well_known_down(void *ctx, const char *why, bool has_begun)
{
    struct place *place = ctx;
    (void)why;
    (void)has_begun;
    place->well_known = NULL;
    well_known_end(place, STR_ABSENT, RESOLVE_NO_WELL_KNOWN_MS);
}

static void well_known_open(struct place *place)
{
    struct https_calls calls = {.ctx = place,
                                .up = well_known_up,
                                .answered = well_known_answered,
                                .down = well_known_down};
    place->well_known = https_open(place->s, &place->well_known_at, WELL_KNOWN_MAX, &calls);
}

static void on_srv(void *ctx, const struct resolve_srv *found, size_t n)
{
    struct place *place = ctx;
    if (!place->s->is_closing) {
        resolve_take_srv(&place->resolve, found, n);
        resolve_on(place);
    }
}

static void well_known_begin(struct place *place)
{
    char url[RESOLVE_NAME_MAX + 64];
    struct resolve *r = &place->resolve;
    if (place->well_known_until_ms > now_ms()) {
        resolve_take_well_known(r, place->delegated[0] == '\0' ? STR_ABSENT
                                                               : str_of(place->delegated));
        resolve_on(place);
        return;
    }
    int n = snprintf(url, sizeof(url), "https://%s" WELL_KNOWN_PATH, r->ask);
    place->redirects = 0;
    if (well_known_aim(place, str_make(url, (size_t)n))) {
        well_known_open(place);
        lws_sul_schedule(place->s->context, 0, &place->well_known_deadline, well_known_late,
                         WELL_KNOWN_US);
    }
}

static void resolve_on(struct place *place)
{
    struct resolve *r = &place->resolve;
    switch (r->step) {
    case RESOLVE_WELL_KNOWN:
        well_known_begin(place);
        return;
    case RESOLVE_SRV:
        names_srv(place->s->names, r->ask, on_srv, place);
        return;
    case RESOLVE_DONE:
        place->state = PLACE_KNOWN;
        place->target = 0;
        place->known_until_ms = now_ms() + PLACE_KEEP_MS;
        pump(place);
        return;
    case RESOLVE_FAILED:
        place->state = PLACE_UNKNOWN;
        fail_all(place, "that is no name of a server");
        return;
    }
}

/* --- places ------------------------------------------------------------------------------- */

/* Does what can be done for the errands of a place now. */
static void pump(struct place *place)
{
    if (place->first == NULL || place->state == PLACE_SOUGHT || place->s->is_closing) {
        return;
    }
    if (place->state == PLACE_UNKNOWN || place->known_until_ms <= now_ms()) {
        place->state = PLACE_SOUGHT;
        resolve_begin(&place->resolve, str_of(place->server));
        resolve_on(place);
        return;
    }
    size_t n = 0, coming = 0;
    for (const struct errand *e = place->first; e != NULL; e = e->next) {
        n++;
    }
    for (size_t i = 0; i < LANES_MAX && n > 0; i++) {
        struct lane *lane = &place->lanes[i];
        if (lane->https != NULL && https_is_idle(lane->https)) {
            lane_ask(lane);
            n--;
        }
        coming += lane->https != NULL && lane->errand == NULL ? 1 : 0;
    }
    for (size_t i = 0; i < LANES_MAX && coming < n; i++) {
        if (place->lanes[i].https == NULL) {
            lane_open(&place->lanes[i]);
            coming++;
        }
    }
}

static bool place_is_quiet(const struct place *place)
{
    bool is = place->first == NULL && place->state != PLACE_SOUGHT;
    for (size_t i = 0; i < LANES_MAX; i++) {
        is = is && place->lanes[i].https == NULL;
    }
    return is;
}

static void place_free(struct place *place)
{
    for (size_t i = 0; i < LANES_MAX; i++) {
        if (place->lanes[i].https != NULL) {
            https_close(place->lanes[i].https);
        }
        if (place->lanes[i].errand != NULL) {
            errand_free(place->lanes[i].errand);
        }
    }
    lws_sul_cancel(&place->well_known_deadline);
    if (place->well_known != NULL) {
        https_close(place->well_known);
    }
    while (place->first != NULL) {
        struct errand *next = place->first->next;
        errand_free(place->first);
        place->first = next;
    }
    base_free(place);
}

/* NULL: too many servers are busy. */
static struct place *place_get(struct sockets *s, struct str server)
{
    struct fetches *f = s->fetches;
    struct place **quiet = NULL, **at = &f->places;
    for (; *at != NULL; at = &(*at)->next) {
        if (str_eq(str_of((*at)->server), server)) {
            return *at;
        }
        quiet = place_is_quiet(*at) ? at : quiet;
    }
    if (f->n == PLACES_MAX && quiet == NULL) {
        return NULL;
    }
    if (f->n == PLACES_MAX) {
        struct place *old = *quiet;
        *quiet = old->next;
        place_free(old);
        f->n--;
    }
    struct place *place = base_alloc(sizeof(*place));
    place->s = s;
    memcpy(place->server, server.p, server.n);
    for (size_t i = 0; i < LANES_MAX; i++) {
        place->lanes[i].place = place;
    }
    place->next = f->places;
    f->places = place;
    f->n++;
    return place;
}

void sockets_fetch(struct sockets *s, uint64_t id, struct str server, struct str request,
                   int64_t until_mono_ms)
{
    struct place *place =
        server.n < RESOLVE_NAME_MAX && s->fetches != NULL ? place_get(s, server) : NULL;
    if (place == NULL) {
        s->events.answer(s->events.ctx, id, 0, STR("too many servers are being asked"), STR(""));
        return;
    }
    struct errand *e = base_alloc(sizeof(*e) + request.n), **end = &place->first;
    memcpy(e + 1, request.p, request.n);
    e->request = str_make((char *)(e + 1), request.n);
    e->place = place;
    e->id = id;
    int64_t wait_ms = until_mono_ms - now_ms();
    lws_sul_schedule(s->context, 0, &e->deadline, deadline_fired,
                     (wait_ms > 0 ? wait_ms : 0) * LWS_US_PER_MS + 1);
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = e;
    pump(place);
}

void sockets_drop_fetches(struct sockets *s)
{
    struct place *place = s->fetches == NULL ? NULL : s->fetches->places;
    for (; place != NULL; place = place->next) {
        for (size_t i = 0; i < LANES_MAX; i++) {
            struct lane *lane = &place->lanes[i];
            if (lane->errand != NULL) {
                https_close(lane->https);
                errand_free(lane->errand);
                lane->https = NULL;
                lane->errand = NULL;
            }
        }
        while (place->first != NULL) {
            struct errand *next = place->first->next;
            errand_free(place->first);
            place->first = next;
        }
    }
}

void fetches_free(struct fetches *f)
{
    while (f != NULL && f->places != NULL) {
        struct place *next = f->places->next;
        place_free(f->places);
        f->places = next;
    }
    base_free(f);
}

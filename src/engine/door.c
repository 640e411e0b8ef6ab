/* Checks performed on receipt of a PDU, one step after the other, then the record of it. */
#include "engine/door.h"

#include "engine/current.h"
#include "engine/publish.h"
#include "engine/record.h"
#include "engine/server_keys.h"
#include "engine/snapshot.h"
#include "event/mxid.h"
#include "event/redact.h"
#include "event/seal.h"
#include "room/auth.h"

/* What the steps find out about an event. */
struct case_file {
    struct hs *hs;
    struct room *room;
    const struct event *ev;
    enum arrival how;
    struct stored *create; /* of the room; NULL while it is not here */
    int64_t before;
    struct gap *gap; /* of ARRIVAL_OLD */
    struct verdict verdict;
};

static bool is_open(const struct case_file *c)
{
    return c->verdict.kind == VERDICT_ACCEPT;
}

/* 2: one good signature of every server that must have signed. */
static enum err check_signatures(struct case_file *c)
{
    struct strs servers = seal_servers(c->hs->turn, c->ev);
    for (size_t i = 0; i < servers.n; i++) {
        enum err err = server_keys_check(c->hs, c->hs->turn, c->ev, servers.at[i]);
        if (err == ERR_ABSENT || err == ERR_REFUSED) {
            const char *why = err == ERR_ABSENT ? "the key of its server is not known"
                                                : "a signature is missing or bad";
            c->verdict = (struct verdict){VERDICT_DROP, why, {0}};
            return ERR_NONE;
        }
        TRY(err);
    }
    return ERR_NONE;
}

/* 3: another content than was hashed is taken in its redacted form. */
static enum err check_hash(struct case_file *c)
{
    struct event *redacted;
    if (seal_hash_fits(c->hs->turn, c->ev)) {
        return ERR_NONE;
    }
    TRY(redact_event(c->hs->turn, c->ev, &redacted));
    c->ev = redacted;
    return ERR_NONE;
}

static enum err check_seal(struct case_file *c)
{
    if (c->how == ARRIVAL_LOCAL) {
        return ERR_NONE; /* sealed by event_build a moment ago */
    }
    TRY(check_signatures(c));
    return is_open(c) ? check_hash(c) : ERR_NONE;
}

static enum err find_create(struct case_file *c)
{
    c->create = NULL;
    if (c->room->snapshot != 0) {
        TRY(current_get(c->hs, c->room, STR("m.room.create"), STR(""), &c->create));
    }
    if (c->create == NULL && c->room->version->room_id_is_create_hash && c->room->id.n > 1) {
        struct str id = arena_join(c->hs->turn, STR("$"), str_from(c->room->id, 1), STR(""));
        enum err err = event_find(c->hs, id, &c->create);
        return err == ERR_ABSENT ? ERR_NONE : err;
    }
    return ERR_NONE;
}

static void missing(struct case_file *c, struct str *ids, size_t n)
{
    c->verdict = (struct verdict){VERDICT_MISSING, "events that it cites are not here", {ids, n}};
}

/* 4: by the events it cites. */
static enum err check_cited(struct case_file *c)
{
    const struct event *cited[EVENT_AUTH_MAX];
    bool rejected[EVENT_AUTH_MAX] = {0};
    size_t n = c->ev->auth_events.n;
    size_t n_missing = 0;
    struct str *absent = arena_array(c->hs->turn, n + 1, sizeof(*absent));
    assert(n <= EVENT_AUTH_MAX);
    for (size_t i = 0; i < n; i++) {
        struct stored *s;
        enum err err = event_find(c->hs, c->ev->auth_events.at[i], &s);
        if (err == ERR_ABSENT) {
            absent[n_missing] = c->ev->auth_events.at[i];
            n_missing++;
            continue;
        }
        TRY(err);
        cited[i] = s->ev;
        rejected[i] = s->status == EVENT_REJECTED;
    }
    if (n_missing > 0) {
        missing(c, absent, n_missing);
        return ERR_NONE;
    }
    const struct event *create = c->create == NULL ? NULL : c->create->ev;
    c->verdict = auth_check_alone(c->hs->turn, c->ev, create, cited, rejected, n);
    if (is_open(c)) {
        struct auth_cited view = {cited, n, create};
        c->verdict = auth_check(c->hs->turn, c->ev, auth_view_cited(&view));
    }
    return ERR_NONE;
}

/* The state before the event: that after its prev_events, resolved. */
static enum err find_before(struct case_file *c)
{
    int64_t after[EVENT_PREV_MAX];
    size_t n = c->ev->prev_events.n;
    size_t n_missing = 0;
    struct str *absent = arena_array(c->hs->turn, n + 1, sizeof(*absent));
    assert(n <= EVENT_PREV_MAX);
    for (size_t i = 0; i < n; i++) {
        struct stored *s;
        enum err err = event_find(c->hs, c->ev->prev_events.at[i], &s);
        if (err != ERR_ABSENT) {
            TRY(err);
        }
        if (err == ERR_NONE && s->room != c->room->nid) { /* whose state is not this room's */
            c->verdict = verdict_reject("it follows an event of another room");
            return ERR_NONE;
        }
        if (err == ERR_ABSENT || s->is_outlier || s->after == 0) {
            absent[n_missing] = c->ev->prev_events.at[i];
            n_missing++;
            continue;
        }
        after[i] = s->after;
    }
    if (n_missing > 0) {
        missing(c, absent, n_missing);
        return ERR_NONE;
    }
    if (n == 0) {
        c->before = 0;
        return ERR_NONE;
    }
    return snapshot_resolve(c->hs, c->room->version, after, n, &c->before);
}

/* What follows a rejected event stands on the state before it. Where that cannot be told, whoever
 * fetches what is missing tells it. */
static enum err place_rejected(struct case_file *c)
{
    struct verdict rejected = c->verdict;
    if (c->how != ARRIVAL_NEW || c->before != DOOR_STATE_FROM_PREV) {
        return ERR_NONE;
    }
    TRY(find_before(c));
    c->verdict = rejected;
    return ERR_NONE;
}

static enum err check_current(struct case_file *c, struct verdict *verdict)
{
    struct current_view view = {.hs = c->hs, .room = c->room};
    *verdict = auth_check(c->hs->turn, c->ev, current_view(&view));
    return view.err;
}

/* 5: by the state before it. */
static enum err check_before(struct case_file *c)
{
    if (c->before == DOOR_STATE_FROM_PREV) {
        if (c->how == ARRIVAL_OLD) {
            c->before = 0; /* the state of fetched history is not known */
            return ERR_NONE;
        }
        TRY(find_before(c));
        if (!is_open(c)) {
            return ERR_NONE;
        }
    }
    if (c->before != 0 && c->before == c->room->snapshot) {
        return check_current(c, &c->verdict); /* the same, and quicker to read */
    }
    struct snapshot_view view = {.hs = c->hs, .snapshot = c->before};
    c->verdict = auth_check(c->hs->turn, c->ev, snapshot_view(&view));
    return view.err;
}

/* 6: by the current state; else it is kept, but shown to nobody. */
static enum err check_now(struct case_file *c)
{
    struct verdict now;
    if (c->before == c->room->snapshot || c->room->snapshot == 0) {
        return ERR_NONE;
    }
    TRY(check_current(c, &now));
    if (now.kind != VERDICT_ACCEPT) {
        c->verdict = (struct verdict){VERDICT_SOFT_FAIL, now.why, {0}};
    }
    return ERR_NONE;
}

static enum err check(struct case_file *c)
{
    TRY(check_seal(c));
    if (is_open(c)) {
        TRY(find_create(c));
        if (c->create != NULL && str_eq(c->ev->type, STR("m.room.create")) &&
            !str_eq(c->create->ev->id, c->ev->id)) {
            c->verdict = verdict_reject("the room has been created already");
            return ERR_NONE;
        }
        TRY(check_cited(c));
        TRY(c->verdict.kind == VERDICT_REJECT ? place_rejected(c) : ERR_NONE);
    }
    if (is_open(c) && c->how != ARRIVAL_OUTLIER) {
        TRY(check_before(c));
    }
    if (is_open(c) && (c->how == ARRIVAL_NEW || c->how == ARRIVAL_LOCAL)) {
        TRY(check_now(c));
    }
    return ERR_NONE;
}

/* An event that is here already keeps its verdict. *done: nothing is left to do. */
static enum err seen(struct case_file *c, struct stored **known, bool *done)
{
    enum err err = event_find(c->hs, c->ev->id, known);
    *done = false;
    if (err == ERR_ABSENT) {
        *known = NULL;
        return ERR_NONE;
    }
    TRY(err);
    if ((*known)->room != c->room->nid) {
        c->verdict = (struct verdict){VERDICT_DROP, "its id belongs to another room", {0}};
        *done = true;
        return ERR_NONE;
    }
    if ((*known)->is_outlier && c->how != ARRIVAL_OUTLIER) {
        return ERR_NONE;
    }
    *done = true;
    if (c->before > 0 && (*known)->after == 0) { /* fetched history: its state is known now */
        TRY(record_state(c->hs, c->before, *known));
    }
    if ((*known)->status == EVENT_REJECTED) {
        c->verdict = verdict_reject("it was rejected before");
    } else if ((*known)->status == EVENT_SOFT_FAILED) {
        c->verdict = (struct verdict){VERDICT_SOFT_FAIL, "it was soft-failed before", {0}};
    }
    return ERR_NONE;
}

/* An event that is refused is worth a line in any log. */
static void tell(const struct case_file *c, bool was_here)
{
    static const char *const arrivals[] = {[ARRIVAL_LOCAL] = "local",
                                           [ARRIVAL_NEW] = "new",
                                           [ARRIVAL_OLD] = "old",
                                           [ARRIVAL_OUTLIER] = "outlier"};
    static const char *const verdicts[] = {[VERDICT_ACCEPT] = "accepted",
                                           [VERDICT_SOFT_FAIL] = "soft-failed",
                                           [VERDICT_REJECT] = "rejected",
                                           [VERDICT_DROP] = "dropped",
                                           [VERDICT_MISSING] = "must wait"};
    enum verdict_kind kind = c->verdict.kind;
    bool is_refused = kind != VERDICT_ACCEPT && kind != VERDICT_MISSING;
    hs_log(c->hs, is_refused ? LOG_INFO : LOG_DEBUG,
           "event %.*s of %.*s by %.*s, depth %lld, %s: %s%s%s%s", STR_ARG(c->ev->id),
           STR_ARG(c->room->id), STR_ARG(c->ev->sender), (long long)c->ev->depth, arrivals[c->how],
           was_here ? "here already, " : "", verdicts[kind], c->verdict.why == NULL ? "" : ", ",
           c->verdict.why == NULL ? "" : c->verdict.why);
}

static enum err admit(struct case_file *c, struct verdict *verdict)
{
    struct hs *hs = c->hs;
    struct stored *known;
    bool is_done;
    TRY(seen(c, &known, &is_done));
    if (!is_done) {
        TRY(check(c));
        /* What is refused to its own sender never was. */
        bool is_kept = c->how == ARRIVAL_LOCAL
                           ? is_open(c)
                           : c->verdict.kind != VERDICT_DROP && c->verdict.kind != VERDICT_MISSING;
        if (is_kept) {
            struct record_place place = {c->how, c->before, c->gap};
            TRY(record(hs, c->room, c->ev, &place, c->verdict.kind, known));
        }
    }
    tell(c, is_done);
    *verdict = c->verdict;
    return ERR_NONE;
}

enum err door_admit(struct hs *hs, struct room *room, const struct event *ev, enum arrival how,
                    int64_t before, struct verdict *verdict)
{
    struct case_file c = {.hs = hs, .room = room, .ev = ev, .how = how, .before = before};
    assert(how != ARRIVAL_OLD);
    return admit(&c, verdict);
}

enum err door_admit_old(struct hs *hs, struct room *room, const struct event *ev, int64_t before,
                        struct gap *gap, struct verdict *verdict)
{
    struct case_file c = {
        .hs = hs, .room = room, .ev = ev, .how = ARRIVAL_OLD, .before = before, .gap = gap};
    return admit(&c, verdict);
}

/* What the push rules say of a room's events to one reader; what of it is unread, in the room and
 * in each of its threads: what others sent after one's receipts. */
#include "sync/stream.h"

#include "engine/current.h"
#include "engine/push_rules.h"
#include "engine/unread.h"

/* Only whether two are in the room matters to the default rules, so counting stops early. */
enum { MEMBERS_COUNTED = 50, THREADS_MAX = 64 };

/* A thread ("main": what is in none) and what its reader has not read. */
struct bin {
    struct str thread;
    int64_t read, notify, highlight;
};

struct tally {
    struct sync *s;
    const struct room *room;
    bool has_context;
    struct push_context context;
    struct power power;
    int64_t read; /* by a receipt for all threads, or when he came */
    struct bin bins[THREADS_MAX];
    size_t n;
};

/* What others sent after a position, newest first. */
static enum err list_unread(struct tally *t, int64_t after, int64_t *nids, size_t *n)
{
    struct query q;
    *n = 0;
    query_start(&q, t->s->hs->store, STMT_UNREAD_LIST, "iiii", t->room->nid, after, t->s->user,
                (int64_t)SYNC_UNREAD_MAX);
    while (*n < SYNC_UNREAD_MAX && query_next(&q)) {
        nids[*n] = query_int(&q, 0);
        (*n)++;
    }
    return query_end(&q);
}

static enum err read_context(struct tally *t)
{
    struct json *member;
    struct sync *s = t->s;
    if (t->has_context) {
        return ERR_NONE;
    }
    t->has_context = true;
    t->context = (struct push_context){.user_id = s->user_id, .power = &t->power};
    TRY(current_power(s->hs, t->room, &t->power));
    TRY(current_content(s->hs, t->room, STR("m.room.member"), s->user_id, &member));
    t->context.display_name = json_get_text(member, "displayname");
    if (s->push_rules == NULL) {
        TRY(push_rules_get(s->hs, s->a, s->user, s->user_id, &s->push_rules));
    }
    return store_get_int(s->hs->store, &t->context.member_count, 0, STMT_MEMBER_COUNT_FEW, "iti",
                         t->room->nid, STR("join"), (int64_t)MEMBERS_COUNTED);
}

enum err tally_judge(struct tally *t, const struct stored *ev, struct push_verdict *out)
{
    *out = (struct push_verdict){0};
    if (ev->redacted_by.p != NULL || sync_is_ignored(t->s, ev->ev->sender)) {
        return ERR_NONE;
    }
    TRY(read_context(t));
    *out = push_rules_judge(t->s->push_rules, ev->ev, &t->context);
    return ERR_NONE;
}

/* --- receipts ----------------------------------------------------------------------------- */

static struct bin *bin_of(struct tally *t, struct str thread)
{
    for (size_t i = 0; i < t->n; i++) {
        if (str_eq(t->bins[i].thread, thread)) {
            return &t->bins[i];
        }
    }
    if (t->n == THREADS_MAX) { /* the rest counts as one with the last */
        return &t->bins[THREADS_MAX - 1];
    }
    t->bins[t->n] = (struct bin){.thread = thread};
    t->n++;
    return &t->bins[t->n - 1];
}

/* *split: a thread was read further than the room. Without a receipt t->read stays. */
static enum err read_receipts(struct tally *t, bool *split)
{
    struct query q;
    int64_t newest = 0;
    query_start(&q, t->s->hs->store, STMT_RECEIPT_OWN, "ii", t->room->nid, t->s->user);
    while (query_next(&q)) {
        struct str thread = query_str(&q, t->s->a, 0);
        int64_t at = query_int(&q, 1);
        if (thread.n == 0) {
            t->read = at;
        } else if (t->n < THREADS_MAX - 1) {
            bin_of(t, thread)->read = at;
            newest = at > newest ? at : newest;
        }
    }
    TRY(query_end(&q));
    *split = newest > t->read;
    return ERR_NONE;
}

/* --- by thread ---------------------------------------------------------------------------- */

/* The thread an event stands in; what relates to a reply stands in the reply's. */
static enum err thread_of(struct tally *t, const struct stored *ev, struct str *thread)
{
    const struct json *relates = json_get_object(ev->ev->content, "m.relates_to");
    struct str target = json_get_text(relates, "event_id");
    struct stored *to;
    *thread = STR("main");
    if (str_eq(json_get_text(relates, "rel_type"), STR("m.thread")) && target.n > 0) {
        *thread = target;
        return ERR_NONE;
    }
    enum err err = target.n == 0 ? ERR_ABSENT : event_find(t->s->hs, target, &to);
    if (err == ERR_ABSENT) {
        return ERR_NONE;
    }
    TRY(err);
    relates = json_get_object(to->ev->content, "m.relates_to");
    target = json_get_text(relates, "event_id");
    if (str_eq(json_get_text(relates, "rel_type"), STR("m.thread")) && target.n > 0) {
        *thread = target;
    }
    return ERR_NONE;
}

enum err tally_open(struct sync *s, const struct room *room, struct tally **out)
{
    bool split;
    *out = ARENA_NEW(s->a, struct tally);
    **out = (struct tally){.s = s, .room = room};
    return read_receipts(*out, &split);
}

enum err tally_is_read(struct tally *t, const struct stored *ev, bool *read)
{
    struct str thread;
    *read = ev->position <= t->read;
    if (*read) {
        return ERR_NONE;
    }
    TRY(thread_of(t, ev, &thread));
    *read = ev->position <= bin_of(t, thread)->read;
    return ERR_NONE;
}

static enum err count_threads(struct tally *t)
{
    int64_t nids[SYNC_UNREAD_MAX];
    size_t n;
    TRY(list_unread(t, t->read, nids, &n));
    for (size_t i = 0; i < n; i++) {
        struct stored *ev;
        struct str thread;
        TRY(event_get(t->s->hs, nids[i], &ev));
        TRY(thread_of(t, ev, &thread));
        struct bin *bin = bin_of(t, thread);
        if (ev->position > bin->read) {
            struct push_verdict v;
            TRY(tally_judge(t, ev, &v));
            bin->notify += v.notify;
            bin->highlight += v.highlight;
        }
    }
    return ERR_NONE;
}

/* --- the room as one ---------------------------------------------------------------------- */

static enum err count_all(struct tally *t, struct bin *out)
{
    int64_t nids[SYNC_UNREAD_MAX];
    size_t n;
    struct unread_count count;
    struct sync *s = t->s;
    if (!unread_get(s->hs, s->user, t->room->nid, t->read, &count)) {
        count = (struct unread_count){.read = t->read, .upto = t->read};
    }
    TRY(list_unread(t, count.upto, nids, &n));
    for (size_t i = 0; i < n; i++) {
        struct stored *ev;
        struct push_verdict v;
        TRY(event_get(s->hs, nids[i], &ev));
        TRY(tally_judge(t, ev, &v));
        count.notify += v.notify;
        count.highlight += v.highlight;
    }
    count.upto = s->upto > t->read ? s->upto : t->read;
    unread_keep(s->hs, s->user, t->room->nid, &count);
    *out = (struct bin){.notify = count.notify, .highlight = count.highlight};
    return ERR_NONE;
}

static void put_counts(struct json *unread, const struct bin *bin)
{
    int64_t highlight = bin->highlight < SYNC_UNREAD_MAX ? bin->highlight : SYNC_UNREAD_MAX;
    int64_t notify = bin->notify < SYNC_UNREAD_MAX ? bin->notify : SYNC_UNREAD_MAX;
    json_put_int(unread, "highlight_count", highlight);
    json_put_int(unread, "notification_count", notify);
}

enum err unread_put(struct sync *s, struct sync_room *r)
{
    struct tally *t = ARENA_NEW(s->a, struct tally);
    bool by_thread = s->filter->timeline.unread_thread_notifications;
    bool split;
    struct bin whole = {0};
    *t = (struct tally){.s = s, .room = r->room, .read = r->member_position};
    TRY(read_receipts(t, &split));
    if (!by_thread && !split) {
        TRY(count_all(t, &whole));
    } else {
        TRY(count_threads(t));
    }
    struct json *threads = NULL;
    for (size_t i = 0; i < t->n; i++) {
        const struct bin *bin = &t->bins[i];
        if (!by_thread || str_eq(bin->thread, STR("main"))) {
            whole.notify += bin->notify;
            whole.highlight += bin->highlight;
        } else if (bin->notify > 0) {
            threads = threads == NULL ? json_put_object(r->json, STR("unread_thread_notifications"))
                                      : threads;
            put_counts(json_put_object(threads, bin->thread), bin);
        }
    }
    put_counts(json_put_object(r->json, STR("unread_notifications")), &whole);
    return ERR_NONE;
}

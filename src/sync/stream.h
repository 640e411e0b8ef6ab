/* Inside of sync/: one evaluation of /sync, and the streams that fill its answer.
 *
 * An evaluation tells everything after `since` up to and including `upto`. It only reads, so it can
 * be done again and again while the request waits. What it makes lives in the turn's arena. */
#ifndef SYNC_STREAM_H
#define SYNC_STREAM_H

#include "base/map.h"
#include "base/numbers.h"
#include "engine/client_event.h"
#include "engine/event_filter.h"
#include "engine/push_rules.h"
#include "engine/req.h"

struct sync {
    struct hs *hs;
    struct arena *a;
    int64_t user;
    struct str user_id, device_id;
    bool is_initial; /* since is 0 then */
    bool full_state, state_after;
    int64_t since, upto;
    const struct sync_filter *filter;
    const struct json *ignored; /* m.ignored_user_list: ignored_users; NULL: nobody */
    struct json *push_rules;    /* read when first needed */
    struct json *out;
    bool has_news;         /* something to tell before the time is up */
    int64_t bytes_left;    /* of event texts, over all rooms: SYNC_BYTES_MAX */
    int64_t stripped_left; /* of stripped state, over all rooms: SYNC_STRIPPED_BYTES_MAX */
    struct json *joins, *invites, *knocks, *leaves; /* rooms' parts, made when first needed */
    struct map met, parted; /* sets of users who came or went: their devices may be news */
    struct numbers entered; /* rooms that the reader came into since the token */
    int64_t peeked;         /* the one room that is told, to a reader who need not be in it */
};

/* The reader's row of a room. */
struct sync_member {
    struct str word; /* "join", "leave", ...; absent: never there */
    struct str stripped;
    int64_t event, position;
    bool forgotten;
};

/* A room on its way into the answer. */
struct sync_room {
    struct room *room;
    int64_t member_event, member_position;
    bool is_joined;    /* else left or banned */
    bool is_whole;     /* told from the start: state and the newest events */
    int64_t since;     /* INT64_MIN when whole */
    int64_t upto;      /* of a room left: the leave */
    int64_t end;       /* snapshot at the end of the timeline */
    struct json *json; /* its part of the answer */
    /* By timeline_collect: */
    struct stored **raw; /* everything looked at, oldest first */
    size_t n_raw;
    struct stored **shown; /* what passed the filter */
    size_t n_shown;
    bool is_complete; /* raw is all there is since `since` */
    bool limited;
};

enum err sync_member_get(struct sync *s, int64_t room, struct sync_member *out) MUST_USE;
/* Was the reader in the room right before this event? False where that is not known. */
enum err sync_was_in(struct sync *s, const struct stored *ev, bool *was_in) MUST_USE;
/* Rooms with news for anybody since the token, and those where only the reader's own data are. */
enum err rooms_with_news(struct sync *s, struct numbers *out) MUST_USE;

enum err rooms_initial(struct sync *s) MUST_USE;
enum err rooms_changed(struct sync *s) MUST_USE;
enum err presence_changed(struct sync *s) MUST_USE;
enum err account_data_initial(struct sync *s) MUST_USE;
enum err account_data_changed(struct sync *s) MUST_USE;
enum err to_device_pending(struct sync *s) MUST_USE;
enum err device_lists_changed(struct sync *s) MUST_USE;
enum err key_counts(struct sync *s) MUST_USE;

/* timeline.c: fills raw, shown, is_complete, limited. */
enum err timeline_collect(struct sync *s, struct sync_room *r) MUST_USE;
/* May the reader see the event, and does the filter let it through? */
enum err timeline_shows(struct sync *s, const struct stored *ev, bool *shown) MUST_USE;
/* Puts `timeline`, when there is something to put. */
enum err timeline_put(struct sync *s, struct sync_room *r) MUST_USE;
/* state.c: puts `state` (or `state_after`). *members tells that a membership changed. */
enum err sync_state_put(struct sync *s, struct sync_room *r, bool *members) MUST_USE;
/* The snapshot the room had at a position; 0: none, we were not in the room. */
enum err sync_state_at(struct sync *s, const struct room *room, int64_t position,
                       int64_t *snapshot) MUST_USE;
/* summary.c */
enum err summary_put(struct sync *s, struct sync_room *r) MUST_USE;
enum err summary_heroes(struct sync *s, const struct sync_room *r, struct strs *heroes) MUST_USE;
/* unread.c: the counts of a room; */
enum err unread_put(struct sync *s, struct sync_room *r) MUST_USE;
/* what the reader's push rules say of one of its events, as rules and room are now, and whether a
 * receipt of his covers it. */
struct tally;
enum err tally_open(struct sync *s, const struct room *room, struct tally **out) MUST_USE;
enum err tally_judge(struct tally *t, const struct stored *ev, struct push_verdict *out) MUST_USE;
enum err tally_is_read(struct tally *t, const struct stored *ev, bool *read) MUST_USE;
/* ephemeral.c: typing and receipts. */
enum err ephemeral_put(struct sync *s, struct sync_room *r) MUST_USE;
/* account_data.c */
enum err account_data_put_room(struct sync *s, struct sync_room *r) MUST_USE;

/* An event as the filter wants it: format and fields. */
enum err sync_event(struct sync *s, const struct stored *ev, struct json **out) MUST_USE;
/* {"events": [...]}: the array of the part `key`, made when it is not there. */
struct json *sync_events(struct json *parent, const char *key);
/* An evaluation for the one who asks, of what came after `since`. */
enum err sync_open(struct sync *s, struct hs *hs, const struct req *req, int64_t since,
                   const struct sync_filter *filter) MUST_USE;
bool sync_is_ignored(const struct sync *s, struct str user_id);

/* A request that waited: is its device still logged in? *ok false: the refusal is set. */
enum err sync_is_logged_in(struct hs *hs, struct req *req, bool *ok) MUST_USE;
/* Parks the request until there is news or its time is up. */
enum err sync_wait(struct hs *hs, struct req *req, resume_fn resume, int64_t timeout_ms) MUST_USE;

#endif

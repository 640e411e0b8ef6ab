/* Events and rooms as the store has them, parsed once and kept while memory allows. What is given
 * lives at least to the end of the input that asked; a rollback empties the cache. */
#ifndef ENGINE_EVENT_CACHE_H
#define ENGINE_EVENT_CACHE_H

#include "engine/engine.h"

enum event_status {
    EVENT_ACCEPTED = 0,
    EVENT_SOFT_FAILED = 1,
    EVENT_REJECTED = 2,
};

struct stored {
    int64_t nid; /* row id */
    int64_t room;
    int64_t before, after; /* state snapshots; 0: not known (outlier, fetched history) */
    int64_t position;
    bool has_position; /* in the timeline */
    bool is_outlier;
    enum event_status status;
    struct str redacted_by;        /* event id, absent: it is not */
    struct str txn_device, txn_id; /* the request of ours that made it, absent: it had no such id */
    struct event *ev;              /* as received; redaction is applied when it is shown */
};

struct room {
    int64_t nid;
    struct str id;
    const struct room_version *version;
    int64_t snapshot; /* current state; 0: we are not in the room */
    int64_t last_position;
    bool is_published;
};

struct event_cache;
struct event_cache *event_cache_new(void);
void event_cache_free(struct event_cache *c);
void event_cache_clear(struct hs *hs);
/* End of the turn: empties it when it has grown past its bound. */
void event_cache_trim(struct hs *hs);

/* ERR_ABSENT: not here. */
enum err event_find(struct hs *hs, struct str event_id, struct stored **out) MUST_USE;
enum err event_get(struct hs *hs, int64_t nid, struct stored **out) MUST_USE;
/* A row that was just written, and its event (copied), while there is room for it. */
enum err event_keep(struct hs *hs, const struct stored *row, const struct event *ev) MUST_USE;
/* It was sent from that device under that transaction id. */
enum err event_set_txn(struct hs *hs, struct stored *s, struct str device_id,
                       struct str txn_id) MUST_USE;
/* The row changed: read it anew next time. */
void event_forget(struct hs *hs, const struct stored *s);

/* Which event stands under two names (store_name), 0: none, in the current state of a room or, with
 * the negative of its number, in a snapshot, which never changes. False: that is not remembered. */
bool state_row_find(const struct hs *hs, int64_t of, int64_t type, int64_t state_key,
                    int64_t *event);
void state_row_keep(struct hs *hs, int64_t of, int64_t type, int64_t state_key, int64_t event);
/* The row changed. */
void state_row_forget(struct hs *hs, int64_t of, int64_t type, int64_t state_key);

enum err room_find(struct hs *hs, struct str room_id, struct room **out) MUST_USE;
enum err room_get(struct hs *hs, int64_t nid, struct room **out) MUST_USE;
/* Makes the row when there is none. */
enum err room_make(struct hs *hs, struct str room_id, const struct room_version *version,
                   struct room **out) MUST_USE;
enum err room_set_snapshot(struct hs *hs, struct room *room, int64_t snapshot) MUST_USE;
/* Something of the room is news at this position. */
enum err room_touch(struct hs *hs, struct room *room, int64_t position) MUST_USE;
enum err room_publish(struct hs *hs, struct room *room, bool is_published) MUST_USE;

#endif

/* What the core wants done, in order. An effect is stamped with the number of the turn it could
 * have seen when that turn commits, and leaves when that turn is durable. */
#ifndef ENGINE_EFFECTS_H
#define ENGINE_EFFECTS_H

#include "hs/hs.h"

struct effects;

struct effects *effects_new(void);
void effects_free(struct effects *e);

/* Everything is copied. */
void effects_respond(struct effects *e, uint64_t id, int status, struct str head, struct str body);
void effects_send(struct effects *e, uint64_t link, struct str message, bool is_text);
void effects_dial(struct effects *e, uint64_t link, struct str url);
void effects_close(struct effects *e, uint64_t link);
void effects_fetch(struct effects *e, uint64_t id, struct str server, struct str request,
                   int64_t until_mono_ms);

/* For a savepoint: cut drops everything pushed since the mark. */
size_t effects_mark(const struct effects *e);
void effects_cut(struct effects *e, size_t mark);

/* COMMIT succeeded: stamps what is unstamped. changed: the turn wrote something. */
void effects_committed(struct effects *e, bool changed);
/* The turn wrote, but nothing that anybody waits for (store_spare): the next flush carries it, or
 * one of its own in a moment. */
void effects_spared(struct effects *e, struct now now);
/* A flush is complete. */
void effects_flushed(struct effects *e, uint64_t turn);
/* COMMIT or a flush failed: all that waits is dropped, and only a RESTART leaves. */
void effects_restart(struct effects *e);
/* When to be woken next (-1: never), told when it changes. Hosts forget a time that has come, so
 * what is due still is told as due in a moment. */
void effects_wake(struct effects *e, int64_t at_mono_ms, struct now now);

/* *out borrows until the next call of any function here. */
bool effects_next(struct effects *e, struct effect *out);
bool effects_is_dirty(const struct effects *e);

#endif

/* The full-text index of what was said, filled in turns after those that said it. */
#ifndef ENGINE_SEARCH_INDEX_H
#define ENGINE_SEARCH_INDEX_H

#include "engine/publish.h"

struct search_index;
struct search_index *search_index_new(int64_t now_ms); /* mono_ms */
void search_index_free(struct search_index *index);

/* A subscriber: there is something to index. */
enum err search_index_on_fact(struct hs *hs, const struct fact *fact) MUST_USE;
/* When the next events are to be indexed, mono_ms; -1: all are. */
int64_t search_index_next_ms(const struct hs *hs);
/* Indexes some events; an input of its own. */
enum err search_index_turn(struct hs *hs) MUST_USE;
/* Before a search: whatever waits, as far as SEARCH_CATCH_UP reaches. */
enum err search_index_catch_up(struct hs *hs) MUST_USE;

/* The text that is searched in an event; absent: none. field: "body", "name" or "topic". */
struct str search_index_text(const struct event *ev, const char **field);

#endif

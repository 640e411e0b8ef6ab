/* One input, one savepoint: what fails is taken back whole and harms nothing else of its turn. */
#ifndef ENGINE_INPUT_H
#define ENGINE_INPUT_H

#include "engine/engine.h"

struct input {
    size_t effects, calls; /* marks to cut back to */
};

/* Opens the turn when it is not, and the savepoint. */
enum err input_begin(struct hs *hs, struct input *in) MUST_USE;
/* Without an error and with keep: release; else roll back everything since input_begin. */
enum err input_end(struct hs *hs, const struct input *in, enum err err, bool keep) MUST_USE;
/* Runs fn as an input of its own. Its error is logged as "<what> failed" and given back. */
typedef enum err (*input_fn)(struct hs *hs, void *ctx);
enum err input_run(struct hs *hs, input_fn fn, void *ctx, const char *what);
/* An error of the turn itself (COMMIT, corruption, a full disk): nothing leaves any more. */
void input_fatal(struct hs *hs, enum err err);
/* Is it one? */
bool input_is_fatal(enum err err);

#endif

/* Savepoints around inputs. */
#include "engine/input.h"

#include "engine/call.h"
#include "engine/effects.h"
#include "engine/event_cache.h"

enum err input_begin(struct hs *hs, struct input *in)
{
    TRY(store_begin(hs->store));
    in->effects = effects_mark(hs->effects);
    in->calls = calls_mark(hs->calls);
    return store_savepoint(hs->store);
}

/* What was read stays known, unless something was written, or may have been, that is taken back. */
enum err input_end(struct hs *hs, const struct input *in, enum err err, bool keep)
{
    if (err == ERR_NONE && keep) {
        return store_release(hs->store);
    }
    effects_cut(hs->effects, in->effects);
    calls_cut(hs->calls, in->calls);
    if (err != ERR_NONE || store_has_written(hs->store)) {
        event_cache_clear(hs);
    }
    return store_rollback(hs->store);
}

bool input_is_fatal(enum err err)
{
    return err == ERR_FULL || err == ERR_CORRUPT;
}

void input_fatal(struct hs *hs, enum err err)
{
    if (!hs->dead) {
        hs_log(hs, LOG_ERROR, "turn lost: %s (%s); nothing of it left, reopening", err_name(err),
               store_why(hs->store));
        hs->dead = true;
        effects_restart(hs->effects);
    }
}

enum err input_run(struct hs *hs, input_fn fn, void *ctx, const char *what)
{
    struct input in;
    enum err err = input_begin(hs, &in);
    enum err ended = err;
    if (err == ERR_NONE) {
        err = fn(hs, ctx);
        ended = input_end(hs, &in, err, true);
    }
    if (err != ERR_NONE) {
        hs_log(hs, LOG_ERROR, "%s failed: %s (%s)", what, err_name(err), store_why(hs->store));
    }
    if (input_is_fatal(err) || ended != ERR_NONE) {
        input_fatal(hs, input_is_fatal(err) ? err : ended);
    }
    return err == ERR_NONE ? ended : err;
}

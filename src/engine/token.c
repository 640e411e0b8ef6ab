/* Stream tokens. */
#include "engine/token.h"

struct str token_write(struct hs *hs, struct arena *a, int64_t position)
{
    return arena_fmt(a, "s%lld_%.*s", (long long)position, STR_ARG(hs->identity.epoch));
}

bool token_parse(struct hs *hs, struct str token, int64_t *position)
{
    struct str number;
    struct str epoch;
    return token.n > 1 && token.p[0] == 's' && str_cut(str_from(token, 1), '_', &number, &epoch) &&
           str_eq(epoch, hs->identity.epoch) && str_to_i64(number, position) &&
           *position <= store_position(hs->store);
}

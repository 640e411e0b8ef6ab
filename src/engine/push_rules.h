/* Push rules (client-server API, "Push rules"): the default set, a user's own, and what they say
 * about an event. Stored as the account data m.push_rules, with its defaults in it. */
#ifndef ENGINE_PUSH_RULES_H
#define ENGINE_PUSH_RULES_H

#include "engine/event_cache.h"
#include "room/power.h"

/* {"global": {override, content, room, sender, underride}}, all of them server defaults. */
struct json *push_rules_default(struct arena *a, struct str user_id);
/* The user's rules: {"global": ...}. A tree of the caller's own. */
enum err push_rules_get(struct hs *hs, struct arena *a, int64_t user, struct str user_id,
                        struct json **out) MUST_USE;
enum err push_rules_put(struct hs *hs, int64_t user, const struct json *rules) MUST_USE;

/* What conditions may ask about besides the event. */
struct push_context {
    struct str user_id;
    struct str display_name; /* in the room; absent: none */
    int64_t member_count;    /* joined, or any number above 2 */
    const struct power *power;
};

struct push_verdict {
    bool notify, highlight;
    const struct json *actions; /* the rule's own; NULL: no rule fits */
};

/* Pure. The first rule that fits decides; none: no notification. */
struct push_verdict push_rules_judge(const struct json *rules, const struct event *ev,
                                     const struct push_context *context);

#endif

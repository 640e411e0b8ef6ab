/* What the rules say of an event. Not an error: a refusal is a normal answer. */
#ifndef ROOM_VERDICT_H
#define ROOM_VERDICT_H

#include "base/str.h"

enum verdict_kind {
    VERDICT_ACCEPT,
    VERDICT_SOFT_FAIL, /* allowed where it stands, not by the current state: kept, not shown */
    VERDICT_REJECT,    /* kept as rejected, shown to nobody */
    VERDICT_DROP,      /* not even kept */
    VERDICT_MISSING,   /* cannot be decided before `missing` is here */
};

struct verdict {
    enum verdict_kind kind;
    const char *why; /* the rule, for the log and for M_FORBIDDEN; static; NULL if accepted */
    struct strs missing;
};

static inline struct verdict verdict_accept(void)
{
    return (struct verdict){.kind = VERDICT_ACCEPT};
}

static inline struct verdict verdict_reject(const char *why)
{
    return (struct verdict){.kind = VERDICT_REJECT, .why = why};
}

#endif

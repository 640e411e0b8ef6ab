/* What the parts of the vectors program share: a file being checked, and a count. */
#ifndef VECTORS_VECTORS_H
#define VECTORS_VECTORS_H

#include "event/event.h"
#include "room/state.h"

/* One kind of check, with its row in the result. */
enum tally_kind {
    TALLY_CANONICAL,
    TALLY_HASH,
    TALLY_SIGNATURE,
    TALLY_ID,
    TALLY_REDACTION,
    TALLY_SELECTION,
    TALLY_AUTH,
    TALLY_STATE,
    TALLY_DECISION,
    TALLY_MERGE,
    TALLY_MENDED,
    TALLY_KINDS,
};

struct tally {
    const char *file;
    const struct json *mends; /* content hash -> what of the content was recorded wrongly */
    struct str version;
    unsigned long checked[TALLY_KINDS];
    unsigned long differ[TALLY_KINDS];
};

/* Counts one check; prints the first few that differ. */
void tally_check(struct tally *t, enum tally_kind kind, bool same, struct str id, const char *note);

void check_events(struct tally *t, struct arena *a, const struct json *file);
void check_rules(struct tally *t, struct arena *a, const struct json *file);

#endif

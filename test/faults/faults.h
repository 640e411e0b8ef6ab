/* Which call fails. sqlite's allocator has no context of its own, so there is one of these in a
 * process: every disk and the allocator ask it. */
#ifndef TEST_FAULTS_FAULTS_H
#define TEST_FAULTS_FAULTS_H

#include "base/base.h"

enum fault {
    FAULT_READ,
    FAULT_WRITE,
    FAULT_FULL, /* a write finds no room */
    FAULT_FLUSH,
    FAULT_ALLOCATION,
    FAULT_COUNT
};

/* "a page read fails", say. */
const char *fault_name(enum fault kind);

/* Puts the allocator into sqlite. Before any other call of sqlite's. */
void faults_start(void);
/* From now on calls are counted, and the nth of that kind fails (from 1; 0: none); all later ones
 * too when it is lasting. */
void faults_arm(enum fault kind, uint64_t nth, bool is_lasting);
/* Nothing fails any more. How often something did. */
uint64_t faults_disarm(void);
/* Calls count and fail, or do not for a while: those of who looks at what remains. */
void faults_pause(bool is_paused);
/* Calls of a kind since faults_arm. */
uint64_t faults_calls(enum fault kind);

/* Counts a call; true: it has to fail. */
bool fault_strikes(enum fault kind);

#endif

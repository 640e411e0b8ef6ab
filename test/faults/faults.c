/* The counter of calls, and sqlite's allocator with it. */
#include "test/faults/faults.h"

#include <sqlite3.h>

static struct {
    bool is_armed, is_paused, is_lasting;
    enum fault kind;
    uint64_t nth, struck;
    uint64_t calls[FAULT_COUNT];
    sqlite3_mem_methods memory; /* sqlite's own */
} faults;

const char *fault_name(enum fault kind)
{
    static const char *const names[FAULT_COUNT] = {
        [FAULT_READ] = "a page read fails",
        [FAULT_WRITE] = "a write fails",
        [FAULT_FULL] = "the disk is full",
        [FAULT_FLUSH] = "a flush fails",
        [FAULT_ALLOCATION] = "an allocation of sqlite fails",
    };
    return names[kind];
}

static void *allocate(int size)
{
    return fault_strikes(FAULT_ALLOCATION) ? NULL : faults.memory.xMalloc(size);
}

static void *reallocate(void *old, int size)
{
    return fault_strikes(FAULT_ALLOCATION) ? NULL : faults.memory.xRealloc(old, size);
}

void faults_start(void)
{
    int rc = sqlite3_config(SQLITE_CONFIG_GETMALLOC, &faults.memory);
    assert(rc == SQLITE_OK);
    sqlite3_mem_methods methods = faults.memory;
    methods.xMalloc = allocate;
    methods.xRealloc = reallocate;
    rc = sqlite3_config(SQLITE_CONFIG_MALLOC, &methods);
    assert(rc == SQLITE_OK);
    /* Small pieces come from a pool otherwise, and its calls are not seen. */
    rc = sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0);
    assert(rc == SQLITE_OK);
    (void)rc;
}

void faults_arm(enum fault kind, uint64_t nth, bool is_lasting)
{
    faults.is_armed = true;
    faults.kind = kind;
    faults.nth = nth;
    faults.is_lasting = is_lasting;
    faults.struck = 0;
    for (int i = 0; i < FAULT_COUNT; i++) {
        faults.calls[i] = 0;
    }
}

uint64_t faults_disarm(void)
{
    faults.is_armed = false;
    return faults.struck;
}

void faults_pause(bool is_paused)
{
    faults.is_paused = is_paused;
}

uint64_t faults_calls(enum fault kind)
{
    return faults.calls[kind];
}

bool fault_strikes(enum fault kind)
{
    if (!faults.is_armed || faults.is_paused) {
        return false;
    }
    uint64_t n = ++faults.calls[kind];
    bool strikes = kind == faults.kind && faults.nth > 0 &&
                   (faults.is_lasting ? n >= faults.nth : n == faults.nth);
    faults.struck += strikes;
    return strikes;
}

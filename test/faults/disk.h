/* A disk in memory, as a file system of sqlite's: each file has what was written and what was
 * flushed of it. Made for one connection to a file at a time; making and deleting a file is durable
 * at once. */
#ifndef TEST_FAULTS_DISK_H
#define TEST_FAULTS_DISK_H

#include "base/base.h"

struct disk;

/* Empty; sqlite knows it as name (a literal). */
struct disk *disk_new(const char *name);
void disk_free(struct disk *disk);
const char *disk_name(const struct disk *disk);

enum remains {
    REMAINS_WRITTEN, /* the process ended: the system has what it wrote */
    REMAINS_FLUSHED, /* the power was cut: of what was not flushed, some blocks are there */
};

/* Makes disk a copy of what remains on another. seed chooses the blocks. */
void disk_copy(struct disk *disk, const struct disk *from, enum remains remains, uint32_t seed);
/* Calls fn after each flush; NULL: no more. */
void disk_watch(struct disk *disk, void (*fn)(void *ctx), void *ctx);

#endif

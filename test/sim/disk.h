/* A disk that forgets: the database lives in an image, a flush takes its time, and a crash leaves
 * what the last complete flush wrote. */
#ifndef TEST_SIM_DISK_H
#define TEST_SIM_DISK_H

#include "base/base.h"

struct disk;

/* An empty disk, reached by sqlite through a file system called name (a literal). */
struct disk *disk_new(const char *name);
void disk_free(struct disk *disk);

/* Makes the file system, filled with what is durable. No instance may be open on it. */
void disk_mount(struct disk *disk);
/* What becomes of a flush in flight when its instance ends. */
enum fate {
    FATE_LOST,
    FATE_DONE,
    FATE_LATE, /* it reaches the disk when disk_late says so, if the disk still takes it */
};

/* Takes it away with all that is not durable. The instance must be closed. */
void disk_unmount(struct disk *disk, enum fate fate);
/* The late flush, if there is one, reaches the disk. The disk has a fence, as the browser's has:
 * each mount raises its generation, and a flush of an older one is refused. */
void disk_late(struct disk *disk);

/* Copies what is dirty into one flush. None may be in flight. */
void disk_flush_begin(struct disk *disk);
/* The flush has reached the disk, or (not ok) has not. */
void disk_flush_end(struct disk *disk, bool ok);
bool disk_is_flushing(const struct disk *disk);

/* Of what is durable. */
uint32_t disk_size(const struct disk *disk);

#endif

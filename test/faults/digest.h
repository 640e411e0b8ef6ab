/* What a database says, as a number. */
#ifndef TEST_FAULTS_DIGEST_H
#define TEST_FAULTS_DIGEST_H

#include "test/faults/disk.h"

/* Opens the file on that disk as sqlite would after a crash and reads every row of every table but
 * those of the full-text index, which is made anew at leisure. False: it does not open, or
 * integrity_check finds a fault, which *why is then. */
bool digest_read(const struct disk *disk, const char *path, uint64_t *digest, const char **why);

#endif

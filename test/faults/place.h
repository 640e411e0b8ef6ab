/* Two houses on a disk, with people, rooms and messages in them: made once, and put back as it was
 * before each operation. */
#ifndef TEST_FAULTS_PLACE_H
#define TEST_FAULTS_PLACE_H

#include "hs/town_model.h"
#include "test/faults/disk.h"
#include "test/faults/operations.h"

enum { PLACE_HOUSES = 2 };

struct place;

/* Its houses are on files of this disk, and closed. */
struct place *place_new(struct disk *disk);
void place_free(struct place *p);
/* The file of a house. */
const char *place_path(int house);

/* The disk as it was when everything was made, and the town on it with no house open. */
struct town *place_town(const struct place *p);
/* The same town on a disk with nothing on it. */
struct town *place_town_empty(const struct place *p);
/* Opens a house. */
enum err place_open(const struct place *p, struct town *t, int house) MUST_USE;
/* Does what the row says: the status, 0 while there is no answer; t->answer. The same row is the
 * same request however often it is asked. */
int place_do(const struct place *p, struct town *t, const struct operation *op);
/* What alice reads by the path, as the row's `then`: the status. */
int place_read(const struct place *p, struct town *t, const char *path);

#endif

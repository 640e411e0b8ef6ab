/* The data directory: made, locked, and the few files in it that are not the database. */
#ifndef HOST_NATIVE_DATA_H
#define HOST_NATIVE_DATA_H

#include "base/base.h"
#include "host/native/sentence.h"

#define DATA_PATH_MAX 4096
#define DATA_SECRET_MAX 256
#define DATA_SENTENCE_MAX (DATA_PATH_MAX + 200)
/* False, with `why` (DATA_SENTENCE_MAX bytes) being the sentence. */
#define DATA_REFUSE(why, ...) sentence_refuse(why, DATA_SENTENCE_MAX, __VA_ARGS__)

struct data {
    int lock_fd; /* held until data_close */
    char db_path[DATA_PATH_MAX];
    char probe_path[DATA_PATH_MAX];
    char address_path[DATA_PATH_MAX];
    char admin_token[DATA_SECRET_MAX];         /* a C string */
    char registration_secret[DATA_SECRET_MAX]; /* a C string; empty: none */
};

/* Makes DIR (0700) and DIR/admin-token (0600, 32 random bytes in hex) where missing, takes the lock
 * in DIR/lock, reads secret_file when it is not NULL. False: `why` (DATA_SENTENCE_MAX bytes) is a
 * sentence and nothing is held. */
bool data_open(struct data *out, const char *dir, const char *secret_file, char *why);
void data_close(struct data *data);

/* Writes and syncs a megabyte beside the database and removes it: true when the disk takes it. */
bool data_has_room(const struct data *data);

/* Writes all of it; false: errno says why. */
bool data_write(int fd, const void *bytes, size_t n);

/* Ends the process that holds DIR, as SIGTERM does, and returns when it has. False: `why`
 * (DATA_SENTENCE_MAX bytes) is a sentence. */
bool data_stop(const char *dir, char *why);

/* Says in DIR/address where clients are served, for those who give orders to this one. */
void data_tell_address(const struct data *data, const char *address);
/* The way to the neurite that runs in DIR. False: `why` (DATA_SENTENCE_MAX bytes) is a sentence. */
struct data_door {
    char address[DATA_SECRET_MAX]; /* numeric, a space, and the port */
    char token[DATA_SECRET_MAX];
};
bool data_find(struct data_door *out, const char *dir, char *why);

/* Bytes from the kernel's generator; never fails. */
void data_random(void *out, size_t n);

#endif

/* The database: one connection, one transaction a turn, one savepoint an input. Only this folder
 * (and the browser's VFS) knows sqlite. SQL stands in statements.def, tables in schema.c.
 *
 * Values are bound by a format: 'i' int64_t, 't' struct str as text, 'b' struct str as blob; an
 * absent str binds NULL. A statement is one cached object: a query over it must end before it is
 * started again (an assertion sees to it). */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/arena.h"

struct store;
struct sqlite3_stmt;

enum stmt {
#define S(name, sql) STMT_##name,
#include "store/statements.def"
#undef S
    STMT_COUNT
};

/* vfs NULL: sqlite's default. ERR_CORRUPT also for a schema newer than ours; *why gets a sentence.
 */
enum err store_open(struct store **out, struct str path, const char *vfs, bool wasm_pragmas,
                    const char **why) MUST_USE;
void store_close(struct store *s);
/* Seeds sqlite's own generator, which is global to the process: simulator only. */
void store_test_seed(uint32_t seed);
/* Returns rows in reverse order where no ORDER BY says otherwise: finds a missing one. */
enum err store_test_reverse(struct store *s) MUST_USE;

/* One turn, one transaction. begin does nothing when the turn is open already. */
enum err store_begin(struct store *s) MUST_USE;
enum store_wrote {
    STORE_WROTE_NOTHING,
    STORE_WROTE_SPARE, /* nothing but what was spared */
    STORE_WROTE,
};
enum err store_commit(struct store *s, enum store_wrote *wrote) MUST_USE;
enum err store_savepoint(struct store *s) MUST_USE;
enum err store_release(struct store *s) MUST_USE;
enum err store_rollback(struct store *s) MUST_USE; /* to the savepoint, and releases it */
bool store_has_written(const struct store *s);     /* any row since the savepoint */
/* What was written since the savepoint may be lost with the process: it says what others know and
 * will say again. */
void store_spare(struct store *s);
/* The last sqlite message, for the log. */
const char *store_why(const struct store *s);

/* Runs to the end; rows are dropped. */
enum err store_run(struct store *s, enum stmt stmt, const char *format, ...) MUST_USE;
/* Row id of the last insert. */
int64_t store_last_id(const struct store *s);
/* Rows changed by the last store_run. */
int64_t store_changes(const struct store *s);

struct query {
    struct store *store;
    struct sqlite3_stmt *stmt;
    enum err err;
};

/* while (query_next(&q)) { ... }  TRY(query_end(&q)); */
void query_start(struct query *q, struct store *s, enum stmt stmt, const char *format, ...);
bool query_next(struct query *q);
enum err query_end(struct query *q) MUST_USE; /* the first error met; may end early */
/* Start and step once: ERR_ABSENT (and already ended) when there is no row; else read the columns
 * and call query_end. */
enum err query_one(struct query *q, struct store *s, enum stmt stmt, const char *format,
                   ...) MUST_USE;

int64_t query_int(const struct query *q, int column);
bool query_is_null(const struct query *q, int column);
/* Copied into the arena; absent for NULL. Text and blobs alike. */
struct str query_str(const struct query *q, struct arena *a, int column);

/* First column of the first row, or fallback without a row. */
enum err store_get_int(struct store *s, int64_t *out, int64_t fallback, enum stmt stmt,
                       const char *format, ...) MUST_USE;
/* The same for text: absent without a row. */
enum err store_get_str(struct store *s, struct arena *a, struct str *out, enum stmt stmt,
                       const char *format, ...) MUST_USE;

/* meta: one row a key. */
enum err store_meta_get(struct store *s, struct arena *a, const char *key,
                        struct str *out) MUST_USE;
enum err store_meta_put(struct store *s, const char *key, struct str value) MUST_USE;

/* Short numbers for long texts (event types, state keys, user ids, server names). */
enum err store_name(struct store *s, struct str text, int64_t *id) MUST_USE; /* makes it */
/* 0 when the text was never named. */
enum err store_name_find(struct store *s, struct str text, int64_t *id) MUST_USE;
enum err store_name_text(struct store *s, struct arena *a, int64_t id, struct str *out) MUST_USE;

/* The position of everything that a client can be told about. The counter is in the database. */
enum err store_position_next(struct store *s, int64_t *position) MUST_USE;
int64_t store_position(const struct store *s); /* the newest given */
/* Leaves n positions free. */
void store_position_skip(struct store *s, int64_t n);
/* Positions of history fetched later: below every other, going down. */
enum err store_position_before(struct store *s, int64_t *position) MUST_USE;

/* Reads every page; ERR_CORRUPT: the file is not whole. */
enum err store_check(struct store *s) MUST_USE;
/* Database size in bytes. */
enum err store_size(struct store *s, int64_t *bytes) MUST_USE;

/* Private to store/: the numbered migrations. */
extern const char *const schema_migrations[];
extern const int schema_version;

#endif

/* The connection, the turn, the cached statements. */
#include "store/store.h"

#include "base/limits.h"
#include "base/map.h"

#include <sqlite3.h>
#include <stdarg.h>
#include <string.h>

struct store {
    sqlite3 *db;
    sqlite3_stmt *stmts[STMT_COUNT];
    bool in_turn;
    bool in_savepoint;
    bool is_alone; /* nothing was written before in this turn: the transaction is the savepoint */
    int changes_before, changes_mark; /* before the turn, and the savepoint */
    int changes_spared;               /* of those of the turn */
    int64_t position, position_saved;
    int64_t position_low, position_low_saved;
    int64_t position_mark, position_low_mark; /* at the savepoint */
    struct arena *names_arena;
    struct map names; /* some of them, by text */
};

struct name {
    int64_t id;
    struct str text;
};

static const char *const texts[STMT_COUNT] = {
#define S(name, sql) [STMT_##name] = sql,
#include "store/statements.def"
#undef S
};

static void names_forget(struct store *s)
{
    arena_clear(s->names_arena);
    map_init_in(&s->names, s->names_arena);
}

static void names_keep(struct store *s, struct str text, int64_t id)
{
    if (arena_size(s->names_arena) > STORE_NAMES_MAX) {
        names_forget(s);
    }
    struct name *name = ARENA_NEW(s->names_arena, struct name);
    *name = (struct name){id, arena_str(s->names_arena, text)};
    map_put(&s->names, name->text, name);
}

static enum err err_of(int rc)
{
    switch (rc & 0xFF) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return ERR_NONE;
    case SQLITE_FULL:
        return ERR_FULL;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return ERR_CORRUPT;
    default:
        return ERR_STORE;
    }
}

static enum err exec(struct store *s, const char *sql)
{
    return err_of(sqlite3_exec(s->db, sql, NULL, NULL, NULL));
}

static enum err pragma_int(struct store *s, const char *sql, int64_t *out)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL);
    if (rc == SQLITE_OK) {
        rc = sqlite3_step(stmt);
        *out = rc == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : 0;
    }
    sqlite3_finalize(stmt);
    return err_of(rc);
}

static enum err migrate(struct store *s, const char **why)
{
    int64_t version = 0;
    *why = "the database cannot be read; keep the file and look at its first bytes";
    TRY(pragma_int(s, "PRAGMA user_version", &version));
    if (version < 0) {
        return ERR_CORRUPT;
    }
    if (version > schema_version) {
        *why =
            "the database was written by a newer build; run that build, this one changed nothing";
        return ERR_CORRUPT;
    }
    *why = "a migration of the database failed; it is unchanged";
    for (int64_t i = version; i < schema_version; i++) {
        struct arena *a = arena_new();
        struct str stamp = arena_fmt(a, "PRAGMA user_version=%d", (int)i + 1);
        enum err err = exec(s, "BEGIN IMMEDIATE");
        err = err != ERR_NONE ? err : exec(s, schema_migrations[i]);
        err = err != ERR_NONE ? err : exec(s, stamp.p);
        err = err != ERR_NONE ? err : exec(s, "COMMIT");
        arena_free(a);
        if (err != ERR_NONE) {
            (void)exec(s, "ROLLBACK"); /* the first error is the one to report */
            return err;
        }
    }
    return ERR_NONE;
}

static enum err position_load(struct store *s)
{
    TRY(store_get_int(s, &s->position, 0, STMT_POSITION_GET, "i", (int64_t)1));
    TRY(store_get_int(s, &s->position_low, 0, STMT_POSITION_GET, "i", (int64_t)2));
    s->position_saved = s->position;
    s->position_low_saved = s->position_low;
    return ERR_NONE;
}

static enum err open_steps(struct store *s, bool wasm_pragmas, const char **why)
{
    *why = "the database cannot be opened; is the directory writable and the file whole?";
    if (wasm_pragmas) {
        TRY(exec(s, "PRAGMA page_size=4096; PRAGMA journal_mode=MEMORY; PRAGMA cache_spill=0;"
                    "PRAGMA temp_store=3; PRAGMA cache_size=-512; PRAGMA synchronous=OFF;"
                    "PRAGMA locking_mode=EXCLUSIVE"));
    } else {
        TRY(exec(s, "PRAGMA page_size=4096; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                    "PRAGMA temp_store=3; PRAGMA cache_size=-16384;"
                    "PRAGMA wal_autocheckpoint=2000"));
    }
    TRY(migrate(s, why));
    *why = "the database lacks its first rows";
    return position_load(s);
}

enum err store_open(struct store **out, struct str path, const char *vfs, bool wasm_pragmas,
                    const char **why)
{
    struct store *s = base_alloc(sizeof(*s));
    struct arena *a = arena_new();
    s->names_arena = arena_new();
    map_init_in(&s->names, s->names_arena);
    int rc = sqlite3_open_v2(arena_str(a, path).p, &s->db,
                             SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, vfs);
    arena_free(a);
    *why = "the database file cannot be opened; is the directory writable?";
    enum err err = err_of(rc);
    if (err == ERR_NONE) {
        (void)sqlite3_extended_result_codes(s->db, 1);
        /* Plans never depend on bound values; else sqlite prepares many a statement anew each time
         * it is bound, which costs more than running it. */
        (void)sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_QPSG, 1, NULL);
        err = open_steps(s, wasm_pragmas, why);
    }
    if (err != ERR_NONE) {
        store_close(s);
        s = NULL;
    }
    *out = s;
    return err;
}

void store_close(struct store *s)
{
    if (s == NULL) {
        return;
    }
    for (size_t i = 0; i < STMT_COUNT; i++) {
        sqlite3_finalize(s->stmts[i]);
    }
    int rc = sqlite3_close(s->db);
    assert(rc == SQLITE_OK);
    (void)rc;
    arena_free(s->names_arena);
    base_free(s);
}

void store_test_seed(uint32_t seed)
{
    (void)sqlite3_test_control(SQLITE_TESTCTRL_PRNG_SEED, (int)(seed & 0x7FFFFFFF), NULL);
}

enum err store_test_reverse(struct store *s)
{
    return exec(s, "PRAGMA reverse_unordered_selects=1");
}

enum err store_begin(struct store *s)
{
    if (s->in_turn) {
        return ERR_NONE;
    }
    TRY(store_run(s, STMT_BEGIN, ""));
    s->in_turn = true;
    s->changes_before = sqlite3_total_changes(s->db);
    s->changes_spared = 0;
    return ERR_NONE;
}

static enum err positions_save(struct store *s)
{
    if (s->position != s->position_saved) {
        TRY(store_run(s, STMT_POSITION_PUT, "ii", (int64_t)1, s->position));
    }
    if (s->position_low != s->position_low_saved) {
        TRY(store_run(s, STMT_POSITION_PUT, "ii", (int64_t)2, s->position_low));
    }
    return ERR_NONE;
}

enum err store_commit(struct store *s, enum store_wrote *wrote)
{
    *wrote = STORE_WROTE_NOTHING;
    if (!s->in_turn) {
        return ERR_NONE;
    }
    TRY(positions_save(s));
    TRY(store_run(s, STMT_COMMIT, ""));
    s->position_saved = s->position;
    s->position_low_saved = s->position_low;
    s->in_turn = false;
    int changes = sqlite3_total_changes(s->db) - s->changes_before;
    if (changes != 0) {
        *wrote = changes == s->changes_spared ? STORE_WROTE_SPARE : STORE_WROTE;
    }
    return ERR_NONE;
}

enum err store_savepoint(struct store *s)
{
    s->position_mark = s->position;
    s->position_low_mark = s->position_low;
    s->changes_mark = sqlite3_total_changes(s->db);
    assert(s->in_turn && !s->in_savepoint);
    s->in_savepoint = true;
    s->is_alone = s->changes_mark == s->changes_before;
    return s->is_alone ? ERR_NONE : store_run(s, STMT_SAVEPOINT, "");
}

enum err store_release(struct store *s)
{
    s->in_savepoint = false;
    return s->is_alone ? ERR_NONE : store_run(s, STMT_RELEASE, "");
}

bool store_has_written(const struct store *s)
{
    return sqlite3_total_changes(s->db) != s->changes_mark;
}

void store_spare(struct store *s)
{
    int changes = sqlite3_total_changes(s->db);
    s->changes_spared += changes - s->changes_mark;
    s->changes_mark = changes;
}

enum err store_rollback(struct store *s)
{
    s->position = s->position_mark;
    s->position_low = s->position_low_mark;
    if (store_has_written(s)) { /* a name without its row would be of another one soon */
        names_forget(s);
    }
    s->in_savepoint = false;
    if (s->is_alone) {
        s->in_turn = false;
        return store_run(s, STMT_ROLLBACK, "");
    }
    TRY(store_run(s, STMT_ROLLBACK_TO, ""));
    return store_run(s, STMT_RELEASE, "");
}

const char *store_why(const struct store *s)
{
    return sqlite3_errmsg(s->db);
}

static enum err statement(struct store *s, enum stmt stmt, sqlite3_stmt **out)
{
    if (s->stmts[stmt] == NULL) {
        int rc = sqlite3_prepare_v3(s->db, texts[stmt], -1, SQLITE_PREPARE_PERSISTENT,
                                    &s->stmts[stmt], NULL);
        if (rc != SQLITE_OK) {
            return err_of(rc);
        }
    }
    assert(!sqlite3_stmt_busy(s->stmts[stmt]));
    *out = s->stmts[stmt];
    return ERR_NONE;
}

static enum err bind(sqlite3_stmt *stmt, const char *format, va_list args)
{
    assert((size_t)sqlite3_bind_parameter_count(stmt) == strlen(format));
    int rc = SQLITE_OK;
    for (int i = 1; *format != '\0' && rc == SQLITE_OK; i++, format++) {
        if (*format == 'i') {
            rc = sqlite3_bind_int64(stmt, i, va_arg(args, int64_t));
            continue;
        }
        struct str text = va_arg(args, struct str);
        if (text.p == NULL) {
            rc = sqlite3_bind_null(stmt, i);
        } else if (*format == 'b') {
            rc = sqlite3_bind_blob64(stmt, i, text.p, text.n, SQLITE_STATIC);
        } else {
            assert(*format == 't');
            rc = sqlite3_bind_text64(stmt, i, text.p, text.n, SQLITE_STATIC, SQLITE_UTF8);
        }
    }
    return err_of(rc);
}

static void start(struct query *q, struct store *s, enum stmt stmt, const char *format,
                  va_list args)
{
    *q = (struct query){.store = s};
    q->err = statement(s, stmt, &q->stmt);
    if (q->err == ERR_NONE) {
        q->err = bind(q->stmt, format, args);
    }
}

void query_start(struct query *q, struct store *s, enum stmt stmt, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    start(q, s, stmt, format, args);
    va_end(args);
}

bool query_next(struct query *q)
{
    if (q->err != ERR_NONE) {
        return false;
    }
    int rc = sqlite3_step(q->stmt);
    q->err = err_of(rc);
    return rc == SQLITE_ROW;
}

enum err query_end(struct query *q)
{
    if (q->stmt != NULL) {
        (void)sqlite3_reset(q->stmt); /* repeats the error of the step, which we hold */
        (void)sqlite3_clear_bindings(q->stmt);
    }
    return q->err;
}

/* The first row; ERR_ABSENT, and the query has ended, when there is none. */
static enum err start_one(struct query *q, struct store *s, enum stmt stmt, const char *format,
                          va_list args)
{
    start(q, s, stmt, format, args);
    if (query_next(q)) {
        return ERR_NONE;
    }
    enum err err = query_end(q);
    return err == ERR_NONE ? ERR_ABSENT : err;
}

enum err query_one(struct query *q, struct store *s, enum stmt stmt, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    enum err err = start_one(q, s, stmt, format, args);
    va_end(args);
    return err;
}

enum err store_run(struct store *s, enum stmt stmt, const char *format, ...)
{
    struct query q;
    va_list args;
    va_start(args, format);
    start(&q, s, stmt, format, args);
    va_end(args);
    while (query_next(&q)) {
    }
    return query_end(&q);
}

int64_t store_last_id(const struct store *s)
{
    return sqlite3_last_insert_rowid(s->db);
}

int64_t store_changes(const struct store *s)
{
    return sqlite3_changes(s->db);
}

int64_t query_int(const struct query *q, int column)
{
    return sqlite3_column_int64(q->stmt, column);
}

bool query_is_null(const struct query *q, int column)
{
    return sqlite3_column_type(q->stmt, column) == SQLITE_NULL;
}

struct str query_str(const struct query *q, struct arena *a, int column)
{
    if (query_is_null(q, column)) {
        return STR_ABSENT;
    }
    const void *p = sqlite3_column_blob(q->stmt, column);
    size_t n = (size_t)sqlite3_column_bytes(q->stmt, column);
    return arena_str(a, str_make(p == NULL ? "" : p, n));
}

enum err store_get_int(struct store *s, int64_t *out, int64_t fallback, enum stmt stmt,
                       const char *format, ...)
{
    struct query q;
    va_list args;
    va_start(args, format);
    enum err err = start_one(&q, s, stmt, format, args);
    va_end(args);
    if (err == ERR_ABSENT) {
        *out = fallback;
        return ERR_NONE;
    }
    TRY(err);
    *out = query_is_null(&q, 0) ? fallback : query_int(&q, 0);
    return query_end(&q);
}

enum err store_get_str(struct store *s, struct arena *a, struct str *out, enum stmt stmt,
                       const char *format, ...)
{
    struct query q;
    va_list args;
    va_start(args, format);
    enum err err = start_one(&q, s, stmt, format, args);
    va_end(args);
    *out = STR_ABSENT;
    if (err == ERR_ABSENT) {
        return ERR_NONE;
    }
    TRY(err);
    *out = query_str(&q, a, 0);
    return query_end(&q);
}

enum err store_meta_get(struct store *s, struct arena *a, const char *key, struct str *out)
{
    return store_get_str(s, a, out, STMT_META_GET, "t", str_of(key));
}

enum err store_meta_put(struct store *s, const char *key, struct str value)
{
    return store_run(s, STMT_META_PUT, "tb", str_of(key), value);
}

enum err store_name_find(struct store *s, struct str text, int64_t *id)
{
    const struct name *name = map_get(&s->names, text);
    if (name != NULL) {
        *id = name->id;
        return ERR_NONE;
    }
    TRY(store_get_int(s, id, 0, STMT_NAME_FIND, "t", text));
    if (*id != 0) {
        names_keep(s, text, *id);
    }
    return ERR_NONE;
}

enum err store_name(struct store *s, struct str text, int64_t *id)
{
    TRY(store_name_find(s, text, id));
    if (*id == 0) {
        TRY(store_run(s, STMT_NAME_PUT, "t", text));
        *id = store_last_id(s);
        names_keep(s, text, *id);
    }
    return ERR_NONE;
}

enum err store_name_text(struct store *s, struct arena *a, int64_t id, struct str *out)
{
    return store_get_str(s, a, out, STMT_NAME_TEXT, "i", id);
}

enum err store_position_next(struct store *s, int64_t *position)
{
    s->position++;
    *position = s->position;
    return ERR_NONE;
}

void store_position_skip(struct store *s, int64_t n)
{
    s->position += n;
}

int64_t store_position(const struct store *s)
{
    return s->position;
}

enum err store_position_before(struct store *s, int64_t *position)
{
    s->position_low--;
    *position = s->position_low;
    return ERR_NONE;
}

enum err store_check(struct store *s)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(s->db, "PRAGMA quick_check(1)", -1, &stmt, NULL);
    bool is_whole = false;
    if (rc == SQLITE_OK) {
        rc = sqlite3_step(stmt);
        is_whole =
            rc == SQLITE_ROW && strcmp((const char *)sqlite3_column_text(stmt, 0), "ok") == 0;
    }
    sqlite3_finalize(stmt);
    return err_of(rc) == ERR_NONE && !is_whole ? ERR_CORRUPT : err_of(rc);
}

enum err store_size(struct store *s, int64_t *bytes)
{
    int64_t pages = 0;
    int64_t size = 0;
    TRY(pragma_int(s, "PRAGMA page_count", &pages));
    TRY(pragma_int(s, "PRAGMA page_size", &size));
    *bytes = pages * size;
    return ERR_NONE;
}

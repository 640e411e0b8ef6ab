/* The database: every statement prepares and uses an index, savepoints take back, positions last.
 */
#include "store/store.h"

#include "test/test.h"

#include <sqlite3.h>
#include <stdlib.h>

static const char *const statements[] = {
#define S(name, sql) sql,
#include "store/statements.def"
#undef S
};
static const char *const names[] = {
#define S(name, sql) #name,
#include "store/statements.def"
#undef S
};

/* Tables that are small, or read whole on purpose and never on the path of a request. */
static bool may_scan(const char *name)
{
    static const char *const allowed[] = {"ACCOUNT_COUNT", "PROFILE_SEARCH", "OUTBOX_SERVERS",
                                          "OUTBOX_DEPTHS", "WAITING_LANES"};
    /* These make a list of their own and read it. */
    if (strncmp(name, "RELATION_TREE_", 14) == 0 || strcmp(name, "MEMBER_SERVERS") == 0) {
        return true;
    }
    for (size_t i = 0; i < COUNT_OF(allowed); i++) {
        if (strcmp(allowed[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static struct store *open_memory(void)
{
    struct store *s;
    const char *why = "";
    CHECK(store_open(&s, STR(":memory:"), NULL, true, &why) == ERR_NONE);
    return s;
}

/* Events of a room, however many it has. */
static bool is_of_room_alone(const char *detail)
{
    return strstr(detail, " events_by_") != NULL && strstr(detail, "(room=?)") != NULL;
}

static bool may_read_room(const char *name)
{
    return strcmp(name, "EVENT_OF_ROOM") == 0; /* the first of them */
}

TEST(every_statement_prepares_and_scans_no_table_and_no_room)
{
    sqlite3 *db;
    CHECK(sqlite3_open(":memory:", &db) == SQLITE_OK);
    for (int i = 0; i < schema_version; i++) {
        CHECK(sqlite3_exec(db, schema_migrations[i], NULL, NULL, NULL) == SQLITE_OK);
    }
    for (size_t i = 0; i < COUNT_OF(statements); i++) {
        sqlite3_stmt *plan = NULL;
        char *sql = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", statements[i]);
        int rc = sqlite3_prepare_v2(db, sql, -1, &plan, NULL);
        if (rc != SQLITE_OK) {
            printf("# %s: %s\n", names[i], sqlite3_errmsg(db));
        }
        CHECK(rc == SQLITE_OK);
        while (rc == SQLITE_OK && sqlite3_step(plan) == SQLITE_ROW) {
            const char *detail = (const char *)sqlite3_column_text(plan, 3);
            bool scans = strncmp(detail, "SCAN ", 5) == 0 && strstr(detail, "USING") == NULL &&
                         strstr(detail, "CONSTANT ROW") == NULL &&
                         strstr(detail, "VIRTUAL TABLE INDEX") == NULL &&
                         strstr(detail, "subquery") == NULL && strstr(detail, "(sub") == NULL;
            bool reads_room = is_of_room_alone(detail);
            if ((scans && !may_scan(names[i])) || (reads_room && !may_read_room(names[i]))) {
                printf("# %s: %s\n", names[i], detail);
                CHECK(!scans && !reads_room);
            }
        }
        sqlite3_finalize(plan);
        sqlite3_free(sql);
    }
    sqlite3_close(db);
}

TEST(an_event_with_many_relations_is_looked_at_in_part)
{
    sqlite3 *db;
    CHECK(sqlite3_open(":memory:", &db) == SQLITE_OK);
    for (int i = 0; i < schema_version; i++) {
        CHECK(sqlite3_exec(db, schema_migrations[i], NULL, NULL, NULL) == SQLITE_OK);
    }
    CHECK(sqlite3_exec(db,
                       "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<20000)"
                       " INSERT INTO relations(target,rel_type,event,room,position,ts,sender)"
                       " SELECT '$top','r',i,1,i,0,1 FROM n",
                       NULL, NULL, NULL) == SQLITE_OK);
    for (size_t i = 0; i < COUNT_OF(statements); i++) {
        sqlite3_stmt *stmt = NULL;
        if (strncmp(names[i], "RELATION_TREE_", 14) != 0) {
            continue;
        }
        CHECK(sqlite3_prepare_v2(db, statements[i], -1, &stmt, NULL) == SQLITE_OK);
        CHECK(sqlite3_bind_int(stmt, 1, 1) == SQLITE_OK);
        CHECK(sqlite3_bind_text(stmt, 2, "$top", -1, SQLITE_STATIC) == SQLITE_OK);
        CHECK(sqlite3_bind_int(stmt, 3, 20000) == SQLITE_OK);
        CHECK(sqlite3_bind_int(stmt, 4, 0) == SQLITE_OK);
        CHECK(sqlite3_bind_int(stmt, 5, 5) == SQLITE_OK);
        CHECK(sqlite3_bind_text(stmt, 6, "other", -1, SQLITE_STATIC) == SQLITE_OK);
        CHECK(sqlite3_bind_int(stmt, 7, 0) == SQLITE_OK);
        CHECK(sqlite3_step(stmt) == SQLITE_DONE);
        CHECK(sqlite3_stmt_status(stmt, SQLITE_STMTSTATUS_VM_STEP, 0) < 100000);
        sqlite3_finalize(stmt);
    }
    sqlite3_close(db);
}

TEST(a_savepoint_takes_back_rows_and_positions)
{
    struct store *s = open_memory();
    int64_t kept;
    int64_t lost;
    int64_t id;
    enum store_wrote wrote;
    CHECK(store_begin(s) == ERR_NONE);
    CHECK(store_savepoint(s) == ERR_NONE);
    CHECK(store_name(s, STR("kept"), &id) == ERR_NONE);
    CHECK(store_position_next(s, &kept) == ERR_NONE);
    CHECK(store_release(s) == ERR_NONE);
    CHECK(store_savepoint(s) == ERR_NONE);
    CHECK(store_name(s, STR("lost"), &id) == ERR_NONE);
    CHECK(store_position_next(s, &lost) == ERR_NONE);
    CHECK(store_rollback(s) == ERR_NONE);
    CHECK(store_position(s) == kept);
    CHECK(store_commit(s, &wrote) == ERR_NONE);
    CHECK(wrote == STORE_WROTE);
    CHECK(store_name_find(s, STR("lost"), &id) == ERR_NONE);
    CHECK(id == 0);
    CHECK(store_name_find(s, STR("kept"), &id) == ERR_NONE);
    CHECK(id != 0);
    store_close(s);
}

/* One input that makes a name. */
static void write_name(struct store *s, struct str name, bool spares)
{
    int64_t id;
    CHECK(store_savepoint(s) == ERR_NONE);
    CHECK(store_name(s, name, &id) == ERR_NONE);
    if (spares) {
        store_spare(s);
    }
    CHECK(store_release(s) == ERR_NONE);
}

TEST(the_first_input_of_a_turn_is_taken_back_and_the_turn_goes_on)
{
    struct store *s = open_memory();
    enum store_wrote wrote;
    int64_t id;
    for (int i = 0; i < 2; i++) {
        CHECK(store_begin(s) == ERR_NONE);
        CHECK(store_savepoint(s) == ERR_NONE);
        CHECK(store_name(s, STR("lost"), &id) == ERR_NONE);
        CHECK(store_rollback(s) == ERR_NONE);
    }
    CHECK(store_commit(s, &wrote) == ERR_NONE);
    CHECK(wrote == STORE_WROTE_NOTHING);
    CHECK(store_begin(s) == ERR_NONE);
    write_name(s, STR("kept"), false);
    CHECK(store_commit(s, &wrote) == ERR_NONE);
    CHECK(wrote == STORE_WROTE);
    CHECK(store_name_find(s, STR("lost"), &id) == ERR_NONE);
    CHECK(id == 0);
    CHECK(store_name_find(s, STR("kept"), &id) == ERR_NONE);
    CHECK(id != 0);
    store_close(s);
}

TEST(a_turn_that_only_reads_changes_nothing)
{
    struct store *s = open_memory();
    int64_t id;
    enum store_wrote wrote = STORE_WROTE;
    CHECK(store_begin(s) == ERR_NONE);
    CHECK(store_savepoint(s) == ERR_NONE);
    CHECK(store_name_find(s, STR("nothing"), &id) == ERR_NONE);
    CHECK(store_release(s) == ERR_NONE);
    CHECK(store_commit(s, &wrote) == ERR_NONE);
    CHECK(wrote == STORE_WROTE_NOTHING);
    store_close(s);
}

TEST(a_turn_is_spare_when_all_it_wrote_is)
{
    struct store *s = open_memory();
    enum store_wrote wrote;
    CHECK(store_begin(s) == ERR_NONE);
    write_name(s, STR("one"), true);
    write_name(s, STR("two"), true);
    CHECK(store_commit(s, &wrote) == ERR_NONE);
    CHECK(wrote == STORE_WROTE_SPARE);
    CHECK(store_begin(s) == ERR_NONE);
    write_name(s, STR("three"), true);
    write_name(s, STR("four"), false);
    CHECK(store_commit(s, &wrote) == ERR_NONE);
    CHECK(wrote == STORE_WROTE);
    store_close(s);
}

TEST(a_text_with_c0_80_comes_back_as_it_was)
{
    struct store *s = open_memory();
    struct arena *a = arena_new();
    int64_t id;
    struct str back;
    CHECK(store_name(s, STR("a\xC0\x80z"), &id) == ERR_NONE);
    CHECK(store_name_text(s, a, id, &back) == ERR_NONE);
    CHECK_STR(back, STR("a\xC0\x80z"));
    arena_free(a);
    store_close(s);
}

TEST(a_newer_schema_is_refused_and_left_alone)
{
    const char *path = "store_test_newer.db";
    sqlite3 *db;
    struct store *s;
    const char *why = "";
    (void)remove(path);
    CHECK(sqlite3_open(path, &db) == SQLITE_OK);
    CHECK(sqlite3_exec(db, "PRAGMA user_version=9999", NULL, NULL, NULL) == SQLITE_OK);
    sqlite3_close(db);
    CHECK(store_open(&s, str_of(path), NULL, false, &why) == ERR_CORRUPT);
    CHECK(s == NULL);
    CHECK(strstr(why, "newer build") != NULL);
    (void)remove(path);
    (void)remove("store_test_newer.db-wal");
    (void)remove("store_test_newer.db-shm");
}

static int64_t number(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    CHECK(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK);
    CHECK(sqlite3_step(stmt) == SQLITE_ROW);
    int64_t n = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return n;
}

TEST(rows_of_an_earlier_build_are_there_after_its_tables_were_made_anew)
{
    static const char rows[] =
        "INSERT INTO edges(event,prev) VALUES(7,'$a'),(7,'$b'),(8,'$a');"
        "INSERT INTO outbox(id,server,event,json,edu_key) VALUES"
        "(4,1,70,NULL,NULL),(5,2,71,NULL,NULL),(9,1,0,'{}','typing');"
        "INSERT INTO events(event_id,room,type,state_key,sender,depth,origin_server_ts,status,"
        "is_outlier,json) VALUES('$ours',1,1,0,1,1,1,0,0,'{}'),('$theirs',1,1,0,2,1,1,0,0,'{}');"
        "INSERT INTO transactions(user,device_id,scope,txn_id,event_id) VALUES"
        "(1,'D','!r m','txn','$ours'),(1,'D','to-device m','txn','');"
        "INSERT INTO inbound(id,server,txn_id,answer) VALUES(3,1,'a','{}'),(8,2,'a','{ }');";
    enum { VERSION_OF_ROWS = 14 };
    static const struct {
        const char *sql;
        int64_t n;
    } found[] = {
        {"SELECT count(*) FROM edges", 3},
        {"SELECT sum(event) FROM edges WHERE prev='$a'", 15},
        {"SELECT count(*) FROM outbox", 3},
        {"SELECT event FROM outbox WHERE server=1 AND id=4", 70},
        {"SELECT id FROM outbox WHERE server=1 AND edu_key='typing' AND json='{}'", 9},
        {"SELECT count(*) FROM events WHERE txn_id='txn' AND txn_device='D'", 1},
        {"SELECT count(*) FROM events WHERE event_id='$theirs' AND txn_id IS NULL", 1},
        {"SELECT id FROM inbound WHERE server=2 AND txn_id='a' AND answer='{ }'", 8},
    };
    sqlite3 *db;
    CHECK(sqlite3_open(":memory:", &db) == SQLITE_OK);
    for (int i = 0; i < schema_version; i++) {
        CHECK(i != VERSION_OF_ROWS || sqlite3_exec(db, rows, NULL, NULL, NULL) == SQLITE_OK);
        CHECK(sqlite3_exec(db, schema_migrations[i], NULL, NULL, NULL) == SQLITE_OK);
    }
    for (size_t i = 0; i < COUNT_OF(found); i++) {
        CHECK(number(db, found[i].sql) == found[i].n);
    }
    sqlite3_close(db);
}

TEST_MAIN(TEST_ROW(every_statement_prepares_and_scans_no_table_and_no_room),
          TEST_ROW(an_event_with_many_relations_is_looked_at_in_part),
          TEST_ROW(a_savepoint_takes_back_rows_and_positions),
          TEST_ROW(the_first_input_of_a_turn_is_taken_back_and_the_turn_goes_on),
          TEST_ROW(a_turn_that_only_reads_changes_nothing),
          TEST_ROW(a_turn_is_spare_when_all_it_wrote_is),
          TEST_ROW(a_text_with_c0_80_comes_back_as_it_was),
          TEST_ROW(a_newer_schema_is_refused_and_left_alone),
          TEST_ROW(rows_of_an_earlier_build_are_there_after_its_tables_were_made_anew))

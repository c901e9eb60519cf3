/* SPDX-License-Identifier: Apache-2.0 */
/* SQLite as a driver of the store. */
#include "store/driver.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

struct db {
    struct pof_db base;
    sqlite3 *sql;
    struct pof_stmt *put; /* a row of table day */
};

struct stmt {
    struct pof_stmt base;
    sqlite3_stmt *sql;
    int failed; /* SQLite's code of a parameter that could not be bound */
};

static struct db *of(struct pof_db *db)
{
    return (struct db *)db;
}

static struct stmt *in(struct pof_stmt *s)
{
    return (struct stmt *)s;
}

/* SQLite reads columns through a handle that is not const. */
static sqlite3_stmt *row_of(const struct pof_stmt *s)
{
    return ((const struct stmt *)s)->sql;
}

static enum pof_code code_of(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_NOMEM:
        return POF_E_NOMEM;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return POF_E_LOCKED;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return POF_E_SYNTAX;
    case SQLITE_FULL:
        return POF_E_WRITE;
    case SQLITE_IOERR:
        return rc == SQLITE_IOERR_READ || rc == SQLITE_IOERR_SHORT_READ ? POF_E_READ : POF_E_WRITE;
    case SQLITE_CANTOPEN:
        return POF_E_OPEN;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return POF_E_PERMISSION;
    case SQLITE_TOOBIG:
        return POF_E_TOO_LONG;
    default:
        return POF_E_INTERNAL;
    }
}

static int fail(const struct db *db, int rc, struct pof_err *err)
{
    enum pof_code code = code_of(rc);
    return pof_fail(err, code, "'%.100s': %s%s", db->base.where,
                    code == POF_E_LOCKED ? "somebody else writes to it; try again: " : "",
                    sqlite3_errmsg(db->sql));
}

static int open_file(struct db *db, const char *path, enum pof_db_mode mode, struct pof_err *err)
{
    static const int flags[] = {[POF_DB_READ] = SQLITE_OPEN_READWRITE,
                                [POF_DB_WRITE] = SQLITE_OPEN_READWRITE,
                                [POF_DB_CREATE] = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE};
    int rc = sqlite3_open_v2(path, &db->sql, flags[mode] | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc == SQLITE_OK) {
        sqlite3_extended_result_codes(db->sql, 1);
        sqlite3_busy_timeout(db->sql, POFI_WAIT_MS);
        return 0;
    }
    if (rc == SQLITE_NOMEM || !db->sql) {
        return pof_fail(err, POF_E_NOMEM, "out of memory");
    }
    int saved = sqlite3_system_errno(db->sql);
    if (mode == POF_DB_CREATE) {
        return pof_fail_errno(err, POF_E_CREATE, saved, "cannot create '%.200s'", path);
    }
    return pof_fail_errno(err, POF_E_OPEN, saved, "cannot open '%.200s'", path);
}

static void close_db(struct pof_db *db)
{
    if (of(db)->put) {
        sqlite3_finalize(in(of(db)->put)->sql);
        free(of(db)->put);
    }
    sqlite3_close(of(db)->sql);
    free(db);
}

static int exec(struct pof_db *db, const char *sql, struct pof_err *err)
{
    int rc = sqlite3_exec(of(db)->sql, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? 0 : fail(of(db), rc, err);
}

static int open_db(struct pof_db **out, const char *path, enum pof_db_mode mode,
                   struct pof_err *err)
{
    struct db *db;
    int rc = pof_calloc(&db, 1, sizeof *db, err);
    if (rc) {
        return rc;
    }
    size_t n = strlen(path);
    memcpy(db->base.where, path, n < POFI_WHERE_MAX ? n : POFI_WHERE_MAX - 1);
    rc = open_file(db, path, mode, err);
    /* Pages of 16 KiB: a day of 2 KB stays inside its page of the tree instead of on one of its
     * own. The page size counts only before the first table is made. */
    rc = rc || mode != POF_DB_CREATE ? rc : exec(&db->base, "PRAGMA page_size=16384", err);
    rc = rc ? rc
            : exec(&db->base,
                   mode == POF_DB_READ ? "PRAGMA query_only=1"
                                       : "PRAGMA journal_mode=WAL;"
                                         "PRAGMA synchronous=FULL;"
                                         "PRAGMA foreign_keys=1",
                   err);
    if (rc) {
        close_db(&db->base);
        return rc;
    }
    *out = &db->base;
    return 0;
}

static int prepare(struct pof_db *db, const char *sql, struct pof_stmt **out, struct pof_err *err)
{
    struct stmt *s;
    int rc = pof_calloc(&s, 1, sizeof *s, err);
    if (rc) {
        return rc;
    }
    s->base.db = db;
    rc = sqlite3_prepare_v3(of(db)->sql, sql, -1, SQLITE_PREPARE_PERSISTENT, &s->sql, NULL);
    if (rc != SQLITE_OK) {
        free(s);
        return fail(of(db), rc, err);
    }
    *out = &s->base;
    return 0;
}

static int identify(struct pof_db *db, struct pof_db_identity *out, struct pof_err *err)
{
    int64_t tables = 0;
    int rc = pof_db_int(db, "PRAGMA application_id", &out->application, err);
    rc = rc ? rc : pof_db_int(db, "PRAGMA user_version", &out->version, err);
    rc = rc ? rc : pof_db_int(db, "SELECT count(*) FROM sqlite_schema", &tables, err);
    out->empty = out->application == 0 && out->version == 0 && tables == 0;
    return rc;
}

static int begin(struct pof_db *db, bool write, struct pof_err *err)
{
    return exec(db, write ? "BEGIN IMMEDIATE" : "BEGIN", err);
}

static int commit(struct pof_db *db, struct pof_err *err)
{
    return exec(db, "COMMIT", err);
}

static void free_stmt(struct pof_stmt *s)
{
    sqlite3_finalize(in(s)->sql);
    free(s);
}

static void bound(struct pof_stmt *s, int rc)
{
    in(s)->failed = in(s)->failed ? in(s)->failed : rc;
}

static void set_int(struct pof_stmt *s, int i, int64_t v)
{
    bound(s, sqlite3_bind_int64(in(s)->sql, i, v));
}

static void set_text(struct pof_stmt *s, int i, struct pof_text t)
{
    bound(s, sqlite3_bind_text64(in(s)->sql, i, t.len ? t.ptr : "", t.len, SQLITE_STATIC,
                                 SQLITE_UTF8));
}

static void set_null(struct pof_stmt *s, int i)
{
    bound(s, sqlite3_bind_null(in(s)->sql, i));
}

static void reset(struct pof_stmt *s)
{
    sqlite3_reset(in(s)->sql); /* repeats the error of the last step, which was reported */
    in(s)->failed = 0;
}

static int step(struct pof_stmt *s, struct pof_err *err)
{
    int rc = in(s)->failed ? in(s)->failed : sqlite3_step(in(s)->sql);
    if (rc == SQLITE_ROW) {
        return 1;
    }
    int result = rc == SQLITE_DONE ? 0 : fail(of(s->db), rc, err);
    reset(s);
    return result;
}

static int put_day(struct pof_db *db, const struct pof_day_row *row, struct pof_err *err)
{
    struct pof_stmt **put = &of(db)->put;
    int rc = *put ? 0
                  : prepare(db,
                            "INSERT INTO day(series,day,pod,layer,slots) VALUES(?1,?2,?3,?4,?5)"
                            " ON CONFLICT DO UPDATE SET slots=?5",
                            put, err);
    if (rc) {
        return rc;
    }
    const int64_t key[] = {row->series, row->day, row->pod, row->layer};
    for (int i = 0; i < 4; i++) {
        set_int(*put, i + 1, key[i]);
    }
    bound(*put, sqlite3_bind_blob64(in(*put)->sql, 5, row->bytes, row->n, SQLITE_STATIC));
    return step(*put, err);
}

static int put_end(struct pof_db *db, struct pof_err *err)
{
    (void)db; /* each row is there at once */
    (void)err;
    return 0;
}

static bool is_null(const struct pof_stmt *s, int i)
{
    return sqlite3_column_type(row_of(s), i) == SQLITE_NULL;
}

static int64_t get_int(const struct pof_stmt *s, int i)
{
    return sqlite3_column_int64(row_of(s), i);
}

static struct pof_text get_text(const struct pof_stmt *s, int i)
{
    const char *p = sqlite3_column_blob(row_of(s), i); /* of a text: its bytes */
    return (struct pof_text){p ? p : "", (size_t)sqlite3_column_bytes(row_of(s), i)};
}

const struct pofi_driver pofi_sqlite = {
    .open = open_db,
    .close = close_db,
    .exec = exec,
    .identify = identify,
    .begin = begin,
    .commit = commit,
    .prepare = prepare,
    .prepare_rows = prepare, /* rows are made one at a time anyway */
    .put_day = put_day,
    .put_end = put_end,
    .free = free_stmt,
    .set_int = set_int,
    .set_text = set_text,
    .set_null = set_null,
    .step = step,
    .reset = reset,
    .is_null = is_null,
    .get_int = get_int,
    .get_text = get_text,
};

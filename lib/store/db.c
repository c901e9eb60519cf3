/* SPDX-License-Identifier: Apache-2.0 */
/* SQLite behind the house's error convention. */
#include "store/db.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

enum { BUSY_MS = 5000 };

struct pof_db {
    sqlite3 *sql;
    char path[256]; /* for messages, cut when longer */
};

struct pof_stmt {
    struct pof_db *db;
    sqlite3_stmt *sql;
    int failed; /* SQLite's code of a parameter that could not be bound */
};

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

static int fail(const struct pof_db *db, int rc, struct pof_err *err)
{
    enum pof_code code = code_of(rc);
    return pof_fail(err, code, "'%.100s': %s%s", db->path,
                    code == POF_E_LOCKED ? "somebody else writes to it; try again: " : "",
                    sqlite3_errmsg(db->sql));
}

static int open_file(struct pof_db *db, const char *path, enum pof_db_mode mode,
                     struct pof_err *err)
{
    static const int flags[] = {[POF_DB_READ] = SQLITE_OPEN_READWRITE,
                                [POF_DB_WRITE] = SQLITE_OPEN_READWRITE,
                                [POF_DB_CREATE] = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE};
    int rc = sqlite3_open_v2(path, &db->sql, flags[mode] | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc == SQLITE_OK) {
        sqlite3_extended_result_codes(db->sql, 1);
        sqlite3_busy_timeout(db->sql, BUSY_MS);
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

int pof_db_open(struct pof_db **out, const char *path, enum pof_db_mode mode, struct pof_err *err)
{
    struct pof_db *db;
    int rc = pof_calloc(&db, 1, sizeof *db, err);
    if (rc) {
        return rc;
    }
    size_t n = strlen(path);
    memcpy(db->path, path, n < sizeof db->path ? n : sizeof db->path - 1);
    rc = open_file(db, path, mode, err);
    /* Pages of 16 KiB: a day of 2 KB stays inside its page of the tree instead of on one of its
     * own. The page size counts only before the first table is made. */
    rc = rc || mode != POF_DB_CREATE ? rc : pof_db_exec(db, "PRAGMA page_size=16384", err);
    rc = rc ? rc
            : pof_db_exec(db,
                          mode == POF_DB_READ ? "PRAGMA query_only=1"
                                              : "PRAGMA journal_mode=WAL;"
                                                "PRAGMA synchronous=FULL;"
                                                "PRAGMA foreign_keys=1",
                          err);
    if (rc) {
        pof_db_close(db);
        return rc;
    }
    *out = db;
    return 0;
}

void pof_db_close(struct pof_db *db)
{
    if (db) {
        sqlite3_close(db->sql);
        free(db);
    }
}

int pof_db_exec(struct pof_db *db, const char *sql, struct pof_err *err)
{
    int rc = sqlite3_exec(db->sql, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? 0 : fail(db, rc, err);
}

int pof_db_int(struct pof_db *db, const char *sql, int64_t *out, struct pof_err *err)
{
    struct pof_stmt *s;
    int rc = pof_db_prepare(db, sql, &s, err);
    if (rc) {
        return rc;
    }
    *out = 0;
    rc = pof_stmt_step(s, err);
    if (rc > 0) {
        *out = pof_stmt_get_int(s, 0);
        rc = 0;
    }
    pof_stmt_free(s);
    return rc;
}

int pof_db_prepare(struct pof_db *db, const char *sql, struct pof_stmt **out, struct pof_err *err)
{
    struct pof_stmt *s;
    int rc = pof_calloc(&s, 1, sizeof *s, err);
    if (rc) {
        return rc;
    }
    s->db = db;
    rc = sqlite3_prepare_v3(db->sql, sql, -1, SQLITE_PREPARE_PERSISTENT, &s->sql, NULL);
    if (rc != SQLITE_OK) {
        free(s);
        return fail(db, rc, err);
    }
    *out = s;
    return 0;
}

void pof_stmt_free(struct pof_stmt *s)
{
    if (s) {
        sqlite3_finalize(s->sql);
        free(s);
    }
}

static void bound(struct pof_stmt *s, int rc)
{
    s->failed = s->failed ? s->failed : rc;
}

void pof_stmt_int(struct pof_stmt *s, int i, int64_t v)
{
    bound(s, sqlite3_bind_int64(s->sql, i, v));
}

void pof_stmt_text(struct pof_stmt *s, int i, struct pof_text t)
{
    bound(s, sqlite3_bind_text64(s->sql, i, t.len ? t.ptr : "", t.len, SQLITE_STATIC, SQLITE_UTF8));
}

void pof_stmt_blob(struct pof_stmt *s, int i, const void *bytes, size_t n)
{
    bound(s, sqlite3_bind_blob64(s->sql, i, bytes, n, SQLITE_STATIC));
}

void pof_stmt_null(struct pof_stmt *s, int i)
{
    bound(s, sqlite3_bind_null(s->sql, i));
}

int pof_stmt_step(struct pof_stmt *s, struct pof_err *err)
{
    int rc = s->failed ? s->failed : sqlite3_step(s->sql);
    if (rc == SQLITE_ROW) {
        return 1;
    }
    int result = rc == SQLITE_DONE ? 0 : fail(s->db, rc, err);
    pof_stmt_reset(s);
    return result;
}

void pof_stmt_reset(struct pof_stmt *s)
{
    sqlite3_reset(s->sql); /* repeats the error of the last step, which was reported */
    s->failed = 0;
}

int pof_stmt_run(struct pof_stmt *s, struct pof_err *err)
{
    int rc = pof_stmt_step(s, err);
    if (rc > 0) {
        pof_stmt_reset(s);
        rc = 0;
    }
    return rc;
}

bool pof_stmt_is_null(const struct pof_stmt *s, int i)
{
    return sqlite3_column_type(s->sql, i) == SQLITE_NULL;
}

int64_t pof_stmt_get_int(const struct pof_stmt *s, int i)
{
    return sqlite3_column_int64(s->sql, i);
}

struct pof_text pof_stmt_get_text(const struct pof_stmt *s, int i)
{
    const char *p = sqlite3_column_blob(s->sql, i); /* of a text: its bytes */
    return (struct pof_text){p ? p : "", (size_t)sqlite3_column_bytes(s->sql, i)};
}

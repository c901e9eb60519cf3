/* SPDX-License-Identifier: Apache-2.0 */
/* The database that was opened, by its driver. */
#include "store/driver.h"

#include <string.h>

bool pof_db_is_server(const char *where)
{
    return strncmp(where, "postgresql://", 13) == 0 || strncmp(where, "postgres://", 11) == 0;
}

int pof_db_open(struct pof_db **out, const char *where, enum pof_db_mode mode, struct pof_err *err)
{
    bool server = pof_db_is_server(where);
    const struct pofi_driver *driver = server ? &pofi_postgresql : &pofi_sqlite;
    int rc = driver->open(out, where, mode, err);
    if (rc == 0) {
        (*out)->driver = driver;
        (*out)->kind = server ? POF_DB_POSTGRESQL : POF_DB_SQLITE;
    }
    return rc;
}

void pof_db_close(struct pof_db *db)
{
    if (db) {
        db->driver->close(db);
    }
}

enum pof_db_kind pof_db_kind(const struct pof_db *db)
{
    return db->kind;
}

int pof_db_exec(struct pof_db *db, const char *sql, struct pof_err *err)
{
    return db->driver->exec(db, sql, err);
}

int pof_db_identify(struct pof_db *db, struct pof_db_identity *out, struct pof_err *err)
{
    return db->driver->identify(db, out, err);
}

int pof_db_begin(struct pof_db *db, bool write, struct pof_err *err)
{
    return db->driver->begin(db, write, err);
}

int pof_db_commit(struct pof_db *db, struct pof_err *err)
{
    return db->driver->commit(db, err);
}

int pof_db_end(struct pof_db *db, int rc, struct pof_err *err)
{
    rc = rc ? rc : pof_db_commit(db, err);
    if (rc) {
        struct pof_err ignored = {0}; /* the first error is the one to tell */
        (void)!pof_db_exec(db, "ROLLBACK", &ignored);
    }
    return rc;
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
    return db->driver->prepare(db, sql, out, err);
}

int pof_db_prepare_rows(struct pof_db *db, const char *sql, struct pof_stmt **out,
                        struct pof_err *err)
{
    return db->driver->prepare_rows(db, sql, out, err);
}

int pof_db_put_day(struct pof_db *db, const struct pof_day_row *row, struct pof_err *err)
{
    return db->driver->put_day(db, row, err);
}

int pof_db_put_end(struct pof_db *db, struct pof_err *err)
{
    return db->driver->put_end(db, err);
}

void pof_stmt_free(struct pof_stmt *s)
{
    if (s) {
        s->db->driver->free(s);
    }
}

void pof_stmt_int(struct pof_stmt *s, int i, int64_t v)
{
    s->db->driver->set_int(s, i, v);
}

void pof_stmt_text(struct pof_stmt *s, int i, struct pof_text t)
{
    s->db->driver->set_text(s, i, t);
}

void pof_stmt_null(struct pof_stmt *s, int i)
{
    s->db->driver->set_null(s, i);
}

int pof_stmt_step(struct pof_stmt *s, struct pof_err *err)
{
    return s->db->driver->step(s, err);
}

void pof_stmt_reset(struct pof_stmt *s)
{
    s->db->driver->reset(s);
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
    return s->db->driver->is_null(s, i);
}

int64_t pof_stmt_get_int(const struct pof_stmt *s, int i)
{
    return s->db->driver->get_int(s, i);
}

struct pof_text pof_stmt_get_text(const struct pof_stmt *s, int i)
{
    return s->db->driver->get_text(s, i);
}

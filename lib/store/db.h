/* SPDX-License-Identifier: Apache-2.0 */
/* The database of a store: a file (SQLite) or a server (PostgreSQL), with one set of statements
 * whose failures are struct pof_err. db_sqlite.c and db_postgresql.c are the only files that
 * include sqlite3.h and libpq-fe.h; libpq is loaded when a server is named, not before.
 *
 * Statements are written in the SQL that both understand, parameters ?1, ?2, ...
 *
 * Errors: OPEN (no such file or database), CREATE, LOCKED (somebody else writes; waited five
 * seconds), SYNTAX (not a database, or damaged), WRITE (full disk), READ, PERMISSION (also: login
 * refused), UNAVAILABLE (the server does not answer), USAGE (a password in the address), NOMEM,
 * INTERNAL. A server's errors name their SQLSTATE (PostgreSQL documentation, appendix A). */
#ifndef POF_STORE_DB_H
#define POF_STORE_DB_H

#include "base/text.h"

struct pof_db;
struct pof_stmt;

enum pof_db_kind { POF_DB_SQLITE, POF_DB_POSTGRESQL };

enum pof_db_mode {
    POF_DB_READ,  /* must exist; never changed */
    POF_DB_WRITE, /* must exist */
    POF_DB_CREATE /* made when it does not exist */
};

/* Opens the path of a file, or postgresql://[user@][host][:port][/database][?...]. Passwords come
 * from ~/.pgpass, or a service file (?service=NAME), as libpq reads them. What is committed is on
 * the disk, at a power cut too; readers and writers do not wait for each other. */
int pof_db_open(struct pof_db **out, const char *where, enum pof_db_mode mode,
                struct pof_err *err) POF_CHECKED;
void pof_db_close(struct pof_db *db); /* NULL allowed; statements must be freed before */
enum pof_db_kind pof_db_kind(const struct pof_db *db);
/* Does the text name a server, and not a file? */
bool pof_db_is_server(const char *where);

/* What a database says about whose it is. */
struct pof_db_identity {
    int64_t application, version;
    bool empty; /* nothing of anybody is there yet */
};
int pof_db_identify(struct pof_db *db, struct pof_db_identity *out,
                    struct pof_err *err) POF_CHECKED;

/* Begins a transaction: one that reads sees one state of the store, one that writes is alone. */
int pof_db_begin(struct pof_db *db, bool write, struct pof_err *err) POF_CHECKED;
int pof_db_commit(struct pof_db *db, struct pof_err *err) POF_CHECKED;
/* Commits when rc is 0, else takes all back; returns rc, or the error of the commit. */
int pof_db_end(struct pof_db *db, int rc, struct pof_err *err) POF_CHECKED;

/* One or several statements without parameters and results. */
int pof_db_exec(struct pof_db *db, const char *sql, struct pof_err *err) POF_CHECKED;
/* The first column of the first row of a statement; 0 without rows. */
int pof_db_int(struct pof_db *db, const char *sql, int64_t *out, struct pof_err *err) POF_CHECKED;

int pof_db_prepare(struct pof_db *db, const char *sql, struct pof_stmt **out,
                   struct pof_err *err) POF_CHECKED;
/* The same for an answer of any size, inside a transaction: memory does not depend on its rows. */
int pof_db_prepare_rows(struct pof_db *db, const char *sql, struct pof_stmt **out,
                        struct pof_err *err) POF_CHECKED;
void pof_stmt_free(struct pof_stmt *s); /* NULL allowed */

/* A row of table day, put in place of the one with the same key. Statements may or may not see it
 * before pof_db_put_end(): a server takes rows in bulk. Inside a transaction that writes. */
struct pof_day_row {
    int64_t series, day, pod, layer;
    const uint8_t *bytes;
    size_t n;
};
int pof_db_put_day(struct pof_db *db, const struct pof_day_row *row,
                   struct pof_err *err) POF_CHECKED;
int pof_db_put_end(struct pof_db *db, struct pof_err *err) POF_CHECKED;

/* Parameters, counted from 1, at most POF_STMT_PARAMS. Texts must live until the next reset. What
 * fails is reported by the next step. */
enum { POF_STMT_PARAMS = 8 };
void pof_stmt_int(struct pof_stmt *s, int i, int64_t v);
void pof_stmt_text(struct pof_stmt *s, int i, struct pof_text t);
void pof_stmt_null(struct pof_stmt *s, int i);

/* 1: a row; 0: no more rows, the statement is reset and can be used again; negative: an error,
 * reset likewise. */
int pof_stmt_step(struct pof_stmt *s, struct pof_err *err) POF_CHECKED;
/* Ends the rows early. */
void pof_stmt_reset(struct pof_stmt *s);
/* A statement without rows from its parameters to its end. */
int pof_stmt_run(struct pof_stmt *s, struct pof_err *err) POF_CHECKED;

/* Columns of the row, counted from 0; views are valid until the next step or reset. */
bool pof_stmt_is_null(const struct pof_stmt *s, int i);
int64_t pof_stmt_get_int(const struct pof_stmt *s, int i);
struct pof_text pof_stmt_get_text(const struct pof_stmt *s, int i); /* blobs too */

#endif

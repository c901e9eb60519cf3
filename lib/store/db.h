/* SPDX-License-Identifier: Apache-2.0 */
/* An SQLite file as the store sees it: statements whose failures are struct pof_err. db.c is the
 * only file of the toolkit that includes sqlite3.h.
 *
 * Errors: OPEN (no such file), CREATE, LOCKED (somebody else writes; waited five seconds),
 * SYNTAX (not a database, or damaged), WRITE (full disk), READ, PERMISSION, NOMEM, INTERNAL. */
#ifndef POF_STORE_DB_H
#define POF_STORE_DB_H

#include "base/text.h"

struct pof_db;
struct pof_stmt;

enum pof_db_mode {
    POF_DB_READ,  /* must exist; never changed */
    POF_DB_WRITE, /* must exist */
    POF_DB_CREATE /* made when it does not exist */
};

/* Opens path in journal mode WAL (writers and readers do not wait for each other) with
 * synchronous=FULL: what is committed is on the disk, at a power cut too. */
int pof_db_open(struct pof_db **out, const char *path, enum pof_db_mode mode,
                struct pof_err *err) POF_CHECKED;
void pof_db_close(struct pof_db *db); /* NULL allowed; statements must be freed before */

/* One or several statements without parameters and results. */
int pof_db_exec(struct pof_db *db, const char *sql, struct pof_err *err) POF_CHECKED;
/* The first column of the first row of a statement; 0 without rows. */
int pof_db_int(struct pof_db *db, const char *sql, int64_t *out, struct pof_err *err) POF_CHECKED;

int pof_db_prepare(struct pof_db *db, const char *sql, struct pof_stmt **out,
                   struct pof_err *err) POF_CHECKED;
void pof_stmt_free(struct pof_stmt *s); /* NULL allowed */

/* Parameters, counted from 1. Texts and blobs must live until the next reset. What fails is
 * reported by the next step. */
void pof_stmt_int(struct pof_stmt *s, int i, int64_t v);
void pof_stmt_text(struct pof_stmt *s, int i, struct pof_text t);
void pof_stmt_blob(struct pof_stmt *s, int i, const void *bytes, size_t n);
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

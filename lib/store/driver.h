/* SPDX-License-Identifier: Apache-2.0 */
/* Inside lib/store: what a database must be able to do. db.c sends each call of db.h to the driver
 * of the database that was opened; contracts stand there. A driver's own database and statement
 * begin with these structures. */
#ifndef POF_STORE_DRIVER_H
#define POF_STORE_DRIVER_H

#include "store/db.h"

struct pofi_driver {
    int (*open)(struct pof_db **out, const char *where, enum pof_db_mode mode, struct pof_err *err);
    void (*close)(struct pof_db *db);
    int (*exec)(struct pof_db *db, const char *sql, struct pof_err *err);
    int (*identify)(struct pof_db *db, struct pof_db_identity *out, struct pof_err *err);
    int (*begin)(struct pof_db *db, bool write, struct pof_err *err);
    int (*commit)(struct pof_db *db, struct pof_err *err);
    int (*prepare)(struct pof_db *db, const char *sql, struct pof_stmt **out, struct pof_err *err);
    int (*prepare_rows)(struct pof_db *db, const char *sql, struct pof_stmt **out,
                        struct pof_err *err);
    int (*put_day)(struct pof_db *db, const struct pof_day_row *row, struct pof_err *err);
    int (*put_end)(struct pof_db *db, struct pof_err *err);
    void (*free)(struct pof_stmt *s);
    void (*set_int)(struct pof_stmt *s, int i, int64_t v);
    void (*set_text)(struct pof_stmt *s, int i, struct pof_text t);
    void (*set_null)(struct pof_stmt *s, int i);
    int (*step)(struct pof_stmt *s, struct pof_err *err);
    void (*reset)(struct pof_stmt *s);
    bool (*is_null)(const struct pof_stmt *s, int i);
    int64_t (*get_int)(const struct pof_stmt *s, int i);
    struct pof_text (*get_text)(const struct pof_stmt *s, int i);
};

enum { POFI_WHERE_MAX = 256, POFI_WAIT_MS = 5000 /* for somebody else who writes */ };

struct pof_db {
    const struct pofi_driver *driver;
    enum pof_db_kind kind;
    char where[POFI_WHERE_MAX]; /* for messages, cut when longer */
};

struct pof_stmt {
    struct pof_db *db;
};

extern const struct pofi_driver pofi_sqlite;
extern const struct pofi_driver pofi_postgresql;

/* Tables, and in PostgreSQL the views: the text that makes an empty database a store. */
const char *pofi_schema(enum pof_db_kind kind);

#endif

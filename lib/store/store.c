/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a store, its tables, and its names. */
#include "store/driver.h"
#include "store/inside.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { VERSION = 1, APPLICATION = 0x504f4653 }; /* "POFS" */

/* 1: there is a store of this version; 0: the database is empty. */
static int check_version(struct pof_db *db, const char *where, struct pof_err *err)
{
    struct pof_db_identity is = {0};
    int rc = pof_db_identify(db, &is, err);
    if (rc || is.empty) {
        return rc;
    }
    if (is.application != APPLICATION) {
        return pof_fail(err, POF_E_SCHEMA,
                        "'%.200s' is a database of another program, expected a store", where);
    }
    if (is.version != VERSION) {
        return pof_fail(err, POF_E_SCHEMA,
                        "'%.120s' is a store of version %" PRId64
                        ", this program knows version %d; "
                        "use a newer program, or make a new store",
                        where, is.version, VERSION);
    }
    return 1;
}

static int create(struct pof_db *db, const char *where, struct pof_err *err)
{
    int rc = pof_db_begin(db, true, err);
    if (rc) {
        return rc;
    }
    rc = check_version(db, where, err); /* somebody else may have been quicker */
    if (rc == 0) {
        rc = pof_db_exec(db, pofi_schema(pof_db_kind(db)), err);
    }
    return pof_db_end(db, rc < 0 ? rc : 0, err);
}

static int prepare(struct pof_store *s, struct pof_err *err)
{
    s->pods.db = s->names.db = s->db;
    int rc = pof_db_prepare(s->db, "SELECT id FROM pod WHERE name=?1", &s->pods.find, err);
    rc = rc ? rc
            : pof_db_prepare(s->db,
                             "INSERT INTO pod(name) VALUES(?1) ON CONFLICT(name) DO UPDATE SET "
                             "name=?1 RETURNING id",
                             &s->pods.add, err);
    rc = rc ? rc : pof_db_prepare(s->db, "SELECT name FROM pod WHERE id=?1", &s->pods.name, err);
    rc = rc ? rc : pof_db_prepare(s->db, "SELECT id FROM name WHERE text=?1", &s->names.find, err);
    rc = rc ? rc
            : pof_db_prepare(s->db,
                             "INSERT INTO name(text) VALUES(?1) ON CONFLICT(text) DO UPDATE SET "
                             "text=?1 RETURNING id",
                             &s->names.add, err);
    return rc ? rc
              : pof_db_prepare(s->db, "SELECT text FROM name WHERE id=?1", &s->names.name, err);
}

int pof_store_open(struct pof_store **out, const char *path, enum pof_db_mode mode,
                   struct pof_err *err)
{
    struct pof_store *s;
    int rc = pof_calloc(&s, 1, sizeof *s, err);
    if (rc) {
        return rc;
    }
    rc = pof_db_open(&s->db, path, mode, err);
    rc = rc ? rc : check_version(s->db, path, err);
    if (rc == 0) {
        rc = mode == POF_DB_CREATE
                 ? create(s->db, path, err)
                 : pof_fail(err, POF_E_SCHEMA, "'%.200s' is empty; 'register' makes a store", path);
    }
    rc = rc < 0 ? rc : prepare(s, err);
    if (rc) {
        pof_store_close(s);
        return rc;
    }
    *out = s;
    return 0;
}

static void release_ids(struct pofi_ids *ids)
{
    pof_stmt_free(ids->find);
    pof_stmt_free(ids->add);
    pof_stmt_free(ids->name);
    pof_names_release(&ids->seen);
    free(ids->row);
    free(ids->number);
}

void pof_store_close(struct pof_store *s)
{
    if (s) {
        release_ids(&s->pods);
        release_ids(&s->names);
        pof_stmt_free(s->pod_get);
        pof_stmt_free(s->pod_put);
        pof_stmt_free(s->pod_seen);
        pof_stmt_free(s->pod_mark);
        pof_db_close(s->db);
        free(s);
    }
}

/* Notes that a number in `seen` and a row belong together. */
static int tie(struct pofi_ids *ids, uint32_t number, int64_t row, struct pof_err *err)
{
    int rc = pof_grow(&ids->row, &ids->row_cap, (size_t)number + 1, sizeof *ids->row, err);
    if (rc) {
        return rc;
    }
    ids->row[number] = row;
    if (row <= 0) {
        return 0;
    }
    rc = pof_grow(&ids->number, &ids->number_cap, (size_t)row + 1, sizeof *ids->number, err);
    if (rc == 0) {
        while (ids->numbers <= (size_t)row) {
            ids->number[ids->numbers++] = 0;
        }
        ids->number[row] = number + 1;
    }
    return rc;
}

/* The row of a text in the table, 0: it has none. */
static int find_row(struct pofi_ids *ids, struct pof_text text, int64_t *row, struct pof_err *err)
{
    pof_stmt_text(ids->find, 1, text);
    int rc = pof_stmt_step(ids->find, err);
    *row = rc > 0 ? pof_stmt_get_int(ids->find, 0) : 0;
    pof_stmt_reset(ids->find);
    return rc < 0 ? rc : 0;
}

int pofi_ids_number(struct pofi_ids *ids, struct pof_text text, bool create, uint32_t *number,
                    struct pof_err *err)
{
    int64_t row;
    /* Streams name the same devices in the same order again and again. */
    uint32_t next = ids->last + 1 < ids->seen.n ? ids->last + 1 : 0;
    bool guessed = next < ids->seen.n && pof_text_eq(ids->seen.text[next], text);
    *number = guessed ? next : pof_names_find(&ids->seen, text);
    if (*number != POF_NONE) {
        ids->last = *number;
        return 0;
    }
    int rc = find_row(ids, text, &row, err);
    if (rc || (row == 0 && !create)) {
        return rc;
    }
    rc = pof_names_add(&ids->seen, text, number, err);
    return rc ? rc : tie(ids, *number, row, err);
}

int pofi_ids_make(struct pofi_ids *ids, struct pof_err *err)
{
    for (size_t i = 0; i < ids->seen.n; i++) {
        if (ids->row[i]) {
            continue;
        }
        pof_stmt_text(ids->add, 1, ids->seen.text[i]);
        int rc = pof_stmt_step(ids->add, err);
        int64_t row = rc > 0 ? pof_stmt_get_int(ids->add, 0) : 0;
        pof_stmt_reset(ids->add);
        rc = rc < 0 ? rc : tie(ids, (uint32_t)i, row, err);
        if (rc) {
            return rc;
        }
    }
    return 0;
}

int pofi_ids_text(struct pofi_ids *ids, int64_t row, struct pof_text *out, struct pof_err *err)
{
    if (row > 0 && (size_t)row < ids->numbers && ids->number[row]) {
        *out = ids->seen.text[ids->number[row] - 1];
        return 0;
    }
    pof_stmt_int(ids->name, 1, row);
    int rc = pof_stmt_step(ids->name, err);
    if (rc == 0) {
        return pof_fail(err, POF_E_SYNTAX, "the store is damaged: it has no name %" PRId64, row);
    }
    uint32_t number = POF_NONE;
    if (rc > 0) {
        rc = pof_names_add(&ids->seen, pof_stmt_get_text(ids->name, 0), &number, err);
        pof_stmt_reset(ids->name);
        rc = rc ? rc : tie(ids, number, row, err);
    }
    if (rc == 0) {
        *out = ids->seen.text[number];
    }
    return rc;
}

struct pof_text pofi_name_text(void *store, int64_t row)
{
    struct pof_store *s = store;
    struct pof_text t = {"", 0};
    struct pof_err ignored = {0};
    return pofi_ids_text(&s->names, row, &t, &ignored) ? (struct pof_text){"", 0} : t;
}

enum pof_type pofi_type_of_series(enum pof_series series)
{
    static const enum pof_type types[] = {[POF_SERIES_MEASUREMENT] = POF_measurement,
                                          [POF_SERIES_BASELINE] = POF_baseline,
                                          [POF_SERIES_SETPOINT] = POF_setpoint};
    return types[series];
}

enum pof_series pofi_series_of_type(enum pof_type type)
{
    return type == POF_measurement ? POF_SERIES_MEASUREMENT
           : type == POF_baseline  ? POF_SERIES_BASELINE
           : type == POF_setpoint  ? POF_SERIES_SETPOINT
                                   : POF_SERIES;
}

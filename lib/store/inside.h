/* SPDX-License-Identifier: Apache-2.0 */
/* Inside lib/store: the open store, and names as the row numbers of their tables. */
#ifndef POF_STORE_INSIDE_H
#define POF_STORE_INSIDE_H

#include "store/store.h"

/* A table of names (pod or name), read as far as it was needed. */
struct pofi_ids {
    struct pof_db *db;
    struct pof_stmt *find; /* row of a text */
    struct pof_stmt *add;
    struct pof_stmt *name; /* text of a row */
    struct pof_names seen;
    int64_t *row; /* row[number in seen]; 0: not in the table yet */
    size_t row_cap;
    uint32_t *number; /* number[row] in seen plus 1; 0: not seen */
    size_t number_cap;
    size_t numbers;
};

struct pof_store {
    struct pof_db *db;
    struct pofi_ids pods;
    struct pofi_ids names;
    bool replace; /* of the registration that is going on */
    struct pof_registered registered;
    struct pof_stmt *pod_get, *pod_put, *pod_seen, *pod_mark;
};

/* The number in `seen` of a text; POF_NONE: it has no row and create is false. With create a text
 * without a row is given a number, and its row by pofi_ids_make(). */
int pofi_ids_number(struct pofi_ids *ids, struct pof_text text, bool create, uint32_t *number,
                    struct pof_err *err) POF_CHECKED;
/* Inserts the rows that are lacking; inside a transaction. */
int pofi_ids_make(struct pofi_ids *ids, struct pof_err *err) POF_CHECKED;
/* The text of a row, valid as long as the store is open. */
int pofi_ids_text(struct pofi_ids *ids, int64_t row, struct pof_text *out,
                  struct pof_err *err) POF_CHECKED;
/* pof_name_text over store->names; an unreadable name is empty. */
struct pof_text pofi_name_text(void *store, int64_t row);

/* The type of record of a series, and back; POF_SERIES when a type is none. */
enum pof_type pofi_type_of_series(enum pof_series series);
enum pof_series pofi_series_of_type(enum pof_type type);

#endif

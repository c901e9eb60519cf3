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
    uint32_t last; /* number that was asked for last */
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

/* --- the way through the store --- */

enum { POFI_DAY_S = 86400 };

/* A row of "SELECT POFI_POD_COLUMNS FROM pod". */
#define POFI_POD_COLUMNS "id,name,node,aggregator,kind,p_up_max_w,p_down_max_w,owner"

typedef int pofi_on_pod(void *ctx, const struct pof_stmt *row, struct pof_err *err);

/* The pods asked for, in order of name. ANSWER_NO: one that is named is not known. */
int pofi_each_pod(struct pof_store *store, const struct pof_query *q, pofi_on_pod *take, void *ctx,
                  struct pof_err *err) POF_CHECKED;

/* The days of one pod after the other. */
struct pofi_walk {
    struct pof_store *store;
    const struct pof_query *q;
    struct pof_stmt *days_of, *get;
    int64_t *day; /* days on which the series has anything, ascending; owned */
    size_t days, cap;
    struct pof_text pod;
    int64_t pod_row;
    struct pof_block *layer; /* of the day at hand; layer[0] counts; owned */
    size_t layers, layer_cap;
    struct pof_versions versions;
    pof_take *take; /* of a query */
    void *ctx;
};

/* Finds the days; *w may be closed whatever comes of it. */
int pofi_walk_open(struct pofi_walk *w, struct pof_store *store, const struct pof_query *q,
                   struct pof_err *err) POF_CHECKED;
void pofi_walk_close(struct pofi_walk *w);
/* Reads a day of the pod at hand (pod_row), layers 0..max. */
int pofi_read_day(struct pofi_walk *w, int64_t day, int64_t max, struct pof_err *err) POF_CHECKED;

/* A transaction for reading: what is asked inside sees one state of the store. end() returns rc,
 * or its own error when rc is 0. */
int pofi_begin(struct pof_store *s, struct pof_err *err) POF_CHECKED;
int pofi_end(struct pof_store *s, int rc, struct pof_err *err) POF_CHECKED;

/* The type of record of a series, and back; POF_SERIES when a type is none. */
enum pof_type pofi_type_of_series(enum pof_series series);
enum pof_series pofi_series_of_type(enum pof_type type);

#endif

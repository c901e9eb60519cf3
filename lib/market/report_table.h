/* SPDX-License-Identifier: Apache-2.0 */
/* Figures as text, in columns that are as wide as they need to be. */
#ifndef POF_MARKET_REPORT_TABLE_H
#define POF_MARKET_REPORT_TABLE_H

#include "base/text.h"

/* Cells are added row by row. Initialise with {.columns = ..., .left = ...}. */
struct pofi_table {
    size_t columns;
    unsigned left; /* bit c: column c begins at the left, else it ends at the right */
    struct pof_buf bytes;
    size_t *end; /* of each cell in bytes; owned */
    size_t n, cap;
};

/* Control bytes become '?', so names cannot reach a terminal as commands. */
int pofi_cell_text(struct pofi_table *t, struct pof_text text, struct pof_err *err) POF_CHECKED;
int pofi_cells_text(struct pofi_table *t, const char *const *texts, struct pof_err *err) POF_CHECKED;
/* value / unit, rounded half to even to that many decimals; unit is that of the last decimal. */
int pofi_cell_fixed(struct pofi_table *t, int64_t value, int64_t unit, int decimals,
                    struct pof_err *err) POF_CHECKED;
int pofi_cell_mwh(struct pofi_table *t, int64_t energy_ws, struct pof_err *err) POF_CHECKED;
int pofi_cell_eur(struct pofi_table *t, int64_t money_ueur, struct pof_err *err) POF_CHECKED;
/* part / whole as a percentage; "-" when whole is 0. */
int pofi_cell_share(struct pofi_table *t, int64_t part, int64_t whole, struct pof_err *err) POF_CHECKED;
int pofi_cell_count(struct pofi_table *t, uint64_t n, struct pof_err *err) POF_CHECKED;
int pofi_cell_real(struct pofi_table *t, double value, struct pof_err *err) POF_CHECKED; /* %.1f */

enum { POFI_FIXED_MAX = 40 };
/* The text of pofi_cell_fixed, with a NUL. */
void pofi_fixed(char *to, int64_t value, int64_t unit, int decimals);

/* Adds the lines, each indented by two, without blanks at their ends; releases the table. A negative
 * rc is handed back with nothing added, so that a chain of cells can end here. */
int pofi_table_end(struct pofi_table *t, int rc, struct pof_buf *to, struct pof_err *err) POF_CHECKED;

#endif

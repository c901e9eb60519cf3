/* SPDX-License-Identifier: Apache-2.0 */
/* A plain table of records of one type, for eyes first, and complete: it can be read back.
 *
 *     # pof.state/1
 *     element name             start                v_pu                   ...
 *     node    N1               2026-03-10T10:00:00Z 0.9959                 ...
 *
 * Columns are parted by blanks; numbers stand right, texts left, in columns of a width that depends
 * on the type alone, so a table can be written as a stream; a longer value pushes its row only. A
 * value that is not given is "-". A text with a blank, a comma, a quote, or equal to "-", stands in
 * double quotes, quotes in it doubled. A text with a line break cannot stand in a table. */
#ifndef POF_RECORD_TABLE_H
#define POF_RECORD_TABLE_H

#include "base/stream.h"
#include "record/record.h"

/* The two lines above the rows. */
int pof_table_header(struct pof_buf *to, enum pof_type type, struct pof_err *err) POF_CHECKED;
/* One row with its LF. POF_E_SYNTAX for a text with a line break; then nothing is added. */
int pof_table_row(struct pof_buf *to, enum pof_type type, const void *record,
                  struct pof_err *err) POF_CHECKED;

/* A table as a source of CSV for pof_reader, line for line, so that messages name the right line.
 * Lines up to 1 MiB. */
struct pof_table;
/* Reads the title and says which type follows. POF_E_SCHEMA: it is no such title. src must live as
 * long as the table. */
int pof_table_open(struct pof_table **out, const struct pof_source *src, enum pof_type *type,
                   struct pof_err *err) POF_CHECKED;
struct pof_source pof_table_source(struct pof_table *table);
void pof_table_close(struct pof_table *table);

#endif

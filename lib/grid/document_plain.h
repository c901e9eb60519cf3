/* SPDX-License-Identifier: Apache-2.0 */
/* Inside lib/grid: pof.grid/1 documents read straight from their text. */
#ifndef POF_GRID_DOCUMENT_PLAIN_H
#define POF_GRID_DOCUMENT_PLAIN_H

#include "grid/document.h"

/* Reads a document as programs write it: no escapes in strings, each member once, the base power and the
 * nodes before the branches; a few items of any kind may be less plain. 1: it was one, and the grid is
 * exactly what reading it through a tree of values makes of it; 0: it is not, or something is wrong with
 * it: the caller releases the grid and reads again; negative: out of memory. O(n). */
int pofi_grid_plain(struct pof_build *build, struct pof_text text, struct pof_err *err) POF_CHECKED;

/* The same for any document, through a tree of values; says what is wrong. *grid must be {0}; the caller
 * releases it whatever comes of it. O(n). */
int pofi_grid_tree(struct pof_grid *grid, struct pof_text text, const char *name, struct pof_err *err) POF_CHECKED;

#endif

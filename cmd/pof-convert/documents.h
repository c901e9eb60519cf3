/* SPDX-License-Identifier: Apache-2.0 */
/* The documents of one grid: files, directories and archives. */
#ifndef POF_CONVERT_DOCUMENTS_H
#define POF_CONVERT_DOCUMENTS_H

#include "cli/cli.h"
#include "grid/format.h"

/* Initialise with {0}. */
struct documents {
    struct pof_cim_document *item; /* owned, with their texts and names */
    size_t n, cap;
    struct pof_cli *cli;
};

/* Adds what a path holds: a document, all *.xml and *.zip of a directory, or the documents of an
 * archive and of archives in it. */
int documents_add(struct documents *d, const char *path, struct pof_err *err) POF_CHECKED;
void documents_release(struct documents *d);

/* Whether a path is a directory. */
bool is_directory(const char *path);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* A directory with others in it as files by path. */
#ifndef POF_IO_TREE_H
#define POF_IO_TREE_H

#include "base/files.h"

struct pof_tree;

/* Opens a directory; with `make` it is made when it is not there (not its parents). */
int pof_tree_open(struct pof_tree **out, const char *path, bool make,
                  struct pof_err *err) POF_CHECKED;
/* Its callbacks; valid while it is open. Symbolic links below it are followed: what is read from it
 * is to be verified by the reader. */
struct pof_files pof_tree_files(struct pof_tree *t);
void pof_tree_close(struct pof_tree *t); /* NULL allowed */

/* Removes a file below it; none there is no error. */
int pof_tree_remove(struct pof_tree *t, const char *path, struct pof_err *err) POF_CHECKED;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The --grid option of programs that need a grid. */
#ifndef POF_CLI_GRID_H
#define POF_CLI_GRID_H

#include "cli/cli.h"
#include "grid/grid.h"

/* Reads the grid document on a path into an empty grid (released by the caller, also on failure).
 * POF_E_USAGE when path is NULL. */
int pof_cli_grid(struct pof_cli *cli, const char *path, struct pof_grid *grid,
                 struct pof_err *err) POF_CHECKED;

#endif

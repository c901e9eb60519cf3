/* SPDX-License-Identifier: Apache-2.0 */
/* The --grid option of programs that need a grid. */
#ifndef POF_CLI_GRID_H
#define POF_CLI_GRID_H

#include "cli/cli.h"
#include "grid/format.h"

/* Reads the grid on a path, in any format of a single file, into an empty grid (released by the caller, also on failure).
 * POF_E_USAGE when path is NULL. */
int pof_cli_grid(struct pof_cli *cli, const char *path, struct pof_grid *grid,
                 struct pof_err *err) POF_CHECKED;

/* The same, with the readings that the file has; the grid is for estimation then. */
int pof_cli_grid_readings(struct pof_cli *cli, const char *path, struct pof_grid *grid,
                          struct pof_readings *readings, struct pof_err *err) POF_CHECKED;

#endif

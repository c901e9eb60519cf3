/* SPDX-License-Identifier: Apache-2.0 */
/* The --grid option. */
#include "cli/grid.h"

#include <stdlib.h>

int pof_cli_grid(struct pof_cli *cli, const char *path, struct pof_grid *grid, struct pof_err *err)
{
    char *json = NULL;
    size_t len;
    if (!path) {
        return pof_fail(err, POF_E_USAGE, "--grid FILE is needed; see --help");
    }
    int rc = pof_cli_slurp(cli, path, &json, &len, err);
    rc = rc ? rc : pof_grid_parse(grid, json, len, path, err);
    free(json);
    return rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Names for a case that has none. */
#include "parts.h"

#include "cli/grid.h"
#include "grid/case.h"

int se_names(struct pof_cli *cli, const char *path, struct pof_grid *grid, struct pof_err *err)
{
    struct pof_grid document = {0};
    int rc = pof_cli_grid(cli, path, &document, err);
    rc = rc ? rc : pof_case_name(grid, &document, err);
    pof_grid_release(&document);
    return rc;
}

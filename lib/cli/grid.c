/* SPDX-License-Identifier: Apache-2.0 */
/* The --grid option. */
#include "cli/grid.h"

#include "io/heap.h"

#include <stdlib.h>

enum { MEMORY_PER_BYTE = 16 }; /* what estimation and power flow take for a byte of a document */

static void tell(void *ctx, const char *text)
{
    pof_cli_warn(ctx, "%s", text);
}

int pof_cli_grid(struct pof_cli *cli, const char *path, struct pof_grid *grid, struct pof_err *err)
{
    return pof_cli_grid_readings(cli, path, grid, NULL, err);
}

int pof_cli_grid_readings(struct pof_cli *cli, const char *path, struct pof_grid *grid,
                          struct pof_readings *readings, struct pof_err *err)
{
    const struct pof_teller teller = {tell, cli};
    const struct pof_grid_wish wish = {.teller = &teller, .readings = readings};
    char *text = NULL;
    size_t len;
    if (!path) {
        return pof_fail(err, POF_E_USAGE, "--grid FILE is needed; see --help");
    }
    pof_heap_expect(&path, 1, MEMORY_PER_BYTE);
    int rc = pof_cli_slurp(cli, path, &text, &len, err);
    rc = rc ? rc : pof_grid_read_with(grid, (struct pof_text){text, len}, path, &wish, err);
    free(text);
    return rc;
}

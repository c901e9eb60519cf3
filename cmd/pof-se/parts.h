/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of pof-se. */
#ifndef POF_CMD_SE_PARTS_H
#define POF_CMD_SE_PARTS_H

#include "cli/cli.h"
#include "grid/estimate_report.h"

/* Gives a case the names of the grid document on a path. */
int se_names(struct pof_cli *cli, const char *path, struct pof_grid *grid, struct pof_err *err);
/* Says what the record of an instant says. */
void se_tell(struct pof_cli *cli, const struct pof_se_report *report,
             const struct pof_instant *instant);
/* Says where a switch or a tap is found to be. */
void se_tell_doubt(struct pof_cli *cli, const struct pof_doubt *doubt);

#endif

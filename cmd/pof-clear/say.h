/* SPDX-License-Identifier: Apache-2.0 */
/* What pof-clear says about a session that it cleared: what came in, what was left out, the result. */
#include "cli/cli.h"
#include "market/auction.h"

void clear_say(struct pof_cli *cli, const struct pof_book *book, const struct pof_auction *auction);

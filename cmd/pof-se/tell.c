/* SPDX-License-Identifier: Apache-2.0 */
/* What pof-se says to people. */
#include "parts.h"

#include "num/time.h"
#include "record/words.h"

#include <inttypes.h>

void se_tell(struct pof_cli *cli, const struct pof_se_report *r, const struct pof_instant *t)
{
    char when[POF_INSTANT_MAX];
    int n = (int)pof_instant_format(t->start, when);
    if (!r->good) {
        pof_cli_warn(cli, "%.*s: %s: %s", n, when,
                     pof_words("estimate_status")[r->record.status], r->detail);
    } else if (r->detail[0] != '\0') {
        pof_cli_warn(cli, "%.*s: %s", n, when, r->detail);
    }
    if (t->repeated > 0) {
        pof_cli_warn(cli, "%.*s: %u readings given twice, counted once", n, when, t->repeated);
    }
}

void se_tell_doubt(struct pof_cli *cli, const struct pof_doubt *d)
{
    int n = (int)d->branch.len;
    if (d->about == 1) {
        pof_cli_warn(cli, "branch '%.*s' looks %s: objective %.4g would be %.4g", n,
                     d->branch.ptr, d->found ? "closed" : "open", d->objective_document,
                     d->objective_found);
    } else if (d->found != d->document) {
        pof_cli_warn(cli, "tap of '%.*s' is at %" PRId64 ", not at %" PRId64
                             ": %.3g %% sure over %" PRId64 " instants", n, d->branch.ptr, d->found,
                     d->document, d->confidence_pct, d->instants);
    }
}

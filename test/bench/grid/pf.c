/* SPDX-License-Identifier: Apache-2.0 */
/* Power flow: one case from a flat start on a live model, and batches of cases. */
#include "bench.h"

#include "num/gauss.h"
#include "num/rng.h"

#include <stdlib.h>

/* Every consumption 90 to 110 % of its own, drawn for each case. */
static void vary(const struct bed *bed, uint64_t draw, double *p, double *q)
{
    for (uint32_t i = 0; i < bed->grid.nodes; i++) {
        double share = 0.2 * (pof_unit(pof_random(3, draw, i)) - 0.5);
        p[i] = share * bed->grid.node[i].p_w;
        q[i] = share * bed->grid.node[i].q_var;
    }
}

static void cases(struct bed *bed, unsigned n, struct figure *f)
{
    struct watch w = {0};
    struct pof_err err = {0};
    struct pof_pf *pf;
    size_t nodes = bed->grid.nodes;
    double *p = calloc(2 * nodes * n, sizeof *p);
    if (!p || pof_pf_new(&pf, &bed->grid, NULL, &err)) {
        die(bed->net->name, &err);
    }
    double *q = p + nodes * n, used;
    for (unsigned i = 0; i < n; i++) {
        vary(bed, i, p + i * nodes, q + i * nodes);
    }
    do {
        double t = cpu();
        for (unsigned i = 0; i < n; i++) {
            enum pof_pf_status status;
            if (pof_pf_solve(pf, p + i * nodes, q + i * nodes, true, &status, &err)) {
                die(bed->net->name, &err);
            }
            f->failures += status != POF_PF_CONVERGED;
        }
        used = cpu() - t;
    } while (watch_take(&w, used, n));
    f->ms = watch_median(&w);
    f->runs = w.n;
    f->scenarios = n;
    f->rss_mib = rss_mib();
    pof_pf_free(pf);
    free(p);
}

void run_pf(struct bed *bed, struct figure *f)
{
    cases(bed, 1, f);
    f->scenarios = 0;
}

void run_pf_batch(struct bed *bed, struct figure *f)
{
    cases(bed, bed->grid.nodes < 2000 ? 200 : 16, f);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Power flow: one case from a flat start on a live model, and batches of cases. */
#include "bench.h"

#include "grid/batch.h"
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

static double *draw_cases(const struct bed *bed, unsigned n)
{
    size_t nodes = bed->grid.nodes;
    double *p = calloc(2 * nodes * n, sizeof *p);
    if (!p) {
        die(bed->net->name, &(struct pof_err){.text = "no memory"});
    }
    for (unsigned i = 0; i < n; i++) {
        vary(bed, i, p + i * nodes, p + (n + i) * nodes);
    }
    return p;
}

void run_pf(struct bed *bed, struct figure *f)
{
    struct watch w = {0};
    struct pof_err err = {0};
    struct pof_pf *pf;
    enum { CASES = 8 };
    size_t nodes = bed->grid.nodes;
    double *p = draw_cases(bed, CASES), used;
    if (pof_pf_new(&pf, &bed->grid, NULL, &err)) {
        die(bed->net->name, &err);
    }
    do {
        unsigned i = w.n % CASES;
        enum pof_pf_status status;
        double t = cpu();
        if (pof_pf_solve(pf, p + i * nodes, p + (CASES + i) * nodes, true, &status, &err)) {
            die(bed->net->name, &err);
        }
        used = cpu() - t;
        f->failures += status != POF_PF_CONVERGED;
    } while (watch_take(&w, used, 1));
    f->ms = watch_median(&w);
    f->runs = w.n;
    f->rss_mib = rss_mib();
    pof_pf_free(pf);
    free(p);
}

static int count(void *ctx, const struct pof_solved *solved, struct pof_err *err)
{
    struct figure *f = ctx;
    (void)err;
    f->failures += solved->status != POF_PF_CONVERGED;
    return 0;
}

/* On a live model, as peers are measured: consumption of all nodes in, voltages and angles of all
 * nodes out (pof_batch.voltages_only); no flows. */
void run_pf_batch(struct bed *bed, struct figure *f)
{
    struct watch w = {0};
    struct pof_err err = {0};
    size_t nodes = bed->grid.nodes;
    unsigned n = nodes < 2000 ? 1000 : nodes < 20000 ? 64 : 32;
    double *p = draw_cases(bed, n), used;
    struct pof_pf *pf;
    if (pof_pf_new(&pf, &bed->grid, NULL, &err)) {
        die(bed->net->name, &err);
    }
    const struct pof_batch batch = {
        n, p, p + nodes * n, .voltages_only = true, .threads = 1, .pf = pf};
    const struct pof_case_taker taker = {count, f};
    do {
        double t = cpu();
        if (pof_batch_run(&bed->grid, NULL, &batch, &taker, &err)) {
            die(bed->net->name, &err);
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

/* SPDX-License-Identifier: Apache-2.0 */
/* Outages, one at a time. */
#include "grid/contingency.h"

#include "base/par.h"
#include "grid/contingency_screen.h"

#include <stdlib.h>
#include <string.h>

/* Outages that wait for their turn to be told, for each thread. */
enum { OUTAGES_A_THREAD = 16 };

struct findings {
    struct pof_finding *item;
    size_t n, cap;
};

struct run {
    const struct pof_outages *c;
    struct pof_grid *grid;  /* [threads] the grid with branches of its own; all else is shared */
    struct findings *found; /* [slots] */
    bool *secure;           /* [outages] clearly */
    size_t first;           /* outage of found[0] */
};

static int add(struct findings *f, const struct pof_finding *finding, struct pof_err *err)
{
    int rc = pof_grow(&f->item, &f->cap, f->n + 1, sizeof *f->item, err);
    if (rc == 0) {
        f->item[f->n++] = *finding;
    }
    return rc;
}

/* Limits are met to within this share: rounding of a state at its set value is no violation. */
#define AT_LIMIT 1e-9

static int look_at_node(const struct run *r, struct findings *f, uint32_t outage, uint32_t i,
                        double v, struct pof_err *err)
{
    const struct pof_node *n = &r->c->grid->node[i];
    struct pof_finding finding = {
        .outage = outage, .element = i, .value = v, .before = r->c->before->v_pu[i]};
    if (v == 0) {
        finding.kind = POF_FINDING_ISLANDED;
        return finding.before > 0 ? add(f, &finding, err) : 0;
    }
    bool low = v<n->v_min_pu *(1 - AT_LIMIT), high = v> n->v_max_pu * (1 + AT_LIMIT);
    finding.kind = low ? POF_FINDING_VOLTAGE_LOW : POF_FINDING_VOLTAGE_HIGH;
    finding.limit = low ? n->v_min_pu : n->v_max_pu;
    return low || high ? add(f, &finding, err) : 0;
}

static int look(const struct run *r, struct findings *f, uint32_t outage,
                const struct pof_pf_result *result, struct pof_err *err)
{
    const struct pof_grid *g = r->c->grid;
    int rc = 0;
    for (int islanded = 1; islanded >= 0; islanded--) {
        for (uint32_t i = 0; i < g->nodes && rc == 0; i++) {
            if ((result->v_pu[i] == 0) == islanded) {
                rc = look_at_node(r, f, outage, i, result->v_pu[i], err);
            }
        }
    }
    for (uint32_t k = 0; k < g->branches && rc == 0; k++) {
        const struct pof_finding finding = {.outage = outage,
                                            .kind = POF_FINDING_LOADING,
                                            .element = k,
                                            .value = result->loading[k],
                                            .before = r->c->before->loading[k],
                                            .limit = 1};
        rc = result->loading[k] > 1 + AT_LIMIT ? add(f, &finding, err) : 0;
    }
    return rc;
}

static int lose(struct run *r, struct pof_grid *g, uint32_t outage, struct findings *f,
                struct pof_err *err)
{
    struct pof_pf *pf = NULL;
    struct pof_pf_result result;
    enum pof_pf_status status;
    int rc = pof_pf_new(&pf, g, r->c->pf, err);
    rc = rc ? rc : pof_pf_solve(pf, r->c->p_w, r->c->q_var, true, &status, err);
    if (rc == 0 && status == POF_PF_CONVERGED) {
        pof_pf_result(pf, &result);
        rc = look(r, f, outage, &result, err);
    } else if (rc == 0) {
        rc = add(f, &(struct pof_finding){.outage = outage, .kind = POF_FINDING_DIVERGED}, err);
    }
    pof_pf_free(pf);
    return rc;
}

static int work(void *ctx, unsigned worker, size_t i, struct pof_err *err)
{
    struct run *r = ctx;
    struct pof_grid *g = &r->grid[worker];
    struct findings *f = &r->found[i];
    uint32_t outage = r->c->outage[r->first + i];
    bool was = g->branch[outage].closed;
    f->n = 0;
    g->branch[outage].closed = false;
    int rc = r->secure[r->first + i] ? 0 : lose(r, g, outage, f, err);
    g->branch[outage].closed = was;
    if (rc == 0 && f->n == 0) {
        rc = add(f, &(struct pof_finding){.outage = outage, .kind = POF_FINDING_SECURE}, err);
    }
    return rc;
}

static int tell(const struct findings *f,
                int (*take)(void *ctx, const struct pof_finding *finding, struct pof_err *err),
                void *ctx, struct pof_err *err)
{
    int rc = 0;
    for (size_t i = 0; i < f->n && rc == 0; i++) {
        rc = take(ctx, &f->item[i], err);
    }
    return rc;
}

static int prepare(struct run *r, unsigned threads, size_t slots, struct pof_err *err)
{
    const struct pof_grid *g = r->c->grid;
    int rc = pof_calloc(&r->grid, threads, sizeof *r->grid, err);
    rc = rc ? rc : pof_calloc(&r->found, slots, sizeof *r->found, err);
    rc = rc ? rc : pof_calloc(&r->secure, r->c->outages, sizeof *r->secure, err);
    for (unsigned t = 0; t < threads && rc == 0; t++) {
        r->grid[t] = *g;
        r->grid[t].branch = NULL;
        rc = pof_calloc(&r->grid[t].branch, g->branches, sizeof *g->branch, err);
        if (rc == 0 && g->branches > 0) {
            memcpy(r->grid[t].branch, g->branch, g->branches * sizeof *g->branch);
        }
    }
    return rc;
}

static int check(const struct pof_outages *c, struct pof_err *err)
{
    for (size_t i = 0; i < c->outages; i++) {
        if (c->outage[i] >= c->grid->branches) {
            return pof_fail(err, POF_E_RANGE, "the grid has no such branch to lose");
        }
    }
    return 0;
}

int pof_outages_run(const struct pof_outages *c,
                        int (*take)(void *ctx, const struct pof_finding *finding,
                                    struct pof_err *err),
                        void *ctx, struct pof_err *err)
{
    struct run r = {.c = c};
    unsigned threads = c->threads ? c->threads : 1;
    size_t slots = (size_t)threads * OUTAGES_A_THREAD;
    int rc = check(c, err);
    rc = rc ? rc : prepare(&r, threads, slots, err);
    rc = rc || !c->screen ? rc : pofi_outages_screen(c, r.secure, err);
    for (size_t i = 0; i < c->outages && rc == 0 && c->screened; i++) {
        *c->screened += r.secure[i];
    }
    rc = rc ? rc : look(&r, &r.found[0], POF_NONE, c->before, err);
    rc = rc ? rc : tell(&r.found[0], take, ctx, err);
    while (rc == 0 && r.first < c->outages) {
        size_t left = c->outages - r.first, n = left < slots ? left : slots;
        rc = pof_parallel(n, threads, work, &r, err);
        for (size_t i = 0; i < n && rc == 0; i++) {
            rc = tell(&r.found[i], take, ctx, err);
        }
        r.first += n;
    }
    for (unsigned t = 0; r.grid && t < threads; t++) {
        free(r.grid[t].branch);
    }
    for (size_t i = 0; r.found && i < slots; i++) {
        free(r.found[i].item);
    }
    free(r.grid);
    free(r.found);
    free(r.secure);
    return rc;
}

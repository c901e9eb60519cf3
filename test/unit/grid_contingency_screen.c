/* SPDX-License-Identifier: Apache-2.0 */
/* Outages that are screened: the same findings, to the last bit, as when each has a power flow of its
 * own, on grids loaded so that many outages are secure and many are not. */
#include "grid/contingency.h"
#include "grid/format.h"
#include "tap.h"

#include <time.h>

struct found {
    struct pof_finding *item;
    size_t n, cap;
};

static int take(void *ctx, const struct pof_finding *f, struct pof_err *err)
{
    struct found *to = ctx;
    int rc = pof_grow(&to->item, &to->cap, to->n + 1, sizeof *to->item, err);
    if (rc == 0) {
        to->item[to->n++] = *f;
    }
    return rc;
}

static bool load(struct pof_grid *g, const char *name)
{
    static char text[4u << 20];
    char path[1024];
    struct pof_err err = {0};
    snprintf(path, sizeof path, "%s/grids/matpower/%s.m", tap_data(), name);
    FILE *f = fopen(path, "r");
    size_t len = f ? fread(text, 1, sizeof text, f) : 0;
    if (f) {
        fclose(f);
    }
    int rc = pof_matpower_read(g, (struct pof_text){text, len}, path, NULL, &err);
    return ok(rc == 0, "%s is read%s", name, err.text);
}

/* Ratings of so many times the flow, but not less than a tenth of the largest; limits of voltages a
 * little outside of what they are. */
static void rate(struct pof_grid *g, const struct pof_pf_result *r, double times, double room)
{
    double most = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t k = 0; k < g->branches; k++) {
            double s = fmax(hypot(r->p_from_w[k], r->q_from_var[k]), hypot(r->p_to_w[k], r->q_to_var[k]));
            most = fmax(most, s);
            if (pass) {
                g->branch[k].rating_va = fmax(times * s, most / 10);
            }
        }
    }
    for (uint32_t i = 0; i < g->nodes; i++) {
        g->node[i].v_min_pu = r->v_pu[i] - room;
        g->node[i].v_max_pu = r->v_pu[i] + room;
    }
}

static double run(const struct pof_outages *c, struct found *to)
{
    struct pof_err err = {0};
    clock_t t = clock();
    to->n = 0;
    ok(pof_outages_run(c, take, to, &err) == 0, "outages %s%s", c->screen ? "screened" : "in full", err.text);
    return (double)(clock() - t) / CLOCKS_PER_SEC;
}

static bool same(const struct found *a, const struct found *b)
{
    bool equal = a->n == b->n;
    for (size_t i = 0; equal && i < a->n; i++) {
        const struct pof_finding *x = &a->item[i], *y = &b->item[i];
        equal = x->outage == y->outage && x->kind == y->kind && x->element == y->element &&
                x->value == y->value && x->before == y->before && x->limit == y->limit;
    }
    return equal;
}

static void compare(const char *name, double times, double room, bool distributed)
{
    struct pof_grid g;
    struct pof_pf *pf = NULL;
    struct pof_pf_result before;
    struct pof_err err = {0};
    enum pof_pf_status status;
    struct found full = {0}, fast = {0};
    uint64_t screened = 0, secure = 0;
    const struct pof_pf_options how = {.distributed_slack = distributed};
    if (!load(&g, name)) {
        return;
    }
    for (uint32_t i = 0; i < g.nodes; i++) {
        g.node[i].slack_share = g.node[i].kind != POF_NODE_PQ;
    }
    if (pof_pf_new(&pf, &g, &how, &err) || pof_pf_solve(pf, NULL, NULL, true, &status, &err)) {
        ok(false, "%s is solved: %s", name, err.text);
        return;
    }
    pof_pf_result(pf, &before);
    rate(&g, &before, times, room);
    /* results know ratings only from a power flow with them */
    ok(pof_pf_solve(pf, NULL, NULL, true, &status, &err) == 0 && status == POF_PF_CONVERGED, "case in service");
    pof_pf_result(pf, &before);
    uint32_t *outage = calloc(g.branches, sizeof *outage);
    for (uint32_t k = 0; k < g.branches; k++) {
        outage[k] = k;
    }
    struct pof_outages c = {.grid = &g, .pf = &how, .before = &before, .outage = outage, .outages = g.branches};
    double slow = run(&c, &full);
    c.screen = true;
    c.screened = &screened;
    double quick = run(&c, &fast);
    for (size_t i = 0; i < full.n; i++) {
        secure += full.item[i].kind == POF_FINDING_SECURE;
    }
    ok(same(&full, &fast), "%s%s: the same %zu findings", name, distributed ? ", slack shared" : "", full.n);
    ok(screened > 0 && screened <= secure && secure < g.branches,
       "of %u outages %d are secure, %d of them without a power flow", g.branches, (int)secure, (int)screened);
    printf("# %s: %.0f ms in full, %.0f ms screened\n", name, 1e3 * slow, 1e3 * quick);
    free(outage);
    free(full.item);
    free(fast.item);
    pof_pf_free(pf);
    pof_grid_release(&g);
}

int main(void)
{
    if (!tap_data()) {
        skip("screened outages", "no shared data");
        return done();
    }
    static const double times[] = {1.2, 1.5, 2.2};
    static const double room[] = {0.01, 0.03, 0.06};
    for (int i = 0; i < 3; i++) {
        compare("case14", times[i], room[i], false);
        compare("case57", times[i], room[i], false);
        compare("case118", times[i], room[i], i == 1);
        compare("case_ACTIVSg200", times[i], room[i], false);
    }
    return done();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Outages: a ring whose findings are known, and any grid against power flows of its own. */
#include "flex/feeders.h"
#include "grid/build.h"
#include "grid/contingency.h"
#include "tap.h"

enum { MOST = 4000 };

struct found {
    struct pof_finding item[MOST];
    size_t n;
};

static int take(void *ctx, const struct pof_finding *f, struct pof_err *err)
{
    struct found *to = ctx;
    if (to->n == MOST) {
        return pof_fail(err, POF_E_RANGE, "more findings than the test expects");
    }
    to->item[to->n++] = *f;
    return 0;
}

static void must(int rc, const struct pof_err *err)
{
    if (rc) {
        printf("Bail out! %s\n", err->text);
        exit(1);
    }
}

/* s - a - b - s is a ring, c hangs on b. 1 MVA base; 0.4 MW at a, b and c. */
enum { S, A, B, C };
static void ring(struct pof_grid *g)
{
    static const char *const names[] = {"s", "a", "b", "c"};
    static const uint32_t ends[][2] = {{S, A}, {A, B}, {S, B}, {B, C}};
    struct pof_build b = {.grid = g};
    struct pof_err err = {0};
    *g = (struct pof_grid){.base_va = 1e6, .f_hz = 50};
    for (uint32_t i = 0; i < 4; i++) {
        struct pof_node n = pof_node_default(pof_text(names[i]), 10000);
        n.kind = i == S ? POF_NODE_SLACK : POF_NODE_PQ;
        n.p_w = i == S ? 0 : 4e5;
        must(pof_build_node(&b, &n, &err), &err);
    }
    for (uint32_t k = 0; k < 4; k++) {
        char name[8];
        snprintf(name, sizeof name, "%s%s", names[ends[k][0]], names[ends[k][1]]);
        struct pof_branch br = {.name = pof_text(name),
                                .from = ends[k][0],
                                .to = ends[k][1],
                                .r = 0.05,
                                .x = 0.03,
                                .ratio = 1,
                                .rating_va = 1e6,
                                .closed = true};
        must(pof_build_branch(&b, &br, &err), &err);
    }
    must(pof_build_finish(&b, &err), &err);
}

/* All branches, or those named. */
static void run(const struct pof_grid *g, unsigned threads, struct found *to)
{
    struct pof_pf *pf = NULL;
    struct pof_pf_result before;
    struct pof_err err = {0};
    enum pof_pf_status status;
    uint32_t *outage = calloc(g->branches, sizeof *outage);
    for (uint32_t k = 0; k < g->branches; k++) {
        outage[k] = k;
    }
    must(pof_pf_new(&pf, g, NULL, &err), &err);
    must(pof_pf_solve(pf, NULL, NULL, true, &status, &err), &err);
    pof_pf_result(pf, &before);
    const struct pof_outages c = {
        .grid = g, .before = &before, .outage = outage, .outages = g->branches, .threads = threads};
    to->n = 0;
    must(pof_outages_run(&c, take, to, &err), &err);
    pof_pf_free(pf);
    free(outage);
}

static bool is(const struct pof_finding *f, uint32_t outage, enum pof_finding_kind kind,
               uint32_t element)
{
    return f->outage == outage && f->kind == kind && f->element == element;
}

static void known(void)
{
    struct pof_grid g;
    struct found f;
    ring(&g);
    run(&g, 1, &f);
    ok(f.n == 6 && is(&f.item[0], 0, POF_FINDING_LOADING, 2) && f.item[0].value > 1.2 &&
           f.item[0].before < 1,
       "without sa all flows through sb");
    ok(is(&f.item[1], 1, POF_FINDING_SECURE, 0), "without ab nothing is wrong");
    ok(is(&f.item[2], 2, POF_FINDING_VOLTAGE_LOW, B) &&
           is(&f.item[3], 2, POF_FINDING_VOLTAGE_LOW, C) && f.item[3].value < 0.9 &&
           f.item[3].before > 0.9 && f.item[3].limit == 0.9,
       "without sb the voltages of b and c are low");
    ok(is(&f.item[4], 2, POF_FINDING_LOADING, 0), "and sa is overloaded");
    ok(is(&f.item[5], 3, POF_FINDING_ISLANDED, C), "without bc nothing feeds c");
    g.node[A].p_w = 9e6;
    run(&g, 2, &f);
    bool diverged = false;
    for (size_t i = 0; i < f.n; i++) {
        diverged |= f.item[i].kind == POF_FINDING_DIVERGED;
    }
    ok(diverged, "what the grid cannot carry is said to");
    pof_grid_release(&g);
}

/* Each outage is what a power flow of the grid without the branch says, whatever the threads. */
static void compare(void)
{
    const struct pof_feeders_options o = {60, 2};
    static struct found one, three;
    struct pof_grid g = {0};
    struct pof_err err = {0};
    must(pof_feeders_make(&g, &o, &err), &err);
    for (uint32_t i = 0; i < g.nodes; i++) {
        g.node[i].v_max_pu = 1.0402;
    }
    run(&g, 1, &one);
    run(&g, 3, &three);
    bool same = one.n == three.n;
    for (size_t i = 0; i < one.n && same; i++) {
        const struct pof_finding *a = &one.item[i], *b = &three.item[i];
        same = a->outage == b->outage && a->kind == b->kind && a->element == b->element &&
               a->value == b->value && a->before == b->before && a->limit == b->limit;
    }
    ok(same && one.n > 100, "%zu findings, the same on 1 and 3 threads", one.n);
    size_t at = 0, agreed = 0, base = 0;
    for (; at < one.n && one.item[at].outage == POF_NONE; at++) {
        base++;
    }
    for (uint32_t k = 0; k < g.branches; k++) {
        struct pof_pf *pf = NULL;
        struct pof_pf_result r;
        enum pof_pf_status status;
        size_t dark = 0, high = 0, told[2] = {0};
        g.branch[k].closed = false;
        must(pof_pf_new(&pf, &g, NULL, &err), &err);
        must(pof_pf_solve(pf, NULL, NULL, true, &status, &err), &err);
        pof_pf_result(pf, &r);
        for (uint32_t i = 0; i < g.nodes; i++) {
            dark += r.v_pu[i] == 0;
            high += r.v_pu[i] > 1.0402;
        }
        for (; at < one.n && one.item[at].outage == k; at++) {
            told[0] += one.item[at].kind == POF_FINDING_ISLANDED;
            told[1] += one.item[at].kind == POF_FINDING_VOLTAGE_HIGH;
        }
        agreed += told[0] == dark && told[1] == high;
        g.branch[k].closed = true;
        pof_pf_free(pf);
    }
    ok(agreed == g.branches && at == one.n && base > 0,
       "%zu of %u outages are what power flows say", agreed, (unsigned)g.branches);
    pof_grid_release(&g);
}

static void refused(void)
{
    struct pof_grid g;
    struct found f = {.n = 0};
    struct pof_err err = {0};
    uint32_t none = 99;
    ring(&g);
    const struct pof_outages c = {.grid = &g, .outage = &none, .outages = 1};
    ok(pof_outages_run(&c, take, &f, &err) == POF_E_RANGE, "a branch that is not there");
    pof_grid_release(&g);
}

int main(void)
{
    known();
    compare();
    refused();
    return done();
}

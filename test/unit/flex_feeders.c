/* SPDX-License-Identifier: Apache-2.0 */
/* Grids of distribution feeders, and the measurement sets on them. */
#include "flex/feeders.h"
#include "grid/measure.h"
#include "tap.h"

static struct pof_grid make(uint32_t nodes, uint64_t seed)
{
    const struct pof_feeders_options o = {nodes, seed};
    struct pof_grid g = {0};
    struct pof_err err = {0};
    if (pof_feeders_make(&g, &o, &err)) {
        printf("Bail out! %s\n", err.text);
        exit(1);
    }
    return g;
}

/* Every size is exact, a tree, and carries its loads. */
static void sizes(void)
{
    static const uint32_t nodes[] = {4, 5, 26, 27, 52, 102, 999, 1002, 10002};
    bool exact = true, trees = true, carried = true;
    double low = 2, high = 0;
    for (size_t i = 0; i < sizeof nodes / sizeof nodes[0]; i++) {
        struct pof_grid g = make(nodes[i], i);
        struct pof_tree t = {0};
        struct pof_pf *pf = NULL;
        struct pof_pf_result r;
        struct pof_err err = {0};
        enum pof_pf_status status = POF_PF_DIVERGED;
        exact = exact && g.nodes == nodes[i] && g.branches == nodes[i] - 1;
        trees = trees && pof_tree_build(&t, &g, &err) == 0 && t.n == g.nodes;
        carried = carried && pof_pf_new(&pf, &g, NULL, &err) == 0 &&
                  pof_pf_solve(pf, NULL, NULL, true, &status, &err) == 0 &&
                  status == POF_PF_CONVERGED;
        pof_pf_result(pf, &r);
        for (uint32_t k = 0; k < g.nodes; k++) {
            low = fmin(low, r.v_pu[k]);
            high = fmax(high, r.v_pu[k]);
        }
        for (uint32_t k = 0; k < g.branches; k++) {
            carried = carried && r.loading[k] < 1 && r.loading[k] >= 0;
        }
        pof_pf_free(pf);
        pof_tree_release(&t);
        pof_grid_release(&g);
    }
    ok(exact, "as many nodes as asked for");
    ok(trees, "each a tree from its slack node");
    ok(carried && low > 0.95 && high < 1.1, "loads are carried: %.3f to %.3f p.u.", low, high);
}

static void shares(void)
{
    struct pof_grid g = make(10002, 7), again = make(10002, 7), other = make(10002, 8);
    size_t lv = 0, loads = 0, plants = 0, same = 0, differ = 0;
    double drawn = 0;
    bool idle = true;
    for (uint32_t i = 0; i < g.nodes; i++) {
        const struct pof_node *n = &g.node[i];
        lv += n->base_v == 420;
        loads += n->p_w > 0;
        plants += n->p_w < 0;
        drawn += n->p_w;
        same += n->p_w == again.node[i].p_w && n->q_var == again.node[i].q_var;
        differ += n->p_w != other.node[i].p_w;
        idle = idle && (n->kind == POF_NODE_SLACK || n->zero_injection == (n->p_w == 0));
    }
    lv -= 400; /* the busbars of the stations have none */
    double connected = (double)(loads + plants) / (double)lv;
    ok(fabs(connected - 0.8) < 0.02, "%.3f of the low-voltage nodes have a connection", connected);
    double plant = (double)plants / (double)(loads + plants);
    ok(fabs(plant - 0.15) < 0.02, "%.3f of those are plants", plant);
    ok(fabs(drawn / (double)(loads + plants) - 460) < 40, "mean consumption %.0f W",
       drawn / (double)(loads + plants));
    ok(idle, "nodes without a connection say so");
    ok(same == g.nodes && differ > 7000, "the seed decides, and nothing else");
    pof_grid_release(&g);
    pof_grid_release(&again);
    pof_grid_release(&other);
}

static void refused(void)
{
    const struct pof_feeders_options o = {3, 1};
    struct pof_grid g = {0};
    struct pof_err err = {0};
    ok(pof_feeders_make(&g, &o, &err) == POF_E_RANGE, "three nodes are too few: %s", err.text);
    pof_grid_release(&g);
}

/* A solved grid with its set. */
struct bed {
    struct pof_grid g;
    struct pof_pf *pf;
    struct pof_pf_result r;
    struct pof_observations set;
};

static void measure(struct bed *b, enum pof_measure_set set, bool noise, uint64_t draw)
{
    const struct pof_measure_options m = {.set = set, .noise = noise, .seed = 3, .draw = draw};
    struct pof_err err = {0};
    b->set.n = 0;
    if (pof_measure_make(&b->g, &b->r, NULL, &m, &b->set, &err)) {
        printf("Bail out! %s\n", err.text);
        exit(1);
    }
}

static void sets(void)
{
    struct bed b = {.g = make(1002, 7)};
    struct pof_err err = {0};
    enum pof_pf_status status;
    int rc = pof_pf_new(&b.pf, &b.g, NULL, &err);
    rc = rc ? rc : pof_pf_solve(b.pf, NULL, NULL, true, &status, &err);
    pof_pf_result(b.pf, &b.r);
    size_t consumers = 0;
    for (uint32_t i = 0; i < b.g.nodes; i++) {
        consumers += b.g.node[i].p_w != 0;
    }
    measure(&b, POF_MEASURE_STD, false, 0);
    ok(rc == 0 && b.set.n == 1002 + 2 * (consumers + 1) + 2 * 1001,
       "std: every voltage, injection and flow (%zu)", b.set.n);
    measure(&b, POF_MEASURE_LEAN, false, 0);
    ok(fabs((double)b.set.n - (200 + 2 * ((double)consumers + 1) + 1001)) < 120,
       "lean: a fifth of the voltages, half of the flows (%zu)", b.set.n);
    measure(&b, POF_MEASURE_DIST, false, 0);
    size_t n = b.set.n;
    double states = 2 * 1002 - 1, readings = (double)n + 2 * (1002 - (double)consumers - 1);
    ok(readings / states > 1.03 && readings / states < 1.09, "dist: redundancy %.3f",
       readings / states);
    int exactly = 0;
    struct pof_se *se = NULL;
    struct pof_se_result e;
    enum pof_se_status found = POF_SE_DIVERGED;
    rc = pof_se_new(&se, &b.g, NULL, &err);
    rc = rc ? rc : pof_se_solve(se, b.set.item, b.set.n, &found, &err);
    pof_se_result(se, &e);
    for (uint32_t i = 0; i < b.g.nodes; i++) {
        exactly += fabs(e.v_pu[i] - b.r.v_pu[i]) < 1e-7;
    }
    ok(rc == 0 && found == POF_SE_CONVERGED && exactly == 1002,
       "without noise the state comes back");
    double sum = 0, mean = 0;
    size_t all = 0;
    struct pof_observations truth = b.set;
    b.set = (struct pof_observations){0};
    for (uint64_t draw = 0; draw < 20; draw++) {
        measure(&b, POF_MEASURE_DIST, true, draw);
        for (size_t i = 0; i < n; i++, all++) {
            double z = (b.set.item[i].value - truth.item[i].value) / truth.item[i].sigma;
            mean += z;
            sum += z * z;
        }
    }
    ok(fabs(mean / (double)all) < 0.02 && fabs(sum / (double)all - 1) < 0.02,
       "noise has mean 0 (%.4f) and its sigma (%.4f)", mean / (double)all, sum / (double)all);
    free(truth.item);
    free(b.set.item);
    pof_se_free(se);
    pof_pf_free(b.pf);
    pof_grid_release(&b.g);
}

/* A thousand draws of noise in the benchmark, fewer here: none fails. */
static void draws(uint32_t nodes, unsigned times)
{
    struct bed b = {.g = make(nodes, 7)};
    struct pof_err err = {0};
    enum pof_pf_status status;
    struct pof_se *se = NULL;
    int rc = pof_pf_new(&b.pf, &b.g, NULL, &err);
    rc = rc ? rc : pof_pf_solve(b.pf, NULL, NULL, true, &status, &err);
    rc = rc ? rc : pof_se_new(&se, &b.g, NULL, &err);
    pof_pf_result(b.pf, &b.r);
    unsigned failed = 0;
    for (unsigned i = 0; i < times && rc == 0; i++) {
        enum pof_se_status found;
        measure(&b, POF_MEASURE_DIST, true, i);
        rc = pof_se_solve(se, b.set.item, b.set.n, &found, &err);
        failed += found != POF_SE_CONVERGED;
    }
    ok(rc == 0 && failed == 0, "%u draws of noise on %u nodes: %u do not converge", times,
       (unsigned)nodes, failed);
    free(b.set.item);
    pof_se_free(se);
    pof_pf_free(b.pf);
    pof_grid_release(&b.g);
}

int main(void)
{
    sizes();
    shares();
    refused();
    sets();
    draws(102, 200);
    draws(1002, 20);
    return done();
}

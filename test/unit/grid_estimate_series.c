/* SPDX-License-Identifier: Apache-2.0 */
/* A series through one engine: switches that move, switches that are not as the document says, and
 * positions of tap changers. */
#include "grid/build.h"
#include "grid/estimate_series.h"
#include "grid/powerflow.h"
#include "num/rng.h"
#include "tap.h"

#include <stdio.h>

static struct pof_err err;

static struct pof_grid load(const char *path)
{
    struct pof_grid g = {0};
    FILE *f = fopen(path, "r");
    char *text = malloc(1u << 20);
    size_t n = f ? fread(text, 1, (1u << 20) - 1, f) : 0;
    if (f) {
        fclose(f);
    }
    int rc = pof_grid_parse(&g, text, n, path, &err);
    free(text);
    if (rc) {
        printf("# %s: %s\n", path, err.text);
        exit(1);
    }
    return g;
}

enum { MOST = 400 };

struct set {
    struct pof_observation o[MOST];
    uint8_t origin[MOST];
    int64_t age[MOST];
    bool closed[64];
    size_t n;
};

static void see(struct set *s, uint32_t element, bool branch, int quantity, double value, double sigma)
{
    /* twelve uniform variates: nearly normal, variance 1 */
    double noise = -6;
    for (uint64_t k = 0; k < 12; k++) {
        noise += ldexp((double)(pof_random(7, (uint64_t)value + s->n, k) >> 11), -53);
    }
    s->o[s->n++] = (struct pof_observation){.element = element,
                                            .branch = branch,
                                            .quantity = (uint8_t)quantity,
                                            .value = value + sigma * noise,
                                            .sigma = sigma};
}

/* What a grid, as it really is, would be read as under a load. */
static bool measure(struct set *s, const struct pof_grid *g, double share)
{
    struct pof_pf *pf = NULL;
    struct pof_pf_result r;
    enum pof_pf_status status = POF_PF_DIVERGED;
    double *p = calloc(g->nodes, sizeof *p);
    double *q = calloc(g->nodes, sizeof *q);
    *s = (struct set){0};
    for (uint32_t i = 0; i < g->nodes; i++) {
        p[i] = share * g->node[i].rated_w * (0.5 + 0.1 * (i % 6));
        q[i] = 0.3 * p[i];
    }
    int rc = pof_pf_new(&pf, g, NULL, &err);
    rc = rc ? rc : pof_pf_solve(pf, p, q, true, &status, &err);
    if (rc == 0 && status == POF_PF_CONVERGED) {
        pof_pf_result(pf, &r);
        for (uint32_t i = 0; i < g->nodes; i++) {
            see(s, i, false, POF_QUANTITY_V, r.v_pu[i] * g->node[i].base_v,
                0.003 * g->node[i].base_v);
            see(s, i, false, POF_QUANTITY_P, r.p_w[i], 0.002 * g->base_va);
            see(s, i, false, POF_QUANTITY_Q, r.q_var[i], 0.002 * g->base_va);
        }
        for (uint32_t b = 0; b < g->branches; b++) {
            see(s, b, true, POF_QUANTITY_P, r.p_from_w[b], 0.002 * g->base_va);
            see(s, b, true, POF_QUANTITY_Q, r.q_from_var[b], 0.002 * g->base_va);
            s->closed[b] = g->branch[b].closed;
        }
    }
    pof_pf_free(pf);
    free(q);
    free(p);
    return rc == 0 && status == POF_PF_CONVERGED;
}

static struct pof_instant instant(const struct set *s, int64_t start, const struct pof_grid *g)
{
    struct pof_instant t = {.start = start,
                            .observation = s->o,
                            .origin = s->origin,
                            .age_s = s->age,
                            .n = s->n,
                            .closed = s->closed};
    for (uint32_t b = 0; b < g->branches; b++) {
        t.switched |= g->branch[b].closed != s->closed[b];
    }
    return t;
}

/* A branch the document says is open, or closed, and which is not. */
static void wrong_switch(const char *name, bool really)
{
    struct pof_grid truth = load("samples/cigre-mv.json");
    struct pof_grid document = load("samples/cigre-mv.json");
    uint32_t b = pof_names_find(&truth.branch_names, pof_text(name));
    struct set s;
    struct pof_se_series series = {.grid = &document, .report.wish.check = true};
    struct pof_se_doubts d = {0};
    uint32_t tie = pof_names_find(&truth.branch_names, pof_text("L11-4"));
    truth.branch[tie].closed = document.branch[tie].closed = true;
    truth.branch[b].closed = really;
    document.branch[b].closed = !really;
    document.branch[b].kind = truth.branch[b].kind = POF_BRANCH_SWITCH;
    ok(measure(&s, &truth, 0.5), "%s is %s", name, really ? "closed" : "open");
    s.closed[b] = !really;
    struct pof_instant t = instant(&s, 900, &document);
    int rc = pof_se_series_instant(&series, &t, &err);
    ok(rc == 0 && series.report.check.suspect, "readings disagree with the document");
    rc = rc ? rc : pof_se_check_switches(&series, &t, &d, &err);
    if (ok(rc == 0 && d.n > 0, "a switch is doubted")) {
        printf("# %.*s: %g would be %g\n", (int)d.list[0].branch.len, d.list[0].branch.ptr,
               d.list[0].objective_document, d.list[0].objective_found);
        is_text(d.list[0].branch.ptr, d.list[0].branch.len, name, "the one that is wrong comes first");
        is_int(d.list[0].found, really, "found as it is");
        is_int(d.list[0].document, !really, "not as the document says");
        ok(d.list[0].objective_found < 150 &&
               d.list[0].objective_document > 4 * d.list[0].objective_found,
           "the sum falls to what noise explains");
    }
    d.n = 0;
    s.closed[b] = really;
    t = instant(&s, 1800, &document);
    rc = rc ? rc : pof_se_series_instant(&series, &t, &err);
    rc = rc ? rc : pof_se_check_switches(&series, &t, &d, &err);
    ok(rc == 0 && !series.report.check.suspect && d.n == 0, "nothing is doubted when it is right");
    is_int(series.analyses, 2, "topology was analysed once more when the switch moved");
    pof_se_doubts_release(&d);
    pof_se_series_release(&series);
    pof_grid_release(&truth);
    pof_grid_release(&document);
}

/* Ratios of a grid as if the tap changers stood elsewhere. */
static void stand(struct pof_grid *g, const int *pos, double step)
{
    int k = 0;
    for (uint32_t b = 0; b < g->branches; b++) {
        if (g->branch[b].kind == POF_BRANCH_TRANSFORMER) {
            g->branch[b].ratio *= 1 + step / 100 * pos[k++ % 2];
        }
    }
}

static void taps(void)
{
    static const int pos[2] = {-4, 3};
    struct pof_grid truth = load("samples/cigre-mv.json");
    struct pof_grid document = load("samples/cigre-mv.json");
    struct pof_se_sample sample = {0};
    struct pof_se_doubts d = {0};
    struct set s;
    stand(&truth, pos, 1.25);
    int rc = 0;
    for (int i = 0; rc == 0 && i < 6; i++) {
        bool fine = measure(&s, &truth, 0.2 + 0.1 * i);
        struct pof_instant t = instant(&s, 900 * i, &document);
        rc = fine ? pof_se_sample_add(&sample, &document, &t, &err) : -1;
    }
    rc = rc ? rc : pof_se_find_taps(&document, &sample, 1.25, &d, &err);
    is_int(rc, 0, "a series is searched");
    is_int((int64_t)d.n, 2, "both transformers");
    for (size_t i = 0; i < d.n; i++) {
        printf("# %.*s at %d, %.4g %% sure, %.4g instead of %.4g\n", (int)d.list[i].branch.len,
               d.list[i].branch.ptr, (int)d.list[i].found, d.list[i].confidence_pct,
               d.list[i].objective_found, d.list[i].objective_document);
        is_int(d.list[i].found, pos[i % 2], "the position it stands at");
        ok(d.list[i].confidence_pct > 99, "beyond doubt");
        is_int(d.list[i].instants, 6, "from all instants");
    }
    double most = 0;
    for (uint32_t b = 0; b < document.branches; b++) {
        most = fmax(most, fabs(document.branch[b].ratio / truth.branch[b].ratio - 1));
    }
    is_near(most, 0, 1e-12, "the grid has the ratios found");
    pof_se_doubts_release(&d);

    /* nothing is read behind the transformers' own nodes: no position is better than another */
    for (size_t i = 0; i < sample.n; i++) {
        struct pof_observation *o = (struct pof_observation *)sample.instant[i].observation;
        size_t n = 0;
        for (size_t k = 0; k < sample.instant[i].n; k++) {
            bool v = o[k].quantity == POF_QUANTITY_V && o[k].element != 0;
            if (!v && (o[k].branch || o[k].quantity == POF_QUANTITY_P ||
                       o[k].quantity == POF_QUANTITY_Q || o[k].element == 0)) {
                double worse = o[k].quantity == POF_QUANTITY_V ? 1 : 30;
                o[n] = o[k];
                o[n++].sigma *= worse;
            }
        }
        sample.instant[i].n = n;
    }
    rc = pof_se_find_taps(&document, &sample, 1.25, &d, &err);
    is_int(rc, 0, "a series without voltages");
    for (size_t i = 0; i < d.n; i++) {
        ok(d.list[i].confidence_pct < 90, "unsure (%.3g %%) where only power is read",
           d.list[i].confidence_pct);
    }
    pof_se_doubts_release(&d);
    pof_se_sample_release(&sample);
    pof_grid_release(&truth);
    pof_grid_release(&document);
}

static void samples(void)
{
    struct pof_grid g = load("samples/cigre-mv.json");
    struct pof_se_sample sample = {0};
    struct set s = {0};
    int rc = 0;
    for (int64_t i = 0; rc == 0 && i < 1000; i++) {
        struct pof_instant t = instant(&s, i, &g);
        rc = pof_se_sample_add(&sample, &g, &t, &err);
    }
    ok(rc == 0 && sample.n >= 16 && sample.n <= 32, "of 1000 instants %zu are kept", sample.n);
    bool even = true;
    for (size_t i = 1; i < sample.n; i++) {
        even = even && sample.instant[i].start - sample.instant[i - 1].start ==
                           sample.instant[1].start - sample.instant[0].start;
    }
    ok(even, "evenly spread");
    pof_se_sample_release(&sample);
    pof_grid_release(&g);
}

int main(void)
{
    wrong_switch("L6-7", true);
    wrong_switch("L8-9", false);
    taps();
    samples();
    return done();
}

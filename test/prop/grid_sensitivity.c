/* SPDX-License-Identifier: Apache-2.0 */
/* Sensitivities against differences of power flows: meshed and radial grids, slack, PV and PQ
 * nodes, every quantity that can be watched. */
#include "flex/feeders.h"
#include "grid/format.h"
#include "grid/powerflow.h"
#include "grid/sensitivity.h"
#include "num/rng.h"
#include "tap.h"

static double value(const struct pof_grid *g, const struct pof_pf_result *r,
                    const struct pof_watched *w)
{
    double loss = 0;
    switch (w->what) {
    case POF_WATCH_V:
        return r->v_pu[w->element] * g->node[w->element].base_v;
    case POF_WATCH_I:
        return w->to ? r->i_to_a[w->element] : r->i_from_a[w->element];
    case POF_WATCH_P:
        return w->to ? r->p_to_w[w->element] : r->p_from_w[w->element];
    case POF_WATCH_Q:
        return w->to ? r->q_to_var[w->element] : r->q_from_var[w->element];
    case POF_WATCH_LOSS:
        for (uint32_t k = 0; k < g->branches; k++) {
            loss += r->p_from_w[k] + r->p_to_w[k];
        }
        return loss;
    case POF_WATCH_SLACK_P:
        return r->slack_p_w;
    default:
        return r->slack_q_var;
    }
}

struct bed {
    const struct pof_grid *g;
    struct pof_pf *pf;
    struct pof_sens *sens;
    double *p, *q, *by_w, *by_var;
};

/* The change for 1 W at a node: central differences of two steps, extrapolated (L. F. Richardson),
 * so that their own error is of the fourth order. */
static double difference(struct bed *b, double *at, const struct pof_watched *w)
{
    double step = 2e-4 * b->g->base_va, d[2], was = *at;
    for (int half = 0; half < 2; half++, step /= 2) {
        double side[2];
        for (int s = 0; s < 2; s++) {
            struct pof_pf_result r;
            struct pof_err err = {0};
            enum pof_pf_status status;
            *at = s ? was - step : was + step;
            if (pof_pf_solve(b->pf, b->p, b->q, true, &status, &err) ||
                status != POF_PF_CONVERGED) {
                return NAN;
            }
            pof_pf_result(b->pf, &r);
            side[s] = value(b->g, &r, w);
        }
        d[half] = (side[0] - side[1]) / (2 * step);
    }
    *at = was;
    return (4 * d[1] - d[0]) / 3;
}

static void compare(struct bed *b, const char *name, enum pof_watch what)
{
    static const char *const words[] = {"v", "i", "p", "q", "loss", "slack_p", "slack_q"};
    struct pof_err err = {0};
    double worst = 0, most = 0;
    bool all = true;
    for (uint64_t trial = 0; trial < 6; trial++) {
        struct pof_watched w = {.what = what, .to = trial % 2};
        uint32_t of = what == POF_WATCH_V ? b->g->nodes : b->g->branches;
        w.element = (uint32_t)pof_below(pof_random(5, trial, what), of);
        all = all && pof_sens_row(b->sens, &w, b->by_w, b->by_var, &err) == 0;
        double largest = 0;
        for (uint32_t i = 0; i < b->g->nodes; i++) {
            largest = fmax(largest, fmax(fabs(b->by_w[i]), fabs(b->by_var[i])));
        }
        for (uint64_t k = 0; k < 4 && largest > 0; k++) {
            uint32_t i = (uint32_t)pof_below(pof_random(6, trial, k), b->g->nodes);
            double dp = difference(b, &b->p[i], &w), dq = difference(b, &b->q[i], &w);
            all = all && isfinite(dp) && isfinite(dq);
            worst = fmax(worst, fabs(dp - b->by_w[i]) / largest);
            worst = fmax(worst, fabs(dq - b->by_var[i]) / largest);
            most = fmax(most, fabs(dp));
        }
    }
    ok(all && worst < 2e-5 && most > 0, "%s: %s agrees with power flows within %.1e of its largest",
       name, words[what], worst);
}

static void grid(const char *name, struct pof_grid *g, bool distributed)
{
    struct bed b = {.g = g};
    struct pof_pf_options exact = {.tolerance = 1e-12, .distributed_slack = distributed};
    struct pof_pf_result r;
    struct pof_err err = {0};
    enum pof_pf_status status = POF_PF_DIVERGED;
    bool regular = false;
    int rc = pof_pf_new(&b.pf, g, &exact, &err);
    rc = rc ? rc : pof_calloc(&b.p, g->nodes, sizeof *b.p, &err);
    rc = rc ? rc : pof_calloc(&b.q, g->nodes, sizeof *b.q, &err);
    rc = rc ? rc : pof_calloc(&b.by_w, g->nodes, sizeof *b.by_w, &err);
    rc = rc ? rc : pof_calloc(&b.by_var, g->nodes, sizeof *b.by_var, &err);
    rc = rc ? rc : distributed ? pof_sens_new_distributed(&b.sens, g, &err) : pof_sens_new(&b.sens, g, &err);
    for (uint32_t i = 0; i < g->nodes && rc == 0; i++) {
        b.p[i] = 2e-3 * g->base_va; /* without flows losses and currents have no first derivative */
        b.q[i] = 1e-3 * g->base_va;
    }
    rc = rc ? rc : pof_pf_solve(b.pf, b.p, b.q, true, &status, &err);
    if (rc == 0) {
        pof_pf_result(b.pf, &r);
        const struct pof_sens_state state = {r.v_pu, r.angle, r.limit};
        rc = pof_sens_at(b.sens, &state, &regular, &err);
    }
    if (ok(rc == 0 && status == POF_PF_CONVERGED && regular, "%s: factors %s", name, err.text)) {
        for (enum pof_watch what = POF_WATCH_V; what <= POF_WATCH_SLACK_Q; what++) {
            compare(&b, name, what);
        }
    }
    pof_sens_free(b.sens);
    pof_pf_free(b.pf);
    free(b.p);
    free(b.q);
    free(b.by_w);
    free(b.by_var);
    pof_grid_release(g);
}

static bool read_file(struct pof_grid *g, const char *path)
{
    struct pof_err err = {0};
    FILE *f = fopen(path, "r");
    char *text = malloc(1 << 20);
    size_t n = f ? fread(text, 1, (1 << 20) - 1, f) : 0;
    text[n] = '\0';
    int rc = n ? pof_grid_read(g, (struct pof_text){text, n}, path, NULL, &err) : -1;
    if (f) {
        fclose(f);
    }
    free(text);
    return ok(rc == 0, "%s read %s", path, err.text);
}

int main(void)
{
    static const char *const samples[] = {"samples/cigre-mv.json", "samples/lv-feeder.json"};
    static const char *const cases[] = {"case9", "case14", "case118"};
    struct pof_grid g = {0};
    const struct pof_feeders_options o = {102, 4};
    struct pof_err err = {0};
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        if (read_file(&g, samples[i])) {
            grid(samples[i], &g, false);
        }
    }
    if (ok(pof_feeders_make(&g, &o, &err) == 0, "feeders")) {
        grid("feeders", &g, false);
    }
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char path[1024];
        snprintf(path, sizeof path, "%s/grids/matpower/%s.m", tap_data() ? tap_data() : "",
                 cases[i]);
        if (!tap_data()) {
            skip(cases[i], "no shared data");
        } else if (read_file(&g, path)) {
            grid(cases[i], &g, false);
        }
        if (tap_data() && read_file(&g, path)) {
            for (uint32_t k = 0; k < g.nodes; k++) {
                g.node[k].slack_share = g.node[k].kind == POF_NODE_PQ ? k % 5 == 0 : 1 + k % 3;
            }
            grid("the same, slack shared", &g, true);
        }
    }
    return done();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Estimated states as records. */
#include "grid/estimate_report.h"
#include "grid/solver.h"
#include "record/writer.h"

#include <math.h>

static const double DEGREES = 180 / 3.14159265358979323846; /* in a radian */

struct writing {
    const struct pof_se_report *report;
    struct pof_se_result r;
    uint32_t phases;
    bool sd; /* standard deviations are known */
};

#define PUT(s, member, from)                                                                        \
    do {                                                                                            \
        double put_ = (from);                                                                       \
        if (isfinite(put_)) {                                                                       \
            (s)->member = put_ == 0 ? 0 : put_; /* no minus before a zero */                        \
            POF_SET(s, state, member);                                                              \
        }                                                                                           \
    } while (0)

/* Whether a node's consumption is known: all that hangs on it is. */
static bool node_known(const struct pof_se_report *report, uint32_t i)
{
    return !report->partial || report->whole[i];
}

static void put_node(const struct writing *w, uint32_t i, uint32_t k, struct pof_state *s)
{
    const struct pof_se_check *c = &w->report->check;
    bool alive = w->r.v_pu[k] > 0;
    s->element = 0;
    s->name = w->report->grid->node[i].name;
    PUT(s, v_pu, w->r.v_pu[k]);
    if (alive) {
        /* angles of phases around the circle, as a power flow gives them */
        double turn = w->phases > 1 ? pofi_wrap(w->r.angle[k]) : w->r.angle[k];
        PUT(s, angle_deg, turn * DEGREES);
    }
    if (w->sd && alive) {
        PUT(s, sd_v_pu, c->sd_v_pu[k]);
        PUT(s, sd_angle_deg, c->sd_angle[k] * DEGREES);
    }
    if (w->report->wish.part == POF_SE_VOLTAGES || !node_known(w->report, i)) {
        return;
    }
    PUT(s, p_w, w->r.p_w[k]);
    PUT(s, q_var, w->r.q_var[k]);
    if (w->sd && alive) {
        PUT(s, sd_p_w, c->sd_p_w[k]);
        PUT(s, sd_q_var, c->sd_q_var[k]);
    }
}

static void put_branch(const struct writing *w, uint32_t b, uint32_t k, struct pof_state *s)
{
    const struct pof_branch *branch = &w->report->grid->branch[b];
    const struct pof_se_check *c = &w->report->check;
    s->element = 1;
    s->name = branch->name;
    PUT(s, p_w, w->r.p_from_w[k]);
    PUT(s, q_var, w->r.q_from_var[k]);
    PUT(s, p_to_w, w->r.p_to_w[k]);
    PUT(s, q_to_var, w->r.q_to_var[k]);
    PUT(s, i_a, w->r.i_a[k]);
    if (w->sd && branch->closed) {
        PUT(s, sd_p_w, c->sd_p_from_w[k]);
        PUT(s, sd_q_var, c->sd_q_from_var[k]);
        PUT(s, sd_p_to_w, c->sd_p_to_w[k]);
        PUT(s, sd_q_to_var, c->sd_q_to_var[k]);
        PUT(s, sd_i_a, c->sd_i_a[k]);
    }
    if (branch->rating_va > 0) {
        PUT(s, loading_pct, 100 * w->r.loading[k]);
    }
}

static int put(const struct writing *w, bool branch, uint32_t i, const struct pof_state *base,
               struct pof_writer *out, struct pof_err *err)
{
    int rc = 0;
    for (uint32_t f = 0; rc == 0 && f < w->phases; f++) {
        struct pof_state s = *base;
        if (branch) {
            put_branch(w, i, i * w->phases + f, &s);
        } else {
            put_node(w, i, i * w->phases + f, &s);
        }
        if (w->phases > 1) {
            s.phase = (int)f;
            POF_SET(&s, state, phase);
        }
        rc = pof_writer_put(out, POF_state, &s, err);
    }
    return rc;
}

/* Ends in one observable part. */
static bool branch_known(const struct pof_se_report *report, const struct pof_branch *b)
{
    return !report->partial || (!report->hidden[b->from] && !report->hidden[b->to]);
}

int pof_se_put_state(const struct pof_se *se, uint32_t phases, const struct pof_se_report *report,
                     struct pof_writer *out, struct pof_err *err)
{
    const struct pof_grid *grid = report->grid;
    struct pof_state base = {.start = report->record.start};
    struct writing w = {.report = report, .phases = phases, .sd = report->check.sd_v_pu != NULL};
    int rc = 0;
    pof_se_result(se, &w.r);
    if (!report->has_state) {
        base.status = POF_SE_DIVERGED;
        POF_SET(&base, state, status);
    }
    for (uint32_t i = 0; rc == 0 && i < grid->nodes; i++) {
        rc = report->partial && report->hidden[i] ? 0 : put(&w, false, i, &base, out, err);
    }
    for (uint32_t b = 0; rc == 0 && report->wish.part == POF_SE_ALL && b < grid->branches; b++) {
        rc = branch_known(report, &grid->branch[b]) ? put(&w, true, b, &base, out, err) : 0;
    }
    return rc;
}

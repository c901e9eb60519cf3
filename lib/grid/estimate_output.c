/* SPDX-License-Identifier: Apache-2.0 */
/* The present state as voltages, flows and currents of the grid. */
#include "grid/estimate_impl.h"

#include <math.h>
#include <string.h>

/* Power that flows with a form, p.u. */
static void form_power(const struct pof_se *se, uint32_t form, double s[2])
{
    const struct se_forms *f = &se->forms;
    const struct se_state *v = &se->state;
    uint32_t a = f->at[form];
    double re = 0, im = 0;
    for (uint32_t e = f->begin[form]; e < f->begin[form + 1]; e++) {
        re += f->g[e] * v->vr[f->to[e]] - f->b[e] * v->vi[f->to[e]];
        im += f->g[e] * v->vi[f->to[e]] + f->b[e] * v->vr[f->to[e]];
    }
    s[0] = v->vr[a] * re + v->vi[a] * im;
    s[1] = v->vi[a] * re - v->vr[a] * im;
}

/* Angles near those without load, so that what is a little below -180 degrees stays there; those
 * that are references are theirs to the last bit. */
static void angles(struct pof_se *se)
{
    const struct se_state *s = &se->state;
    for (uint32_t n = 0; n < se->net.nodes; n++) {
        double c = se->flat.vr[n], d = se->flat.vi[n];
        double re = s->vr[n] * c + s->vi[n] * d, im = s->vi[n] * c - s->vr[n] * d;
        se->v[n] = s->vm[n];
        se->a[n] = se->net.flat_a[n] + atan2(im, re);
    }
    for (size_t i = 0; i < se->rows; i++) {
        if (se->row[i].origin == SE_REFERENCE) {
            se->a[se->row[i].place] = se->row[i].z;
        }
    }
}

/* Power that leaves a section into its switches; not a number where nothing that is read tells. */
static double into_ties(const struct pof_se *se, uint32_t s, uint32_t f, uint32_t q)
{
    uint32_t phases = se->net.phases;
    double sum = 0;
    if (!se->section_known[2 * (s * phases + f) + q]) {
        return NAN;
    }
    for (uint32_t p = se->tie_begin[s]; p < se->tie_begin[s + 1]; p++) {
        const struct pof_branch *b = &se->grid->branch[se->tie[p] / 2];
        uint32_t o = se->section_of[se->tie[p] % 2 ? b->from : b->to];
        sum += se->state.x[2 * (s * phases + f) + q] - se->state.x[2 * (o * phases + f) + q];
    }
    return sum;
}

static void node_outputs(struct pof_se *se, uint32_t i, uint32_t f)
{
    const struct pof_net *net = &se->net;
    uint32_t n = net->bus_of[i] * net->phases + f, to = i * net->phases + f;
    bool section = se->sections > 0 && se->section_of[i] != POF_NONE;
    double s[2];
    se->node_out[0][to] = se->v[n];
    se->node_out[1][to] = se->a[n];
    if (se->options.voltages) {
        return;
    }
    form_power(se, section ? net->forms + se->section_of[i] * net->phases + f : pof_net_bus(net, n), s);
    for (uint32_t q = 0; q < 2; q++) {
        double ties = section ? into_ties(se, se->section_of[i], f, q) : 0;
        se->node_out[2 + q][to] = -(s[q] + ties) * se->grid->base_va / net->phases;
    }
}

/* Flows at both ends; p.u. */
static void branch_flows(const struct pof_se *se, uint32_t b, uint32_t f, double s[2][2])
{
    const struct pof_branch *branch = &se->grid->branch[b];
    uint32_t phases = se->net.phases;
    for (uint32_t end = 0; end < 2; end++) {
        if (!pof_branch_ideal(se->grid, branch)) {
            form_power(se, pof_net_end(&se->net, b, end, f), s[end]);
            continue;
        }
        for (uint32_t q = 0; q < 2; q++) {
            uint32_t from = se->section_of[end ? branch->to : branch->from] * phases + f;
            uint32_t to = se->section_of[end ? branch->from : branch->to] * phases + f;
            bool known = se->tie_known[2 * (b * phases + f) + q];
            s[end][q] = known ? se->state.x[2 * from + q] - se->state.x[2 * to + q] : NAN;
        }
    }
}

static void branch_outputs(struct pof_se *se, uint32_t b, uint32_t f)
{
    const struct pof_grid *grid = se->grid;
    const struct pof_branch *branch = &grid->branch[b];
    uint32_t phases = se->net.phases, at = b * phases + f;
    double s[2][2], i[2], most = 0;
    branch_flows(se, b, f, s);
    for (uint32_t end = 0; end < 2; end++) {
        uint32_t node = end ? branch->to : branch->from;
        i[end] = sqrt(s[end][0] * s[end][0] + s[end][1] * s[end][1]) /
                 se->v[se->net.bus_of[node] * phases + f];
        se->branch_out[2 * end][at] = s[end][0] * grid->base_va / phases;
        se->branch_out[2 * end + 1][at] = s[end][1] * grid->base_va / phases;
        double amps = i[end] * pof_base_current(grid, node);
        most = end == 0 || !(amps <= most) ? amps : most;
    }
    se->branch_out[4][at] = most;
    se->branch_out[5][at] =
        branch->rating_va > 0 ? fmax(i[0], i[1]) * grid->base_va / branch->rating_va : 0;
}

void pofi_se_outputs(struct pof_se *se)
{
    angles(se);
    for (uint32_t i = 0; i < se->grid->nodes; i++) {
        for (uint32_t f = 0; f < se->net.phases && se->net.bus_of[i] != POF_NONE; f++) {
            node_outputs(se, i, f);
        }
    }
    for (uint32_t b = 0; !se->options.voltages && b < se->grid->branches; b++) {
        const struct pof_branch *branch = &se->grid->branch[b];
        bool carries = branch->closed && se->net.bus_of[branch->from] != POF_NONE;
        for (uint32_t f = 0; f < se->net.phases && carries; f++) {
            branch_outputs(se, b, f);
        }
    }
}

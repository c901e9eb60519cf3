/* SPDX-License-Identifier: Apache-2.0 */
/* The state to begin from: a power flow on the injections that are read, or no load. */
#include "grid/estimate_impl.h"
#include "grid/powerflow_impl.h"

#include <math.h>
#include <stdlib.h>

static const double SIGMA_LEAST = 1e-6; /* p.u.: exact voltages count as if read so well */
static const double SCALE_MOST = 1.2;   /* readings may say so much of the level and no more */

/* Consumption the power flow is to start with, beside the grid's own: means of what is read. What is
 * read of all phases together is shared alike. is_read: [2 * nodes * phases]. */
static void read_injections(const struct pof_se *se, double *const w[2], bool *is_read)
{
    uint32_t phases = se->net.phases;
    double unit = se->grid->base_va / phases;
    for (size_t i = 0; i < se->rows;) {
        const struct se_row *row = &se->row[i], *next = row;
        double sum = 0, n = 0;
        for (; i < se->rows; i++, next++, n++) {
            if (next->branch != row->branch || next->element != row->element ||
                next->quantity != row->quantity || next->phase != row->phase) {
                break;
            }
            sum += pofi_se_read(next);
        }
        uint32_t q = row->quantity == POF_QUANTITY_Q;
        if (row->branch || (row->quantity != POF_QUANTITY_P && !q)) {
            continue;
        }
        for (uint32_t f = 0; f < phases; f++) {
            uint32_t at = row->element * phases + f;
            if (row->phase == f + 1 || (row->phase == 0 && !is_read[2 * at + q])) {
                w[q][at] = sum / n * unit / (row->phase == 0 ? phases : 1);
                is_read[2 * at + q] = true;
            }
        }
    }
}

/* What the grid consumes by itself is in the power flow already, where it is read too. */
static void take_fixed(const struct pof_se *se, double *const w[2], const bool *is_read)
{
    uint32_t phases = se->net.phases;
    for (uint32_t k = 0; k < se->grid->nodes * phases; k++) {
        const struct pof_node *node = &se->grid->node[k / phases];
        const struct pof_node_phases *own = phases == 3 ? node->phases : NULL;
        double p = node->p_w / phases + (own ? own->p_w[k % phases] : 0);
        double q = node->q_var / phases + (own ? own->q_var[k % phases] : 0);
        w[0][k] -= is_read[2 * k] ? p : 0;
        w[1][k] -= is_read[2 * k + 1] ? q : 0;
    }
}

/* What turns and scales the voltages behind a slack bus. */
struct frame {
    double sigma, turn;   /* of the best reading of an angle; INFINITY: none */
    double weight, scale; /* of all readings of magnitudes, and what they say on the mean */
    double c, s;          /* both as a complex number */
};

/* A power flow knows the slack's voltage as set; readings may have another frame, and another level. */
static void turn_to_readings(struct pof_se *se, struct frame *frame)
{
    for (uint32_t k = 0; k < se->net.buses; k++) {
        frame[k] = (struct frame){.sigma = INFINITY};
    }
    for (size_t i = 0; i < se->rows; i++) {
        const struct se_row *row = &se->row[i];
        if (row->origin != SE_OBSERVED || (row->quantity != POF_QUANTITY_ANGLE && row->quantity != POF_QUANTITY_V)) {
            continue;
        }
        struct frame *f = &frame[se->net.slack_of[row->place / se->net.phases]];
        if (row->quantity == POF_QUANTITY_V) {
            double weight = 1 / fmax(row->sigma * row->sigma, SIGMA_LEAST * SIGMA_LEAST);
            f->weight += weight;
            f->scale += weight * row->z / se->state.vm[row->place];
        } else if (row->sigma < f->sigma) {
            f->sigma = row->sigma;
            f->turn = row->z - pofi_se_value(se, row, &se->state);
        }
    }
    for (uint32_t k = 0; k < se->net.buses; k++) {
        struct frame *f = &frame[k];
        f->scale = f->weight > 0 ? fmin(fmax(f->scale / f->weight, 1 / SCALE_MOST), SCALE_MOST) : 1;
        f->c = f->scale * (f->turn != 0 ? cos(f->turn) : 1);
        f->s = f->scale * (f->turn != 0 ? sin(f->turn) : 0);
    }
    for (uint32_t n = 0; n < se->net.nodes; n++) {
        const struct frame *f = &frame[se->net.slack_of[n / se->net.phases]];
        double re = se->state.vr[n], im = se->state.vi[n];
        se->state.vr[n] = f->c * re - f->s * im;
        se->state.vi[n] = f->s * re + f->c * im;
        se->state.vm[n] *= f->scale;
    }
}

/* The state of a power flow, when it leaves no voltage at zero. */
static bool take_flow(struct pof_se *se, const double *v, const double *angle)
{
    for (uint32_t n = 0; n < se->net.nodes; n++) {
        if (!(v[n] > 0)) {
            return false;
        }
        se->state.vm[n] = v[n];
        se->state.vr[n] = v[n] * cos(angle[n]);
        se->state.vi[n] = v[n] * sin(angle[n]);
    }
    return true;
}

/* The power flow lives as long as the start: later estimates mostly begin at a base, and its
 * memory is what patterns need next. */
static int flow_start(struct pof_se *se, bool *found, struct pof_err *err)
{
    struct pof_pf *pf = NULL;
    double *w[2] = {NULL, NULL};
    bool *marks = NULL;
    const double *v = NULL, *angle = NULL;
    size_t nodes = (size_t)se->grid->nodes * se->net.phases;
    int rc = pof_calloc(&w[0], nodes, sizeof *w[0], err);
    rc = rc ? rc : pof_calloc(&w[1], nodes, sizeof *w[1], err);
    rc = rc ? rc : pof_calloc(&marks, 2 * nodes, sizeof *marks, err);
    if (rc == 0) {
        read_injections(se, w, marks);
        take_fixed(se, w, marks);
        rc = pofi_pf_new_inner(&pf, &se->net, err);
        rc = rc ? rc : pofi_pf_voltages(pf, w[0], w[1], &v, &angle, err);
    }
    *found = rc == 0 && v && take_flow(se, v, angle);
    pof_pf_free(pf);
    free(marks);
    free(w[1]);
    free(w[0]);
    return rc;
}

static void stored_start(struct pof_se *se)
{
    pof_net_stored(&se->net, se->v, se->a);
    for (uint32_t n = 0; n < se->net.nodes; n++) {
        se->state.vm[n] = se->v[n];
        se->state.vr[n] = se->v[n] * cos(se->a[n]);
        se->state.vi[n] = se->v[n] * sin(se->a[n]);
    }
}

int pofi_se_start(struct pof_se *se, bool flat, struct pof_err *err)
{
    enum pof_se_start from = flat ? POF_SE_START_FLAT : se->options.start;
    bool found = from == POF_SE_START_STORED;
    struct frame *frame = NULL;
    int rc = from == POF_SE_START_FLOW ? flow_start(se, &found, err) : 0;
    if (from == POF_SE_START_STORED) {
        stored_start(se);
    }
    if (rc == 0 && !found) {
        pofi_se_state_copy(se, &se->state, &se->flat);
    }
    for (uint32_t k = 0; k < 2 * se->potentials; k++) {
        se->state.x[k] = 0;
    }
    rc = rc ? rc : pof_calloc(&frame, se->net.buses, sizeof *frame, err);
    if (rc == 0) {
        turn_to_readings(se, frame);
    }
    free(frame);
    return rc ? rc : pofi_se_phasor_start(se, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A start for current phasors. Where no current flows the angle of a current has no derivative, and
 * near there a wild one: from a state without load an iteration may stay where it is. So where the
 * start is far from what a magnitude and an angle at one place say together, they are taken as P and
 * Q at the voltage of the start, and the state that explains these is the start instead. */
#include "grid/estimate_impl.h"

#include <math.h>
#include <stdlib.h>

/* A start that misses a phasor by less than this share of it is good enough. */
static const double NEAR = 0.5;

struct phasors {
    struct pof_observation *item; /* what is read, phasors as powers */
    bool *taken;                  /* [n_seen] */
    size_t n;
    bool far;                     /* the start misses one */
};

static bool of_angle(const struct se_row *row)
{
    return row->quantity == POF_QUANTITY_I_ANGLE || row->quantity == POF_QUANTITY_I_ANGLE_TO_V;
}

/* The magnitude read at the place of an angle. */
static const struct se_row *magnitude_of(const struct pof_se *se, const struct se_row *angle)
{
    for (size_t i = 0; i < se->rows; i++) {
        const struct se_row *row = &se->row[i];
        if (row->quantity == POF_QUANTITY_I && row->place == angle->place && !row->removed &&
            row->z > 0 && !row->exact) {
            return row;
        }
    }
    return NULL;
}

static void add_power(const struct pof_se *se, struct phasors *p, const struct se_row *angle,
                      const struct se_row *size)
{
    uint32_t node = se->forms.at[angle->place];
    double v = se->state.vm[node], unit = se->grid->base_va / se->net.phases;
    double from = angle->quantity == POF_QUANTITY_I_ANGLE ? atan2(se->state.vi[node], se->state.vr[node]) : 0;
    double lag = from - angle->z, off = pofi_se_value(se, angle, &se->state) - angle->z;
    double there = pofi_se_value(se, size, &se->state);
    double re = there * cos(off) - size->z, im = there * sin(off);
    p->far = p->far || !(re * re + im * im < NEAR * NEAR * size->z * size->z);
    struct pof_observation o = {.element = angle->element, .branch = true, .to = angle->to,
                                .phase = angle->phase, .quantity = POF_QUANTITY_P,
                                .value = v * size->z * cos(lag) * unit,
                                .sigma = v * hypot(size->sigma, size->z * angle->sigma) * unit};
    p->item[p->n++] = o;
    o.quantity = POF_QUANTITY_Q;
    o.value = v * size->z * sin(lag) * unit;
    p->item[p->n++] = o;
    p->taken[angle->source] = p->taken[size->source] = true;
}

static void collect(const struct pof_se *se, struct phasors *p)
{
    for (size_t i = 0; i < se->rows; i++) {
        const struct se_row *row = &se->row[i];
        bool one = of_angle(row) && !row->exact && !row->removed && row->place != POF_NONE;
        const struct se_row *size = one ? magnitude_of(se, row) : NULL;
        if (size) {
            add_power(se, p, row, size);
        }
    }
    for (size_t i = 0; p->far && i < se->n_seen; i++) {
        if (!p->taken[i]) {
            p->item[p->n++] = se->seen[i];
        }
    }
}

/* The state that explains them; the engine is one of its own. */
static int explain(struct pof_se *se, const struct phasors *p, struct pof_err *err)
{
    struct pof_se *other = NULL;
    enum pof_se_status status = POF_SE_DIVERGED;
    int rc = pof_se_new(&other, se->grid, &se->options, err);
    rc = rc ? rc : pof_se_solve(other, p->item, p->n, &status, err);
    if (rc == 0 && status == POF_SE_CONVERGED) {
        pofi_se_state_copy(se, &se->state, &other->state);
    }
    pof_se_free(other);
    return rc;
}

int pofi_se_phasor_start(struct pof_se *se, struct pof_err *err)
{
    struct phasors p = {0};
    size_t angles = 0;
    for (size_t i = 0; i < se->rows; i++) {
        angles += of_angle(&se->row[i]);
    }
    if (angles == 0) {
        return 0;
    }
    int rc = pof_calloc(&p.item, 2 * angles + se->n_seen, sizeof *p.item, err);
    rc = rc ? rc : pof_calloc(&p.taken, se->n_seen, sizeof *p.taken, err);
    if (rc == 0) {
        collect(se, &p);
    }
    rc = rc || !p.far ? rc : explain(se, &p, err);
    free(p.taken);
    free(p.item);
    return rc;
}

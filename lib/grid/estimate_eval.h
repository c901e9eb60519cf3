/* SPDX-License-Identifier: Apache-2.0 */
/* Exact residuals and gradients, for one estimate or four side by side, and the step they lead to.
 *
 * With multipliers m of the rows (w r of weighted ones, -scale lambda of exact ones) the right-hand
 * side is H' m. It needs no H: the power S = v_a conj(i) of a form with multiplier mu = m_P + j m_Q
 * contributes Re(conj(mu) dS) = Re(conj(mu i) dv_a) + Re(beta di), beta = mu conj(v_a), of which
 * the second is handed back over the admittances of the form to the voltages it is made of. So every
 * node collects one complex number t, and with dv = v (du + j dangle) its part of the right-hand
 * side is t v. Sines, cosines and roots are nowhere but at angles and current magnitudes. */
#ifndef POF_GRID_ESTIMATE_EVAL_H
#define POF_GRID_ESTIMATE_EVAL_H

#include "grid/estimate_impl.h"
#include "grid/lanes.h"

/* A row as the kernels see it. */
struct eval_row {
    uint8_t quantity;
    uint8_t which;    /* form of the group; 3: the sum of all */
    bool exact;
    double sign, scale, rho; /* scale, weight in G: of exact rows */
    uint32_t node;    /* V, ANGLE: of the net */
    uint32_t extra;   /* exact: unknown in the order of elimination */
    uint32_t tbegin, tend; /* potentials */
};

/* One admittance of a form. */
struct eval_entry {
    double g, b;
    uint32_t to;
};

/* What nearly all forms are read as: P, then Q, both exact or both weighted. Its admittances have the
 * sign of the rows. */
struct eval_plain {
    uint32_t row, at;
    uint32_t begin, end;  /* entries */
};

/* Other forms, evaluated together: one, or the three phases, and their rows. */
struct eval_group {
    uint32_t form;        /* first of them, in the plan's list; POF_NONE: no form */
    uint32_t begin, end;  /* rows */
};

struct eval_term {
    uint32_t x;           /* of state.x */
    uint32_t at;          /* in the order of elimination */
    double factor;
};

struct se_plan {
    uint32_t nodes, phases, rows, groups, width; /* width: forms of a group */
    uint32_t potentials;
    uint32_t unknowns;    /* 2 * blocks */
    const uint32_t *order; /* [blocks] of the gain's factors */
    uint32_t first_group_row; /* rows before are V and ANGLE */
    struct eval_row *row;
    uint32_t *exact;      /* [exacts] */
    uint32_t exacts;
    struct eval_plain *plain;
    uint32_t pairs, weighted, plains; /* weighted of two entries; until there: weighted; then exact */
    struct eval_group *group;
    struct eval_term *term;
    uint32_t *at, *begin;  /* forms that are read */
    struct eval_entry *entry;
    uint32_t *clear;       /* [clears] unknowns that are neither of nodes nor of exact rows */
    uint32_t clears;
};

/* Numbers of a width: lanes of the same element are neighbours. */
struct eval_lanes {
    double *v;            /* [2 * nodes] real and imaginary parts */
    double *vm;           /* [nodes] */
    double *x;            /* [2 * potentials] */
    double *z, *w;        /* [rows]; w 0: not active */
    const double *common; /* [rows], not by lane: w of all lanes, instead of w; NULL: w. Not owned */
    double *lambda;       /* [rows] */
    double *rhs;          /* [unknowns], in the order of elimination */
    double *t;            /* [2 * nodes] scratch */
    double *r;            /* [rows] residuals; side by side: of exact rows alone */
    double *sums;         /* [EVAL_SUMS] */
};

/* Sums over rows, and extremes, by lane. */
enum { EVAL_OBJECTIVE, EVAL_MISSED, EVAL_SUMS };

int pofi_se_plan_new(const struct pof_se *se, struct se_plan **out, struct pof_err *err) POF_CHECKED;
/* Scales of exact rows, when they have changed. */
void pofi_se_plan_scale(const struct pof_se *se, struct se_plan *plan);
void pofi_se_plan_free(struct se_plan *plan);

int pofi_se_lanes_new(const struct se_plan *plan, struct eval_lanes *l, int width,
                      struct pof_err *err) POF_CHECKED;
void pofi_se_lanes_free(struct eval_lanes *l);

/* Residuals, J, the largest miss of an exact row (p.u.), and the right-hand side. */
void pofi_se_eval(const struct se_plan *plan, const struct eval_lanes *l);
void pofi_se_eval_wide(const struct se_plan *plan, const struct eval_lanes *l);
/* l->rhs becomes the step. */
void pofi_se_solve(const struct se_plan *plan, const struct pof_ldl *ldl,
                   const struct eval_lanes *l);
void pofi_se_solve_wide(const struct se_plan *plan, const struct pof_ldl *ldl,
                        const struct eval_lanes *l);
/* Moves by l->rhs, a solved step; size[lane] becomes its largest change of a voltage. */
void pofi_se_step(const struct se_plan *plan, const struct eval_lanes *l, double *size);
void pofi_se_step_wide(const struct se_plan *plan, const struct eval_lanes *l, double *size);

#endif

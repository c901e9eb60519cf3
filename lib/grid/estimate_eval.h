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

/* A row as the kernels see it, where it is not one of a plain form. */
struct eval_row {
    uint8_t quantity;
    uint8_t which;    /* form of the group; 3: the sum of all; 4: no form */
    bool mixed;       /* reads Q - mix P, as row `of` of the estimator says */
    double sign, mix;
    uint32_t of;
    uint32_t at;      /* row of the plan */
    uint32_t node;    /* V, ANGLE: of the plan */
    uint32_t exact;   /* which exact row; POF_NONE: weighted */
    uint32_t tbegin, tend; /* potentials */
};

/* An exact row. */
struct eval_exact {
    double scale, rho; /* rho: weight in G */
    uint32_t row, extra; /* extra: its unknown in the order of elimination */
};

/* One admittance of a form. */
struct eval_entry {
    double g, b;
    uint32_t to;
};

/* What nearly all forms are read as: P, then Q, both exact or both weighted. Its admittances have the
 * sign of the rows. Of exact ones the first is the sum of all, for the own voltage, and the others are
 * for differences to it: beside stiff lines rounding of y v is more than exact rows may miss. */
struct eval_plain {
    uint32_t row, at;
    uint32_t begin, end;  /* entries */
    uint32_t exact;       /* first of its two exact rows */
};

/* Other forms, evaluated together: one, or the three phases, and their rows. */
struct eval_group {
    uint32_t form;        /* first of them, in the plan's list; POF_NONE: no form */
    uint32_t begin, end;  /* of plan.row */
};

struct eval_term {
    uint32_t x;           /* of state.x */
    uint32_t at;          /* in the order of elimination */
    double factor;
};

/* What belongs to a piece of the order of elimination (ldl.h), from here to the next piece. A row is
 * in the piece of the first block it touches: all others are there too, or in the last piece. So are
 * gradients of all but the last piece complete when the piece's rows are evaluated. */
struct eval_piece {
    uint32_t block, node, potential, row_of_plan;
    uint32_t plain, pairs_end, weighted_end; /* of two entries; weighted; then exact */
    uint32_t group, node_row, exact;
};

/* Nodes and rows have numbers of their own, in the order of elimination, so that what is needed
 * together lies together. */
struct se_plan {
    uint32_t nodes, phases, rows, groups, width; /* width: forms of a group */
    uint32_t potentials;
    uint32_t unknowns;      /* 2 * blocks */
    const uint32_t *order;  /* [blocks] of the gain's factors */
    uint32_t *net_node;     /* [nodes] of the net */
    uint32_t *unknown;      /* [nodes] its angle in the order of elimination; its magnitude is next */
    uint32_t *row_at;       /* [rows] plan's row of a row */
    struct eval_piece *piece; /* [pieces + 1] */
    uint32_t pieces;
    struct eval_row *node_row; /* V and ANGLE */
    struct eval_row *row;      /* of groups */
    struct eval_exact *exact;
    uint32_t *exact_row;       /* [exacts] row of the estimator */
    uint32_t exacts, node_rows, group_rows, plains;
    struct eval_plain *plain;
    struct eval_group *group;
    struct eval_term *term;
    struct eval_term *potential; /* [blocks of potentials] as elimination has them; of P */
    uint32_t *at, *begin;   /* forms that are read */
    struct eval_entry *entry;
};

/* Numbers of a width: lanes of the same element are neighbours. */
struct eval_lanes {
    double *v;            /* [2 * nodes] real and imaginary parts */
    double *vm;           /* [nodes] */
    double *x;            /* [2 * potentials] */
    double *z, *w;        /* [rows]; w 0: not active */
    const double *common; /* [rows], not by lane: w of all lanes, instead of w; NULL: w. Not owned */
    double *lambda;       /* [exacts] */
    double *rhs;          /* [unknowns], in the order of elimination */
    double *top;          /* [unknowns of the last piece] its part of a solution */
    double *near, *far;   /* scratch: [2 * nodes] of the longest piece but the last, of the last */
    double *r;            /* [rows] residuals; NULL side by side */
    double *sums;         /* [EVAL_SUMS] */
    double *going;        /* [1] batches: 1; 0: voltages stay as they are */
    double *store;        /* all of them */
};

/* Sums over rows, and extremes, by lane. */
enum { EVAL_OBJECTIVE, EVAL_MISSED, EVAL_SUMS };

/* Where the cases of a batch begin: one state, and what is read in each. */
struct eval_place {
    double re, im, size, angle;
};
struct eval_source {
    double per;           /* z = per * value of the observation; per, where nobody reads it */
    uint32_t observation; /* POF_NONE: nobody */
    bool exact;
};
struct eval_feed {
    const struct eval_place *place;   /* [nodes] */
    const double *x;                  /* [2 * potentials] */
    const double *lambda;             /* [exacts] */
    const struct eval_source *source; /* [rows] */
    const double *shift;              /* [rows] added to z; NULL: 0 */
    const double *value[LANES_WIDE];  /* [observations] of each lane */
    const double *sigma[LANES_WIDE];  /* the same; NULL: w is eval_lanes.common */
};

/* Voltages of nodes of the grid, and where they go: [nodes] of each lane; NULL: not wanted. */
struct eval_taken {
    const uint32_t *node; /* [nodes] of the plan; POF_NONE: not energised, which gives 0 */
    size_t nodes;
    double *v_pu[LANES_WIDE], *angle[LANES_WIDE];
};

int pofi_se_plan_new(const struct pof_se *se, struct se_plan **out, struct pof_err *err) POF_CHECKED;
/* Scales of exact rows, when they have changed. */
void pofi_se_plan_scale(const struct pof_se *se, struct se_plan *plan);
void pofi_se_plan_free(struct se_plan *plan);

int pofi_se_lanes_new(const struct se_plan *plan, struct eval_lanes *l, int width,
                      struct pof_err *err) POF_CHECKED;
void pofi_se_lanes_free(struct eval_lanes *l);

/* Residuals, J, the largest miss of an exact row (p.u.), and the right-hand side. */
void pofi_se_eval(const struct se_plan *plan, const struct eval_lanes *l);
/* l->rhs becomes the step. */
void pofi_se_solve(const struct se_plan *plan, const struct pof_ldl *ldl,
                   const struct eval_lanes *l);
/* Moves by l->rhs, a solved step; size[lane] becomes its largest change of a voltage. */
void pofi_se_step(const struct se_plan *plan, const struct eval_lanes *l, double *size);

/* The same for batches, which go through memory once for each step: what belongs to a piece is
 * solved, moved, evaluated and eliminated while it is in the cache.
 *
 *     begin, next, next, ...
 *
 * begin puts the cases into the lanes and evaluates; each next takes the whole step and evaluates where
 * it leads. wide: four lanes, with the same bits as one. */
void pofi_se_begin(const struct se_plan *plan, const struct pof_ldl *ldl,
                   const struct eval_lanes *l, const struct eval_feed *feed, bool wide);
void pofi_se_next(const struct se_plan *plan, const struct pof_ldl *ldl, const struct eval_lanes *l,
                  bool wide, double *size);
/* Angles are those of the feed and the rotation since. */
void pofi_se_take(const struct eval_lanes *l, const struct eval_feed *feed,
                  const struct eval_taken *to, bool wide);

#endif

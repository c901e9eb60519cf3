/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of the estimator: what its files share. Not for others.
 *
 * Unknowns: energised node e has its angle at column 2e and its magnitude at 2e + 1. A row is an
 * observation, a zero injection or a reference, in p.u. and rad. Rows are sorted by a total order,
 * so sums do not depend on the order of the caller's observations. */
#ifndef POF_GRID_ESTIMATE_IMPL_H
#define POF_GRID_ESTIMATE_IMPL_H

#include "grid/admittance.h"
#include "grid/estimate.h"
#include "grid/powerflow.h"
#include "grid/sparse.h"

/* One end of a closed branch: admittances seen from it, and what they come to at the present
 * voltages: a = g cos d + b sin d, c = g sin d - b cos d with d = own angle - other angle. */
struct se_end {
    double gss, bss, gso, bso; /* self, and by the other end's voltage */
    uint32_t self, other;      /* energised nodes */
    uint32_t place;            /* of other among the neighbours of self, from 1 */
    double a, c;
};

/* Why a row is there. */
enum se_origin { SE_OBSERVED, SE_ZERO_INJECTION, SE_REFERENCE };

struct se_row {
    uint32_t element;  /* energised node, or index of an end (2 * branch + to) */
    uint8_t quantity;  /* enum pof_quantity */
    bool branch;
    bool exact;
    bool kept;         /* a row of the system of its own; else summed into G */
    bool active;       /* takes part; currents wait for the first steps */
    bool removed;      /* left out for good */
    uint8_t origin;    /* enum se_origin */
    uint32_t source;   /* the caller's observation */
    double z, sigma;   /* p.u., rad */
    double weight;     /* scaled 1 / sigma^2; of exact rows the scale of the row */
    double lambda;     /* multiplier of an exact row */
    double r;          /* z - h(x) at the present state */
    int32_t begin, n;  /* entries in col, h */
    int32_t extra;     /* kept: its unknown beyond the state */
};

/* A linear system with its pattern and the slots of its entries. */
struct se_system {
    struct pof_csc k;
    struct pof_lu *lu;
    int32_t *slot;
    int32_t size;
};

struct pof_se {
    const struct pof_grid *grid;
    struct pof_se_options options;
    struct pof_pf *pf;

    /* topology */
    uint32_t n;            /* energised nodes */
    uint32_t *node;        /* [n] grid node of an energised node; breadth first from the slacks */
    uint32_t *number;      /* [nodes] energised node, POF_NONE */
    uint32_t *root;        /* [n] the slack node whose connected part this is, energised number */
    double *flat_v, *flat_a; /* [n] no-load state */
    struct se_end *end;    /* [2 * branches]; self = POF_NONE when not closed and energised */
    uint32_t *adj_begin;   /* [n + 1] */
    uint32_t *adj;         /* ends at each node */
    uint32_t *neighbours;  /* [n] distinct other nodes */

    /* rows */
    const struct pof_observation *seen;
    size_t n_seen;
    struct se_row *row;
    size_t rows, row_cap;
    struct se_row *last;   /* rows the patterns were made for */
    size_t last_rows, last_cap;
    int32_t *col;          /* columns of H by rows */
    double *h;             /* values of H */
    int32_t entries;
    size_t col_cap;
    int32_t extras;        /* kept rows */
    double scale;          /* of the weights: the largest row of W^1/2 H is about 1 */

    struct se_system gain;
    bool observed;         /* the present rows were found observable */

    /* state */
    double *v, *a;         /* [n] */
    double *v_from, *a_from; /* [n] where the step began */
    double *step, *probe;  /* [size of the gain] the step; the one that would follow it */
    size_t step_cap, probe_cap;

    /* results */
    int iterations;
    enum pof_se_status status;
    double objective;
    int64_t readings, constraints, references, left_out;
    double *node_out[4];   /* v, angle, p, q by grid node */
    double *branch_out[6]; /* p, q from; p, q to; i; loading */
    bool *unobservable;
    char detail[POF_SE_DETAIL_MAX];

    /* check */
    double *sd_v;          /* [nodes] */
    double *residual, *normalised; /* [n_seen] */
    bool *critical;
    size_t residual_cap, normalised_cap, critical_cap;
    bool checked;          /* the arrays above belong to the present state */
};

/* estimate_topology.c: fills the part `topology` of the engine. */
int pofi_se_topology(struct pof_se *se, struct pof_err *err) POF_CHECKED;

/* estimate_model.c: what a state would be read as. */
void pofi_se_ends(struct pof_se *se, const double *a);
double pofi_se_value(const struct pof_se *se, const struct se_row *row, const double *v,
                     const double *a);
void pofi_se_gradient(const struct pof_se *se, const struct se_row *row, const double *v, double *h);
/* Columns of a row in the order of its gradient; returns how many. */
int32_t pofi_se_columns(const struct pof_se *se, const struct se_row *row, int32_t *col);
int32_t pofi_se_columns_max(const struct pof_se *se, const struct se_row *row);
void pofi_se_outputs(struct pof_se *se);

/* estimate_rows.c: observations to rows. */
int pofi_se_rows(struct pof_se *se, bool *same, struct pof_err *err) POF_CHECKED;
/* What one p.u. (or rad) is in the unit of an observation. */
double pofi_se_unit(const struct pof_se *se, const struct pof_observation *o);
/* Counts readings and constraints; the reference is not one but the choice of a frame. */
void pofi_se_count(struct pof_se *se);

/* estimate_kkt.c: the linear systems. keep_all: every row has an unknown of its own, 2n + its index;
 * otherwise rows marked kept have, and the others are summed into G. */
int pofi_se_system_new(const struct pof_se *se, struct se_system *s, bool keep_all,
                       struct pof_err *err) POF_CHECKED;
void pofi_se_system_free(struct se_system *s);
/* [G C'; C -eps] of the present H and weights, and its right-hand side. */
void pofi_se_assemble(const struct pof_se *se, struct se_system *s);
void pofi_se_rhs(const struct pof_se *se, double *b);
/* [eps H'; H -I] of other values h of the rows, keep_all. */
void pofi_se_assemble_test(const struct pof_se *se, struct se_system *s, const double *h,
                           double eps);

/* estimate_observe.c: is it enough? Fills se->unobservable and se->detail. */
int pofi_se_observe(struct pof_se *se, bool *observable, struct pof_err *err) POF_CHECKED;

/* estimate_solve.c: Gauss-Newton from the present state; sets status, iterations, objective. */
int pofi_se_iterate(struct pof_se *se, struct pof_err *err) POF_CHECKED;
/* H and r at the present state. */
void pofi_se_linearise(struct pof_se *se);
/* The state to begin from: a power flow on the read injections, or without load. */
int pofi_se_start(struct pof_se *se, bool flat, struct pof_err *err) POF_CHECKED;

/* The name of a row's observation, zero injection or reference. */
const char *pofi_se_row_name(const struct pof_se *se, const struct se_row *row, char *to,
                             size_t cap);

#endif

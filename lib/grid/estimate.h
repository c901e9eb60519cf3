/* SPDX-License-Identifier: Apache-2.0 */
/* State estimation: the voltages that explain readings best.
 *
 * Exact weighted least squares (A. Abur, A. Gomez Exposito, Power System State Estimation, 2004,
 * chapters 2 to 5): the magnitudes and angles x of all energised nodes minimise
 *
 *     J(x) = sum ((z_i - h_i(x)) / sigma_i)^2    subject to    h_k(x) = z_k for exact readings,
 *
 * readings of P and Q each for themselves or correlated (estimate_pairs.c), on the network as linear forms (net.h). Gauss-Newton on
 *
 *     [ G + prior   C' ] [ dx      ]   [ H' W r - C' lambda ]
 *     [ C           0  ] [ dlambda ] = [ r_C                ]
 *
 * by sparse L D L' (ldl.h), with multipliers carried from step to step and the right-hand side
 * evaluated exactly, so neither the prior, nor factors kept from an earlier step, move the solution.
 * Ordering and pattern are kept as long as the same quantities are read; steps are shortened where
 * the next one would be longer (natural monotonicity, P. Deuflhard, Newton Methods for Nonlinear
 * Problems, 2004). The start is a power flow on the read injections; when that fails, or fails to
 * lead anywhere, the no-load state. Nodes that switches without impedance join are one bus; powers
 * through the switches are unknowns of their own, as far as readings determine them, and not numbers
 * in results where they do not.
 *
 * An observation counts consumption positive. Exact (sigma 0) are: observations given so, p = q = 0
 * at nodes marked zero_injection, and, where no angle is read, the angle of the slack node at its
 * set value. Where an angle is read all angles refer to the frame of the readings. Current
 * magnitudes say nothing about direction: they do not count for observability and join after the
 * first steps. Nodes that no closed path connects to a slack node are not estimated (v = 0);
 * observations there and at open branches are left out and counted.
 *
 * The first estimate of the same quantities is the base of those that follow: they begin at its state
 * and go by its factors, and only where that does not lead to their end soon, by the power flow.
 * The result depends on the set of observations and on that base (by less than the tolerance), not
 * on their order, nor on calls between. One engine is used by one thread at a time; several may
 * share a grid. */
#ifndef POF_GRID_ESTIMATE_H
#define POF_GRID_ESTIMATE_H

#include "grid/grid.h"
#include "record/words.h"

struct pof_observation {
    uint32_t element; /* index of the node or branch */
    uint8_t quantity; /* enum pof_quantity */
    bool branch;      /* of a branch, else of a node */
    bool to;          /* branch: at its to end */
    uint8_t phase;    /* 0: all three together; 1, 2, 3: a, b, c alone (three-phase estimation) */
    double value;
    double sigma;     /* in the unit of value; 0: exact */
    double rho;       /* of P and of Q: correlation of its error with that of the other quantity's
                         reading at the same place (given with either or both); of no effect where
                         there is none. There may be one of each only */
};

/* Where a first estimate begins; when that leads nowhere, without load. */
enum pof_se_start {
    POF_SE_START_FLOW,  /* a power flow on the read injections */
    POF_SE_START_FLAT,  /* no load */
    POF_SE_START_STORED /* the voltages that the grid has stored */
};

struct pof_se_options {
    double tolerance;   /* largest last change of a voltage, p.u. and rad; 0: 1e-10 */
    int max_iterations; /* 0: 50 */
    bool dense;         /* each step by dense constrained least squares instead of the sparse
                           system, O(n^3): an independent check for up to some 300 nodes */
    enum pof_se_start start;
    bool voltages;      /* nothing else is wanted: powers, currents, loadings and deviations of them are NULL
                           in results */
    uint32_t phases;    /* 3: of each phase; 0 and 1: balanced, where readings of one phase alone are
                           refused. With three, a P or Q of all phases is their sum; a voltage or
                           current of all phases is one reading of that magnitude in each, angles a
                           third of a turn apart; without a reading of an angle those of the slack
                           node's voltages are as set, a third of a turn apart */
};

/* The order of the words of the record type `estimate`. */
enum pof_se_status { POF_SE_CONVERGED, POF_SE_UNOBSERVABLE, POF_SE_DIVERGED };

struct pof_se; /* opaque engine */

/* Topology, once. The grid must outlive the engine and must not change. POF_E_TOPOLOGY when it has
 * no slack node. O(nodes + branches). */
int pof_se_new(struct pof_se **out, const struct pof_grid *grid,
               const struct pof_se_options *options, struct pof_err *err) POF_CHECKED;

/* Whether an observation makes sense in the grid: element there, quantity fit for it, finite,
 * sigma not negative, rho of P and Q alone and between -1 and 1. POF_E_RANGE, POF_E_PHYSICS, POF_E_REFERENCE. */
int pof_se_accepts(const struct pof_grid *grid, const struct pof_observation *observation,
                   struct pof_err *err) POF_CHECKED;

/* "p of node 'x'", "i of branch 'l' at its to end", cut to cap bytes with their NUL; returns to. */
const char *pof_observation_name(const struct pof_grid *grid,
                                 const struct pof_observation *observation, char *to, size_t cap);

/* Estimates one instant from n observations, which must live until the next call of
 * pof_se_solve. Unobservable and diverged are answers. One factorisation of about
 * 2 nodes + n unknowns for observability when the quantities read differ from the call before, then
 * one of 2 nodes + constraints per iteration. */
int pof_se_solve(struct pof_se *se, const struct pof_observation *observations, size_t n,
                 enum pof_se_status *status, struct pof_err *err) POF_CHECKED;

/* The next estimate begins by itself, and is the base of all later ones of its quantities; when it does
 * not converge, or where other quantities are read, there is none. */
void pof_se_restart(struct pof_se *se);

enum { POF_SE_DETAIL_MAX = 400 };

/* What came of the last solve; arrays owned by the engine, valid until the next call. All voltages
 * and flows are 0 when unobservable. When diverged they are of the best state that the attempts came
 * across: of the smallest sum of squares, exact readings counting as if they had the smallest sigma
 * of all. It is no estimate. */
struct pof_se_result {
    const double *v_pu;         /* [nodes] 0: not energised */
    const double *angle;        /* [nodes] rad */
    const double *p_w, *q_var;  /* [nodes] consumption */
    const double *p_from_w, *q_from_var, *p_to_w, *q_to_var; /* [branches] into the branch */
    const double *i_a;          /* [branches] larger of both ends, each at its own level */
    const double *loading;      /* [branches] larger apparent current over rating; 0: no rating */
    const bool *unobservable;   /* [nodes] */
    /* UNOBSERVABLE: */
    uint32_t islands;           /* parts within which all flows are known */
    const uint32_t *island;     /* [nodes] a node that stands for its part; POF_NONE: not energised */
    const struct pof_observation *missing; /* [n_missing] voltages at no load; estimated together
                                   with them all is determined, and what is observable is the same
                                   whatever they are (exact ones are the references
                                   that hold anyway). None: not possible so */
    size_t n_missing;
    bool best;                  /* diverged, and there is such a state */
    int iterations;
    double objective;           /* J */
    int64_t readings;           /* weighted observations used */
    int64_t constraints;        /* exact ones, zero injections included, the reference not */
    int64_t left_out;           /* observations at what is not energised */
    int64_t dof;                /* readings + constraints - state variables */
    const char *detail;         /* what is missing or wrong, in words; "" when nothing is */
};
void pof_se_result(const struct pof_se *se, struct pof_se_result *result);

/* How far the readings agree. Normalised residual: residual over its own standard deviation
 * (E. Handschin et al., IEEE Trans. PAS 94(2), 1975), from the exact residual covariance
 * R - H Cov H'. A reading without which the state would not be observable is critical: its residual
 * is zero whatever it says. */
struct pof_se_check {
    /* Posterior standard deviations of what pof_se_result gives, in its units; 0: held exactly. Not
     * a number: of what is not a number there. */
    const double *sd_v_pu, *sd_angle, *sd_p_w, *sd_q_var;                    /* [nodes] */
    const double *sd_p_from_w, *sd_q_from_var, *sd_p_to_w, *sd_q_to_var, *sd_i_a; /* [branches] */
    const double *residual;   /* [n] observation less estimate, unit of the observation */
    const double *normalised; /* [n] 0 when critical, exact or not used; of a Q that is correlated with
                                 P, of what of it the reading of P does not tell */
    const bool *critical;     /* [n] */
    double chi2_limit;        /* 95 % quantile of J at dof; 0 when dof < 1 */
    double lnr;               /* largest normalised residual by magnitude; 0: none */
    size_t lnr_at;            /* its observation; meaningless when lnr is 0 */
    double lnr_limit;         /* 95 % quantile of the largest of as many normal variates */
    bool suspect;             /* J or lnr is beyond its limit */
};

/* After CONVERGED: residuals, variances, tests. Arrays owned by the engine, valid until the next
 * call. One factorisation and the inverse on its pattern (ldl.h), about the time of an estimate; one
 * triangular solve for each node where nobody reads the consumption and many branches meet. */
int pof_se_check(struct pof_se *se, struct pof_se_check *check, struct pof_err *err) POF_CHECKED;

/* After CONVERGED and pof_se_check: the same instant without observation i as well. Without a
 * critical one it is UNOBSERVABLE. */
int pof_se_leave_out(struct pof_se *se, size_t i, enum pof_se_status *status,
                     struct pof_err *err) POF_CHECKED;

void pof_se_free(struct pof_se *se);

#endif

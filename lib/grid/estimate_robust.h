/* SPDX-License-Identifier: Apache-2.0 */
/* Estimators that a few wrong readings cannot drag away.
 *
 * With u_i = (z_i - h_i(x)) / sigma_i, instead of the sum of u^2 they minimise, exact readings being
 * constraints all the same,
 *
 *     HUBER   sum rho_k(u),  rho_k(u) = u^2 / 2 for |u| <= k, k |u| - k^2 / 2 beyond
 *             (P. Huber, Ann. Math. Statist. 35(1), 1964; k = 1.345 loses 5 % of efficiency on
 *             normal errors, R. Maronna et al., Robust Statistics, 2006, table 2.1)
 *     LAV     sum |u|        (W. Kotiuga, M. Vidyasagar, IEEE Trans. PAS 101(4), 1982)
 *
 * LAV is the limit of HUBER for small k (K. Madsen, H. Nielsen, SIAM J. Optimization 3(2), 1993): k
 * goes down to 1e-5. Each k is solved by weighted least squares: beyond k a reading gets the weight
 * theta k / |u| and a value that pulls with the same force k as the reading itself does. theta = 1
 * is the classical reweighting, which always descends; theta = 0 Newton's step, which ends after few.
 *
 * The end is a proof, not a small step. Least squares leaves forces y_i (psi of the value in use)
 * that balance each other exactly over all state variables and constraints. When they agree with
 * the derivatives rho_k'(u) to 1e-6 k, the state is a stationary point; and for LAV y / k, which is
 * within [-1, 1], is a solution of the dual linear program at the linearised readings, so that
 * sum (|u| - y u / k) bounds how far the sum is from its least value. */
#ifndef POF_GRID_ESTIMATE_ROBUST_H
#define POF_GRID_ESTIMATE_ROBUST_H

#include "grid/estimate.h"

/* The order of the words of the set `estimator`. */
enum pof_se_estimator { POF_SE_WLS, POF_SE_HUBER, POF_SE_LAV };

struct pof_se_robust {
    double objective; /* the sum that was minimised; WLS: J */
    double gap;       /* LAV: no state has a sum below objective - gap, at the linearised readings */
    double *force;    /* [n observations] y / k of HUBER and LAV: -1 .. 1; NULL: not wanted. The
                         caller's; 0 for exact readings and those not used */
    int solves;       /* least-squares problems solved */
};

/* After CONVERGED: from the least-squares state to that of the estimator, which the results of the
 * engine are from then on (their objective is J there). DIVERGED when no end is found. Does nothing
 * for WLS. Each solve costs a few factorisations. */
int pof_se_robust(struct pof_se *se, enum pof_se_estimator estimator, struct pof_se_robust *out,
                  enum pof_se_status *status, struct pof_err *err) POF_CHECKED;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of measurements of a solved power flow on which estimators are compared: where the
 * instruments are and how well they read is the same for every tool.
 *
 * STD, transmission: V at every node (0.004 p.u.), P and Q consumed at every node where something is
 * connected (0.010 p.u. of base_va), P and Q at the from end of every closed branch (0.008 p.u.).
 * LEAN: V at 20 % of the nodes and flows at 50 % of the branches of that.
 * DIST, distribution: V at busbars, the lower sides of the transformers at a slack node (0.002
 * p.u.); P and Q where branches leave a busbar (1 % of the apparent power); at 30 % of the other
 * transformers V at the lower side (0.005 p.u.) and P and Q at the from end (1 %); P and Q of every
 * consumption from profiles (30 %); V by meters at 10 % of the nodes with consumption (0.01 p.u.).
 *
 * Shares of apparent power are at least 1 W. Nodes where nothing is connected read P = Q = 0 with
 * sigma 0, unless the grid marks them zero_injection and so says it itself. */
#ifndef POF_GRID_MEASURE_H
#define POF_GRID_MEASURE_H

#include "grid/estimate.h"
#include "grid/powerflow.h"

enum pof_measure_set { POF_MEASURE_STD, POF_MEASURE_LEAN, POF_MEASURE_DIST };

struct pof_measure_options {
    enum pof_measure_set set;
    bool noise;    /* values deviate by their sigma, Gaussian; else they are true */
    uint64_t seed; /* of places and of noise */
    uint64_t draw; /* another number, other noise at the same places */
};

/* Initialise with {0}; release with free(item). */
struct pof_observations {
    struct pof_observation *item;
    size_t n, cap;
};

/* Adds the set of a converged case to what is there: nodes in order, then branches. What is not
 * energised has no instruments. consumer[i]: something is connected at node i; NULL: where the grid
 * document says so (fixed consumption, held voltage, a rating). O(nodes + branches). */
int pof_measure_make(const struct pof_grid *grid, const struct pof_pf_result *result,
                     const bool *consumer, const struct pof_measure_options *options,
                     struct pof_observations *to, struct pof_err *err) POF_CHECKED;

#endif

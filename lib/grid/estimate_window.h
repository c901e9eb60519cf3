/* SPDX-License-Identifier: Apache-2.0 */
/* Instants of a series estimated side by side, each by an engine of its own, on any number of threads.
 *
 * A run is what follows an instant without a switch moving or another quantity being read. The first
 * instant of a run is estimated by itself, and the others begin at its state: every engine that works
 * on a run estimates that first instant too. So a result depends on its instant and on the first of
 * its run, and on nothing else: not on threads, nor on how many instants are in a window. */
#ifndef POF_GRID_ESTIMATE_WINDOW_H
#define POF_GRID_ESTIMATE_WINDOW_H

#include "grid/estimate_series.h"

struct pof_se_window; /* opaque */

struct pof_se_window_options {
    struct pof_se_options se;
    struct pof_se_wish wish;
    unsigned threads; /* 0, 1: the calling one; as many instants are in a window */
};

/* The grid is the caller's and outlives the window. With one thread positions of its branches
 * follow the instants; otherwise it stays as it is and each engine has branches of its own.
 * Memory: an engine and a copy of an instant for each thread. */
int pof_se_window_new(struct pof_se_window **out, struct pof_grid *grid,
                      const struct pof_se_window_options *options, struct pof_err *err) POF_CHECKED;
void pof_se_window_free(struct pof_se_window *window);

/* A copy of the instant joins the window. *full: none fits any more before pof_se_window_clear. */
int pof_se_window_add(struct pof_se_window *window, const struct pof_instant *instant, bool *full,
                      struct pof_err *err) POF_CHECKED;
/* Estimates and tests them all. POF_E_TOPOLOGY as pof_se_new. */
int pof_se_window_estimate(struct pof_se_window *window, struct pof_err *err) POF_CHECKED;

/* Instant i of the window, in the order they came in, with its engine and its report, as
 * pof_se_series_instant would have left them; NULL: there are no more. Until clear. */
const struct pof_se_series *pof_se_window_at(const struct pof_se_window *window, size_t i,
                                             const struct pof_instant **instant);
void pof_se_window_clear(struct pof_se_window *window);

#endif

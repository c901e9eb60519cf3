/* SPDX-License-Identifier: Apache-2.0 */
/* A series of instants through one engine, and what it says against the grid document.
 *
 * Topology is analysed again only when a switch moved. What residuals hint at is tested the plain
 * way: the same readings are estimated in a grid that is changed in one place, and the weighted sums
 * of squares are compared. Readings of what is dead in a grid count with the 0 that they would have
 * to show there, so that opening a switch does not gain by losing readings.
 *
 * Switches (A. Monticelli, State Estimation in Electric Power Systems, 1999, chapter 12): open
 * branches and closed switches whose ends the suspicious readings touch. Taps: every transformer
 * with a tap changer has one position over the whole series; positions are changed by one, by
 * coordinates, as long as the sum over the instants falls. The posterior of a position is
 * proportional to exp(-J / 2), all others being as found and deviations being true. */
#ifndef POF_GRID_ESTIMATE_SERIES_H
#define POF_GRID_ESTIMATE_SERIES_H

#include "grid/estimate_report.h"

/* What readings say against the document; texts are the grid's. */
struct pof_se_doubts {
    struct pof_doubt *list;
    size_t n, cap;
};
void pof_se_doubts_release(struct pof_se_doubts *doubts);

struct pof_se_series {
    struct pof_grid *grid; /* the caller's; positions of its branches follow the instants */
    struct pof_se_options options;
    struct pof_se *se;     /* NULL before the first instant */
    struct pof_se_report report;
    uint32_t analyses;     /* how often topology was analysed */
};

/* Initialise with {.grid = , .report.wish = }. One instant after the other. POF_E_TOPOLOGY as
 * pof_se_new. */
int pof_se_series_instant(struct pof_se_series *series, const struct pof_instant *instant,
                          struct pof_err *err) POF_CHECKED;
void pof_se_series_release(struct pof_se_series *series);

/* After pof_se_series_instant with a check, when something is suspicious (a dead thing that is read
 * as alive is, too): adds switches whose
 * other position brings the sum below its chi-square limit or to less than half, best first. Up to
 * 64 candidates, an analysis and an estimate each. */
int pof_se_check_switches(const struct pof_se_series *series, const struct pof_instant *instant,
                          struct pof_se_doubts *doubts, struct pof_err *err) POF_CHECKED;

/* Instants kept for the search of taps, evenly spread over those added: 16 to 32 of them once there
 * were as many. Owns copies of the observations. Initialise with {0}. */
struct pof_se_sample {
    struct pof_instant *instant;
    size_t n, cap;
    size_t added, stride; /* every stride-th is kept */
};
int pof_se_sample_add(struct pof_se_sample *sample, const struct pof_grid *grid,
                      const struct pof_instant *instant, struct pof_err *err) POF_CHECKED;
void pof_se_sample_release(struct pof_se_sample *sample);

/* Searches the positions of all tap changers over the sample and sets the ratios of the grid's
 * branches accordingly; adds each transformer, moved or not. step_pct > 0: transformers without a
 * known tap changer have one of that step on their from winding, -16 .. 16, 0 being the document's
 * ratio; 0: they are left alone. Instants that cannot be estimated do not count. An analysis and an
 * estimate for every position tried and instant. */
int pof_se_find_taps(struct pof_grid *grid, const struct pof_se_sample *sample, double step_pct,
                     struct pof_se_doubts *doubts, struct pof_err *err) POF_CHECKED;

/* estimate_series.c, for the two searches: the weighted sum of squares of an instant in a grid; INFINITY when
 * it has no state there, or fewer readings than are needed. dof may be NULL. */
int pofi_se_sum(const struct pof_grid *grid, const struct pof_instant *instant, double *sum,
                int64_t *dof, struct pof_err *err) POF_CHECKED;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Marginal-cost curves of areas while a tree is folded bottom-up.
 *
 * A curve is a set of segments (slope, width), all slopes different. It is kept as a few sorted
 * runs so that an area merges cheaply into the next one: a run is merged with its neighbour only
 * when their sizes are alike, so each segment moves O(log n) times. Curves lie on a stack in
 * post-order: the runs of an area are those from its base to the top. */
#ifndef POF_MARKET_CURVE_H
#define POF_MARKET_CURVE_H

#include "market/clear.h"

struct pof_segment {
    pof_wide slope; /* marginal cost with its ties, see clear.h */
    int64_t width;  /* W, > 0 */
};

struct pof_run {
    size_t head, tail; /* segments [head, tail), slopes ascending */
};

/* Initialise with {0}. */
struct pof_curves {
    struct pof_segment *seg; /* owned */
    struct pof_segment *tmp; /* owned; the smaller of two runs that are being merged */
    struct pof_run *run;     /* owned */
    size_t runs;
    size_t seg_cap, tmp_cap, run_cap;
};

/* Empties the stack and makes room for n segments in all, however they are split into runs. */
int pof_curves_reset(struct pof_curves *c, size_t n, struct pof_err *err) POF_CHECKED;
void pof_curves_release(struct pof_curves *c);

/* Begins a run on top; segments are added in ascending order of slope; an empty run is dropped. */
void pof_curves_begin(struct pof_curves *c);
void pof_curves_add(struct pof_curves *c, pof_wide slope, int64_t width);
void pof_curves_end(struct pof_curves *c);

/* Merges runs of like size among those from base on. */
void pof_curves_fold(struct pof_curves *c, size_t base);

/* Removes the lowest (highest) width of the curve from base on, which has at least that much.
 * Returns the slope of the last segment touched. */
pof_wide pof_curves_cut_low(struct pof_curves *c, size_t base, int64_t width);
pof_wide pof_curves_cut_high(struct pof_curves *c, size_t base, int64_t width);

/* Adds delta < 0 to the lowest width of the curve (its first width watts), or delta > 0 to all but
 * the lowest width. 0 < width < whole width. Returns the slope, before the shift, of the segment in
 * which the place lies; at a boundary between two, of the lower one. Makes one run of the curve and
 * may split one segment. */
pof_wide pof_curves_shift(struct pof_curves *c, size_t base, int64_t width, pof_wide delta);
/* Adds delta to all slopes. */
void pof_curves_shift_all(struct pof_curves *c, size_t base, pof_wide delta);

#endif

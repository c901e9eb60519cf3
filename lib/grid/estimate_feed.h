/* SPDX-License-Identifier: Apache-2.0 */
/* From records to observations, instant by instant.
 *
 * Readings are observations as they are. Measurements of pods become pseudo-readings of their node:
 * p and q are the sums over its pods plus the node's fixed consumption, with the standard deviation
 * of independent meters; a node gets them only when every pod registered there was measured at the
 * instant. A meter without q counts as 0 var give or take half of its p (cos phi 0.9 is 0.48). v_mv
 * becomes a voltage line to line. Measurements that are not of good quality count with three times
 * the standard deviation. Where sigma_fixed is given, nodes that nobody reads and that have no pods
 * are assumed to consume what the grid document says (p_w, q_var), give or take that share of it or
 * of rated_w, whichever is more.
 *
 * Instants come out in order of time whatever the order of the records; of readings that are equal
 * in all members one counts. Memory: 48 bytes for each reading or measurement put in, until the
 * feed is cleared. */
#ifndef POF_GRID_ESTIMATE_FEED_H
#define POF_GRID_ESTIMATE_FEED_H

#include "grid/estimate.h"
#include "record/writer.h"

struct pof_feed_options {
    double sigma_meter;   /* standard deviation of a meter's p and q, share of the value; at least
                             1 W or var is taken */
    double sigma_voltage; /* the same of its voltage */
    double sigma_fixed;   /* of consumption nobody reads; 0: nothing is assumed */
};

struct pof_feed; /* opaque */

/* The grid must outlive the feed. */
int pof_feed_new(struct pof_feed **out, const struct pof_grid *grid,
                 const struct pof_feed_options *options, struct pof_err *err) POF_CHECKED;

/* Refused: a node or branch the grid does not have (POF_E_REFERENCE), what cannot be read there
 * (POF_E_PHYSICS, POF_E_RANGE), a pod at two nodes (POF_E_CONFLICT). field is set. */
int pof_feed_pod(struct pof_feed *feed, const struct pof_pod *pod, struct pof_err *err) POF_CHECKED;
int pof_feed_reading(struct pof_feed *feed, const struct pof_reading *reading,
                     struct pof_err *err) POF_CHECKED;
int pof_feed_measurement(struct pof_feed *feed, const struct pof_measurement *measurement,
                         struct pof_err *err) POF_CHECKED;

/* One instant. */
struct pof_instant {
    int64_t start;
    const struct pof_observation *observation; /* valid until the next call on the feed */
    size_t n;
    uint32_t incomplete; /* nodes left without pseudo-readings because a pod was not measured */
    uint32_t repeated;   /* readings given twice, counted once */
};

/* Sorts what was put in and begins at the first instant. POF_E_REFERENCE: a measured pod was never
 * registered; POF_E_CONFLICT: two different measurements of a pod at one instant. O(n log n). */
int pof_feed_sort(struct pof_feed *feed, struct pof_err *err) POF_CHECKED;
/* 1: *instant filled; 0: no more. */
int pof_feed_next(struct pof_feed *feed, struct pof_instant *instant,
                  struct pof_err *err) POF_CHECKED;
/* Forgets readings and measurements; pods stay. */
void pof_feed_clear(struct pof_feed *feed);

void pof_feed_free(struct pof_feed *feed);

/* The state of a converged estimate as records: nodes, then branches, in the grid's order. check
 * may be NULL: no standard deviations. */
int pof_se_put_state(const struct pof_se *se, const struct pof_se_check *check,
                     const struct pof_grid *grid, int64_t start, struct pof_writer *out,
                     struct pof_err *err) POF_CHECKED;

#endif

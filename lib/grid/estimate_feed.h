/* SPDX-License-Identifier: Apache-2.0 */
/* From records to observations, instant by instant.
 *
 * Readings are observations as they are. Measurements of pods become readings of their node: p and q
 * are the sums over its pods plus the node's fixed consumption, with the standard deviation of
 * independent meters; a node gets them only when every pod registered there was measured. A meter
 * without q counts as 0 var give or take half of its p (cos phi 0.9 is 0.48). v_mv becomes a voltage
 * line to line. Measurements that are not of good quality count with three times the standard
 * deviation.
 *
 * Ageing. With age_limit_s the last value of each place (of each pod) stands in for a missing newer
 * one until it is older than that. A quantity y that nobody reads wanders off like y0 + rate * age,
 * so an old value counts with sigma^2 + (rate * size * age)^2, size being the larger of its magnitude
 * and ten of its own deviations. A meter's value ages from the end of its interval. Without
 * age_limit_s only what has the instant's own start counts.
 *
 * Pseudo-readings. With sigma_pseudo a node whose p (or q) nobody reads and no complete set of
 * meters tells gets what is to be expected there: fixed consumption, meters as far as they are
 * there, baselines, and for what else is connected load_share of rated_w at cos phi 0.95. Their
 * deviation is sigma_pseudo of the larger of that and rated_w. A pv node gets its voltage instead of
 * a q. With allocate, areas that measured branches cut off have their expected consumption
 * shifted, in proportion to the deviations, until it sums up to what flows in (W. H. Kersting,
 * Distribution System Modeling and Analysis, section 2.4, allocation by rating); losses neglected.
 *
 * Instants come out in order of time whatever the order of the records; of readings that are equal
 * in all members one counts. Memory: 56 bytes for each reading or measurement put in until the feed
 * is cleared, and as much for each place and pod. */
#ifndef POF_GRID_ESTIMATE_FEED_H
#define POF_GRID_ESTIMATE_FEED_H

#include "grid/estimate.h"
#include "record/writer.h"

struct pof_feed_options {
    double sigma_meter;   /* standard deviation of a meter's p and q, share of the value; at least
                             1 W or var is taken */
    double sigma_voltage; /* the same of its voltage, and of that of pv nodes */
    double sigma_pseudo;  /* of consumption nobody reads; 0: nothing is assumed */
    double load_share;    /* of rated_w: mean consumption where nothing better is known */
    bool allocate;        /* pseudo-readings sum up to the flow into their area */
    int64_t age_limit_s;  /* 0: no value outlives its instant */
    double age_power;     /* p, q and i change by this share of their size in an hour */
    double age_voltage;   /* v does; angles by this share of a radian */
};

struct pof_feed; /* opaque */

/* The grid must outlive the feed; the feed reads which branches are closed at each instant. */
int pof_feed_new(struct pof_feed **out, const struct pof_grid *grid,
                 const struct pof_feed_options *options, struct pof_err *err) POF_CHECKED;

/* Refused: a node or branch the grid does not have (POF_E_REFERENCE), what cannot be read there
 * (POF_E_PHYSICS, POF_E_RANGE), a pod at two nodes (POF_E_CONFLICT). field is set. */
int pof_feed_pod(struct pof_feed *feed, const struct pof_pod *pod, struct pof_err *err) POF_CHECKED;
int pof_feed_reading(struct pof_feed *feed, const struct pof_reading *reading,
                     struct pof_err *err) POF_CHECKED;
/* A reading whose element is known and which makes sense in the grid (struct pof_readings). */
int pof_feed_observation(struct pof_feed *feed, int64_t start, const struct pof_observation *observation,
                         struct pof_err *err) POF_CHECKED;
int pof_feed_measurement(struct pof_feed *feed, const struct pof_measurement *measurement,
                         struct pof_err *err) POF_CHECKED;
int pof_feed_baseline(struct pof_feed *feed, const struct pof_baseline *baseline,
                      struct pof_err *err) POF_CHECKED;

/* Where an observation comes from. */
enum pof_origin { POF_ORIGIN_READING, POF_ORIGIN_METER, POF_ORIGIN_PSEUDO };

/* An observation as a record; its name is the grid's. */
struct pof_reading pof_reading_of(const struct pof_grid *grid, const struct pof_observation *observation,
                                  int64_t start);

/* One instant; arrays valid until the next call on the feed. */
struct pof_instant {
    int64_t start;
    const struct pof_observation *observation; /* [n] */
    const uint8_t *origin;                     /* [n] enum pof_origin */
    const int64_t *age_s;                      /* [n] */
    size_t n;
    const bool *closed;   /* [branches] positions at this instant: the document's until a reading of
                             the quantity `closed` says otherwise */
    bool switched;        /* closed differs from the instant before (first: from the grid) */
    uint32_t incomplete;  /* nodes left without pseudo-readings because a pod was not measured */
    uint32_t repeated;    /* readings given twice, counted once */
    uint32_t pseudo;      /* observations that are assumptions */
    uint32_t aged;        /* observations older than the instant */
    int64_t oldest_s;     /* age of the oldest of them */
};

/* Sorts what was put in and begins at the first instant. POF_E_REFERENCE: a measured pod was never
 * registered; POF_E_CONFLICT: two different measurements or baselines of a pod at one instant, two
 * different positions of a switch. O(n log n). */
int pof_feed_sort(struct pof_feed *feed, struct pof_err *err) POF_CHECKED;
/* 1: *instant filled; 0: no more. O(n + pods + nodes + branches). */
int pof_feed_next(struct pof_feed *feed, struct pof_instant *instant,
                  struct pof_err *err) POF_CHECKED;
/* Begins at the first instant again, with nothing held and switches as the grid's branches are. */
void pof_feed_rewind(struct pof_feed *feed);
/* Forgets readings and measurements, and baselines that ended before the last instant; pods, the
 * last values of places and positions of switches stay. */
void pof_feed_clear(struct pof_feed *feed);

void pof_feed_free(struct pof_feed *feed);

#endif

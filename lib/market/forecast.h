/* SPDX-License-Identifier: Apache-2.0 */
/* What pods and nodes are expected to draw in each quarter-hour of a session's window.
 *
 * The load of a pod is its baseline changed by the outcomes of earlier sessions: `up` lowers
 * consumption, `down` raises it; reactive power stays as in the baseline (flexibility is active
 * power only). The load of a node is the sum of its pods, to be added to the grid's fixed one.
 *
 * A state (measured or estimated) corrects it: the deviation of a node's consumption from the
 * forecast of the same quarter-hour is added to that quarter-hour and the later ones, and fades
 * linearly to nothing. Persistence of the last error is the usual reference method of short-term
 * forecasting (T. Hong, S. Fan, Int. J. Forecasting 32(3), 2016, section 3); the fade says that
 * nobody trusts it for a day. Deviations are taken from the latest instant only; the slack node has
 * none, since its exchange is a result.
 *
 * Use: init, take records in any order, build, read, release. All sums are of integers, pods are
 * sorted by name: nothing depends on the order in which records came. */
#ifndef POF_MARKET_FORECAST_H
#define POF_MARKET_FORECAST_H

#include "grid/grid.h"
#include "record/record.h"

#include <stdbool.h>
#include <stdint.h>

/* In pof_forecast.base_w: there is no baseline. Outside what a baseline may hold. */
#define POF_FORECAST_NONE INT64_MIN

struct pof_forecast_pod {
    struct pof_text name, node, aggregator; /* in the forecast's arena */
    uint32_t node_id;                       /* index in the grid; POF_NONE without a grid */
    int kind;                               /* enum of pod_kind */
    int64_t p_up_max_w, p_down_max_w;
};

/* What was read and not used, for notes to people. */
struct pof_forecast_counts {
    uint64_t outside;       /* baselines and outcomes of quarter-hours outside the window */
    uint64_t missing;       /* quarter-hours of pods without a baseline: taken as no load */
    uint32_t missing_pods;  /* pods with at least one such */
    uint32_t first_missing; /* the first of them; POF_NONE: none */
    uint32_t corrected;     /* nodes whose forecast a state corrects */
    uint32_t uncorrected;   /* nodes with a state that does not: no baseline at its instant */
};

struct pof_forecast_rows; /* records before build */

struct pof_forecast {
    struct pof_session session;   /* the one chosen; texts in the arena */
    uint32_t quarters;            /* in [session.start, session.end) */
    struct pof_forecast_pod *pod; /* sorted by name */
    uint32_t pods;
    int64_t *base_w;        /* [pods * quarters] baseline or POF_FORECAST_NONE */
    int64_t *up_w, *down_w; /* [pods * quarters] taken by earlier outcomes; NULL: none */
    uint32_t nodes;         /* of the grid; 0 without one */
    double *p_w, *q_var;    /* [quarters * nodes] consumption beside the grid's fixed one */
    struct pof_forecast_counts counts;
    struct pof_names names; /* pods by name: id in order of sight, see pof_forecast_find */
    uint32_t *sorted;       /* [names.n] id to index in pod; POF_NONE: not registered */
    struct pof_forecast_rows *rows;
    struct pof_arena arena;
};

struct pof_forecast_options {
    const struct pof_grid *grid; /* NULL: pods only */
    const char *session;         /* id of the session; NULL: the only one */
    int64_t fade_s;              /* time in which the deviation of a state fades to nothing */
};

int pof_forecast_init(struct pof_forecast *f, struct pof_err *err) POF_CHECKED;

/* Takes a session, pod, baseline, outcome or state record. POF_E_RANGE: not a quarter-hour;
 * POF_E_DUPLICATE: a pod or session given twice. O(1) expected. */
int pof_forecast_take(struct pof_forecast *f, const struct pof_record *record,
                      struct pof_err *err) POF_CHECKED;

/* Chooses the session and makes the tables. POF_E_MISSING: no such session, or several and none
 * named; POF_E_REFERENCE: a pod or node that is not known; POF_E_DUPLICATE: two baselines of a
 * quarter-hour, an outcome or state given twice; POF_E_CONFLICT: an outcome of the session itself.
 * O(n log n) in records. Records are dropped whether it succeeds or not. */
int pof_forecast_build(struct pof_forecast *f, const struct pof_forecast_options *options,
                       struct pof_err *err) POF_CHECKED;

/* The index of a pod, POF_NONE when it is not registered. */
uint32_t pof_forecast_find(const struct pof_forecast *f, struct pof_text pod);

/* How far the consumption of nodes may lie above the forecast, W, [quarters * nodes] to be freed by the caller: z times
 * the sum over their pods of the share of their kind in the size of their baseline. Errors of pods add up as if all
 * went the same way, so no flow exceeds the one so computed with more than the probability of z, whatever the
 * errors have to do with each other (quantiles of normal sums are subadditive above the median). share: by kind. */
int pof_forecast_deviation(const struct pof_forecast *f, const double *share, double z, double **out,
                           struct pof_err *err) POF_CHECKED;
/* The z that a standard normal value is below with probability p, 0 < p < 1. */
double pof_forecast_z(double p);

/* Begin of a quarter-hour of the window. */
int64_t pof_forecast_instant(const struct pof_forecast *f, uint32_t quarter);

/* The UTC clock time of a quarter-hour of the window for ids, "17:30"; from 24 h after the begin of
 * the window on the days are added, "17:30+1", so that no two of a window are equal. */
enum { POF_STAMP_MAX = 16 };
size_t pof_forecast_stamp(const struct pof_forecast *f, uint32_t quarter, char to[POF_STAMP_MAX]);

void pof_forecast_release(struct pof_forecast *f);

#endif

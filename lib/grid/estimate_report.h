/* SPDX-License-Identifier: Apache-2.0 */
/* One instant from observations to a verdict on them: estimate, test, leave bad readings out if
 * asked, and say in a record how good the result is. */
#ifndef POF_GRID_ESTIMATE_REPORT_H
#define POF_GRID_ESTIMATE_REPORT_H

#include "grid/estimate_feed.h"
#include "grid/estimate_robust.h"

/* What of a state is written. */
enum pof_se_part {
    POF_SE_ALL,
    POF_SE_NODES,   /* no branches */
    POF_SE_VOLTAGES /* of nodes; nothing else */
};

struct pof_se_wish {
    bool check;      /* residual tests and standard deviations */
    bool remove_bad; /* WLS: leave out the reading with the largest normalised residual, one after
                        the other, while a test fails and it is above 3 (Handschin et al., 1975) */
    bool critical;   /* name readings that nothing tests, alone or together */
    enum pof_se_estimator estimator;
    enum pof_se_part part;
};

/* A reading left out as bad. */
struct pof_removed {
    size_t at;            /* its observation */
    double normalised;    /* its normalised residual when it was */
    double before, after; /* J with it, and without */
};

struct pof_se_report {
    const struct pof_grid *grid; /* of the engine */
    struct pof_se_wish wish;
    struct pof_estimate record; /* texts point into this structure */
    struct pof_se_check check;  /* of the final estimate; arrays owned by the engine */
    bool has_state;             /* converged, or partial: pof_se_put_state may be called */
    bool has_best;              /* diverged, with a best state, which pof_se_put_state marks so */
    bool partial;               /* unobservable, but what is observable was estimated (Monticelli and
                                   Wu, 1985: with voltages assumed where they are missing, as few as
                                   possible, the rest is what it is whatever they are) */
    bool *hidden, *whole;       /* [nodes], partial: not observable; consumption known as well */
    size_t hidden_cap, whole_cap;
    int64_t n_hidden;
    uint32_t islands;
    size_t own;                  /* observations of the instant itself */
    uint32_t *set;               /* of each observation, see estimate_critical.h */
    size_t set_cap;
    struct pof_observation *all; /* the instant's, and the voltages assumed */
    size_t n_missing, n_held, all_cap; /* weighted ones, references */
    char missing[POF_SE_DETAIL_MAX];
    bool good;                  /* converged, and what is left passes both tests */
    struct pof_removed *removed;
    size_t n_removed, removed_cap;
    char lnr_reading[160];
    char detail[POF_SE_DETAIL_MAX];
};

/* Initialise the report with {.wish = ..., .grid = ...}; it may be used for one instant after the
 * other. */
int pof_se_instant(struct pof_se *se, const struct pof_instant *instant,
                   struct pof_se_report *report, struct pof_err *err) POF_CHECKED;
/* The name of an observation of the instant, and what it is if not a reading of that instant: "p of
 * node 'x' (assumed)", "v of node 'y' (20 s old)". */
const char *pof_instant_name(const struct pof_grid *grid, const struct pof_instant *instant,
                             size_t i, char *to, size_t cap);
/* The state as records: nodes, then branches, in the order of the grid; of partial states what is
 * observable. phases: as in the engine's options, 1 or 3. */
int pof_se_put_state(const struct pof_se *se, uint32_t phases, const struct pof_se_report *report,
                     struct pof_writer *out, struct pof_err *err) POF_CHECKED;
void pof_se_report_release(struct pof_se_report *report);

#endif

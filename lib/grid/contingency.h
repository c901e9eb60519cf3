/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of a grid when one branch is lost (N-1): for each outage a power flow of the grid
 * without it, the nodes that nothing feeds any more, and what is beyond its limits, beside what it
 * was before. */
#ifndef POF_GRID_CONTINGENCY_H
#define POF_GRID_CONTINGENCY_H

#include "grid/powerflow.h"

/* The order of the words of the record type `contingency`. */
enum pof_finding_kind {
    POF_FINDING_SECURE,      /* an outage without any other finding */
    POF_FINDING_VOLTAGE_LOW, /* p.u.; below the node's limit */
    POF_FINDING_VOLTAGE_HIGH,
    POF_FINDING_LOADING,  /* share of the rating, above 1 */
    POF_FINDING_ISLANDED, /* a node that was fed; before: its voltage */
    POF_FINDING_DIVERGED  /* no power flow exists, or none was found */
};

struct pof_finding {
    uint32_t outage; /* branch; POF_NONE: nothing is lost yet */
    enum pof_finding_kind kind;
    uint32_t element; /* node, or branch for LOADING; meaningless for SECURE and DIVERGED */
    double value, before, limit;
};

struct pof_outages {
    const struct pof_grid *grid;
    const struct pof_pf_options *pf;    /* as for pof_pf_new */
    const double *p_w, *q_var;          /* as for pof_pf_solve */
    const struct pof_pf_result *before; /* the converged case with everything in service */
    const uint32_t *outage;             /* branches, each lost alone; open ones find nothing new */
    size_t outages;
    unsigned threads;
    bool screen;                        /* what linear outage factors show to be clearly secure gets
                                           no power flow (contingency_screen.h): the same findings */
    uint64_t *screened;                 /* their number is added; may be NULL */
};

/* Findings of the case itself, then those of each outage in their order: nodes islanded, voltages,
 * loadings, each in the grid's order. The same for any number of threads. Returns what take returns
 * when it is not 0. One power flow an outage that is not screened, from
 * a flat start. */
int pof_outages_run(const struct pof_outages *c,
                        int (*take)(void *ctx, const struct pof_finding *finding,
                                    struct pof_err *err),
                        void *ctx, struct pof_err *err) POF_CHECKED;

#endif

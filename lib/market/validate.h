/* SPDX-License-Identifier: Apache-2.0 */
/* Technical validation: which awards the grid can carry, quarter-hour by quarter-hour.
 *
 * The load of the forecast, changed by the awards, is solved as an AC power flow. An award lowers
 * (`up`) or raises (`down`) the consumption of its pod; reactive power stays.
 *
 * Whose fault: a limit that is violated with the awards counts when they cause or worsen it. Where
 * the forecast without awards is beyond the limit already, its value there takes the place of the
 * limit, with POF_VALIDATE_WORSE_* of slack for what awards elsewhere do through losses.
 *
 * Who is curtailed: what costs least. 1 W taken back costs what it is worth to its buyer (a figure
 * for each role) less the price that is not paid then. Violated limits become needs, linear in what
 * is taken back by the sensitivities of the power flow (grid/sensitivity.h); the linear program of
 * all needs found so far is solved (cover.h), rounded up to whole watts, the power flow repeated,
 * its violations added, and all made linear anew at the new state, until nothing is violated and no
 * limit that costs something has room left beyond 0.01 % of what is taken back or a few watts:
 * successive linear programming (R. Griffith, R. Stewart, Management Science 7(4), 1961). With DSO
 * flexibility worth a hundred times that of the TSO, awards of the TSO go first wherever they have a
 * hundredth of the effect. Of equal awards the lower id is cut first. If no such choice is found, all
 * awards of the quarter-hour are rejected, which gives back the forecast and by the rule above is no
 * violation; counts tell.
 *
 * Outages: with branches named, the limits hold also while any one of them is out of service (N-1),
 * each such case compared with the forecast in that case. What an outage leaves without supply has no
 * limits then.
 *
 * A power flow that diverges with the awards: they are taken back to zero, those of least
 * cost a watt first (effects do not exist), until it converges, and those that were not needed for that
 * are given back; if it diverges without any, all are rejected. A forecast that diverges alone, and
 * converges with awards, is not made worse by them.
 *
 * A verdict names the violation that has most to do with the cut (by its price in the linear program), the nominal limit, the value with all
 * awards and the value with all verdicts in force (percent of the rating, or p.u.). */
#ifndef POF_MARKET_VALIDATE_H
#define POF_MARKET_VALIDATE_H

#include "market/forecast.h"
#include "record/words.h"

/* Slack for violations that are there without awards: 0.01 % of the rating, 1e-5 p.u. */
#define POF_VALIDATE_WORSE_LOADING 1e-4
#define POF_VALIDATE_WORSE_V_PU 1e-5

#define POF_VALIDATE_COST_MIN INT64_C(1000000) /* 1 EUR/MWh: nothing is taken back without need */

struct pof_validate_options {
    double max_loading;       /* share of the rating that is allowed */
    double outage_loading;    /* the same while a branch is out of service */
    int64_t worth_ueur_mwh[2]; /* [role] what a MWh is worth to its buyer, 1e-6 EUR/MWh */
    const uint32_t *outage;   /* [outages] branches, each lost alone */
    uint32_t outages;
    unsigned threads;
};

struct pof_validate_award {
    struct pof_text id, session, pod, node; /* in the arena */
    uint32_t node_id;
    int role, direction;
    int64_t start, p_w, price_ueur_mwh;
};

struct pof_validate_counts {
    uint64_t accepted, curtailed, rejected;
    int64_t awarded_w, allowed_w; /* sums over awards and quarter-hours */
    uint32_t quarters_violated;   /* with all awards */
    uint32_t quarters_diverged;
    uint32_t quarters_emptied; /* no least-cost choice was found: all rejected */
};

struct pof_validate {
    struct pof_validate_award *award; /* after run: by start, id */
    size_t n, cap;
    struct pof_verdict *verdict; /* [n], texts in arena or grid */
    struct pof_validate_counts counts;
    struct pof_arena arena;
};

/* Initialise with {0}. Takes an award. POF_E_RANGE: not a quarter-hour. */
int pof_validate_take(struct pof_validate *v, const struct pof_award *award,
                      struct pof_err *err) POF_CHECKED;

/* Makes the verdicts. POF_E_CONFLICT: an award of another session, or one that names another node
 * than its pod; POF_E_RANGE: outside the window; POF_E_REFERENCE: an unknown pod; POF_E_DUPLICATE:
 * an id given twice; POF_E_TOPOLOGY: at a node that is not connected. The result does
 * not depend on order of awards or number of threads. grid and
 * forecast must outlive the verdicts. All quarter-hours and outages go through grid/batch.h once; those
 * with a violation cost a few factorisations more. */
int pof_validate_run(struct pof_validate *v, const struct pof_forecast *f,
                     const struct pof_grid *grid, const struct pof_validate_options *options,
                     struct pof_err *err) POF_CHECKED;

void pof_validate_release(struct pof_validate *v);

#endif

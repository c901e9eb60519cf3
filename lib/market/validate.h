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
 * Who is curtailed: the worst violation first, overloads before voltages. Of the awards whose
 * curtailment helps: those of the TSO before those of the DSO; then the more effective ones, in
 * tenths of the most effective one's effect on the violated value; then the dearer ones; then by
 * id. In this order as many whole watts are taken back as just end the violation, found and checked
 * by power flows; then the next violation. Effects come from the tree (feeder.h); where it does not
 * explain a violation, or the grid is meshed, from power flows with one award's node changed at a
 * time. Curtailing everything gives back the forecast, which by the rule above is no violation: the
 * end is always reached.
 *
 * A power flow that diverges with the awards: they are taken back to zero in the same order
 * (without effects, which do not exist) until it converges, and those that were not needed for that
 * are given back; if it diverges without any, all are rejected. A forecast that diverges alone, and
 * converges with awards, is not made worse by them.
 *
 * A verdict names the violation that cut its award first, the nominal limit, the value with all
 * awards and the value with all verdicts in force (percent of the rating, or p.u.). */
#ifndef POF_MARKET_VALIDATE_H
#define POF_MARKET_VALIDATE_H

#include "market/forecast.h"
#include "record/words.h"

/* Slack for violations that are there without awards: 0.01 % of the rating, 1e-5 p.u. */
#define POF_VALIDATE_WORSE_LOADING 1e-4
#define POF_VALIDATE_WORSE_V_PU 1e-5

struct pof_validate_options {
    double max_loading; /* share of the rating that is allowed */
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
 * an id given twice; POF_E_TOPOLOGY: at a node that is not connected. The result does not depend on order of awards or number of threads. grid and
 * forecast must outlive the verdicts. O(quarters * (1 + violations * log(W)) * power flow). */
int pof_validate_run(struct pof_validate *v, const struct pof_forecast *f,
                     const struct pof_grid *grid, const struct pof_validate_options *options,
                     struct pof_err *err) POF_CHECKED;

void pof_validate_release(struct pof_validate *v);

#endif

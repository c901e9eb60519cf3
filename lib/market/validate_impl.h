/* SPDX-License-Identifier: Apache-2.0 */
/* Between validate.c (the session), curtail.c (one quarter-hour) and cheapest.c (what to take back).
 */
#ifndef POF_MARKET_VALIDATE_IMPL_H
#define POF_MARKET_VALIDATE_IMPL_H

#include "grid/powerflow.h"
#include "grid/sensitivity.h"
#include "market/validate.h"
#include "num/units.h"

/* The power flow is solved to 1e-8 p.u.; less than this beyond a limit is rounding. */
#define POFI_NOISE 1e-7

/* What all quarter-hours share. Cases: 0 is the grid as it is, k the grid without the branch
 * outage[k - 1]. */
struct checking {
    const struct pof_forecast *forecast;
    const struct pof_validate_options *options;
    struct pof_grid *grid; /* [cases] sharing all but their branches; not owned */
    uint32_t cases;
    const struct pof_validate_award *award;
    struct pof_verdict *verdict;
};

struct violation {
    enum pof_violation kind;
    uint32_t element; /* branch or node */
    uint32_t in;      /* case */
};

/* An award in its quarter-hour. */
struct standing {
    const struct pof_validate_award *award;
    int64_t p_w;           /* what is left of it */
    double cost;           /* of taking back 1 W */
    double relief;         /* what taking back 1 W does to the excess that cut it; above 0 helps */
    struct violation what; /* what cut it */
    bool cut;
};

/* A case as one worker sees it. */
struct view {
    struct pof_pf *pf;
    struct pof_sens *sens; /* NULL until it is needed */
    struct pof_pf_result r;
    bool converged;
    bool hopeless;                     /* its forecast has no solution: it says nothing */
    bool known;                        /* *_before are those with all awards */
    double *most_loading;              /* [branches] limit, or what the forecast has already */
    double *least_v, *most_v;          /* [nodes] */
    double *loading_before, *v_before; /* with all awards */
};

/* A limit made linear at some state, as a need. */
struct need_row {
    struct violation v;
    double need;   /* excess, with nothing taken back */
    double margin; /* added for whole watts */
    double largest;
};

/* What one worker needs to itself. */
struct desk {
    struct view *view;   /* [cases] */
    double *p_w, *tried; /* [nodes] */
    double *by_w, *by_var; /* [nodes] sensitivities */
    struct standing *standing; /* by id */
    struct standing **order;   /* candidates, first to be cut first */
    struct need_row *row;
    double *a, *need, *price;     /* [rows * standings], [rows] */
    double *cost, *most, *amount; /* [standings] */
    int64_t *best;                /* [standings] what is left in the best clean choice */
    size_t cap, order_cap, row_cap, rows, a_cap, need_cap, price_cap, cost_cap, most_cap,
        amount_cap, best_cap;
    size_t made, priced; /* rows with effects; rows of the last linear program */
};

/* Awards [first, end) of one quarter-hour: fills their verdicts. */
struct stretch {
    uint32_t quarter;
    size_t first, end;
    bool suspect;            /* to be looked at closely */
    bool violated, diverged; /* with all awards */
    bool everything;         /* no choice was found: all is taken back */
};

/* One quarter-hour in work. */
struct work {
    const struct checking *c;
    struct desk *d;
    uint32_t quarter;
    size_t n;          /* standings */
    size_t candidates; /* in d->order */
};

/* Consumption that 1 W of an award changes. */
static inline double pofi_sign_of(const struct pof_validate_award *a)
{
    return a->direction == POF_UP ? -1 : 1;
}

/* Solves all cases that are not hopeless; *converged: those all have a solution. */
int pofi_check_solve(struct work *w, const double *p_w, bool cold, bool *converged,
                     struct pof_err *err) POF_CHECKED;
/* The load with what is left of the awards. */
void pofi_check_load(const struct work *w, double *p_w);
/* The violated value less its limit. */
double pofi_check_excess(const struct work *w, struct violation v);
/* Calls found for every violated limit of a case; nodes that are not connected have none. */
void pofi_check_each(const struct work *w, uint32_t in,
                     void (*found)(void *ctx, struct violation v, double excess), void *ctx);

/* Is a result of a case beyond nominal limits? For all quarter-hours, before any is looked at closely.
 */
bool pofi_check_violated(const struct checking *c, uint32_t in, const struct pof_pf_result *r);

/* Ends all violations at least cost (cheapest.c); *clean false: no choice was found. */
int pofi_cheapest(struct work *w, bool *clean, struct pof_err *err) POF_CHECKED;

/* A quarter-hour that is violated or diverges. */
int pofi_check_quarter(const struct checking *c, struct desk *d, struct stretch *s,
                       struct pof_err *err) POF_CHECKED;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Between validate.c (the session) and curtail.c (one quarter-hour). */
#ifndef POF_MARKET_VALIDATE_IMPL_H
#define POF_MARKET_VALIDATE_IMPL_H

#include "market/feeder.h"
#include "market/validate.h"

/* What all quarter-hours share. */
struct checking {
    const struct pof_forecast *forecast;
    const struct pof_grid *grid;
    const struct pof_validate_options *options;
    struct pof_feeder feeder;
    bool radial;
    const struct pof_validate_award *award;
    struct pof_verdict *verdict;
};

/* An award in its quarter-hour. */
struct standing {
    const struct pof_validate_award *award;
    int64_t p_w;             /* what is left of it */
    double relief;           /* effect of taking back 1 W on the violated value; above 0 helps */
    int class;               /* tenths of the largest relief */
    enum pof_violation kind; /* what cut it first */
    uint32_t element;
    bool cut;
};

/* What one worker needs to itself. */
struct desk {
    struct pof_pf *pf;
    double *p_w, *tried;               /* [nodes] */
    double *effect;                    /* [nodes] violated value per W of consumption */
    double *most_loading;              /* [branches] limit, or what the forecast has already */
    double *least_v, *most_v;          /* [nodes] */
    double *loading_before, *v_before; /* with all awards */
    struct standing *standing;
    struct standing **order; /* candidates, first to be cut first */
    size_t cap, order_cap;
};

/* Awards [first, end) of one quarter-hour: fills their verdicts. */
struct stretch {
    uint32_t quarter;
    size_t first, end;
    bool violated, diverged; /* out: with all awards */
};

int pofi_check_quarter(const struct checking *c, struct desk *d, struct stretch *s,
                       struct pof_err *err) POF_CHECKED;

#endif

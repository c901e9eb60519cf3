/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of zonal clearing: one period at a time. */
#ifndef POF_MARKET_ZONAL_IMPL_H
#define POF_MARKET_ZONAL_IMPL_H

#include "market/zonal.h"

struct pofi_zonal_solver; /* scratch of one thread */

int pofi_zonal_solver_new(struct pofi_zonal_solver **out, const struct pof_zonal_book *book,
                          struct pof_err *err) POF_CHECKED;
void pofi_zonal_solver_free(struct pofi_zonal_solver *s);

/* A period with blocks already decided. Arrays are the caller's. */
struct pofi_zonal_period {
    uint32_t period;
    const int64_t *extra; /* [zones] Wh: supply less demand of accepted blocks */
    int64_t *price, *supply, *demand; /* [zones] without blocks */
    bool *known;          /* [zones] */
    int64_t *flow;        /* [links of the period] */
    pof_zonal_wide welfare; /* without blocks */
    /* A group of zones that cannot balance: the zone where it shows, and what is missing (> 0) or
     * too much (< 0) there, Wh. POF_NONE: all balance. */
    uint32_t stuck;
    int64_t missing_wh;
};

int pofi_zonal_solve(struct pofi_zonal_solver *s, struct pofi_zonal_period *p,
                     struct pof_err *err) POF_CHECKED;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Between request.c (the session) and sizing.c (one quarter-hour). */
#ifndef POF_MARKET_REQUEST_IMPL_H
#define POF_MARKET_REQUEST_IMPL_H

#include "market/feeder.h"
#include "market/request.h"

/* A change of the load below a branch, and the first element that asked for it. */
struct need {
    uint32_t branch;
    int direction;
    int64_t p_w; /* its own part, beside those of enclosed areas */
    enum pof_violation kind;
    uint32_t element;    /* branch or node by kind */
    double value, limit; /* value: in the forecast, where that is a violation already */
    uint32_t more;       /* further violations served by it */
};

/* What came of one quarter-hour. */
struct quarter {
    struct need *need;
    size_t needs, need_cap;
    struct pof_request_trouble *trouble;
    size_t troubles, trouble_cap;
    uint64_t violations;
};

/* What all quarter-hours share. */
struct sizing {
    const struct pof_forecast *forecast;
    const struct pof_grid *grid;
    const struct pof_request_options *options;
    struct pof_feeder feeder;
    double *flexible_w[2];            /* [nodes] by direction, registered */
    int64_t *room_up_w, *room_down_w; /* [quarters * branches] or NULL */
};

/* What one worker needs to itself. */
struct bench {
    struct pof_pf *pf;
    double *p_w;            /* [nodes] loads with the needs found so far */
    double *tried;          /* [nodes] the same with one more under test */
    double *weight;         /* [nodes] how a change is spread */
    double *effect;         /* [nodes] what a watt there does to the violation, to first order */
    double *loading, *v_pu; /* [branches], [nodes] of the forecast itself */
    bool *given_up_branch, *given_up_node;
    int side; /* of the forecast's error, see sizing.c */
};

/* What is wrong in a forecast as it is. */
struct look {
    uint64_t violations, diverged;
    double excess; /* sum over violations, as shares of limits */
};

int pofi_size_quarter(const struct sizing *s, struct bench *b, uint32_t quarter,
                      struct quarter *out, struct pof_err *err) POF_CHECKED;
/* Adds what a quarter-hour has to *to. */
int pofi_look(const struct sizing *s, struct bench *b, uint32_t quarter, struct look *to,
              struct pof_err *err) POF_CHECKED;

int pofi_bench_init(struct bench *b, const struct pof_grid *grid, struct pof_err *err) POF_CHECKED;
void pofi_bench_release(struct bench *b);

#endif

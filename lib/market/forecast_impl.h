/* SPDX-License-Identifier: Apache-2.0 */
/* Between forecast.c (taking records) and forecast_build.c (making tables). */
#ifndef POF_MARKET_FORECAST_IMPL_H
#define POF_MARKET_FORECAST_IMPL_H

#include "market/forecast.h"
#include "num/time.h"

/* A baseline or an outcome: the pod by its number in names. */
struct baseline_row {
    int64_t start, p_w, q_var;
    uint32_t pod;
};

struct outcome_row {
    struct pof_text session, award;
    int64_t start, p_w;
    uint32_t pod;
    int direction;
};

struct state_row {
    struct pof_text name;
    int64_t start;
    double p_w, q_var;
    bool has_p, has_q;
};

struct pof_forecast_rows {
    struct baseline_row *baseline;
    size_t baselines, baseline_cap;
    struct outcome_row *outcome;
    size_t outcomes, outcome_cap;
    struct state_row *state;
    size_t states, state_cap;
    struct pof_session *session;
    size_t sessions, session_cap;
    struct pof_forecast_pod *pod;
    uint32_t *pod_name; /* [pods] number in names */
    size_t pods, pod_cap, pod_name_cap;
};

void pofi_forecast_drop_rows(struct pof_forecast *f);

/* An instant as a C string for messages. */
struct pofi_when {
    char text[POF_INSTANT_MAX + 1];
};
struct pofi_when pofi_when(int64_t s);

#endif

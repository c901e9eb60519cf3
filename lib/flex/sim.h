/* SPDX-License-Identifier: Apache-2.0 */
/* A simulated market of any size: pods on the nodes of a grid, their forecasts and their meters.
 *
 * Nothing is stored for a pod: whatever it is and does is computed from (seed, number of the pod,
 * quarter-hour), so memory does not grow with the number of pods and any part of the market can be
 * made alone. Everything is integer arithmetic: the same bytes on every machine.
 *
 * The sizes of all pods are scaled together so that on a winter working day the forecast of the
 * whole market peaks at a chosen power, whatever the number of pods. Load is spread over the nodes
 * by their rating, photovoltaic plants evenly over the same nodes: they stand where there is room,
 * not where the load is, and it is there that they raise the voltage at noon. */
#ifndef POF_FLEX_SIM_H
#define POF_FLEX_SIM_H

#include "num/time.h"
#include "record/record.h"
#include "record/writer.h"

enum {
    POF_SIM_PODS_MIN = 12, /* fewer need not contain every kind of pod */
    POF_SIM_PODS_MAX = 9999999
};

/* A node of the grid, as far as a market cares. */
struct pof_sim_place {
    struct pof_text name; /* kept by the caller while the market lives */
    double rated_w;       /* rated consumption of what is connected */
    double p_w;           /* fixed consumption in the grid document */
    bool bare;            /* nothing can be connected: slack node, zero injection */
};

struct pof_sim_options {
    const struct pof_sim_place *place;
    size_t places;
    int64_t pods;      /* POF_SIM_PODS_MIN .. POF_SIM_PODS_MAX */
    uint64_t seed;
    int64_t peak_micro; /* forecast peak as a share of all ratings, 1e-6 */
    int64_t peak_w;     /* or in W; 0: by peak_micro */
    enum pof_zone zone; /* whose clock people live by */
};

struct pof_sim; /* immutable once made: several threads may use one */

/* Weights are the ratings, or |p_w| when no node has a rating, or equal when there is neither (then
 * peak_w must be given). POF_E_REFERENCE: no node can have pods; POF_E_RANGE: options. O(nodes +
 * pods) time, O(nodes) memory. */
int pof_sim_new(struct pof_sim **out, const struct pof_sim_options *options,
                struct pof_err *err) POF_CHECKED;
void pof_sim_free(struct pof_sim *sim);

/* The time to simulate: the market day (NULL: none given), narrowed by from and until (INT64_MIN: not
 * given), which without a day must both be there. POF_E_USAGE when this is no span of
 * quarter-hours. */
struct pof_sim_span {
    int64_t start, end;
};
int pof_sim_span(struct pof_sim_span *span, enum pof_zone zone, const struct pof_date *day,
                 const struct pof_sim_span *wish, struct pof_err *err) POF_CHECKED;

/* What a pod is. size_w is its highest winter consumption, or installed power. */
struct pof_sim_pod {
    char name[9]; /* P0000001 ..., NUL-terminated */
    size_t place;
    int kind;     /* word of pod_kind */
    int aggregator;
    int shift;    /* quarter-hours its day runs behind the profile */
    int64_t size_w;
    int64_t p_up_max_w, p_down_max_w;
    int care; /* 0: follows set points fully, 1: partly, 2: not */
};
/* i in 0 .. pods-1; O(log nodes). */
void pof_sim_pod(const struct pof_sim *sim, int64_t i, struct pof_sim_pod *pod);
/* The number of a pod by its name, -1 when it is not of this market. */
int64_t pof_sim_find(const struct pof_sim *sim, struct pof_text name);

/* --- records, written in order of pods; one quarter-hour or hour a call --- */

int pof_sim_pods(const struct pof_sim *sim, struct pof_writer *w, struct pof_err *err) POF_CHECKED;
/* What each aggregator asks for each kind and direction. */
int pof_sim_pricerules(const struct pof_sim *sim, struct pof_writer *w,
                       struct pof_err *err) POF_CHECKED;
/* Forecast of the quarter-hour at t: smooth, clear sky, reactive power by kind. */
int pof_sim_baselines(const struct pof_sim *sim, int64_t t, struct pof_writer *w,
                      struct pof_err *err) POF_CHECKED;
/* What each owner lends in [t, end), at most an hour: no more than the forecast leaves room for,
 * and nothing from time to time. */
int pof_sim_availabilities(const struct pof_sim *sim, int64_t t, int64_t end, struct pof_writer *w,
                           struct pof_err *err) POF_CHECKED;
/* A TSO's requests for a session: up or down in some of its hours, a share of what the pods could
 * give then, with a price limit. O(pods) an hour asked for. */
int pof_sim_requests(const struct pof_sim *sim, const struct pof_session *session,
                     struct pof_writer *w, struct pof_err *err) POF_CHECKED;

/* Set points that pods react to. Initialise with {0}; 24 bytes each. */
struct pof_sim_orders {
    struct pof_sim_order *order;
    size_t n, cap;
};
/* POF_E_REFERENCE: no such pod; POF_E_RANGE: not a quarter-hour. */
int pof_sim_order(struct pof_sim_orders *orders, const struct pof_sim *sim,
                  const struct pof_setpoint *setpoint, struct pof_err *err) POF_CHECKED;
/* Call once after the last; POF_E_DUPLICATE: two set points for a pod and quarter-hour. */
int pof_sim_orders_seal(struct pof_sim_orders *orders, const struct pof_sim *sim,
                        struct pof_err *err) POF_CHECKED;
void pof_sim_orders_release(struct pof_sim_orders *orders);

/* Meters of the quarter-hour at t: forecast, error of the forecast (common to a kind, of the pod's
 * day, of its hour, of the quarter-hour) and the answer to set points. A pod that follows its set
 * points delivers about all it was asked and regulates most of its forecast error away, a careless
 * one delivers half to nine tenths, a deaf one nothing. */
int pof_sim_measurements(const struct pof_sim *sim, const struct pof_sim_orders *orders, int64_t t,
                         struct pof_writer *w, struct pof_err *err) POF_CHECKED;

#endif

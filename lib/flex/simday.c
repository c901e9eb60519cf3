/* SPDX-License-Identifier: Apache-2.0 */
/* A simulated market at work: the records of its pods, owners, meters and of a TSO. */
#include "flex/sim_internal.h"

#include "base/mem.h"
#include "num/units.h"

#include <stdlib.h>
#include <string.h>

/* A C string of n bytes without the cost of strlen. */
static struct pof_text name_of(const struct pof_sim_pod *pod)
{
    return (struct pof_text){pod->name, 8};
}

/* 12 hexadecimal digits that say nothing about the pod. */
static struct pof_text pseudonym(const struct pof_sim *sim, int64_t i, char *to)
{
    static const char hex[] = "0123456789abcdef";
    uint64_t bits = pofi_bits(sim, POFI_POD, (uint64_t)i, 1);
    for (int d = 0; d < 12; d++) {
        to[d] = hex[bits >> (4 * d) & 15];
    }
    return (struct pof_text){to, 12};
}

int pof_sim_pods(const struct pof_sim *sim, struct pof_writer *w, struct pof_err *err)
{
    int rc = 0;
    for (int64_t i = 0; i < sim->options.pods && rc == 0; i++) {
        struct pof_sim_pod pod;
        char owner[12];
        pof_sim_pod(sim, i, &pod);
        struct pof_pod record = {.pod = name_of(&pod),
                                 .node = sim->options.place[pod.place].name,
                                 .aggregator = pof_text(pofi_aggregator(pod.aggregator)),
                                 .kind = pod.kind,
                                 .p_up_max_w = pod.p_up_max_w,
                                 .p_down_max_w = pod.p_down_max_w,
                                 .owner = pseudonym(sim, i, owner)};
        POF_SET(&record, pod, owner);
        rc = pof_writer_put(w, POF_pod, &record, err);
    }
    return rc;
}

/* The usual price of the kind, 85 to 115 % of it by aggregator, in steps of 0.10 EUR/MWh. */
static int put_rule(const struct pof_sim *sim, int a, int k, enum pof_direction d,
                    struct pof_writer *w, struct pof_err *err)
{
    const struct pofi_kind *kind = pofi_kind(k);
    int usual = d == POF_UP ? kind->price_eur_mwh : kind->price_down_eur_mwh;
    uint64_t bits = pofi_bits(sim, POFI_MARKET, (uint64_t)(a + 1), (uint64_t)(2 * k) + d);
    int64_t percent = 85 + (int64_t)pof_below(bits, 31);
    struct pof_pricerule record = {.aggregator = pof_text(pofi_aggregator(a)),
                                   .kind = (int)kind->word,
                                   .direction = (int)d,
                                   .price_ueur_mwh = usual * percent / 10 * 100000};
    POF_SET(&record, pricerule, aggregator);
    POF_SET(&record, pricerule, kind);
    return pof_writer_put(w, POF_pricerule, &record, err);
}

int pof_sim_pricerules(const struct pof_sim *sim, struct pof_writer *w, struct pof_err *err)
{
    int rc = 0;
    for (int a = 0; a < sim->aggregators && rc == 0; a++) {
        for (int k = 0; k < POFI_KINDS && rc == 0; k++) {
            if (pofi_kind(k)->up_permille > 0) {
                rc = put_rule(sim, a, k, POF_UP, w, err);
            }
            if (rc == 0) {
                rc = put_rule(sim, a, k, POF_DOWN, w, err);
            }
        }
    }
    return rc;
}

int pof_sim_baselines(const struct pof_sim *sim, int64_t t, struct pof_writer *w,
                      struct pof_err *err)
{
    struct pofi_shapes shapes;
    int rc = 0;
    pofi_shapes(sim, t, &shapes);
    for (int64_t i = 0; i < sim->options.pods && rc == 0; i++) {
        struct pof_sim_pod pod;
        pof_sim_pod(sim, i, &pod);
        int64_t p = pofi_forecast(&pod, &shapes);
        int64_t reactive = pofi_kind_of(pod.kind)->reactive_permille;
        struct pof_baseline record = {.pod = name_of(&pod),
                                      .start = t,
                                      .duration_s = POF_QUARTER_S,
                                      .p_w = p,
                                      .q_var = pofi_permille(p, reactive)};
        if (reactive > 0) {
            POF_SET(&record, baseline, q_var);
        }
        rc = pof_writer_put(w, POF_baseline, &record, err);
    }
    return rc;
}

/* --- what owners lend --- */

/* What a pod's forecast leaves room for at one quarter-hour: a load cannot consume less than
 * nothing nor more than its connection, a plant cannot generate less than nothing. */
static void room(const struct pof_sim_pod *pod, int64_t p, int64_t *up, int64_t *down)
{
    int64_t more = pod->size_w - p;
    int64_t less = p > 0 ? p : 0;
    *up = pod->p_up_max_w;
    *down = pod->p_down_max_w;
    if (pod->kind == POFI_PV) {
        *down = -p < *down ? -p : *down;
    } else if (pod->kind == POFI_BATTERY) {
        *up = pod->size_w + p < *up ? pod->size_w + p : *up;
        *down = more < *down ? more : *down;
    } else {
        *up = less < *up ? less : *up;
        *down = more < *down ? more : *down;
    }
    *up = *up < 0 ? 0 : *up;
    *down = *down < 0 ? 0 : *down;
}

/* The quarter-hours of up to an hour. */
struct hour {
    struct pofi_shapes shapes[4];
    int n;
    int64_t t;
};

static void hour_of(const struct pof_sim *sim, int64_t t, int64_t end, struct hour *hour)
{
    hour->t = t;
    for (hour->n = 0; hour->n < 4 && t < end; t += POF_QUARTER_S) {
        pofi_shapes(sim, t, &hour->shapes[hour->n++]);
    }
}

/* What a pod lends in all quarter-hours of an hour; one owner in twelve keeps the hour. */
static void lend(const struct pof_sim *sim, int64_t i, const struct pof_sim_pod *pod,
                 const struct hour *hour, int64_t lent[2])
{
    lent[POF_UP] = INT64_MAX;
    lent[POF_DOWN] = INT64_MAX;
    for (int q = 0; q < hour->n; q++) {
        int64_t up;
        int64_t down;
        room(pod, pofi_forecast(pod, &hour->shapes[q]), &up, &down);
        lent[POF_UP] = up < lent[POF_UP] ? up : lent[POF_UP];
        lent[POF_DOWN] = down < lent[POF_DOWN] ? down : lent[POF_DOWN];
    }
    uint64_t bits = pofi_bits(sim, POFI_LEND, (uint64_t)i, (uint64_t)(hour->t / 3600));
    if (pof_below(bits, 12) == 0) {
        lent[POF_UP] = 0;
        lent[POF_DOWN] = 0;
    }
}

int pof_sim_availabilities(const struct pof_sim *sim, int64_t t, int64_t end, struct pof_writer *w,
                           struct pof_err *err)
{
    struct hour hour;
    int rc = 0;
    hour_of(sim, t, end, &hour);
    for (int64_t i = 0; i < sim->options.pods && rc == 0; i++) {
        struct pof_sim_pod pod;
        int64_t lent[2];
        pof_sim_pod(sim, i, &pod);
        lend(sim, i, &pod, &hour, lent);
        struct pof_availability record = {.pod = name_of(&pod),
                                          .start = t,
                                          .end = end,
                                          .p_up_w = lent[POF_UP],
                                          .p_down_w = lent[POF_DOWN]};
        rc = pof_writer_put(w, POF_availability, &record, err);
    }
    return rc;
}

/* --- a TSO's requests --- */

enum { DAY_AHEAD_PERCENT = 35, REAL_TIME_PERCENT = 25 };

/* When the whole system is short, morning and evening, the TSO asks up; when it has too much,
 * at night and at noon, down. */
static enum pof_direction need_at(const struct pof_sim *sim, int64_t t)
{
    int64_t h = (t + pof_zone_offset(sim->options.zone, t)) % 86400 / 3600;
    bool shortage = (h >= 6 && h < 10) || (h >= 16 && h < 23);
    return shortage ? POF_UP : POF_DOWN;
}

static int64_t lent_by_all(const struct pof_sim *sim, const struct hour *hour, enum pof_direction d)
{
    int64_t sum = 0;
    for (int64_t i = 0; i < sim->options.pods; i++) {
        struct pof_sim_pod pod;
        int64_t lent[2];
        pof_sim_pod(sim, i, &pod);
        lend(sim, i, &pod, hour, lent);
        sum += lent[d];
    }
    return sum;
}

static size_t put_text(char *to, size_t at, const char *s)
{
    size_t n = strlen(s);
    memcpy(to + at, s, n);
    return at + n;
}

/* 4 to 15 % of what all lend in the time, for at most 60 to 180 EUR/MWh up, 20 to 90 down: at the
 * low end not every aggregator sells. */
static int put_request(const struct pof_sim *sim, const struct pof_session *session,
                       const int64_t between[2], struct pof_writer *w, struct pof_err *err)
{
    uint64_t hour_no = (uint64_t)(between[0] / 3600);
    uint64_t bits = pofi_bits(sim, POFI_ASK, hour_no, 2 + (uint64_t)session->kind);
    enum pof_direction d = need_at(sim, between[0]);
    struct hour hour;
    char id[64];
    hour_of(sim, between[0], between[1], &hour);
    int64_t share = 40 + (int64_t)pof_below(bits, 111);
    int64_t p = pofi_permille(lent_by_all(sim, &hour, d), share);
    size_t n = put_text(id, 0, "TSO-");
    n += pof_instant_format(between[0], id + n);
    n = put_text(id, n, d == POF_UP ? "-up" : "-down");
    int64_t limit = d == POF_UP ? 60 + (int64_t)pof_below(bits << 24, 121)
                                : 20 + (int64_t)pof_below(bits << 24, 71);
    struct pof_request record = {.id = {id, n},
                                 .session = session->id,
                                 .buyer = pof_text("TSO"),
                                 .role = 1,
                                 .direction = (int)d,
                                 .start = between[0],
                                 .end = between[1],
                                 .p_w = p,
                                 .price_limit_ueur_mwh = limit * 1000000,
                                 .reason = pof_text(d == POF_UP ? "system short of power"
                                                                : "system with too much power")};
    POF_SET(&record, request, price_limit_ueur_mwh);
    POF_SET(&record, request, reason);
    return p < 1 ? 0 : pof_writer_put(w, POF_request, &record, err);
}

int pof_sim_requests(const struct pof_sim *sim, const struct pof_session *session,
                     struct pof_writer *w, struct pof_err *err)
{
    uint64_t percent = session->kind == 0 ? DAY_AHEAD_PERCENT : REAL_TIME_PERCENT;
    int rc = 0;
    for (int64_t t = session->start; t < session->end && rc == 0;) {
        int64_t next = (t / 3600 + 1) * 3600;
        const int64_t between[2] = {t, next < session->end ? next : session->end};
        uint64_t bits = pofi_bits(sim, POFI_ASK, (uint64_t)(t / 3600), (uint64_t)session->kind);
        if (pof_below(bits, 100) < percent) {
            rc = put_request(sim, session, between, w, err);
        }
        t = between[1];
    }
    return rc;
}

/* --- set points and meters --- */

struct pof_sim_order {
    int64_t t;
    int64_t change_w;
    int64_t pod;
};

int pof_sim_order(struct pof_sim_orders *orders, const struct pof_sim *sim,
                  const struct pof_setpoint *s, struct pof_err *err)
{
    int64_t pod = pof_sim_find(sim, s->pod);
    if (pod < 0) {
        return pof_fail(err, POF_E_REFERENCE, "'%.*s' is not a pod of this market",
                        (int)s->pod.len, s->pod.ptr);
    }
    if (s->duration_s != POF_QUARTER_S || s->start % POF_QUARTER_S != 0) {
        return pof_fail(err, POF_E_RANGE, "the set point of '%.*s' is not for a quarter-hour",
                        (int)s->pod.len, s->pod.ptr);
    }
    int rc = pof_grow(&orders->order, &orders->cap, orders->n + 1, sizeof *orders->order, err);
    if (rc == 0) {
        orders->order[orders->n++] = (struct pof_sim_order){s->start, s->change_w, pod};
    }
    return rc;
}

static int order_cmp(const void *a, const void *b)
{
    const struct pof_sim_order *x = a;
    const struct pof_sim_order *y = b;
    if (x->t != y->t) {
        return x->t < y->t ? -1 : 1;
    }
    return x->pod < y->pod ? -1 : x->pod > y->pod;
}

int pof_sim_orders_seal(struct pof_sim_orders *orders, const struct pof_sim *sim,
                        struct pof_err *err)
{
    if (orders->n > 1) {
        qsort(orders->order, orders->n, sizeof *orders->order, order_cmp);
    }
    for (size_t i = 1; i < orders->n; i++) {
        if (order_cmp(&orders->order[i - 1], &orders->order[i]) == 0) {
            struct pof_sim_pod pod;
            char when[POF_INSTANT_MAX];
            pof_sim_pod(sim, orders->order[i].pod, &pod);
            int n = (int)pof_instant_format(orders->order[i].t, when);
            return pof_fail(err, POF_E_DUPLICATE, "pod '%s' has two set points at %.*s", pod.name,
                            n, when);
        }
    }
    return 0;
}

void pof_sim_orders_release(struct pof_sim_orders *orders)
{
    free(orders->order);
    *orders = (struct pof_sim_orders){0};
}

/* The first order of the quarter-hour at t. */
static size_t first_order(const struct pof_sim_orders *orders, int64_t t)
{
    size_t lo = 0;
    size_t hi = orders->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (orders->order[mid].t < t) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo;
}

/* -range .. range from the bits of a stream. */
static int64_t swing(uint64_t bits, int64_t range)
{
    return (int64_t)pof_below(bits, (uint64_t)(2 * range + 1)) - range;
}

/* A value that moves in a straight line from the swing of one hour to that of the next. */
static int64_t drift(const struct pof_sim *sim, enum pofi_stream s, uint64_t who, int64_t t,
                     int64_t range)
{
    uint64_t h = (uint64_t)(t / 3600);
    int64_t a = swing(pofi_bits(sim, s, who, h), range);
    int64_t b = swing(pofi_bits(sim, s, who, h + 1), range);
    return a + (b - a) * (t % 3600) / 3600;
}

/* What all pods of a kind have in common at an instant, in 1e-4: weather and habit. Clouds only
 * take away: the forecast of a plant is a clear sky. */
static void common_error(const struct pof_sim *sim, int64_t t, int64_t of[POFI_HEATPUMP + 1])
{
    for (int k = 0; k < POFI_KINDS; k++) {
        enum pofi_word word = pofi_kind(k)->word;
        int64_t d = drift(sim, POFI_COMMON, (uint64_t)word, t, word == POFI_PV ? 1500 : 250);
        of[word] = word == POFI_PV ? d - 1500 : d;
    }
}

/* Error of a pod's forecast, 1e-4 of the forecast: its day, its hour, the quarter-hour. */
static int64_t pod_error(const struct pof_sim *sim, int64_t i, int64_t t)
{
    uint64_t who = (uint64_t)i;
    return swing(pofi_bits(sim, POFI_DAY, who, (uint64_t)(t / 86400)), 300) +
           drift(sim, POFI_HOUR, who, t, 600) +
           swing(pofi_bits(sim, POFI_QUARTER, who, (uint64_t)(t / POF_QUARTER_S)), 300);
}

/* The part of an ordered change that comes, per mille, and of the forecast error that stays. */
static int64_t answer(const struct pof_sim *sim, int64_t i, const struct pof_sim_pod *pod,
                      int64_t t, int64_t *error)
{
    uint64_t bits = pofi_bits(sim, POFI_ANSWER, (uint64_t)i, (uint64_t)(t / POF_QUARTER_S));
    if (pod->care == 0) {
        *error /= 10;
        return 1000 + swing(bits, 15);
    }
    if (pod->care == 1) {
        *error /= 2;
        return 700 + swing(bits, 200);
    }
    return 0;
}

/* What a pod can do at all: no load feeds in, no plant consumes, nothing exceeds its size
 * by more than a tenth. */
static int64_t possible(const struct pof_sim_pod *pod, int64_t p)
{
    int64_t most = pod->size_w + pod->size_w / 10;
    int64_t least = pod->kind == POFI_PV || pod->kind == POFI_BATTERY ? -most : 0;
    most = pod->kind == POFI_PV ? 0 : most;
    return p < least ? least : p > most ? most : p;
}

static int put_measurement(const struct pof_sim_pod *pod, int64_t t, const int64_t pq[2],
                           struct pof_writer *w, struct pof_err *err)
{
    char source[9];
    memcpy(source, pod->name, sizeof source);
    source[0] = 'L'; /* the light node at the pod's meter has the pod's number */
    struct pof_measurement record = {.pod = name_of(pod),
                                     .start = t,
                                     .duration_s = POF_QUARTER_S,
                                     .p_w = pq[0],
                                     .q_var = pq[1],
                                     .source = {source, 8},
                                     .seq = t / POF_QUARTER_S};
    if (pofi_kind_of(pod->kind)->reactive_permille > 0) {
        POF_SET(&record, measurement, q_var);
    }
    POF_SET(&record, measurement, source);
    POF_SET(&record, measurement, seq);
    return pof_writer_put(w, POF_measurement, &record, err);
}

int pof_sim_measurements(const struct pof_sim *sim, const struct pof_sim_orders *orders, int64_t t,
                         struct pof_writer *w, struct pof_err *err)
{
    struct pofi_shapes shapes;
    int64_t common[POFI_HEATPUMP + 1];
    size_t next = first_order(orders, t);
    int rc = 0;
    pofi_shapes(sim, t, &shapes);
    common_error(sim, t, common);
    for (int64_t i = 0; i < sim->options.pods && rc == 0; i++) {
        struct pof_sim_pod pod;
        pof_sim_pod(sim, i, &pod);
        int64_t forecast = pofi_forecast(&pod, &shapes);
        int64_t error = forecast * (common[pod.kind] + pod_error(sim, i, t)) / 10000;
        int64_t change = 0;
        if (next < orders->n && orders->order[next].t == t && orders->order[next].pod == i) {
            int64_t ordered = orders->order[next++].change_w;
            change = pofi_permille(ordered, answer(sim, i, &pod, t, &error));
        }
        int64_t free = possible(&pod, forecast + error);
        const int64_t pq[2] = {possible(&pod, forecast + error + change),
                               pofi_permille(free, pofi_kind_of(pod.kind)->reactive_permille)};
        rc = put_measurement(&pod, t, pq, w, err);
    }
    return rc;
}

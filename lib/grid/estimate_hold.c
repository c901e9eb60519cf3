/* SPDX-License-Identifier: Apache-2.0 */
/* What counts at an instant: what was seen then and, with an age limit, the last value of every
 * place and pod that is not seen again, its deviation widened by its age. */
#include "grid/estimate_feed_impl.h"

#include <math.h>
#include <string.h>

static const double NOT_GOOD = 3;    /* factor on sigma of quality other than good */
static const double SIGMA_LEAST = 1; /* W, var: the records' own resolution */
static const double Q_UNKNOWN = 0.5; /* of p */
static const double HOUR_S = 3600;
static const double DEGREES = 180 / 3.14159265358979323846; /* in a radian */
/* A value near zero changes as one of this many of its deviations does: instruments of 1 % of full
 * scale then change as if a tenth of full scale flowed. */
static const double SIZE_LEAST = 10;

/* Instruments are told apart by what they read and where. */
static int by_place(const struct seen *x, const struct seen *y)
{
    int c = (int)x->o.branch - (int)y->o.branch;
    c = c != 0 ? c : (x->o.element > y->o.element) - (x->o.element < y->o.element);
    c = c != 0 ? c : (int)x->o.to - (int)y->o.to;
    c = c != 0 ? c : (int)x->o.quantity - (int)y->o.quantity;
    return c != 0 ? c : (int)x->o.phase - (int)y->o.phase;
}

int pofi_by_seen(const void *a, const void *b)
{
    const struct seen *x = a;
    const struct seen *y = b;
    int c = (x->start > y->start) - (x->start < y->start);
    c = c != 0 ? c : by_place(x, y);
    c = c != 0 ? c : (x->o.value > y->o.value) - (x->o.value < y->o.value);
    c = c != 0 ? c : (x->o.sigma > y->o.sigma) - (x->o.sigma < y->o.sigma);
    return c != 0 ? c : (x->o.rho > y->o.rho) - (x->o.rho < y->o.rho);
}

/* sigma^2 + (rate * size * age)^2. */
static double widen(double sigma, double rate_per_hour, double size, int64_t age_s)
{
    if (age_s <= 0) {
        return sigma;
    }
    double most = fmax(fabs(size), SIZE_LEAST * sigma);
    return hypot(sigma, rate_per_hour * most * (double)age_s / HOUR_S);
}

static int put_reading(struct pof_feed *f, struct pof_instant *t, const struct seen *s,
                       struct pof_err *err)
{
    struct pof_observation o = s->o;
    int64_t age = t->start - s->start;
    struct node_sum *sum = o.branch || !f->sum ? NULL : &f->sum[o.element];
    switch (o.quantity) {
    case POF_QUANTITY_V:
        o.sigma = widen(o.sigma, f->options.age_voltage, o.value, age);
        break;
    case POF_QUANTITY_ANGLE:
    case POF_QUANTITY_I_ANGLE:
    case POF_QUANTITY_I_ANGLE_TO_V:
        o.sigma = widen(o.sigma, f->options.age_voltage, DEGREES, age);
        break;
    default:
        o.sigma = widen(o.sigma, f->options.age_power, o.value, age);
        o.rho = age > 0 ? 0 : o.rho; /* what has changed since is not correlated */
        break;
    }
    if (sum && o.phase == 0) {
        sum->read_p |= o.quantity == POF_QUANTITY_P;
        sum->read_q |= o.quantity == POF_QUANTITY_Q;
        sum->read_v |= o.quantity == POF_QUANTITY_V;
    }
    return pofi_feed_put(f, t, &o, POF_ORIGIN_READING, age, err);
}

/* The instant's own readings, in the order of places, those given twice once: they move together. */
static struct seen *take_fresh(struct pof_feed *f, struct pof_instant *t, size_t *n)
{
    struct seen *first = f->seen + f->at_seen;
    *n = 0;
    for (; f->at_seen < f->n_seen && f->seen[f->at_seen].start == t->start; f->at_seen++) {
        const struct seen *s = &f->seen[f->at_seen];
        if (*n > 0 && pofi_by_seen(&first[*n - 1], s) == 0) {
            t->repeated++;
        } else {
            first[(*n)++] = *s;
        }
    }
    return first;
}

/* Adds to the n fresh readings the held ones of places that were not seen again, and holds all. */
static int merge(struct pof_feed *f, int64_t now, const struct seen *list, size_t n, struct pof_err *err)
{
    size_t all = n + f->n_held;
    int rc = pof_grow(&f->held, &f->held_cap, all, sizeof *f->held, err);
    if (rc != 0) {
        return rc;
    }
    /* from the back of held, where there is room for all: place by place the larger one */
    size_t at = all, old = f->n_held, fresh = n;
    while (old > 0 || fresh > 0) {
        int c = fresh == 0 ? 1 : old == 0 ? -1 : by_place(&f->held[old - 1], &list[fresh - 1]);
        if (c > 0) {
            struct seen s = f->held[--old];
            if (now - s.start <= f->options.age_limit_s) {
                f->held[--at] = s;
            }
        } else if (c < 0) {
            f->held[--at] = list[--fresh];
        } else {
            old--; /* seen again */
        }
    }
    f->n_held = all - at;
    if (f->n_held > 0) {
        memmove(f->held, f->held + at, f->n_held * sizeof *f->held);
    }
    return 0;
}

int pofi_feed_readings(struct pof_feed *f, struct pof_instant *t, struct pof_err *err)
{
    size_t n = 0;
    bool hold = f->options.age_limit_s > 0;
    const struct seen *list = take_fresh(f, t, &n);
    int rc = hold ? merge(f, t->start, list, n, err) : 0;
    list = hold ? f->held : list;
    n = hold ? f->n_held : n;
    for (size_t i = 0; rc == 0 && i < n; i++) {
        rc = put_reading(f, t, &list[i], err);
    }
    return rc;
}

static int add_meter(struct pof_feed *f, struct pof_instant *t, const struct meter *m, int64_t age,
                     struct pof_err *err)
{
    uint32_t node = f->pod_node[m->pod];
    struct node_sum *sum = &f->sum[node];
    double wider = m->good ? 1 : NOT_GOOD;
    double share = f->options.sigma_meter;
    double rate = f->options.age_power;
    double p = (double)m->p_w;
    double q = (double)m->q_var;
    double sp = fmax(share * fabs(p), SIGMA_LEAST) * wider;
    double sq = fmax(m->has_q ? share * fabs(q) : Q_UNKNOWN * fabs(p), SIGMA_LEAST) * wider;
    sp = widen(sp, rate, p, age);
    sq = widen(sq, rate, q, age);
    sum->p_w += p;
    sum->q_var += q;
    sum->p2 += sp * sp;
    sum->q2 += sq * sq;
    sum->age_s = age > sum->age_s ? age : sum->age_s;
    sum->measured++;
    if (!m->has_v) {
        return 0;
    }
    double v = sqrt(3) * (double)m->v_mv / 1000;
    struct pof_observation o = {.element = node, .quantity = POF_QUANTITY_V, .value = v};
    o.sigma = widen(f->options.sigma_voltage * v * wider, f->options.age_voltage, v, age);
    sum->read_v = true;
    return pofi_feed_put(f, t, &o, POF_ORIGIN_METER, age, err);
}

int64_t pofi_meter_age(const struct pof_feed *f, const struct meter *m, int64_t now)
{
    if (m->duration_s == 0 || (f->options.age_limit_s == 0 && m->start != now)) {
        return -1;
    }
    int64_t age = now - m->start - m->duration_s;
    age = age > 0 ? age : 0;
    return age <= f->options.age_limit_s ? age : -1;
}

/* Pods in the order of their names, so that sums do not depend on who was seen first. */
int pofi_feed_meters(struct pof_feed *f, struct pof_instant *t, struct pof_err *err)
{
    int rc = 0;
    for (; f->at_meter < f->n_meter && f->meter[f->at_meter].start == t->start; f->at_meter++) {
        f->last[f->meter[f->at_meter].pod] = f->meter[f->at_meter];
    }
    for (size_t i = 0; rc == 0 && i < f->ranked; i++) {
        const struct meter *m = &f->last[f->by_rank[i]];
        int64_t age = pofi_meter_age(f, m, t->start);
        rc = age < 0 ? 0 : add_meter(f, t, m, age, err);
    }
    return rc;
}

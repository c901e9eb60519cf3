/* SPDX-License-Identifier: Apache-2.0 */
/* Consumption of nodes: what their meters say and, where nobody says anything, what is to be
 * expected, allocated from measured flows if wanted. */
#include "grid/estimate_feed_impl.h"

#include <math.h>

static const double SIGMA_LEAST = 1;      /* W, var: the records' own resolution */
static const double TAN_PHI = 0.32868410517886321; /* of cos phi 0.95 */
static const double Q_RATED = 0.5;        /* of rated_w: what q may come to, cos phi 0.9 */

/* All pods of a node are measured: their sums, beside its fixed consumption. */
static int put_metered(struct pof_feed *f, struct pof_instant *t, uint32_t i, struct pof_err *err)
{
    const struct pof_node *node = &f->grid->node[i];
    const struct node_sum *s = &f->sum[i];
    for (int q = 0; q < 2; q++) {
        double fixed = q ? node->q_var + node->iq_var : node->p_w + node->ip_w;
        double of_fixed = f->options.sigma_pseudo * fabs(fixed);
        struct pof_observation o = {.element = i, .quantity = q ? POF_QUANTITY_Q : POF_QUANTITY_P};
        o.value = fixed + (q ? s->q_var : s->p_w);
        o.sigma = fmax(sqrt((q ? s->q2 : s->p2) + of_fixed * of_fixed), SIGMA_LEAST);
        int rc = pofi_feed_put(f, t, &o, POF_ORIGIN_METER, s->age_s, err);
        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}

/* The baseline of a pod that covers the instant; the later one where two do. */
static const struct expected *covering(const struct pof_feed *f, uint32_t rank, int64_t now)
{
    size_t low = 0;
    size_t high = f->n_expected;
    while (low < high) { /* the first that begins later, or is of a later pod */
        size_t mid = low + (high - low) / 2;
        const struct expected *x = &f->expected[mid];
        if (x->rank < rank || (x->rank == rank && x->start <= now)) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    const struct expected *x = low > 0 ? &f->expected[low - 1] : NULL;
    return x && x->rank == rank && x->end > now ? x : NULL;
}

/* Baselines stand in for pods that are not measured. */
static void expect(struct pof_feed *f, const struct pof_instant *t)
{
    for (uint32_t rank = 0; rank < f->ranked && f->n_expected > 0; rank++) {
        uint32_t pod = f->by_rank[rank];
        const struct meter *m = &f->last[pod];
        bool measured = pofi_meter_age(f, m, t->start) >= 0;
        const struct expected *x = measured ? NULL : covering(f, rank, t->start);
        if (!x) {
            continue;
        }
        struct node_sum *s = &f->sum[f->pod_node[pod]];
        s->expect_p += (double)x->p_w;
        s->expect_q += x->has_q ? (double)x->q_var : TAN_PHI * (double)x->p_w;
        s->expected++;
    }
}

/* What a node nobody reads is expected to draw. */
static void assume(const struct pof_feed *f, uint32_t i, struct assumed *a)
{
    const struct pof_node *node = &f->grid->node[i];
    const struct node_sum *s = &f->sum[i];
    double share = f->options.sigma_pseudo;
    double fixed[2] = {node->p_w + node->ip_w, node->q_var + node->iq_var};
    uint32_t known = s->measured + s->expected;
    double unknown = 0; /* share of rated_w of which nothing is known */
    if (f->registered[i] == 0) {
        unknown = fixed[0] == 0 && fixed[1] == 0 ? 1 : 0;
    } else if (known < f->registered[i]) {
        unknown = 1 - (double)known / (double)f->registered[i];
    }
    double rated = unknown * f->options.load_share * node->rated_w;
    a->value[0] = fixed[0] + s->p_w + s->expect_p + rated;
    a->value[1] = fixed[1] + s->q_var + s->expect_q + TAN_PHI * rated;
    a->sigma[0] = fmax(share * fmax(fabs(a->value[0]), node->rated_w), SIGMA_LEAST);
    a->sigma[1] = fmax(share * fmax(fabs(a->value[1]), Q_RATED * node->rated_w), SIGMA_LEAST);
    a->is[0] = !s->read_p;
    a->is[1] = !s->read_q && node->kind != POF_NODE_PV;
}

static bool metered(const struct pof_feed *f, uint32_t i)
{
    return f->sum[i].measured > 0 && f->sum[i].measured == f->registered[i];
}

static void assume_all(struct pof_feed *f, const struct pof_instant *t)
{
    expect(f, t);
    for (uint32_t i = 0; i < f->grid->nodes; i++) {
        const struct pof_node *node = &f->grid->node[i];
        f->assumed[i] = (struct assumed){0};
        if (node->kind != POF_NODE_SLACK && !node->zero_injection && !metered(f, i)) {
            assume(f, i, &f->assumed[i]);
        }
    }
}

/* Means of the readings of a quantity: at ends of branches (NAN: none), and taken away from the
 * inflow of their areas at nodes. Readings of a place stand together. */
static void read_means(struct pof_feed *f, enum pof_quantity quantity)
{
    for (uint32_t k = 0; k < 2 * f->grid->branches; k++) {
        f->through[k] = NAN;
    }
    for (size_t i = 0; i < f->n_out;) {
        const struct pof_observation *o = &f->out[i];
        double sum = 0;
        size_t n = 0;
        for (; i < f->n_out && f->out[i].branch == o->branch && f->out[i].element == o->element &&
               f->out[i].to == o->to && f->out[i].quantity == o->quantity &&
               f->out[i].phase == o->phase;
             i++) {
            sum += f->out[i].value;
            n++;
        }
        if (o->quantity != quantity || o->phase != 0) {
            continue;
        }
        if (o->branch) {
            f->through[2 * (size_t)o->element + o->to] = sum / (double)n;
        } else {
            f->assumed[o->element].value[quantity == POF_QUANTITY_Q] = sum / (double)n;
        }
    }
}

/* The node that stands for the area of node i. */
static uint32_t area_of(struct pof_feed *f, uint32_t i)
{
    while (f->area[i] != i) {
        f->area[i] = f->area[f->area[i]];
        i = f->area[i];
    }
    return i;
}

static bool read_through(const struct pof_feed *f, uint32_t b)
{
    return !isnan(f->through[2 * (size_t)b]) || !isnan(f->through[2 * (size_t)b + 1]);
}

/* Areas are what closed branches without a flow reading join. */
static void find_areas(struct pof_feed *f)
{
    for (uint32_t i = 0; i < f->grid->nodes; i++) {
        f->area[i] = i;
    }
    for (uint32_t b = 0; b < f->grid->branches; b++) {
        if (f->closed[b] && !read_through(f, b)) {
            uint32_t x = area_of(f, f->grid->branch[b].from);
            uint32_t y = area_of(f, f->grid->branch[b].to);
            f->area[x > y ? x : y] = x > y ? y : x;
        }
    }
}

/* What flows into each area less what is drawn there; NAN where the slack is, or nothing is read. */
static void balance(struct pof_feed *f, int q)
{
    const struct pof_grid *grid = f->grid;
    for (uint32_t i = 0; i < grid->nodes; i++) {
        f->inflow[i] = f->weight[i] = 0;
    }
    for (uint32_t b = 0; b < grid->branches; b++) {
        if (f->closed[b] && read_through(f, b)) {
            double from = f->through[2 * (size_t)b];
            double to = f->through[2 * (size_t)b + 1];
            f->inflow[area_of(f, grid->branch[b].from)] -= isnan(from) ? -to : from;
            f->inflow[area_of(f, grid->branch[b].to)] += isnan(to) ? from : -to;
        }
    }
    for (uint32_t i = 0; i < grid->nodes; i++) {
        uint32_t area = area_of(f, i);
        const struct assumed *a = &f->assumed[i];
        const struct node_sum *s = &f->sum[i];
        bool read = q ? s->read_q : s->read_p;
        f->weight[area] += a->is[q] ? a->sigma[q] : 0;
        if (grid->node[i].kind == POF_NODE_SLACK) {
            f->inflow[area] = NAN;
        } else if (a->is[q] || read) {
            f->inflow[area] -= a->value[q];
        } else if (metered(f, i)) {
            f->inflow[area] -= q ? s->q_var + grid->node[i].q_var : s->p_w + grid->node[i].p_w;
        }
    }
}

/* Shifts what is assumed in measured areas until it sums up to what flows in. */
static void allocate(struct pof_feed *f, int q)
{
    read_means(f, q ? POF_QUANTITY_Q : POF_QUANTITY_P);
    find_areas(f);
    balance(f, q);
    for (uint32_t i = 0; i < f->grid->nodes; i++) {
        uint32_t area = area_of(f, i);
        struct assumed *a = &f->assumed[i];
        if (a->is[q] && f->weight[area] > 0 && !isnan(f->inflow[area])) {
            a->value[q] += f->inflow[area] * a->sigma[q] / f->weight[area];
        }
    }
}

static int put_assumed(struct pof_feed *f, struct pof_instant *t, uint32_t i, struct pof_err *err)
{
    const struct pof_node *node = &f->grid->node[i];
    const struct assumed *a = &f->assumed[i];
    int rc = 0;
    for (int q = 0; rc == 0 && q < 2; q++) {
        struct pof_observation o = {.element = i, .quantity = q ? POF_QUANTITY_Q : POF_QUANTITY_P};
        o.value = a->value[q];
        o.sigma = a->sigma[q];
        rc = a->is[q] ? pofi_feed_put(f, t, &o, POF_ORIGIN_PSEUDO, 0, err) : 0;
    }
    if (rc == 0 && a->is[0] && node->kind == POF_NODE_PV && !f->sum[i].read_v) {
        struct pof_observation o = {.element = i, .quantity = POF_QUANTITY_V};
        o.value = node->v_set_pu * node->base_v;
        o.sigma = f->options.sigma_voltage * o.value;
        rc = pofi_feed_put(f, t, &o, POF_ORIGIN_PSEUDO, 0, err);
    }
    return rc;
}

int pofi_feed_nodes(struct pof_feed *f, struct pof_instant *t, struct pof_err *err)
{
    bool pseudo = f->options.sigma_pseudo > 0;
    int rc = 0;
    if (pseudo) {
        assume_all(f, t);
    }
    for (int q = 0; pseudo && f->options.allocate && q < 2; q++) {
        allocate(f, q);
    }
    for (uint32_t i = 0; f->sum && rc == 0 && i < f->grid->nodes; i++) {
        t->incomplete += f->sum[i].measured > 0 && !metered(f, i);
        rc = metered(f, i) ? put_metered(f, t, i, err) : pseudo ? put_assumed(f, t, i, err) : 0;
    }
    return rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "grid/estimate_feed.h"

#include "num/units.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double NOT_GOOD = 3;    /* factor on sigma of quality other than good */
static const double SIGMA_LEAST = 1; /* W, var: the records' own resolution */
static const double Q_UNKNOWN = 0.5; /* of p */

struct seen {
    int64_t start;
    struct pof_observation o;
};

struct meter {
    int64_t start;
    int64_t p_w, q_var, v_mv;
    uint32_t pod;
    uint32_t rank; /* of its name: sums must not depend on who was seen first */
    bool has_q, has_v, good;
};

/* What a node's pods come to at an instant. */
struct node_sum {
    int64_t p_w, q_var;
    double p2, q2;       /* squared standard deviations */
    uint32_t measured;
    bool read_p, read_q; /* somebody reads it directly */
};

struct pof_feed {
    const struct pof_grid *grid;
    struct pof_feed_options options;
    struct pof_names pods;
    uint32_t *pod_node;   /* [pods.n] POF_NONE until registered */
    size_t pod_cap;
    uint32_t *rank;       /* [ranked] place of each pod in the order of names */
    size_t ranked, rank_cap;
    uint32_t *registered; /* [nodes] pods there */
    struct node_sum *sum; /* [nodes] */
    struct seen *seen;
    size_t n_seen, seen_cap, at_seen;
    struct meter *meter;
    size_t n_meter, meter_cap, at_meter;
    struct pof_observation *out;
    size_t n_out, out_cap;
};

int pof_feed_new(struct pof_feed **out, const struct pof_grid *grid,
                 const struct pof_feed_options *options, struct pof_err *err)
{
    struct pof_feed *f = NULL;
    *out = NULL;
    int rc = pof_calloc(&f, 1, sizeof *f, err);
    if (rc != 0) {
        return rc;
    }
    f->grid = grid;
    f->options = *options;
    rc = pof_calloc(&f->registered, grid->nodes, sizeof *f->registered, err);
    rc = rc == 0 ? pof_calloc(&f->sum, grid->nodes, sizeof *f->sum, err) : rc;
    if (rc != 0) {
        pof_feed_free(f);
        return rc;
    }
    *out = f;
    return 0;
}

void pof_feed_free(struct pof_feed *f)
{
    if (f) {
        pof_names_release(&f->pods);
        free(f->pod_node);
        free(f->rank);
        free(f->registered);
        free(f->sum);
        free(f->seen);
        free(f->meter);
        free(f->out);
        free(f);
    }
}

void pof_feed_clear(struct pof_feed *f)
{
    f->n_seen = f->at_seen = 0;
    f->n_meter = f->at_meter = 0;
}

/* The number of a pod, known or not. */
static int pod_id(struct pof_feed *f, struct pof_text name, uint32_t *id, struct pof_err *err)
{
    size_t before = f->pods.n;
    int rc = pof_names_add(&f->pods, name, id, err);
    rc = rc == 0 ? pof_grow(&f->pod_node, &f->pod_cap, f->pods.n, sizeof *f->pod_node, err) : rc;
    if (rc == 0 && f->pods.n > before) {
        f->pod_node[*id] = POF_NONE;
    }
    return rc;
}

int pof_feed_pod(struct pof_feed *f, const struct pof_pod *pod, struct pof_err *err)
{
    uint32_t node = pof_names_find(&f->grid->node_names, pod->node);
    uint32_t id = 0;
    if (node == POF_NONE) {
        pof_fail(err, POF_E_REFERENCE, "the grid has no node '%.*s'", (int)pod->node.len,
                 pod->node.ptr);
        return pof_at(err, NULL, 0, "node");
    }
    int rc = pod_id(f, pod->pod, &id, err);
    if (rc != 0 || f->pod_node[id] == node) {
        return rc;
    }
    if (f->pod_node[id] != POF_NONE) {
        pof_fail(err, POF_E_CONFLICT, "pod '%.*s' is at node '%.*s' already", (int)pod->pod.len,
                 pod->pod.ptr, (int)f->grid->node[f->pod_node[id]].name.len,
                 f->grid->node[f->pod_node[id]].name.ptr);
        return pof_at(err, NULL, 0, "node");
    }
    f->pod_node[id] = node;
    f->registered[node]++;
    return 0;
}

int pof_feed_reading(struct pof_feed *f, const struct pof_reading *r, struct pof_err *err)
{
    struct seen s = {.start = r->start};
    s.o.branch = r->element == 1;
    s.o.quantity = (uint8_t)r->quantity;
    s.o.to = POF_HAS(r, reading, end) && r->end == 1;
    s.o.value = r->value;
    s.o.sigma = r->sigma;
    s.o.element =
        pof_names_find(s.o.branch ? &f->grid->branch_names : &f->grid->node_names, r->name);
    if (s.o.element == POF_NONE) {
        pof_fail(err, POF_E_REFERENCE, "the grid has no %s '%.*s'", s.o.branch ? "branch" : "node",
                 (int)r->name.len, r->name.ptr);
        return pof_at(err, NULL, 0, "name");
    }
    if (!s.o.branch && POF_HAS(r, reading, end)) {
        pof_fail(err, POF_E_PHYSICS, "a node has no end: expected it at branches only");
        return pof_at(err, NULL, 0, "end");
    }
    int rc = pof_se_accepts(f->grid, &s.o, err);
    if (rc != 0) {
        return pof_at(err, NULL, 0,
                      rc == POF_E_RANGE ? "sigma" : s.o.value < 0 ? "value" : "quantity");
    }
    rc = pof_grow(&f->seen, &f->seen_cap, f->n_seen + 1, sizeof *f->seen, err);
    if (rc == 0) {
        f->seen[f->n_seen++] = s;
    }
    return rc;
}

int pof_feed_measurement(struct pof_feed *f, const struct pof_measurement *m, struct pof_err *err)
{
    struct meter x = {.start = m->start, .p_w = m->p_w};
    int rc = pod_id(f, m->pod, &x.pod, err);
    rc = rc == 0 ? pof_grow(&f->meter, &f->meter_cap, f->n_meter + 1, sizeof *f->meter, err) : rc;
    if (rc != 0) {
        return rc;
    }
    x.has_q = POF_HAS(m, measurement, q_var);
    x.q_var = x.has_q ? m->q_var : 0;
    x.has_v = POF_HAS(m, measurement, v_mv) && m->v_mv > 0;
    x.v_mv = x.has_v ? m->v_mv : 0;
    x.good = !POF_HAS(m, measurement, quality) || m->quality == 0;
    f->meter[f->n_meter++] = x;
    return 0;
}

static int by_seen(const void *a, const void *b)
{
    const struct seen *x = a;
    const struct seen *y = b;
    int c = (x->start > y->start) - (x->start < y->start);
    c = c != 0 ? c : (int)x->o.branch - (int)y->o.branch;
    c = c != 0 ? c : (x->o.element > y->o.element) - (x->o.element < y->o.element);
    c = c != 0 ? c : (int)x->o.to - (int)y->o.to;
    c = c != 0 ? c : (int)x->o.quantity - (int)y->o.quantity;
    c = c != 0 ? c : (x->o.value > y->o.value) - (x->o.value < y->o.value);
    return c != 0 ? c : (x->o.sigma > y->o.sigma) - (x->o.sigma < y->o.sigma);
}

static int by_meter(const void *a, const void *b)
{
    const struct meter *x = a;
    const struct meter *y = b;
    int c = (x->start > y->start) - (x->start < y->start);
    return c != 0 ? c : (x->rank > y->rank) - (x->rank < y->rank);
}

static bool same_meter(const struct meter *x, const struct meter *y)
{
    return x->p_w == y->p_w && x->q_var == y->q_var && x->v_mv == y->v_mv &&
           x->has_q == y->has_q && x->has_v == y->has_v && x->good == y->good;
}

struct named {
    struct pof_text name;
    uint32_t id;
};

static int by_name(const void *a, const void *b)
{
    return pof_text_cmp(((const struct named *)a)->name, ((const struct named *)b)->name);
}

/* Ranks pods by name, again only when there are new ones. */
static int rank_pods(struct pof_feed *f, struct pof_err *err)
{
    struct named *list = NULL;
    size_t n = f->pods.n;
    if (f->ranked == n) {
        return 0;
    }
    int rc = pof_calloc(&list, n, sizeof *list, err);
    rc = rc == 0 ? pof_grow(&f->rank, &f->rank_cap, n, sizeof *f->rank, err) : rc;
    if (rc == 0) {
        for (uint32_t i = 0; i < n; i++) {
            list[i] = (struct named){f->pods.text[i], i};
        }
        qsort(list, n, sizeof *list, by_name);
        for (uint32_t i = 0; i < n; i++) {
            f->rank[list[i].id] = i;
        }
        f->ranked = n;
    }
    free(list);
    return rc;
}

int pof_feed_sort(struct pof_feed *f, struct pof_err *err)
{
    int rc = rank_pods(f, err);
    if (rc != 0) {
        return rc;
    }
    for (size_t i = 0; i < f->n_meter; i++) {
        struct pof_text name = f->pods.text[f->meter[i].pod];
        f->meter[i].rank = f->rank[f->meter[i].pod];
        if (f->pod_node[f->meter[i].pod] == POF_NONE) {
            return pof_fail(err, POF_E_REFERENCE,
                            "pod '%.*s' is measured but not registered: expected a pod record",
                            (int)name.len, name.ptr);
        }
    }
    if (f->n_seen > 0) {
        qsort(f->seen, f->n_seen, sizeof *f->seen, by_seen);
    }
    if (f->n_meter > 0) {
        qsort(f->meter, f->n_meter, sizeof *f->meter, by_meter);
    }
    for (size_t i = 1; i < f->n_meter; i++) {
        const struct meter *x = &f->meter[i - 1];
        if (by_meter(x, x + 1) == 0 && !same_meter(x, x + 1)) {
            struct pof_text name = f->pods.text[x->pod];
            return pof_fail(err, POF_E_CONFLICT, "pod '%.*s' has two measurements of one instant",
                            (int)name.len, name.ptr);
        }
    }
    f->at_seen = f->at_meter = 0;
    return 0;
}

static int put(struct pof_feed *f, const struct pof_observation *o, struct pof_err *err)
{
    int rc = pof_grow(&f->out, &f->out_cap, f->n_out + 1, sizeof *f->out, err);
    if (rc == 0) {
        f->out[f->n_out++] = *o;
    }
    return rc;
}

static int take_readings(struct pof_feed *f, struct pof_instant *t, struct pof_err *err)
{
    int rc = 0;
    for (; rc == 0 && f->at_seen < f->n_seen && f->seen[f->at_seen].start == t->start;
         f->at_seen++) {
        const struct seen *s = &f->seen[f->at_seen];
        if (f->at_seen > 0 && by_seen(s - 1, s) == 0) {
            t->repeated++;
            continue;
        }
        if (!s->o.branch) {
            f->sum[s->o.element].read_p |= s->o.quantity == POF_QUANTITY_P;
            f->sum[s->o.element].read_q |= s->o.quantity == POF_QUANTITY_Q;
        }
        rc = put(f, &s->o, err);
    }
    return rc;
}

static int take_meter(struct pof_feed *f, const struct meter *m, struct pof_err *err)
{
    uint32_t node = f->pod_node[m->pod];
    struct node_sum *sum = &f->sum[node];
    double wider = m->good ? 1 : NOT_GOOD;
    double share = f->options.sigma_meter;
    double p = fabs((double)m->p_w);
    double sp = fmax(share * p, SIGMA_LEAST) * wider;
    double sq = fmax(m->has_q ? share * fabs((double)m->q_var) : Q_UNKNOWN * p, SIGMA_LEAST) * wider;
    int rc = pof_add(&sum->p_w, m->p_w, err);
    rc = rc == 0 ? pof_add(&sum->q_var, m->q_var, err) : rc;
    sum->p2 += sp * sp;
    sum->q2 += sq * sq;
    sum->measured++;
    if (rc == 0 && m->has_v) {
        double v = sqrt(3) * (double)m->v_mv / 1000;
        struct pof_observation o = {.element = node, .quantity = POF_QUANTITY_V, .value = v};
        o.sigma = f->options.sigma_voltage * v * wider;
        rc = put(f, &o, err);
    }
    return rc;
}

static int take_meters(struct pof_feed *f, int64_t start, struct pof_err *err)
{
    int rc = 0;
    for (; rc == 0 && f->at_meter < f->n_meter && f->meter[f->at_meter].start == start;
         f->at_meter++) {
        const struct meter *m = &f->meter[f->at_meter];
        bool again = f->at_meter > 0 && by_meter(m - 1, m) == 0;
        rc = again ? 0 : take_meter(f, m, err);
    }
    return rc;
}

/* A node's consumption: fixed, and what its pods' meters say. */
static int put_power(struct pof_feed *f, uint32_t i, double pods_square, bool reactive,
                     struct pof_err *err)
{
    const struct pof_node *node = &f->grid->node[i];
    double fixed = reactive ? node->q_var : node->p_w;
    double size = f->registered[i] > 0 ? fabs(fixed) : fmax(fabs(fixed), node->rated_w);
    double of_fixed = f->options.sigma_fixed * size;
    struct pof_observation o = {.element = i,
                                .quantity = reactive ? POF_QUANTITY_Q : POF_QUANTITY_P};
    o.value = fixed + (double)(reactive ? f->sum[i].q_var : f->sum[i].p_w);
    o.sigma = fmax(sqrt(pods_square + of_fixed * of_fixed), SIGMA_LEAST);
    return put(f, &o, err);
}

/* Pseudo-readings of nodes, in the order of the grid. Where measurements are complete they count
 * beside a direct reading; an assumption never does. */
static int put_nodes(struct pof_feed *f, struct pof_instant *t, struct pof_err *err)
{
    int rc = 0;
    for (uint32_t i = 0; rc == 0 && i < f->grid->nodes; i++) {
        const struct pof_node *node = &f->grid->node[i];
        const struct node_sum *s = &f->sum[i];
        bool pods = s->measured > 0 && s->measured == f->registered[i];
        bool assumed = f->options.sigma_fixed > 0 && f->registered[i] == 0 &&
                       node->kind != POF_NODE_SLACK && !node->zero_injection;
        t->incomplete += s->measured > 0 && s->measured < f->registered[i];
        if (pods || (assumed && !s->read_p)) {
            rc = put_power(f, i, s->p2, false, err);
        }
        if (rc == 0 && (pods || (assumed && !s->read_q))) {
            rc = put_power(f, i, s->q2, true, err);
        }
    }
    return rc;
}

int pof_feed_next(struct pof_feed *f, struct pof_instant *t, struct pof_err *err)
{
    bool readings = f->at_seen < f->n_seen;
    bool meters = f->at_meter < f->n_meter;
    if (!readings && !meters) {
        return 0;
    }
    int64_t first = readings ? f->seen[f->at_seen].start : INT64_MAX;
    int64_t other = meters ? f->meter[f->at_meter].start : INT64_MAX;
    *t = (struct pof_instant){.start = first < other ? first : other};
    f->n_out = 0;
    memset(f->sum, 0, f->grid->nodes * sizeof *f->sum);
    int rc = take_readings(f, t, err);
    rc = rc == 0 ? take_meters(f, t->start, err) : rc;
    rc = rc == 0 ? put_nodes(f, t, err) : rc;
    t->observation = f->out;
    t->n = f->n_out;
    return rc == 0 ? 1 : rc;
}

static void put_node(const struct pof_se_result *r, const struct pof_se_check *check,
                     const struct pof_grid *grid, uint32_t i, struct pof_state *s)
{
    s->element = 0;
    s->name = grid->node[i].name;
    s->v_pu = r->v_pu[i];
    s->angle_deg = r->angle[i] * (180 / 3.14159265358979323846);
    s->p_w = r->p_w[i];
    s->q_var = r->q_var[i];
    POF_SET(s, state, v_pu);
    if (r->v_pu[i] > 0) {
        POF_SET(s, state, angle_deg);
    }
    POF_SET(s, state, p_w);
    POF_SET(s, state, q_var);
    if (check && r->v_pu[i] > 0) {
        s->sd_v_pu = check->sd_v_pu[i];
        POF_SET(s, state, sd_v_pu);
    }
}

static void put_branch(const struct pof_se_result *r, const struct pof_grid *grid, uint32_t b,
                       struct pof_state *s)
{
    s->element = 1;
    s->name = grid->branch[b].name;
    s->p_w = r->p_from_w[b];
    s->q_var = r->q_from_var[b];
    s->p_to_w = r->p_to_w[b];
    s->q_to_var = r->q_to_var[b];
    s->i_a = r->i_a[b];
    POF_SET(s, state, p_w);
    POF_SET(s, state, q_var);
    POF_SET(s, state, p_to_w);
    POF_SET(s, state, q_to_var);
    POF_SET(s, state, i_a);
    if (grid->branch[b].rating_va > 0) {
        s->loading_pct = 100 * r->loading[b];
        POF_SET(s, state, loading_pct);
    }
}

int pof_se_put_state(const struct pof_se *se, const struct pof_se_check *check,
                     const struct pof_grid *grid, int64_t start, struct pof_writer *out,
                     struct pof_err *err)
{
    struct pof_se_result r;
    int rc = 0;
    pof_se_result(se, &r);
    for (uint32_t i = 0; rc == 0 && i < grid->nodes; i++) {
        struct pof_state s = {.start = start};
        put_node(&r, check, grid, i, &s);
        rc = pof_writer_put(out, POF_state, &s, err);
    }
    for (uint32_t b = 0; rc == 0 && b < grid->branches; b++) {
        struct pof_state s = {.start = start};
        put_branch(&r, grid, b, &s);
        rc = pof_writer_put(out, POF_state, &s, err);
    }
    return rc;
}

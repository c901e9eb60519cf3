/* SPDX-License-Identifier: Apache-2.0 */
#include "grid/estimate_feed_impl.h"

#include "base/bucket.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The word `closed` of quantities stands behind those of enum pof_quantity. */
enum { QUANTITY_CLOSED = POF_QUANTITY_I_ANGLE_TO_V + 1 };

static int make_arrays(struct pof_feed *f, struct pof_err *err)
{
    size_t nodes = f->grid->nodes;
    size_t branches = f->grid->branches;
    int rc = pof_calloc(&f->registered, nodes, sizeof *f->registered, err);
    rc = rc == 0 ? pof_calloc(&f->closed, branches, sizeof *f->closed, err) : rc;
    if (rc != 0 || !(f->options.sigma_pseudo > 0)) {
        return rc; /* nothing is assumed */
    }
    rc = rc == 0 ? pof_calloc(&f->assumed, nodes, sizeof *f->assumed, err) : rc;
    rc = rc == 0 ? pof_calloc(&f->area, nodes, sizeof *f->area, err) : rc;
    rc = rc == 0 ? pof_calloc(&f->inflow, nodes, sizeof *f->inflow, err) : rc;
    rc = rc == 0 ? pof_calloc(&f->weight, nodes, sizeof *f->weight, err) : rc;
    return rc == 0 ? pof_calloc(&f->through, 2 * branches, sizeof *f->through, err) : rc;
}

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
    f->now = INT64_MIN;
    rc = make_arrays(f, err);
    if (rc != 0) {
        pof_feed_free(f);
        return rc;
    }
    for (uint32_t b = 0; b < grid->branches; b++) {
        f->closed[b] = grid->branch[b].closed;
    }
    *out = f;
    return 0;
}

void pof_feed_free(struct pof_feed *f)
{
    if (!f) {
        return;
    }
    pof_names_release(&f->pods);
    void *owned[] = {f->pod_node, f->rank,   f->by_rank, f->registered, f->sum,  f->seen,
                     f->meter,    f->expected, f->position, f->held,    f->last,
                     f->closed,   f->out,    f->origin,  f->age,        f->assumed, f->area,
                     f->inflow,   f->weight, f->through};
    for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++) {
        free(owned[i]);
    }
    free(f);
}

/* Switches stay where they were last seen. */
static void apply_positions(struct pof_feed *f, int64_t until)
{
    for (; f->at_position < f->n_position && f->position[f->at_position].start <= until;
         f->at_position++) {
        const struct position *x = &f->position[f->at_position];
        f->moved |= f->closed[x->branch] != x->closed;
        f->closed[x->branch] = x->closed;
    }
}

void pof_feed_rewind(struct pof_feed *f)
{
    f->at_seen = f->at_meter = f->at_position = f->n_held = 0;
    f->now = INT64_MIN;
    f->moved = false;
    for (uint32_t b = 0; b < f->grid->branches; b++) {
        f->closed[b] = f->grid->branch[b].closed;
    }
    if (f->ranked > 0) {
        memset(f->last, 0, f->ranked * sizeof *f->last);
    }
}

void pof_feed_clear(struct pof_feed *f)
{
    size_t keep = 0;
    for (size_t i = 0; i < f->n_expected; i++) {
        if (f->expected[i].end > f->now) {
            f->expected[keep++] = f->expected[i];
        }
    }
    f->n_expected = keep;
    f->n_seen = f->at_seen = 0;
    f->n_meter = f->at_meter = 0;
    apply_positions(f, INT64_MAX);
    f->n_position = f->at_position = 0;
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

/* A switch was seen open or closed. */
static int take_position(struct pof_feed *f, const struct pof_reading *r, struct pof_err *err)
{
    struct position x = {.start = r->start, .closed = r->value > 0};
    x.branch = pof_names_find(&f->grid->branch_names, r->name);
    if (r->element != 1 || POF_HAS(r, reading, end)) {
        pof_fail(err, POF_E_PHYSICS, "'closed' is of a branch as a whole: expected no node, no end");
        return pof_at(err, NULL, 0, r->element != 1 ? "element" : "end");
    }
    if (x.branch == POF_NONE) {
        pof_fail(err, POF_E_REFERENCE, "the grid has no branch '%.*s'", (int)r->name.len,
                 r->name.ptr);
        return pof_at(err, NULL, 0, "name");
    }
    if (r->value < 0 || (r->value > 0 && r->value < 1) || r->value > 1) {
        pof_fail(err, POF_E_RANGE, "'closed' is %g: expected 0 (open) or 1 (closed)", r->value);
        return pof_at(err, NULL, 0, "value");
    }
    int rc = pof_grow(&f->position, &f->position_cap, f->n_position + 1, sizeof *f->position, err);
    if (rc == 0) {
        f->position[f->n_position++] = x;
    }
    return rc;
}

static int take_reading(struct pof_feed *f, const struct pof_reading *r, struct pof_err *err)
{
    struct seen s = {.start = r->start};
    s.o.branch = r->element == 1;
    s.o.quantity = (uint8_t)r->quantity;
    s.o.to = POF_HAS(r, reading, end) && r->end == 1;
    s.o.phase = POF_HAS(r, reading, phase) ? (uint8_t)(r->phase + 1) : 0;
    s.o.value = r->value;
    s.o.sigma = r->sigma;
    s.o.rho = POF_HAS(r, reading, rho) ? r->rho : 0;
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

struct pof_reading pof_reading_of(const struct pof_grid *grid, const struct pof_observation *o,
                                  int64_t start)
{
    struct pof_reading r = {.element = o->branch ? 1 : 0,
                            .name = o->branch ? grid->branch[o->element].name : grid->node[o->element].name,
                            .start = start,
                            .quantity = o->quantity,
                            .value = o->value,
                            .sigma = o->sigma,
                            .rho = o->rho};
    if (o->rho != 0) {
        POF_SET(&r, reading, rho);
    }
    if (o->branch) {
        r.end = o->to;
        POF_SET(&r, reading, end);
    }
    if (o->phase > 0) {
        r.phase = o->phase - 1;
        POF_SET(&r, reading, phase);
    }
    return r;
}

int pof_feed_observation(struct pof_feed *f, int64_t start, const struct pof_observation *o,
                         struct pof_err *err)
{
    int rc = pof_grow(&f->seen, &f->seen_cap, f->n_seen + 1, sizeof *f->seen, err);
    if (rc == 0) {
        f->seen[f->n_seen++] = (struct seen){.start = start, .o = *o};
    }
    return rc;
}

int pof_feed_reading(struct pof_feed *f, const struct pof_reading *r, struct pof_err *err)
{
    return r->quantity == QUANTITY_CLOSED ? take_position(f, r, err) : take_reading(f, r, err);
}

int pof_feed_measurement(struct pof_feed *f, const struct pof_measurement *m, struct pof_err *err)
{
    struct meter x = {.start = m->start, .p_w = m->p_w, .duration_s = (int32_t)m->duration_s};
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

int pof_feed_baseline(struct pof_feed *f, const struct pof_baseline *b, struct pof_err *err)
{
    struct expected x = {.start = b->start, .end = b->start + b->duration_s, .p_w = b->p_w};
    int rc = pod_id(f, b->pod, &x.pod, err);
    rc = rc ? rc
            : pof_grow(&f->expected, &f->expected_cap, f->n_expected + 1, sizeof *f->expected, err);
    if (rc != 0) {
        return rc;
    }
    x.has_q = POF_HAS(b, baseline, q_var);
    x.q_var = x.has_q ? b->q_var : 0;
    f->expected[f->n_expected++] = x;
    return 0;
}

static int by_meter(const void *a, const void *b)
{
    const struct meter *x = a;
    const struct meter *y = b;
    int c = (x->start > y->start) - (x->start < y->start);
    return c != 0 ? c : (x->rank > y->rank) - (x->rank < y->rank);
}

static int by_expected(const void *a, const void *b)
{
    const struct expected *x = a;
    const struct expected *y = b;
    int c = (x->rank > y->rank) - (x->rank < y->rank);
    return c != 0 ? c : (x->start > y->start) - (x->start < y->start);
}

static int by_position(const void *a, const void *b)
{
    const struct position *x = a;
    const struct position *y = b;
    int c = (x->start > y->start) - (x->start < y->start);
    c = c != 0 ? c : (x->branch > y->branch) - (x->branch < y->branch);
    return c != 0 ? c : (int)x->closed - (int)y->closed;
}

static bool same_meter(const struct meter *x, const struct meter *y)
{
    return x->p_w == y->p_w && x->q_var == y->q_var && x->v_mv == y->v_mv &&
           x->has_q == y->has_q && x->has_v == y->has_v && x->good == y->good &&
           x->duration_s == y->duration_s;
}

static bool same_expected(const struct expected *x, const struct expected *y)
{
    return x->end == y->end && x->p_w == y->p_w && x->q_var == y->q_var && x->has_q == y->has_q;
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
    rc = rc == 0 ? pof_grow(&f->by_rank, &f->by_rank_cap, n, sizeof *f->by_rank, err) : rc;
    rc = rc == 0 ? pof_grow(&f->last, &f->last_cap, n, sizeof *f->last, err) : rc;
    if (rc == 0) {
        memset(f->last + f->ranked, 0, (n - f->ranked) * sizeof *f->last);
        for (uint32_t i = 0; i < n; i++) {
            list[i] = (struct named){f->pods.text[i], i};
        }
        qsort(list, n, sizeof *list, by_name);
        for (uint32_t i = 0; i < n; i++) {
            f->rank[list[i].id] = i;
            f->by_rank[i] = list[i].id;
        }
        f->ranked = n;
    }
    free(list);
    return rc;
}

static int registered(const struct pof_feed *f, uint32_t pod, const char *what, struct pof_err *err)
{
    struct pof_text name = f->pods.text[pod];
    if (f->pod_node[pod] != POF_NONE) {
        return 0;
    }
    return pof_fail(err, POF_E_REFERENCE,
                    "pod '%.*s' %s but not registered: expected a pod record", (int)name.len,
                    name.ptr, what);
}

static int contradicts(const struct pof_feed *f, uint32_t pod, const char *what,
                       struct pof_err *err)
{
    struct pof_text name = f->pods.text[pod];
    return pof_fail(err, POF_E_CONFLICT, "pod '%.*s' has two %s of one instant", (int)name.len,
                    name.ptr, what);
}

static int sort_meters(struct pof_feed *f, struct pof_err *err)
{
    for (size_t i = 0; i < f->n_meter; i++) {
        f->meter[i].rank = f->rank[f->meter[i].pod];
        int rc = registered(f, f->meter[i].pod, "is measured", err);
        if (rc != 0) {
            return rc;
        }
    }
    if (f->n_meter > 0) {
        qsort(f->meter, f->n_meter, sizeof *f->meter, by_meter);
    }
    for (size_t i = 1; i < f->n_meter; i++) {
        const struct meter *x = &f->meter[i - 1];
        if (by_meter(x, x + 1) == 0 && !same_meter(x, x + 1)) {
            return contradicts(f, x->pod, "measurements", err);
        }
    }
    return 0;
}

static int sort_expected(struct pof_feed *f, struct pof_err *err)
{
    for (size_t i = 0; i < f->n_expected; i++) {
        f->expected[i].rank = f->rank[f->expected[i].pod];
        int rc = registered(f, f->expected[i].pod, "has a baseline", err);
        if (rc != 0) {
            return rc;
        }
    }
    if (f->n_expected > 0) {
        qsort(f->expected, f->n_expected, sizeof *f->expected, by_expected);
    }
    for (size_t i = 1; i < f->n_expected; i++) {
        const struct expected *x = &f->expected[i - 1];
        if (by_expected(x, x + 1) == 0 && !same_expected(x, x + 1)) {
            return contradicts(f, x->pod, "baselines", err);
        }
    }
    return 0;
}

static int sort_positions(struct pof_feed *f, struct pof_err *err)
{
    if (f->n_position > 0) {
        qsort(f->position, f->n_position, sizeof *f->position, by_position);
    }
    for (size_t i = 1; i < f->n_position; i++) {
        const struct position *x = &f->position[i - 1];
        struct pof_text name = f->grid->branch[x->branch].name;
        if (x->start == x[1].start && x->branch == x[1].branch && x->closed != x[1].closed) {
            return pof_fail(err, POF_E_CONFLICT, "branch '%.*s' is open and closed at one instant",
                            (int)name.len, name.ptr);
        }
    }
    return 0;
}

/* One instant, as a file's own readings are, is sorted by its elements. */
static int sort_seen(struct pof_feed *f, struct pof_err *err)
{
    uint32_t nodes = f->grid->nodes, *key = NULL;
    size_t same = 0;
    while (same < f->n_seen && f->seen[same].start == f->seen[0].start) {
        same++;
    }
    if (same < f->n_seen) {
        qsort(f->seen, f->n_seen, sizeof *f->seen, pofi_by_seen);
        return 0;
    }
    int rc = pof_alloc(&key, f->n_seen, sizeof *key, err);
    for (size_t i = 0; rc == 0 && i < f->n_seen; i++) {
        const struct pof_observation *o = &f->seen[i].o;
        key[i] = o->branch ? nodes + o->element : o->element;
    }
    rc = rc ? rc : pof_bucket_sort(f->seen, f->n_seen, sizeof *f->seen, key,
                                   nodes + f->grid->branches, pofi_by_seen, err);
    free(key);
    return rc;
}

int pof_feed_sort(struct pof_feed *f, struct pof_err *err)
{
    int rc = rank_pods(f, err);
    rc = rc == 0 ? sort_meters(f, err) : rc;
    rc = rc == 0 ? sort_expected(f, err) : rc;
    rc = rc == 0 ? sort_positions(f, err) : rc;
    rc = rc == 0 ? sort_seen(f, err) : rc;
    f->at_seen = f->at_meter = f->at_position = 0;
    return rc;
}

int pofi_feed_put(struct pof_feed *f, struct pof_instant *t, const struct pof_observation *o,
                  enum pof_origin origin, int64_t age_s, struct pof_err *err)
{
    int rc = pof_grow(&f->out, &f->out_cap, f->n_out + 1, sizeof *f->out, err);
    rc = rc == 0 ? pof_grow(&f->origin, &f->origin_cap, f->n_out + 1, sizeof *f->origin, err) : rc;
    rc = rc == 0 ? pof_grow(&f->age, &f->age_cap, f->n_out + 1, sizeof *f->age, err) : rc;
    if (rc != 0) {
        return rc;
    }
    f->out[f->n_out] = *o;
    f->origin[f->n_out] = (uint8_t)origin;
    f->age[f->n_out++] = age_s;
    t->pseudo += origin == POF_ORIGIN_PSEUDO;
    t->aged += age_s > 0;
    t->oldest_s = age_s > t->oldest_s ? age_s : t->oldest_s;
    return 0;
}

/* What is known of nodes, where somebody asks: their meters or what is to be assumed. */
static int clear_sums(struct pof_feed *f, struct pof_err *err)
{
    size_t nodes = f->grid->nodes;
    bool wanted = f->pods.n > 0 || f->options.sigma_pseudo > 0;
    int rc = !wanted || f->sum ? 0 : pof_alloc(&f->sum, nodes, sizeof *f->sum, err);
    if (rc == 0 && wanted) {
        memset(f->sum, 0, nodes * sizeof *f->sum);
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
    f->now = t->start;
    apply_positions(f, t->start);
    t->closed = f->closed;
    t->switched = f->moved;
    f->moved = false;
    int rc = clear_sums(f, err);
    rc = rc ? rc : pofi_feed_readings(f, t, err);
    rc = rc == 0 ? pofi_feed_meters(f, t, err) : rc;
    rc = rc == 0 ? pofi_feed_nodes(f, t, err) : rc;
    t->observation = f->out;
    t->origin = f->origin;
    t->age_s = f->age;
    t->n = f->n_out;
    return rc == 0 ? 1 : rc;
}

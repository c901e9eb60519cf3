/* SPDX-License-Identifier: Apache-2.0 */
/* Violations of one quarter-hour, and how much change of load below which branch cures them. */
#include "market/least.h"
#include "market/request_impl.h"
#include "num/units.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Rounding in the power flow is no violation, and no watt less of a limit. */
#define NOISE 1e-9
#define MILLIWATT 1e-3

/* More rounds than any grid needed in tests; what is left then is reported. */
enum { ROUNDS_MAX = 500 };

struct violation {
    enum pof_violation kind;
    uint32_t element;
    double value, limit;
};

static int solve(const struct sizing *s, struct bench *b, const double *p_w, uint32_t quarter,
                 bool cold, enum pof_pf_status *status, struct pof_err *err)
{
    const double *q_var = s->forecast->q_var + (size_t)quarter * s->grid->nodes;
    return pof_pf_solve(b->pf, p_w, q_var, cold, status, err);
}

/* --- finding --- */

/* A side of the forecast's error: 1, more is consumed, what calls for up counts; -1, more is generated, what calls for
 * down; 0, the forecast itself, both. */
static bool overloaded(const struct sizing *s, const struct pof_pf_result *r, uint32_t branch, int side)
{
    if (s->feeder.child[branch] == POF_NONE || r->loading[branch] <= s->options->max_loading + NOISE) {
        return false;
    }
    struct pof_feeder_flow flow = pof_feeder_flow(&s->feeder, r, branch);
    return side == 0 || (flow.p_w[0] + flow.p_w[1] >= 0) == (side > 0);
}

static bool voltage_violated(const struct sizing *s, const struct pof_pf_result *r, uint32_t node, int side,
                             struct violation *v)
{
    const struct pof_node *n = &s->grid->node[node];
    double v_pu = r->v_pu[node];
    if (s->feeder.place[node] == POF_NONE) {
        return false;
    }
    if (v_pu < n->v_min_pu - NOISE) {
        *v = (struct violation){POF_VIOLATION_VOLTAGE_LOW, node, v_pu, n->v_min_pu};
        return side >= 0;
    }
    *v = (struct violation){POF_VIOLATION_VOLTAGE_HIGH, node, v_pu, n->v_max_pu};
    return v_pu > n->v_max_pu + NOISE && side <= 0;
}

/* How many violations there are, and by how much in all, as shares of limits. */
static void count(const struct sizing *s, const struct pof_pf_result *r, int side, struct look *to)
{
    struct violation v;
    for (uint32_t i = 0; i < s->grid->branches; i++) {
        if (overloaded(s, r, i, side)) {
            to->violations++;
            to->excess += r->loading[i] / s->options->max_loading - 1;
        }
    }
    for (uint32_t i = 0; i < s->grid->nodes; i++) {
        if (voltage_violated(s, r, i, side, &v)) {
            to->violations++;
            to->excess += fabs(v.value / v.limit - 1);
        }
    }
}

/* The deepest overload, else the worst voltage; false: none that was not given up. */
static bool pick(const struct sizing *s, const struct bench *b, const struct pof_pf_result *r,
                 struct violation *worst)
{
    bool found = false;
    uint32_t deepest = 0;
    for (uint32_t i = 0; i < s->grid->branches; i++) {
        if (!b->given_up_branch[i] && overloaded(s, r, i, b->side)) {
            uint32_t depth = s->feeder.depth[s->feeder.child[i]];
            if (!found || depth > deepest) {
                deepest = depth;
                *worst = (struct violation){POF_VIOLATION_LOADING, i, r->loading[i],
                                            s->options->max_loading};
                found = true;
            }
        }
    }
    double most = 0;
    for (uint32_t i = 0; !deepest && i < s->grid->nodes; i++) {
        struct violation v;
        if (!b->given_up_node[i] && voltage_violated(s, r, i, b->side, &v) &&
            fabs(v.value - v.limit) > most) {
            most = fabs(v.value - v.limit);
            *worst = v;
            found = true;
        }
    }
    return found;
}

/* --- where --- */

static double flexible_below(const struct sizing *s, uint32_t branch, int direction)
{
    const struct pof_feeder *f = &s->feeder;
    uint32_t child = f->child[branch];
    double sum = 0;
    for (uint32_t at = f->place[child]; at < f->past[child]; at++) {
        sum += s->flexible_w[direction][f->at[at]];
    }
    return sum;
}

/* The area of a voltage violation; POF_NONE at the root, where nothing helps. */
static uint32_t voltage_area(const struct sizing *s, uint32_t node, int direction)
{
    const struct pof_tree *t = &s->feeder.tree;
    uint32_t at = node;
    if (t->parent[at] == POF_NONE) {
        return POF_NONE;
    }
    double enough = POF_REQUEST_EFFECTIVE * s->feeder.r_path[node];
    for (uint32_t up = t->parent[at]; t->parent[up] != POF_NONE && s->feeder.r_path[up] >= enough;
         up = t->parent[up]) {
        at = up;
    }
    uint32_t wide = at;
    while (flexible_below(s, t->parent_branch[wide], direction) <= 0) {
        wide = t->parent[wide];
        if (t->parent[wide] == POF_NONE) {
            return t
                ->parent_branch[at]; /* nothing is flexible anywhere: the need stays where it is */
        }
    }
    return t->parent_branch[wide];
}

static bool locate(const struct sizing *s, const struct pof_pf_result *r, const struct violation *v,
                   uint32_t *branch, int *direction)
{
    if (v->kind == POF_VIOLATION_LOADING) {
        struct pof_feeder_flow flow = pof_feeder_flow(&s->feeder, r, v->element);
        *branch = v->element;
        *direction = flow.p_w[0] + flow.p_w[1] >= 0 ? POF_UP : POF_DOWN;
        return true;
    }
    *direction = v->kind == POF_VIOLATION_VOLTAGE_LOW ? POF_UP : POF_DOWN;
    *branch = voltage_area(s, v->element, *direction);
    return *branch != POF_NONE;
}

/* --- how much --- */

/* How a change below a branch is spread over its nodes: shares that add up to 1. */
static void spread(const struct sizing *s, struct bench *b, uint32_t branch, int direction)
{
    const struct pof_feeder *f = &s->feeder;
    uint32_t child = f->child[branch];
    bool flexible = flexible_below(s, branch, direction) > 0;
    double sum = 0;
    memset(b->weight, 0, s->grid->nodes * sizeof *b->weight);
    for (uint32_t at = f->place[child]; at < f->past[child]; at++) {
        uint32_t node = f->at[at];
        double load = b->p_w[node] + s->grid->node[node].p_w;
        b->weight[node] = flexible ? s->flexible_w[direction][node] : fabs(load);
        sum += b->weight[node];
    }
    if (sum <= 0) {
        b->weight[child] = sum = 1;
    }
    for (uint32_t at = f->place[child]; at < f->past[child]; at++) {
        b->weight[f->at[at]] /= sum;
    }
}

/* Effects of a watt at each node of an area, to first order, relative to each other. On a voltage:
 * the resistance of the common path. On the flow of the branch itself: 1 and the losses it causes
 * or saves on its way, d/dP of r (P^2 + Q^2) / V^2. */
static void find_effects(const struct sizing *s, struct bench *b, const struct pof_pf_result *r,
                         const struct violation *v, uint32_t branch)
{
    const struct pof_feeder *f = &s->feeder;
    uint32_t child = f->child[branch];
    for (uint32_t at = f->place[child]; at < f->past[child]; at++) {
        uint32_t node = f->at[at];
        if (v->kind != POF_VIOLATION_LOADING) {
            b->effect[node] = pof_feeder_common_r(f, v->element, node);
        } else if (node == child) {
            b->effect[node] = 1;
        } else {
            uint32_t way = f->tree.parent_branch[node];
            struct pof_feeder_flow flow = pof_feeder_flow(f, r, way);
            double losses = 2 * s->grid->branch[way].r * flow.p_w[0] / s->grid->base_va /
                            (flow.v_pu[0] * flow.v_pu[0]);
            b->effect[node] = b->effect[f->tree.parent[node]] + losses;
        }
    }
}

/* How much more it takes when all of it comes from where it helps least. */
static double least_favourable(const struct sizing *s, const struct bench *b, uint32_t branch)
{
    const struct pof_feeder *f = &s->feeder;
    uint32_t child = f->child[branch];
    double mean = 0;
    double least = INFINITY;
    for (uint32_t at = f->place[child]; at < f->past[child]; at++) {
        uint32_t node = f->at[at];
        if (b->weight[node] > 0) {
            mean += b->weight[node] * b->effect[node];
            least = fmin(least, b->effect[node]);
        }
    }
    return least > 0 ? fmax(mean / least, 1) : 1;
}

/* One need under test, for pof_least. */
struct trial {
    const struct sizing *sizing;
    struct bench *bench;
    const struct violation *violation;
    uint32_t quarter;
    uint32_t branch;
    int direction;
};

static void apply(const struct trial *t, int64_t x, double *p_w)
{
    const struct pof_feeder *f = &t->sizing->feeder;
    uint32_t child = f->child[t->branch];
    double change = t->direction == POF_UP ? -(double)x : (double)x;
    memcpy(p_w, t->bench->p_w, t->sizing->grid->nodes * sizeof *p_w);
    for (uint32_t at = f->place[child]; at < f->past[child]; at++) {
        p_w[f->at[at]] += change * t->bench->weight[f->at[at]];
    }
}

/* What the element is beyond its limit less the margin. */
static double excess_of(const struct sizing *s, const struct pof_pf_result *r,
                        const struct violation *v)
{
    double margin = s->options->margin;
    switch (v->kind) {
    case POF_VIOLATION_LOADING:
        return r->loading[v->element] - v->limit * (1 - margin);
    case POF_VIOLATION_VOLTAGE_LOW:
        return v->limit * (1 + margin) - r->v_pu[v->element];
    default:
        return r->v_pu[v->element] - v->limit * (1 - margin);
    }
}

static int try_amount(void *ctx, int64_t x, double *excess, struct pof_err *err)
{
    struct trial *t = ctx;
    struct bench *b = t->bench;
    enum pof_pf_status status;
    apply(t, x, b->tried);
    int rc = solve(t->sizing, b, b->tried, t->quarter, false, &status, err);
    if (rc) {
        return rc;
    }
    struct pof_pf_result r;
    pof_pf_result(b->pf, &r);
    *excess =
        status == POF_PF_CONVERGED ? excess_of(t->sizing, &r, t->violation) - NOISE : INFINITY;
    return 0;
}

/* The active flow that a branch end may carry beside its reactive one, W. */
static double free_p(const struct sizing *s, const struct pof_feeder_flow *flow, int end,
                     uint32_t branch)
{
    double share = s->options->max_loading * (1 - s->options->margin);
    double most = share * s->grid->branch[branch].rating_va * flow->v_pu[end];
    double room = most * most - flow->q_var[end] * flow->q_var[end];
    return room > 0 ? sqrt(room) : 0;
}

/* First look of the search, and where it ends: an overload is worst cured when nothing active flows
 * any more; a voltage by ten times what the linear sensitivity says. */
static void bounds(const struct trial *t, const struct pof_pf_result *r, int64_t *guess,
                   int64_t *max)
{
    const struct sizing *s = t->sizing;
    const struct violation *v = t->violation;
    if (v->kind == POF_VIOLATION_LOADING) {
        struct pof_feeder_flow flow = pof_feeder_flow(&s->feeder, r, v->element);
        double over = 0;
        for (int end = 0; end < 2; end++) {
            over = fmax(over, fabs(flow.p_w[end]) - free_p(s, &flow, end, v->element));
        }
        *guess = (int64_t)ceil(over);
        *max = (int64_t)ceil(fmax(fabs(flow.p_w[0]), fabs(flow.p_w[1])));
        return;
    }
    const struct pof_feeder *f = &s->feeder;
    uint32_t child = f->child[t->branch];
    double r_mean = 0;
    for (uint32_t at = f->place[child]; at < f->past[child]; at++) {
        r_mean += t->bench->weight[f->at[at]] * t->bench->effect[f->at[at]];
    }
    double need = excess_of(s, r, v) * v->value / fmax(r_mean, 1e-12) * s->grid->base_va;
    need = fmin(need, 1e12);
    *guess = (int64_t)ceil(need);
    *max = *guess * 10 + 1000;
}

static int size(struct trial *t, const struct pof_pf_result *r, int64_t *x, bool *found,
                struct pof_err *err)
{
    struct pof_least search = {
        .excess = try_amount, .ctx = t, .excess_at_0 = excess_of(t->sizing, r, t->violation)};
    spread(t->sizing, t->bench, t->branch, t->direction);
    find_effects(t->sizing, t->bench, r, t->violation, t->branch);
    bounds(t, r, &search.guess, &search.max);
    double factor = least_favourable(t->sizing, t->bench, t->branch);
    int rc = pof_least(&search, x, found, err);
    if (rc == 0 && *found) {
        *x = (int64_t)ceil((double)*x * factor - MILLIWATT);
    }
    return rc;
}

/* --- keeping --- */

/* What to tell people: the forecast's own value; deeper needs that are met may hide a part of it.
 */
static double value_to_tell(const struct bench *b, const struct violation *v)
{
    double value = v->kind == POF_VIOLATION_LOADING ? b->loading[v->element] : b->v_pu[v->element];
    bool beyond = v->kind == POF_VIOLATION_VOLTAGE_LOW ? value < v->limit : value > v->limit;
    return beyond ? value : v->value;
}

static int keep_need(struct quarter *out, const struct trial *t, int64_t x, struct pof_err *err)
{
    const struct violation *v = t->violation;
    for (size_t i = 0; i < out->needs; i++) {
        struct need *n = &out->need[i];
        if (n->branch == t->branch && n->direction == t->direction) {
            n->more += n->element != v->element || n->kind != v->kind;
            return pof_add(&n->p_w, x, err);
        }
    }
    int rc = pof_grow(&out->need, &out->need_cap, out->needs + 1, sizeof *out->need, err);
    if (rc == 0) {
        out->need[out->needs++] = (struct need){.branch = t->branch,
                                                .direction = t->direction,
                                                .p_w = x,
                                                .kind = v->kind,
                                                .element = v->element,
                                                .value = value_to_tell(t->bench, v),
                                                .limit = v->limit};
    }
    return rc;
}

static int keep_trouble(const struct sizing *s, struct quarter *out, uint32_t quarter,
                        const struct violation *v, struct pof_err *err)
{
    int rc =
        pof_grow(&out->trouble, &out->trouble_cap, out->troubles + 1, sizeof *out->trouble, err);
    if (rc == 0) {
        struct pof_request_trouble t = {quarter, v->kind, {NULL, 0}, v->value, v->limit};
        if (v->kind == POF_VIOLATION_LOADING) {
            t.element = s->grid->branch[v->element].name;
        } else if (v->kind != POF_VIOLATION_DIVERGED) {
            t.element = s->grid->node[v->element].name;
        }
        out->trouble[out->troubles++] = t;
    }
    return rc;
}

static void give_up(struct bench *b, const struct violation *v)
{
    if (v->kind == POF_VIOLATION_LOADING) {
        b->given_up_branch[v->element] = true;
    } else {
        b->given_up_node[v->element] = true;
    }
}

/* One violation: a need, or trouble. */
static int cure(struct trial *t, struct quarter *out, const struct pof_pf_result *r,
                struct pof_err *err)
{
    int64_t x = 0;
    bool found = false;
    int rc = 0;
    if (locate(t->sizing, r, t->violation, &t->branch, &t->direction)) {
        rc = size(t, r, &x, &found, err);
    }
    if (rc == 0 && found) {
        apply(t, x, t->bench->tried);
        memcpy(t->bench->p_w, t->bench->tried, t->sizing->grid->nodes * sizeof(double));
        rc = keep_need(out, t, x, err);
    } else if (rc == 0) {
        give_up(t->bench, t->violation);
    }
    return rc;
}

/* What is still wrong with all needs met, by kind and place. */
static int keep_rest(const struct trial *t, struct quarter *out, const struct pof_pf_result *r, struct pof_err *err)
{
    const struct sizing *s = t->sizing;
    int side = t->bench->side;
    int rc = 0;
    struct violation v;
    for (uint32_t i = 0; rc == 0 && i < s->grid->branches; i++) {
        if (overloaded(s, r, i, side)) {
            v = (struct violation){POF_VIOLATION_LOADING, i, r->loading[i],
                                   s->options->max_loading};
            rc = keep_trouble(s, out, t->quarter, &v, err);
        }
    }
    for (uint32_t i = 0; rc == 0 && i < s->grid->nodes; i++) {
        if (voltage_violated(s, r, i, side, &v)) {
            rc = keep_trouble(s, out, t->quarter, &v, err);
        }
    }
    return rc;
}

/* --- limits --- */

static int64_t watts(double room)
{
    return room > 0 ? (int64_t)floor(fmin(room, 1e12) + MILLIWATT) : 0;
}

/* The room of both sides is the lesser one. */
static void measure_rooms(const struct sizing *s, const struct pof_pf_result *r, uint32_t quarter, int side)
{
    for (uint32_t i = 0; i < s->grid->branches; i++) {
        if (s->grid->branch[i].rating_va <= 0 || s->feeder.child[i] == POF_NONE) {
            continue;
        }
        struct pof_feeder_flow flow = pof_feeder_flow(&s->feeder, r, i);
        double up = INFINITY;
        double down = INFINITY;
        for (int end = 0; end < 2; end++) {
            double most = free_p(s, &flow, end, i);
            up = fmin(up, most + flow.p_w[end]);
            down = fmin(down, most - flow.p_w[end]);
        }
        size_t cell = (size_t)quarter * s->grid->branches + i;
        bool second = side < 0;
        s->room_up_w[cell] = second && s->room_up_w[cell] < watts(up) ? s->room_up_w[cell] : watts(up);
        s->room_down_w[cell] = second && s->room_down_w[cell] < watts(down) ? s->room_down_w[cell] : watts(down);
    }
}

/* --- the quarter-hour --- */

/* The forecast of a quarter-hour, with the deviation that its error may have to a side. */
static void load(const struct sizing *s, struct bench *b, uint32_t quarter, int side)
{
    size_t nodes = s->grid->nodes;
    const double *deviation_w = s->options->deviation_w;
    b->side = side;
    memcpy(b->p_w, s->forecast->p_w + quarter * nodes, nodes * sizeof *b->p_w);
    for (size_t i = 0; side && i < nodes; i++) {
        b->p_w[i] += side * deviation_w[quarter * nodes + i];
    }
}

/* Starts cold and goes on from its own solutions: the same whatever was solved before. */
static int size_side(const struct sizing *s, struct bench *b, uint32_t quarter, struct quarter *out,
                     struct pof_err *err)
{
    size_t nodes = s->grid->nodes;
    struct violation v = {.kind = POF_VIOLATION_DIVERGED};
    struct trial t = {.sizing = s, .bench = b, .violation = &v, .quarter = quarter};
    struct pof_pf_result r;
    struct look look = {0};
    enum pof_pf_status status;
    memset(b->given_up_branch, 0, s->grid->branches * sizeof *b->given_up_branch);
    memset(b->given_up_node, 0, nodes * sizeof *b->given_up_node);
    int rc = solve(s, b, b->p_w, quarter, true, &status, err);
    if (rc || status != POF_PF_CONVERGED) {
        return rc ? rc : keep_trouble(s, out, quarter, &v, err);
    }
    pof_pf_result(b->pf, &r);
    memcpy(b->loading, r.loading, s->grid->branches * sizeof *b->loading);
    memcpy(b->v_pu, r.v_pu, nodes * sizeof *b->v_pu);
    count(s, &r, b->side, &look);
    out->violations += look.violations;
    if (s->room_up_w) {
        measure_rooms(s, &r, quarter, b->side);
    }
    for (int round = 0; round < ROUNDS_MAX && rc == 0 && pick(s, b, &r, &v); round++) {
        rc = cure(&t, out, &r, err);
        if (rc == 0) {
            rc = solve(s, b, b->p_w, quarter, false, &status, err);
        }
        if (rc == 0 && status != POF_PF_CONVERGED) {
            v.kind = POF_VIOLATION_DIVERGED;
            return keep_trouble(s, out, quarter, &v, err);
        }
        pof_pf_result(b->pf, &r);
    }
    return rc ? rc : keep_rest(&t, out, &r, err);
}

int pofi_size_quarter(const struct sizing *s, struct bench *b, uint32_t quarter,
                      struct quarter *out, struct pof_err *err)
{
    bool banded = s->options->deviation_w != NULL;
    int rc = 0;
    for (int side = banded ? 1 : 0; side >= (banded ? -1 : 0) && rc == 0; side -= 2) {
        load(s, b, quarter, side);
        rc = size_side(s, b, quarter, out, err);
    }
    return rc;
}

int pofi_look(const struct sizing *s, struct bench *b, uint32_t quarter, struct look *to, struct pof_err *err)
{
    bool banded = s->options->deviation_w != NULL;
    int rc = 0;
    for (int side = banded ? 1 : 0; side >= (banded ? -1 : 0) && rc == 0; side -= 2) {
        enum pof_pf_status status = POF_PF_CONVERGED;
        struct pof_pf_result r;
        load(s, b, quarter, side);
        rc = solve(s, b, b->p_w, quarter, true, &status, err);
        to->diverged += rc == 0 && status != POF_PF_CONVERGED;
        if (rc == 0 && status == POF_PF_CONVERGED) {
            pof_pf_result(b->pf, &r);
            count(s, &r, side, to);
        }
    }
    return rc;
}

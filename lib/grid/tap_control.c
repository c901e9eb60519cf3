/* SPDX-License-Identifier: Apache-2.0 */
/* Tap positions that hold voltages. */
#include "grid/admittance.h"
#include "grid/net.h"
#include "grid/tap.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A regulated transformer. */
struct changer {
    uint32_t branch;
    uint32_t sensor;     /* branch whose current compensates the drop; POF_NONE: no drop */
    bool sensor_at_to;   /* at which of its ends */
    int effect;          /* 1, -1: what a higher position does to the regulated voltage */
    uint32_t rank;       /* from 1 on */
    int32_t low, high;   /* positions by number */
    int32_t pos;
    int32_t least, most; /* FAST: what is left to be searched */
    struct pof_tap tap;  /* what the copy of the branch points to */
    struct pof_branch_phases phases;
};

struct pof_tap_control {
    const struct pof_grid *grid;
    struct pof_grid copy; /* branches are its own, all else is the grid's */
    struct pof_pf *pf;
    enum pof_tap_strategy strategy;
    struct changer *changer; /* by rank, then by branch */
    uint32_t changers, ranks;
    uint32_t *moves;         /* [ranks + 1] of each rank since an earlier one moved */
    int32_t *pos;            /* [branches] */
};

/* --- who regulates what --- */

static bool regulated(const struct pof_grid *g, uint32_t k)
{
    return g->branch[k].closed && g->branch[k].tap && g->branch[k].tap->controlled;
}

/* How many regulated transformers lie on the way from the nearest of the nodes that begin with 0
 * (others: UINT32_MAX), `without` left out. Relaxes until nothing changes: O(branches) for each
 * transformer in series. */
static void spread(const struct pof_grid *g, uint32_t without, uint32_t *distance)
{
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t k = 0; k < g->branches; k++) {
            const struct pof_branch *b = &g->branch[k];
            if (!b->closed || k == without) {
                continue;
            }
            uint32_t step = regulated(g, k);
            for (int end = 0; end < 2; end++) {
                uint32_t near = end ? b->to : b->from, far = end ? b->from : b->to;
                if (distance[near] != UINT32_MAX && distance[near] + step < distance[far]) {
                    distance[far] = distance[near] + step;
                    changed = true;
                }
            }
        }
    }
}

/* The end of a transformer that its regulated node is behind: 1 to, 0 from, -1 neither. */
static int side_of(const struct pof_grid *g, uint32_t k, uint32_t *scratch)
{
    const struct pof_branch *b = &g->branch[k];
    for (uint32_t i = 0; i < g->nodes; i++) {
        scratch[i] = i == b->tap->node ? 0 : UINT32_MAX;
    }
    spread(g, k, scratch);
    uint32_t from = scratch[b->from], to = scratch[b->to];
    if (b->tap->node == b->from || b->tap->node == b->to) {
        return b->tap->node == b->to;
    }
    return from == UINT32_MAX && to == UINT32_MAX ? -1 : to <= from;
}

/* The branch that brings the regulated node its current: the transformer, or the arm of a
 * three-winding one that ends there. */
static int find_sensor(const struct pof_grid *g, struct changer *c, struct pof_err *err)
{
    const struct pof_branch *b = &g->branch[c->branch];
    uint32_t node = b->tap->node;
    c->sensor = POF_NONE;
    if (b->tap->drop_r_pu == 0 && b->tap->drop_x_pu == 0) {
        return 0;
    }
    for (uint32_t k = 0; k < g->branches; k++) {
        const struct pof_branch *o = &g->branch[k];
        bool ends = o->from == node || o->to == node, same = k == c->branch;
        uint32_t other = o->from == node ? o->to : o->from;
        bool arm = o->kind == POF_BRANCH_TRANSFORMER && (other == b->from || other == b->to);
        if (ends && o->closed && (same || arm) && (c->sensor == POF_NONE || same)) {
            c->sensor = k;
            c->sensor_at_to = o->to == node;
        }
    }
    return c->sensor != POF_NONE
               ? 0
               : pof_fail(err, POF_E_REFERENCE,
                          "transformer '%s' compensates the drop beyond node '%s', where it does not "
                          "end",
                          b->name.ptr, g->node[node].name.ptr);
}

static int by_rank(const void *a, const void *b)
{
    const struct changer *x = a, *y = b;
    return x->rank != y->rank ? (x->rank < y->rank ? -1 : 1)
                              : (x->branch < y->branch ? -1 : x->branch > y->branch);
}

static int add_changer(struct pof_tap_control *c, uint32_t k, const uint32_t *distance,
                       uint32_t *scratch, struct pof_err *err)
{
    const struct pof_grid *g = c->grid;
    const struct pof_branch *b = &g->branch[k];
    const struct pof_tap *t = b->tap;
    uint32_t from = distance[b->from], to = distance[b->to];
    int side = side_of(g, k, scratch);
    if (!(t->v_low_pu <= t->v_high_pu)) {
        return pof_fail(err, POF_E_RANGE, "transformer '%s': its band is %.15g to %.15g p.u.",
                        b->name.ptr, t->v_low_pu, t->v_high_pu);
    }
    if (side < 0 || (from == UINT32_MAX && to == UINT32_MAX) || distance[t->node] == UINT32_MAX) {
        return 0; /* nothing there to be regulated */
    }
    struct changer *n = &c->changer[c->changers++];
    bool at_tap = side == t->on_to;
    *n = (struct changer){.branch = k,
                          .effect = at_tap == (t->step_pct > 0) ? 1 : -1,
                          .rank = (from < to ? from : to) + 1,
                          .low = t->min < t->max ? t->min : t->max,
                          .high = t->min < t->max ? t->max : t->min};
    return find_sensor(g, n, err);
}

static int find_changers(struct pof_tap_control *c, struct pof_err *err)
{
    const struct pof_grid *g = c->grid;
    uint32_t *distance = NULL, *scratch = NULL;
    int rc = pof_calloc(&c->changer, g->branches, sizeof *c->changer, err);
    rc = rc ? rc : pof_calloc(&distance, g->nodes, sizeof *distance, err);
    rc = rc ? rc : pof_calloc(&scratch, g->nodes, sizeof *scratch, err);
    for (uint32_t i = 0; i < g->nodes && rc == 0; i++) {
        distance[i] = g->node[i].kind == POF_NODE_SLACK ? 0 : UINT32_MAX;
    }
    if (rc == 0) {
        spread(g, POF_NONE, distance);
    }
    for (uint32_t k = 0; k < g->branches && rc == 0; k++) {
        if (regulated(g, k)) {
            rc = add_changer(c, k, distance, scratch, err);
        }
    }
    if (rc == 0 && c->changers > 0) {
        qsort(c->changer, c->changers, sizeof *c->changer, by_rank);
        c->ranks = c->changer[c->changers - 1].rank;
    }
    free(distance);
    free(scratch);
    return rc;
}

int pof_tap_control_new(struct pof_tap_control **out, const struct pof_grid *grid,
                        const struct pof_pf_options *options, enum pof_tap_strategy strategy,
                        struct pof_err *err)
{
    *out = NULL;
    struct pof_tap_control *c;
    int rc = pof_calloc(&c, 1, sizeof *c, err);
    if (rc) {
        return rc;
    }
    c->grid = grid;
    c->copy = *grid;
    c->copy.branch = NULL;
    c->strategy = strategy;
    rc = pof_calloc(&c->copy.branch, grid->branches, sizeof *grid->branch, err);
    rc = rc ? rc : pof_calloc(&c->pos, grid->branches, sizeof *c->pos, err);
    rc = rc ? rc : find_changers(c, err);
    rc = rc ? rc : pof_calloc(&c->moves, (size_t)c->ranks + 1, sizeof *c->moves, err);
    if (rc == 0) {
        memcpy(c->copy.branch, grid->branch, grid->branches * sizeof *grid->branch);
        rc = pof_pf_new(&c->pf, &c->copy, options, err);
    }
    if (rc) {
        pof_tap_control_free(c);
        return rc;
    }
    *out = c;
    return 0;
}

const struct pof_pf *pof_tap_control_pf(const struct pof_tap_control *c)
{
    return c->pf;
}

void pof_tap_control_free(struct pof_tap_control *c)
{
    if (c) {
        pof_pf_free(c->pf);
        free(c->copy.branch);
        free(c->changer);
        free(c->moves);
        free(c->pos);
        free(c);
    }
}

/* --- one transformer --- */

/* The regulated voltage with the drop taken off: mean magnitude of the phases of V + Z I. */
static double voltage(const struct pof_tap_control *c, const struct changer *n)
{
    const struct pof_tap *t = c->grid->branch[n->branch].tap;
    struct pof_pf_result r;
    pof_pf_result(c->pf, &r);
    double sum = 0, base = c->grid->base_va / r.phases;
    for (uint32_t f = 0; f < r.phases; f++) {
        uint32_t at = t->node * r.phases + f, k = n->sensor * r.phases + f;
        double v = r.v_pu[at], drop_re = 0, drop_im = 0;
        if (n->sensor != POF_NONE && v > 0) {
            /* Along V the current is (P - jQ) / V. */
            double i_re = (n->sensor_at_to ? r.p_to_w[k] : r.p_from_w[k]) / base / v;
            double i_im = -(n->sensor_at_to ? r.q_to_var[k] : r.q_from_var[k]) / base / v;
            drop_re = t->drop_r_pu * i_re - t->drop_x_pu * i_im;
            drop_im = t->drop_r_pu * i_im + t->drop_x_pu * i_re;
        }
        sum += hypot(v + drop_re, drop_im);
    }
    return sum / r.phases;
}

/* 1: the voltage is to go up, -1: down, 0: it is in the band. */
static int wish(const struct pof_tap_control *c, const struct changer *n)
{
    const struct pof_tap *t = c->grid->branch[n->branch].tap;
    double v = voltage(c, n);
    return v < t->v_low_pu ? 1 : v > t->v_high_pu ? -1 : 0;
}

/* The middle of what is left towards the wish, of two the one of higher voltage; the last position
 * when the middle is where it is. */
static int32_t halve(struct changer *n, int way)
{
    if (way > 0) {
        n->least = n->pos;
    } else {
        n->most = n->pos;
    }
    int32_t end = way > 0 ? n->most : n->least, half = (n->most - n->least) / 2;
    int32_t middle = n->effect > 0 ? n->most - half : n->least + half;
    return middle == n->pos ? end : middle;
}

/* Where a transformer goes next; where it is when it is content or at the end of its range. tried:
 * FAST has been at the only other position left, so no position fits. */
static int32_t next_position(const struct pof_tap_control *c, struct changer *n, bool *tried)
{
    int way = wish(c, n) * n->effect;
    *tried = false;
    if (way == 0 || (way > 0 ? n->pos == n->high : n->pos == n->low)) {
        return n->pos;
    }
    if (c->strategy != POF_TAP_FAST) {
        return n->pos + way;
    }
    int32_t pos = halve(n, way);
    if (pos == n->pos) {
        /* Both neighbours are known: too low the one, too high the other. */
        *tried = true;
    }
    return pos;
}

/* --- all of them --- */

static int put(struct pof_tap_control *c, struct changer *n, int32_t pos, struct pof_err *err)
{
    n->pos = c->pos[n->branch] = pos;
    return pof_tap_at(c->grid, &c->grid->branch[n->branch], pos, &c->copy.branch[n->branch],
                      &n->phases, &n->tap, err);
}

static int begin(struct pof_tap_control *c, struct pof_err *err)
{
    int rc = 0;
    for (uint32_t k = 0; k < c->grid->branches; k++) {
        c->pos[k] = c->grid->branch[k].tap ? c->grid->branch[k].tap->pos : 0;
    }
    memset(c->moves, 0, ((size_t)c->ranks + 1) * sizeof *c->moves);
    for (uint32_t i = 0; i < c->changers && rc == 0; i++) {
        struct changer *n = &c->changer[i];
        bool lowest = c->strategy == POF_TAP_MIN, highest = c->strategy == POF_TAP_MAX;
        bool up = highest ? n->effect > 0 : n->effect < 0;
        n->least = n->low;
        n->most = n->high;
        rc = put(c, n, lowest || highest ? (up ? n->high : n->low) : c->pos[n->branch], err);
    }
    return rc;
}

/* Transformers behind one that moves begin their search anew. */
static void forget_behind(struct pof_tap_control *c, uint32_t rank)
{
    for (uint32_t i = 0; i < c->changers; i++) {
        if (c->changer[i].rank > rank) {
            c->changer[i].least = c->changer[i].low;
            c->changer[i].most = c->changer[i].high;
        }
    }
    for (uint32_t r = rank + 1; r <= c->ranks; r++) {
        c->moves[r] = 0;
    }
}

/* Moves the first rank in which some transformer wants to; *moved: whether there is one. */
static int move_rank(struct pof_tap_control *c, struct pof_tap_report *report, bool *moved,
                     struct pof_err *err)
{
    int rc = 0;
    *moved = false;
    for (uint32_t i = 0; i < c->changers && rc == 0;) {
        uint32_t rank = c->changer[i].rank, range = 0;
        for (; i < c->changers && c->changer[i].rank == rank && rc == 0; i++) {
            struct changer *n = &c->changer[i];
            bool tried;
            int32_t pos = next_position(c, n, &tried);
            uint32_t own = (uint32_t)(n->high - n->low);
            range = own > range ? own : range;
            if (tried) {
                report->status = POF_TAP_RESTLESS;
                report->branch = n->branch;
                return 0;
            }
            if (pos != n->pos) {
                *moved = true;
                report->branch = n->branch;
                rc = put(c, n, pos, err);
            }
        }
        if (*moved) {
            /* There and back through the whole range is enough for any one transformer. */
            report->status = ++c->moves[rank] > 2 * range ? POF_TAP_RESTLESS : POF_TAP_SETTLED;
            forget_behind(c, rank);
            return rc;
        }
    }
    return rc;
}

static int solve(struct pof_tap_control *c, const double *p_w, const double *q_var,
                 struct pof_tap_report *report, struct pof_err *err)
{
    enum pof_pf_status status = POF_PF_DIVERGED;
    int rc = pof_pf_renew(c->pf, err);
    rc = rc ? rc : pof_pf_solve(c->pf, p_w, q_var, true, &status, err);
    report->solves++;
    if (status == POF_PF_DIVERGED) {
        report->status = POF_TAP_DIVERGED;
    }
    return rc;
}

/* Until no rank moves. */
static int settle(struct pof_tap_control *c, const double *p_w, const double *q_var,
                  struct pof_tap_report *report, struct pof_err *err)
{
    int rc = solve(c, p_w, q_var, report, err);
    for (bool moved = true; rc == 0 && moved && report->status == POF_TAP_SETTLED;) {
        rc = move_rank(c, report, &moved, err);
        if (rc == 0 && moved && report->status == POF_TAP_SETTLED) {
            rc = solve(c, p_w, q_var, report, err);
        }
    }
    return rc;
}

/* One step further to where the strategy wants to be. */
static int push(struct pof_tap_control *c, int32_t *before, struct pof_err *err)
{
    int rc = 0;
    memset(c->moves, 0, ((size_t)c->ranks + 1) * sizeof *c->moves);
    for (uint32_t i = 0; i < c->changers && rc == 0; i++) {
        struct changer *n = &c->changer[i];
        int32_t to = n->pos + (c->strategy == POF_TAP_MAX ? n->effect : -n->effect);
        before[i] = n->pos;
        rc = to < n->low || to > n->high ? 0 : put(c, n, to, err);
    }
    return rc;
}

/* While transformers in front were still moving, those behind may have gone too far. Pushed once
 * more, they come back to where the band allows; while that is further on, it is done again. */
static int refine(struct pof_tap_control *c, const double *p_w, const double *q_var,
                  struct pof_tap_report *report, struct pof_err *err)
{
    int32_t *before;
    bool further = c->strategy == POF_TAP_MIN || c->strategy == POF_TAP_MAX;
    int rc = pof_calloc(&before, c->changers, sizeof *before, err);
    while (rc == 0 && further && report->status == POF_TAP_SETTLED) {
        rc = push(c, before, err);
        rc = rc ? rc : settle(c, p_w, q_var, report, err);
        further = false;
        for (uint32_t i = 0; i < c->changers; i++) {
            int gain = (c->changer[i].pos - before[i]) * c->changer[i].effect;
            further |= c->strategy == POF_TAP_MAX ? gain > 0 : gain < 0;
        }
    }
    free(before);
    return rc;
}

int pof_tap_control_solve(struct pof_tap_control *c, const double *p_w, const double *q_var,
                          struct pof_tap_report *report, struct pof_err *err)
{
    *report = (struct pof_tap_report){.status = POF_TAP_SETTLED, .branch = POF_NONE, .pos = c->pos};
    int rc = begin(c, err);
    if (rc == 0 && c->strategy == POF_TAP_NONE) {
        rc = solve(c, p_w, q_var, report, err);
    } else if (rc == 0) {
        rc = settle(c, p_w, q_var, report, err);
        rc = rc ? rc : refine(c, p_w, q_var, report, err);
    }
    if (report->status != POF_TAP_RESTLESS) {
        report->branch = POF_NONE;
    }
    return rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* GLPK behind one door. */
#include "market/lp.h"

#include "base/mem.h"
#include "base/text.h"
#include "market/certificate.h"
#include "market/need.h"

#include <glpk.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>

/* Rows: one balance per node, one per node for its own offers, one per stack of requests.
 * Columns: one per offer, flow and own flow per node, one per request. All counted from 1. */
struct model {
    const struct pof_clear_problem *problem;
    glp_prob *lp;
    struct pof_need *need;
    int64_t unit; /* all prices are multiples of it: smaller numbers for the solver */
    int *row, *col;
    double *value;
    int entries;
};

static int col_offer(size_t i)
{
    return (int)i + 1;
}

static int col_flow(const struct model *m, uint32_t node)
{
    return (int)(m->problem->offers + node) + 1;
}

static int col_own(const struct model *m, uint32_t node)
{
    return (int)(m->problem->offers + m->problem->forest->n + node) + 1;
}

static int col_unmet(const struct model *m, size_t need)
{
    return (int)(m->problem->offers + 2 * (size_t)m->problem->forest->n + need) + 1;
}

static int row_all(uint32_t node)
{
    return (int)node + 1;
}

static int row_own(const struct model *m, uint32_t node)
{
    return (int)(m->problem->forest->n + node) + 1;
}

static void put(struct model *m, int row, int col, double value)
{
    m->entries++;
    m->row[m->entries] = row;
    m->col[m->entries] = col;
    m->value[m->entries] = value;
}

static int64_t gcd(int64_t a, int64_t b)
{
    while (b) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static void find_unit(struct model *m)
{
    m->unit = 0;
    for (size_t i = 0; i < m->problem->offers; i++) {
        m->unit = gcd(m->problem->offer[i].price_ueur, m->unit);
    }
    for (size_t i = 0; i < m->problem->requests; i++) {
        m->unit = gcd(m->problem->request[i].ceiling_ueur, m->unit);
    }
    m->unit = m->unit ? m->unit : 1;
}

static void set_bounds(glp_prob *lp, int col, int64_t low, int64_t high)
{
    glp_set_col_bnds(lp, col, low == high ? GLP_FX : GLP_DB, (double)low, (double)high);
}

static void add_offers(struct model *m)
{
    for (size_t i = 0; i < m->problem->offers; i++) {
        const struct pof_clear_offer *o = &m->problem->offer[i];
        set_bounds(m->lp, col_offer(i), o->frozen_w, o->p_w);
        glp_set_obj_coef(m->lp, col_offer(i), (double)(o->price_ueur / m->unit));
        put(m, row_own(m, o->node), col_offer(i), o->direction == POF_UP ? 1 : -1);
    }
}

/* own - sum of offers = 0 and flow - own - sum of children's flows = 0, each with the sign that
 * makes the row's dual the price of one more watt. */
static void add_nodes(struct model *m)
{
    const struct pof_forest *f = m->problem->forest;
    for (uint32_t v = 0; v < f->n; v++) {
        glp_set_row_bnds(m->lp, row_all(v), GLP_FX, 0, 0);
        glp_set_row_bnds(m->lp, row_own(m, v), GLP_FX, 0, 0);
        glp_set_col_bnds(m->lp, col_flow(m, v), GLP_FR, 0, 0);
        glp_set_col_bnds(m->lp, col_own(m, v), GLP_FR, 0, 0);
        put(m, row_own(m, v), col_own(m, v), -1);
        put(m, row_all(v), col_own(m, v), 1);
        put(m, row_all(v), col_flow(m, v), -1);
        uint32_t up = f->up[f->pos[v]];
        if (up != POF_NONE) {
            put(m, row_all(f->node[up]), col_flow(m, v), 1);
        }
    }
}

static void add_limits(struct model *m)
{
    for (size_t i = 0; i < m->problem->limits; i++) {
        const struct pof_clear_limit *l = &m->problem->limit[i];
        int col = col_flow(m, l->node);
        int64_t low = -l->p_down_w, high = l->p_up_w;
        if (glp_get_col_type(m->lp, col) != GLP_FR) {
            int64_t low0 = (int64_t)glp_get_col_lb(m->lp, col);
            int64_t high0 = (int64_t)glp_get_col_ub(m->lp, col);
            low = low0 > low ? low0 : low;
            high = high0 < high ? high0 : high;
        }
        set_bounds(m->lp, col, low, high);
    }
}

/* One row per stack: flow in its direction, plus what is unmet, is at least what is asked for. */
static void add_needs(struct model *m)
{
    size_t n = m->problem->requests;
    int row = 2 * (int)m->problem->forest->n;
    for (size_t i = 0, end; i < n; i = end) {
        const struct pof_need *need = &m->need[i];
        uint32_t node = m->problem->forest->node[need->place];
        end = pof_stack_end(m->need, i, n);
        glp_set_row_bnds(m->lp, ++row, GLP_LO, (double)pof_stack_w(m->need, i, end), 0);
        put(m, row, need->own ? col_own(m, node) : col_flow(m, node),
            need->direction == POF_UP ? 1 : -1);
        for (size_t k = i; k < end; k++) {
            int col = col_unmet(m, k);
            if (k == i) { /* the dearest also pays for what goes against the direction */
                glp_set_col_bnds(m->lp, col, GLP_LO, 0, 0);
            } else {
                set_bounds(m->lp, col, 0, m->need[k].p_w);
            }
            glp_set_obj_coef(m->lp, col, (double)(m->need[k].ceiling_ueur / m->unit));
            put(m, row, col, 1);
        }
    }
}

static int build(struct model *m, struct pof_err *err)
{
    const struct pof_clear_problem *p = m->problem;
    size_t n = p->forest->n, entries = p->offers + 4 * n + 2 * p->requests + 1;
    size_t cols = p->offers + 2 * n + p->requests, rows = 2 * n + p->requests;
    if (entries > INT_MAX || rows > 100000000 || cols > 100000000) { /* GLPK's M_MAX, N_MAX */
        return pof_fail(err, POF_E_OVERFLOW, "%zu columns are more than the LP solver takes", cols);
    }
    int rc = pof_calloc(&m->row, entries, sizeof *m->row, err);
    rc = rc ? rc : pof_calloc(&m->col, entries, sizeof *m->col, err);
    rc = rc ? rc : pof_calloc(&m->value, entries, sizeof *m->value, err);
    rc = rc ? rc : pof_calloc(&m->need, p->requests, sizeof *m->need, err);
    if (rc || cols == 0) {
        return rc;
    }
    pof_needs_build(m->need, p);
    find_unit(m);
    glp_set_obj_dir(m->lp, GLP_MIN);
    glp_add_rows(m->lp, (int)rows); /* rows beyond the stacks stay free and empty */
    glp_add_cols(m->lp, (int)cols);
    add_offers(m);
    add_nodes(m);
    add_limits(m);
    add_needs(m);
    glp_load_matrix(m->lp, m->entries, m->row, m->col, m->value);
    return 0;
}

/* Rounds and checks; *fits says whether what the solver proposes is proven optimal. */
static int certify(const struct model *m, struct pof_clear_result *r, bool *fits,
                   struct pof_err *err)
{
    struct pof_certificate_answer answer;
    for (size_t i = 0; i < m->problem->offers; i++) {
        r->taken_w[i] = llround(glp_get_col_prim(m->lp, col_offer(i)));
    }
    for (uint32_t v = 0; v < m->problem->forest->n; v++) {
        r->node_price_ueur[v] = llround(glp_get_row_dual(m->lp, row_all(v))) * m->unit;
        r->own_price_ueur[v] = llround(glp_get_row_dual(m->lp, row_own(m, v))) * m->unit;
    }
    int rc = pof_clear_certify(m->problem, r, &answer, err);
    *fits = rc == 0 && answer.status == POF_CERTIFIED;
    return rc;
}

static int solve(const struct model *m, struct pof_clear_result *r, struct pof_err *err)
{
    glp_smcp how;
    glp_init_smcp(&how);
    how.msg_lev = GLP_MSG_OFF;
    bool fits = false;
    int failed = glp_simplex(m->lp, &how);
    int rc = failed ? 0 : certify(m, r, &fits, err);
    if (rc == 0 && !fits) {
        failed = glp_exact(m->lp, &how);
        rc = failed ? 0 : certify(m, r, &fits, err);
    }
    if (rc == 0 && !fits) {
        return pof_fail(err, POF_E_INTERNAL,
                        failed ? "the LP solver failed with status %d"
                               : "the LP solver's answer cannot be certified (%d)",
                        failed);
    }
    return rc;
}

int pof_lp_solve(const struct pof_clear_problem *problem, struct pof_clear_result *result,
                 struct pof_err *err)
{
    struct model m = {.problem = problem};
    glp_term_out(GLP_OFF);
    m.lp = glp_create_prob();
    int rc = build(&m, err);
    if (rc == 0 && problem->forest->n > 0) {
        rc = solve(&m, result, err);
    }
    glp_delete_prob(m.lp);
    glp_free_env();
    free(m.row);
    free(m.col);
    free(m.value);
    free(m.need);
    return rc;
}

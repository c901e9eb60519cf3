/* SPDX-License-Identifier: Apache-2.0 */
/* GLPK behind one door, opened when somebody knocks: the tree method has no use for it, and to load its
 * seven libraries takes as long as to read thousands of offers. */
#include "market/lp.h"

#include "base/mem.h"
#include "base/text.h"
#include "market/certificate.h"
#include "market/need.h"

#include <dlfcn.h>
#include <glpk.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FUNCTIONS(X) \
    X(add_cols) X(add_rows) X(create_prob) X(delete_prob) X(exact) X(free_env) X(get_col_lb) \
    X(get_col_prim) X(get_col_type) X(get_col_ub) X(get_row_dual) X(get_status) X(init_iocp) X(init_smcp) \
    X(intopt) X(load_matrix) X(mip_col_val) X(mip_status) X(set_col_bnds) X(set_col_kind) \
    X(set_obj_coef) X(set_obj_dir) X(set_row_bnds) X(simplex) X(term_out)

struct glpk {
    void *library;
#define FUNCTION(name) __typeof__(glp_##name) *name;
    FUNCTIONS(FUNCTION)
#undef FUNCTION
};

/* ISO C has no cast from an object pointer to a function's. */
static bool find(void *library, const char *name, void *function, size_t size)
{
    void *at = dlsym(library, name);
    memcpy(function, &at, size);
    return at;
}

static int open_glpk(struct glpk *g, struct pof_err *err)
{
    g->library = dlopen("libglpk.so.40", RTLD_NOW | RTLD_LOCAL);
    bool whole = g->library;
#define FUNCTION(name) whole = whole && find(g->library, "glp_" #name, &g->name, sizeof g->name);
    FUNCTIONS(FUNCTION)
#undef FUNCTION
    return whole ? 0
                 : pof_fail(err, POF_E_UNAVAILABLE,
                            "linear programming needs libglpk.so.40, which is not there; install it, or "
                            "use the tree method");
}

/* Rows: one balance per node, one per node for its own offers, one per stack of requests.
 * Columns: one per offer, flow and own flow per node, one per request. All counted from 1. With
 * decisions, quarter-hours follow one another, then come a column for each unit and rows that tie
 * them. */
struct model {
    const struct pof_clear_problem *problem;
    struct glpk glpk;
    glp_prob *lp;
    struct pof_need *need;
    int row0, col0; /* rows and columns before those of this quarter-hour */
    int64_t unit; /* all prices are multiples of it: smaller numbers for the solver */
    int *row, *col;
    double *value;
    int entries;
};

static int col_offer(const struct model *m, size_t i)
{
    return m->col0 + (int)i + 1;
}

static int col_flow(const struct model *m, uint32_t node)
{
    return m->col0 + (int)(m->problem->offers + node) + 1;
}

static int col_own(const struct model *m, uint32_t node)
{
    return m->col0 + (int)(m->problem->offers + m->problem->forest->n + node) + 1;
}

static int col_unmet(const struct model *m, size_t need)
{
    return m->col0 + (int)(m->problem->offers + 2 * (size_t)m->problem->forest->n + need) + 1;
}

static int row_all(const struct model *m, uint32_t node)
{
    return m->row0 + (int)node + 1;
}

static int row_own(const struct model *m, uint32_t node)
{
    return m->row0 + (int)(m->problem->forest->n + node) + 1;
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

static int64_t common_unit(const struct pof_clear_problem *p, int64_t unit)
{
    for (size_t i = 0; i < p->offers; i++) {
        unit = gcd(p->offer[i].price_ueur, unit);
    }
    for (size_t i = 0; i < p->requests; i++) {
        unit = gcd(p->request[i].ceiling_ueur, unit);
    }
    return unit;
}

static void set_bounds(const struct model *m, int col, int64_t low, int64_t high)
{
    m->glpk.set_col_bnds(m->lp, col, low == high ? GLP_FX : GLP_DB, (double)low, (double)high);
}

static void add_offers(struct model *m)
{
    for (size_t i = 0; i < m->problem->offers; i++) {
        const struct pof_clear_offer *o = &m->problem->offer[i];
        set_bounds(m, col_offer(m, i), o->frozen_w, o->p_w);
        m->glpk.set_obj_coef(m->lp, col_offer(m, i), (double)(o->price_ueur / m->unit));
        put(m, row_own(m, o->node), col_offer(m, i), o->direction == POF_UP ? 1 : -1);
    }
}

/* own - sum of offers = 0 and flow - own - sum of children's flows = 0, each with the sign that
 * makes the row's dual the price of one more watt. */
static void add_nodes(struct model *m)
{
    const struct pof_forest *f = m->problem->forest;
    for (uint32_t v = 0; v < f->n; v++) {
        m->glpk.set_row_bnds(m->lp, row_all(m, v), GLP_FX, 0, 0);
        m->glpk.set_row_bnds(m->lp, row_own(m, v), GLP_FX, 0, 0);
        m->glpk.set_col_bnds(m->lp, col_flow(m, v), GLP_FR, 0, 0);
        m->glpk.set_col_bnds(m->lp, col_own(m, v), GLP_FR, 0, 0);
        put(m, row_own(m, v), col_own(m, v), -1);
        put(m, row_all(m, v), col_own(m, v), 1);
        put(m, row_all(m, v), col_flow(m, v), -1);
        uint32_t up = f->up[f->pos[v]];
        if (up != POF_NONE) {
            put(m, row_all(m, f->node[up]), col_flow(m, v), 1);
        }
    }
}

static void add_limits(struct model *m)
{
    for (size_t i = 0; i < m->problem->limits; i++) {
        const struct pof_clear_limit *l = &m->problem->limit[i];
        int col = col_flow(m, l->node);
        int64_t low = -l->p_down_w, high = l->p_up_w;
        if (m->glpk.get_col_type(m->lp, col) != GLP_FR) {
            int64_t low0 = (int64_t)m->glpk.get_col_lb(m->lp, col);
            int64_t high0 = (int64_t)m->glpk.get_col_ub(m->lp, col);
            low = low0 > low ? low0 : low;
            high = high0 < high ? high0 : high;
        }
        set_bounds(m, col, low, high);
    }
}

/* One row per stack: flow in its direction, plus what is unmet, is at least what is asked for. */
static void add_needs(struct model *m)
{
    size_t n = m->problem->requests;
    int row = m->row0 + 2 * (int)m->problem->forest->n;
    for (size_t i = 0, end; i < n; i = end) {
        const struct pof_need *need = &m->need[i];
        uint32_t node = m->problem->forest->node[need->place];
        end = pof_stack_end(m->need, i, n);
        m->glpk.set_row_bnds(m->lp, ++row, GLP_LO, (double)pof_stack_w(m->need, i, end), 0);
        put(m, row, need->own ? col_own(m, node) : col_flow(m, node),
            need->direction == POF_UP ? 1 : -1);
        for (size_t k = i; k < end; k++) {
            int col = col_unmet(m, k);
            if (k == i) { /* the dearest also pays for what goes against the direction */
                m->glpk.set_col_bnds(m->lp, col, GLP_LO, 0, 0);
            } else {
                set_bounds(m, col, 0, m->need[k].p_w);
            }
            m->glpk.set_obj_coef(m->lp, col, (double)(m->need[k].ceiling_ueur / m->unit));
            put(m, row, col, 1);
        }
    }
}

struct size {
    size_t rows, cols, entries, needs;
};

static void add_size(struct size *s, const struct pof_clear_problem *p)
{
    size_t n = p->forest->n;
    s->rows += 2 * n + p->requests;
    s->cols += p->offers + 2 * n + p->requests;
    s->entries += p->offers + 4 * n + 2 * p->requests;
    s->needs = p->requests > s->needs ? p->requests : s->needs;
}

static int reserve(struct model *m, const struct size *s, struct pof_err *err)
{
    if (s->entries >= INT_MAX || s->rows > 100000000 || s->cols > 100000000) { /* GLPK's limits */
        return pof_fail(err, POF_E_OVERFLOW, "%zu columns are more than the LP solver takes",
                        s->cols);
    }
    int rc = pof_calloc(&m->row, s->entries + 1, sizeof *m->row, err);
    rc = rc ? rc : pof_calloc(&m->col, s->entries + 1, sizeof *m->col, err);
    rc = rc ? rc : pof_calloc(&m->value, s->entries + 1, sizeof *m->value, err);
    rc = rc ? rc : pof_calloc(&m->need, s->needs, sizeof *m->need, err);
    if (rc == 0 && s->cols > 0) {
        m->glpk.set_obj_dir(m->lp, GLP_MIN);
        m->glpk.add_rows(m->lp, (int)s->rows); /* rows beyond the stacks stay free and empty */
        m->glpk.add_cols(m->lp, (int)s->cols);
    }
    return rc;
}

static void add_problem(struct model *m)
{
    pof_needs_build(m->need, m->problem);
    add_offers(m);
    add_nodes(m);
    add_limits(m);
    add_needs(m);
}

static int build(struct model *m, struct pof_err *err)
{
    struct size size = {0};
    add_size(&size, m->problem);
    m->unit = common_unit(m->problem, 0);
    m->unit = m->unit ? m->unit : 1;
    int rc = reserve(m, &size, err);
    if (rc == 0 && size.cols > 0) {
        add_problem(m);
        m->glpk.load_matrix(m->lp, m->entries, m->row, m->col, m->value);
    }
    return rc;
}

/* Rounds and checks; *fits says whether what the solver proposes is proven optimal. */
static int certify(const struct model *m, struct pof_clear_result *r, bool *fits,
                   struct pof_err *err)
{
    struct pof_certificate_answer answer;
    for (size_t i = 0; i < m->problem->offers; i++) {
        r->taken_w[i] = llround(m->glpk.get_col_prim(m->lp, col_offer(m, i)));
    }
    for (uint32_t v = 0; v < m->problem->forest->n; v++) {
        r->node_price_ueur[v] = llround(m->glpk.get_row_dual(m->lp, row_all(m, v))) * m->unit;
        r->own_price_ueur[v] = llround(m->glpk.get_row_dual(m->lp, row_own(m, v))) * m->unit;
    }
    int rc = pof_clear_certify(m->problem, r, &answer, err);
    *fits = rc == 0 && answer.status == POF_CERTIFIED;
    return rc;
}

static int solve(const struct model *m, struct pof_clear_result *r, struct pof_err *err)
{
    glp_smcp how;
    m->glpk.init_smcp(&how);
    how.msg_lev = GLP_MSG_OFF;
    bool fits = false;
    int failed = m->glpk.simplex(m->lp, &how);
    int rc = failed ? 0 : certify(m, r, &fits, err);
    if (rc == 0 && !fits) {
        failed = m->glpk.exact(m->lp, &how);
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

static int model_open(struct model *m, struct pof_err *err)
{
    int rc = open_glpk(&m->glpk, err);
    if (rc == 0) {
        m->glpk.term_out(GLP_OFF);
        m->lp = m->glpk.create_prob();
    }
    return rc;
}

static void model_release(struct model *m)
{
    if (m->lp) {
        m->glpk.delete_prob(m->lp);
        m->glpk.free_env();
    }
    if (m->glpk.library) {
        dlclose(m->glpk.library);
    }
    free(m->row);
    free(m->col);
    free(m->value);
    free(m->need);
}

int pof_lp_solve(const struct pof_clear_problem *problem, struct pof_clear_result *result,
                 struct pof_err *err)
{
    struct model m = {.problem = problem};
    int rc = model_open(&m, err);
    rc = rc ? rc : build(&m, err);
    if (rc == 0 && problem->forest->n > 0) {
        rc = solve(&m, result, err);
    }
    model_release(&m);
    return rc;
}

/* --- decisions --- */

/* Columns of units come last, rows of entries (two each), parents and groups too. */
struct decisions {
    const struct pof_block_problem *p;
    int *col0; /* [quarters] columns before each quarter-hour */
    int unit0, row0;
    int spell0, spell_row0; /* columns of activations, each from a time of a spell to another; rows: two for
                               each unit, one for each spell */
};

/* low z <= q <= p z. */
static void add_entries(struct model *m, const struct decisions *d)
{
    for (size_t u = 0; u < d->p->units; u++) {
        int z = d->unit0 + (int)u + 1;
        m->glpk.set_col_kind(m->lp, z, GLP_BV);
        for (size_t e = d->p->unit[u].first; e < d->p->unit[u].last; e++) {
            const struct pof_unit_entry *x = &d->p->entry[e];
            const struct pof_clear_offer *o = &d->p->quarter[x->quarter].offer[x->offer];
            int q = d->col0[x->quarter] + (int)x->offer + 1;
            int row = d->row0 + 2 * (int)e + 1;
            int64_t low = x->low_w > o->frozen_w ? x->low_w : o->frozen_w;
            m->glpk.set_row_bnds(m->lp, row, GLP_LO, 0, 0);
            put(m, row, q, 1);
            put(m, row, z, -(double)low);
            m->glpk.set_row_bnds(m->lp, row + 1, GLP_UP, 0, 0);
            put(m, row + 1, q, 1);
            put(m, row + 1, z, -(double)o->p_w);
        }
    }
}

/* child <= parent; sum of a group <= 1. */
static void add_ties(struct model *m, const struct decisions *d)
{
    int row = d->row0 + 2 * (int)d->p->entries + 1, group0 = row + (int)d->p->units;
    for (uint32_t g = 0; g < d->p->groups; g++) {
        m->glpk.set_row_bnds(m->lp, group0 + (int)g, GLP_UP, 0, 1);
    }
    for (size_t u = 0; u < d->p->units; u++, row++) {
        const struct pof_unit *x = &d->p->unit[u];
        if (x->parent != POF_NONE && x->parent != u) {
            m->glpk.set_row_bnds(m->lp, row, GLP_UP, 0, 0);
            put(m, row, d->unit0 + (int)u + 1, 1);
            put(m, row, d->unit0 + (int)x->parent + 1, -1);
        }
        if (x->group != POF_NONE) {
            put(m, group0 + (int)x->group, d->unit0 + (int)u + 1, 1);
        }
    }
}

/* Columns that a spell's activations need, and what they put into rows at most. */
static void add_spell_size(struct size *size, const struct pof_block_problem *p)
{
    for (size_t u = 0; u < p->units; u++) {
        for (size_t v = u; p->unit[u].spell && v < p->units; v++) {
            bool can = p->unit[v].spell == p->unit[u].spell &&
                       p->unit[v].at - p->unit[u].at < p->spell[p->unit[u].spell - 1].span;
            size->cols += can;
            size->entries += can ? 2 * p->units + 1 : 0;
        }
    }
    size->rows += 2 * p->units + p->spells;
    size->entries += p->units;
}

/* A unit of a spell is taken within an activation only; at no time are two active or resting; so many of
 * them at most. */
static void add_spells(struct model *m, const struct decisions *d)
{
    const struct pof_block_problem *p = d->p;
    int z = d->spell0, count0 = d->spell_row0 + 2 * (int)p->units + 1;
    for (size_t u = 0; u < p->units; u++) {
        int row = d->spell_row0 + 2 * (int)u + 1;
        m->glpk.set_row_bnds(m->lp, row, GLP_UP, 0, 0);
        m->glpk.set_row_bnds(m->lp, row + 1, GLP_UP, 0, 1);
        if (p->unit[u].spell) {
            put(m, row, d->unit0 + (int)u + 1, 1);
        }
    }
    for (uint32_t s = 0; s < p->spells; s++) {
        m->glpk.set_row_bnds(m->lp, count0 + (int)s, GLP_UP, 0, p->spell[s].most);
    }
    for (size_t u = 0; u < p->units; u++) {
        const struct pof_unit *from = &p->unit[u];
        for (size_t v = u; from->spell && v < p->units; v++) {
            const struct pof_unit *to = &p->unit[v];
            const struct pof_spell *s = &p->spell[from->spell - 1];
            if (to->spell != from->spell || to->at - from->at >= s->span) {
                continue;
            }
            m->glpk.set_col_kind(m->lp, ++z, GLP_BV);
            put(m, count0 + (int)from->spell - 1, z, 1);
            for (size_t w = u; w < p->units; w++) {
                const struct pof_unit *x = &p->unit[w];
                if (x->spell == from->spell && x->at <= to->at) {
                    put(m, d->spell_row0 + 2 * (int)w + 1, z, -1);
                }
                if (x->spell == from->spell && x->at <= to->at + s->rest) {
                    put(m, d->spell_row0 + 2 * (int)w + 2, z, 1);
                }
            }
        }
    }
}

static int build_decisions(struct model *m, struct decisions *d, struct pof_err *err)
{
    struct size size = {0};
    for (uint32_t q = 0; q < d->p->quarters; q++) {
        add_size(&size, &d->p->quarter[q]);
        m->unit = common_unit(&d->p->quarter[q], m->unit);
    }
    m->unit = m->unit ? m->unit : 1;
    size_t cols = size.cols, rows = size.rows;
    size.cols += d->p->units;
    size.rows += 2 * d->p->entries + d->p->units + d->p->groups;
    size.entries += 4 * d->p->entries + 3 * d->p->units;
    d->spell0 = (int)size.cols;
    d->spell_row0 = (int)size.rows;
    add_spell_size(&size, d->p);
    int rc = reserve(m, &size, err);
    if (rc) {
        return rc;
    }
    d->unit0 = (int)cols;
    d->row0 = (int)rows;
    for (uint32_t q = 0; q < d->p->quarters; q++) {
        struct size one = {0};
        m->problem = &d->p->quarter[q];
        d->col0[q] = m->col0;
        add_problem(m);
        add_size(&one, m->problem);
        m->row0 += (int)one.rows;
        m->col0 += (int)one.cols;
    }
    add_entries(m, d);
    add_ties(m, d);
    add_spells(m, d);
    m->glpk.load_matrix(m->lp, m->entries, m->row, m->col, m->value);
    return 0;
}

static int decide(const struct model *m, const struct decisions *d, bool *on, struct pof_err *err)
{
    glp_smcp first;
    glp_iocp how;
    m->glpk.init_smcp(&first);
    m->glpk.init_iocp(&how);
    first.msg_lev = how.msg_lev = GLP_MSG_OFF;
    how.tol_int = 1e-9;
    how.tol_obj = 1e-12;
    int failed = m->glpk.simplex(m->lp, &first);
    failed = failed ? failed : m->glpk.intopt(m->lp, &how);
    if (failed || m->glpk.mip_status(m->lp) != GLP_OPT) {
        return pof_fail(err, POF_E_INTERNAL, "the MILP solver failed with status %d", failed);
    }
    for (size_t u = 0; u < d->p->units; u++) {
        on[u] = m->glpk.mip_col_val(m->lp, d->unit0 + (int)u + 1) > 0.5;
    }
    return 0;
}

int pof_lp_decide(const struct pof_block_problem *problem, bool *on, struct pof_err *err)
{
    struct model m = {0};
    struct decisions d = {.p = problem};
    int rc = pof_calloc(&d.col0, problem->quarters, sizeof *d.col0, err);
    rc = rc ? rc : model_open(&m, err);
    rc = rc ? rc : build_decisions(&m, &d, err);
    if (rc == 0 && problem->units > 0) {
        rc = decide(&m, &d, on, err);
    }
    model_release(&m);
    free(d.col0);
    return rc;
}

/* --- rows --- */

static int build_rows(struct model *m, const struct pof_lp_row *row, size_t rows, struct pof_err *err)
{
    const uint32_t nodes = m->problem->forest->n;
    struct size size = {0};
    add_size(&size, m->problem);
    int first = (int)size.rows + 1;
    size.rows += rows;
    size.entries += rows * nodes;
    m->unit = common_unit(m->problem, 0);
    m->unit = m->unit ? m->unit : 1;
    int rc = reserve(m, &size, err);
    if (rc) {
        return rc;
    }
    add_problem(m);
    for (size_t r = 0; r < rows; r++) {
        bool fixed = row[r].low >= row[r].high;
        m->glpk.set_row_bnds(m->lp, first + (int)r, fixed ? GLP_FX : GLP_DB, row[r].low, row[r].high);
        for (uint32_t v = 0; v < nodes; v++) {
            if (row[r].ppm[v]) {
                put(m, first + (int)r, col_own(m, v), row[r].ppm[v] * 1e-6);
            }
        }
    }
    m->glpk.load_matrix(m->lp, m->entries, m->row, m->col, m->value);
    return 0;
}

static int solve_rows(const struct model *m, bool whole, struct pof_err *err)
{
    glp_smcp first;
    glp_iocp then;
    m->glpk.init_smcp(&first);
    m->glpk.init_iocp(&then);
    first.msg_lev = then.msg_lev = GLP_MSG_OFF;
    int failed = m->glpk.simplex(m->lp, &first);
    for (size_t i = 0; whole && i < m->problem->offers; i++) {
        m->glpk.set_col_kind(m->lp, col_offer(m, i), GLP_IV);
    }
    failed = failed || !whole ? failed : m->glpk.intopt(m->lp, &then);
    bool solved = whole ? m->glpk.mip_status(m->lp) == GLP_OPT : m->glpk.get_status(m->lp) == GLP_OPT;
    return !failed && solved ? 0 : pof_fail(err, POF_E_INTERNAL, "the LP solver failed with status %d", failed);
}

int pof_lp_rows(const struct pof_clear_problem *problem, const struct pof_lp_row *row, size_t rows, bool whole,
                double *x, double *price, struct pof_err *err)
{
    struct model m = {.problem = problem};
    int rc = model_open(&m, err);
    rc = rc ? rc : build_rows(&m, row, rows, err);
    rc = rc ? rc : solve_rows(&m, whole, err);
    struct size size = {0};
    add_size(&size, problem);
    for (size_t i = 0; rc == 0 && i < problem->offers; i++) {
        x[i] = (whole ? m.glpk.mip_col_val : m.glpk.get_col_prim)(m.lp, col_offer(&m, i));
    }
    for (size_t r = 0; rc == 0 && r < rows && !whole; r++) {
        price[r] = m.glpk.get_row_dual(m.lp, (int)(size.rows + r) + 1) * (double)m.unit;
    }
    model_release(&m);
    return rc;
}

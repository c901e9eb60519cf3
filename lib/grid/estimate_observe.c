/* SPDX-License-Identifier: Apache-2.0 */
/* Is what is read enough, and if not, what is missing?
 *
 * Numerical observability (A. Monticelli, F. Wu, IEEE Trans. PAS 104(5), 1985): whether a state can
 * change without any reading changing is a matter of what is read where, not of impedances. So the
 * test is made on the decoupled model, P by angles and Q by magnitudes, with branches of about unit
 * reactance; the numbers then are small integers' neighbours and rank is a clean question. (They
 * differ by a hash of the branch, so that equal branches do not cancel by accident.) Vectors are
 * projected onto what no reading sees,
 *
 *     eps (eps I + H'H)^-1 b  =  N N'b + O(eps / sigma_min^2),
 *
 * several times, which squares the error away. Where resistances do what decoupling forbids (angles
 * from Q and magnitudes, in cables), the full model at no load may overrule, if it is clearly
 * determined there. What would help is read off the same vectors: a flow reading on a branch whose
 * ends move apart in one of them takes one dimension away; that vector is used up to clear the
 * branch in all others, and so on, until none is left. The list is as short as can be. */
#include "grid/estimate_impl.h"
#include "num/rng.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VECTORS = 12, NAMED_MAX = 4 };

static const double SEEN_BELOW = 1e-4; /* components of projections: 0 or about 1 */
static const double MOVES_ABOVE = 1e-3; /* a vector that can be used to clear others */

struct test {
    struct se_system system;
    double *h;         /* [entries] values of the rows under test */
    double *y;         /* [VECTORS * size] projections */
    bool used[VECTORS];
    bool *angle_free;  /* [n] */
    bool *v_free;      /* [n] */
};

/* A branch's weight in the unit model, in 1..2. */
static double unit(uint32_t branch)
{
    return 1 + ldexp((double)(pof_random(1, branch, 0) >> 11), -53);
}

static void unit_row(const struct pof_se *se, const struct se_row *row, double *h)
{
    bool q = row->quantity == POF_QUANTITY_Q;
    memset(h, 0, (size_t)row->n * sizeof *h);
    if (row->quantity == POF_QUANTITY_I) {
        return;
    }
    if (row->n == 1) {
        h[0] = 1;
        return;
    }
    if (row->branch) {
        h[q] = 1;
        h[2 + q] = -1;
        return;
    }
    for (uint32_t k = se->adj_begin[row->element]; k < se->adj_begin[row->element + 1]; k++) {
        double w = unit(se->adj[k] / 2);
        h[q] += w;
        h[2 * se->end[se->adj[k]].place + q] -= w;
    }
}

static void full_row(const struct pof_se *se, const struct se_row *row, double *h)
{
    pofi_se_gradient(se, row, se->flat_v, h);
    if (row->quantity == POF_QUANTITY_I) {
        memset(h, 0, (size_t)row->n * sizeof *h);
    }
}

/* Values of all rows, each with its largest element 1. */
static void fill_rows(struct pof_se *se, struct test *t,
                      void (*fill)(const struct pof_se *, const struct se_row *, double *))
{
    pofi_se_ends(se, se->flat_a);
    for (size_t i = 0; i < se->rows; i++) {
        const struct se_row *row = &se->row[i];
        double *h = t->h + row->begin;
        double most = 0;
        fill(se, row, h);
        for (int32_t k = 0; k < row->n; k++) {
            most = fmax(most, fabs(h[k]));
        }
        for (int32_t k = 0; k < row->n && most > 0; k++) {
            h[k] /= most;
        }
    }
}

/* Vectors that no null space of a grid escapes: all angles, all magnitudes, and anything. */
static double probe(int which, uint32_t i)
{
    if (which < 2) {
        return (int)(i % 2) == which ? 1 : 0;
    }
    uint64_t bits = pof_random(2, i, (uint64_t)which);
    double size = 0.5 + ldexp((double)(bits >> 12), -53);
    return bits & 1 ? size : -size;
}

static int project(const struct pof_se *se, struct test *t, double eps, int times,
                   struct pof_err *err)
{
    enum pof_lu_status status = POF_LU_SINGULAR;
    size_t size = (size_t)t->system.size;
    pofi_se_assemble_test(se, &t->system, t->h, eps);
    pof_lu_reset(t->system.lu);
    int rc = pof_lu_factor(t->system.lu, &status, err);
    if (rc == 0 && status != POF_LU_OK) {
        rc = pof_fail(err, POF_E_INTERNAL, "the test of observability is singular");
    }
    memset(t->y, 0, VECTORS * size * sizeof *t->y);
    for (int k = 0; k < VECTORS; k++) {
        for (uint32_t i = 0; i < 2 * se->n; i++) {
            t->y[(size_t)k * size + i] = probe(k, i);
        }
    }
    for (int pass = 0; rc == 0 && pass < times; pass++) {
        rc = pof_lu_solve(t->system.lu, t->y, VECTORS, err);
        for (size_t i = 0; i < VECTORS * size; i++) {
            t->y[i] = i % size < 2 * (size_t)se->n ? eps * t->y[i] : 0;
        }
    }
    return rc;
}

/* The largest component of the projections at one state variable. */
static double hidden(const struct test *t, size_t variable)
{
    double most = 0;
    for (size_t k = 0; k < VECTORS; k++) {
        most = fmax(most, fabs(t->y[k * (size_t)t->system.size + variable]));
    }
    return most;
}

/* A reading yet to be made: the difference of two variables, or one alone (minus < 0). */
static double shows(const struct test *t, size_t k, int64_t plus, int64_t minus)
{
    const double *y = t->y + k * (size_t)t->system.size;
    return y[plus] - (minus < 0 ? 0 : y[minus]);
}

/* Whether that reading would show a movement nobody sees; if so, all movement it would show is
 * taken out of the vectors, as if it had been read. */
static bool helps(struct test *t, int64_t plus, int64_t minus)
{
    size_t best = 0;
    double most = 0;
    for (size_t k = 0; k < VECTORS; k++) {
        double value = t->used[k] ? 0 : fabs(shows(t, k, plus, minus));
        best = value > most ? k : best;
        most = fmax(most, value);
    }
    if (most < MOVES_ABOVE) {
        return false;
    }
    t->used[best] = true;
    const double *x = t->y + best * (size_t)t->system.size;
    for (size_t k = 0; k < VECTORS; k++) {
        double f = t->used[k] ? 0 : shows(t, k, plus, minus) / shows(t, best, plus, minus);
        for (size_t i = 0; f != 0 && i < (size_t)t->system.size; i++) {
            t->y[k * (size_t)t->system.size + i] -= f * x[i];
        }
    }
    return true;
}

/* Text that grows in a fixed place and stops whole. */
struct words {
    char *to;
    size_t n, cap;
};

static void say(struct words *w, const char *text, struct pof_text name)
{
    int n = snprintf(w->to + w->n, w->cap - w->n, "%s%.*s", text, (int)name.len, name.ptr);
    w->n = n < 0 || (size_t)n >= w->cap - w->n ? w->cap - 1 : w->n + (size_t)n;
}

static void say_more(struct words *w, uint32_t more)
{
    if (more > 0) {
        char text[32];
        snprintf(text, sizeof text, " and %u more", more);
        say(w, text, (struct pof_text){"", 0});
    }
}

static uint32_t say_nodes(const struct pof_se *se, struct words *w)
{
    uint32_t n = 0;
    char text[64];
    for (uint32_t i = 0; i < se->grid->nodes; i++) {
        n += se->unobservable[i];
    }
    snprintf(text, sizeof text, "%u of %u nodes cannot be observed: ", n, se->n);
    uint32_t said = 0;
    for (uint32_t i = 0; i < se->grid->nodes && said < NAMED_MAX; i++) {
        if (se->unobservable[i]) {
            say(w, said++ == 0 ? text : ", ", se->grid->node[i].name);
        }
    }
    say_more(w, n - said);
    return n;
}

/* Branch by branch: what to read there. */
static void say_joins(const struct pof_se *se, struct test *t, struct words *w)
{
    uint32_t joins = 0;
    for (uint32_t b = 0; b < se->grid->branches; b++) {
        const struct se_end *end = &se->end[2 * b];
        if (end->self == POF_NONE || !(se->unobservable[se->node[end->self]] ||
                                       se->unobservable[se->node[end->other]])) {
            continue;
        }
        bool p = helps(t, 2 * (int64_t)end->self, 2 * (int64_t)end->other);
        bool q = helps(t, 2 * (int64_t)end->self + 1, 2 * (int64_t)end->other + 1);
        if ((p || q) && joins++ < NAMED_MAX) {
            say(w, joins == 1 ? "; would do: " : ", ", (struct pof_text){"", 0});
            say(w, p && q ? "p and q of branch " : p ? "p of branch " : "q of branch ",
                se->grid->branch[b].name);
        }
    }
    say_more(w, joins > NAMED_MAX ? joins - NAMED_MAX : 0);
}

/* Parts of the grid whose level nobody reads. */
static void say_levels(const struct pof_se *se, struct test *t, struct words *w)
{
    for (uint32_t root = 0; root < se->n; root++) {
        struct pof_text name = se->grid->node[se->node[root]].name;
        if (se->root[root] != root || !se->unobservable[se->node[root]]) {
            continue;
        }
        if (helps(t, 2 * (int64_t)root + 1, -1)) {
            say(w, "; no voltage is read: v of any node, for example ", name);
        }
        if (helps(t, 2 * (int64_t)root, -1)) {
            say(w, "; no angle is held: angle of any node, for example ", name);
        }
    }
    bool more = true;
    for (size_t k = 0; k < VECTORS; k++) {
        more = more && t->used[k];
    }
    if (more) {
        say(w, "; and more after these", (struct pof_text){"", 0});
    }
}

static void explain(struct pof_se *se, struct test *t)
{
    struct words w = {.to = se->detail, .cap = sizeof se->detail};
    say_nodes(se, &w);
    say_joins(se, t, &w);
    say_levels(se, t, &w);
}

static int unit_model(struct pof_se *se, struct test *t, struct pof_err *err)
{
    fill_rows(se, t, unit_row);
    return project(se, t, 1e-13, 4, err);
}

/* Marks what both the projections in t and the marks so far doubt. */
static bool mark(const struct pof_se *se, struct test *t)
{
    bool none = true;
    for (uint32_t e = 0; e < se->n; e++) {
        t->angle_free[e] = t->angle_free[e] && hidden(t, 2 * e) > SEEN_BELOW;
        t->v_free[e] = t->v_free[e] && hidden(t, 2 * e + 1) > SEEN_BELOW;
        se->unobservable[se->node[e]] = t->angle_free[e] || t->v_free[e];
        none = none && !t->angle_free[e] && !t->v_free[e];
    }
    return none;
}

/* The unit model's doubts, then the full model's leave to overrule them. */
static int examine(struct pof_se *se, struct test *t, bool *observable, struct pof_err *err)
{
    memset(t->angle_free, 1, se->n * sizeof *t->angle_free);
    memset(t->v_free, 1, se->n * sizeof *t->v_free);
    int rc = unit_model(se, t, err);
    *observable = rc == 0 && mark(se, t);
    if (rc != 0 || *observable) {
        return rc;
    }
    fill_rows(se, t, full_row);
    rc = project(se, t, 1e-7, 2, err);
    *observable = rc == 0 && mark(se, t);
    if (rc != 0 || *observable) {
        return rc;
    }
    rc = unit_model(se, t, err);
    if (rc == 0) {
        explain(se, t);
    }
    return rc;
}

int pofi_se_observe(struct pof_se *se, bool *observable, struct pof_err *err)
{
    struct test t = {0};
    memset(se->unobservable, 0, se->grid->nodes * sizeof *se->unobservable);
    int rc = pofi_se_system_new(se, &t.system, true, err);
    size_t size = (size_t)t.system.size;
    rc = rc == 0 ? pof_calloc(&t.h, (size_t)se->entries, sizeof *t.h, err) : rc;
    rc = rc == 0 ? pof_calloc(&t.y, VECTORS * size, sizeof *t.y, err) : rc;
    rc = rc == 0 ? pof_calloc(&t.angle_free, se->n, sizeof *t.angle_free, err) : rc;
    rc = rc == 0 ? pof_calloc(&t.v_free, se->n, sizeof *t.v_free, err) : rc;
    if (rc == 0) {
        rc = examine(se, &t, observable, err);
    }
    pofi_se_system_free(&t.system);
    free(t.v_free);
    free(t.angle_free);
    free(t.y);
    free(t.h);
    return rc;
}

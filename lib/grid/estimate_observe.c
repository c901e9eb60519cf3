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
    double *scratch;   /* [size] */
    size_t size;       /* unknowns of the system */
    bool used[VECTORS];
    bool *angle_free;  /* [n] */
    bool *v_free;      /* [n] */
};

/* The weight of a link between two nodes in the unit model, in 1..2. */
static double unit(uint32_t a, uint32_t b)
{
    return 1 + ldexp((double)(pof_random(1, a < b ? a : b, a < b ? b : a) >> 11), -53);
}

/* Difference of P or Q over the links of one form; blocks of other phases are other nodes. */
static void unit_form(const struct pof_se *se, const struct se_row *row, uint32_t form, double *h)
{
    const struct se_forms *f = &se->forms;
    bool q = row->quantity == POF_QUANTITY_Q;
    uint32_t own = 0;
    for (uint32_t k = 0; k < row->n; k++) {
        own = se->block[row->begin + k] == f->at[form] ? k : own;
    }
    for (uint32_t e = f->begin[form]; e < f->begin[form + 1]; e++) {
        for (uint32_t k = 0; k < row->n; k++) {
            if (se->block[row->begin + k] == f->to[e] && k != own &&
                (f->g[e] != 0 || f->b[e] != 0)) {
                double w = unit(f->at[form], f->to[e]);
                h[2 * own + q] += w;
                h[2 * k + q] -= w;
            }
        }
    }
}

static bool of_current(const struct se_row *row)
{
    return row->quantity >= POF_QUANTITY_I;
}

static void unit_row(const struct pof_se *se, const struct se_row *row, double *h)
{
    memset(h, 0, 2 * (size_t)row->n * sizeof *h);
    if (of_current(row)) {
        return;
    }
    if (row->quantity == POF_QUANTITY_V || row->quantity == POF_QUANTITY_ANGLE) {
        h[row->quantity == POF_QUANTITY_V] = 1;
        return;
    }
    for (uint32_t k = 0; k < row->forms; k++) {
        unit_form(se, row, row->place + k, h);
    }
    for (uint32_t k = 0; k < row->n; k++) {
        if (se->block[row->begin + k] >= se->net.nodes) {
            memcpy(h + 2 * k, se->constant + 2 * ((size_t)row->begin + k), 2 * sizeof *h);
        }
    }
}

static void full_row(const struct pof_se *se, const struct se_row *row, double *h)
{
    pofi_se_gradient(se, row, &se->flat, h);
    if (of_current(row)) {
        memset(h, 0, 2 * (size_t)row->n * sizeof *h);
    }
}

/* Values of all rows, each with its largest element 1. */
static void fill_rows(struct pof_se *se, struct test *t,
                      void (*fill)(const struct pof_se *, const struct se_row *, double *))
{
    for (size_t i = 0; i < se->rows; i++) {
        const struct se_row *row = &se->row[i];
        double *h = t->h + 2 * (size_t)row->begin;
        double most = 0;
        fill(se, row, h);
        for (uint32_t k = 0; k < 2 * row->n; k++) {
            most = fmax(most, fabs(h[k]));
        }
        for (uint32_t k = 0; k < 2 * row->n && most > 0; k++) {
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

static void project(const struct pof_se *se, struct test *t, double eps, int times)
{
    size_t size = t->size;
    pofi_se_factor_test(se, &t->system, t->h, eps);
    memset(t->y, 0, VECTORS * size * sizeof *t->y);
    for (int k = 0; k < VECTORS; k++) {
        double *y = t->y + (size_t)k * size;
        for (uint32_t i = 0; i < 2 * se->net.nodes; i++) {
            y[i] = probe(k, i);
        }
        for (int pass = 0; pass < times; pass++) {
            pofi_se_system_solve(&t->system, y, t->scratch);
            for (size_t i = 0; i < size; i++) {
                y[i] = i < 2 * (size_t)se->net.nodes ? eps * y[i] : 0;
            }
        }
    }
}

/* The largest component of the projections at one state variable. */
static double hidden(const struct test *t, size_t variable)
{
    double most = 0;
    for (size_t k = 0; k < VECTORS; k++) {
        most = fmax(most, fabs(t->y[k * t->size + variable]));
    }
    return most;
}

/* A reading yet to be made: the difference of two variables, or one alone (minus < 0). */
static double shows(const struct test *t, size_t k, int64_t plus, int64_t minus)
{
    const double *y = t->y + k * t->size;
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
    const double *x = t->y + best * t->size;
    for (size_t k = 0; k < VECTORS; k++) {
        double f = t->used[k] ? 0 : shows(t, k, plus, minus) / shows(t, best, plus, minus);
        for (size_t i = 0; f != 0 && i < t->size; i++) {
            t->y[k * t->size + i] -= f * x[i];
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

static uint32_t energised(const struct pof_se *se)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < se->grid->nodes; i++) {
        n += se->net.bus_of[i] != POF_NONE;
    }
    return n;
}

static uint32_t say_nodes(const struct pof_se *se, struct words *w)
{
    uint32_t n = 0;
    char text[64];
    for (uint32_t i = 0; i < se->grid->nodes; i++) {
        n += se->unobservable[i];
    }
    snprintf(text, sizeof text, "%u of %u nodes cannot be observed: ", n, energised(se));
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
        const struct pof_branch *branch = &se->grid->branch[b];
        uint32_t form = pof_net_end(&se->net, b, false, 0);
        bool p = false, q = false;
        if (se->net.at[form] == POF_NONE ||
            !(se->unobservable[branch->from] || se->unobservable[branch->to])) {
            continue;
        }
        for (uint32_t f = 0; f < se->net.phases; f++) {
            int64_t from = 2 * (int64_t)se->net.at[form + f];
            int64_t to = 2 * (int64_t)se->net.at[pof_net_end(&se->net, b, true, f)];
            p = helps(t, from, to) || p;
            q = helps(t, from + 1, to + 1) || q;
        }
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
    for (uint32_t k = 0; k < se->net.nodes; k++) {
        uint32_t bus = k / se->net.phases, root = k;
        struct pof_text name = se->grid->node[se->net.first_of[bus]].name;
        if (se->net.slack_of[bus] != bus || !se->unobservable[se->net.first_of[bus]]) {
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

static void unit_model(struct pof_se *se, struct test *t)
{
    fill_rows(se, t, unit_row);
    project(se, t, 1e-9, 4);
}

/* Marks what both the projections in t and the marks so far doubt. */
static bool mark(const struct pof_se *se, struct test *t)
{
    bool none = true;
    for (uint32_t n = 0; n < se->net.nodes; n++) {
        t->angle_free[n] = t->angle_free[n] && hidden(t, 2 * n) > SEEN_BELOW;
        t->v_free[n] = t->v_free[n] && hidden(t, 2 * n + 1) > SEEN_BELOW;
        none = none && !t->angle_free[n] && !t->v_free[n];
    }
    for (uint32_t i = 0; i < se->grid->nodes; i++) {
        uint32_t bus = se->net.bus_of[i];
        se->unobservable[i] = false;
        for (uint32_t f = 0; bus != POF_NONE && f < se->net.phases; f++) {
            uint32_t n = bus * se->net.phases + f;
            se->unobservable[i] = se->unobservable[i] || t->angle_free[n] || t->v_free[n];
        }
    }
    return none;
}

/* The unit model's doubts, then the full model's leave to overrule them. */
static bool examine(struct pof_se *se, struct test *t)
{
    memset(t->angle_free, 1, se->net.nodes * sizeof *t->angle_free);
    memset(t->v_free, 1, se->net.nodes * sizeof *t->v_free);
    unit_model(se, t);
    if (mark(se, t)) {
        return true;
    }
    fill_rows(se, t, full_row);
    project(se, t, 1e-8, 2);
    if (mark(se, t)) {
        return true;
    }
    unit_model(se, t);
    explain(se, t);
    return false;
}

int pofi_se_observe(struct pof_se *se, bool *observable, struct pof_err *err)
{
    struct test t = {0};
    memset(se->unobservable, 0, se->grid->nodes * sizeof *se->unobservable);
    int rc = pofi_se_system_new(se, &t.system, true, err);
    t.size = 2 * (size_t)t.system.blocks;
    rc = rc ? rc : pof_calloc(&t.h, 2 * (size_t)se->entries, sizeof *t.h, err);
    rc = rc ? rc : pof_calloc(&t.y, VECTORS * t.size, sizeof *t.y, err);
    rc = rc ? rc : pof_calloc(&t.scratch, t.size, sizeof *t.scratch, err);
    rc = rc ? rc : pof_calloc(&t.angle_free, se->net.nodes, sizeof *t.angle_free, err);
    rc = rc ? rc : pof_calloc(&t.v_free, se->net.nodes, sizeof *t.v_free, err);
    if (rc == 0) {
        *observable = examine(se, &t);
    }
    pofi_se_system_free(&t.system);
    free(t.v_free);
    free(t.angle_free);
    free(t.scratch);
    free(t.y);
    free(t.h);
    return rc;
}

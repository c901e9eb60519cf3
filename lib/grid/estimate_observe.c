/* SPDX-License-Identifier: Apache-2.0 */
/* Is what is read enough, and if not, what is missing?
 *
 * Observability (A. Monticelli, F. Wu, IEEE Trans. PAS 104(5), 1985): whether a state can change
 * without any reading changing is a matter of what is read where, not of impedances. So the test is
 * made on the decoupled model, P by angles and Q by magnitudes, with links of random susceptance,
 * and without rounding (estimate_rank.h): first by a glance (estimate_enough.c), then by what spreads from row to row, which is enough for
 * most sets that are observable, and by elimination where that leaves a doubt. A current read with its angle stands for P and Q there.
 * Where resistances do what decoupling forbids (angles from Q and magnitudes, in cables), the full
 * model at no load may overrule, if it is clearly determined there: vectors are projected onto what
 * no reading sees,
 *
 *     eps (eps I + H'H)^-1 b  =  N N'b + O(eps / sigma_min^2),
 *
 * several times, which squares the error away.
 *
 * Nodes between which no movement that nobody sees makes a difference are an island: its flows are
 * known whatever its level. What would join islands is read off vectors of the null space: a flow
 * reading on a branch whose ends move apart in one of them takes one dimension away; that vector is
 * used up to clear the branch in all others, and so on, until none is left. The list is as short as
 * can be. */
#include "grid/estimate_impl.h"
#include "grid/estimate_rank.h"
#include "num/rng.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VECTORS = 12, NULLS = 64, NAMED_MAX = 4 }; /* projections; vectors of the null space */

static const double SEEN_BELOW = 1e-4; /* components of projections: 0 or about 1 */

/* Projections of the full model. */
struct test {
    struct se_system system;
    double *h;         /* [2 * entries] values of the rows under test */
    double *y;         /* [VECTORS * size] projections */
    double *scratch;   /* [size] */
    size_t size;       /* unknowns of the system */
};

/* What is not determined, exactly, in the unit model. */
struct search {
    struct pof_rank rank;
    size_t *begin;
    uint32_t *block;
    uint64_t *value;
    bool *phasor[2];   /* [forms] a current's magnitude, and its angle, are read there */
    uint64_t *y;       /* [vectors * n] null space */
    size_t vectors;
    bool used[NULLS];
    bool *angle_free;  /* [net nodes] */
    bool *v_free;      /* [net nodes] */
    uint32_t *island;  /* [net buses] */
};

static bool of_current(const struct se_row *row)
{
    return row->quantity >= POF_QUANTITY_I;
}

static bool of_angle(const struct se_row *row)
{
    return row->quantity == POF_QUANTITY_I_ANGLE || row->quantity == POF_QUANTITY_I_ANGLE_TO_V;
}

/* --- the unit model --- */

/* The weight of a link between two nodes. */
static uint64_t unit(uint32_t a, uint32_t b)
{
    return pof_rank_random(2, a < b ? a : b, a < b ? b : a);
}

/* Difference of P or Q over the links of one form; blocks of other phases are other nodes. */
static void unit_form(const struct pof_se *se, const struct se_row *row, uint32_t form, bool q,
                      uint64_t *h)
{
    const struct se_forms *f = &se->forms;
    uint32_t own = 0;
    for (uint32_t k = 0; k < row->n; k++) {
        own = se->block[row->begin + k] == f->at[form] ? k : own;
    }
    for (uint32_t e = f->begin[form]; e < f->begin[form + 1]; e++) {
        for (uint32_t k = 0; k < row->n; k++) {
            if (se->block[row->begin + k] == f->to[e] && k != own &&
                (f->g[e] != 0 || f->b[e] != 0)) {
                uint64_t w = unit(f->at[form], f->to[e]);
                h[2 * own + q] = pof_rank_add(h[2 * own + q], w);
                h[2 * k + q] = pof_rank_sub(h[2 * k + q], w);
            }
        }
    }
}

/* Small whole numbers, as potentials have. */
static uint64_t whole(double x)
{
    int64_t n = llround(x);
    return n < 0 ? POF_RANK_PRIME - (uint64_t)-n : (uint64_t)n;
}

static void unit_row(const struct pof_se *se, const struct search *s, const struct se_row *row,
                     uint64_t *h)
{
    bool q = row->quantity == POF_QUANTITY_Q || of_angle(row);
    if (row->quantity == POF_QUANTITY_V || row->quantity == POF_QUANTITY_ANGLE) {
        h[row->quantity == POF_QUANTITY_V] = 1;
        return;
    }
    if (of_current(row) &&
        (row->place == POF_NONE || !s->phasor[0][row->place] || !s->phasor[1][row->place])) {
        return;
    }
    for (uint32_t k = 0; k < row->forms; k++) {
        unit_form(se, row, row->place + k, q, h);
    }
    for (uint32_t k = 0; k < row->n && !of_current(row); k++) {
        if (se->block[row->begin + k] >= se->net.nodes) {
            const double *c = se->constant + 2 * ((size_t)row->begin + k);
            h[2 * k] = whole(c[0]);
            h[2 * k + 1] = whole(c[1]);
        }
    }
}

/* All rows, and potentials that are none. */
static int unit_rows(const struct pof_se *se, struct search *s, struct pof_rank_rows *in,
                     struct pof_err *err)
{
    size_t held = se->potentials, n = 0;
    int rc = pof_calloc(&s->begin, se->rows + held + 1, sizeof *s->begin, err);
    rc = rc ? rc : pof_calloc(&s->block, se->entries + held, sizeof *s->block, err);
    rc = rc ? rc : pof_calloc(&s->value, 2 * (se->entries + held), sizeof *s->value, err);
    rc = rc ? rc : pof_calloc(&s->phasor[0], se->forms.n, sizeof *s->phasor[0], err);
    rc = rc ? rc : pof_calloc(&s->phasor[1], se->forms.n, sizeof *s->phasor[1], err);
    if (rc != 0) {
        return rc;
    }
    for (size_t i = 0; i < se->rows; i++) {
        const struct se_row *row = &se->row[i];
        if (of_current(row) && row->place != POF_NONE) {
            s->phasor[of_angle(row)][row->place] = true;
        }
    }
    for (size_t i = 0; i < se->rows; i++) {
        const struct se_row *row = &se->row[i];
        memcpy(s->block + n, se->block + row->begin, row->n * sizeof *s->block);
        unit_row(se, s, row, s->value + 2 * n);
        n += row->n;
        s->begin[i + 1] = n;
    }
    for (size_t k = 0; k < held; k++) {
        s->block[n] = se->net.nodes + (uint32_t)k;
        s->value[2 * n] = !se->is_state[2 * k];
        s->value[2 * n + 1] = !se->is_state[2 * k + 1];
        s->begin[se->rows + k + 1] = ++n;
    }
    *in = (struct pof_rank_rows){.blocks = pofi_se_states(se),
                                 .rows = se->rows + held,
                                 .begin = s->begin,
                                 .block = s->block,
                                 .value = s->value};
    return 0;
}

static int unit_model(const struct pof_se *se, struct search *s, struct pof_err *err)
{
    struct pof_rank_rows in;
    bool full = false;
    int rc = unit_rows(se, s, &in, err);
    rc = rc ? rc : pof_rank_spread(&in, &full, err);
    rc = rc || full ? rc : pof_rank_find(&s->rank, &in, err);
    s->vectors = rc ? 0 : s->rank.lost < NULLS ? s->rank.lost : NULLS;
    rc = rc ? rc : pof_calloc(&s->y, s->vectors * s->rank.n, sizeof *s->y, err);
    for (size_t k = 0; rc == 0 && k < s->vectors; k++) {
        pof_rank_null(&s->rank, 3 + k, s->y + k * s->rank.n);
    }
    return rc;
}

/* --- the full model --- */

static void full_row(const struct pof_se *se, const struct se_row *row, double *h)
{
    pofi_se_gradient(se, row, &se->flat, h);
    if (of_current(row)) {
        memset(h, 0, 2 * (size_t)row->n * sizeof *h);
    }
}

/* Values of all rows, each with its largest element 1. */
static void fill_rows(struct pof_se *se, struct test *t)
{
    for (size_t i = 0; i < se->rows; i++) {
        const struct se_row *row = &se->row[i];
        double *h = t->h + 2 * (size_t)row->begin;
        double most = 0;
        full_row(se, row, h);
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
                y[i] = i < 2 * (size_t)pofi_se_states(se) ? eps * y[i] : 0;
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

/* --- what would help --- */

/* A reading yet to be made: the difference of two variables, or one alone (minus < 0). */
static uint64_t shows(const struct search *s, size_t k, int64_t plus, int64_t minus)
{
    const uint64_t *y = s->y + k * s->rank.n;
    return pof_rank_sub(y[plus], minus < 0 ? 0 : y[minus]);
}

/* Whether that reading would show a movement nobody sees; if so, all movement it would show is
 * taken out of the vectors, as if it had been read. */
static bool helps(struct search *s, int64_t plus, int64_t minus)
{
    size_t best = 0;
    while (best < s->vectors && (s->used[best] || shows(s, best, plus, minus) == 0)) {
        best++;
    }
    if (best == s->vectors) {
        return false;
    }
    s->used[best] = true;
    const uint64_t *x = s->y + best * s->rank.n;
    uint64_t inverse = pof_rank_inverse(shows(s, best, plus, minus));
    for (size_t k = 0; k < s->vectors; k++) {
        uint64_t f = s->used[k] ? 0 : pof_rank_mul(shows(s, k, plus, minus), inverse);
        uint64_t *y = s->y + k * s->rank.n;
        for (uint32_t i = 0; f != 0 && i < s->rank.n; i++) {
            y[i] = pof_rank_sub(y[i], pof_rank_mul(f, x[i]));
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
static void say_joins(const struct pof_se *se, struct search *t, struct words *w)
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
static void say_levels(const struct pof_se *se, struct search *t, struct words *w)
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
    if (t->rank.lost > NULLS) {
        say(w, "; and more after these", (struct pof_text){"", 0});
    }
}

/* Each by the node that stands for it. */
static void say_islands(const struct pof_se *se, struct words *w)
{
    uint32_t said = 0;
    for (uint32_t i = 0; i < se->grid->nodes && said < NAMED_MAX; i++) {
        if (se->island[i] != i) {
            continue;
        }
        uint32_t n = 0;
        char text[32];
        for (uint32_t k = i; k < se->grid->nodes; k++) {
            n += se->island[k] == i;
        }
        say(w, said++ == 0 ? "; islands: " : ", ", se->grid->node[i].name);
        if (n > 1) {
            snprintf(text, sizeof text, " with %u more", n - 1);
            say(w, text, (struct pof_text){"", 0});
        }
    }
    say_more(w, se->islands - said);
}

static void explain(struct pof_se *se, struct search *s)
{
    struct words w = {.to = se->detail, .cap = sizeof se->detail};
    say_nodes(se, &w);
    say_islands(se, &w);
    say_joins(se, s, &w);
    say_levels(se, s, &w);
}

/* --- islands --- */

static uint32_t island_of(struct search *s, uint32_t bus)
{
    while (s->island[bus] != bus) {
        s->island[bus] = s->island[s->island[bus]];
        bus = s->island[bus];
    }
    return bus;
}

/* Whether the flows between two buses are known: no movement nobody sees parts them. */
static bool joined(const struct pof_se *se, const struct search *s, uint32_t a, uint32_t b)
{
    uint32_t phases = se->net.phases;
    for (size_t k = 0; k < s->vectors; k++) {
        const uint64_t *y = s->y + k * s->rank.n;
        if (memcmp(y + 2 * (size_t)a * phases, y + 2 * (size_t)b * phases,
                   2 * phases * sizeof *y) != 0) {
            return false;
        }
    }
    return true;
}

/* Before the vectors are used up. */
static void find_islands(struct pof_se *se, struct search *s)
{
    const struct pof_net *net = &se->net;
    for (uint32_t i = 0; i < net->buses; i++) {
        s->island[i] = i;
    }
    for (uint32_t b = 0; b < se->grid->branches; b++) {
        uint32_t from = net->bus_of[se->grid->branch[b].from];
        uint32_t to = net->bus_of[se->grid->branch[b].to];
        if (net->at[pof_net_end(net, b, false, 0)] != POF_NONE && joined(se, s, from, to)) {
            uint32_t x = island_of(s, from), y = island_of(s, to);
            s->island[x > y ? x : y] = x > y ? y : x;
        }
    }
    se->islands = 0;
    for (uint32_t i = 0; i < se->grid->nodes; i++) {
        uint32_t bus = net->bus_of[i];
        se->island[i] = bus == POF_NONE ? POF_NONE : net->first_of[island_of(s, bus)];
        se->islands += se->island[i] == i;
    }
}

/* Voltages which, if they were read, would make all known, none of them for nothing: the rest of the
 * state stays as it is whatever they are. */
static int list_missing(struct pof_se *se, const struct search *s, struct pof_err *err)
{
    const struct pof_net *net = &se->net;
    size_t most = s->rank.lost + (size_t)se->references;
    int rc = pof_grow(&se->missing, &se->missing_cap, most, sizeof *se->missing, err);
    se->n_missing = 0;
    /* an angle that is read would take the place of the reference */
    for (size_t i = 0; rc == 0 && i < se->rows; i++) {
        const struct se_row *row = &se->row[i];
        if (row->origin == SE_REFERENCE) {
            struct pof_observation *o = &se->missing[se->n_missing++];
            *o = (struct pof_observation){
                .element = row->element, .quantity = row->quantity, .phase = row->phase};
            o->value = row->z * pofi_se_unit(se, o);
        }
    }
    for (uint32_t i = 0; rc == 0 && i < s->rank.n; i++) {
        uint32_t node = i / 2, bus = node / net->phases;
        if (!s->rank.free[i]) {
            continue;
        }
        if (node >= net->nodes) {
            se->n_missing = 0; /* the flow of a switch: nothing that can be held */
            break;
        }
        struct pof_observation *o = &se->missing[se->n_missing++];
        *o = (struct pof_observation){.element = net->first_of[bus]};
        o->phase = (uint8_t)(net->phases == 1 ? 0 : 1 + node % net->phases);
        o->quantity = (uint8_t)(i % 2 ? POF_QUANTITY_V : POF_QUANTITY_ANGLE);
        double unit = pofi_se_unit(se, o);
        o->value = (i % 2 ? net->flat_v[node] : net->flat_a[node]) * unit;
        o->sigma = 0.01 * unit;
    }
    return rc;
}

/* --- the whole --- */

/* The grid nodes in doubt; false: there are none. */
static bool mark(struct pof_se *se, const struct search *s)
{
    bool any = false;
    for (uint32_t i = 0; i < se->grid->nodes; i++) {
        uint32_t bus = se->net.bus_of[i];
        se->unobservable[i] = false;
        for (uint32_t f = 0; bus != POF_NONE && f < se->net.phases; f++) {
            uint32_t n = bus * se->net.phases + f;
            se->unobservable[i] = se->unobservable[i] || s->angle_free[n] || s->v_free[n];
        }
        any = any || se->unobservable[i];
    }
    return any;
}

/* The full model may overrule the doubts of the unit model. */
static int overrule(struct pof_se *se, struct search *s, bool *any, struct pof_err *err)
{
    struct test t = {0};
    *any = false;
    int rc = pofi_se_system_new(se, &t.system, true, err);
    t.size = 2 * (size_t)t.system.blocks;
    rc = rc ? rc : pof_calloc(&t.h, 2 * (size_t)se->entries, sizeof *t.h, err);
    rc = rc ? rc : pof_calloc(&t.y, VECTORS * t.size, sizeof *t.y, err);
    rc = rc ? rc : pof_calloc(&t.scratch, t.size, sizeof *t.scratch, err);
    if (rc == 0) {
        fill_rows(se, &t);
        project(se, &t, 1e-8, 2);
    }
    for (uint32_t n = 0; rc == 0 && n < se->net.nodes; n++) {
        bool angle = s->angle_free[n] && hidden(&t, 2 * n) > SEEN_BELOW;
        bool v = s->v_free[n] && hidden(&t, 2 * n + 1) > SEEN_BELOW;
        *any = *any || s->angle_free[n] != angle || s->v_free[n] != v;
        s->angle_free[n] = angle;
        s->v_free[n] = v;
    }
    pofi_se_system_free(&t.system);
    free(t.scratch);
    free(t.y);
    free(t.h);
    return rc;
}

static int examine(struct pof_se *se, struct search *s, bool *observable, struct pof_err *err)
{
    int rc = unit_model(se, s, err);
    for (uint32_t n = 0; rc == 0 && n < se->net.nodes; n++) {
        s->angle_free[n] = s->vectors > 0 && s->y[2 * n] != 0;
        s->v_free[n] = s->vectors > 0 && s->y[2 * n + 1] != 0;
    }
    *observable = rc == 0 && !mark(se, s);
    if (rc != 0 || *observable) {
        return rc;
    }
    bool overruled = false;
    rc = overrule(se, s, &overruled, err);
    *observable = rc == 0 && !mark(se, s);
    if (rc != 0 || *observable) {
        return rc;
    }
    find_islands(se, s);
    rc = overruled ? 0 : list_missing(se, s, err);
    explain(se, s);
    return rc;
}

int pofi_se_observe(struct pof_se *se, bool *observable, struct pof_err *err)
{
    struct search s = {0};
    memset(se->unobservable, 0, se->grid->nodes * sizeof *se->unobservable);
    se->n_missing = 0;
    se->islands = 0;
    int rc = pofi_se_enough(se, observable, err);
    if (rc != 0 || *observable) {
        return rc;
    }
    rc = pof_grow(&se->island, &se->island_cap, se->grid->nodes, sizeof *se->island, err);
    rc = rc ? rc : pof_calloc(&s.angle_free, se->net.nodes, sizeof *s.angle_free, err);
    rc = rc ? rc : pof_calloc(&s.v_free, se->net.nodes, sizeof *s.v_free, err);
    rc = rc ? rc : pof_calloc(&s.island, se->net.buses, sizeof *s.island, err);
    rc = rc ? rc : examine(se, &s, observable, err);
    pof_rank_release(&s.rank);
    void *owned[] = {s.begin, s.block, s.value, s.phasor[0], s.phasor[1], s.y, s.angle_free,
                     s.v_free, s.island};
    for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++) {
        free(owned[i]);
    }
    return rc;
}

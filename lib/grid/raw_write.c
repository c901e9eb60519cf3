/* SPDX-License-Identifier: Apache-2.0 */
/* Grids to PSS/E RAW, revision 33 (PSS/E 33 Program Operation Manual, chapter 5). */
#include "grid/format_impl.h"
#include "grid/solver.h"
#include "num/real.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEGA 1e6

enum { NAME_MAX_BYTES = 12, CIRCUITS = 99, BUS_MAX = 999997 };

struct writing {
    const struct pof_grid *grid;
    struct pof_buf *to;
    bool numbers;
    bool *fed;
    double *angle;
    double *g, *b;          /* [nodes] shunts that branch records cannot hold, p.u. */
    struct pof_names pairs; /* ends of branches written, lower first */
    unsigned *parallel;     /* [branches] how many a pair has had */
    unsigned shortened;
    struct pof_err *err;
};

/* "a, b, c": numbers with a comma before each but the first of a line. */
static int put_reals(struct writing *w, const double *v, size_t n, bool first)
{
    int rc = 0;
    for (size_t i = 0; i < n && rc == 0; i++) {
        char text[POF_REAL_MAX];
        size_t len = pof_real_format(v[i], text);
        rc = i > 0 || !first ? pof_buf_adds(w->to, ",", w->err) : 0;
        rc = rc ? rc : pof_buf_add(w->to, text, len, w->err);
    }
    return rc;
}

static int put(struct writing *w, const char *text)
{
    return pof_buf_adds(w->to, text, w->err);
}

/* A quoted name of at most 12 bytes, without quotes and bytes beyond ASCII. */
static int put_name(struct writing *w, struct pof_text name)
{
    char text[NAME_MAX_BYTES + 1];
    size_t n = 0;
    bool same = name.len <= NAME_MAX_BYTES;
    for (size_t i = 0; i < name.len && n < NAME_MAX_BYTES; i++) {
        char c = name.ptr[i];
        bool plain = c >= 0x20 && c < 0x7f && c != '\'';
        same = same && plain;
        text[n++] = plain ? c : '_';
    }
    text[n] = '\0';
    w->shortened += !same;
    return pof_buf_addf(w->to, w->err, ",'%-12s'", text);
}

static double number_of(const struct writing *w, uint32_t node)
{
    return pofi_bus_number(w->grid, w->numbers, node);
}

/* --- preparing --- */

/* A transformer record has a shunt at its first bus only; the half at the other end becomes a fixed
 * shunt. Of what is open nothing is written, since shunts know no branch. */
static void collect_shunts(struct writing *w)
{
    for (uint32_t k = 0; k < w->grid->branches; k++) {
        const struct pof_branch *b = &w->grid->branch[k];
        if (b->kind == POF_BRANCH_TRANSFORMER && b->closed) {
            w->g[b->to] += b->g / 2;
            w->b[b->to] += b->b / 2;
        }
    }
}

static int prepare(struct writing *w)
{
    const struct pof_grid *g = w->grid;
    int rc = pof_calloc(&w->fed, g->nodes, sizeof *w->fed, w->err);
    rc = rc ? rc : pof_calloc(&w->angle, g->nodes, sizeof *w->angle, w->err);
    rc = rc ? rc : pof_calloc(&w->g, g->nodes, sizeof *w->g, w->err);
    rc = rc ? rc : pof_calloc(&w->b, g->nodes, sizeof *w->b, w->err);
    rc = rc ? rc : pof_calloc(&w->parallel, g->branches, sizeof *w->parallel, w->err);
    rc = rc ? rc : pofi_flat_start(g, w->fed, w->angle, w->err);
    w->numbers = pofi_numbered(g, BUS_MAX);
    if (rc == 0 && g->nodes > BUS_MAX) {
        rc = pof_fail(w->err, POF_E_TOO_LONG, "%u nodes; PSS/E numbers buses up to %d", g->nodes,
                      BUS_MAX);
    }
    if (rc == 0) {
        collect_shunts(w);
    }
    return rc;
}

/* --- the parts --- */

static int put_head(struct writing *w)
{
    char base[POF_REAL_MAX], hz[POF_REAL_MAX], title[61];
    int m = (int)pof_real_format(w->grid->base_va / MEGA, base);
    int n = (int)pof_real_format(w->grid->f_hz, hz);
    size_t t = 0;
    for (; t < w->grid->name.len && t < sizeof title - 1; t++) {
        char c = w->grid->name.ptr[t];
        title[t] = c >= 0x20 && c < 0x7f ? c : '_';
    }
    title[t] = '\0';
    return pof_buf_addf(w->to, w->err, "0,%.*s,33,0,0,%.*s / POF tools\n%s\n\n", m, base, n, hz,
                        title);
}

static int put_buses(struct writing *w)
{
    int rc = 0;
    for (uint32_t i = 0; i < w->grid->nodes && rc == 0; i++) {
        const struct pof_node *n = &w->grid->node[i];
        double number = number_of(w, i);
        double code = !w->fed[i]                  ? 4
                      : n->kind == POF_NODE_SLACK ? 3
                      : n->kind == POF_NODE_PV    ? 2
                                                  : 1;
        const double base[] = {n->base_v / 1000, code, 1, 1, 1};
        double stored = n->v_start_pu > 0 ? n->v_start_pu : 1;
        const double state[] = {n->kind == POF_NODE_PQ ? stored : n->v_set_pu,
                                pof_deg_of_rad(pofi_start_angle(n)),
                                n->v_max_pu,
                                n->v_min_pu,
                                n->v_max_pu,
                                n->v_min_pu};
        rc = put_reals(w, &number, 1, true);
        rc = rc ? rc : put_name(w, n->name);
        rc = rc ? rc : put_reals(w, base, 5, false);
        rc = rc ? rc : put_reals(w, state, 6, false);
        rc = rc ? rc : put(w, "\n");
    }
    return rc ? rc : put(w, "0 / END OF BUS DATA, BEGIN LOAD DATA\n");
}

/* Generation of a pv node is written as its generator's. */
static bool generates(const struct pof_node *n)
{
    return n->kind == POF_NODE_PV && n->p_w < 0;
}

static int put_loads(struct writing *w)
{
    int rc = 0;
    for (uint32_t i = 0; i < w->grid->nodes && rc == 0; i++) {
        const struct pof_node *n = &w->grid->node[i];
        double p = generates(n) ? 0 : n->p_w / MEGA;
        if (p == 0 && n->q_var == 0 && n->ip_w == 0 && n->iq_var == 0) {
            continue;
        }
        const double v[] = {1, 1, 1, p, n->q_var / MEGA, n->ip_w / MEGA, n->iq_var / MEGA,
                            0, 0, 1, 1};
        rc = pof_buf_addf(w->to, w->err, "%.0f,'1 '", number_of(w, i));
        rc = rc ? rc : put_reals(w, v, sizeof v / sizeof v[0], false);
        rc = rc ? rc : put(w, "\n");
    }
    return rc ? rc : put(w, "0 / END OF LOAD DATA, BEGIN FIXED SHUNT DATA\n");
}

/* A bus has one device in revision 33: the first that the grid gives it. */
static const struct pof_bank *bank_of(const struct pof_grid *g, uint32_t node)
{
    for (uint32_t k = 0; k < g->banks; k++) {
        if (g->bank[k].node == node) {
            return &g->bank[k];
        }
    }
    return NULL;
}

/* I, MODSW, ADJM, STAT, VSWHI, VSWLO, SWREM, RMPCT, RMIDNT, BINIT, N1, B1 ... */
static int put_bank(struct writing *w, const struct pof_bank *b)
{
    const double head[] = {b->stepless ? 2 : 1, 0, 1, b->v_high_pu, b->v_low_pu,
                           b->held == b->node ? 0 : number_of(w, b->held), 100};
    const double now = b->b_var / MEGA;
    int rc = pof_buf_addf(w->to, w->err, "%.0f", number_of(w, b->node));
    rc = rc ? rc : put_reals(w, head, sizeof head / sizeof head[0], false);
    rc = rc ? rc : put(w, ",'            '");
    rc = rc ? rc : put_reals(w, &now, 1, false);
    for (uint32_t k = 0; k < b->blocks && rc == 0; k++) {
        const double block[] = {b->block[k].steps, b->block[k].b_var / MEGA};
        rc = put_reals(w, block, 2, false);
    }
    return rc ? rc : put(w, "\n");
}

static int put_banks(struct writing *w)
{
    int rc = 0;
    for (uint32_t i = 0; i < w->grid->nodes && w->grid->banks && rc == 0; i++) {
        const struct pof_bank *b = bank_of(w->grid, i);
        rc = b ? put_bank(w, b) : 0;
    }
    return rc;
}

static int put_shunts(struct writing *w)
{
    int rc = 0;
    double base = w->grid->base_va / MEGA;
    for (uint32_t i = 0; i < w->grid->nodes && rc == 0; i++) {
        const struct pof_node *n = &w->grid->node[i];
        const struct pof_bank *bank = w->grid->banks ? bank_of(w->grid, i) : NULL;
        double fixed = n->b_var - (bank ? bank->b_var : 0);
        const double v[] = {1, n->g_w / MEGA + w->g[i] * base, fixed / MEGA + w->b[i] * base};
        if (v[1] == 0 && v[2] == 0) {
            continue;
        }
        rc = pof_buf_addf(w->to, w->err, "%.0f,'1 '", number_of(w, i));
        rc = rc ? rc : put_reals(w, v, 3, false);
        rc = rc ? rc : put(w, "\n");
    }
    return rc ? rc : put(w, "0 / END OF FIXED SHUNT DATA, BEGIN GENERATOR DATA\n");
}

static int put_generators(struct writing *w)
{
    int rc = 0;
    double base = w->grid->base_va / MEGA;
    for (uint32_t i = 0; i < w->grid->nodes && rc == 0; i++) {
        const struct pof_node *n = &w->grid->node[i];
        if (n->kind == POF_NODE_PQ) {
            continue;
        }
        double pg = generates(n) ? -n->p_w / MEGA : 0;
        double q_max = n->has_q_limits ? n->q_max_var / MEGA : 9999;
        double q_min = n->has_q_limits ? n->q_min_var / MEGA : -9999;
        const double v[] = {pg, 0, q_max, q_min, n->v_set_pu, 0,   base, 0,
                            1,  0, 0,     1,     1,           100, 9999, -9999};
        rc = pof_buf_addf(w->to, w->err, "%.0f,'1 '", number_of(w, i));
        rc = rc ? rc : put_reals(w, v, sizeof v / sizeof v[0], false);
        rc = rc ? rc : put(w, ",1,1\n");
    }
    return rc ? rc : put(w, "0 / END OF GENERATOR DATA, BEGIN BRANCH DATA\n");
}

/* Circuits of two nodes are told apart by '1' .. '99', whichever end comes first. */
static int circuit_of(struct writing *w, const struct pof_branch *b, unsigned *circuit)
{
    char key[32];
    uint32_t low = b->from < b->to ? b->from : b->to, high = b->from < b->to ? b->to : b->from, id;
    int n = snprintf(key, sizeof key, "%u %u", low, high);
    int rc = pof_names_add(&w->pairs, (struct pof_text){key, (size_t)n}, &id, w->err);
    if (rc) {
        return rc;
    }
    *circuit = ++w->parallel[id];
    return *circuit <= CIRCUITS
               ? 0
               : pof_fail(w->err, POF_E_RANGE, "more than %d branches join nodes '%s' and '%s'",
                          CIRCUITS, w->grid->node[b->from].name.ptr, w->grid->node[b->to].name.ptr);
}

static double length_of(const struct pof_branch *b)
{
    return b->asset && b->asset->form == POF_FORM_PER_KM ? b->asset->length_km : 0;
}

static int put_branches(struct writing *w)
{
    int rc = 0;
    for (uint32_t k = 0; k < w->grid->branches && rc == 0; k++) {
        const struct pof_branch *b = &w->grid->branch[k];
        unsigned circuit;
        if (b->kind == POF_BRANCH_TRANSFORMER) {
            continue;
        }
        double rate = b->rating_va / MEGA, g = b->g / 2;
        const double v[] = {b->r, b->x, b->b, rate,      rate, rate,        g,
                            0,    g,    0,    b->closed, 1,    length_of(b)};
        rc = circuit_of(w, b, &circuit);
        rc = rc ? rc
                : pof_buf_addf(w->to, w->err, "%.0f,%.0f,'%-2u'", number_of(w, b->from),
                               number_of(w, b->to), circuit);
        rc = rc ? rc : put_reals(w, v, sizeof v / sizeof v[0], false);
        rc = rc ? rc : put(w, ",1,1\n");
    }
    return rc ? rc : put(w, "0 / END OF BRANCH DATA, BEGIN TRANSFORMER DATA\n");
}

/* Within -180 .. 180 degrees, as PSS/E wants it. */
static double angle_of(const struct pof_branch *b)
{
    double deg = pof_deg_of_rad(b->shift);
    return deg > 180 ? deg - 360 : deg < -180 ? deg + 360 : deg;
}

/* What a winding record can say of a tap changer: steps of the ratio at the first bus. */
static bool has_steps(const struct pof_tap *t)
{
    return t && !t->on_to && t->step_deg == 0 && t->step_pct != 0 && t->min != t->max;
}

/* COD, CONT, RMA, RMI, VMA, VMI, NTP of a winding. */
static void put_tap(const struct writing *w, const struct pof_branch *b, double *v)
{
    enum { COD, CONT, RMA, RMI, VMA, VMI, NTP };
    const struct pof_tap *t = b->tap;
    if (!has_steps(t)) {
        return;
    }
    double step = t->step_pct / 100;
    step *= b->ratio / (1 + (t->pos - t->neutral) * step);
    double first = b->ratio + (t->min - t->pos) * step, last = b->ratio + (t->max - t->pos) * step;
    v[RMA] = fmax(first, last);
    v[RMI] = fmin(first, last);
    v[NTP] = fabs((double)t->max - t->min) + 1;
    if (t->controlled) {
        v[COD] = 1;
        v[CONT] = number_of(w, t->node);
        v[VMA] = t->v_high_pu;
        v[VMI] = t->v_low_pu;
        v[NTP + 2] = t->drop_r_pu;
        v[NTP + 3] = t->drop_x_pu;
    }
}

static int put_transformer(struct writing *w, const struct pof_branch *b)
{
    double mm = b->ratio * b->ratio, rate = b->rating_va / MEGA;
    const double codes[] = {1, 1, 1, b->closed ? b->g / 2 / mm : 0, b->closed ? b->b / 2 / mm : 0,
                            2};
    const double z[] = {b->r, b->x, w->grid->base_va / MEGA};
    double winding[] = {b->ratio, 0,   angle_of(b), rate, rate, rate, 0, 0, 1.1,
                        0.9,      1.1, 0.9,         33,   0,    0,    0, 0};
    put_tap(w, b, winding + 6);
    unsigned circuit;
    int rc = circuit_of(w, b, &circuit);
    rc = rc ? rc
            : pof_buf_addf(w->to, w->err, "%.0f,%.0f,0,'%-2u'", number_of(w, b->from),
                           number_of(w, b->to), circuit);
    rc = rc ? rc : put_reals(w, codes, 6, false);
    rc = rc ? rc : put_name(w, b->name);
    rc = rc ? rc : put(w, b->closed ? ",1,1,1\n" : ",0,1,1\n");
    rc = rc ? rc : put_reals(w, z, 3, true);
    rc = rc ? rc : put(w, "\n");
    rc = rc ? rc : put_reals(w, winding, sizeof winding / sizeof winding[0], true);
    return rc ? rc : put(w, "\n1,0\n");
}

static int put_transformers(struct writing *w)
{
    int rc = 0;
    for (uint32_t k = 0; k < w->grid->branches && rc == 0; k++) {
        if (w->grid->branch[k].kind == POF_BRANCH_TRANSFORMER) {
            rc = put_transformer(w, &w->grid->branch[k]);
        }
    }
    return rc ? rc : put(w, "0 / END OF TRANSFORMER DATA, BEGIN AREA DATA\n");
}

static int put_rest(struct writing *w)
{
    static const char *const parts[] = {"AREA",
                                        "TWO-TERMINAL DC",
                                        "VSC DC LINE",
                                        "IMPEDANCE CORRECTION",
                                        "MULTI-TERMINAL DC",
                                        "MULTI-SECTION LINE",
                                        "ZONE",
                                        "INTER-AREA TRANSFER",
                                        "OWNER",
                                        "FACTS DEVICE",
                                        "SWITCHED SHUNT",
                                        "GNE",
                                        "INDUCTION MACHINE"};
    int rc = 0;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0] && rc == 0; i++) {
        rc = strcmp(parts[i], "SWITCHED SHUNT") == 0 ? put_banks(w) : 0;
        rc = rc ? rc : pof_buf_addf(w->to, w->err, "0 / END OF %s DATA\n", parts[i]);
    }
    return rc ? rc : put(w, "Q\n");
}

static void tell_unwritten(const struct writing *w, const struct pof_teller *teller)
{
    const struct pof_grid *g = w->grid;
    unsigned rated = 0, places = 0, named = 0, shunts = 0, switches = 0, taps = 0, phases = 0, banks = 0;
    for (uint32_t k = 0; k < g->banks; k++) {
        banks += bank_of(g, g->bank[k].node) != &g->bank[k];
    }
    for (uint32_t i = 0; i < g->nodes; i++) {
        phases += g->node[i].phases != NULL;
        rated += g->node[i].rated_w != 0;
        places += g->node[i].has_xy;
    }
    for (uint32_t k = 0; k < g->branches; k++) {
        const struct pof_branch *b = &g->branch[k];
        bool transformer = b->kind == POF_BRANCH_TRANSFORMER;
        named += !transformer && !pofi_plain_name(g, k);
        shunts += transformer && b->closed && (b->g != 0 || b->b != 0);
        switches += b->kind == POF_BRANCH_SWITCH;
        taps += b->tap && !has_steps(b->tap);
        phases += b->phases != NULL;
    }
    if (!w->numbers) {
        pofi_tell(teller, "buses are numbered from 1; the names of nodes are bus names");
    }
    pofi_tell_count(teller, w->shortened, "names cut to 12 plain characters");
    pofi_tell_count(teller, named, "lines and switches whose name is left out");
    pofi_tell_count(teller, rated, "nodes whose rated_w is left out");
    pofi_tell_count(teller, places, "nodes whose place (x, y) is left out");
    pofi_tell_count(teller, switches, "switches written as branches of small reactance");
    pofi_tell_count(teller, taps, "tap changers left out, the ratio stays");
    pofi_tell_count(teller, banks, "further switched shunts of a bus, fixed as they are");
    pofi_tell_count(teller, phases, "nodes and branches whose phases differ, now balanced");
    pofi_tell_count(teller, shunts,
                    "transformers with shunts, half of which is now that of their second bus");
}

int pof_raw_write(const struct pof_grid *grid, struct pof_buf *to, const struct pof_teller *teller,
                  struct pof_err *err)
{
    struct writing w = {.grid = grid, .to = to, .err = err};
    int (*const parts[])(struct writing *) = {put_head,         put_buses,      put_loads,
                                              put_shunts,       put_generators, put_branches,
                                              put_transformers, put_rest};
    int rc = prepare(&w);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0] && rc == 0; i++) {
        rc = parts[i](&w);
    }
    if (rc == 0) {
        tell_unwritten(&w, teller);
    }
    free(w.fed);
    free(w.angle);
    free(w.g);
    free(w.b);
    free(w.parallel);
    pof_names_release(&w.pairs);
    return rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Transformers of two and three windings.
 *
 * Each end has, seen from its terminal: the ideal turns of its tap changers, its series impedance, the
 * ideal turns of rated voltages (IEC 61970-301, PowerTransformerEnd; impedances and shunts are those at
 * the rated voltage of their end). Of two ends the series impedances add up, and so do the shunts, which
 * the pi model halves; three meet in a node of their own, which has their shunts. The standard leaves
 * the place of shunts open; these are the places that the stored states of published models have. */
#include "grid/cim.h"

#include <math.h>
#include <stdio.h>

#define KILO 1e3
#define MEGA 1e6

struct end {
    uint32_t object;
    struct pofi_cim_terminal t;
    double r, x, g, b; /* ohm, S at u */
    double r0, x0;
    double u, s;       /* rated V, VA */
    struct pofi_cim_turns turns;
    double number;
};

struct transformer {
    uint32_t object;
    struct end end[3];
    size_t ends;
};

/* --- reading --- */

static void read_end(struct pofi_cim *c, struct end *e)
{
    char label[POFI_CIM_LABEL];
    uint32_t o = e->object;
    e->r = pofi_cim_real(c, o, CIM_PowerTransformerEnd_r, 0);
    e->x = pofi_cim_real(c, o, CIM_PowerTransformerEnd_x, 0);
    e->g = pofi_cim_real(c, o, CIM_PowerTransformerEnd_g, 0);
    e->b = pofi_cim_real(c, o, CIM_PowerTransformerEnd_b, 0);
    e->r0 = pofi_cim_real(c, o, CIM_PowerTransformerEnd_r0, 0);
    e->x0 = pofi_cim_real(c, o, CIM_PowerTransformerEnd_x0, 0);
    e->u = pofi_cim_real(c, o, CIM_PowerTransformerEnd_ratedU, 0) * KILO;
    e->s = pofi_cim_real(c, o, CIM_PowerTransformerEnd_ratedS, 0) * MEGA;
    if (!(e->u > 0)) {
        pofi_cim_fail(c, o, CIM_PowerTransformerEnd_ratedU, POF_E_PHYSICS, "%s has no rated voltage above 0 kV",
                      pofi_cim_label(c, o, label));
    }
    pofi_cim_turns(c, o, &e->turns);
    e->r *= e->turns.r_factor;
    e->x = e->turns.x_set > 0 ? e->turns.x_set : e->x * e->turns.x_factor;
    e->g *= e->turns.g_factor;
    e->b *= e->turns.b_factor;
}

/* Each end takes the terminal it names, else that of its number. */
static void give_terminals(struct pofi_cim *c, struct transformer *t, const struct pofi_cim_terminal *all)
{
    char label[POFI_CIM_LABEL];
    for (size_t i = 0; i < t->ends; i++) {
        struct end *e = &t->end[i];
        uint32_t own = pofi_cim_ref(c, e->object, CIM_TransformerEnd_Terminal);
        size_t k = 0;
        while (k < t->ends && (own == POF_NONE ? k != i : all[k].object != own)) {
            k++;
        }
        if (k == t->ends) {
            pofi_cim_fail(c, e->object, CIM_TransformerEnd_Terminal, POF_E_REFERENCE,
                          "%s ends at a terminal of something else", pofi_cim_label(c, e->object, label));
            return;
        }
        e->t = all[k];
        e->t.base_v = e->t.base_v > 0 ? e->t.base_v : e->u;
    }
}

static int read_ends(struct pofi_cim *c, struct transformer *t)
{
    size_t n;
    char label[POFI_CIM_LABEL];
    const struct pofi_cim_back *b = pofi_cim_back(c, t->object, CIM_PowerTransformerEnd_PowerTransformer, &n);
    if (n < 2 || n > 3) {
        return pofi_cim_fail(c, t->object, CIM_PROPS, POF_E_TOPOLOGY, "%s has %zu ends, 2 or 3 are expected",
                             pofi_cim_label(c, t->object, label), n);
    }
    for (size_t i = 0; i < n; i++) {
        double number = pofi_cim_real(c, b[i].source, CIM_TransformerEnd_endNumber, (double)i + 1);
        size_t k = i;
        for (; k > 0 && t->end[k - 1].number > number; k--) {
            t->end[k] = t->end[k - 1];
        }
        t->end[k] = (struct end){.object = b[i].source, .number = number};
    }
    struct pofi_cim_terminal all[3];
    t->ends = n;
    int there = pofi_cim_terminals(c, t->object, all, n);
    for (size_t i = 0; i < n && there > 0; i++) {
        read_end(c, &t->end[i]);
    }
    if (there > 0) {
        give_terminals(c, t, all);
    }
    return c->rc ? c->rc : there;
}

/* --- making --- */

static double rating_of(struct pofi_cim *c, const struct end *e)
{
    return pofi_cim_rating(c, e->t.object, e->t.base_v);
}

static bool winding(struct pofi_cim *c, const struct end *e, enum pof_winding *out)
{
    static const struct {
        const char *word;
        enum pof_winding winding;
    } words[] = {{"D", POF_WINDING_D},   {"Y", POF_WINDING_Y},   {"Yn", POF_WINDING_YN},
                 {"Z", POF_WINDING_Z},   {"Zn", POF_WINDING_ZN}, {"A", POF_WINDING_YN}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (pofi_cim_word(c, e->object, CIM_PowerTransformerEnd_connectionKind, words[i].word)) {
            *out = words[i].winding;
            return true;
        }
    }
    return false;
}

static int clock_of(struct pofi_cim *c, const struct end *e)
{
    double clock = pofi_cim_real(c, e->object, CIM_PowerTransformerEnd_phaseAngleClock, 0);
    return clock >= 0 && clock <= 11 ? (int)clock : 0;
}

/* Zero-sequence impedance at the to end, ohm, and its nominal voltage. */
struct zero {
    double r, x, v;
};

/* b->phases; to is NULL where it is a star node. */
static int take_phases(struct pofi_cim *c, struct pof_branch *b, const struct end *from, const struct end *to,
                       const struct zero *zero)
{
    enum pof_winding w[2] = {POF_WINDING_YN, POF_WINDING_YN};
    if (!winding(c, from, &w[0]) || (to && !winding(c, to, &w[1])) || (zero->r == 0 && zero->x == 0)) {
        return 0;
    }
    struct pof_branch_phases *p = pof_arena_alloc(&c->build.grid->arena, sizeof *p, c->err);
    if (!p) {
        return c->rc = POF_E_NOMEM;
    }
    double base = c->build.grid->base_va, v = zero->v;
    double z_from = from->t.base_v * from->t.base_v / base, z_to = v * v / base;
    int clock = to ? clock_of(c, to) - clock_of(c, from) : -clock_of(c, from);
    *p = (struct pof_branch_phases){
        .form = POF_PHASES_WINDINGS,
        .r0 = zero->r / z_to,
        .x0 = zero->x / z_to,
        .from = w[0],
        .to = w[1],
        .clock = (clock + 12) % 12,
        .r_ground_from = pofi_cim_real(c, from->object, CIM_TransformerEnd_rground, 0) / z_from,
        .x_ground_from = pofi_cim_real(c, from->object, CIM_TransformerEnd_xground, 0) / z_from,
        .r_ground_to = to ? pofi_cim_real(c, to->object, CIM_TransformerEnd_rground, 0) / z_to : 0,
        .x_ground_to = to ? pofi_cim_real(c, to->object, CIM_TransformerEnd_xground, 0) / z_to : 0};
    if (p->clock != 0 || b->shift != 0) {
        /* CGMES leaves the clock out of balanced angles, three phases cannot: one grid holds one shift. */
        c->clocks++;
        return 0;
    }
    b->phases = p;
    return 0;
}

static int take_tap(struct pofi_cim *c, struct pof_branch *b, const struct pofi_cim_turns *turns, bool on_to)
{
    struct pof_tap *tap = pof_arena_alloc(&c->build.grid->arena, sizeof *tap, c->err);
    if (!tap) {
        return c->rc = POF_E_NOMEM;
    }
    *tap = turns->tap;
    tap->on_to = on_to;
    b->tap = tap;
    return 0;
}

static int two_ends(struct pofi_cim *c, struct transformer *t)
{
    struct end *a = &t->end[0], *z = &t->end[1];
    struct pofi_cim_part part = {.equipment = t->object, .suffix = "", .t = {a->t, z->t}};
    double k = z->u / a->u * (z->u / a->u), taps = z->turns.ratio * z->turns.ratio;
    double zbase = z->t.base_v * z->t.base_v / c->build.grid->base_va;
    double x = a->turns.x_set > 0 ? a->x * k : z->turns.x_set > 0 ? z->x : a->x * k + z->x;
    struct zero zero = {(a->r0 * k + z->r0) * taps, (a->x0 * k + z->x0) * taps, z->t.base_v};
    struct pof_branch b = {.kind = POF_BRANCH_TRANSFORMER,
                           .r = (a->r * k + z->r) * taps / zbase,
                           .x = x * taps / zbase,
                           .g = (a->g / k + z->g) / taps * zbase,
                           .b = (a->b / k + z->b) / taps * zbase,
                           .ratio = a->u * a->turns.ratio / a->t.base_v / (z->u * z->turns.ratio / z->t.base_v),
                           .shift = a->turns.angle - z->turns.angle,
                           .closed = pofi_cim_in_service(c, t->object)};
    double limit[2] = {rating_of(c, a), rating_of(c, z)};
    b.rating_va = limit[0] > 0 && (limit[1] <= 0 || limit[0] < limit[1]) ? limit[0] : limit[1];
    b.rating_va = b.rating_va > 0 ? b.rating_va : a->s > 0 ? a->s : z->s;
    if (a->turns.has_tap != z->turns.has_tap) {
        take_tap(c, &b, a->turns.has_tap ? &a->turns : &z->turns, z->turns.has_tap);
    }
    if (c->rc || take_phases(c, &b, a, z, &zero) || pofi_cim_add_branch(c, &part, &b, NULL)) {
        return c->rc;
    }
    return 0;
}

static int leg(struct pofi_cim *c, struct transformer *t, size_t i, uint32_t star)
{
    char suffix[16];
    struct end *e = &t->end[i];
    double u = t->end[0].u, k = u / e->u * (u / e->u), star_v = t->end[0].t.base_v;
    double zbase = star_v * star_v / c->build.grid->base_va;
    struct pofi_cim_part part = {.equipment = t->object, .suffix = suffix, .t = {e->t}};
    part.t[1] = (struct pofi_cim_terminal){.object = POF_NONE, .node = star, .home = star, .base_v = star_v};
    snprintf(suffix, sizeof suffix, " %zu", i + 1);
    struct pof_branch b = {.kind = POF_BRANCH_TRANSFORMER,
                           .r = e->r * k / zbase,
                           .x = e->x * k / zbase,
                           .ratio = e->u * e->turns.ratio / e->t.base_v / (u / star_v),
                           .shift = e->turns.angle,
                           .closed = pofi_cim_in_service(c, t->object) && e->t.node != POF_NONE};
    if (b.r == 0 && b.x == 0) { /* a star may have a leg without impedance */
        b.x = POF_SWITCH_X_PER_VA * c->build.grid->base_va;
        c->no_impedance++;
    }
    b.rating_va = rating_of(c, e);
    b.rating_va = b.rating_va > 0 ? b.rating_va : e->s;
    struct zero zero = {e->r0 * k, e->x0 * k, star_v};
    bool added;
    if (e->turns.has_tap && take_tap(c, &b, &e->turns, false)) {
        return c->rc;
    }
    if (take_phases(c, &b, e, NULL, &zero) || pofi_cim_add_branch(c, &part, &b, &added)) {
        return c->rc;
    }
    if (added && b.closed) {
        struct pof_node *n = &c->build.grid->node[star];
        n->g_w += e->g / k * star_v * star_v;
        n->b_var += e->b / k * star_v * star_v;
    }
    return 0;
}

int pofi_cim_transformer(struct pofi_cim *c, uint32_t object)
{
    struct transformer t = {.object = object};
    if (read_ends(c, &t) <= 0) {
        return c->rc;
    }
    if (t.ends == 2) {
        return two_ends(c, &t);
    }
    uint32_t star;
    pofi_cim_extra_node(c, object, " star", t.end[0].t.base_v, &star);
    for (size_t i = 0; i < 3 && c->rc == 0; i++) {
        leg(c, &t, i, star);
    }
    return c->rc;
}

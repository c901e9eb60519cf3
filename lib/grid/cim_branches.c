/* SPDX-License-Identifier: Apache-2.0 */
/* Lines, switches, and how branches hang on their terminals. */
#include "grid/cim.h"

#include <stdio.h>

#define SQRT3 1.7320508075688772

static int place(struct pofi_cim *c, uint32_t object, int rc)
{
    c->rc = c->rc ? c->rc : rc;
    if (c->rc) {
        struct pofi_cim_place at = c->object[object].at;
        pof_at(c->err, c->input->document[at.file].name, at.line, NULL);
    }
    return c->rc;
}

/* The node that a branch gets at an end that is not connected while the other is. */
static int dangle(struct pofi_cim *c, const struct pofi_cim_part *part, int end, uint32_t *node)
{
    char suffix[32], text[POF_GRID_NAME_MAX + 1];
    struct pof_grid *g = c->build.grid;
    const struct pofi_cim_terminal *t = &part->t[end];
    snprintf(suffix, sizeof suffix, "%s open end %d", part->suffix, end + 1);
    c->open_ends++;
    if (pofi_cim_extra_node(c, part->equipment, suffix, t->base_v, node) || t->home == POF_NONE) {
        return c->rc;
    }
    struct pof_branch b = {.name = pofi_cim_name(c, part->equipment, suffix, &g->branch_names, text),
                           .kind = POF_BRANCH_SWITCH,
                           .from = t->home,
                           .to = *node,
                           .ratio = 1,
                           .x = POF_SWITCH_X_PER_VA * g->base_va};
    return place(c, part->equipment, pof_build_branch(&c->build, &b, c->err));
}

int pofi_cim_add_branch(struct pofi_cim *c, const struct pofi_cim_part *part, struct pof_branch *b,
                        bool *added)
{
    char text[POF_GRID_NAME_MAX + 1];
    struct pof_grid *g = c->build.grid;
    const struct pofi_cim_terminal *t = part->t;
    bool on[2] = {t[0].node != POF_NONE, t[1].node != POF_NONE};
    uint32_t end[2] = {t[0].home, t[1].home};
    b->closed = b->closed && (on[0] || on[1]);
    if (added) {
        *added = false;
    }
    for (int i = 0; i < 2 && b->closed && c->rc == 0; i++) {
        if (!on[i]) {
            dangle(c, part, i, &end[i]);
        }
    }
    if (c->rc || end[0] == POF_NONE || end[1] == POF_NONE) {
        c->out_of_service += c->rc == 0;
        return c->rc;
    }
    if (end[0] == end[1]) {
        c->inner_switch++;
        return 0;
    }
    b->name = pofi_cim_name(c, part->equipment, part->suffix, &g->branch_names, text);
    b->from = end[0];
    b->to = end[1];
    place(c, part->equipment, pof_build_branch(&c->build, b, c->err));
    for (uint32_t i = 0; i < 2 && c->rc == 0; i++) {
        if (t[i].object != POF_NONE) {
            c->branch_of[t[i].object] = 2 * (g->branches - 1) + i;
        }
    }
    if (added) {
        *added = c->rc == 0;
    }
    return c->rc;
}

/* --- lines --- */

struct line {
    double r, x, g, b;     /* ohm, S */
    double r0, x0, g0, b0; /* zero sequence; r0 = x0 = 0: not known */
};

static double needed(struct pofi_cim *c, uint32_t object, enum pofi_cim_prop prop)
{
    char label[POFI_CIM_LABEL];
    if (!pofi_cim_has(c, object, prop)) {
        pofi_cim_fail(c, object, CIM_PROPS, POF_E_MISSING, "%s has no %s", pofi_cim_label(c, object, label),
                      c->props.text[prop].ptr);
    }
    return pofi_cim_real(c, object, prop, 0);
}

static struct line line_values(struct pofi_cim *c, uint32_t o)
{
    switch (c->object[o].class) {
    case CIM_ACLineSegment:
        return (struct line){.r = needed(c, o, CIM_ACLineSegment_r),
                             .x = needed(c, o, CIM_ACLineSegment_x),
                             .g = pofi_cim_real(c, o, CIM_ACLineSegment_gch, 0),
                             .b = pofi_cim_real(c, o, CIM_ACLineSegment_bch, 0),
                             .r0 = pofi_cim_real(c, o, CIM_ACLineSegment_r0, 0),
                             .x0 = pofi_cim_real(c, o, CIM_ACLineSegment_x0, 0),
                             .g0 = pofi_cim_real(c, o, CIM_ACLineSegment_g0ch, 0),
                             .b0 = pofi_cim_real(c, o, CIM_ACLineSegment_b0ch, 0)};
    case CIM_SeriesCompensator:
        return (struct line){.r = needed(c, o, CIM_SeriesCompensator_r),
                             .x = needed(c, o, CIM_SeriesCompensator_x),
                             .r0 = pofi_cim_real(c, o, CIM_SeriesCompensator_r0, 0),
                             .x0 = pofi_cim_real(c, o, CIM_SeriesCompensator_x0, 0)};
    default:
        break;
    }
    struct line l = {.r = needed(c, o, CIM_EquivalentBranch_r), .x = needed(c, o, CIM_EquivalentBranch_x)};
    char label[POFI_CIM_LABEL];
    if (pofi_cim_real(c, o, CIM_EquivalentBranch_r21, l.r) != l.r ||
        pofi_cim_real(c, o, CIM_EquivalentBranch_x21, l.x) != l.x) {
        pofi_cim_fail(c, o, CIM_EquivalentBranch_x21, POF_E_PHYSICS,
                      "%s has another impedance from its other end; a branch here has one",
                      pofi_cim_label(c, o, label));
    }
    return l;
}

static int take_phases(struct pofi_cim *c, struct pof_branch *b, const struct line *l, double zbase)
{
    if (l->r0 == 0 && l->x0 == 0) {
        return 0;
    }
    struct pof_branch_phases *p = pof_arena_alloc(&c->build.grid->arena, sizeof *p, c->err);
    if (!p) {
        return c->rc = POF_E_NOMEM;
    }
    *p = (struct pof_branch_phases){.form = POF_PHASES_SEQUENCE,
                                    .r0 = l->r0 / zbase,
                                    .x0 = l->x0 / zbase,
                                    .g0 = l->g0 * zbase,
                                    .b0 = l->b0 * zbase};
    b->phases = p;
    return 0;
}

static double smaller_rating(double a, double b)
{
    return a > 0 && (b <= 0 || a < b) ? a : b;
}

static int take_line(struct pofi_cim *c, uint32_t o)
{
    struct pofi_cim_part part = {.equipment = o, .suffix = ""};
    struct pofi_cim_terminal *t = part.t;
    int there = pofi_cim_terminals(c, o, t, 2);
    struct line l = line_values(c, o);
    if (there <= 0 || c->rc) {
        return c->rc;
    }
    t[0].base_v = t[0].base_v > 0 ? t[0].base_v : t[1].base_v;
    t[1].base_v = t[1].base_v > 0 ? t[1].base_v : t[0].base_v;
    double v = t[1].base_v, zbase = v * v / c->build.grid->base_va;
    struct pof_asset a = {.form = POF_FORM_OHM, .r_ohm = l.r, .x_ohm = l.x, .b_us = l.b * 1e6};
    struct pof_branch b = {.r = l.r / zbase, .x = l.x / zbase, .g = l.g * zbase, .b = l.b * zbase,
                           .ratio = 1, .closed = pofi_cim_in_service(c, o)};
    for (int i = 0; i < 2; i++) {
        b.rating_va = smaller_rating(pofi_cim_rating(c, t[i].object, t[i].base_v), b.rating_va);
    }
    b.rating_va = smaller_rating(pofi_cim_rating(c, o, v), b.rating_va);
    a.rating_a = b.rating_va / (SQRT3 * v);
    if (l.r == 0 && l.x == 0) {
        b.kind = POF_BRANCH_SWITCH;
        b.x = POF_SWITCH_X_PER_VA * c->build.grid->base_va;
        b.g = b.b = 0;
        c->no_impedance++;
    } else if (t[0].base_v != t[1].base_v) {
        b.kind = POF_BRANCH_TRANSFORMER; /* of nominal voltages that differ, with no windings between */
        b.ratio = t[1].base_v / t[0].base_v;
        c->joined_levels++;
    } else if (l.g == 0) {
        b.asset = &a;
    }
    return take_phases(c, &b, &l, zbase) ? c->rc : pofi_cim_add_branch(c, &part, &b, NULL);
}

/* --- switches --- */

static int take_switch(struct pofi_cim *c, uint32_t o)
{
    struct pofi_cim_part part = {.equipment = o, .suffix = ""};
    struct pofi_cim_terminal *t = part.t;
    if (pofi_cim_terminals(c, o, t, 2) <= 0) {
        return c->rc;
    }
    bool open = pofi_cim_flag(c, o, CIM_Switch_normalOpen, false);
    open = pofi_cim_flag(c, o, CIM_Switch_open, open) || !pofi_cim_in_service(c, o);
    double v = t[0].base_v > 0 ? t[0].base_v : t[1].base_v;
    struct pof_branch b = {.kind = POF_BRANCH_SWITCH,
                           .x = POF_SWITCH_X_PER_VA * c->build.grid->base_va,
                           .ratio = 1,
                           .closed = !open && t[0].node != POF_NONE && t[1].node != POF_NONE};
    for (int i = 0; i < 2; i++) {
        b.rating_va = smaller_rating(pofi_cim_rating(c, t[i].object, v), b.rating_va);
    }
    return pofi_cim_add_branch(c, &part, &b, NULL);
}

int pofi_cim_branches(struct pofi_cim *c)
{
    for (size_t i = 0; i < c->ids.n && c->rc == 0; i++) {
        uint32_t o = c->order[i];
        if (!c->object[o].defined) {
            continue;
        }
        switch (pofi_cim_role(c->object[o].class)) {
        case CIM_ROLE_LINE:
            take_line(c, o);
            break;
        case CIM_ROLE_SWITCH:
            take_switch(c, o);
            break;
        case CIM_ROLE_TRANSFORMER:
            pofi_cim_transformer(c, o);
            break;
        default:
            break;
        }
    }
    return c->rc;
}

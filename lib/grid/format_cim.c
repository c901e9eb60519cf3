/* SPDX-License-Identifier: Apache-2.0 */
/* The Common Information Model as grids. */
#include "grid/cim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- what it is --- */

bool pof_cim_is(struct pof_text t)
{
    static const char *const words[] = {"<?xml", "<rdf:RDF", "<!DOCTYPE", "<!--", "\xff\xfe<", "\xfe\xff"};
    size_t i = t.len >= 3 && memcmp(t.ptr, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    while (i < t.len && (t.ptr[i] == ' ' || t.ptr[i] == '\t' || t.ptr[i] == '\r' || t.ptr[i] == '\n')) {
        i++;
    }
    for (size_t k = 0; k < sizeof words / sizeof words[0]; k++) {
        size_t n = strlen(words[k]);
        if (t.len - i >= n && memcmp(t.ptr + i, words[k], n) == 0) {
            return true;
        }
    }
    return false;
}

/* --- what is left --- */

struct left {
    uint32_t class, count;
};

static int by_class(const void *a, const void *b, void *ctx)
{
    const struct pofi_cim *c = ctx;
    const struct left *x = a, *y = b;
    return pof_text_cmp(c->classes.text[x->class], c->classes.text[y->class]);
}

/* Classes that a grid has no place for: equipment (things with terminals) one by one, all others
 * together. */
static int tell_classes(struct pofi_cim *c)
{
    const struct pof_teller *teller = c->wish ? c->wish->teller : NULL;
    size_t n = c->classes.n;
    struct left *others = NULL, *parts = NULL;
    int rc = pof_calloc(&others, n, sizeof *others, c->err);
    rc = rc ? rc : pof_calloc(&parts, n, sizeof *parts, c->err);
    for (size_t i = 0; i < n && rc == 0; i++) {
        others[i].class = parts[i].class = (uint32_t)i;
    }
    for (size_t o = 0; o < c->ids.n && rc == 0; o++) {
        uint32_t class = c->object[o].class;
        if (class < CIM_CLASSES || class == POF_NONE) {
            continue;
        }
        bool part = pofi_cim_one(c, (uint32_t)o, CIM_Terminal_ConductingEquipment) != POF_NONE;
        (part ? parts : others)[class].count++;
    }
    if (rc == 0) {
        qsort_r(others, n, sizeof *others, by_class, c);
        qsort_r(parts, n, sizeof *parts, by_class, c);
    }
    char line[200];
    size_t at = 0;
    for (size_t i = 0; i < n && rc == 0; i++) {
        const char *name = c->classes.text[others[i].class].ptr, *part = c->classes.text[parts[i].class].ptr;
        if (parts[i].count > 0) {
            pofi_tell(teller, "equipment of class %s, left out: %u", part, parts[i].count);
        }
        if (others[i].count > 0 && at + strlen(name) + 14 > sizeof line) {
            pofi_tell(teller, "no place in a grid: %s", line);
            at = 0;
        }
        if (others[i].count > 0) {
            at += (size_t)snprintf(line + at, sizeof line - at, "%s%.100s %u", at ? ", " : "", name, others[i].count);
        }
    }
    if (at > 0 && rc == 0) {
        pofi_tell(teller, "no place in a grid: %s", line);
    }
    free(others);
    free(parts);
    return rc;
}

static void tell_counts(const struct pofi_cim *c)
{
    const struct pof_teller *t = c->wish ? c->wish->teller : NULL;
    pofi_tell_count(t, c->undescribed, "objects that SSH, TP, SV or GL speak of and no EQ describes");
    pofi_tell_count(t, c->unused, "nodes without terminals, left out");
    pofi_tell_count(t, c->no_terminal, "equipment without terminals, left out");
    pofi_tell_count(t, c->out_of_service, "equipment out of service, left out or open");
    pofi_tell_count(t, c->inner_switch, "branches and switches with both ends at one node, left out");
    pofi_tell_count(t, c->open_ends, "ends that are not connected, each a node of its own behind an open switch");
    pofi_tell_count(t, c->no_impedance, "branches without impedance, as switches");
    pofi_tell_count(t, c->joined_levels, "lines between two nominal voltages, as transformers of ratio 1 in volts");
    pofi_tell_count(t, c->tables, "tap changers with a table, fixed at their step");
    pofi_tell_count(t, c->ohm_tables, "tables of tap changers in ohm instead of percent, as their neutral step shows");
    pofi_tell_count(t, c->steps, "tap changers with steps that a grid cannot hold, fixed at their step");
    pofi_tell_count(t, c->clocks, "transformers whose clock is not in the angles of CGMES, known in balanced computations only");
    pofi_tell_count(t, c->other_modes, "controls of anything but a voltage, left out");
    pofi_tell_count(t, c->odd_target, "voltage targets in V by their unit that can only be kV, taken as kV");
    pofi_tell_count(t, c->remote_held, "machines that hold a voltage elsewhere, here their own at its solved value");
    pofi_tell_count(t, c->remote_free, "machines that hold a voltage elsewhere or none that is known, without a solved value");
    pofi_tell_count(t, c->off_target, "machines whose solved voltage is not their target, at the solved one");
    pofi_tell_count(t, c->slopes, "static var compensators with a slope, as their reactive power");
    pofi_tell_count(t, c->exponents, "exponents of loads other than 0, 1, 2, as shares of the same slope at 1 p.u.");
    pofi_tell_count(t, c->from_state, "loads and machines without SSH, at the power of SV");
    pofi_tell_count(t, c->no_power, "loads and machines without a power, at 0");
    pofi_tell_count(t, c->temporary, "temporary limits, left out");
    pofi_tell_count(t, c->no_value, "analog measurements without a value, left out");
    pofi_tell_count(t, c->other_units, "measurements whose type or unit is not known, or whose unit is another's, left out");
    pofi_tell_count(t, c->other_places, "measurements of a phase, or at a place with other equipment, left out");
    pofi_tell_count(t, c->no_sigma, "measurements without an accuracy, with that of their kind");
    pofi_tell_count(t, c->discrete, "discrete measurements, left out");
    pofi_tell_count(t, c->bad_limits, "nodes whose voltage limits leave no room, at 0.9 and 1.1");
    pofi_tell_count(t, c->dead, "nodes that nothing feeds");
}

/* --- reading --- */

static int take_states(struct pofi_cim *c)
{
    struct pof_cim_state *s = c->input->state;
    struct pof_grid *g = c->build.grid;
    c->rc = s ? pof_calloc(&s->v_pu, g->nodes, sizeof *s->v_pu, c->err) : 0;
    c->rc = c->rc || !s ? c->rc : pof_calloc(&s->angle, g->nodes, sizeof *s->angle, c->err);
    for (uint32_t i = 0; i < g->nodes && c->rc == 0; i++) {
        double v, angle;
        if (pofi_cim_state(c, i, &v, &angle) <= 0) {
            continue;
        }
        pofi_start_from(&g->node[i], v / g->node[i].base_v, pof_deg_of_rad(angle));
        if (s) {
            s->v_pu[i] = v / g->node[i].base_v;
            s->angle[i] = angle;
        }
    }
    return c->rc;
}

void pof_cim_state_release(struct pof_cim_state *state)
{
    free(state->v_pu);
    free(state->angle);
    *state = (struct pof_cim_state){0};
}

/* Steps of the tables in format_impl.h and cim.h, each of which leaves its error in c->rc. */
static int make(struct pofi_cim *c)
{
    struct pof_grid *g = c->build.grid;
    c->rc = pofi_cim_read_all(c);
    if (c->rc == 0) {
        pofi_cim_nodes(c);
    }
    for (uint32_t i = 0; i < g->nodes && c->rc == 0; i++) { /* 100 MVA where there is high voltage, as usual */
        g->base_va = g->node[i].base_v >= 60e3 ? 100e6 : g->base_va;
    }
    int (*const steps[])(struct pofi_cim *c) = {pofi_cim_branches,    pofi_cim_injections,  pofi_cim_hold,
                                                pofi_cim_node_limits, pofi_cim_coordinates, pofi_cim_analogs,
                                                take_states};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0] && c->rc == 0; i++) {
        steps[i](c);
    }
    if (c->rc == 0) {
        c->rc = pof_build_finish(&c->build, c->err);
        pof_at(c->err, c->input->document[0].name, 0, NULL);
    }
    return c->rc;
}

int pof_cim_read(struct pof_grid *grid, const struct pof_cim *input, const struct pof_grid_wish *wish,
                 struct pof_err *err)
{
    struct pof_err own = {0};
    *grid = (struct pof_grid){.base_va = 1e6, .f_hz = 50};
    struct pofi_cim c = {.input = input, .build = {.grid = grid}, .wish = wish, .err = err ? err : &own};
    int rc = make(&c);
    if (rc == 0) {
        tell_counts(&c);
        rc = tell_classes(&c);
    }
    if (rc) {
        pof_grid_release(grid);
        if (input->state) {
            pof_cim_state_release(input->state);
        }
    }
    pofi_cim_release(&c);
    return rc;
}

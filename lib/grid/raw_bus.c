/* SPDX-License-Identifier: Apache-2.0 */
/* PSS/E RAW: buses and what is connected to them. */
#include "grid/raw.h"

#include <math.h>
#include <stdlib.h>

#define MEGA 1e6

/* --- buses --- */

static int add_bus(struct pofi_raw *r, const struct pof_node *node, struct pof_text number,
                   double v)
{
    uint32_t id;
    size_t n = r->numbers.n;
    int rc = pof_names_add(&r->numbers, number, &id, r->err);
    if (rc == 0 && id < n) {
        rc = pofi_raw_fail(r, 0, POF_E_DUPLICATE, "bus %.*s was given before", (int)number.len,
                           number.ptr);
    }
    rc = rc ? rc : pof_grow(&r->isolated, &r->isolated_cap, n + 1, sizeof *r->isolated, r->err);
    rc = rc ? rc : pof_grow(&r->stored_v, &r->stored_cap, n + 1, sizeof *r->stored_v, r->err);
    rc = rc ? rc : pof_build_node(&r->build, node, r->err);
    if (rc == 0) {
        r->stored_v[n] = v;
    }
    return rc;
}

/* A name is remembered when it can be one of ours: there, and of plain characters. */
static int note_name(struct pofi_raw *r, struct pof_text name)
{
    uint32_t id;
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] < 0x20 || name.ptr[i] > 0x7e) {
            return 0;
        }
    }
    bool usable = name.len > 0 && name.len <= POF_GRID_NAME_MAX;
    return usable ? pof_names_add(&r->names, name, &id, r->err) : 0;
}

int pofi_raw_buses_done(struct pofi_raw *r)
{
    struct pof_grid *g = r->build.grid;
    if (r->names.n == g->nodes) { /* all are good and different */
        struct pof_names numbers = g->node_names;
        g->node_names = r->names;
        r->names = numbers;
        for (uint32_t i = 0; i < g->nodes; i++) {
            g->node[i].name = g->node_names.text[i];
        }
    }
    return pof_calloc(&r->in_service, g->nodes, sizeof *r->in_service, r->err);
}

static void add_load(struct pof_node *node, double p_mw, double q_mvar)
{
    node->p_w += p_mw * MEGA;
    node->q_var += q_mvar * MEGA;
}

int pofi_raw_read_bus(struct pofi_raw *r)
{
    enum { I, NAME, BASKV, IDE, VM, VA, NVHI, NVLO, GL, BL, PL, QL, FIELDS };
    char text[16];
    struct pof_text number;
    double v[FIELDS] = {[IDE] = 1, [VM] = 1, [NVHI] = 1.1, [NVLO] = 0.9};
    int rc = pofi_raw_number(r, I, text, &number);
    rc = rc ? rc : pofi_raw_reals(r, BASKV, FIELDS - BASKV, v + BASKV);
    if (rc) {
        return rc;
    }
    if (v[IDE] != 1 && v[IDE] != 2 && v[IDE] != 3 && v[IDE] != 4) {
        return pofi_raw_fail(r, IDE, POF_E_RANGE, "bus type code %.15g is not 1, 2, 3 or 4",
                             v[IDE]);
    }
    r->told.no_base += v[BASKV] == 0;
    struct pof_node node = pof_node_default(number, v[BASKV] == 0 ? 1000 : v[BASKV] * 1000);
    node.kind = v[IDE] == 2 ? POF_NODE_PV : v[IDE] == 3 ? POF_NODE_SLACK : POF_NODE_PQ;
    node.v_set_pu = node.kind == POF_NODE_PQ ? 1 : v[VM];
    node.angle_set = node.kind == POF_NODE_SLACK ? pof_rad_of_deg(v[VA]) : 0;
    pofi_start_from(&node, v[VM], v[VA]);
    if (v[NVLO] >= 0 && v[NVLO] < v[NVHI] && v[NVHI] <= 3) {
        node.v_min_pu = v[NVLO];
        node.v_max_pu = v[NVHI];
    } else {
        r->told.limits++;
    }
    node.g_w = v[GL] * MEGA;
    node.b_var = v[BL] * MEGA;
    add_load(&node, v[PL], v[QL]);
    rc = note_name(r, pofi_raw_text(r, NAME));
    rc = rc ? rc : add_bus(r, &node, number, v[VM]);
    if (rc == 0) {
        r->isolated[r->numbers.n - 1] = v[IDE] == 4;
    }
    return rc;
}

/* --- loads and shunts --- */

/* The constant admittance part is a shunt: YQ is negative for an inductive load. Distributed
 * generation, from revision 34 on, counts when DGENM says so. */
int pofi_raw_read_load(struct pofi_raw *r)
{
    enum { I, STAT, PL, QL, IP, IQ, YP, YQ, DGENP, DGENQ, DGENM, FIELDS };
    uint32_t at;
    double v[FIELDS] = {[STAT] = 1};
    int rc = pofi_raw_bus(r, I, &at);
    rc = rc ? rc : pofi_raw_reals(r, STAT, FIELDS - STAT, v + STAT);
    if (rc || v[STAT] == 0) {
        return rc;
    }
    struct pof_node *node = &r->build.grid->node[at];
    add_load(node, v[PL], v[QL]);
    node->ip_w += v[IP] * MEGA;
    node->iq_var += v[IQ] * MEGA;
    node->g_w += v[YP] * MEGA;
    node->b_var += v[YQ] * MEGA;
    if (v[DGENM] != 0) {
        add_load(node, -v[DGENP], -v[DGENQ]);
        r->told.generation++;
    }
    return 0;
}

int pofi_raw_read_fixed_shunt(struct pofi_raw *r)
{
    uint32_t at;
    double v[] = {1, 0, 0};
    int rc = pofi_raw_bus(r, 0, &at);
    rc = rc ? rc : pofi_raw_reals(r, 1, 3, v);
    if (rc == 0 && v[0] != 0) {
        r->build.grid->node[at].g_w += v[1] * MEGA;
        r->build.grid->node[at].b_var += v[2] * MEGA;
    }
    return rc;
}

/* --- switched shunts --- */

enum { SW_I, SW_MODSW, SW_STAT, SW_BINIT, SW_VSWHI, SW_VSWLO, SW_SWREG, SW_N1, SW_S1 = SW_N1 + 2 * POF_BANK_BLOCKS,
       SWITCHED_FIELDS = SW_S1 + POF_BANK_BLOCKS };

/* Blocks in service. Fields without a value end with the last block that has steps. */
static void take_blocks(struct pof_bank *bank, const double *v)
{
    for (int k = 0; k < POF_BANK_BLOCKS; k++) {
        double steps = v[SW_N1 + 2 * k], step = v[SW_N1 + 2 * k + 1];
        if (steps >= 1 && steps <= 10000 && step != 0 && v[SW_S1 + k] != 0) {
            bank->block[bank->blocks].steps = (int32_t)steps;
            bank->block[bank->blocks++].b_var = step * MEGA;
        }
    }
}

/* Modes 1 and 2 hold the voltage of a bus, in steps and steplessly; others follow reactive powers of
 * other devices and stay where they are. */
static int hold_by_switching(struct pofi_raw *r, uint32_t at, const double *v)
{
    struct pof_bank bank = {.node = at, .held = at, .stepless = v[SW_MODSW] == 2, .v_low_pu = v[SW_VSWLO],
                            .v_high_pu = v[SW_VSWHI], .b_var = v[SW_BINIT] * MEGA};
    int rc = v[SW_SWREG] == 0 ? 0 : pofi_raw_bus(r, SW_SWREG, &bank.held);
    take_blocks(&bank, v);
    bool possible = bank.blocks > 0 && bank.v_low_pu <= bank.v_high_pu && bank.v_low_pu >= 0.5 &&
                    bank.v_high_pu <= 1.5;
    if (rc == 0 && possible) {
        rc = pof_build_bank(&r->build, &bank, r->err);
    }
    r->told.shunt_control += !possible;
    return rc;
}

int pofi_raw_read_switched_shunt(struct pofi_raw *r)
{
    uint32_t at;
    double v[SWITCHED_FIELDS] = {[SW_MODSW] = 1, [SW_STAT] = 1, [SW_VSWHI] = 1, [SW_VSWLO] = 1};
    for (int k = 0; k < POF_BANK_BLOCKS; k++) {
        v[SW_S1 + k] = 1;
    }
    int rc = pofi_raw_bus(r, SW_I, &at);
    rc = rc ? rc : pofi_raw_reals(r, SW_MODSW, SWITCHED_FIELDS - SW_MODSW, v + SW_MODSW);
    if (rc || v[SW_STAT] == 0) {
        return rc;
    }
    r->build.grid->node[at].b_var += v[SW_BINIT] * MEGA;
    if (v[SW_MODSW] == 1 || v[SW_MODSW] == 2) {
        return hold_by_switching(r, at, v);
    }
    r->told.shunt_control += v[SW_MODSW] != 0;
    return 0;
}

/* --- what holds a voltage --- */

int pofi_raw_hold(struct pofi_raw *r, uint32_t at, double v_pu, double q_min, double q_max)
{
    struct pof_node *node = &r->build.grid->node[at];
    bool first = node->kind == POF_NODE_PQ || !r->in_service[at];
    r->in_service[at]++;
    node->kind = node->kind == POF_NODE_SLACK ? POF_NODE_SLACK : POF_NODE_PV;
    node->v_set_pu = v_pu;
    if (first) {
        node->q_min_var = node->q_max_var = 0;
    }
    if (q_min > q_max) {
        r->told.impossible++;
        double between = (q_min + q_max) / 2;
        q_min = q_max = between;
    }
    /* 9999 Mvar is what a file says when nothing is known. */
    node->has_q_limits =
        (first || node->has_q_limits) && q_max < 9999 * MEGA && q_min > -9999 * MEGA;
    node->q_min_var = node->has_q_limits ? node->q_min_var + q_min : 0;
    node->q_max_var = node->has_q_limits ? node->q_max_var + q_max : 0;
    return 0;
}

/* As in the reader of MATPOWER cases: a generator of a pq node is negative consumption, at a pv
 * node its reactive power is free within limits, at a slack node both are. */
int pofi_raw_read_generator(struct pofi_raw *r)
{
    enum { I, PG, QG, QT, QB, VS, IREG, STAT, FIELDS };
    uint32_t at;
    double v[FIELDS] = {[QT] = 9999, [QB] = -9999, [VS] = 1, [STAT] = 1};
    int rc = pofi_raw_bus(r, I, &at);
    rc = rc ? rc : pofi_raw_reals(r, PG, FIELDS - PG, v + PG);
    if (rc || v[STAT] == 0) {
        return rc;
    }
    struct pof_node *node = &r->build.grid->node[at];
    if (node->kind != POF_NODE_SLACK) {
        node->p_w -= v[PG] * MEGA;
    }
    if (node->kind == POF_NODE_PQ) {
        r->in_service[at]++;
        node->q_var -= v[QG] * MEGA;
        return 0;
    }
    if (!(v[VS] > 0.5 && v[VS] < 1.5)) {
        return pofi_raw_fail(r, VS, POF_E_PHYSICS,
                             "voltage set point %.15g p.u. is not in 0.5 .. 1.5", v[VS]);
    }
    uint32_t regulated = at;
    if (v[IREG] != 0 && (rc = pofi_raw_bus(r, IREG, &regulated)) != 0) {
        return rc;
    }
    r->told.remote += regulated != at;
    return pofi_raw_hold(r, at, regulated == at ? v[VS] : node->v_set_pu, v[QB] * MEGA,
                         v[QT] * MEGA);
}

void pofi_raw_settle_kinds(struct pofi_raw *r)
{
    struct pof_grid *g = r->build.grid;
    for (uint32_t i = 0; i < g->nodes; i++) {
        struct pof_node *n = &g->node[i];
        bool fed = r->in_service && i < r->numbers.n && r->in_service[i] > 0;
        if (n->kind == POF_NODE_PV && !fed) {
            n->kind = POF_NODE_PQ;
            n->v_set_pu = 1;
            r->told.no_gen++;
        }
        n->zero_injection = n->kind == POF_NODE_PQ && n->p_w == 0 && n->q_var == 0 &&
                            n->ip_w == 0 && n->iq_var == 0 && !fed;
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Switched shunts that hold voltages. */
#include "grid/shunt_control.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Stepless banks bring the voltage so near to the edge of the band, p.u. */
#define NEAR 1e-7
/* First move of a stepless bank, of its range. */
#define FIRST_MOVE 0.05
/* Two levels are the same, of the largest. */
#define SAME 1e-9
enum { TURNS_MAX = 3, SECANTS_MAX = 30, SOLVES_MAX = 2000 };

struct bank {
    double b_var;
    double least, most;   /* with everything negative, positive switched on */
    int last;             /* way of its last step; 0: none */
    int turns;
    double away;          /* from its band before that step, p.u. */
    double before;        /* b_var before it */
    bool rests;           /* has turned round too often */
};

struct pof_shunt_control {
    const struct pof_grid *grid;
    struct pof_grid copy;  /* nodes are its own */
    struct pof_tap_control *taps;
    struct bank *bank;
    double *b_var;
};

/* --- steps --- */

static void range_of(const struct pof_bank *b, struct bank *s)
{
    s->least = s->most = 0;
    for (uint32_t k = 0; k < b->blocks; k++) {
        double all = b->block[k].steps * b->block[k].b_var;
        s->least += all < 0 ? all : 0;
        s->most += all > 0 ? all : 0;
    }
}

/* The level next to `from` that more (way 1) or less (-1) switching reaches; from itself at the end. */
static double next_level(const struct pof_bank *b, double from, int way)
{
    double best = way > 0 ? INFINITY : -INFINITY, sum[2] = {0, 0}, size = 0;
    for (uint32_t k = 0; k < b->blocks; k++) {
        size = fmax(size, fabs(b->block[k].steps * b->block[k].b_var));
    }
    for (uint32_t k = 0; k <= b->blocks; k++) { /* k = blocks: nothing switched on */
        int side = k < b->blocks && b->block[k].b_var > 0;
        int32_t steps = k < b->blocks ? b->block[k].steps : 0;
        for (int32_t n = k < b->blocks; n <= steps; n++) {
            double level = k < b->blocks ? sum[side] + n * b->block[k].b_var : 0;
            double far = (level - from) * way;
            best = far > SAME * size && far < (best - from) * way ? level : best;
        }
        sum[side] += k < b->blocks ? steps * b->block[k].b_var : 0;
    }
    return isfinite(best) ? best : from;
}

/* --- voltages --- */

static double voltage(const struct pof_shunt_control *c, uint32_t k)
{
    struct pof_pf_result r;
    pof_pf_result(pof_tap_control_pf(c->taps), &r);
    double sum = 0;
    for (uint32_t f = 0; f < r.phases; f++) {
        sum += r.v_pu[c->grid->bank[k].held * r.phases + f];
    }
    return sum / r.phases;
}

/* Whether a generator holds that voltage: a bank could not move it. */
static bool held(const struct pof_shunt_control *c, uint32_t node)
{
    struct pof_pf_result r;
    pof_pf_result(pof_tap_control_pf(c->taps), &r);
    enum pof_node_kind kind = c->grid->node[node].kind;
    return kind == POF_NODE_SLACK || (kind == POF_NODE_PV && r.limit[node] == 0);
}

/* How far the voltage is outside of the band: negative below, positive above. What is dead, or held by
 * others, has no wishes. */
static double outside(const struct pof_shunt_control *c, uint32_t k)
{
    const struct pof_bank *b = &c->grid->bank[k];
    double v = voltage(c, k);
    bool free = v > 0 && !held(c, b->held);
    return free && v < b->v_low_pu - NEAR    ? v - b->v_low_pu
           : free && v > b->v_high_pu + NEAR ? v - b->v_high_pu
                                             : 0;
}

static void put(struct pof_shunt_control *c, uint32_t k, double b_var)
{
    c->bank[k].b_var = b_var;
    for (uint32_t i = 0; i < c->grid->banks; i++) {
        c->copy.node[c->grid->bank[i].node].b_var = c->grid->node[c->grid->bank[i].node].b_var;
    }
    for (uint32_t i = 0; i < c->grid->banks; i++) {
        c->copy.node[c->grid->bank[i].node].b_var += c->bank[i].b_var - c->grid->bank[i].b_var;
    }
}

/* --- in steps --- */

/* Which way a bank wants to go. One that turns round too often stays where it was less far away. */
static int wish(struct pof_shunt_control *c, uint32_t k)
{
    struct bank *s = &c->bank[k];
    double out = outside(c, k);
    int way = out < 0 ? 1 : out > 0 ? -1 : 0;
    s->turns += way != 0 && way == -s->last;
    if (s->turns >= TURNS_MAX && !s->rests) {
        s->rests = true;
        if (fabs(out) <= s->away) {
            way = 0;
        }
    } else if (s->rests) {
        way = 0;
    }
    s->away = fabs(out);
    return way;
}

/* One step of every bank that wants one. */
static bool step_all(struct pof_shunt_control *c)
{
    bool moved = false;
    for (uint32_t k = 0; k < c->grid->banks; k++) {
        const struct pof_bank *b = &c->grid->bank[k];
        int way = b->stepless ? 0 : wish(c, k);
        double to = way ? next_level(b, c->bank[k].b_var, way) : c->bank[k].b_var;
        if (to != c->bank[k].b_var) {
            c->bank[k].last = way;
            moved = true;
            put(c, k, to);
        }
    }
    return moved;
}

/* --- steplessly --- */

struct loads {
    const double *p_w, *q_var;
    struct pof_tap_report *report;
    uint32_t solves;
};

static int solve(struct pof_shunt_control *c, struct loads *l, struct pof_err *err)
{
    int rc = pof_tap_control_solve(c->taps, l->p_w, l->q_var, l->report, err);
    l->solves += l->report->solves;
    return rc;
}

static double clip(const struct bank *s, double b_var)
{
    return b_var < s->least ? s->least : b_var > s->most ? s->most : b_var;
}

/* Moves one bank to where its voltage is at the edge of the band it was beyond, or to its end. */
static int slide(struct pof_shunt_control *c, uint32_t k, struct loads *l, bool *moved, struct pof_err *err)
{
    struct bank *s = &c->bank[k];
    const struct pof_bank *b = &c->grid->bank[k];
    int rc = 0;
    double out = outside(c, k), range = s->most - s->least;
    double target = out < 0 ? b->v_low_pu : b->v_high_pu;
    double to = clip(s, s->b_var - copysign(FIRST_MOVE * range, out));
    for (int i = 0; rc == 0 && out != 0 && i < SECANTS_MAX && l->report->status == POF_TAP_SETTLED; i++) {
        double b0 = s->b_var, v0 = voltage(c, k);
        if (to == b0) {
            break;
        }
        *moved = true;
        put(c, k, to);
        rc = solve(c, l, err);
        double v = voltage(c, k), slope = (v - v0) / (to - b0);
        out = fabs(v - target) > NEAR ? v - target : 0;
        double ahead = slope > 0 ? (target - v) / slope : -copysign(range, out);
        to = clip(s, s->b_var + (fabs(ahead) > range / 2 ? copysign(range / 2, ahead) : ahead));
    }
    return rc;
}

static int slide_all(struct pof_shunt_control *c, struct loads *l, bool *moved, struct pof_err *err)
{
    int rc = 0;
    for (uint32_t k = 0; rc == 0 && k < c->grid->banks && l->report->status == POF_TAP_SETTLED; k++) {
        double out = c->grid->bank[k].stepless ? outside(c, k) : 0;
        if (out != 0 && !(out < 0 ? c->bank[k].b_var >= c->bank[k].most : c->bank[k].b_var <= c->bank[k].least)) {
            rc = slide(c, k, l, moved, err);
        }
    }
    return rc;
}

/* --- the whole --- */

static void begin(struct pof_shunt_control *c)
{
    for (uint32_t k = 0; k < c->grid->banks; k++) {
        c->bank[k] = (struct bank){.b_var = c->grid->bank[k].b_var};
        range_of(&c->grid->bank[k], &c->bank[k]);
    }
    memcpy(c->copy.node, c->grid->node, c->grid->nodes * sizeof *c->copy.node);
}

static void tell(struct pof_shunt_control *c, struct pof_shunt_report *r)
{
    for (uint32_t k = 0; k < c->grid->banks; k++) {
        c->b_var[k] = c->bank[k].b_var;
        r->outside += fabs(outside(c, k)) > 2 * NEAR;
    }
}

int pof_shunt_control_solve(struct pof_shunt_control *c, const double *p_w, const double *q_var,
                            struct pof_tap_report *taps, struct pof_shunt_report *shunts,
                            struct pof_err *err)
{
    struct loads l = {p_w, q_var, taps, 0};
    *shunts = (struct pof_shunt_report){.b_var = c->b_var, .bank = POF_NONE};
    begin(c);
    int rc = solve(c, &l, err);
    for (bool moved = true; rc == 0 && moved && taps->status == POF_TAP_SETTLED;) {
        moved = step_all(c);
        if (moved) {
            rc = solve(c, &l, err);
        } else {
            rc = slide_all(c, &l, &moved, err);
        }
        if (moved && l.solves > SOLVES_MAX) {
            taps->status = POF_TAP_RESTLESS;
            taps->branch = POF_NONE;
        }
    }
    for (uint32_t k = 0; k < c->grid->banks && taps->status == POF_TAP_RESTLESS && taps->branch == POF_NONE; k++) {
        shunts->bank = shunts->bank == POF_NONE && outside(c, k) != 0 ? k : shunts->bank;
    }
    tell(c, shunts);
    taps->solves = l.solves;
    return rc;
}

int pof_shunt_control_new(struct pof_shunt_control **out, const struct pof_grid *grid,
                          const struct pof_pf_options *options, enum pof_tap_strategy strategy,
                          struct pof_err *err)
{
    *out = NULL;
    struct pof_shunt_control *c;
    int rc = pof_calloc(&c, 1, sizeof *c, err);
    if (rc) {
        return rc;
    }
    c->grid = grid;
    c->copy = *grid;
    c->copy.node = NULL;
    rc = pof_calloc(&c->copy.node, grid->nodes, sizeof *grid->node, err);
    rc = rc ? rc : pof_calloc(&c->bank, grid->banks, sizeof *c->bank, err);
    rc = rc ? rc : pof_calloc(&c->b_var, grid->banks, sizeof *c->b_var, err);
    if (rc == 0) {
        begin(c);
        rc = pof_tap_control_new(&c->taps, &c->copy, options, strategy, err);
    }
    if (rc) {
        pof_shunt_control_free(c);
        return rc;
    }
    *out = c;
    return 0;
}

const struct pof_pf *pof_shunt_control_pf(const struct pof_shunt_control *c)
{
    return pof_tap_control_pf(c->taps);
}

void pof_shunt_control_free(struct pof_shunt_control *c)
{
    if (c) {
        pof_tap_control_free(c->taps);
        free(c->copy.node);
        free(c->bank);
        free(c->b_var);
        free(c);
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Where an answer differs from a validation case, whether the case can be shown to be wrong. Three
 * ways, each a computation on the numbers of the case itself; whatever they do not show has failed.
 *
 * - The expected state of an estimate is no optimum: with all its voltages held, the weighted squares
 *   are more than those of ours.
 * - An error is expected because a check "is not yet implemented" there, while the readings are just
 *   as many as the state has variables and are met by the state that a power flow finds from them.
 * - The expected flows break Kirchhoff's law at the very nodes where they differ from ours, which
 *   keep it. */
#ifndef POF_ACCEPT_PGM_PROOF_H
#define POF_ACCEPT_PGM_PROOF_H

#include "pgm_state.h"

#include "grid/estimate.h"
#include "grid/powerflow.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

enum { PROOF_MAX = 200 };

static double phase_value(const json_t *value, int f)
{
    const json_t *v = json_is_array(value) ? json_array_get(value, (size_t)f) : value;
    return json_is_number(v) ? json_number_value(v) : NAN;
}

/* Expected voltages as exact readings behind the others; how many, or 0 when some are not told. */
static size_t pin_voltages(const struct state *s, const json_t *data, struct pof_observation *to)
{
    const json_t *rows = json_object_get(data, "node");
    size_t n = 0;
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        uint32_t node = node_of(s, json_number_value(json_object_get(row, "id")));
        for (int f = 0; node != POF_NONE && f < s->phases; f++) {
            struct pof_observation o = {.element = node, .phase = (uint8_t)(s->phases == 3 ? f + 1 : 0)};
            o.value = phase_value(json_object_get(row, "u"), f);
            to[n++] = o;
            /* a case that tells no angles has them all at zero */
            o.quantity = POF_QUANTITY_ANGLE;
            double angle = phase_value(json_object_get(row, "u_angle"), f);
            o.value = isnan(angle) ? 0 : angle * 180 / acos(-1);
            to[n++] = o;
            if (!isfinite(to[n - 2].value) || (s->phases == 3 && isnan(angle))) {
                return 0;
            }
        }
    }
    return n;
}

/* The weighted squares of the expected state; false when they cannot be told. */
static bool expected_objective(const struct state *s, const struct pof_readings *readings,
                               const json_t *data, double *objective)
{
    size_t most = readings->n + 2 * (size_t)s->grid->nodes * 3;
    struct pof_observation *all = calloc(most, sizeof *all);
    struct pof_se_options how = {.tolerance = 1e-12, .phases = (uint32_t)s->phases};
    struct pof_err err = {0};
    struct pof_se *se = NULL;
    struct pof_se_result t;
    enum pof_se_status status = POF_SE_DIVERGED;
    memcpy(all, readings->item, readings->n * sizeof *all);
    size_t pins = pin_voltages(s, data, all + readings->n);
    bool told = pins > 0 && pof_se_new(&se, s->grid, &how, &err) == 0 &&
                pof_se_solve(se, all, readings->n + pins, &status, &err) == 0 &&
                status == POF_SE_CONVERGED;
    if (told) {
        pof_se_result(se, &t);
        *objective = t.objective;
    }
    pof_se_free(se);
    free(all);
    return told;
}

static bool no_optimum(const struct state *s, const struct pof_readings *readings, const json_t *data,
                       double ours, char *text)
{
    double theirs = 0;
    if (!expected_objective(s, readings, data, &theirs) || !(ours < theirs * (1 - 1e-14))) {
        return false;
    }
    snprintf(text, PROOF_MAX, "the expected state is no optimum: its J = %.15g, ours %.15g", theirs, ours);
    return true;
}

/* Readings of a state that a power flow needs, and no others: p and q of nodes, the voltage that the
 * slack node holds. */
static bool as_loads(const struct pof_grid *grid, const struct pof_readings *readings, double *p, double *q)
{
    for (size_t i = 0; i < readings->n; i++) {
        const struct pof_observation *o = &readings->item[i];
        const struct pof_node *node = &grid->node[o->element];
        bool slack = node->kind == POF_NODE_SLACK;
        bool held = (o->quantity == POF_QUANTITY_V && o->value == node->v_set_pu * node->base_v) ||
                    (o->quantity == POF_QUANTITY_ANGLE && o->value == node->angle_set);
        if (o->branch || o->phase != 0 || (slack ? !held : o->quantity != POF_QUANTITY_P && o->quantity != POF_QUANTITY_Q)) {
            return false;
        }
        *(slack ? &(double){0} : o->quantity == POF_QUANTITY_P ? &p[o->element] : &q[o->element]) = o->value;
    }
    return true;
}

static double farthest(const struct state *s, const struct pof_pf *pf)
{
    struct pof_pf_result t;
    double most = 0;
    pof_pf_result(pf, &t);
    for (uint32_t i = 0; i < s->grid->nodes; i++) {
        most = fmax(most, cabs(t.v_pu[i] * cexp(I * t.angle[i]) - s->v[i]));
    }
    return most;
}

static bool determined(const struct state *s, const struct pof_readings *readings,
                       const struct pof_se_result *t, char *text)
{
    double *p = calloc(s->grid->nodes, sizeof *p), *q = calloc(s->grid->nodes, sizeof *q);
    struct pof_pf_options how = {.method = POF_PF_NEWTON, .tolerance = 1e-12, .phases = 1};
    struct pof_err err = {0};
    struct pof_pf *pf = NULL;
    enum pof_pf_status status = POF_PF_DIVERGED;
    bool shown = s->phases == 1 && t->dof == 0 && t->objective < 1e-10 &&
                 as_loads(s->grid, readings, p, q) && pof_pf_new(&pf, s->grid, &how, &err) == 0 &&
                 pof_pf_solve(pf, p, q, true, &status, &err) == 0 && status == POF_PF_CONVERGED;
    double off = shown ? farthest(s, pf) : INFINITY;
    snprintf(text, PROOF_MAX,
             "refused there, answered here: as many readings as unknowns, J = %.2g, a power flow from "
             "them differs by %.2g p.u.",
             t->objective, off);
    pof_pf_free(pf);
    free(p);
    free(q);
    return shown && off < 1e-7; /* J and this are rounding at a link of 1e6 p.u., in both computations */
}

/* --- Kirchhoff's law --- */

static const char *const ends[2][2] = {{"p_from", "q_from"}, {"p_to", "q_to"}};
static const char *const of_node[2] = {"p", "q"};

static double given(const struct state *s, struct pofi_pgm_place at, const json_t *row, const char *name)
{
    double out[3] = {NAN, NAN, NAN};
    int width = 1;
    if (row) {
        return phase_value(json_object_get(row, name), 0);
    }
    return attribute_of(s, at, name, out, &width) ? out[0] : NAN;
}

/* What the node injects less what branches take there; of the expected data, or (ours) of s. */
static double imbalance(const struct state *s, const json_t *data, uint32_t node, int part, bool ours)
{
    double sum = 0;
    const char *type;
    json_t *rows;
    json_object_foreach((json_t *)(uintptr_t)data, type, rows)
    {
        for (size_t i = 0; i < json_array_size(rows); i++) {
            const json_t *row = json_array_get(rows, i);
            struct pofi_pgm_place at = pofi_pgm_find(s->p, json_number_value(json_object_get(row, "id")));
            if (at.type == PGM_NODE && s->map->at[PGM_NODE][at.row] == node) {
                sum += given(s, at, ours ? NULL : row, of_node[part]);
            }
            for (int e = 0; at.type >= PGM_LINE && at.type <= PGM_TRAFO && e < 2; e++) {
                sum -= end_node(s, at, e) == node ? given(s, at, ours ? NULL : row, ends[e][part]) : 0;
            }
        }
    }
    return sum;
}

/* Whether the expected flows at an end of the branch cannot be, and ours can. W and var. */
static bool breaks_kirchhoff(const struct state *s, const json_t *data, struct pofi_pgm_place at, char *text)
{
    for (int e = 0; at.type >= PGM_LINE && at.type <= PGM_TRAFO && s->phases == 1 && e < 2; e++) {
        uint32_t node = end_node(s, at, e);
        for (int part = 0; part < 2; part++) {
            double theirs = imbalance(s, data, node, part, false), ours = imbalance(s, data, node, part, true);
            if (fabs(theirs) > 1 && fabs(ours) < 1e-3) {
                snprintf(text, PROOF_MAX,
                         "the expected %s break Kirchhoff's law at node %.40s by %.6g, ours by %.2g",
                         part ? "reactive flows" : "flows", s->grid->node[node].name.ptr, theirs, ours);
                return true;
            }
        }
    }
    return false;
}

#endif

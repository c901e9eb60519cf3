/* SPDX-License-Identifier: Apache-2.0 */
/* Newton's method: reactive limits of pv nodes, and the DC start. */
#include "grid/newton_impl.h"

#include <math.h>
#include <stdlib.h>

/* --- limits --- */

/* A node that came back from a limit this often stays there: the limits of others are the reason. */
enum { MOST_RETURNS = 8 };

/* What must be passed before a node changes sides: a limit by this power, the voltage by this. */
#define BAND_V 1e-9

static bool switch_held(struct pofi_newton *n, const struct pofi_case *c, uint32_t i)
{
    const struct pofi_hold *h = &n->hold[i];
    double generates = n->q[i] + c->load[i].q + c->load[i].iq * n->v[i];
    int8_t to = generates > h->q_max + c->tolerance   ? 1
                : generates < h->q_min - c->tolerance ? -1
                                                      : 0;
    n->at_limit[i] = to;
    return to != 0;
}

/* At the upper limit it cannot lift the voltage to its set value; above it, it need not. */
static bool switch_back(struct pofi_newton *n, uint32_t i, bool *cycles)
{
    double above = (n->v[i] - n->hold[i].v_set) * n->at_limit[i];
    if (above <= BAND_V || n->hold[i].q_min == n->hold[i].q_max) {
        return false;
    }
    if (n->returns[i] >= MOST_RETURNS) {
        *cycles = true;
        return false;
    }
    n->returns[i]++;
    n->at_limit[i] = 0;
    n->v[i] = n->hold[i].v_set;
    return true;
}

bool pofi_newton_switch(struct pofi_newton *n, const struct pofi_case *c, bool *cycles)
{
    bool changed = false;
    *cycles = false;
    for (uint32_t i = 0; i < n->net->nodes; i++) {
        if (n->hold[i].kind == POFI_LIMITED) {
            changed |= n->at_limit[i] == 0 ? switch_held(n, c, i) : switch_back(n, i, cycles);
        }
    }
    return changed;
}

/* --- DC start --- */

/* dP / d angle of the nodes whose angle is unknown. slot: four for each entry of the bus rows. */
static int active_part(struct pofi_newton *n, struct pof_csc *a, int32_t *number, int32_t unknown,
                       struct pof_err *err)
{
    const struct pof_net *net = n->net;
    uint32_t first = net->begin[pof_net_bus(net, 0)];
    size_t entries = net->begin[net->forms] - first;
    int32_t *row = NULL, *col = NULL, *slot = NULL, *from = NULL;
    struct pof_places p = {0};
    int rc = pof_calloc(&row, entries, sizeof *row, err);
    rc = rc ? rc : pof_calloc(&col, entries, sizeof *col, err);
    rc = rc ? rc : pof_calloc(&slot, entries, sizeof *slot, err);
    rc = rc ? rc : pof_calloc(&from, entries, sizeof *from, err);
    for (uint32_t i = 0; i < net->nodes && rc == 0; i++) {
        uint32_t form = pof_net_bus(net, i);
        for (uint32_t e = net->begin[form]; e < net->begin[form + 1]; e++) {
            if (number[i] >= 0 && number[net->to[e]] >= 0) {
                row[p.n] = number[i];
                col[p.n] = number[net->to[e]];
                from[p.n++] = n->slot[4 * (size_t)(e - first)];
            }
        }
    }
    p.row = row;
    p.col = col;
    rc = rc ? rc : pof_csc_pattern(a, unknown, unknown, &p, slot, err);
    for (size_t k = 0; k < p.n && rc == 0; k++) {
        a->value[slot[k]] += n->jacobian.value[from[k]];
    }
    free(row);
    free(col);
    free(slot);
    free(from);
    return rc;
}

static int solve_angles(struct pofi_newton *n, const struct pof_csc *a, const int32_t *number,
                        double *x, struct pof_err *err)
{
    struct pof_lu *lu;
    enum pof_lu_status status;
    int rc = pof_lu_new(&lu, a, err);
    if (rc) {
        return rc;
    }
    for (uint32_t i = 0; i < n->net->nodes; i++) {
        if (number[i] >= 0) {
            x[number[i]] = -n->fp[i];
        }
    }
    rc = pof_lu_factor(lu, &status, err);
    if (rc == 0 && status == POF_LU_OK) {
        rc = pof_lu_solve(lu, x, 1, err);
        for (uint32_t i = 0; i < n->net->nodes && rc == 0; i++) {
            n->a[i] += number[i] >= 0 ? x[number[i]] : 0;
        }
    }
    pof_lu_free(lu);
    return rc;
}

int pofi_newton_dc(struct pofi_newton *n, struct pofi_case *c, struct pof_err *err)
{
    int32_t *number = NULL, unknown = 0;
    double *x = NULL;
    struct pof_csc a = {0};
    int rc = pof_calloc(&number, n->net->nodes, sizeof *number, err);
    rc = rc ? rc : pof_calloc(&x, n->net->nodes, sizeof *x, err);
    for (uint32_t i = 0; i < n->net->nodes && rc == 0; i++) {
        number[i] = n->col_a[i] >= 0 ? unknown++ : -1;
    }
    if (rc == 0 && unknown > 0) {
        (void)pofi_newton_mismatch(n, c);
        pofi_newton_linearise(n, c->load);
        rc = active_part(n, &a, number, unknown, err);
        rc = rc ? rc : solve_angles(n, &a, number, x, err);
    }
    pof_csc_release(&a);
    free(number);
    free(x);
    return rc;
}

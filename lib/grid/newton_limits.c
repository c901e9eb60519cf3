/* SPDX-License-Identifier: Apache-2.0 */
/* Newton's method: reactive limits of pv nodes, and the DC start. */
#include "grid/newton_impl.h"

#include <math.h>
#include <stdlib.h>

/* --- limits ---
 *
 * Which generators are at a limit is a complementarity problem: a held one generates within its
 * limits, one at its upper (lower) limit has a voltage not above (below) its set value. BLOCK lets all
 * that are wrong change sides at once and, when that stops making them fewer, only the one of lowest
 * index, until it does again (K. G. Murty, "Note on a Bard-type scheme for solving the complementarity
 * problem", Opsearch 11, 1974; J. J. Judice, F. M. Pires, "A block principal pivoting algorithm for
 * large-scale strictly monotone linear complementarity problems", Computers & Operations Research
 * 21(5), 1994). Networks are no linear problems, so it may fail; then one generator at a time goes, the
 * worst first; and then all that violate go at once and none comes back, as in MATPOWER (User's
 * Manual, section 4.6, pf.enforce_q_lims = 1). The latter two may keep generators at limits that their
 * voltages do not ask for, which are counted. */

/* What must be passed before a node comes back: the voltage by this. */
#define BAND_V 1e-9

enum {
    PATIENCE = 5,     /* rounds of BLOCK that need not make wrong ones fewer */
    MOST_RETURNS = 2, /* WORST: who came back so often stays */
    ROUNDS_MIN = 30, ROUNDS_MAX = 300
};

/* By how much a node is on the wrong side, p.u. of power or voltage; 0: it is not. *to: where it is
 * to go. */
static double wrong(const struct pofi_newton *n, const struct pofi_case *c, uint32_t i, int8_t *to)
{
    const struct pofi_hold *h = &n->hold[i];
    *to = 0;
    if (h->kind != POFI_LIMITED) {
        return 0;
    }
    if (n->at_limit[i] == 0) {
        double generates = n->q[i] + c->load[i].q + c->load[i].iq * n->v[i];
        double over = generates - h->q_max, under = h->q_min - generates;
        *to = over > c->tolerance ? 1 : under > c->tolerance ? -1 : 0;
        return *to > 0 ? over : *to < 0 ? under : 0;
    }
    double above = (n->v[i] - h->v_set) * n->at_limit[i];
    return above > BAND_V && h->q_min < h->q_max ? above : 0;
}

static void change(struct pofi_newton *n, uint32_t i, int8_t to)
{
    n->at_limit[i] = to;
    if (to == 0) {
        n->returns[i]++;
        n->v[i] = n->hold[i].v_set;
    }
}

/* Whether a policy lets node i go there. */
static bool may(const struct pofi_newton *n, enum pofi_policy policy, uint32_t i, int8_t to)
{
    return to != 0 || policy == POFI_BLOCK || (policy == POFI_WORST && n->returns[i] < MOST_RETURNS);
}

/* All that are wrong, or one: the first (BLOCK) or the worst. Violated limits come before returns. */
static uint32_t pass(struct pofi_newton *n, const struct pofi_case *c, enum pofi_policy policy, bool all)
{
    uint32_t found = 0, one = POF_NONE;
    double most = 0;
    int8_t one_to = 0;
    for (uint32_t i = 0; i < n->net->nodes; i++) {
        int8_t to;
        double by = wrong(n, c, i, &to);
        if (by <= 0 || !may(n, policy, i, to)) {
            continue;
        }
        found++;
        if (all) {
            change(n, i, to);
        } else if (one == POF_NONE || (policy == POFI_WORST && ((to != 0) > (one_to != 0) ||
                                                                ((to != 0) == (one_to != 0) && by > most)))) {
            one = i;
            one_to = to;
            most = by;
        }
    }
    if (one != POF_NONE) {
        change(n, one, one_to);
    }
    return found;
}

static uint32_t count_wrong(const struct pofi_newton *n, const struct pofi_case *c)
{
    uint32_t count = 0;
    int8_t to;
    for (uint32_t i = 0; i < n->net->nodes; i++) {
        count += wrong(n, c, i, &to) > 0;
    }
    return count;
}

bool pofi_newton_switch(struct pofi_newton *n, const struct pofi_case *c, struct pofi_switching *s)
{
    bool all = s->policy == POFI_ONE_WAY;
    if (s->policy == POFI_BLOCK) {
        uint32_t count = count_wrong(n, c);
        if (s->rounds == 0 || count < s->fewest) {
            s->fewest = count;
            s->patience = PATIENCE;
        }
        all = s->patience-- > 0;
    }
    bool changed = pass(n, c, s->policy, all) > 0;
    s->rounds += changed;
    s->kept = changed ? 0 : count_wrong(n, c);
    uint32_t most = n->limited < ROUNDS_MIN ? ROUNDS_MIN : n->limited < ROUNDS_MAX ? n->limited : ROUNDS_MAX;
    s->endless = s->policy == POFI_BLOCK && s->rounds > 3 * most;
    return changed && !s->endless;
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

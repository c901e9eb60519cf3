/* SPDX-License-Identifier: Apache-2.0 */
/* Quarter-hours in which branches of loops are limited. */
#include "market/auction_impl.h"

#include <stdlib.h>

int pofi_loops_check(const struct pofi_job *j, struct pof_err *err)
{
    const struct pof_rules *r = &j->book->rules;
    const struct pof_auction *a = j->auction;
    const char *what = a->on_price                           ? "node prices (--prices): they prove nothing then"
                       : a->on_reserve                       ? "reserves (--reserve)"
                       : a->method == POF_CLEAR_LP           ? "--method lp: the tree method asks the solver itself"
                       : r->sequence != POF_SEQUENCE_JOINT   ? "a sequence of roles"
                       : r->price != POF_PRICE_RULE_PAY_AS_BID ? "a price rule other than pay-as-bid"
                       : r->tie == POF_TIE_RULE_PRO_RATA     ? "equal shares of ties (pro-rata)"
                       : a->units > 0                        ? "blocks, least powers, groups and activations"
                       : j->from > 0 || j->to < j->book->quarters ? "--stream"
                                                             : NULL;
    return j->book->loops.n == 0 || !what
               ? 0
               : pof_fail(err, POF_E_USAGE, "limits of branches that are part of loops do not go with %s", what);
}

int pofi_slot_loops(const struct pofi_job *j, unsigned worker, struct pofi_slot *s, size_t q, struct pof_err *err)
{
    const struct pof_book *b = j->book;
    struct pof_mesh_row *row;
    struct pofi_quarter *out = &j->quarter[q];
    int rc = pof_calloc(&row, b->loops.rows, sizeof *row, err);
    if (rc) {
        return rc;
    }
    struct pof_clear_problem tree = s->problem;
    struct pof_clear_offer *offer = NULL; /* a pass freezes what it took */
    rc = pof_calloc(&offer, tree.offers, sizeof *offer, err);
    for (size_t i = 0; rc == 0 && i < tree.offers; i++) {
        offer[i] = tree.offer[i];
        offer[i].frozen_w = 0;
    }
    tree.offer = offer;
    const struct pof_mesh mesh = {&tree, row, pof_loops_at(&b->loops, b->session.start + (int64_t)q * POF_QUARTER_S, row)};
    pof_wide bound = 0;
    rc = rc ? rc : pof_mesh_solve(j->clearing[worker], &mesh, s->result.taken_w, &s->cost[0], &bound, err);
    out->gap = rc ? 0 : s->cost[0] - bound;
    free(offer);
    free(row);
    return rc;
}

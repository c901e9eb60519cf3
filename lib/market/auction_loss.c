/* SPDX-License-Identifier: Apache-2.0 */
/* Decisions that lose at the prices they lead to (paradoxical acceptance), where rules forbid it. */
#include "market/auction_impl.h"

#include <stdlib.h>

/* What a unit gains in all its entries, 1e-6 EUR/MWh times W. */
static pof_wide gain_of(const struct pofi_job *j, const struct pof_unit *u)
{
    pof_wide gain = 0;
    for (size_t e = u->first; e < u->last; e++) {
        const struct pofi_slot *s = &j->slot[j->units.entry[e].quarter];
        size_t i = j->units.entry[e].offer;
        const struct pof_clear_offer *o = &s->offer[i];
        int64_t worth = s->result.own_price_ueur[o->node];
        worth = o->direction == POF_UP ? worth : -worth;
        gain += (pof_wide)s->result.taken_w[i] * (worth - o->price_ueur);
    }
    return gain;
}

/* Units so that children come after their parents: order[k], by depth. */
static int order_units(const struct pof_book_units *u, size_t *order, struct pof_err *err)
{
    uint32_t *depth;
    size_t n = 0;
    int rc = pof_calloc(&depth, u->units, sizeof *depth, err);
    for (size_t i = 0; rc == 0 && i < u->units; i++) {
        for (uint32_t at = u->unit[i].parent; at != POF_NONE; at = u->unit[at].parent) {
            depth[i]++;
        }
    }
    for (uint32_t d = 0; rc == 0 && n < u->units; d++) {
        for (size_t i = 0; i < u->units; i++) {
            if (depth[i] == d) {
                order[n++] = i;
            }
        }
    }
    free(depth);
    return rc;
}

/* A parent may lose for its children's sake as long as the family gains. */
static size_t find_losers(const struct pofi_job *j, const size_t *order, pof_wide *total,
                          bool *banned)
{
    const struct pof_book_units *u = &j->units;
    size_t found = 0;
    for (size_t i = 0; i < u->units; i++) {
        total[i] = j->decided.on[i] && !banned[i] ? gain_of(j, &u->unit[i]) : 0;
    }
    for (size_t k = u->units; k-- > 0;) {
        size_t i = order[k];
        if (total[i] < 0) {
            banned[i] = true;
            found++;
        } else if (u->unit[i].parent != POF_NONE) {
            total[u->unit[i].parent] += total[i];
        }
    }
    for (size_t k = 0; k < u->units; k++) {
        uint32_t up = u->unit[order[k]].parent;
        banned[order[k]] |= up != POF_NONE && banned[up];
    }
    return found;
}

int pofi_ban_losers(const struct pofi_job *j, bool *banned, size_t *found, struct pof_err *err)
{
    size_t *order;
    pof_wide *total = NULL;
    int rc = pof_calloc(&order, j->units.units, sizeof *order, err);
    rc = rc ? rc : pof_calloc(&total, j->units.units, sizeof *total, err);
    rc = rc ? rc : order_units(&j->units, order, err);
    *found = rc ? 0 : find_losers(j, order, total, banned);
    free(order);
    free(total);
    return rc;
}

/* A unit whose offers have no power is as good as not taken. */
void pofi_start_over(struct pofi_job *j, const bool *banned)
{
    for (uint32_t q = 0; q < j->book->quarters; q++) {
        struct pofi_slot *s = &j->slot[q];
        for (size_t i = 0; i < s->problem.offers; i++) {
            s->offer[i].frozen_w = 0;
            s->offer[i].p_w = j->book->offer[s->offer_of[i]].p_w;
        }
        s->cost[0] = s->cost[1] = 0;
    }
    for (size_t i = 0; i < j->units.units; i++) {
        for (size_t e = j->units.unit[i].first; banned[i] && e < j->units.unit[i].last; e++) {
            struct pof_unit_entry *x = &j->units.entry[e];
            j->slot[x->quarter].offer[x->offer].p_w = 0;
            x->low_w = 0;
        }
    }
}

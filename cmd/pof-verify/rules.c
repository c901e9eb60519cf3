/* SPDX-License-Identifier: Apache-2.0 */
/* The rules a session was cleared by: who takes part, in which order, and what awards are paid. */
#include "verify.h"

#include <stdlib.h>

int verify_rules(struct market *m, struct pof_err *err)
{
    char hex[POF_SHA256_HEX];
    int rc = pof_rulebook_choose(&m->rulebook, m->session->kind, &m->rules, err);
    rc = rc ? rc : pof_rulebook_digest(&m->rulebook, &m->rules, hex, err);
    for (size_t i = 0; rc == 0 && i < m->n[POF_cleared]; i++) {
        const struct line *l = &m->of[POF_cleared][i];
        const struct pof_cleared *c = &l->r.u.cleared;
        bool other = POF_HAS(c, cleared, rules) &&
                     !pof_text_eq(c->rules, (struct pof_text){hex, sizeof hex});
        if (other && pof_text_eq(c->session, m->session->id)) {
            rc = REFUSE(l, "rules", "the rules given are %.*s", POF_SHA256_HEX, hex);
        }
    }
    return rc;
}

bool verify_allowed(const struct market *m, struct pof_offer *o)
{
    int64_t low, high, ready = m->session->final_by + (POF_HAS(o, offer, lead_s) ? o->lead_s : 0);
    ready += (POF_QUARTER_S - ready % POF_QUARTER_S) % POF_QUARTER_S;
    pof_rules_bounds(&m->rules, o->direction, &low, &high);
    if (POF_HAS(o, offer, lead_s) && o->start < ready) {
        if (POF_HAS(o, offer, block) || o->end <= ready) {
            return false;
        }
        o->start = ready; /* what it cannot do yet it does not offer */
    }
    return o->price_ueur_mwh >= low && o->price_ueur_mwh <= high;
}

uint64_t verify_lot(const struct market *m, const struct pof_offer *o)
{
    if (m->rules.tie == POF_TIE_RULE_LOTTERY) {
        return pof_rules_draw(m->rules.seed, m->session->id, o->id);
    }
    return POF_HAS(o, offer, received) ? (uint64_t)o->received : UINT64_MAX;
}

/* --- prices --- */

/* The zone of a place, by its branch's index; POF_NONE: in none. */
static uint32_t zone_of(const struct market *m, uint32_t at)
{
    for (; at != POF_NONE && at != 0; at = m->up[at]) {
        struct pof_text branch = m->grid.branch[m->tree.parent_branch[m->tree.order[at]]].name;
        for (size_t i = 0; i < m->rulebook.zones; i++) {
            if (pof_text_eq(m->rulebook.zone[i].branch, branch)) {
                return (uint32_t)i;
            }
        }
    }
    return POF_NONE;
}

static bool same_zone(const struct market *m, uint32_t a, uint32_t b)
{
    uint32_t x = zone_of(m, a), y = zone_of(m, b);
    return x == y || (x != POF_NONE && y != POF_NONE &&
                      pof_text_eq(m->rulebook.zone[x].zone, m->rulebook.zone[y].zone));
}

static int64_t zonal(const struct market *m, const struct offer *o)
{
    int64_t highest = 0;
    for (size_t i = 0; i < m->n[POF_offer]; i++) {
        const struct offer *x = &m->offer[i];
        if (x->taken > 0 && x->r->direction == o->r->direction &&
            x->r->price_ueur_mwh > highest && same_zone(m, x->at, o->at)) {
            highest = x->r->price_ueur_mwh;
        }
    }
    return highest;
}

static bool one_seller(const struct market *m, const struct quarter *q, const struct request *r)
{
    const struct pof_offer *first = NULL;
    for (size_t i = 0; i < m->n[POF_offer]; i++) {
        const struct offer *x = &m->offer[i];
        if (x->rank == 0 || x->r->direction != r->r->direction ||
            !verify_active(x->r->start, x->r->end, q->start) ||
            !verify_inside(m, x->at, r->at, r->own)) {
            continue;
        }
        if (first && !pof_text_eq(first->seller, x->r->seller)) {
            return false;
        }
        first = x->r;
    }
    return first != NULL;
}

int64_t verify_price(const struct market *m, const struct quarter *q, const struct request *r,
                     const struct offer *o, int64_t highest)
{
    int64_t asks = o->r->price_ueur_mwh, worth;
    if (m->rules.single_seller == POF_SINGLE_SELLER_AS_BID && one_seller(m, q, r)) {
        return asks;
    }
    switch ((enum pof_price_rule)m->rules.price) {
    case POF_PRICE_RULE_UNIFORM:
        return highest;
    case POF_PRICE_RULE_ZONAL:
        return zonal(m, o);
    case POF_PRICE_RULE_NODAL:
        worth = verify_millionths(m->area[POF_SCOPE_OWN][o->at].cost);
        worth = o->r->direction == POF_UP ? worth : -worth;
        return worth > asks ? worth : asks;
    default:
        return asks;
    }
}

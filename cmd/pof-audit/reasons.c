/* SPDX-License-Identifier: Apache-2.0 */
/* Prices of places, and explanations of offers, worked out once more from the prices and held against those given. O(places +
 * offers) a quarter-hour. */
#include "audit.h"

void audit_prices(struct audit *m)
{
    const uint32_t *at;
    m->prices = pof_claim_lines(&m->c, m->now, POF_node_price, &at);
    for (size_t i = 0; i < m->prices; i++) {
        const struct pof_claim_line *l = &m->c.line[at[i]];
        const struct pof_node_price *x = &l->r->u.node_price;
        bool own = l->area % 2;
        if (l->area == POF_NONE) {
            continue;
        }
        struct place *p = &m->place[audit_place(m, l)];
        *(own ? &p->own_price : &p->price) = x->price_ueur_mwh;
        *(own ? &p->own_tie : &p->tie) = POF_HAS(x, node_price, tie_unmet) ? x->tie_unmet : 0;
        *(own ? &p->own_priced : &p->priced) = true;
    }
    const struct place outside = {0};
    for (uint32_t i = 0; i < m->c.tree.n; i++) {
        struct place *p = &m->place[i];
        const struct place *up = i ? &m->place[m->up[i]] : &outside;
        p->price = p->priced ? p->price : up->price;
        p->tie = p->priced ? p->tie : up->tie;
        p->own_price = p->own_priced ? p->own_price : p->price;
        p->own_tie = p->own_priced ? p->own_tie : p->tie;
    }
}

/* What a stack of requests explains of the step at its area: it pays while it is not met, and against
 * it the dearest. sum: what those before it in the stack ask for. */
static void explain_step(struct audit *m, const struct pof_claim_line *l, int64_t sum)
{
    const struct pof_request *r = &l->r->u.request;
    struct place *p = &m->place[audit_place(m, l)];
    int64_t got = r->direction == POF_UP ? p->net : -p->net, end = sum + r->p_w;
    int64_t worth = pof_claim_ceiling(&m->c, r);
    int64_t less = (got > sum && got <= end) || (sum == 0 && got <= 0) ? worth : 0;
    int64_t more = (got >= sum && got < end) || (sum == 0 && got < 0) ? worth : 0;
    p->low += r->direction == POF_UP ? -less : more;
    p->high += r->direction == POF_UP ? -more : less;
}

static void place_requests(struct audit *m)
{
    int64_t sum = 0;
    for (size_t i = 0; i < m->needs; i++) {
        const struct pof_claim_line *l = m->need[i], *last = i ? m->need[i - 1] : NULL;
        struct place *p = &m->place[audit_place(m, l)];
        int d = l->r->u.request.direction;
        bool same = last && last->area == l->area && last->r->u.request.direction == d;
        sum = same ? sum : 0;
        if (l->area % 2 == 0) {
            explain_step(m, l, sum);
            p->asked[d] = true;
        } else {
            p->own_asked[d] = true;
        }
        sum += l->r->u.request.p_w;
    }
}

/* From the root down: who is asked, and what full branches take: the step beyond what requests
 * explain. */
static void walk_down(struct audit *m)
{
    struct place outside = {.full = {POF_NONE, POF_NONE}};
    for (uint32_t i = 0; i < m->c.tree.n; i++) {
        struct place *p = &m->place[i];
        const struct place *up = i ? &m->place[m->up[i]] : &outside;
        int64_t step = up->price - p->price;
        for (int d = 0; d < 2; d++) {
            int64_t beyond = d == POF_UP ? step - p->high : p->low - step;
            bool here = beyond > 0 && beyond >= up->most[d];
            p->asked[d] |= up->asked[d];
            p->taken[d] = up->taken[d] + (beyond > 0 ? beyond : 0);
            p->most[d] = here ? beyond : up->most[d];
            p->full[d] = here ? m->c.tree.parent_branch[m->c.tree.order[i]] : up->full[d];
        }
    }
}

static enum pof_why why_lost(const struct audit *m, const struct pof_claim_line *l,
                             struct pof_explanation *e)
{
    const struct pof_offer *o = &l->r->u.offer;
    const struct place *p = &m->place[audit_place(m, l)];
    int d = o->direction;
    if (e->distance_ueur_mwh < 0) {
        bool other = POF_HAS(o, offer, min_w) || POF_HAS(o, offer, parent) || POF_HAS(o, offer, group);
        return POF_HAS(o, offer, max_active_s) && !other ? POF_WHY_ACTIVATION : POF_WHY_CHOICE;
    }
    if (!p->asked[d] && !p->own_asked[d]) {
        return POF_WHY_NOT_ASKED;
    }
    if (p->taken[d] > 0 && e->distance_ueur_mwh <= p->taken[d] && p->full[d] != POF_NONE) {
        POF_SET(e, explanation, branch);
        POF_SET(e, explanation, congestion_ueur_mwh);
        e->branch = m->grid.branch[p->full[d]].name;
        e->congestion_ueur_mwh = p->most[d];
        return POF_WHY_GRID;
    }
    return e->distance_ueur_mwh == 0 ? POF_WHY_TIE : POF_WHY_PRICE;
}

struct pof_explanation audit_reason(const struct audit *m, const struct pof_claim_line *l)
{
    const struct pof_offer *o = &l->r->u.offer;
    const struct state *s = audit_state(m, l);
    struct pof_explanation e = {.session = m->c.session->id,
                                .offer = o->id,
                                .start = m->c.session->start + m->now * POF_QUARTER_S,
                                .duration_s = POF_QUARTER_S,
                                .p_w = o->p_w,
                                .taken_w = s->taken,
                                .price_ueur_mwh = o->price_ueur_mwh};
    bool whole = s->taken == o->p_w;
    e.standing = whole ? POF_STANDING_WON : s->taken ? POF_STANDING_PARTLY : POF_STANDING_LOST;
    e.why = POF_WHY_UNFED;
    if (l->rank == 0) {
        e.why = l->area == POF_NONE ? e.why : l->late ? POF_WHY_GATE : l->refused ? POF_WHY_REFUSED : POF_WHY_CHOICE;
        return e;
    }
    POF_SET(&e, explanation, worth_ueur_mwh);
    POF_SET(&e, explanation, distance_ueur_mwh);
    int64_t price = m->place[audit_place(m, l)].own_price;
    e.worth_ueur_mwh = o->direction == POF_UP ? price : -price;
    e.distance_ueur_mwh = e.price_ueur_mwh - e.worth_ueur_mwh;
    e.why = whole ? POF_WHY_PRICE : s->taken ? POF_WHY_MARGIN : (int)why_lost(m, l, &e);
    if (s->cut) {
        e.why = POF_WHY_VALIDATION;
        POF_SET(&e, explanation, allowed_w);
        e.allowed_w = s->left;
    }
    if (e.why == POF_WHY_TIE) {
        POF_SET(&e, explanation, rank);
        e.rank = l->rank;
    }
    return e;
}

int audit_reasons(struct audit *m, struct pof_err *err)
{
    const uint32_t *at;
    size_t n = pof_claim_lines(&m->c, m->now, POF_explanation, &at);
    int rc = 0;
    place_requests(m);
    walk_down(m);
    if (!m->reasons) {
        return 0;
    }
    for (size_t i = 0; rc == 0 && i < n; i++) {
        const struct pof_claim_line *l = &m->c.line[at[i]], *o = l->offer->line;
        bool due = pof_claim_active(&m->c, m->now, o->r->u.offer.start, o->r->u.offer.end);
        if (!due || audit_state(m, o)->told) {
            return POF_REFUSE(l, "offer", "no offer to explain in this quarter-hour, or it was before");
        }
        const struct pof_explanation e = audit_reason(m, o);
        audit_state(m, o)->told = true;
        rc = pof_claim_same(l, &e, err);
    }
    n = pof_claim_lines(&m->c, m->now, POF_offer, &at);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        const struct pof_claim_line *o = &m->c.line[at[i]];
        rc = audit_state(m, o)->told ? 0 : POF_REFUSE(o, NULL, "has no explanation in a quarter-hour");
    }
    return rc;
}

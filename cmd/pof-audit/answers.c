/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of requests, worked out once more from the reasons of the offers left in their areas. O(offers)
 * for each request that is not met, and the depth for those that may be kept by a branch. */
#include "audit.h"

/* The nearest place on the way up that is full for a direction; POF_NONE: none is. */
static uint32_t full_above(const struct audit *m, uint32_t at, int d)
{
    while (at != POF_NONE && (d == POF_UP ? m->place[at].net : -m->place[at].net) != m->place[at].p_w[d]) {
        at = m->up[at];
    }
    return at;
}

/* What keeps an offer from a request, as an answer that says so. */
static struct pof_answer lack_of(const struct audit *m, const struct pof_claim_line *o, struct pof_answer a)
{
    const struct pof_explanation e = audit_reason(m, o);
    uint32_t at = e.price_ueur_mwh <= a.price_ueur_mwh ? full_above(m, audit_place(m, o), o->r->u.offer.direction)
                                                       : POF_NONE;
    POF_SET(&a, answer, offer);
    POF_SET(&a, answer, offer_price_ueur_mwh);
    a.offer = e.offer;
    a.offer_price_ueur_mwh = e.price_ueur_mwh;
    a.why = e.why == POF_WHY_GRID                            ? POF_LACK_GRID
            : e.why == POF_WHY_CHOICE || e.why == POF_WHY_ACTIVATION ? POF_LACK_CHOICE
            : e.price_ueur_mwh > a.price_ueur_mwh            ? POF_LACK_PRICE
            : at == POF_NONE                                 ? POF_LACK_OPPOSED
                                                             : POF_LACK_GRID;
    if (e.why == POF_WHY_GRID) {
        POF_SET(&a, answer, branch);
        POF_SET(&a, answer, congestion_ueur_mwh);
        a.branch = e.branch;
        a.congestion_ueur_mwh = e.congestion_ueur_mwh;
    } else if (a.why == POF_LACK_GRID) {
        POF_SET(&a, answer, branch);
        a.branch = m->grid.branch[m->c.tree.parent_branch[m->c.tree.order[at]]].name;
    }
    return a;
}

/* Of offers left the first reason in this order, then the cheapest, then the better rank: they come by
 * rank. */
static void find_reason(const struct audit *m, const struct pof_claim_line *r, struct pof_answer *a)
{
    static const int order[] = {[POF_LACK_GRID] = 0,  [POF_LACK_OPPOSED] = 1, [POF_LACK_CHOICE] = 2,
                                [POF_LACK_GATE] = 3,  [POF_LACK_PRICE] = 4,   [POF_LACK_NONE] = 5,
                                [POF_LACK_UNFED] = 5, [POF_LACK_NO_OFFERS] = 5};
    const struct pof_answer none = *a;
    const uint32_t *at;
    size_t n = pof_claim_lines(&m->c, m->now, POF_offer, &at);
    int64_t left_w = 0;
    for (size_t i = 0; i < n; i++) {
        const struct pof_claim_line *o = &m->c.line[at[i]];
        const struct pof_offer *x = &o->r->u.offer;
        if (o->rank == 0 || x->direction != r->r->u.request.direction || !audit_serves(m, o, r) ||
            audit_state(m, o)->taken == x->p_w) {
            continue;
        }
        struct pof_answer b = lack_of(m, o, none);
        left_w += x->p_w - audit_state(m, o)->taken;
        bool first = order[b.why] < order[a->why];
        if (first || (order[b.why] == order[a->why] && b.offer_price_ueur_mwh < a->offer_price_ueur_mwh)) {
            *a = b;
        }
    }
    a->left_w = left_w;
}

/* before: W asked for by those before it on its area in its direction. */
static struct pof_answer answer_of(const struct audit *m, const struct pof_claim_line *l, int64_t before)
{
    const struct pof_request *r = &l->r->u.request;
    struct pof_answer a = {.session = m->c.session->id,
                           .request = r->id,
                           .start = m->c.session->start + m->now * POF_QUARTER_S,
                           .duration_s = POF_QUARTER_S,
                           .asked_w = r->p_w,
                           .price_ueur_mwh = pof_claim_ceiling(&m->c, r)};
    if (l->area == POF_NONE) {
        a.why = POF_LACK_UNFED;
        a.standing = POF_MET_UNMET;
        return a;
    }
    const struct place *p = &m->place[audit_place(m, l)];
    int64_t net = l->area % 2 ? p->own_net : p->net, got = (r->direction == POF_UP ? net : -net) - before;
    a.met_w = got < 0 ? 0 : got < r->p_w ? got : r->p_w;
    a.standing = a.met_w == r->p_w ? POF_MET_MET : a.met_w > 0 ? POF_MET_PARTLY : POF_MET_UNMET;
    a.why = POF_LACK_NONE;
    if (a.met_w < r->p_w) {
        a.why = POF_LACK_NO_OFFERS;
        find_reason(m, l, &a);
    }
    return a;
}

/* m->need has the requests of an area and direction together, the dearest first. */
static int64_t asked_before(const struct audit *m, const struct pof_claim_line *l)
{
    int64_t before = 0;
    for (size_t i = 0; i < m->needs && m->need[i] != l; i++) {
        const struct pof_request *r = &m->need[i]->r->u.request;
        before += m->need[i]->area == l->area && r->direction == l->r->u.request.direction ? r->p_w : 0;
    }
    return before;
}

int audit_answers(struct audit *m, struct pof_err *err)
{
    const uint32_t *at;
    size_t n = pof_claim_lines(&m->c, m->now, POF_answer, &at);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < n; i++) {
        const struct pof_claim_line *l = &m->c.line[at[i]], *r = l->request->line;
        struct state *s = audit_state(m, r);
        if (!pof_claim_active(&m->c, m->now, r->r->u.request.start, r->r->u.request.end) || s->told) {
            return POF_REFUSE(l, "request", "asks for nothing in this quarter-hour, or was answered before");
        }
        s->told = true;
        const struct pof_answer a = answer_of(m, r, asked_before(m, r));
        rc = pof_claim_same(l, &a, err);
    }
    n = pof_claim_lines(&m->c, m->now, POF_request, &at);
    for (size_t i = 0; rc == 0 && m->answers && i < n; i++) {
        const struct pof_claim_line *r = &m->c.line[at[i]];
        rc = !r->name || audit_state(m, r)->told ? 0 : POF_REFUSE(r, NULL, "has no answer in a quarter-hour");
    }
    return rc;
}

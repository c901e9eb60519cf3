/* SPDX-License-Identifier: Apache-2.0 */
/* One quarter-hour, in linear passes. */
#include "verify.h"

#include <string.h>

#define FAR ((wide)1 << 125) /* beyond any cost */

static struct sums *sums(const struct market *m, const struct pof_claim_line *l)
{
    struct sums *s = &m->sums[l - m->c.line];
    *s = s->quarter == m->now + 1 ? *s : (struct sums){.quarter = m->now + 1};
    return s;
}

static wide cost(const struct market *m, int64_t ueur, int64_t unmet, int64_t rank)
{
    return (wide)ueur * ((wide)1 << 59) + (m->c.ties ? (wide)unmet * ((wide)1 << 33) + rank : 0);
}

/* Awards that share a price stand together, the dearest offer first. */
static int64_t price_of(struct market *m, const struct pof_claim_line *l)
{
    const struct pof_award *a = &l->r->u.award, *f = m->first ? &m->first->r->u.award : NULL;
    bool shared = f && m->first->request == l->request && f->why == a->why && f->direction == a->direction;
    m->first = shared ? m->first : l;
    return (m->c.rules.price == POF_PRICE_RULE_UNIFORM ? m->first : l)->offer->line->r->u.offer.price_ueur_mwh;
}

static int check_award(struct market *m, const struct pof_claim_line *l, struct pof_err *err)
{
    const struct pof_offer *o = &l->offer->line->r->u.offer;
    const struct pof_request *r = &l->request->line->r->u.request;
    struct sums *of = sums(m, l->offer->line), *to = sums(m, l->request->line);
    struct pof_award a = pof_claim_award(&m->c, l);
    struct pof_buf id = {0};
    int rc = pof_claim_award_id(&id, &a, ++of->awards, err);
    a.id = (struct pof_text){id.data, id.len};
    if (m->c.rules.price != POF_PRICE_RULE_NODAL) { /* those are checked when prices are known */
        a.price_ueur_mwh = price_of(m, l);
    }
    rc = rc ? rc : pof_claim_same(l, &a, err);
    pof_buf_release(&id);
    if (rc) {
        return rc;
    }
    if (!pof_claim_active(&m->c, m->now, o->start, o->end) ||
        !(pof_claim_active(&m->c, m->now, r->start, r->end) || (a.why && POF_HAS(o, offer, block)))) {
        return POF_REFUSE(l, "start", "offer or request is not for this quarter-hour");
    }
    if (a.why == 0 && (a.direction != r->direction ||
                       !pof_claim_inside(&m->c, l->area, l->request->line->area))) {
        return POF_REFUSE(l, "request", "does not ask for this direction at this node");
    }
    if (a.p_w > o->p_w - of->taken) {
        return POF_REFUSE(l, "p_w", "its offer is taken beyond its power");
    }
    *(a.why ? &to->counter : &to->taken) += a.p_w;
    to->paid += (wide)a.p_w * a.price_ueur_mwh;
    of->taken += a.p_w;
    l->offer->taken = true;
    m->area[l->area].net += a.direction == POF_UP ? a.p_w : -a.p_w;
    m->cost += (wide)a.p_w * a.offer_price_ueur_mwh;
    return 0;
}

static void add_up(struct market *m)
{
    for (uint32_t i = m->c.tree.n; i-- > 0;) {
        uint32_t v = m->c.tree.order[i], up = m->c.tree.parent[v];
        m->area[2 * v].net += m->area[2 * v + 1].net;
        m->area[up == POF_NONE ? 0 : 2 * up].net += up == POF_NONE ? 0 : m->area[2 * v].net;
    }
}

/* A request's worth acts on the cost while it is not met; what goes against it costs the dearest. */
static int add_request(struct market *m, const struct pof_claim_line *l, struct pof_err *err)
{
    (void)err;
    const struct pof_request *r = &l->r->u.request;
    struct area *a = &m->area[l->area == POF_NONE ? 0 : l->area];
    if (!l->name || l->area == POF_NONE) {
        m->unmet += l->name ? r->p_w : 0;
        return 0;
    }
    int64_t p = r->p_w, got = r->direction == POF_UP ? a->net : -a->net, sum = a->asked[r->direction];
    int64_t lack = got >= sum + p ? 0 : got < sum && sum > 0 ? p : sum + p - got;
    wide worth = cost(m, pof_claim_ceiling(&m->c, r), 1, 0);
    wide less = (got > sum && got <= sum + p) || (sum == 0 && got <= 0) ? worth : 0;
    wide more = (got >= sum && got < sum + p) || (sum == 0 && got < 0) ? worth : 0;
    a->low += r->direction == POF_UP ? -less : more;
    a->high += r->direction == POF_UP ? -more : less;
    a->asked[r->direction] += p;
    a->due = a->due ? a->due : l;
    sums(m, l)->met = lack < p ? p - lack : 0;
    m->unmet += lack < p ? lack : p;
    m->cost += (wide)lack * pof_claim_ceiling(&m->c, r);
    return 0;
}

/* What a buyer cannot use any more is a limit of its branch's area. */
static int add_band(struct market *m, const struct pof_claim_line *l, struct pof_err *err)
{
    const struct pof_request *r = &l->r->u.request;
    if (!l->name || l->area == POF_NONE || !POF_HAS(r, request, max_w)) {
        return 0;
    }
    struct area *a = &m->area[l->area];
    int64_t net = r->direction == POF_UP ? a->net : -a->net;
    if (net == r->max_w) {
        *(r->direction == POF_UP ? &a->high : &a->low) = r->direction == POF_UP ? FAR : -FAR;
    }
    return net <= r->max_w ? 0 : POF_REFUSE(l, "max_w", "awards are %lld W", (long long)net);
}

static int add_limit(struct market *m, const struct pof_claim_line *l, struct pof_err *err)
{
    const struct pof_limit *x = &l->r->u.limit;
    struct area *a = &m->area[l->area == POF_NONE ? 0 : l->area];
    if (l->area == POF_NONE) {
        return 0;
    }
    a->due = a->due ? a->due : l;
    a->high = a->net == x->p_up_w ? FAR : a->high;
    a->low = a->net == -x->p_down_w ? -FAR : a->low;
    bool kept = a->net <= x->p_up_w && a->net >= -x->p_down_w;
    return kept ? 0 : POF_REFUSE(l, NULL, "awards move the flow by %lld W", (long long)a->net);
}

static int add_price(struct market *m, const struct pof_claim_line *l, struct pof_err *err)
{
    struct area *a = l->area == POF_NONE ? NULL : &m->area[l->area];
    if (!a || !a->due || a->price) {
        return POF_REFUSE(l, "node", "no price is due here, or it was given before");
    }
    a->price = l;
    return 0;
}

/* The price of an area and its step to the one outside, which limits and requests must explain. */
static int check_price(struct market *m, struct area *a, wide out, struct pof_err *err)
{
    a->cost = out;
    if (!a->due) {
        return 0;
    }
    if (!a->price) {
        return POF_REFUSE(a->due, NULL, "a price is due for this and not given");
    }
    struct pof_node_price p = a->price->r->u.node_price;
    p.session = m->c.session->id;
    p.duration_s = POF_QUARTER_S;
    p.net_w = a->net;
    int rc = pof_claim_same(a->price, &p, err);
    a->cost = cost(m, p.price_ueur_mwh, p.tie_unmet, p.tie_rank);
    if (rc == 0 && a->cost + cost(m, p.step_ueur_mwh, p.step_unmet, p.step_rank) != out) {
        return POF_REFUSE(a->price, "step_eur_mwh", "price and step do not make the price outside");
    }
    if (rc == 0 && (out - a->cost < a->low || out - a->cost > a->high)) {
        return POF_REFUSE(a->price, "price_eur_mwh", "neither limits nor requests explain this price");
    }
    return rc;
}

/* What is divisible is taken whole below the price at its node, not at all above it. */
static int check_offer(struct market *m, const struct pof_claim_line *l, struct pof_err *err)
{
    const struct pof_offer *o = &l->r->u.offer;
    int64_t taken = sums(m, l)->taken, least = taken > 0 && POF_HAS(o, offer, min_w) ? o->min_w : 0;
    bool block = POF_HAS(o, offer, block), chosen = block || POF_HAS(o, offer, parent) ||
                                                    POF_HAS(o, offer, group) || POF_HAS(o, offer, min_w);
    l->name->left |= taken < o->p_w;
    m->blocks |= chosen;
    if (taken < least) {
        return POF_REFUSE(l, "min_w", "less is taken in a quarter-hour");
    }
    if (!l->rank || block || (chosen && taken == 0)) {
        return 0;
    }
    wide worth = m->area[l->area].cost, asks;
    asks = cost(m, o->price_ueur_mwh, 0, m->c.rules.tie == POF_TIE_RULE_PRO_RATA ? 0 : l->rank);
    worth = o->direction == POF_UP ? worth : -worth;
    if (taken > least && worth < asks) {
        return POF_REFUSE(l, "price_eur_mwh", "taken though it is dearer than the price at its node");
    }
    return taken == o->p_w || worth <= asks
               ? 0 : POF_REFUSE(l, "price_eur_mwh", "left though it is cheaper than the price at its node");
}

static int check_served(struct market *m, const struct pof_claim_line *l, struct pof_err *err)
{
    const struct pof_request *r = &l->request->line->r->u.request;
    struct sums *s = sums(m, l->request->line);
    const struct pof_served expected = {.session = m->c.session->id,
                                        .request = r->id,
                                        .start = l->r->u.served.start,
                                        .duration_s = POF_QUARTER_S,
                                        .asked_w = pof_claim_active(&m->c, m->now, r->start, r->end) ? r->p_w : 0,
                                        .met_w = s->met,
                                        .awarded_w = s->taken,
                                        .counter_w = s->counter,
                                        .paid_ueur = pof_claim_money(s->paid, false)};
    bool twice = s->told;
    s->told = true;
    return twice ? POF_REFUSE(l, "request", "was given before") : pof_claim_same(l, &expected, err);
}

/* Every request, and every one that pays, has its served record. */
static int check_told(struct market *m, const struct pof_claim_line *l, struct pof_err *err)
{
    const struct pof_claim_line *r = l->request ? l->request->line : l;
    return !r->name || sums(m, r)->told
               ? 0 : POF_REFUSE(l, NULL, "no served record tells what this request gets");
}

/* Nodal: what one more watt of its direction is worth at its node, and no less than it asks. */
static int check_nodal(struct market *m, const struct pof_claim_line *l, struct pof_err *err)
{
    const struct pof_award *a = &l->r->u.award;
    wide worth = m->area[l->offer->line->area].cost * (a->direction == POF_UP ? 1 : -1);
    int64_t price = (int64_t)((worth + ((wide)1 << 58)) >> 59);
    price = price > a->offer_price_ueur_mwh ? price : a->offer_price_ueur_mwh;
    return a->price_ueur_mwh == price
               ? 0 : POF_REFUSE(l, "price_eur_mwh", "its node pays %lld millionths", (long long)price);
}

typedef int check(struct market *m, const struct pof_claim_line *l, struct pof_err *err);
static int each(struct market *m, enum pof_type type, check *f, struct pof_err *err)
{
    const uint32_t *at;
    size_t n = pof_claim_lines(&m->c, m->now, type, &at);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < n; i++) {
        rc = f(m, &m->c.line[at[i]], err);
    }
    return rc;
}

int verify_quarter(struct market *m, struct pof_err *err)
{
    memset(m->area, 0, 2 * (size_t)m->grid.nodes * sizeof *m->area);
    m->first = NULL;
    int rc = each(m, POF_award, check_award, err);
    add_up(m);
    rc = rc ? rc : each(m, POF_request, add_request, err);
    rc = rc ? rc : each(m, POF_limit, add_limit, err);
    rc = rc ? rc : each(m, POF_request, add_band, err);
    rc = rc ? rc : each(m, POF_node_price, add_price, err);
    for (uint32_t i = 0; rc == 0 && i < m->c.tree.n; i++) {
        uint32_t v = m->c.tree.order[i], up = m->c.tree.parent[v];
        rc = check_price(m, &m->area[2 * v], up == POF_NONE ? 0 : m->area[2 * up].cost, err);
        rc = rc ? rc : check_price(m, &m->area[2 * v + 1], m->area[2 * v].cost, err);
    }
    rc = rc ? rc : each(m, POF_offer, check_offer, err);
    rc = rc || m->c.rules.price != POF_PRICE_RULE_NODAL ? rc : each(m, POF_award, check_nodal, err);
    rc = rc ? rc : each(m, POF_served, check_served, err);
    rc = rc ? rc : each(m, POF_request, check_told, err);
    return rc ? rc : each(m, POF_award, check_told, err);
}

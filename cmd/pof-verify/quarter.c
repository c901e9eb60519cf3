/* SPDX-License-Identifier: Apache-2.0 */
/* One quarter-hour, in linear passes. */
#include "verify.h"

#include <string.h>

#define FAR ((wide)1 << 125) /* beyond any cost */
static const struct pof_text several = {"", 0}; /* no seller's name */

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

static void raise(int64_t *top, int64_t price)
{
    *top = price > *top ? price : *top;
}

static int check_award(struct market *m, const struct pof_claim_line *l, struct pof_err *err)
{
    const struct pof_award *a = &l->r->u.award;
    struct sums *of = sums(m, l->offer->line), *to = sums(m, l->request->line);
    int rc = pof_claim_award(&m->c, m->now, l, ++of->awards, err);
    if (rc || a->why == POF_FOR_RESERVE) {
        return rc ? rc : POF_REFUSE(l, "why", "reserves are confirmed by pof-audit, not here");
    }
    of->taken += a->p_w;
    l->offer->line->block->taken = true;
    *(a->why ? &to->counter : &to->taken) += a->p_w;
    to->paid += (wide)a->p_w * a->price_ueur_mwh;
    raise(&to->top[a->why][a->direction], a->offer_price_ueur_mwh);
    raise(&m->area[m->c.zone[l->area / 2]].top[a->direction], a->offer_price_ueur_mwh);
    m->area[l->area].net += a->direction == POF_UP ? a->p_w : -a->p_w;
    m->cost += (wide)a->p_w * a->offer_price_ueur_mwh;
    return of->taken <= l->offer->line->r->u.offer.p_w
               ? 0 : POF_REFUSE(l, "p_w", "its offer is taken beyond its power");
}

static void add_seller(const struct pof_text **to, const struct pof_text *seller)
{
    *to = !*to || !seller ? (*to ? *to : seller) : pof_text_eq(**to, *seller) ? seller : &several;
}

static int add_offer(struct market *m, const struct pof_claim_line *l, struct pof_err *err)
{
    (void)err;
    if (l->rank) {
        add_seller(&m->area[l->area].seller[l->r->u.offer.direction], &l->r->u.offer.seller);
    }
    return 0;
}

/* What an area holds is in the one around it, too. */
static void add_area(struct area *to, const struct area *a)
{
    to->net += a->net;
    add_seller(&to->seller[POF_UP], a->seller[POF_UP]);
    add_seller(&to->seller[POF_DOWN], a->seller[POF_DOWN]);
}

static void add_up(struct market *m)
{
    for (uint32_t i = m->c.tree.n; i-- > 0;) {
        uint32_t v = m->c.tree.order[i], up = m->c.tree.parent[v];
        add_area(&m->area[2 * v], &m->area[2 * v + 1]);
        if (up != POF_NONE) {
            add_area(&m->area[2 * up], &m->area[2 * v]);
        }
    }
}

/* A request's worth acts on the cost while it is not met; what goes against it costs the dearest. What
 * its buyer cannot use any more is a limit of the area. */
static int add_request(struct market *m, const struct pof_claim_line *l, struct pof_err *err)
{
    const struct pof_request *r = &l->r->u.request;
    struct area *a = &m->area[l->area == POF_NONE ? 0 : l->area];
    bool up = r->direction == POF_UP;
    if (!l->name || l->area == POF_NONE) {
        m->unmet += l->name ? r->p_w : 0;
        return 0;
    }
    int64_t p = r->p_w, got = up ? a->net : -a->net, sum = a->asked[r->direction];
    int64_t lack = got >= sum + p ? 0 : got < sum && sum > 0 ? p : sum + p - got;
    wide worth = cost(m, pof_claim_ceiling(&m->c, r), 1, 0);
    wide less = (got > sum && got <= sum + p) || (sum == 0 && got <= 0) ? worth : 0;
    wide more = (got >= sum && got < sum + p) || (sum == 0 && got < 0) ? worth : 0;
    a->low += up ? -less : more;
    a->high += up ? -more : less;
    a->asked[r->direction] += p;
    a->due = a->due ? a->due : l;
    sums(m, l)->met = lack < p ? p - lack : 0;
    m->unmet += lack < p ? lack : p;
    m->cost += (wide)lack * pof_claim_ceiling(&m->c, r);
    if (POF_HAS(r, request, max_w) && got >= r->max_w) {
        *(up ? &a->high : &a->low) = up ? FAR : -FAR;
        return got == r->max_w ? 0 : POF_REFUSE(l, "max_w", "awards are %lld W", (long long)got);
    }
    return 0;
}

static int add_limit(struct market *m, const struct pof_claim_line *l, struct pof_err *err)
{
    const struct pof_limit *x = &l->r->u.limit;
    if (l->area == POF_NONE) {
        return pof_claim_loop(&m->c, m->now, l, err);
    }
    struct area *a = &m->area[l->area];
    a->due = a->due ? a->due : l;
    a->high = a->net == x->p_up_w ? FAR : a->high;
    a->low = a->net == -x->p_down_w ? -FAR : a->low;
    return a->net <= x->p_up_w && a->net >= -x->p_down_w
               ? 0 : POF_REFUSE(l, NULL, "awards move the flow by %lld W", (long long)a->net);
}

static int add_price(struct market *m, const struct pof_claim_line *l, struct pof_err *err)
{
    struct area *a = l->area == POF_NONE ? NULL : &m->area[l->area];
    if (!m->joint || !a || !a->due || a->price) {
        return POF_REFUSE(l, "node", "no price is due here, or it was given before");
    }
    a->price = l;
    return 0;
}

/* The price of an area and its step to the one outside, which limits and requests must explain. */
static int check_price(struct market *m, struct area *a, wide out, struct pof_err *err)
{
    a->cost = out;
    if (!a->due || !a->price) {
        return a->due ? POF_REFUSE(a->due, NULL, "a price is due for this and not given") : 0;
    }
    struct pof_node_price p = a->price->r->u.node_price;
    p.session = m->c.session->id;
    p.duration_s = POF_QUARTER_S;
    p.net_w = a->net;
    a->cost = cost(m, p.price_ueur_mwh, p.tie_unmet, p.tie_rank);
    wide step = out - a->cost, told = cost(m, p.step_ueur_mwh, p.step_unmet, p.step_rank);
    int rc = pof_claim_same(a->price, &p, err);
    return rc             ? rc
           : step != told ? POF_REFUSE(a->price, "step_eur_mwh", "price and step do not make the price outside")
           : step < a->low || step > a->high
               ? POF_REFUSE(a->price, "price_eur_mwh", "neither limits nor requests explain this price") : 0;
}

/* What is divisible is taken whole below the price at its node, not at all above it. */
static int check_offer(struct market *m, const struct pof_claim_line *l, struct pof_err *err)
{
    const struct pof_offer *o = &l->r->u.offer;
    int64_t taken = sums(m, l)->taken, least = taken > 0 && POF_HAS(o, offer, min_w) ? o->min_w : 0;
    l->block->left |= taken < o->p_w;
    m->blocks |= l->whole;
    if (taken < least) {
        return POF_REFUSE(l, "min_w", "less is taken in a quarter-hour");
    }
    if (!m->joint || !l->rank || POF_HAS(o, offer, block) || (l->whole && taken == 0)) {
        return 0;
    }
    wide worth = m->area[l->area].cost * (o->direction == POF_UP ? 1 : -1);
    wide asks = cost(m, o->price_ueur_mwh, 0, m->c.rules.tie == POF_TIE_RULE_PRO_RATA ? 0 : l->rank);
    bool dear = taken > least && worth < asks, cheap = taken < o->p_w && worth > asks;
    return dear || cheap ? POF_REFUSE(l, "price_eur_mwh", "%s than the price at its node",
                                      dear ? "taken though it is dearer" : "left though it is cheaper") : 0;
}

static int check_served(struct market *m, const struct pof_claim_line *l, struct pof_err *err)
{
    const struct pof_request *r = &l->request->line->r->u.request;
    struct sums *s = sums(m, l->request->line);
    bool asks = pof_claim_active(&m->c, m->now, r->start, r->end), twice = s->told;
    const struct pof_served expected = {
        .session = m->c.session->id, .request = r->id, .start = l->r->u.served.start,
        .duration_s = POF_QUARTER_S, .asked_w = asks ? r->p_w : 0, .met_w = s->met, .awarded_w = s->taken,
        .counter_w = s->counter, .paid_ueur = pof_claim_money(s->paid, false)};
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

/* By the price rule; who alone sells gets no more than asked. Nodal is what one more watt is worth. */
static int check_paid(struct market *m, const struct pof_claim_line *l, struct pof_err *err)
{
    const struct pof_award *a = &l->r->u.award;
    const struct pof_request *r = &l->request->line->r->u.request;
    const struct pof_text *seller = m->area[l->request->line->area].seller[r->direction];
    bool alone = m->c.rules.single_seller == POF_SINGLE_SELLER_AS_BID && seller && seller != &several &&
                 pof_claim_active(&m->c, m->now, r->start, r->end);
    wide worth = m->area[l->area].cost * (a->direction == POF_UP ? 1 : -1);
    int64_t ask = a->offer_price_ueur_mwh, node = (int64_t)((worth + ((wide)1 << 58)) >> 59);
    const int64_t due[] = {[POF_PRICE_RULE_PAY_AS_BID] = ask,
                           [POF_PRICE_RULE_UNIFORM] = sums(m, l->request->line)->top[a->why][a->direction],
                           [POF_PRICE_RULE_ZONAL] = m->area[m->c.zone[l->area / 2]].top[a->direction],
                           [POF_PRICE_RULE_NODAL] = node > ask ? node : ask};
    int64_t is = due[alone ? POF_PRICE_RULE_PAY_AS_BID : m->c.rules.price];
    return a->price_ueur_mwh == is
               ? 0 : POF_REFUSE(l, "price_eur_mwh", "the rules make this %lld millionths", (long long)is);
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
    int rc = each(m, POF_award, check_award, err);
    rc = rc ? rc : each(m, POF_offer, add_offer, err);
    add_up(m);
    rc = rc ? rc : each(m, POF_request, add_request, err);
    rc = rc ? rc : each(m, POF_limit, add_limit, err);
    rc = rc ? rc : each(m, POF_node_price, add_price, err);
    for (uint32_t i = 0; rc == 0 && m->joint && i < m->c.tree.n; i++) {
        uint32_t v = m->c.tree.order[i], up = m->c.tree.parent[v];
        rc = check_price(m, &m->area[2 * v], up == POF_NONE ? 0 : m->area[2 * up].cost, err);
        rc = rc ? rc : check_price(m, &m->area[2 * v + 1], m->area[2 * v].cost, err);
    }
    rc = rc ? rc : each(m, POF_offer, check_offer, err);
    rc = rc ? rc : each(m, POF_award, check_paid, err);
    rc = rc ? rc : each(m, POF_served, check_served, err);
    rc = rc ? rc : each(m, POF_request, check_told, err);
    return rc ? rc : each(m, POF_award, check_told, err);
}

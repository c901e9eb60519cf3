/* SPDX-License-Identifier: Apache-2.0 */
/* pof-verify: is a cleared session feasible, optimal and paid as it says? Without solving anything,
 * and without code of the programs that do: quantities that keep all limits and prices that fit them
 * prove each other optimal (complementary slackness; A. Schrijver, Theory of Linear and Integer
 * Programming, section 7.9). In integers, each quarter-hour once. What follows from other records is
 * worked out and held against what is given, so no field of a result can be changed alone.
 * market/claim.h has read everything to its place; nothing else is taken from the room of the market. */
#include "cli/cli.h"
#include "cli/grid.h"
#include "market/claim.h"
#include "num/units.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct args {
    const char *grid, *session, *rules;
    int64_t ceiling;
    int price;
};

static const char *const price_rules[] = {"pay-as-bid", "uniform", "zonal", "nodal", NULL};
#define AT(member) offsetof(struct args, member)
static const struct pof_option options[] = {
    {"grid", 'g', POF_OPT_FILE, AT(grid), "FILE", "grid document, radial; needed", 0, 0, NULL},
    {"session", 's', POF_OPT_TEXT, AT(session), "ID", "session to verify (the only one given)", 0, 0, NULL},
    {"rules", 'r', POF_OPT_FILE, AT(rules), "FILE", "rules it was cleared by, see pof-rules(5) (the usual ones)", 0, 0, NULL},
    {"price", 'p', POF_OPT_WORD, AT(price), "RULE", "price rule it was cleared by (pay-as-bid)", 0, 0, price_rules},
    {"ceiling", 'c', POF_OPT_MICRO, AT(ceiling), "EUR", "ceiling it was cleared with (3000)", 0, 999999999, NULL},
    {0}};
#undef AT
static const struct pof_program program = {
    .name = "pof-verify",
    .purpose = "verify a cleared market session",
    .operands = "[FILE ...]",
    .examples = "pof-verify --grid grid.json orders.jsonl awards.jsonl prices.jsonl served.jsonl",
    .options = options,
};

/* Costs with their ties: 1e-6 EUR/MWh times 2^59, unmet watts times 2^33, ranks. */
__extension__ typedef __int128 wide;
#define FAR ((wide)1 << 125) /* beyond any cost */

/* Prices hold in an area: a node with all that hangs below it, or its own offers. Now: */
struct area {
    const struct pof_claim_line *price, *due; /* its record; the limit or request that asks for one */
    int64_t net, asked[2]; /* up less down activation; requests so far by direction, W */
    wide cost, low, high;  /* of one more watt; what the cost outside is more, from, to */
};

/* The sums of an offer or request in a quarter-hour. */
struct sums {
    int64_t quarter;             /* 1 + */
    int64_t taken, counter, met; /* W; of a request by why of its awards */
    wide paid;                   /* 1e-6 EUR/MWh times W */
    unsigned awards;             /* of an offer */
    bool told;                   /* of a request: has its served record */
};

struct market {
    struct pof_claim c;
    struct pof_grid grid;
    struct area *area;
    struct sums *sums; /* by line */
    int64_t now;
    bool blocks;
    const struct pof_claim_line *first; /* award of those that share a price */
    wide cost, unmet;                   /* 1e-6 EUR/MWh times W; W; fed requests cost only */
};

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

/* Money of power times price over a quarter-hour, 1e-6 EUR, half to even; -1: more than 64 bits. */
static int64_t money(wide paid, bool up)
{
    const int64_t per = POF_WS_PER_MWH / POF_QUARTER_S;
    wide whole = paid / per, rest = paid % per * 2;
    whole += up ? rest > 0 : rest > per || (rest == per && whole % 2);
    return whole > INT64_MAX ? -1 : (int64_t)whole;
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
    struct pof_award a = l->r->u.award;
    struct pof_buf id = {0};
    a.session = m->c.session->id;
    int rc = pof_claim_award_id(&id, &a, ++of->awards, err);
    a.id = (struct pof_text){id.data, id.len};
    a.pod = o->pod;
    a.node = o->node;
    a.seller = o->seller;
    a.direction = o->direction;
    a.offer_price_ueur_mwh = o->price_ueur_mwh;
    if (m->c.rules.price != POF_PRICE_RULE_NODAL) { /* those are checked when prices are known */
        a.price_ueur_mwh = price_of(m, l);
    }
    a.buyer = r->buyer;
    a.role = r->role;
    a.duration_s = POF_QUARTER_S;
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
    wide worth = m->area[l->area].cost, asks = cost(m, o->price_ueur_mwh, 0, m->c.rules.tie == POF_TIE_RULE_PRO_RATA ? 0 : l->rank);
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
                                        .paid_ueur = money(s->paid, false)};
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

static int check_quarter(struct market *m, struct pof_err *err)
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

/* Blocks whole or not at all, children with their parents, one of a group. First what blocks are. */
static int check_links(struct market *m, const struct pof_claim_line *l, bool first, struct pof_err *err)
{
    const struct pof_offer *o = &l->r->u.offer;
    struct pof_claim_name *block, *parent, *group, *own = l->name;
    int rc = pof_claim_name(&m->c, 'b', o->session, pof_record_get(l->r, "block"), &block, err);
    rc = rc ? rc : pof_claim_name(&m->c, 'b', o->session, pof_record_get(l->r, "parent"), &parent, err);
    rc = rc ? rc : pof_claim_name(&m->c, 'g', o->session, pof_record_get(l->r, "group"), &group, err);
    if (rc || first) {
        block = block ? block : own;
        block->taken |= own->taken;
        block->left |= own->left;
        return rc;
    }
    if (block && block->taken && block->left) {
        return POF_REFUSE(l, "block", "is taken in part");
    }
    if (parent && own->taken && !parent->taken) {
        return POF_REFUSE(l, "parent", "is taken without it");
    }
    own = own->taken && block ? block : own;
    if (group && own->taken && group->taker && group->taker != own) {
        return POF_REFUSE(l, "group", "has another one taken");
    }
    if (group && own->taken) {
        group->taker = own;
    }
    return 0;
}

/* Costs are worked out anew; how a bound was found, with blocks, is the word of who searched. */
static int check_cleared(struct market *m, const struct pof_claim_line *l, struct pof_err *err)
{
    struct pof_cleared x = l->r->u.cleared;
    x.session = m->c.session->id;
    x.pass = 1;
    x.cost_ueur = money(m->cost, true);
    if (!m->blocks) {
        x.bound_ueur = (int64_t)(m->cost / (POF_WS_PER_MWH / POF_QUARTER_S));
        x.gap_ppm = x.decisions = x.taken = x.nodes = x.open = 0;
        x.parts = m->c.quarters;
    }
    return x.bound_ueur > x.cost_ueur ? POF_REFUSE(l, "bound_eur", "is more than the cost")
                                      : pof_claim_same(l, &x, err);
}

static int check_session(struct market *m, struct pof_err *err)
{
    int rc = pof_calloc(&m->area, 2 * (size_t)m->grid.nodes, sizeof *m->area, err);
    rc = rc ? rc : pof_calloc(&m->sums, m->c.kept.n, sizeof *m->sums, err);
    for (; rc == 0 && m->now < m->c.quarters; m->now++) {
        rc = check_quarter(m, err);
    }
    for (size_t i = 0; rc == 0 && i < 2 * m->c.kept.n; i++) {
        const struct pof_claim_line *l = &m->c.line[i % m->c.kept.n];
        bool first = i < m->c.kept.n;
        rc = l->r->type == POF_offer ? check_links(m, l, first, err)
             : l->r->type == POF_cleared && first ? check_cleared(m, l, err) : 0;
    }
    return rc;
}

static int on_rule(void *ctx, const struct pof_record *record, struct pof_err *err)
{
    return pof_rulebook_take(ctx, record, err);
}

static int read_rules(struct pof_cli *cli, const struct args *a, struct pof_rulebook *rules,
                      struct pof_err *err)
{
    static const struct pof_want wants[] = {{POF_rules, on_rule}, {POF_price_zone, on_rule}};
    if (a->price >= 0) {
        rules->option.price = a->price;
        POF_SET(&rules->option, rules, price);
    }
    if (a->ceiling >= 0) {
        rules->option.ceiling_ueur_mwh = a->ceiling;
        POF_SET(&rules->option, rules, ceiling_ueur_mwh);
    }
    return a->rules ? pof_cli_read_files(cli, &a->rules, 1, wants, 2, rules, err) : 0;
}

/* What is checked is said; what cannot be is refused by name. */
static int check_rules(const struct market *m, struct pof_err *err)
{
    const struct pof_rules *r = &m->c.rules;
    char hex[POF_SHA256_HEX];
    if (r->price == POF_PRICE_RULE_ZONAL || r->single_seller == POF_SINGLE_SELLER_AS_BID) {
        return pof_fail(err, POF_E_USAGE, "prices of zones and of single sellers cannot be verified yet");
    }
    int rc = pof_rulebook_digest(&m->c.rulebook, r, hex, err);
    for (size_t i = 0; rc == 0 && i < m->c.kept.n; i++) {
        const struct pof_claim_line *l = &m->c.line[i];
        const struct pof_cleared *c = &l->r->u.cleared;
        if (l->r->type == POF_cleared && POF_HAS(c, cleared, rules) &&
            !pof_text_eq(c->rules, (struct pof_text){hex, sizeof hex})) {
            rc = POF_REFUSE(l, "rules", "the rules given are %.*s", POF_SHA256_HEX, hex);
        }
    }
    return rc;
}

static int run(struct pof_cli *cli, void *args, struct pof_err *err)
{
    const struct args *a = args;
    struct market m = {.c = {.grid = &m.grid}};
    struct pof_sink out;
    int rc = pof_cli_grid(cli, a->grid, &m.grid, err);
    rc = rc ? rc : read_rules(cli, a, &m.c.rulebook, err);
    rc = rc ? rc : pof_cli_keep(cli, &m.c.kept, err);
    rc = rc ? rc : pof_claim_index(&m.c, a->session, err);
    rc = rc ? rc : check_rules(&m, err);
    rc = rc ? rc : check_session(&m, err);
    rc = rc ? rc : pof_cli_sink(cli, NULL, &out, err);
    if (rc == 0) {
        const char *answer = m.blocks ? "feasible; optimal for the chosen blocks\n" : "optimal\n";
        pof_cli_note(cli, "%.0f Wh unmet; %s", (double)m.unmet / 4,
                     m.c.rules.tie == POF_TIE_RULE_PRO_RATA ? "equal shares are not checked"
                     : m.c.ties                             ? "ties too"
                                                            : "prices do not tell ties");
        rc = out.write(out.ctx, answer, strlen(answer), err);
    }
    free(m.area);
    free(m.sums);
    pof_claim_release(&m.c);
    pof_grid_release(&m.grid);
    return rc;
}

int main(int argc, char **argv)
{
    struct args args = {.ceiling = -1, .price = -1};
    return pof_main(&program, argc, argv, &args, run);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Clearing by hand: markets small enough to work out on paper, refusals, and a certificate that
 * notices every kind of tampering. */
#include "market/attribute.h"
#include "market/certificate.h"
#include "market/lp.h"

#include "base/text.h"
#include "tap.h"

#define EUR INT64_C(1000000)

enum { MAX = 8 };

/* A market, its result, its shares. */
struct market {
    uint32_t parent[MAX];
    struct pof_clear_offer offer[MAX];
    struct pof_clear_request request[MAX];
    struct pof_clear_limit limit[MAX];
    uint32_t nodes;
    size_t offers, requests, limits;
    int64_t taken[MAX], node_price[MAX], own_price[MAX], unmet[MAX];
    struct pof_shares shares;
    struct pof_certificate_answer answer;
    struct pof_forest forest;
};

static struct pof_clear_problem problem_of(const struct market *m)
{
    return (struct pof_clear_problem){&m->forest,  m->offer, m->offers, m->request,
                                      m->requests, m->limit, m->limits};
}

static struct pof_clear_result result_of(struct market *m)
{
    return (struct pof_clear_result){.taken_w = m->taken, .node_price_ueur = m->node_price, .own_price_ueur = m->own_price};
}

static int run(struct market *m, struct pof_err *err)
{
    struct pof_clearing *c = NULL;
    struct pof_clear_result r = result_of(m);
    int rc = pof_forest_build(&m->forest, m->parent, m->nodes, err);
    struct pof_clear_problem p = problem_of(m);
    rc = rc ? rc : pof_clearing_new(&c, err);
    rc = rc ? rc : pof_clear_solve(c, &p, &r, err);
    rc = rc ? rc : pof_clear_certify(&p, &r, &m->answer, err);
    rc = rc ? rc : pof_clear_unmet(&p, m->taken, m->unmet, err);
    rc = rc ? rc : pof_attribute(&p, m->taken, &m->shares, err);
    pof_clearing_free(c);
    return rc;
}

static void release(struct market *m)
{
    pof_forest_release(&m->forest);
    free(m->shares.share);
}

/* Shares as text: "request<-offer:watts " with '!' for counter-activation. */
static const char *shares_text(const struct market *m, char *to, size_t size)
{
    size_t n = 0;
    to[0] = '\0';
    for (size_t i = 0; i < m->shares.n && n < size; i++) {
        const struct pof_share *s = &m->shares.share[i];
        n += (size_t)snprintf(to + n, size - n, "%s%u<-%zu:%lld%s", i ? " " : "", s->request,
                              s->offer, (long long)s->p_w, s->why == POF_AWARD_COUNTER ? "!" : "");
    }
    return to;
}

static void solves(struct market *m, const char *what)
{
    struct pof_err err = {0};
    int rc = run(m, &err);
    ok(rc == 0 && m->answer.status == POF_CERTIFIED, "%s: cleared and certified %s", what,
       err.text);
}

static void shares_are(const struct market *m, const char *want, const char *what)
{
    char text[256];
    shares_text(m, text, sizeof text);
    is_text(text, strlen(text), want, what);
}

/* --- merit order, ceilings, ties --- */

static void merit_order(void)
{
    struct market m = {.parent = {POF_NONE},
                       .nodes = 1,
                       .offer = {{0, POF_UP, 10, 0, 20 * EUR, 1}, {0, POF_UP, 10, 0, 40 * EUR, 2}},
                       .offers = 2,
                       .request = {{0, false, POF_UP, 15, 100 * EUR}},
                       .requests = 1};
    solves(&m, "15 W from 10 at 20 and 10 at 40");
    is_int(m.taken[0], 10, "all of the cheap offer");
    is_int(m.taken[1], 5, "half of the dear one");
    is_int(m.node_price[0], 40 * EUR, "the price of one more watt is 40");
    shares_are(&m, "0<-0:10 0<-1:5", "both for the request");
    release(&m);
}

static void ceilings(void)
{
    struct market m = {.parent = {POF_NONE},
                       .nodes = 1,
                       .offer = {{0, POF_UP, 10, 0, 20 * EUR, 1},
                                 {0, POF_UP, 10, 0, 40 * EUR, 2},
                                 {0, POF_UP, 10, 0, 40 * EUR + 1, 3}},
                       .offers = 3,
                       .request = {{0, false, POF_UP, 40, 40 * EUR}},
                       .requests = 1};
    solves(&m, "a ceiling of 40");
    is_int(m.taken[1], 10, "an offer at exactly the ceiling is taken");
    is_int(m.taken[2], 0, "one a millionth above is not");
    is_int(m.unmet[0], 20, "the rest stays unmet");
    release(&m);
}

static void nothing_without_need(void)
{
    struct market m = {.parent = {POF_NONE, 0},
                       .nodes = 2,
                       .offer = {{1, POF_DOWN, 7, 0, 0, 1}, {1, POF_UP, 10, 0, 0, 2}},
                       .offers = 2};
    solves(&m, "offers at price 0 and no request");
    is_int(m.taken[0] + m.taken[1], 0, "nothing is taken");
    release(&m);
}

static void ties(void)
{
    struct market m = {.parent = {POF_NONE, 0, 0},
                       .nodes = 3,
                       .offer = {{0, POF_UP, 10, 0, 30 * EUR, 3},
                                 {1, POF_UP, 10, 0, 30 * EUR, 1},
                                 {2, POF_UP, 10, 0, 30 * EUR, 2}},
                       .offers = 3,
                       .request = {{0, false, POF_UP, 15, 100 * EUR}},
                       .requests = 1};
    solves(&m, "three equal offers");
    is_int(m.taken[1], 10, "rank 1 in full");
    is_int(m.taken[2], 5, "rank 2 for the rest");
    is_int(m.taken[0], 0, "rank 3 not at all");
    release(&m);
}

static void stacks(void)
{
    struct market m = {
        .parent = {POF_NONE},
        .nodes = 1,
        .offer = {{0, POF_UP, 12, 0, 20 * EUR, 1}},
        .offers = 1,
        .request = {{0, false, POF_UP, 10, 50 * EUR}, {0, false, POF_UP, 10, 90 * EUR}},
        .requests = 2};
    solves(&m, "two requests on one area, 12 W for 20");
    is_int(m.unmet[1], 0, "the dearer ceiling is served");
    is_int(m.unmet[0], 8, "the cheaper one goes short");
    shares_are(&m, "0<-0:2 1<-0:10", "shares accordingly");
    release(&m);
}

/* --- both directions --- */

/* Node 2 below node 1 below the root; branch 1 may carry no more than 5 W up. */
static void counter_under_limit(void)
{
    struct market m = {
        .parent = {POF_NONE, 0, 1},
        .nodes = 3,
        .offer = {{1, POF_DOWN, 10, 0, 10 * EUR, 1}, {2, POF_UP, 10, 0, 20 * EUR, 2}},
        .offers = 2,
        .request = {{2, true, POF_UP, 10, 100 * EUR}},
        .requests = 1,
        .limit = {{1, 5, 5}},
        .limits = 1};
    solves(&m, "10 W up where 5 fit");
    is_int(m.taken[1], 10, "all that is asked for");
    is_int(m.taken[0], 5, "5 W down make room");
    is_int(m.node_price[1], -10 * EUR, "one watt more up below the limit saves a watt down");
    shares_are(&m, "0<-1:10 0<-0:5!", "the request pays for the room");
    release(&m);
}

static void contradictory(void)
{
    struct market m = {
        .parent = {POF_NONE, 0, 0},
        .nodes = 3,
        .offer = {{1, POF_DOWN, 50, 0, 10 * EUR, 1}, {2, POF_UP, 200, 0, 20 * EUR, 2}},
        .offers = 2,
        .request = {{0, false, POF_UP, 100, 400 * EUR}, {1, false, POF_DOWN, 30, 300 * EUR}},
        .requests = 2};
    solves(&m, "100 W up for all, 30 W down at node 1");
    is_int(m.taken[0], 30, "30 down");
    is_int(m.taken[1], 130, "130 up");
    is_int(m.unmet[0] + m.unmet[1], 0, "all is met");
    shares_are(&m, "0<-1:100 1<-0:30 1<-1:30!", "what makes up for node 1 is on its request");
    release(&m);
}

/* The inner request's watts serve the outer one too. */
static void nested(void)
{
    struct market m = {
        .parent = {POF_NONE, 0},
        .nodes = 2,
        .offer = {{0, POF_UP, 100, 0, 20 * EUR, 1}, {1, POF_UP, 100, 0, 50 * EUR, 2}},
        .offers = 2,
        .request = {{0, false, POF_UP, 100, 400 * EUR}, {1, false, POF_UP, 30, 300 * EUR}},
        .requests = 2};
    solves(&m, "100 W for all, of them 30 at node 1");
    is_int(m.taken[0], 70, "70 of the cheap offer");
    is_int(m.taken[1], 30, "30 where they must be");
    shares_are(&m, "0<-0:70 1<-1:30", "each pays its own");
    release(&m);
}

/* What makes up for the innermost request is no service to the outermost, which has enough. */
static void nested_against(void)
{
    struct market m = {
        .parent = {POF_NONE, 0, 1},
        .nodes = 3,
        .offer = {{1, POF_UP, 200, 0, 20 * EUR, 1}, {2, POF_DOWN, 50, 0, 10 * EUR, 2}},
        .offers = 2,
        .request = {{0, false, POF_UP, 50, 400 * EUR},
                    {1, false, POF_UP, 100, 300 * EUR},
                    {2, false, POF_DOWN, 30, 200 * EUR}},
        .requests = 3};
    solves(&m, "50 W up for all, of them 100 below node 1, though 30 down at node 2");
    is_int(m.taken[0], 130, "130 up");
    is_int(m.taken[1], 30, "30 down");
    shares_are(&m, "1<-0:100 2<-1:30 2<-0:30!", "the outermost pays nothing");
    release(&m);
}

static void frozen(void)
{
    struct market m = {.parent = {POF_NONE},
                       .nodes = 1,
                       .offer = {{0, POF_UP, 10, 0, 20 * EUR, 1}, {0, POF_UP, 10, 4, 40 * EUR, 2}},
                       .offers = 2,
                       .request = {{0, false, POF_UP, 9, 100 * EUR}},
                       .requests = 1};
    solves(&m, "4 W of the dear offer are taken already");
    is_int(m.taken[0], 5, "the cheap one adds what is missing");
    is_int(m.taken[1], 4, "what was frozen stays");
    release(&m);
}

/* --- refusals --- */

static void refuses(struct market *m, int code, const char *what)
{
    struct pof_err err = {0};
    is_int(run(m, &err), code, what);
    release(m);
}

static void refusals(void)
{
    const struct pof_clear_offer fine = {0, POF_UP, 10, 0, EUR, 1};
    struct market cycle = {.parent = {1, 0}, .nodes = 2};
    refuses(&cycle, POF_E_TOPOLOGY, "parents in a circle");
    struct market stranger = {.parent = {5}, .nodes = 1};
    refuses(&stranger, POF_E_RANGE, "a parent that is no node");
    struct market order = {.parent = {POF_NONE}, .nodes = 1, .offer = {fine, fine}, .offers = 2};
    refuses(&order, POF_E_RANGE, "the same rank twice");
    struct market rank = {.parent = {POF_NONE}, .nodes = 1, .offer = {fine}, .offers = 1};
    rank.offer[0].rank = 0;
    refuses(&rank, POF_E_RANGE, "rank 0");
    struct market request = {.parent = {POF_NONE}, .nodes = 1, .request = {{.node = 3}}, .requests = 1};
    refuses(&request, POF_E_RANGE, "a request at a node that is none");
    struct market limit = {.parent = {POF_NONE}, .nodes = 1, .limit = {{0, -1, 0}}, .limits = 1};
    refuses(&limit, POF_E_RANGE, "a negative limit");
    struct market watts = {.parent = {POF_NONE}, .nodes = 1, .offer = {fine, fine}, .offers = 2};
    watts.offer[0].p_w = watts.offer[1].p_w = INT64_C(1) << 62;
    watts.offer[1].rank = 2;
    refuses(&watts, POF_E_OVERFLOW, "more watts than 2^62");
    struct market dear = {.parent = {POF_NONE},
                          .nodes = 1,
                          .request = {{0, false, POF_UP, 1, INT64_MAX}},
                          .requests = 1};
    refuses(&dear, POF_E_OVERFLOW, "ceilings beyond 2^60");
    struct market tight = {.parent = {POF_NONE},
                           .nodes = 1,
                           .offer = {{0, POF_UP, 10, 6, EUR, 1}},
                           .offers = 1,
                           .limit = {{0, 5, 5}},
                           .limits = 1};
    refuses(&tight, POF_E_CONFLICT, "frozen beyond a limit");
}

/* --- certificate --- */

static void notices(struct market *m, enum pof_certificate want, const char *what)
{
    struct pof_err err = {0};
    struct pof_clear_problem p = problem_of(m);
    struct pof_clear_result r = result_of(m);
    int rc = pof_clear_certify(&p, &r, &m->answer, &err);
    ok(rc == 0 && m->answer.status == want, "the certificate notices %s (%d)", what,
       (int)m->answer.status);
}

static void tampering(void)
{
    struct market m = {
        .parent = {POF_NONE, 0, 1},
        .nodes = 3,
        .offer = {{1, POF_DOWN, 10, 0, 10 * EUR, 1}, {2, POF_UP, 10, 0, 20 * EUR, 2}},
        .offers = 2,
        .request = {{2, true, POF_UP, 10, 100 * EUR}},
        .requests = 1,
        .limit = {{1, 5, 5}},
        .limits = 1};
    solves(&m, "a result to tamper with");
    m.taken[0] = 11;
    notices(&m, POF_CERT_QUANTITY, "more taken than offered");
    m.taken[0] = 4;
    notices(&m, POF_CERT_LIMIT, "a limit exceeded");
    m.taken[0] = 6;
    notices(&m, POF_CERT_EDGE_PRICE, "a price step at a branch that is not full");
    m.taken[0] = 5;
    m.own_price[1] = m.node_price[1] = -11 * EUR;
    notices(&m, POF_CERT_OFFER_PRICE, "an offer left although it pays");
    m.own_price[1] = m.node_price[1] = -10 * EUR;
    m.node_price[0] = 1;
    notices(&m, POF_CERT_EDGE_PRICE, "a price at the root without need");
    m.node_price[0] = 0;
    notices(&m, POF_CERTIFIED, "nothing when all is put back");
    release(&m);
}

static void linear_program(void)
{
    struct market m = {
        .parent = {POF_NONE, 0, 0},
        .nodes = 3,
        .offer = {{1, POF_DOWN, 50, 0, 10 * EUR, 1}, {2, POF_UP, 200, 0, 20 * EUR, 2}},
        .offers = 2,
        .request = {{0, false, POF_UP, 100, 400 * EUR}, {1, false, POF_DOWN, 30, 300 * EUR}},
        .requests = 2};
    struct pof_err err = {0};
    int rc = pof_forest_build(&m.forest, m.parent, m.nodes, &err);
    struct pof_clear_problem p = problem_of(&m);
    struct pof_clear_result r = result_of(&m);
    rc = rc ? rc : pof_lp_solve(&p, &r, &err);
    ok(rc == 0 && m.taken[0] == 30 && m.taken[1] == 130, "GLPK: 30 down and 130 up");
    release(&m);
}

static void empty(void)
{
    struct market none = {.nodes = 0};
    solves(&none, "no grid at all");
    release(&none);
    struct market bare = {.parent = {POF_NONE},
                          .nodes = 1,
                          .request = {{0, false, POF_DOWN, 10, EUR}},
                          .requests = 1};
    solves(&bare, "a request and no offer");
    is_int(bare.unmet[0], 10, "stays unmet");
    release(&bare);
}

/* Down offers have costs below 0, and so have their ties. */
static void marginal_below_zero(void)
{
    pof_wide cost = -20 * ((pof_wide)1 << 59) - ((pof_wide)1 << 33) + 5;
    struct pof_marginal m = pof_marginal_of(cost);
    is_int(m.price_ueur, -20, "a price below 0");
    is_int(m.unmet, -1, "its tie by what is unmet");
    is_int(m.rank, 5, "its tie by rank");
}

int main(void)
{
    merit_order();
    ceilings();
    nothing_without_need();
    ties();
    stacks();
    counter_under_limit();
    contradictory();
    nested();
    nested_against();
    frozen();
    refusals();
    tampering();
    linear_program();
    empty();
    marginal_below_zero();
    return done();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Random markets under random terms: whatever they are, money and tokens balance to the last unit, parts
 * of owner and seller add up, and who computes again finds the same. */
#include "market/resettle.h"
#include "market/settle.h"
#include "market/terms.h"
#include "num/rng.h"
#include "num/units.h"

#include "tap.h"

#include <string.h>

enum { ROUNDS = 3000, PODS = 5, ORDERS = 12, T = 900 * 1970000 };

static const char *const hash[4] = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "1111111111111111111111111111111111111111111111111111111111111111",
    "2222222222222222222222222222222222222222222222222222222222222222",
    "3333333333333333333333333333333333333333333333333333333333333333"};

struct sums {
    struct pof_kept_records kept;
    int64_t fee, penalty, net, tokens, in_lines, unsound, missing;
};

static int on_settlement(void *ctx, const struct pof_settlement *s, struct pof_err *err)
{
    struct sums *t = ctx;
    struct pof_record r = {.type = POF_settlement, .u.settlement = *s};
    bool shared = POF_HAS(s, settlement, owner);
    t->in_lines += s->tokens;
    t->unsound += s->net_ueur != s->fee_ueur - s->penalty_ueur || s->tokens < 0 || s->fee_ueur < 0 ||
                  s->penalty_ueur < 0;
    t->unsound += shared && (s->owner_fee_ueur > s->fee_ueur || s->owner_penalty_ueur > s->penalty_ueur ||
                             s->owner_tokens > s->tokens);
    return pof_kept_add(&t->kept, "kept", 1, &r, err);
}

static int on_statement(void *ctx, const struct pof_statement *s, struct pof_err *err)
{
    struct sums *t = ctx;
    (void)err;
    t->fee += s->fee_ueur;
    t->penalty += s->penalty_ueur;
    t->net += s->net_ueur;
    t->tokens += s->tokens;
    t->unsound += s->net_ueur != s->fee_ueur + s->penalty_ueur;
    return 0;
}

static void on_missing(void *ctx, const struct pof_err *problem)
{
    (void)problem;
    ((struct sums *)ctx)->missing++;
}

static int64_t below(uint64_t seed, uint64_t i, uint64_t k, uint64_t n)
{
    return (int64_t)pof_below(pof_random(seed, i, k), n);
}

/* Terms 0 for all, 1 for seller S1, 2 for buyer B1, 3 for pod p1; each member there or not. */
static int add_terms(struct pof_settle *s, uint64_t seed, uint64_t i, uint64_t k, struct pof_err *err)
{
    static const char *const scales[4] = {"0:0 1000:1000", "500:0 950:1000", "750:0 750:1000", "100:1500"};
    uint64_t b = 100 * (k + 1);
    struct pof_terms t = {.name = pof_text("t"), .seller = pof_text("S1"), .buyer = pof_text("B1"), .pod = pof_text("p1"),
                          .fee_permille = below(seed, i, b, 2000), .penalty_ueur_mwh = below(seed, i, b + 1, 300000000),
                          .tolerance_permille = below(seed, i, b + 2, 200), .tokens_per_kwh = below(seed, i, b + 3, 50),
                          .scale = pof_text(scales[below(seed, i, b + 4, 4)]), .penalty_cap_permille = below(seed, i, b + 5, 2000),
                          .owner_permille = below(seed, i, b + 6, 1001)};
    static const int optional[] = {POF_BIT_terms_fee_permille, POF_BIT_terms_penalty_ueur_mwh, POF_BIT_terms_tolerance_permille,
                                   POF_BIT_terms_tokens_per_kwh, POF_BIT_terms_scale, POF_BIT_terms_penalty_cap_permille,
                                   POF_BIT_terms_owner_permille};
    for (size_t f = 0; f < sizeof optional / sizeof *optional; f++) {
        t.has |= (uint64_t)below(seed, i, b + 10 + f, 2) << optional[f];
    }
    static const int scope[4] = {-1, POF_BIT_terms_seller, POF_BIT_terms_buyer, POF_BIT_terms_pod};
    t.has |= k ? UINT64_C(1) << scope[k] : 0;
    return pof_settle_terms(s, &t, pof_text(hash[k]), err);
}

static int fill(struct pof_settle *s, uint64_t seed, uint64_t i, struct pof_err *err)
{
    static const char *const names[] = {"p0", "p1", "p2", "p3", "p4"};
    static const char *const owners[] = {"o0", "o1", "S1", "o0", "B0"}; /* some are also something else */
    static const char *const buyers[] = {"B0", "B1"};
    static const char *const sellers[] = {"S0", "S1"};
    char award[] = "aa";
    int rc = 0;
    for (uint64_t k = 0; k < 4 && rc == 0; k++) {
        rc = add_terms(s, seed, i, k, err);
    }
    for (uint64_t k = 0; k < PODS && rc == 0; k++) {
        struct pof_text pod = pof_text(names[k]);
        struct pof_pod p = {.pod = pod, .owner = pof_text(owners[k]), .has = UINT64_C(1) << POF_BIT_pod_owner};
        struct pof_baseline b = {.pod = pod, .start = T, .duration_s = 900, .p_w = below(seed, i, 600 + k, 100000)};
        struct pof_measurement m = {.pod = pod, .start = T, .duration_s = 900, .p_w = below(seed, i, 610 + k, 100000)};
        rc = pof_settle_pod(s, &p, err);
        rc = rc ? rc : pof_settle_baseline(s, &b, err);
        rc = rc ? rc : pof_settle_measurement(s, &m, err);
    }
    for (uint64_t k = 0; k < ORDERS && rc == 0; k++) {
        int64_t at = below(seed, i, 700 + k, PODS);
        struct pof_outcome o = {.session = pof_text("S"), .award = pof_text(award), .start = T, .duration_s = 900,
                                .pod = pof_text(names[at]), .seller = pof_text(sellers[at & 1]),
                                .buyer = pof_text(buyers[below(seed, i, 720 + k, 2)]),
                                .direction = (int)below(seed, i, 740 + k, 2), .p_w = below(seed, i, 760 + k, 40000),
                                .price_ueur_mwh = below(seed, i, 780 + k, 500000001)};
        award[1] = (char)('a' + k);
        rc = pof_settle_outcome(s, &o, err);
    }
    return rc;
}

static int compare(void *ctx, const struct pof_settlement *s, struct pof_err *err)
{
    return pof_resettle_take(ctx, s, err);
}

static int run(struct sums *t, struct pof_resettle *v, uint64_t seed, uint64_t i)
{
    struct pof_err err = {0};
    struct pof_settle *s = NULL;
    const struct pof_settle_taker first = {on_settlement, on_statement, on_missing, t};
    const struct pof_settle_taker second = {compare, NULL, on_missing, v};
    int rc = pof_settle_new(&s, NULL, 0, &err);
    rc = rc ? rc : fill(s, seed, i, &err);
    rc = rc ? rc : pof_settle_run(s, v ? &second : &first, &err);
    if (v) {
        pof_resettle_close(v);
    }
    if (rc) {
        printf("# round %" PRIu64 ": %s\n", i, err.text);
    }
    pof_settle_free(s);
    return rc;
}

/* One unit more or less in one member is found. */
static int64_t mutants_alive(struct sums *t, uint64_t seed, uint64_t i)
{
    if (t->kept.n == 0) {
        return 0;
    }
    struct pof_err err = {0};
    struct pof_kept *k = &t->kept.at[below(seed, i, 900, t->kept.n)];
    struct pof_settlement was = k->r.u.settlement;
    int64_t *const member[] = {&k->r.u.settlement.fee_ueur, &k->r.u.settlement.penalty_ueur, &k->r.u.settlement.net_ueur,
                               &k->r.u.settlement.tokens, &k->r.u.settlement.delivered_w, &k->r.u.settlement.measured_w};
    struct pof_resettle v;
    *member[below(seed, i, 901, 6)] += 1 - 2 * below(seed, i, 902, 2);
    int rc = pof_resettle_init(&v, &t->kept, &err);
    v.problem = on_missing;
    v.ctx = t;
    rc = rc ? rc : pof_resettle_take(&v, &was, &err);
    pof_resettle_release(&v);
    k->r.u.settlement = was;
    return rc || v.different != 1;
}

int main(void)
{
    uint64_t seed = 20261123;
    int64_t bad_zero = 0, bad_tokens = 0, unsound = 0, differs = 0, alive = 0, lines = 0, failed = 0;
    for (uint64_t i = 0; i < ROUNDS; i++) {
        struct sums t = {.fee = 0};
        struct pof_err err = {0};
        struct pof_resettle v;
        failed += run(&t, NULL, seed, i) != 0;
        bad_zero += t.fee != 0 || t.penalty != 0 || t.net != 0;
        bad_tokens += t.tokens != t.in_lines;
        unsound += t.unsound;
        lines += (int64_t)t.kept.n;
        int rc = pof_resettle_init(&v, &t.kept, &err);
        v.problem = on_missing;
        v.ctx = &t;
        differs += rc != 0 || run(&t, &v, seed, i) != 0 || v.different != 0 || v.equal != t.kept.n;
        pof_resettle_release(&v);
        alive += mutants_alive(&t, seed, i);
        pof_kept_release(&t.kept);
    }
    ok(failed == 0 && lines > ROUNDS * ORDERS / 2, "%" PRId64 " settlements in %d markets", lines, ROUNDS);
    ok(bad_zero == 0, "fees, penalties and nets of statements add up to zero (seed %" PRIu64 ", %" PRId64 " bad)", seed, bad_zero);
    ok(bad_tokens == 0, "tokens of statements are those of settlements (seed %" PRIu64 ", %" PRId64 " bad)", seed, bad_tokens);
    ok(unsound == 0, "no amount is negative, no part above the whole (seed %" PRIu64 ", %" PRId64 " bad)", seed, unsound);
    ok(differs == 0, "computed again all are the same (seed %" PRIu64 ", %" PRId64 " bad)", seed, differs);
    ok(alive == 0, "one unit more or less is found (seed %" PRIu64 ", %" PRId64 " not)", seed, alive);
    return done();
}

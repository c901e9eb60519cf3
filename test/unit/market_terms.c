/* SPDX-License-Identifier: Apache-2.0 */
#include "market/terms.h"
#include "num/units.h"

#include "tap.h"

static const struct pof_text hash = {"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", 64};

static void scale(void)
{
    static const struct {
        const char *text;
        int64_t delivered, ordered, ppm;
    } good[] = {{"500:0 950:1000", 499, 1000, 0}, {"500:0 950:1000", 500, 1000, 0},
                {"500:0 950:1000", 725, 1000, 500000}, {"500:0 950:1000", 950, 1000, 1000000},
                {"500:0 950:1000", 1000, 1000, 1000000}, {"0:0 1000:1000", 1, 3, 333333},
                {"0:0 1000:1000", 2, 3, 666667}, {"750:0 750:1000", 749, 1000, 0},
                {"750:0 750:1000", 750, 1000, 1000000}, {"750:0 750:1000", 7499999, 10000000, 0},
                {"0:400", 0, 5, 400000}, {"0:400", 5, 5, 400000},
                {"0:1000 1000:0", INT64_C(500000000000), INT64_C(1000000000000), 500000}};
    static const char *const bad[] = {"", "500", "500:", ":1", "500:0  600:1", "500:0 ", "500:0 400:1", "1001:0",
                                      "0:10001", "5:0 5:1 5:2", "-1:0", "0:0,1:1", "000000:1",
                                      "0:0 1:0 2:0 3:0 4:0 5:0 6:0 7:0 8:0 9:0 10:0 11:0 12:0 13:0 14:0 15:0 16:0"};
    struct pof_scale s;
    struct pof_err err = {0};
    int64_t ppm = -1;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        ok(pof_scale_parse(pof_text(good[i].text), &s, &err) == 0 &&
               pof_scale_ppm(&s, good[i].delivered, good[i].ordered, &ppm, &err) == 0, "%s", good[i].text);
        is_int(ppm, good[i].ppm, "what is paid");
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ok(pof_scale_parse(pof_text(bad[i]), &s, &err) == POF_E_NUMBER && pof_text_is(pof_text(err.field), "scale"),
           "'%s' is no scale", bad[i]);
    }
}

static struct pof_terms named(const char *name, const char *pod, const char *seller, const char *buyer)
{
    struct pof_terms t = {.name = pof_text(name), .pod = pof_text(pod), .seller = pof_text(seller), .buyer = pof_text(buyer)};
    t.has |= (uint64_t)(*pod != 0) << POF_BIT_terms_pod | (uint64_t)(*seller != 0) << POF_BIT_terms_seller |
             (uint64_t)(*buyer != 0) << POF_BIT_terms_buyer;
    return t;
}

static void finds(const struct pof_terms_set *c, const char *pod, const char *seller, const char *buyer, const char *want)
{
    struct pof_err err = {0};
    struct pof_outcome o = {.award = pof_text("a"), .pod = pof_text(pod), .seller = pof_text(seller), .buyer = pof_text(buyer)};
    uint32_t i;
    int rc = pof_terms_set_find(c, &o, &i, &err);
    ok(want ? rc == 0 && pof_text_is(c->at[i].terms.name, want) : rc == POF_E_REFERENCE,
       "%s/%s/%s: %s", pod, seller, buyer, want ? want : "none");
}

static void scopes(void)
{
    struct pof_terms_set c = {0};
    struct pof_err err = {0};
    const struct pof_terms list[] = {named("s", "", "S", ""), named("sb", "", "S", "B"), named("p", "P", "", ""),
                                     named("b", "", "", "B"), named("pb", "P", "", "B")};
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        is_int(pof_terms_set_add(&c, &list[i], hash, &err), 0, "taken");
    }
    finds(&c, "P", "S", "B", "pb");
    finds(&c, "P", "S", "C", "p");
    finds(&c, "Q", "S", "B", "sb");
    finds(&c, "Q", "S", "C", "s");
    finds(&c, "Q", "T", "B", "b");
    finds(&c, "Q", "T", "C", NULL);
    finds(&c, "S", "B", "P", NULL); /* a name counts in its own role only */
    const struct pof_terms again = named("other", "P", "", "");
    is_int(pof_terms_set_add(&c, &again, hash, &err), POF_E_DUPLICATE, "one scope, one set of terms");
    const struct pof_terms all = named("all", "", "", "");
    is_int(pof_terms_set_add(&c, &all, hash, &err), 0, "for all others");
    finds(&c, "Q", "T", "C", "all");
    struct pof_terms two = named("two", "x", "", "");
    two.has |= UINT64_C(1) << POF_BIT_terms_fee_ueur_mwh | UINT64_C(1) << POF_BIT_terms_fee_permille;
    is_int(pof_terms_set_add(&c, &two, hash, &err), POF_E_CONFLICT, "two fees");
    pof_terms_set_release(&c);
}

/* 1 MW ordered, 0.8 MW delivered at 100 EUR/MWh: 25 EUR whole. */
static struct pof_settlement apply(struct pof_terms t)
{
    struct pof_terms_set c = {0};
    struct pof_err err = {0};
    struct pof_settlement s = {.ordered_w = 1000000, .delivered_w = 800000, .deficiency_w = 200000, .owner = pof_text("O")};
    t.name = pof_text("t");
    ok(pof_terms_set_add(&c, &t, hash, &err) == 0 && pof_contract_apply(&c.at[0], 100000000, &s, &err) == 0,
       "applied%s", err.text);
    ok(POF_HAS(&s, settlement, terms) && pof_text_eq(s.terms, hash), "the terms are named");
    s.terms = s.owner = pof_text("");
    pof_terms_set_release(&c);
    return s;
}

static void amounts(void)
{
    struct pof_terms t = {.fee_permille = 900, .scale = pof_text("0:0 1000:1000"), .penalty_permille = 3000,
                          .tolerance_permille = 50, .penalty_cap_permille = 400, .owner_permille = 333, .tokens_per_kwh = 7};
    is_int(apply(t).fee_ueur, 20000000, "0.8 MW x 100 / 4");
    is_int(apply(t).penalty_ueur, 0, "no penalty");
    POF_SET(&t, terms, fee_permille);
    is_int(apply(t).fee_ueur, 18000000, "nine tenths");
    POF_SET(&t, terms, scale);
    is_int(apply(t).fee_ueur, 14400000, "0.8 of that");
    POF_SET(&t, terms, penalty_permille);
    is_int(apply(t).penalty_ueur, 15000000, "0.2 MW x 300 / 4");
    POF_SET(&t, terms, tolerance_permille);
    is_int(apply(t).penalty_ueur, 11250000, "0.15 MW");
    POF_SET(&t, terms, penalty_cap_permille);
    is_int(apply(t).penalty_ueur, 9000000, "at most 0.4 of 22.5");
    POF_SET(&t, terms, tokens_per_kwh);
    POF_SET(&t, terms, owner_permille);
    struct pof_settlement s = apply(t);
    is_int(s.net_ueur, 5400000, "net");
    is_int(s.tokens, 1400, "200 kWh");
    is_int(s.owner_fee_ueur, 4795200, "the owner's part of 14.4");
    is_int(s.owner_penalty_ueur, 2997000, "of 9");
    is_int(s.owner_tokens, 466, "of 1400: 466.2");
    struct pof_terms fixed = {.fee_ueur_mwh = 40000000};
    POF_SET(&fixed, terms, fee_ueur_mwh);
    is_int(apply(fixed).fee_ueur, 8000000, "a fee of its own");
    is_int(pof_owner_part(1, 500), 1, "one half goes to the owner");
    is_int(pof_owner_part(1, 499), 0, "less does not");
    is_int(pof_owner_part(INT64_C(999999999999999), 1000), INT64_C(999999999999999), "all of it");
}

int main(void)
{
    scale();
    scopes();
    amounts();
    return done();
}
